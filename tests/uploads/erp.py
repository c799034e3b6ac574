"""Invoices as another program (an ERP) would export them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from core.fa import registry
from core.fa.write import write
from core.invoices.corrections.others import to_zero
from core.invoices.corrections.policy import CorrectionPolicy
from core.invoices.corrections.state import state_of
from core.invoices.from_order import draft
from core.invoices.model import Invoice, OrderReference, TransactionTerms
from core.invoices.policy import InvoicePolicy
from tests.invoices.orders import SELLER, line, order

DAY = date(2026, 11, 24)
MADE = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


def invoice(
    number: str = "ERP/7/2026", day: date = DAY, *, names: str = "", nip: str = SELLER.seller.nip
) -> Invoice:
    """A right invoice.

    Args:
        number: P_2. day: P_1. names: number of the order that it names; empty for none. nip: Podmiot1.
    """
    made = draft(order(line("100.00", "23.00")), SELLER, InvoicePolicy()).issue(number, day, MADE)
    terms = TransactionTerms(orders=(OrderReference(names, day),)) if names else None
    return replace(made, terms=terms, system="ERP 9", seller=replace(made.seller, nip=nip), sold_on=None)


def xml(made: Invoice | None = None, version: str = "FA3") -> bytes:
    """An invoice as bytes."""
    return write(made or invoice(), registry.schema_for(version))


def correction(number: str, of: Invoice, ksef_number: str) -> bytes:
    """A correction to zero of an invoice that KSeF has."""
    made = to_zero(state_of(of, ksef_number), "Zwrot", CorrectionPolicy())
    return xml(replace(made.issue(number, DAY, MADE), system="ERP 9"))
