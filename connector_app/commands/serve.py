"""``serve``: the whole product in one process: background work and the health page."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from datetime import timedelta
from types import FrameType

import click
from apscheduler.schedulers.background import BackgroundScheduler
from waitress.server import create_server

from connector_app import logs
from connector_app.commands.app import App, pass_app
from connector_app.commands.bilingual import Command, option
from connector_app.pipeline.runner import Runner, runner_lock
from connector_app.pipeline.services import Services
from connector_app.renewals import due
from connector_app.web.health import Pulse, create_app
from core.findings import Text

_log = logging.getLogger(__name__)


class _Stopping(Exception):
    """The process is asked to end: what is done is done, the rest goes on after the next start."""


@click.command(cls=Command, pl="Pracuje aż do przerwania: pobiera, wystawia, wysyła, odnotowuje w sklepie.")
@option("--host", default="127.0.0.1", show_default=True, pl="Adres nasłuchu.", en="Address to listen on.")
@option(
    "--port",
    type=click.IntRange(1, 65535),
    default=8080,
    show_default=True,
    pl="Port strony stanu.",
    en="Port of the health page.",
)
@option(
    "--every",
    type=click.FloatRange(1, 3600),
    default=20.0,
    show_default=True,
    pl="Co ile sekund zaglądać do sklepów.",
    en="Seconds between looks at the shops.",
)
@option("--log-json", is_flag=True, pl="Dziennik jako JSON.", en="The log as JSON.")
@pass_app
def serve(app: App, host: str, port: int, every: float, log_json: bool) -> None:
    """Run until interrupted: take in orders, issue, send, track, publish, and show a health page."""
    logs.configure(sys.stderr, as_json=log_json)
    signal.signal(signal.SIGTERM, _end)
    services = app.open()
    pulse = Pulse(started=services.clock())
    stop = threading.Event()
    waiting = Text(
        "Czekam na inny proces tej instalacji…", "Waiting for another process of this installation…"
    )
    with runner_lock(app.settings.lock_file, wait=True, on_wait=lambda: app.say(waiting)):
        # the port is taken before any work begins, so that a port in use is said at once
        server = create_server(create_app(services, pulse), host=host, port=port, threads=4)
        scheduler = BackgroundScheduler(timezone="UTC")
        scheduler.add_job(
            _pass,
            "interval",
            args=(services, pulse, timedelta(seconds=every), stop),
            seconds=every,
            next_run_time=services.clock(),
            max_instances=1,
            coalesce=True,
        )
        scheduler.start()
        app.say(Text(f"Działa: http://{host}:{port}/", f"Running: http://{host}:{port}/"))
        try:
            server.run()
        finally:
            # a pass under way ends its step; every step is safe to cut anyway
            stop.set()
            scheduler.shutdown(wait=True)
            server.close()
            Runner(services).close_sessions()


def _end(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def _pass(services: Services, pulse: Pulse, patience: timedelta, stop: threading.Event) -> None:
    """One look at all stores and one round of work; a fault of one pass never ends the next."""

    def sleep(seconds: float) -> None:
        if stop.wait(seconds):
            raise _Stopping

    try:
        runner = Runner(services, sleep, keep_sessions=True)
        seen = runner.take_in()
        work = runner.work_until_idle(patience)
        pulse.problems = [problem.pl for problem in seen.problems + work.problems]
        _tell_what_ends(services, pulse)
    except _Stopping:
        return
    except Exception:
        _log.exception("a pass failed")
        pulse.problems = ["Wewnętrzny błąd podczas pracy w tle; szczegóły są w dzienniku."]
    for problem in pulse.problems:
        _log.warning("%s", problem)
    pulse.at = services.clock()


def _tell_what_ends(services: Services, pulse: Pulse) -> None:
    """Show certificates and tokens that end soon; what is new since the last pass goes to the log."""
    found = [f"{one.message.pl} {one.hint.pl}" for one in due(services)]
    for notice in found:
        if notice not in pulse.notices:
            _log.warning("%s", notice)
    pulse.notices = found
