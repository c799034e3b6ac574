"""``serve``: the whole product in one process: background work and the health page."""

from __future__ import annotations

import logging
from datetime import timedelta

import click
import waitress
from apscheduler.schedulers.background import BackgroundScheduler

from connector_app.commands.app import App, pass_app
from connector_app.pipeline.runner import Runner, runner_lock
from connector_app.pipeline.services import Services
from connector_app.web.health import Pulse, create_app
from core.findings import Text

_log = logging.getLogger(__name__)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=8080, show_default=True)
@click.option(
    "--every", type=click.FloatRange(1, 3600), default=20.0, show_default=True, help="Seconds between passes."
)
@pass_app
def serve(app: App, host: str, port: int, every: float) -> None:
    """Run until interrupted: take in orders, issue, send, track, publish, and show a health page."""
    services = app.open()
    pulse = Pulse()
    waiting = Text(
        "Czekam na inny proces tej instalacji…", "Waiting for another process of this installation…"
    )
    with runner_lock(app.settings.lock_file, wait=True, on_wait=lambda: app.say(waiting)):
        scheduler = BackgroundScheduler(timezone="UTC")
        scheduler.add_job(
            _pass,
            "interval",
            args=(services, pulse, timedelta(seconds=every)),
            seconds=every,
            next_run_time=services.clock(),
            max_instances=1,
            coalesce=True,
        )
        scheduler.start()
        app.say(Text(f"Działa: http://{host}:{port}/", f"Running: http://{host}:{port}/"))
        try:
            waitress.serve(create_app(services, pulse), host=host, port=port, threads=4, _quiet=True)
        finally:
            # a pass under way ends its step; every step is safe to cut anyway
            scheduler.shutdown(wait=True)


def _pass(services: Services, pulse: Pulse, patience: timedelta) -> None:
    """One look at all stores and one round of work; a fault of one pass never ends the next."""
    try:
        runner = Runner(services)
        seen = runner.take_in()
        work = runner.work_until_idle(patience)
        pulse.problems = [problem.pl for problem in seen.problems + work.problems]
    except Exception:
        _log.exception("a pass failed")
        pulse.problems = ["Wewnętrzny błąd podczas pracy w tle; szczegóły są w dzienniku."]
    pulse.at = services.clock()
