"""``/metrics`` in Prometheus' text form: counts and times only, no names but stores' codes and sellers' ids.

With ``KSEF_CONNECTOR_METRICS_TOKEN`` it needs that bearer token; without one it answers this machine only.
Endpoints are named as in the code, so that no id of an address becomes a label.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Iterable, Iterator
from threading import Lock

from flask import Flask, Response, abort, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from connector_app.measures import REQUESTS, WEB
from connector_app.web import measured
from connector_app.web.here import Here, here
from connector_app.web.probes import is_local

_FRESH = 30.0
"""Seconds for which what the database said is kept."""


def add_metrics(app: Flask) -> None:
    """Add the address, and measure every request."""
    registry = CollectorRegistry()
    place = here_of(app)
    measures = place.services.measures
    registry.register(_Installation(place))

    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()

    @app.after_request
    def measure(response: Response) -> Response:
        endpoint = request.endpoint or "none"
        began = g.get("began")
        if began is not None:
            measures.observe(WEB, time.perf_counter() - began, _method(), endpoint)
        measures.count(REQUESTS, endpoint, str(response.status_code))
        measures.keep_now_and_then(place.services.database)
        return response

    @app.get("/metrics")
    def metrics() -> Response:
        _check()
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def here_of(app: Flask) -> Here:
    """The installation of an application that answers nothing yet."""
    with app.app_context():
        return here()


def _method() -> str:
    # a client may invent methods, and each would be a series of its own
    return (
        request.method if request.method in {"GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS"} else "other"
    )


def _check() -> None:
    wanted = here().options.metrics_token
    if not wanted:
        if not is_local():
            abort(404)
        return
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), wanted.encode()):
        abort(Response("", 401, {"WWW-Authenticate": "Bearer"}))


class _Installation(Collector):
    """What the database and the background work say at the moment of asking."""

    def __init__(self, place: Here) -> None:
        self._place = place
        self._lock = Lock()
        self._kept: list[Metric] = []
        self._until = 0.0

    def describe(self) -> Iterable[Metric]:
        """Nothing ahead: names are the same in every answer, and the database need not be asked for them."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Everything that is known now."""
        yield from self._process()
        up = GaugeMetricFamily("ksef_connector_database_up", "Whether the database answers.")
        try:
            # what this process measured until now belongs to it, too
            self._place.services.measures.keep(self._place.services.database)
            found = self._database()
            sums = list(measured.sums(self._place.services))
        except SQLAlchemyError:
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        yield from found
        yield from sums

    def _database(self) -> list[Metric]:
        with self._lock:
            if time.monotonic() >= self._until:
                self._kept = list(measured.database(self._place.services))
                self._until = time.monotonic() + _FRESH
            return self._kept

    def _process(self) -> Iterator[Metric]:
        pulse, now = self._place.pulse, self._place.services.clock()
        yield CounterMetricFamily("ksef_connector_passes", "Passes of the background work.", pulse.passes)
        yield GaugeMetricFamily("ksef_connector_pass_seconds", "Time of the last pass.", pulse.pass_seconds)
        age = (now - (pulse.at or pulse.started)).total_seconds()
        yield GaugeMetricFamily("ksef_connector_pass_age_seconds", "Time since the last pass ended.", age)
        yield GaugeMetricFamily("ksef_connector_problems", "Problems of the last pass.", len(pulse.problems))
