"""``beat``: gives out the work of a scaled installation to its workers."""

from __future__ import annotations

import os
import signal
import threading

import click

from connector_app.alerts.watch import Watchman
from connector_app.commands.app import App, pass_app
from connector_app.commands.bilingual import Command, option
from connector_app.commands.running_options import alive_option, begin_log, log_json_option
from connector_app.commands.scaled import need_broker, say_alive
from connector_app.hooks.happenings import Links
from connector_app.running import workers
from core.findings import Text


@click.command(
    cls=Command,
    pl="""Rozdziela pracę między procesy robocze (instalacja z BROKER_URL).

    Wystarczy jeden; drugi, na innym komputerze, czeka i w razie czego przejmuje jego zadanie.""",
)
@alive_option
@option(
    "--beside",
    type=int,
    default=None,
    hidden=True,
    pl="Proces, razem z którym się kończy; używa tego worker --beat.",
    en="Process with which it ends; worker --beat uses it.",
)
@log_json_option
@pass_app
def beat(app: App, alive: bool, beside: int | None, log_json: bool) -> None:
    """Give out work to the workers (an installation with BROKER_URL).

    One is enough; another one, on another machine, waits and takes over when it has to.
    """
    need_broker(app)
    if alive:
        say_alive(app, workers.DISPATCHER)
        return
    from connector_app.running.broker import Sender  # noqa: PLC0415  an extra of the package
    from connector_app.running.dispatcher import Dispatcher  # noqa: PLC0415

    begin_log(app, "beat", as_json=log_json)
    services = app.open()
    stopped = threading.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, lambda _signal, _frame: stopped.set())
    app.say(Text("Rozdzielam pracę.", "Giving out work."))
    sender = Sender(app.settings)

    def is_over() -> bool:
        # started beside a worker, it ends with it
        return stopped.is_set() or (beside is not None and os.getppid() != beside)

    def wait(seconds: float) -> None:
        stopped.wait(seconds)

    with Watchman(services, Links(app.settings.public_url)):
        Dispatcher(services, sender, is_over, wait).run()
    sender.close()
