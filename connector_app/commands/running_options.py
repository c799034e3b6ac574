"""What commands that keep running share: how often, under which address, how the log is written."""

from __future__ import annotations

import sys

import click

from connector_app import logs
from connector_app.commands.app import App
from connector_app.commands.bilingual import option

every_option = option(
    "--every",
    type=click.FloatRange(1, 3600),
    default=20.0,
    show_default=True,
    pl="Co ile sekund zaglądać do każdego sklepu.",
    en="Seconds between looks at each shop.",
)
"""The option ``--every``, argument ``every`` of the command: seconds."""

public_url_option = option(
    "--public-url",
    default=None,
    metavar="URL",
    pl="Adres https, pod którym tę instalację widzą sklepy (same dają wtedy znać o zmianach) i nabywcy.",
    en="The https address under which shops (they then tell of changes) and buyers reach this installation.",
)
"""The option ``--public-url``, read by :func:`~connector_app.commands.public_url.public_address_of`."""

log_json_option = option(
    "--log-json",
    is_flag=True,
    pl="Dziennik jako JSON; także KSEF_CONNECTOR_LOG=json.",
    en="The log as JSON; also KSEF_CONNECTOR_LOG=json.",
)
"""The option ``--log-json``, read by :func:`begin_log`."""

alive_option = option(
    "--alive",
    is_flag=True,
    pl="Tylko powiedz, czy na tym komputerze już pracuje (kod wyjścia 1: nie).",
    en="Only say whether one is at work on this machine (exit code 1: none is).",
)
"""The option ``--alive``, answered by :func:`~connector_app.commands.scaled.say_alive`."""


def begin_log(app: App, process: str, *, as_json: bool) -> None:
    """Write the log to standard error from here on.

    Args:
        app: its settings may want JSON, too.
        process: name of the process in each line.
        as_json: the option ``--log-json``.
    """
    wanted = app.settings
    logs.configure(sys.stderr, level=wanted.log_level, as_json=as_json or wanted.log_json, process=process)
