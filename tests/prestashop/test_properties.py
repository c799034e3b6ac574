"""Orders counted as the shop counts them always map, and become invoices of exactly what was paid."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from decimal import Decimal as D

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.prestashop import Bundle, map_order, map_refunds
from adapters.prestashop.mapping.resource import Resource
from core.fa import registry
from core.fa.validate import check_built
from core.fa.write import write
from core.invoices.corrections.policy import CorrectionPolicy
from core.invoices.corrections.refunds import correct
from core.invoices.corrections.state import state_of
from core.invoices.from_order import draft
from core.invoices.policy import InvoicePolicy
from tests.invoices.orders import MOMENT, SELLER
from tests.prestashop.bundles import recorded

DAY = date(2026, 11, 24)
TAX_IDS = {23: "1", 8: "2", 5: "3"}
TEMPLATE = recorded("o1")


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(D("0.01"), ROUND_HALF_UP)


def six(amount: Decimal) -> str:
    return str(amount.quantize(D("0.000001"), ROUND_HALF_UP))


@dataclass(frozen=True)
class Item:
    gross: Decimal
    rate: int
    quantity: int

    @property
    def net_price(self) -> Decimal:
        return D(six(self.gross * 100 / (100 + self.rate)))

    def totals(self, round_type: int) -> tuple[Decimal, Decimal]:
        """Gross and net of the line: 1 rounds the unit, 2 the line, 3 neither."""
        found = []
        for price in (D(six(self.net_price * (100 + self.rate) / 100)), self.net_price):
            if round_type == 1:
                found.append(cents(price) * self.quantity)
            else:
                found.append(cents(price * self.quantity) if round_type == 2 else price * self.quantity)
        return found[0], found[1]


ITEMS = st.lists(
    st.builds(
        Item,
        gross=st.integers(100, 50_000).map(lambda grosze: D(grosze) / 100),
        rate=st.sampled_from(sorted(TAX_IDS)),
        quantity=st.integers(1, 12),
    ),
    min_size=1,
    max_size=6,
)


def detail(number: int, item: Item, round_type: int) -> Resource:
    gross, net = item.totals(round_type)
    fields = {
        "id": str(number),
        "id_order": "10",
        "product_name": f"Towar {number}",
        "product_quantity": str(item.quantity),
        "original_product_price": six(item.net_price),
        "unit_price_tax_excl": six(item.net_price),
        "total_price_tax_incl": six(gross),
        "total_price_tax_excl": six(net),
        "id_tax_rules_group": TAX_IDS[item.rate],
    }
    return Resource("order_detail", fields, {"taxes": (Resource("tax", {"id": TAX_IDS[item.rate]}),)})


def rule(number: int, gross: Decimal, net: Decimal, *, free_shipping: bool = False) -> Resource:
    fields = {
        "id": str(number),
        "id_order": "10",
        "name": f"RABAT{number}",
        "value": six(gross),
        "value_tax_excl": six(net),
        "free_shipping": "1" if free_shipping else "0",
    }
    return Resource("order_cart_rule", fields)


@st.composite
def orders(draw: st.DrawFn) -> Bundle:
    """An order with a percentage, a fixed amount and free delivery, each of which may be missing."""
    items, round_type = draw(ITEMS), draw(st.integers(1, 3))
    totals = [one.totals(round_type) for one in items]
    gross, net = (cents(sum((one[index] for one in totals), D(0))) for index in (0, 1))
    shipping, shipping_net = D("8.61"), D("7.00")
    rules: list[Resource] = []
    percent = D(draw(st.sampled_from((0, 5, 10, 33)))) / 100
    if percent:
        rules.append(rule(1, gross * percent, net * percent))
    fixed = min(D(draw(st.sampled_from((0, 5, 15)))), cents(gross / 2))
    if fixed:
        rules.append(rule(2, fixed, fixed * net / gross))
    if draw(st.booleans()):
        rules.append(rule(3, shipping, shipping_net, free_shipping=True))
    off = cents(sum((D(one.fields["value"]) for one in rules), D(0)))
    off_net = cents(sum((D(one.fields["value_tax_excl"]) for one in rules), D(0)))
    sums = {
        "total_products_wt": gross,
        "total_products": net,
        "total_discounts_tax_incl": off,
        "total_discounts_tax_excl": off_net,
        "total_shipping_tax_incl": shipping,
        "total_shipping_tax_excl": shipping_net,
        "total_paid_tax_incl": gross + shipping - off,
        "total_paid_tax_excl": net + shipping_net - off_net,
    }
    fields = dict(TEMPLATE.order.fields) | {key: six(amount) for key, amount in sums.items()}
    fields["round_type"] = str(round_type)
    kinds = {"order_detail", "order_cart_rule", "order"}
    shared = [one for kind, found in TEMPLATE.others.items() if kind not in kinds for one in found.values()]
    details = [detail(number, item, round_type) for number, item in enumerate(items, 1)]
    return Bundle.of([replace(TEMPLATE.order, fields=fields), *shared, *details, *rules])


@settings(max_examples=200, deadline=None)
@given(orders())
def test_the_invoice_is_what_was_paid(bundle: Bundle) -> None:
    """No question is asked, P_15 is the shop's total, and the rules of the document find nothing."""
    order = map_order(bundle)
    invoice = draft(order, SELLER, InvoicePolicy()).issue("FV/1", DAY, MOMENT)
    assert invoice.total == D(bundle.order.fields["total_paid_tax_incl"])
    assert order.prices_include_tax
    declared = registry.schema_for("FA3")
    assert check_built(invoice, write(invoice, declared), declared, DAY) == []


@settings(max_examples=100, deadline=None)
@given(orders(), st.data())
def test_a_unit_back_is_a_correction_of_its_price(bundle: Bundle, data: st.DataObject) -> None:
    """A slip over whole units, without discounts, is a correction of its amount that lowers the quantity."""
    order = map_order(bundle)
    detail = data.draw(st.sampled_from(bundle.details()))
    sold = int(detail.fields["product_quantity"])
    units = data.draw(st.integers(1, sold))
    gross = cents(D(detail.fields["total_price_tax_incl"]) * units / sold)
    net = cents(D(detail.fields["total_price_tax_excl"]) * units / sold)
    row = {"id": "1", "id_order_detail": detail.id, "product_quantity": str(units)}
    slip = Resource(
        "order_slip",
        {
            "id": "1",
            "id_order": "10",
            "amount": six(gross),
            "total_products_tax_incl": six(gross),
            "total_products_tax_excl": six(net),
            "date_add": "2026-11-24 04:41:16",
        },
        {
            "order_slip_details": (
                Resource(
                    "order_slip_detail", {**row, "amount_tax_incl": six(gross), "amount_tax_excl": six(net)}
                ),
            )
        },
    )
    everything = [one for found in bundle.others.values() for one in found.values()]
    (refund,) = map_refunds(Bundle.of([bundle.order, *everything, slip]), order)
    assert (refund.amount, refund.lines[0].quantity) == (gross, D(units))
    if order.discounts:
        return  # the slip gives back more than was paid, which may be more than is left
    state = state_of(draft(order, SELLER, InvoicePolicy()).issue("FV/1", DAY, MOMENT), "")
    prepared, proof = correct(state, refund, CorrectionPolicy())
    assert proof.holds, proof.as_text("en")
    correction = prepared.issue("KOR/1", DAY, MOMENT)
    assert correction.total == -gross
    (after,) = [one for one in correction.lines if not one.before]
    assert after.quantity == sold - units
