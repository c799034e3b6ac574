"""The form of a correction, as text from a browser, read into a plan."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from connector_app.byhand.plans import LINES, ZERO, buyer_plan, lines_plan, zero_plan
from connector_app.store.overrides import EnteredBuyer
from connector_app.web.language import t
from core.invoices.corrections.restated import Added, Restated
from core.invoices.corrections.state import InvoiceState, key_of
from core.invoices.model import CorrectionType, VatCategory
from core.invoices.texts import NAME_LIMIT, clean

_LONGEST = 20
REASON_LIMIT = 256
"""Characters of PrzyczynaKorekty."""


@dataclass(slots=True)
class LineRow:
    """One line of the form.

    Attributes:
        key: see :func:`core.invoices.corrections.state.key_of`. name: P_7.
        quantity, amount: as they stand. entered_quantity, entered_amount: texts of the form.
        faults: what is wrong with them.
    """

    key: str
    name: str
    quantity: Decimal
    amount: Decimal
    entered_quantity: str
    entered_amount: str
    faults: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Entered:
    """What a form says.

    Attributes:
        rows: the lines. new: texts of the line to add. plan: what it asks for; ``None`` with faults.
        faults: of the whole form, by the field's name.
    """

    rows: list[LineRow]
    new: dict[str, str] = field(default_factory=dict)
    plan: dict[str, Any] | None = None
    faults: dict[str, str] = field(default_factory=dict)


def rows_of(state: InvoiceState) -> list[LineRow]:
    """The lines as the form shows them first."""
    rows = []
    for line in state.lines:
        if line.amount is None:
            continue
        quantity = line.quantity or Decimal(0)
        point = t(",", ".")
        texts = shown(quantity).replace(".", point), f"{line.amount:.2f}".replace(".", point)
        rows.append(LineRow(key_of(line), line.name, quantity, line.amount, *texts))
    return rows


def shown(value: Decimal) -> str:
    """A quantity without needless zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def read_form(form: Mapping[str, str], kind: str, state: InvoiceState, buyer: EnteredBuyer | None) -> Entered:
    """Read a form.

    Args:
        form: as sent.
        kind: of the plan.
        state: the invoice as it stands.
        buyer: entered, for a correction of the buyer; ``None`` when its form has faults.
    """
    entered = Entered(rows_of(state))
    reason = clean(form.get("reason", ""), REASON_LIMIT)
    if not reason:
        entered.faults["reason"] = t("Podaj przyczynę korekty.", "State the correction's reason.")
    when = form.get("type", "")
    if when not in set(CorrectionType):
        when = CorrectionType.CORRECTION_DAY
    if kind == LINES:
        added = _added(form, entered, state)
        lines = _lines(form, entered, needed=not added)
        if not entered.faults and lines is not None:
            entered.plan = lines_plan(lines, reason, CorrectionType(when), added)
    elif entered.faults:
        pass
    elif kind == ZERO:
        entered.plan = zero_plan(state.total, reason, CorrectionType(when))
    elif buyer is not None:
        entered.plan = buyer_plan(buyer, reason)
    return entered


def categories_of(state: InvoiceState) -> list[VatCategory]:
    """How a line that is added may be taxed: as lines of the invoice are, or by a usual rate."""
    own = [line.category for line in state.lines if line.category is not None]
    return list(dict.fromkeys((*own, VatCategory.R23, VatCategory.R8, VatCategory.R5)))


def _added(form: Mapping[str, str], entered: Entered, state: InvoiceState) -> list[Added]:
    """The line that the form adds; none when its name is empty."""
    entered.new = {name: form.get(f"new-{name}", "")[:_LONGEST] for name in ("quantity", "amount", "rate")}
    entered.new["name"] = clean(form.get("new-name", ""), NAME_LIMIT)
    if not any(entered.new[name] for name in ("name", "amount")):
        return []
    quantity, amount = number(entered.new["quantity"] or "1"), number(entered.new["amount"])
    rates = {one.value: one for one in categories_of(state)}
    is_good = quantity is not None and quantity > 0 and amount is not None and amount > 0
    if not is_good or not entered.new["name"] or entered.new["rate"] not in rates:
        entered.faults["new"] = t(
            "Dodawana pozycja wymaga nazwy, ilości, kwoty i stawki.",
            "A line to add needs a name, a quantity, an amount and a rate.",
        )
        return []
    assert quantity is not None, "checked above"
    assert amount is not None, "checked above"
    if amount != round(amount, 2):
        entered.faults["new"] = t("Kwota do grosza.", "Amounts have two decimals.")
        return []
    return [Added(entered.new["name"], quantity, amount, rates[entered.new["rate"]])]


def _lines(form: Mapping[str, str], entered: Entered, *, needed: bool) -> dict[str, Restated] | None:
    lines: dict[str, Restated] = {}
    for place, row in enumerate(entered.rows):
        row.entered_quantity = form.get(f"quantity-{place}", row.entered_quantity)[:_LONGEST]
        row.entered_amount = form.get(f"amount-{place}", row.entered_amount)[:_LONGEST]
        quantity, amount = number(row.entered_quantity), number(row.entered_amount)
        if quantity is None or amount is None:
            row.faults.append(t("Wpisz liczby, np. 2 i 49,90.", "Enter numbers, such as 2 and 49.90."))
            continue
        if amount < 0 or quantity < 0 or amount != round(amount, 2):
            row.faults.append(
                t("Bez minusów, kwota do grosza.", "No minus signs, and amounts to two decimals.")
            )
        if amount and not quantity:
            row.faults.append(
                t("Przy ilości zero kwota też musi być zero.", "With no quantity the amount is zero too.")
            )
        if (quantity, amount) != (row.quantity, row.amount):
            lines[row.key] = Restated(row.quantity, row.amount, quantity, amount)
    if any(row.faults for row in entered.rows):
        return None
    if not lines and needed and "new" not in entered.faults:
        entered.faults["lines"] = t(
            "Zmień ilość lub kwotę co najmniej jednej pozycji.", "Change at least one quantity or amount."
        )
        return None
    return lines


def number(text: str) -> Decimal | None:
    """A number as people write it: with a comma or a point, with spaces between thousands."""
    bare = "".join(text.split()).replace(",", ".")
    try:
        value = Decimal(bare)
    except InvalidOperation:
        return None
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -6 or abs(value) >= Decimal(10) ** 12:
        return None
    return value


def digest(plan: Mapping[str, Any], n: int, solves: int) -> str:
    """What tells a looked-at correction from a changed one."""
    return hashlib.sha256(json.dumps([plan, n, solves], sort_keys=True).encode()).hexdigest()[:32]
