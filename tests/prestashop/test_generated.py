"""Generated shops: orders counted as PrestaShop counts become documents of exactly what was paid."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from core.calendar import WARSAW
from core.fa import registry
from core.fa.validate import check_built
from core.fa.write import write
from core.findings import Severity
from core.invoices.corrections.policy import CorrectionPolicy
from core.invoices.corrections.refunds import correct
from core.invoices.corrections.state import state_of
from core.invoices.from_order import draft
from core.invoices.policy import InvoicePolicy
from core.orders import Order
from sandbox.prestashop import PrestaSandbox
from sandbox.prestashop.generate import generated
from tests.invoices.orders import MOMENT, SELLER
from tests.prestashop.conftest import Connect
from tests.woocommerce.servers import Clock

START = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)
DAY = date(2026, 11, 24)


def test_every_order_and_slip_is_what_the_shop_says(connected: Connect, clock: Clock) -> None:
    """300 orders over HTTP: totals to the grosz, valid documents, and corrections of exactly their slips."""
    made = generated(2026, 300, start=START, zone=WARSAW)
    declared = registry.schema_for("FA3")
    given_back: dict[int, Decimal] = {}
    with PrestaSandbox(made.data, clock=clock) as shop:
        adapter = connected(shop)
        for place, order in enumerate(adapter.changed_orders(None)):
            assert isinstance(order, Order), order
            # as it was invoiced before anything was given back
            sold = replace(order, refunds=())
            invoice = draft(sold, SELLER, InvoicePolicy()).issue("FV/1", DAY, MOMENT)
            assert invoice.total == order.total == made.totals[int(order.id)]
            if place % 10 == 0:
                found = check_built(invoice, write(invoice, declared), declared, DAY)
                assert [one for one in found if one.severity is not Severity.INFO] == []
            for refund in adapter.refunds(order) if order.refunds else ():
                given_back[int(order.id)] = refund.amount
                prepared, proof = correct(state_of(invoice, ""), refund, CorrectionPolicy())
                assert proof.holds, proof.as_text("en")
                assert prepared.issue("KOR/1", DAY, MOMENT).total == -refund.amount
    assert given_back == made.given_back
    assert len(given_back) > 20


def test_the_same_seed_is_the_same_shop() -> None:
    """Orders repeat, and are the same however many are made."""
    few, many = (generated(3, count, start=START, zone=WARSAW) for count in (20, 60))
    assert few.totals == {key: many.totals[key] for key in few.totals}
    assert generated(3, 20, start=START, zone=WARSAW).data == few.data
    assert generated(4, 20, start=START, zone=WARSAW).totals != few.totals
