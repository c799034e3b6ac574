"""Filling an empty database from a backup, in one transaction, compared with the backup before its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, Engine, Table, delete, func, inspect, select, text, update

from connector_app.keeping.digests import DOCUMENTS, Digests
from connector_app.keeping.reopening import Contents, rows_of
from connector_app.keeping.sealing import TAMPERED, Unopenable
from connector_app.keeping.tables import FORM_TABLE, ROWS, put, shape_of, tables_of
from connector_app.recovery.report import Report
from connector_app.recovery.run import beginning
from connector_app.store.consents import PendingConsent
from connector_app.store.database import upgrade, without_foreign_keys
from connector_app.store.machines import ApiToken
from connector_app.store.models import Mail, MailState, Seller
from connector_app.store.people import AuditEntry, Invitation, WebSession
from core.calendar import warsaw_day

_MARGIN = timedelta(days=1)
"""Recovery begins so long before the backup: clocks differ, and a document may be stored after it is sent."""
_MAIL_UNKNOWN = "restored from a backup: it may have been sent since"


@dataclass(frozen=True, slots=True)
class Filled:
    """What stands in the database after a restore.

    Attributes:
        sellers: NIP and the Warsaw day since which KSeF has to be asked, of each.
        tokens: how many tokens of programs were revoked. mails: how many e-mails are not sent by themselves.
    """

    sellers: tuple[tuple[str, date], ...]
    tokens: int
    mails: int


def fill(
    engine: Engine,
    contents: Contents,
    now: datetime,
    *,
    aside: str = "",
    keep_tokens: bool = False,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Filled:
    """Make the tables of a backup and fill them; all of it is committed at the end, or nothing.

    Args:
        engine: of a database without tables; of PostgreSQL it may have ours, which then go aside.
        contents: examined.
        now: aware UTC.
        aside: name of the schema of PostgreSQL that keeps what was there.
        keep_tokens: leave tokens of programs valid.
        progress: told how many rows of how many are in.

    Raises:
        Unopenable: the file changed since it was examined.
        SQLAlchemyError: the database does not take it.
    """
    with without_foreign_keys(engine) as connection:
        if engine.dialect.name == "postgresql" and inspect(connection).has_table(FORM_TABLE):
            connection.execute(text(f'ALTER SCHEMA public RENAME TO "{aside}"'))
            connection.execute(text("CREATE SCHEMA public"))
        upgrade(connection, contents.form)
        _put_rows(connection, contents, progress)
        _compare(connection, contents)
        upgrade(connection, "head")
        return _afterwards(connection, contents, now, keep_tokens=keep_tokens)


def _put_rows(connection: Connection, contents: Contents, progress: Callable[[int, int], None]) -> None:
    tables = {one.name: one for one in tables_of(connection)}
    if {one.name for one in contents.shapes} != set(tables):
        raise Unopenable(TAMPERED)
    # rows that migrations made are in the backup as they became
    for table in reversed(list(tables.values())):
        connection.execute(table.delete())
    done, total = 0, sum(contents.rows.values())
    for shape, rows in rows_of(contents):
        for begin in range(0, len(rows), ROWS):
            put(connection, tables[shape.name], shape, rows[begin : begin + ROWS])
        done += len(rows)
        progress(done, total)
    for name, table in tables.items():
        if "id" in table.columns:
            _go_on_after(connection, table, contents.sequences.get(name, 0))


def _go_on_after(connection: Connection, table: Table, last: int) -> None:
    """The next row gets an id that no row had before, also none that was deleted."""
    if connection.dialect.name == "sqlite":
        made_by = connection.scalar(
            text("SELECT sql FROM sqlite_master WHERE name = :name"), {"name": table.name}
        )
        if last and "AUTOINCREMENT" in str(made_by).upper():
            given = {"name": table.name, "last": last}
            connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), given)
            connection.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)"), given)
        return
    sequence = connection.scalar(text("SELECT pg_get_serial_sequence(:name, 'id')"), {"name": table.name})
    highest = connection.scalar(select(func.max(table.c.id))) or 0
    if sequence is not None and max(last, highest):
        connection.execute(
            text("SELECT setval(CAST(:sequence AS regclass), :last)"),
            {"sequence": sequence, "last": max(last, highest)},
        )


def _compare(connection: Connection, contents: Contents) -> None:
    """What was written is read again and has the hashes of the backup."""
    for table in tables_of(connection):
        found = connection.scalar(select(func.count()).select_from(table))
        if found != contents.rows[table.name]:
            raise Unopenable(TAMPERED)
        if table.name == DOCUMENTS:
            digests = Digests(shape_of(table))
            query = select(table).order_by(*table.primary_key.columns)
            for row in connection.execute(query, execution_options={"yield_per": ROWS}):
                digests.see(row)
            if digests.as_json()["sha256"] != contents.digest:
                raise Unopenable(TAMPERED)


def _afterwards(connection: Connection, contents: Contents, now: datetime, *, keep_tokens: bool) -> Filled:
    """An old state is not what is true today: nothing of it may issue, send or let anybody in by itself."""
    since = warsaw_day(contents.made_at - _MARGIN)
    sellers = []
    for seller_id, nip, stored in connection.execute(
        select(Seller.id, Seller.nip, Seller.recovery).order_by(Seller.id)
    ).all():
        day = since
        if stored is not None and date.fromisoformat(stored["since"]) <= since:
            day = date.fromisoformat(stored["since"])
        else:
            values = {
                "since": since.isoformat(),
                "next": beginning(since).isoformat(),
                "report": Report().as_json(),
            }
            connection.execute(update(Seller).where(Seller.id == seller_id).values(recovery=values))
        sellers.append((nip, day))
    connection.execute(delete(PendingConsent))
    connection.execute(update(WebSession).where(WebSession.ended_at.is_(None)).values(ended_at=now))
    connection.execute(update(Invitation).where(Invitation.used_at.is_(None)).values(expires_at=now))
    tokens = 0
    if not keep_tokens:
        valid = ApiToken.revoked_at.is_(None)
        tokens = connection.execute(update(ApiToken).where(valid).values(revoked_at=now)).rowcount
    due = Mail.state.in_((MailState.DUE.value, MailState.SENDING.value))
    unknown = {"state": MailState.UNKNOWN.value, "failure": _MAIL_UNKNOWN, "next_attempt_at": None}
    mails = connection.execute(update(Mail).where(due).values(**unknown)).rowcount
    entry = {
        "at": now,
        "actor": "command line",
        "action": "installation.restore",
        "subject": "installation",
        "details": {"made_at": contents.made_at.isoformat(), "documents": contents.documents},
        "address": "",
    }
    connection.execute(AuditEntry.__table__.insert().values(**entry))  # type: ignore[attr-defined]  # a Table
    return Filled(tuple(sellers), tokens, mails)
