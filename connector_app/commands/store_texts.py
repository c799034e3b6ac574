"""``store texts``: a store's own texts for shop, merchant and buyer."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from connector_app.commands.app import App, BadInput, pass_app
from connector_app.commands.bilingual import Command, option
from connector_app.commands.files import FILE
from connector_app.commands.find_store import find_store
from connector_app.texts import BadTexts, effective, fill, parse
from connector_app.texts.reading import LANGUAGES
from connector_app.texts.sample import INVENTED
from connector_app.texts.templates import SLOTS
from core.findings import Text


@click.command(
    name="texts",
    cls=Command,
    pl="""Ustawia teksty sklepu z pliku TOML; bez pliku pokazuje te, które obowiązują.

    Teksty z pliku zastępują wszystkie własne; czego w nim nie ma, mówi tekst programu (docs/texts.pl.md).
    Plik z błędem niczego nie zmienia.""",
)
@click.argument("code", metavar="CODE")
@click.argument("file", required=False, type=FILE, metavar="[FILE.toml]")
@option(
    "--show",
    is_flag=True,
    pl="Pokaż obowiązujące teksty z podglądem na zmyślonym zamówieniu.",
    en="Show the texts in force, with a preview of an invented order.",
)
@option("--reset", is_flag=True, pl="Wróć do tekstów programu.", en="Go back to the program's texts.")
@option("--json", "as_json", is_flag=True, pl="Teksty jako JSON.", en="The texts as JSON.")
@pass_app
def texts(app: App, code: str, file: Path | None, show: bool, reset: bool, as_json: bool) -> None:
    """Set a store's texts from a TOML file; without a file, show those in force.

    The file's texts replace all of the store's own; what it leaves out is said by the program's text (see
    docs/texts.md). A file with a fault changes nothing.
    """
    if file is not None and reset:
        raise BadInput(app.text("Podaj plik albo --reset.", "Give a file or --reset."))
    wanted = _read(app, file) if file is not None else None
    services = app.open()
    with services.database.begin() as session:
        row = find_store(session, app, code)
        if wanted is not None or reset:
            row.texts = wanted or None
        stored = row.texts
    if wanted is not None or reset:
        count = sum(len(one) for one in (stored or {}).values())
        if not as_json:
            app.say(
                Text(
                    f"✓ Sklep {code}: własnych tekstów {count}.", f"✓ Store {code}: {count} texts of its own."
                )
            )
        if not show:
            return
    if as_json:
        app.json({slot.name: {one: effective(stored, slot, one) for one in LANGUAGES} for slot in SLOTS})
        return
    _print(app, stored)


def _read(app: App, file: Path) -> dict[str, dict[str, str]]:
    try:
        return parse(tomllib.loads(app.read_text(file)))
    except tomllib.TOMLDecodeError as error:
        raise BadInput(
            app.text(f"{file} nie jest plikiem TOML: {error}", f"{file} is no TOML file: {error}")
        ) from None
    except BadTexts as error:
        said = "\n  ".join(one.in_language(app.language) for one in error.faults)
        raise BadInput(f"{file}:\n  {said}") from None


def _print(app: App, stored: Mapping[str, Any] | None) -> None:
    for slot in SLOTS:
        for language in LANGUAGES:
            template = effective(stored, slot, language)
            own = (stored or {}).get(slot.name, {}).get(language) is not None
            mark = app.text("własny", "own") if own else app.text("programu", "the program's")
            app.out.print(f"[{slot.name}] {language} ({mark})", markup=False)
            for line in template.strip("\n").splitlines():
                app.out.print(f"    {line}", markup=False)
            for line in fill(template, INVENTED).splitlines():
                app.out.print(f"  → {line}", markup=False)
