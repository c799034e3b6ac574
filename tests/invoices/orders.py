"""Building small orders for tests of the invoice engine."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal as D
from typing import Any

from core.invoices.model import Address, Issuer, Seller
from core.orders import (
    Buyer,
    LineKind,
    Order,
    OrderLine,
    OrderState,
    PostalAddress,
    TaxIdCandidate,
    TaxShare,
)

MOMENT = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
SELLER = Issuer(
    Seller("5265877635", "Sklep Testowy sp. z o.o.", Address("PL", "ul. Przykładowa 1", "00-001 Warszawa"))
)
HOME = PostalAddress("ul. Prosta 1", "", "00-838", "Warszawa", "", "PL")
COMPANY = Buyer(
    company="Nabywca S.A.", address=HOME, tax_ids=(TaxIdCandidate("526-025-02-74", "meta _billing_nip"),)
)
CONSUMER = Buyer(first_name="Test", last_name="Testowy", address=HOME)


def line(
    net: str,
    tax: str,
    rate: str | None = "23",
    *,
    id: str = "1",  # noqa: A002
    quantity: str = "1",
    tax_class: str = "",
    kind: LineKind = LineKind.PRODUCT,
    name: str = "Towar",
    before: tuple[str, str] | None = None,
) -> OrderLine:
    """One line with one tax share; ``before`` is net and tax before discounts."""
    return OrderLine(
        id=id,
        kind=kind,
        name=name,
        quantity=D(quantity),
        shares=(TaxShare(D(rate) if rate is not None else None, D(net), D(tax), tax_class),),
        net_before=D(before[0]) if before else None,
        tax_before=D(before[1]) if before else None,
    )


def order(*lines: OrderLine, total: str | None = None, gross: bool = True, **changes: Any) -> Order:
    """A paid order in PLN of a company, whose total is the sum of its lines unless told otherwise."""
    values: dict[str, Any] = {
        "platform": "test",
        "id": "1",
        "number": "1001",
        "status": "processing",
        "state": OrderState.PAID,
        "currency": "PLN",
        "prices_include_tax": gross,
        "lines": lines,
        "total": D(total) if total is not None else sum((one.gross for one in lines), D("0.00")),
        "buyer": COMPANY,
        "created_at": MOMENT,
        "modified_at": MOMENT,
        "paid_at": MOMENT,
    }
    return Order(**(values | changes))
