"""What a person wants a correction to say, as it is kept with the document, and the correction made of it.

A plan names what the person saw. When the invoice has changed since, nothing is issued and a person is asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from connector_app.profiles import Profile
from connector_app.store.overrides import EnteredBuyer
from core.findings import Finding, Severity, Text
from core.invoices.attention import NeedsAttention
from core.invoices.buyers import buyer_of
from core.invoices.corrections.build import CorrectionDraft
from core.invoices.corrections.others import buyer_data, to_zero
from core.invoices.corrections.restated import Added, Restated, restate
from core.invoices.corrections.state import InvoiceState
from core.invoices.model import Address, Buyer, CorrectionType, VatCategory
from core.invoices.texts import NAME_LIMIT, clean
from core.orders import Order

LINES, ZERO, BUYER = "lines", "zero", "buyer"
"""Kinds of a plan: lines restated, everything taken back, the buyer's data."""


def lines_plan(
    lines: Mapping[str, Restated], reason: str, kind: CorrectionType, added: Sequence[Added] = ()
) -> dict[str, Any]:
    """A plan that restates lines, or adds some.

    Args:
        lines: by the line's key, see :func:`core.invoices.corrections.state.key_of`.
        reason: PrzyczynaKorekty.
        kind: TypKorekty.
        added: lines that the invoice lacks.
    """
    kept = {
        key: [f"{value:f}" for value in (one.quantity_before, one.amount_before, one.quantity, one.amount)]
        for key, one in lines.items()
    }
    more = [[one.name, f"{one.quantity:f}", f"{one.amount:f}", one.category.value] for one in added]
    return {"kind": LINES, "reason": reason, "type": kind.value, "lines": kept, "added": more}


def zero_plan(left: Decimal, reason: str, kind: CorrectionType) -> dict[str, Any]:
    """A plan that takes everything back.

    Args:
        left: total of the invoice as it stands.
        reason: PrzyczynaKorekty.
        kind: TypKorekty.
    """
    return {"kind": ZERO, "reason": reason, "type": kind.value, "left": f"{left:f}"}


def buyer_plan(buyer: EnteredBuyer, reason: str) -> dict[str, Any]:
    """A plan that corrects the buyer; with another tax number, the invoice is replaced."""
    return {"kind": BUYER, "reason": reason, "buyer": buyer.as_json()}


def planned_buyer(plan: Mapping[str, Any] | None) -> EnteredBuyer | None:
    """The buyer that a plan corrects to."""
    return EnteredBuyer(**plan["buyer"]) if plan and plan["kind"] == BUYER else None


def build_plan(
    plan: Mapping[str, Any], state: InvoiceState, order: Order | None, profile: Profile
) -> CorrectionDraft | None:
    """The correction that a plan asks for.

    Args:
        plan: as kept.
        state: the invoice as it stands, with its number in KSeF.
        order: the shop's, for checks of the buyer; ``None`` for a document of no shop.
        profile: the seller's settings.

    Returns:
        ``None`` when the tax number differs, so that the invoice has to be replaced.

    Raises:
        NeedsAttention: with every reason.
    """
    if plan["kind"] == BUYER:
        return _buyer(plan, state, order, profile)
    policy = replace(profile.corrections, type=CorrectionType(plan["type"]))
    if plan["kind"] == ZERO:
        if state.total != Decimal(plan["left"]):
            raise NeedsAttention([_stale(Decimal(plan["left"]), state)])
        return to_zero(state, plan["reason"], policy)
    lines = {key: Restated(*(Decimal(one) for one in values)) for key, values in plan["lines"].items()}
    added = [
        Added(name, Decimal(quantity), Decimal(amount), VatCategory(category))
        for name, quantity, amount, category in plan.get("added", ())
    ]
    return restate(state, lines, plan["reason"], policy, added)


def _buyer(
    plan: Mapping[str, Any], state: InvoiceState, order: Order | None, profile: Profile
) -> CorrectionDraft | None:
    right = EnteredBuyer(**plan["buyer"])
    buyer = _without_order(right, state) if order is None else _with_order(right, order, profile)
    if buyer.tax_id != state.buyer.tax_id:
        # what the replacement begins with must be possible
        to_zero(state, plan["reason"], profile.corrections)
        return None
    if (buyer.name, buyer.address) == (state.buyer.name, state.buyer.address):
        raise NeedsAttention([_same_buyer()])
    return buyer_data(state, replace(state.buyer, name=buyer.name, address=buyer.address), plan["reason"])


def _with_order(right: EnteredBuyer, order: Order, profile: Profile) -> Buyer:
    found: list[Finding] = []
    buyer, _ = buyer_of(right.apply(order), profile.seller, profile.policy, found)
    if found:
        raise NeedsAttention(found)
    return buyer


def _without_order(right: EnteredBuyer, state: InvoiceState) -> Buyer:
    """Name and address only: without an order no new invoice could be built."""
    town = " ".join(part for part in (right.postcode, right.city) if part)
    address = Address(right.country, clean(right.line1, NAME_LIMIT), clean(town, NAME_LIMIT))
    return replace(state.buyer, name=clean(right.name, NAME_LIMIT), address=address)


def sum_differs(expected: Decimal, found: Decimal, currency: str) -> Finding:
    """A correction of a refund that takes off another amount than was given back."""
    return Finding(
        "correction-is-not-the-refund",
        Severity.ERROR,
        "refund.amount",
        Text(
            f"Sklep zwrócił {-expected} {currency}, a ta korekta zmienia fakturę o {found} {currency}.",
            f"The shop gave {-expected} {currency} back, and this correction changes the invoice by {found} "
            f"{currency}.",
        ),
        Text(
            "Popraw kwoty pozycji tak, aby razem dały kwotę zwrotu.",
            "Correct the lines' amounts so that together they are the refund.",
        ),
        "art. 106j VAT act",
    )


def _stale(left: Decimal, state: InvoiceState) -> Finding:
    return Finding(
        "correction-stale",
        Severity.ERROR,
        "",
        Text(
            f"Z faktury zostawało {left}, a zostaje {state.total}: zmieniła się od wypełnienia formularza.",
            f"{left} of the invoice was left, and {state.total} is: it changed since the form was filled in.",
        ),
        Text(
            "Wycofaj tę korektę i wypełnij formularz jeszcze raz.",
            "Withdraw this correction and fill the form in once more.",
        ),
        "art. 106j VAT act",
    )


def _same_buyer() -> Finding:
    return Finding(
        "buyer-unchanged",
        Severity.ERROR,
        "buyer",
        Text(
            "Faktura ma już te dane nabywcy: nie ma czego korygować.",
            "The invoice already has these data of the buyer: there is nothing to correct.",
        ),
    )
