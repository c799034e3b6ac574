"""Answers of registers that were once read, kept in the installation's database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from connector_app.store.desk import RegisterAnswer
from connector_app.store.sessions import Sessions, lane_of
from core.calendar import WARSAW


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it was kept.

    Attributes:
        status: the register's own word, or ``unknown`` for a number that it does not have.
        answer: what it said of the number.
        asked_at: aware UTC.
    """

    status: str
    answer: dict[str, Any]
    asked_at: datetime


def known(session: Session, register: str, number: str) -> Kept | None:
    """What a register last said of a number; ``None`` when it was not asked."""
    row = session.scalar(
        select(RegisterAnswer).where(RegisterAnswer.register == register, RegisterAnswer.number == number)
    )
    return None if row is None else Kept(row.status, row.answer or {}, row.asked_at)


def keep(
    database: Sessions,
    register: str,
    number: str,
    status: str,
    answer: dict[str, Any],
    at: datetime,
) -> None:
    """Keep what a register said of a number, instead of what it said before.

    Args:
        database: factory of sessions.
        register: ``vat-list`` or ``vies``.
        number: what was asked.
        status: at most 16 characters count.
        answer: JSON-ready.
        at: aware UTC.
    """
    values = {"status": status[:16], "answer": answer, "asked_at": at}
    with database.begin(lane_of(f"register {register}")) as session:
        insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
        new = insert(RegisterAnswer).values(register=register, number=number, **values)
        # two that ask the same at once both keep what they heard
        session.execute(new.on_conflict_do_update(index_elements=["register", "number"], set_=values))


def asked_on(session: Session, register: str, day: date) -> int:
    """How many numbers a register was last asked about on a Warsaw day, which is what its limit counts."""
    begins = datetime.combine(day, time(), WARSAW)
    count = session.scalar(
        select(func.count()).where(RegisterAnswer.register == register, RegisterAnswer.asked_at >= begins)
    )
    return count or 0
