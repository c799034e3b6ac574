"""How amounts, days and moments look on pages: by the language, in Warsaw time."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from babel.dates import format_date, format_datetime, format_timedelta
from babel.numbers import format_currency, format_decimal
from flask import Flask

from connector_app.web.here import here
from connector_app.web.language import language
from core.calendar import WARSAW


def money(amount: Decimal | None, currency: str | None = "PLN") -> str:
    """An amount with its currency, to the grosz; empty for none."""
    if amount is None:
        return ""
    return format_currency(amount, currency or "PLN", locale=_locale(), currency_digits=False, format=_FORMAT)


def number(value: Decimal | int | None) -> str:
    """A plain number with separators of thousands."""
    return "" if value is None else format_decimal(value, locale=_locale())


def day(value: date | datetime | None) -> str:
    """A day such as 24.11.2026; of a moment, its Warsaw day."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        value = value.astimezone(WARSAW).date()
    return value.isoformat() if language() == "en" else format_date(value, "dd.MM.yyyy", locale=_locale())


def iso_day(value: str | None) -> str:
    """A stored day (YYYY-MM-DD) as :func:`day` shows it."""
    return day(date.fromisoformat(value)) if value else ""


def decimal(value: str | None) -> Decimal | None:
    """A stored amount, for :func:`money`."""
    return Decimal(value) if value else None


def moment(value: datetime | None) -> str:
    """A moment in Warsaw time, to the minute."""
    if value is None:
        return ""
    local = value.astimezone(WARSAW)
    form = "yyyy-MM-dd HH:mm" if language() == "en" else "dd.MM.yyyy HH:mm"
    return format_datetime(local, form, locale=_locale())


def ago(value: datetime | None) -> str:
    """How long ago a moment was, in words."""
    if value is None:
        return ""
    return format_timedelta(value - here().services.clock(), add_direction=True, locale=_locale())


_FORMAT = "#,##0.00 ¤¤"


def _locale() -> str:
    return "en_GB" if language() == "en" else "pl_PL"


def add_formats(app: Flask) -> None:
    """Make them filters of templates."""
    app.jinja_env.filters.update(
        money=money, number=number, day=day, moment=moment, ago=ago, isoday=iso_day, decimal=decimal
    )
