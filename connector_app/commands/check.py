"""``check``: an installation is examined, and what is wrong is said in words."""

from __future__ import annotations

import sys

import click
from sqlalchemy.exc import ArgumentError

from connector_app.checks.installation.run import Installation, examine
from connector_app.checks.installation.said import AREAS, Examined, Looked
from connector_app.commands.app import ATTENTION, App, BadInput
from connector_app.commands.bilingual import Group, option
from connector_app.commands.check_numbers import numbers
from connector_app.pipeline.services import Services
from connector_app.running import keys
from connector_app.store.database import connect
from connector_app.store.engines import address
from connector_app.vault import Vault
from core.findings import Severity, Text
from core.ksef.calls import utc_now

_MARKS = {Severity.ERROR: "✗", Severity.WARNING: "!", Severity.INFO: "i"}
_EXITS = {"good": 0, "findings": ATTENTION, "incomplete": 1}
_RESULTS = {
    "good": Text("Wszystko działa.", "Everything works."),
    "findings": Text("Jest coś do naprawienia.", "There is something to mend."),
    "incomplete": Text("Nie wszystko dało się sprawdzić.", "Not everything could be looked at."),
}


@click.group(
    cls=Group,
    invoke_without_command=True,
    pl="""Sprawdza instalację i mówi, co jest nie tak i co zrobić; check numbers wykazuje numery.

    Folder i dysk, biblioteki, baza, klucze i certyfikaty, zaległa praca, próbka dokumentów, kopia zapasowa,
    KSeF, sklepy i poczta. Niczego nie zmienia. Kod 0: wszystko działa; 2: są ustalenia; 1: nie dało się
    sprawdzić.""",
)
@option(
    "--network/--no-network",
    default=True,
    show_default=True,
    pl="Pytaj KSeF, sklepy i serwery poczty.",
    en="Ask KSeF, shops and mail servers.",
)
@option("--json", "as_json", is_flag=True, pl="Wynik jako JSON.", en="The result as JSON.")
@click.pass_context
def check(context: click.Context, network: bool, as_json: bool) -> None:
    """Examine the installation and say what is wrong and what to do; check numbers proves the numbers.

    Folder and disk, libraries, database, keys and certificates, stuck work, a sample of the documents, the
    last backup, KSeF, shops and mail. Nothing is changed. Exit code 0: all works; 2: there are findings; 1:
    it could not be looked at.
    """
    if context.invoked_subcommand is None:
        _examine(context.obj, network=network, as_json=as_json)


check.add_command(numbers)


def _examine(app: App, *, network: bool, as_json: bool) -> None:
    found = examine(_installation(app), utc_now(), network=network)
    if as_json:
        app.json(found.as_json())
    else:
        _print(app, found)
    sys.exit(_EXITS[found.result])


def _installation(app: App) -> Installation:
    """The installation as it is: nothing is made or migrated."""
    settings = app.settings
    try:
        url = address(settings.database)
    except ArgumentError:
        raise BadInput(
            app.text("DATABASE_URL nie jest adresem bazy.", "DATABASE_URL is no address of a database.")
        ) from None
    is_there = url.get_backend_name() != "sqlite" or settings.home.joinpath(url.database or "").is_file()
    if not is_there:
        return Installation(settings.home, settings.key_file, None)
    database = connect(settings.database)

    def opened() -> Services:
        vault = Vault.open(settings.key_file)
        if settings.is_scaled and keys.is_known(database) and not keys.fits(database, vault):
            raise ValueError(app.text("inne komputery mają inny klucz", "other machines have another key"))
        return app.services(database, vault)

    return Installation(settings.home, settings.key_file, database.engine, opened)


def _print(app: App, found: Examined) -> None:
    for area, looked in found.areas.items():
        app.out.print(f"{AREAS[area].in_language(app.language)}{_state(app, looked)}", markup=False)
        for fact in looked.facts:
            app.out.print(f"  {fact.in_language(app.language)}", markup=False)
        for one in looked.said:
            mark = _MARKS[one.severity]
            what, why = one.what.in_language(app.language), one.why.in_language(app.language)
            app.out.print(f"  {mark} {what} {why}", markup=False)
            app.out.print(f"    → {one.todo.in_language(app.language)}", markup=False)
    app.say(_RESULTS[found.result])


def _state(app: App, looked: Looked) -> str:
    if looked.why_not is not None:
        return f": {looked.why_not.in_language(app.language)}"
    bad = any(one.severity is not Severity.INFO for one in looked.said)
    return "" if bad else f": {app.text('dobrze', 'good')}"
