"""Orders become documents which the Ministry's schema accepts, or ask a person the right question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest

from adapters.shopify import map_order, map_refund
from core.fa import registry, schema
from core.fa.validate import check_built
from core.fa.write import write
from core.invoices.attention import NeedsAttention
from core.invoices.corrections.policy import AmountOnly, CorrectionPolicy
from core.invoices.corrections.refunds import correct
from core.invoices.corrections.state import state_of
from core.invoices.from_order import draft
from core.invoices.model import Invoice, VatCategory
from core.invoices.policy import ExchangeRate, InvoicePolicy
from core.orders import Order
from sandbox.shopify import shapes, shop_of
from sandbox.shopify.shapes import Json, line, money, order, shipping, tax, transaction
from tests.invoices.orders import MOMENT, SELLER

DAY = date(2026, 11, 24)
KSEF_NUMBER = "5265877635-20261124-0100001AF629-00"
POLICY = InvoicePolicy(
    tax_classes={"none": VatCategory.ZERO, "not-taxable": VatCategory.ZERO},
    exchange_rates={"EUR": ExchangeRate("EUR", D("4.25"))},
)
COUNT = 150


def invoice_of(found: Order, policy: InvoicePolicy = POLICY) -> Invoice:
    return draft(found, SELLER, policy).issue("FV/2026/11/0001", DAY, MOMENT)


def reasons(found: Order, policy: InvoicePolicy = POLICY) -> list[str]:
    with pytest.raises(NeedsAttention) as caught:
        invoice_of(found, policy)
    return [one.code for one in caught.value.reasons]


def assert_accepted(invoice: Invoice, official: Path) -> None:
    declared = registry.SCHEMAS[-1]
    data = write(invoice, declared)
    assert check_built(invoice, data, declared, DAY) == []
    assert schema.check(schema.parse(data), declared, official / "schemas") == []


def without_refunds(data: Json) -> Json:
    """As it was when the invoice was made."""
    status = (
        "PAID" if data["displayFinancialStatus"] == "PARTIALLY_REFUNDED" else data["displayFinancialStatus"]
    )
    return data | {"refunds": [], "displayFinancialStatus": status}


def generated() -> Iterator[Json]:
    return iter(shop_of(11, COUNT))


def test_every_generated_order_becomes_a_valid_document(official_ksef: Path) -> None:
    """P_15 is what the buyer was charged, to the grosz, whatever the shop's prices and currencies are."""
    kinds: Counter[str] = Counter()
    for data in generated():
        found = map_order(without_refunds(data))
        invoice = invoice_of(found)
        charged = D(data["totalPriceSet"]["presentmentMoney"]["amount"])
        assert invoice.total == charged, data["name"]
        assert_accepted(invoice, official_ksef)
        kinds[f"{invoice.currency} {found.prices_include_tax}"] += 1
        kinds[invoice.buyer.tax_id.kind.name] += 1
    # nothing is proved about what never came
    assert min(kinds["PLN True"], kinds["PLN False"], kinds["EUR True"], kinds["NIP"], kinds["NONE"]) > 2


def test_every_generated_refund_becomes_a_correction(official_ksef: Path) -> None:
    """The correction is the money that went back, to the grosz; what moved none makes none."""
    corrections = CorrectionPolicy(amount_only=AmountOnly.SPREAD)
    made: Counter[str] = Counter()
    for data in generated():
        found = map_order(without_refunds(data))
        for one in data["refunds"]:
            refund = map_refund(one, found)
            if not refund.amount:
                made["nothing"] += 1
                continue
            state = state_of(invoice_of(found), KSEF_NUMBER)
            correction, proof = correct(state, refund, corrections)
            assert proof.corrected == refund.amount == proof.refunded
            invoice = correction.issue("KOR/2026/11/0001", DAY, MOMENT)
            assert_accepted(invoice, official_ksef)
            made["amount" if refund.is_amount_only else "lines"] += 1
    assert min(made["nothing"], made["amount"], made["lines"]) > 2


def test_invoice_of_a_company(official_ksef: Path) -> None:
    """Discount, delivery, gift card and NIP from an attribute, in one document."""
    item = line(1, "246.00", tax("23", "41.40"), quantity=2, discountAllocations=[shapes.discount("24.60")])
    data = order(
        15,
        [item, line(2, "105.00", tax("5", "5.00"))],
        "338.70",
        "48.70",
        name="#1015",
        taxLines=[tax("23", "43.70"), tax("5", "5.00")],
        shippingLines=[shipping(3, "12.30", tax("23", "2.30"))],
        customAttributes=[{"key": "NIP", "value": "526-025-02-74"}],
        billingAddress=shapes.address(company="Nabywca S.A."),
        transactions=[transaction(1, "38.70", gateway="gift_card"), transaction(2, "300.00")],
    )
    invoice = invoice_of(map_order(data))
    assert (invoice.buyer.tax_id.value, invoice.buyer.name) == ("5260250274", "Nabywca S.A.")
    assert [(one.name, one.quantity, one.gross_amount) for one in invoice.lines] == [
        ("Towar 1", D(2), D("221.40")),
        ("Towar 2", D(1), D("105.00")),
        ("Kurier", D(1), D("12.30")),
    ]
    assert invoice.total == D("338.70")
    assert invoice.payment is not None
    assert [one.amount for one in invoice.payment.part_payments] == [D("38.70"), D("300.00")]
    assert invoice.terms is not None
    assert invoice.terms.orders[0].number == "#1015"
    assert_accepted(invoice, official_ksef)


def one_line(*taxes: Json, **changes: Any) -> Order:
    charged = sum((D(one["priceSet"]["shopMoney"]["amount"]) for one in taxes), D("0.00"))
    item = line(1, "100.00", *taxes, **changes.pop("item", {}))
    return map_order(order(1, [item], changes.pop("total", "100.00"), charged, **changes))


@pytest.mark.parametrize(
    ("found", "codes"),
    [
        (one_line(), ["tax-treatment-unknown"]),
        (one_line(item={"taxable": False}), ["tax-treatment-unknown"]),
        (one_line(tax("23", "18.70", channel_liable=True)), ["tax-treatment-unknown"]),
        (one_line(tax("19", "15.97")), ["tax-treatment-unknown"]),
        (one_line(tax("23", "10.00")), ["line-tax-differs"]),
        (one_line(tax("23", "18.70"), total="110.00"), ["sums-differ"]),
        (one_line(item={"isGiftCard": True}), ["voucher-sold"]),
        (
            one_line(tax("23", "18.70"), totalTipReceivedSet=money("5.00"), total="105.00"),
            ["tax-treatment-unknown"],
        ),
        (one_line(tax("23", "18.70"), refunds=[shapes.refund(1, "10.00")]), ["refunded-before-invoice"]),
    ],
)
def test_questions(found: Order, codes: list[str]) -> None:
    """What the shop does not tell is asked, never guessed."""
    asked = reasons(found, InvoicePolicy())
    assert asked == codes
