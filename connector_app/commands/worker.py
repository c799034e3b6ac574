"""``worker``: does the work of a scaled installation, on any number of machines."""

from __future__ import annotations

import os
import sys
from datetime import timedelta

import click

from connector_app.commands.app import App, pass_app
from connector_app.commands.bilingual import Command, option
from connector_app.commands.public_url import public_address_of
from connector_app.commands.running_options import (
    alive_option,
    begin_log,
    every_option,
    log_json_option,
    public_url_option,
)
from connector_app.commands.scaled import need_broker, say_alive
from connector_app.pipeline.batches.send import tidy
from connector_app.running import workers
from core.findings import Text


@click.command(
    cls=Command,
    pl="""Pracuje: pobiera, wystawia, wysyła, odnotowuje w sklepie (instalacja z BROKER_URL).

    Procesów i komputerów może być dowolnie wiele; sprzedawcę obsługuje zawsze tylko jeden naraz. SIGTERM
    kończy po bieżącym kroku, drugi SIGTERM albo SIGQUIT od razu; przerwaną pracę podejmuje inny proces.""",
)
@option(
    "--processes",
    type=click.IntRange(1, 64),
    default=None,
    metavar="N",
    pl="Ile procesów (domyślnie: ile rdzeni).",
    en="How many processes (default: as many as cores).",
)
@option(
    "--beat",
    "with_beat",
    is_flag=True,
    pl="Obok rozdziela też pracę, jak ksef-connector beat.",
    en="Give out work as well, like ksef-connector beat.",
)
@every_option
@public_url_option
@alive_option
@log_json_option
@pass_app
def worker(
    app: App,
    processes: int | None,
    with_beat: bool,
    every: float,
    public_url: str | None,
    alive: bool,
    log_json: bool,
) -> None:
    """Do the work: take in, issue, send, publish (an installation with BROKER_URL).

    Any number of processes and machines; a seller is worked for by one at a time. SIGTERM ends after the step
    under way, a second SIGTERM or SIGQUIT at once; what was cut short goes on elsewhere.
    """
    need_broker(app)
    if alive:
        say_alive(app, workers.WORKER)
        return
    from connector_app.running.pool import Pool  # noqa: PLC0415  an extra of the package
    from connector_app.running.process import Duties  # noqa: PLC0415

    address = public_address_of(app, public_url)
    begin_log(app, "worker", as_json=log_json)
    # migrates and checks before any process begins; each opens the installation for itself
    services = app.open()
    tidy(services)
    services.database.close()
    duties = Duties(timedelta(seconds=every), address, app.settings.private_addresses)
    count = processes or os.cpu_count() or 1
    app.say(Text(f"Pracuję, procesów: {count}.", f"At work, processes: {count}."))
    sys.exit(Pool(app.settings, duties, app.open).run(count, with_beat=with_beat))
