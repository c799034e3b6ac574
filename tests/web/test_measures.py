"""Measurements: added up over processes, kept over restarts, bounded, and named as the examples name them."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from connector_app import measures
from connector_app.measures import HOOKS, KSEF, MOST_SERIES, SHOP, Measures
from connector_app.store.database import Sessions, open_database
from connector_app.store.watching import Measured
from tests.pipeline.world import World
from tests.web.site import site
from tests.web.test_probes import numbers

_YAML: Any = importlib.import_module("yaml")
"""Without types of its own."""
EXAMPLES = Path("deploy/monitoring")
_NAME = re.compile(r"ksef_connector_[a-z_]+")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Sessions]:
    """An empty one."""
    made = open_database(f"sqlite:///{tmp_path / 'connector.sqlite3'}")
    yield made
    made.kw["bind"].dispose()


def rows(database: Sessions) -> dict[tuple[str, str], Measured]:
    with database() as session:
        return {(one.name, one.labels): one for one in measures.read(session)}


def test_what_processes_measure_is_added_up(database: Sessions) -> None:
    """Two processes, one of them twice, at the same time as others: nothing is lost and nothing doubled."""
    several = [Measures() for _ in range(4)]

    def work(one: Measures) -> None:
        for _ in range(5):
            one.observe(KSEF, 0.2, "ksef.example", "POST /sessions/online", "2xx")
            one.count(HOOKS, "failed", times=2)
            one.keep(database)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, several))
    for one in several:
        one.keep(database)
    found = rows(database)
    times = found[(KSEF.name, "ksef.example\tPOST /sessions/online\t2xx")]
    assert (times.count, round(times.total, 6)) == (20, 4.0)
    assert times.buckets is not None
    assert times.buckets[KSEF.steps.index(0.25)] == sum(times.buckets) == 20
    assert found[(HOOKS.name, "failed")].count == 40


def test_a_database_that_cannot_be_used_loses_no_measurement(
    database: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = Measures()
    one.observe(SHOP, 3.0, "woocommerce", "order", "ok")
    one.count(HOOKS, "failed")
    real = Session.flush
    with database.begin() as session:
        session.connection().exec_driver_sql("ALTER TABLE measured RENAME TO elsewhere")
    one.keep(database)
    one.count(HOOKS, "failed")
    with database.begin() as session:
        session.connection().exec_driver_sql("ALTER TABLE elsewhere RENAME TO measured")
    one.keep(database)
    assert real is Session.flush
    assert rows(database)[(HOOKS.name, "failed")].count == 2
    assert rows(database)[(SHOP.name, "woocommerce\torder\tok")].total == 3.0


def test_labels_that_somebody_invents_are_bounded(database: Sessions) -> None:
    one = Measures()
    for number in range(MOST_SERIES + 50):
        one.count(HOOKS, f"invented-{number}")
    one.keep(database)
    found = rows(database)
    assert len(found) == MOST_SERIES + 1
    assert found[(HOOKS.name, "other")].count == 50


def test_a_whole_run_is_measured(made: World) -> None:
    """KSeF by operation and status, the shop by operation, the lane's last work, deadlines, room, limits."""
    made.counts_requests = True
    services = made.services()
    made.services = lambda: services  # type: ignore[method-assign]
    made.shop.fault("http_500", path="/orders$", times=1)
    made.run()
    made.clock.sleep(timedelta(seconds=30).total_seconds())
    found = numbers(site(services).app.test_client().get("/metrics").text)
    host = made.ksef.api_url.split("/")[2]
    sent = f"('environment', '{host}'), ('operation', 'POST /sessions/online/{{referenceNumber}}/invoices')"
    assert found[f"ksef_connector_ksef_seconds_count[{sent}, ('status', '2xx')]"] == 1
    shop = "[('operation', 'publish'), ('platform', 'woocommerce'), ('result', 'ok')]"
    assert found[f"ksef_connector_shop_seconds_count{shop}"] >= 1
    assert 29 <= found["ksef_connector_work_age_seconds[('work', 'lane')]"] < 60
    assert found["ksef_connector_deadlines[('when', 'passed')]"] == 0
    assert found["ksef_connector_database_bytes"] > 10_000
    assert 0 < found["ksef_connector_disk_free_ratio"] <= 1
    limit = f"[('environment', '{host}'), ('group', 'invoiceSend'), ('seller', '1')]"
    assert found[f"ksef_connector_limit_left{limit}"] == 179


def _names(text: str) -> set[str]:
    """Metrics that a text speaks of, without the endings of their samples."""
    return {re.sub(r"_(bucket|count|sum|total)$", "", one) for one in _NAME.findall(text)}


def test_examples_name_metrics_that_there_are(made: World) -> None:
    """The dashboard, the rules and the document: each is well formed, and each name is in an answer."""
    made.run()
    answer = site(made.services()).app.test_client().get("/metrics").text
    there = {re.sub(r"_total$", "", one) for one in re.findall(r"# TYPE (\S+) ", answer)}
    dashboard: dict[str, Any] = json.loads((EXAMPLES / "grafana-dashboard.json").read_text())
    rules = _YAML.safe_load((EXAMPLES / "ksef-connector-rules.yml").read_text())
    scraping = _YAML.safe_load((EXAMPLES / "prometheus.yml").read_text())
    asked = [one["expr"] for panel in dashboard["panels"] for one in panel.get("targets", [])]
    asked += [one["expr"] for group in rules["groups"] for one in group["rules"]]
    assert len(asked) > 30
    assert scraping["rule_files"] == ["ksef-connector-rules.yml"]
    for expression in asked:
        assert _names(expression) <= there, expression
        assert expression.count("(") == expression.count(")"), expression
    documents = [Path(f"docs/monitoring{one}.md").read_text() for one in ("", ".pl")]
    for text in documents:
        assert _names(text) <= there | {"ksef_connector"}
        assert [one for one in there if one not in text] == []
