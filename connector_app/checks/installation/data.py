"""The database itself: its form, whether it is whole, and its clock."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from connector_app.checks.installation.said import Looked
from connector_app.store.database import form_of, is_known_form, newest_form, trouble
from core.findings import Text

_ODDITIES = 5
_MOST_SKEW = 30.0
"""Seconds between this machine's clock and the database server's."""
_RESTORE = Text(
    "Zatrzymaj program i przywróć bazę z kopii zapasowej; nowsze dokumenty odzyskasz z KSeF: ksef-connector "
    "recover.",
    "Stop the program and restore the database from a backup; newer documents come back from KSeF: "
    "ksef-connector recover.",
)


def look_at_database(looked: Looked, engine: Engine, now: datetime, *, deep: bool) -> bool:
    """Whether the database can be used.

    Args:
        looked: gets what is found.
        engine: of the database, not migrated.
        now: aware UTC.
        deep: read all of it, which takes long for a large one.

    Returns:
        Whether its tables have this program's form, so that they can be read.
    """
    try:
        form = form_of(engine)
        if engine.dialect.name == "sqlite":
            _sqlite(looked, engine, deep=deep)
        else:
            _postgresql(looked, engine, now)
    except (SQLAlchemyError, OSError) as error:
        said = trouble(error) if isinstance(error, SQLAlchemyError) else Text(str(error), str(error))
        looked.error(
            "database-unusable",
            said,
            Text("Nic nie zostanie wystawione ani pokazane.", "Nothing is issued or shown."),
            _RESTORE
            if engine.dialect.name == "sqlite"
            else Text("Sprawdź DATABASE_URL i serwer bazy.", "Look at DATABASE_URL and the server."),
        )
        return False
    looked.facts.append(
        Text(f"{engine.dialect.name}, układ {form or '–'}", f"{engine.dialect.name}, form {form or '–'}")
    )
    return _form(looked, form)


def _form(looked: Looked, form: str | None) -> bool:
    if form == newest_form():
        return True
    if form is not None and not is_known_form(form):
        looked.error(
            "database-newer",
            Text(
                f"Baza należy do nowszej wersji programu (układ {form}).",
                f"The database belongs to a newer version of the program (form {form}).",
            ),
            Text("Ta wersja jej nie otworzy.", "This version does not open it."),
            Text("Uruchom nowszą wersję.", "Run the newer version."),
        )
        return False
    looked.warn(
        "migrations-pending",
        Text(
            f"Baza ma układ {form or '–'}, a program {newest_form()}.",
            f"The database has form {form or '–'}, and the program {newest_form()}.",
        ),
        Text(
            "Następne uruchomienie ją zmieni; poprzednia wersja programu już jej nie otworzy.",
            "The next start changes it; the version before does not open it any more.",
        ),
        Text("Zrób kopię zapasową, potem uruchom program.", "Make a backup, then start the program."),
    )
    return False


def _sqlite(looked: Looked, engine: Engine, *, deep: bool) -> None:
    with engine.connect() as connection:
        if deep:
            rows = connection.exec_driver_sql(f"PRAGMA quick_check({_ODDITIES})").scalars().all()
            if list(rows) != ["ok"]:
                shown = "; ".join(str(one) for one in rows)
                looked.error(
                    "database-damaged",
                    Text(f"Plik bazy jest uszkodzony: {shown}.", f"The database's file is damaged: {shown}."),
                    Text("Dokumenty mogą zginąć.", "Documents can be lost."),
                    _RESTORE,
                )
        else:
            looked.facts.append(Text("Całości pliku nie czytano.", "The file was not read as a whole."))
        odd = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(_ODDITIES)
        if odd:
            shown = ", ".join(f"{table} {row} → {parent}" for table, row, parent, _ in odd)
            looked.error(
                "rows-without-parents",
                Text(
                    f"Wiersze odwołują się do innych, których nie ma: {shown}.",
                    f"Rows refer to others that do not exist: {shown}.",
                ),
                Text(
                    "Ktoś usunął je poza programem; program nie otworzy tej bazy.",
                    "Somebody removed them outside the program, which does not open this database.",
                ),
                _RESTORE,
            )


def _postgresql(looked: Looked, engine: Engine, now: datetime) -> None:
    with engine.connect() as connection:
        version = str(connection.scalar(text("SHOW server_version")))
        encoding = str(connection.scalar(text("SHOW server_encoding")))
        theirs = connection.scalar(text("SELECT now()"))
    looked.facts.append(Text(f"PostgreSQL {version}, {encoding}", f"PostgreSQL {version}, {encoding}"))
    if encoding != "UTF8":
        looked.error(
            "database-encoding",
            Text(f"Baza ma kodowanie {encoding}.", f"The database's encoding is {encoding}."),
            Text("Polskie litery się nie zmieszczą.", "Polish letters do not fit."),
            Text("Załóż bazę z kodowaniem UTF8.", "Make the database with encoding UTF8."),
        )
    if isinstance(theirs, datetime) and abs((now - theirs).total_seconds()) > _MOST_SKEW:
        seconds = round((now - theirs).total_seconds())
        looked.warn(
            "database-clock",
            Text(
                f"Zegar tej maszyny różni się od zegara serwera bazy o {seconds} s.",
                f"This machine's clock differs from the database server's by {seconds} s.",
            ),
            Text("Terminy liczy się według zegara.", "Deadlines are counted by the clock."),
            Text("Włącz synchronizację czasu (NTP).", "Switch on time synchronisation (NTP)."),
        )
