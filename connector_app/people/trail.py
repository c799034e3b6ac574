"""Who did what: entries are written in the transaction of what they tell, and read page by page."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, or_, select
from sqlalchemy.orm import Session

from connector_app.spreadsheets import plain
from connector_app.store.models import Seller
from connector_app.store.people import AuditEntry, User
from connector_app.store.sessions import Sessions
from core.calendar import WARSAW

PAGE = 100
"""Entries of one page."""
_BATCH = 1000


def record(
    session: Session,
    now: datetime,
    action: str,
    subject: str,
    *,
    actor: str,
    user_id: int | None = None,
    seller_id: int | None = None,
    details: dict[str, Any] | None = None,
    address: str = "",
) -> None:
    """Write an entry.

    Args:
        session: of the transaction that does it.
        now: aware UTC.
        action: a stable code such as ``people.invite``.
        subject: what it was done to, such as ``user:17``.
        actor: e-mail of the person, or what acted instead: ``command line``, ``api:NAME``.
        user_id: the person's account.
        seller_id: whose data it was; ``None``: the installation's.
        details: never a secret.
        address: IP address of whoever asked.
    """
    session.add(
        AuditEntry(
            at=now,
            user_id=user_id,
            actor=actor,
            seller_id=seller_id,
            action=action,
            subject=subject[:128],
            details=details,
            address=address[:64],
        )
    )


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries to read.

    Attributes:
        sellers: ids whose entries may be seen; ``None``: all entries, the installation's too.
        person: part of the e-mail or name of who acted. group: what a code begins with, such as
            ``document``. since, until: Warsaw days, both included.
    """

    sellers: Sequence[int] | None
    person: str = ""
    group: str = ""
    since: date | None = None
    until: date | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """The same for a query."""
        found: list[ColumnElement[bool]] = []
        if self.sellers is not None:
            found.append(AuditEntry.seller_id.in_(self.sellers))
        if self.person:
            found.append(AuditEntry.actor.icontains(self.person, autoescape=True))
        if self.group:
            found.append(AuditEntry.action.startswith(f"{self.group}.", autoescape=True))
        if self.since:
            found.append(AuditEntry.at >= _midnight(self.since))
        if self.until and self.until < date.max:
            found.append(AuditEntry.at < _midnight(self.until + timedelta(days=1)))
        return found


Mark = tuple[datetime, int]
"""Where a page ends: moment and id of its last entry."""
Found = Row[AuditEntry, str, str, str]
"""An entry with its person's name, and its seller's name and NIP."""


def page(session: Session, wanted: Wanted, after: Mark | None = None, size: int = PAGE) -> Sequence[Found]:
    """Entries, newest first.

    Args:
        session: reading.
        wanted: which.
        after: where the page before ended; no entry is skipped or shown twice while new ones are written.
        size: the most entries.
    """
    query = (
        select(AuditEntry, User.name, Seller.name, Seller.nip)
        .outerjoin(User, User.id == AuditEntry.user_id)
        .outerjoin(Seller, Seller.id == AuditEntry.seller_id)
        .where(*wanted.conditions())
        .order_by(AuditEntry.at.desc(), AuditEntry.id.desc())
        .limit(size)
    )
    if after is not None:
        at, last = after
        query = query.where(or_(AuditEntry.at < at, and_(AuditEntry.at == at, AuditEntry.id < last)))
    return session.execute(query).all()


def mark_text(mark: Mark) -> str:
    """A mark as part of an address."""
    return f"{mark[0].timestamp():.6f}-{mark[1]}"


def read_mark(text: str) -> Mark | None:
    """What :func:`mark_text` wrote; ``None`` for anything else."""
    moment, _, last = text.partition("-")
    try:
        return datetime.fromtimestamp(float(moment), UTC), int(last)
    except (ValueError, OverflowError, OSError):
        return None


def as_csv(database: Sessions, wanted: Wanted) -> Iterator[str]:
    """All wanted entries as the text of a CSV file, piece by piece, for spreadsheets (with a BOM)."""
    yield "\ufeff" + _line(
        ["at", "person", "name", "nip", "seller", "action", "subject", "details", "address"]
    )
    after: Mark | None = None
    while True:
        with database() as session:
            rows = page(session, wanted, after, _BATCH)
        yield "".join(_line(_cells(row)) for row in rows)
        if len(rows) < _BATCH:
            return
        after = rows[-1][0].at, rows[-1][0].id


def _cells(row: Found) -> list[str]:
    entry, name, seller, nip = row
    details = json.dumps(entry.details, ensure_ascii=False) if entry.details else ""
    told = [entry.actor, name or "", nip or "", seller or "", entry.action, entry.subject, details]
    return [entry.at.astimezone(WARSAW).isoformat(timespec="seconds"), *told, entry.address]


def _line(cells: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([plain(one) for one in cells])
    return out.getvalue()


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), WARSAW).astimezone(UTC)
