"""Values as cells of a table that Polish spreadsheets and accounting programs read."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from core.calendar import WARSAW


def amount_cell(amount: Decimal | None) -> str:
    """An amount with a decimal comma and without separators of thousands; empty for None."""
    return "" if amount is None else f"{amount:f}".replace(".", ",")


def day_cell(day: date | None) -> str:
    """``YYYY-MM-DD``; empty for None."""
    return "" if day is None else day.isoformat()


def moment_cell(moment: datetime | None) -> str:
    """A moment by Warsaw's clock, ``YYYY-MM-DD HH:MM:SS``; empty for None."""
    return "" if moment is None else f"{moment.astimezone(WARSAW):%Y-%m-%d %H:%M:%S}"


def mark_cell(value: object) -> str:
    """``1`` for what is true, else empty."""
    return "1" if value else ""
