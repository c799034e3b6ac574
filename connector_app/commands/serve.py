"""``serve``: the whole product in one process: background work and what is seen in a browser."""

from __future__ import annotations

import signal
import sys
from contextlib import nullcontext
from dataclasses import replace
from types import FrameType

import click
from flask import Flask
from waitress.server import BaseWSGIServer, MultiSocketServer, create_server

from connector_app.alerts.watch import Watchman
from connector_app.background import Background
from connector_app.commands.app import App, BadInput, pass_app
from connector_app.commands.bilingual import Command, option
from connector_app.commands.public_url import public_address_of
from connector_app.commands.running_options import (
    begin_log,
    every_option,
    log_json_option,
    public_url_option,
)
from connector_app.commands.serve_sandbox import sandboxes
from connector_app.hooks.happenings import Links
from connector_app.pipeline.batches.send import tidy
from connector_app.pipeline.runner import Runner
from connector_app.pipeline.services import Services
from connector_app.running import workers
from connector_app.running.alone import work_alone
from connector_app.running.workers import Presence
from connector_app.web.accounts.people import first_invitation
from connector_app.web.app import Pulse, create_app
from connector_app.web.here import options_of
from connector_app.web.safety import LARGEST_UPLOAD
from core.findings import Text

_THREADS = 16
"""Requests at a time; a page waits for a shop or KSeF at most, a webhook for the disk.

Webhooks that wait for the disk are written together, as many as there are threads, so more threads would gain
nothing. Who finds none waits in the server, and beyond its 100 connections in the system's queue of 1024:
five seconds of 200 a second, none of which is refused.
"""
_TURN = 0.0005
"""Seconds that a thread computes before others get their turn."""


@click.command(cls=Command, pl="Pracuje aż do przerwania: pobiera, wystawia, wysyła, odnotowuje w sklepie.")
@option("--host", default="127.0.0.1", show_default=True, pl="Adres nasłuchu.", en="Address to listen on.")
@option(
    "--port",
    type=click.IntRange(1, 65535),
    default=8080,
    show_default=True,
    pl="Port aplikacji w przeglądarce.",
    en="Port of the application in the browser.",
)
@every_option
@public_url_option
@option(
    "--sandbox",
    "with_sandbox",
    is_flag=True,
    pl="Obok uruchamia piaskownice KSeF i sklepów na tym komputerze, do wypróbowania wszystkiego.",
    en="Run sandboxes of KSeF and of shops beside it, on this machine, to try everything out.",
)
@log_json_option
@pass_app
def serve(
    app: App,
    host: str,
    port: int,
    every: float,
    public_url: str | None,
    with_sandbox: bool,
    log_json: bool,
) -> None:
    """Run until interrupted: take in orders, issue, send, track, publish; people use it in a browser."""
    address = public_address_of(app, public_url)
    begin_log(app, "serve", as_json=log_json)
    signal.signal(signal.SIGTERM, _end)
    # answers come from other threads than the work; Python's own 5 ms a turn would add up in each of them
    sys.setswitchinterval(_TURN)
    services = replace(app.open(), public_url=address)
    if app.settings.is_scaled:
        if with_sandbox:
            raise BadInput(
                app.text(
                    "--sandbox działa tylko w jednym procesie: usuń BROKER_URL.",
                    "--sandbox works in one process only: remove BROKER_URL.",
                )
            )
        _serve_pages(app, services, address, host, port)
        return
    pulse = Pulse(started=services.clock())
    with (
        work_alone(services, workers.SERVE, wait=True, on_wait=app.say) as presence,
        sandboxes(app) if with_sandbox else nullcontext() as places,
        Watchman(services, Links(address)),
    ):
        background = Background(
            services, pulse, every, address, private_addresses=app.settings.private_addresses
        )
        options = options_of(app.settings, address, places)
        # the port is taken before any work begins, so that a port in use is said at once
        server = _server(create_app(services, pulse, background.wake, options, presence.name), host, port)
        workers.break_off(services, presence.name, alone=True)
        tidy(services)
        background.start()
        _say_running(app, services, address, host, port)
        try:
            server.run()
        finally:
            background.stop()
            server.close()
            Runner(services).close_sessions()


def _serve_pages(app: App, services: Services, address: str, host: str, port: int) -> None:
    """Pages only: the work is done by workers of a scaled installation."""
    from connector_app.web.wsgi import pages  # noqa: PLC0415  Celery is installed where it is needed

    # also where no worker is left to tell of it
    with Presence(services, workers.WEB) as presence, Watchman(services, Links(address)):
        server = _server(pages(services, app.settings, address, presence.name), host, port)
        workers.sweep(services)
        _say_running(app, services, address, host, port)
        try:
            server.run()
        finally:
            server.close()


def _server(pages: Flask, host: str, port: int) -> BaseWSGIServer | MultiSocketServer:
    return create_server(
        pages,
        host=host,
        port=port,
        threads=_THREADS,
        max_request_body_size=LARGEST_UPLOAD,
        # the application itself decides whom it believes: by KSEF_CONNECTOR_PROXIES
        clear_untrusted_proxy_headers=False,
    )


def _say_running(app: App, services: Services, address: str, host: str, port: int) -> None:
    base = address or f"http://{host}:{port}"
    app.say(Text(f"Działa: {base}/", f"Running: {base}/"))
    _say_first_link(app, services, base)


def _say_first_link(app: App, services: Services, base: str) -> None:
    """Tell whoever started the program how to make the first account."""
    with services.database.begin() as session:
        token = first_invitation(session, services.clock())
    if token is not None:
        link = f"{base}/start/{token}"
        app.say(Text(f"Pierwsze konto: {link}", f"First account: {link}"))


def _end(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)
