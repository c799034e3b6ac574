"""``migrate-store``: an installation's database moves to another one, checked row by row and hash by hash."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import click
from rich.progress import MofNCompleteColumn, TextColumn

from connector_app.commands.app import App, BadInput, Failure, pass_app
from connector_app.commands.bars import bars
from connector_app.commands.bilingual import Command, option
from connector_app.moving import move as moving
from connector_app.moving.comparing import Comparison, Difference
from connector_app.moving.copying import RowRefused
from connector_app.moving.rows import UnknownTables
from connector_app.store.database import open_database
from connector_app.store.engines import shown
from connector_app.store.locks import LockHeld
from core.findings import Text

_STEPS = {"copy": Text("Kopiowanie", "Copying"), "compare": Text("Porównywanie", "Comparing")}
_STOP = Text(
    "Zatrzymaj serve i pozostałe procesy tej instalacji, potem uruchom ponownie.",
    "Stop serve and the other processes of this installation, then run this again.",
)
_EMPTY = Text("Utwórz nową, pustą bazę i podaj jej adres.", "Make a new, empty database and name it.")
_WORDS: Mapping[type[Exception], tuple[Text, Text]] = {
    LockHeld: (
        Text("Na tej instalacji pracuje inny proces.", "Another process is at work on this installation."),
        _STOP,
    ),
    moving.SamePlace: (Text("To ta sama baza danych.", "This is the same database."), _EMPTY),
    moving.TargetInUse: (
        Text("Nowa baza nie jest pusta ({}).", "The new database is not empty ({})."),
        _EMPTY,
    ),
    moving.OtherForm: (
        Text("Nowa baza ma układ innej wersji programu ({}).", "The new database has another form ({})."),
        _EMPTY,
    ),
    moving.NotTheSame: (
        Text("Bazy się różnią: {}.", "The databases differ: {}."),
        Text("Niczego nie zmieniono; zob. docs/moving.pl.md.", "Nothing was changed; see docs/moving.md."),
    ),
    moving.Damaged: (
        Text("Uszkodzone pliki: {}.", "Damaged files: {}."),
        Text(
            "Przywróć je z kopii zapasowej albo przenieś, jakie są: --with-damage.",
            "Restore them from a backup, or move them as they are: --with-damage.",
        ),
    ),
    RowRefused: (
        Text("Nowa baza nie przyjmuje wiersza {}.", "The new database does not take the row {}."),
        Text("Niczego nie zmieniono; zgłoś to.", "Nothing was changed; report it."),
    ),
    UnknownTables: (
        Text("Nieznane lub brakujące tabele: {}.", "Unknown or missing tables: {}."),
        Text(
            "Program potrzebuje własnej bazy, której nic innego nie używa.",
            "The program needs a database of its own that nothing else uses.",
        ),
    ),
}


@click.command(
    "migrate-store",
    cls=Command,
    pl="""Przenosi bazę danych tej instalacji do innej, np. z SQLite do PostgreSQL.

    Wiersze są kopiowane, po czym obie strony porównywane wiersz po wierszu, a pliki XML i UPO z ich skrótami
    SHA-256. Dopiero potem stara baza jest zamykana: zostaje cała, ale niczego już nie przyjmie. Przerwane
    polecenie uruchom jeszcze raz. Zob. docs/moving.pl.md.""",
)
@option(
    "--to",
    required=True,
    metavar="URL",
    pl="Adres nowej, pustej bazy. Hasło może stać w ~/.pgpass zamiast w adresie.",
    en="Address of the new, empty database. Its password may stand in ~/.pgpass instead of the address.",
)
@option(
    "--undo",
    is_flag=True,
    pl="Wraca do starej bazy (DATABASE_URL), o ile w nowej nic się jeszcze nie zmieniło.",
    en="Go back to the old database (DATABASE_URL), as long as nothing has changed in the new one.",
)
@option(
    "--with-damage",
    is_flag=True,
    pl="Kopiuje także pliki, które są uszkodzone już teraz.",
    en="Copy files that are damaged already, too.",
)
@option("--json", "as_json", is_flag=True, pl="Raport jako JSON.", en="The report as JSON.")
@pass_app
def migrate_store(app: App, to: str, undo: bool, with_damage: bool, as_json: bool) -> None:
    """Move this installation's database to another one, e.g. from SQLite to PostgreSQL.

    Rows are copied, then both sides are compared row by row, and XML files and UPOs with their SHA-256. Only
    then is the old database closed: it stays whole, but takes nothing any more. Interrupted, run it again.
    See docs/moving.md.
    """
    began = time.monotonic()
    source = open_database(app.settings.database, also_moved=undo)
    try:
        with _bars(app) as steps:
            if undo:
                found = moving.undo(source, to, steps)
            else:
                found = moving.move(source, to, steps, with_damage=with_damage)
    except (moving.NotMoved, LockHeld, RowRefused, UnknownTables) as error:
        raise _failure(app, error, as_json=as_json) from None
    finally:
        source.close()
    _report(app, found, to, undo=undo, as_json=as_json, seconds=time.monotonic() - began)


@contextmanager
def _bars(app: App) -> Iterator[moving.Steps]:
    """A bar for each step, where there is a terminal."""
    shown = bars(app, MofNCompleteColumn(), TextColumn("{task.fields[table]}"))

    def begin(step: str, rows: int) -> None:
        shown.add_task(_STEPS[step].in_language(app.language), total=rows, table="")

    def tell(table: str, rows: int) -> None:
        if shown.task_ids:
            shown.update(shown.task_ids[-1], advance=rows, table=table)

    with shown:
        yield moving.Steps(begin, tell)


def _report(app: App, found: Comparison, to: str, *, undo: bool, as_json: bool, seconds: float) -> None:
    where = app.settings.database if undo else to
    place = shown(where)
    if as_json:
        app.json(_as_json(found) | {"moved": not undo, "database": place, "seconds": round(seconds, 1)})
        return
    rows, tables = sum(found.rows.values()), sum(bool(count) for count in found.rows.values())
    app.say(
        Text(
            f"✓ Takie same: {rows} wierszy w {tables} tabelach, {found.hashes} plików XML i UPO zgodnych "
            f"ze skrótem SHA-256 ({seconds:.0f} s).",
            f"✓ The same: {rows} rows in {tables} tables, {found.hashes} XML files and UPOs with their "
            f"SHA-256 ({seconds:.0f} s).",
        )
    )
    for one in found.damaged:
        app.say(Text(f"! Plik był uszkodzony już wcześniej: {one}", f"! A file was damaged before: {one}"))
    if undo:
        app.say(
            Text(
                f"→ Pracuje znów {place}: usuń DATABASE_URL z otoczenia albo ustaw ten adres.",
                f"→ {place} works again: remove DATABASE_URL from the environment, or set this address.",
            )
        )
    else:
        app.say(
            Text(
                f"→ Ustaw w otoczeniu wszystkich procesów: DATABASE_URL={place}\n"
                "  (z hasłem, jeśli jest potrzebne). Folder KSEF_CONNECTOR_HOME zostaje ten sam: jest w nim "
                "secret.key.",
                f"→ Set in the environment of all processes: DATABASE_URL={place}\n"
                "  (with the password, if one is needed). KSEF_CONNECTOR_HOME stays the same folder: "
                "secret.key is in it.",
            )
        )


def _as_json(found: Comparison) -> dict[str, object]:
    return {
        "rows": found.rows,
        "hashes": found.hashes,
        "damaged": found.damaged,
        "differences": [
            {"table": one.table, "key": list(one.key), "columns": list(one.columns)}
            for one in found.differences
        ],
    }


def _failure(app: App, error: Exception, *, as_json: bool) -> Failure:
    """Why nothing was moved, and what to do."""
    comparison = getattr(error, "comparison", None)
    if as_json and isinstance(comparison, Comparison):
        app.json(_as_json(comparison) | {"moved": False})
    said, hint = _words(error)
    kind = Failure if isinstance(error, LockHeld) else BadInput
    return kind(said.in_language(app.language), hint.in_language(app.language))


def _words(error: Exception) -> tuple[Text, Text]:
    """What is wrong, with the names that the error carries, and what to do about it."""
    said, hint = _WORDS[type(error)]
    names = str(error)
    if isinstance(error, moving.NotTheSame):
        names = ", ".join(map(_difference, error.comparison.differences[:5]))
    return Text(said.pl.format(names), said.en.format(names)), hint


def _difference(one: Difference) -> str:
    key = "/".join(map(str, one.key))
    return f"{one.table} {key}" + (f" ({', '.join(one.columns)})" if one.columns else "")
