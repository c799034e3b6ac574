"""Recorded credit slips become the neutral form."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal as D

import pytest

from adapters.contract import UnreadableOrder
from adapters.prestashop import map_order, map_refunds
from core.orders import LineKind, Refund, TaxShare
from tests.prestashop.bundles import Edit, field, recorded

AT_23 = "1"


def refunds(name: str, edit: Edit | None = None) -> tuple[Refund, ...]:
    bundle = recorded(name, slips=True, edit=edit)
    return map_refunds(bundle, map_order(bundle))


def share(net: str, tax: str) -> tuple[TaxShare, ...]:
    return (TaxShare(D(23), D(net), D(tax), AT_23, "PL"),)


def test_a_piece_and_part_of_the_delivery() -> None:
    """49.989999 is a whole mug, so one came back; 5.00 of the delivery goes with it."""
    (refund,) = refunds("o1")
    assert (refund.platform, refund.id, refund.order_id) == ("prestashop", "6", "10")
    assert (refund.amount, refund.currency) == (D("54.99"), "PLN")
    assert refund.created_at == refund.modified_at == datetime(2026, 11, 24, 3, 41, 16, tzinfo=UTC)
    mug, delivery = refund.lines
    assert (mug.id, mug.kind, mug.name, mug.quantity) == ("16", LineKind.PRODUCT, "Kubek zolty", D(1))
    assert mug.shares == share("40.64", "9.35")
    assert (delivery.id, delivery.kind) == ("shipping", LineKind.SHIPPING)
    assert delivery.shares == share("4.07", "0.93")


def test_the_delivery_only() -> None:
    """A slip without details gives back the delivery."""
    refund = refunds("o4")[0]
    assert refund.amount == D("8.61")
    assert [(one.kind, one.shares) for one in refund.lines] == [(LineKind.SHIPPING, share("7.00", "1.61"))]


def test_ten_zloty_of_a_mug_bring_no_mug_back() -> None:
    """The shop asks for a quantity of one even for a price cut; the amount tells that nothing came back."""
    refund = refunds("o4")[1]
    assert refund.amount == D("10.00")
    (mug,) = refund.lines
    assert (mug.id, mug.quantity, mug.shares) == ("22", D(0), share("8.13", "1.87"))


def test_excluding_the_voucher() -> None:
    """Only the net sum says that 8.61 was held back; the lines stay as stated, so that the two differ."""
    refund = refunds("o2")[1]
    assert (refund.id, refund.amount) == ("10", D("41.38"))
    assert [one.gross for one in refund.lines] == [D("49.99")]


def test_a_chosen_amount() -> None:
    """A slip of type 2 over another amount than its lines gave back that amount."""
    slip = field("order_slip", "6", "amount", "30.000000")
    (refund,) = refunds("o1", slip)
    assert refund.amount == D("35.00")
    assert sum(one.gross for one in refund.lines) == D("54.99")


def test_partial_is_not_looked_at() -> None:
    """The shop writes 0 for partial refunds too."""
    assert refunds("o1", field("order_slip", "6", "partial", "1")) == refunds("o1")


def test_a_product_that_the_order_does_not_name() -> None:
    """It stays a line under its id, which no invoice knows."""
    (mug, _) = refunds("o1", field("order_slip_detail", "6", "id_order_detail", "999"))[0].lines
    assert (mug.id, mug.quantity) == ("999", D(0))
    assert mug.shares == (TaxShare(None, D("40.64"), D("9.35")),)


def test_no_slips() -> None:
    """The state Refunded alone made none."""
    assert refunds("o3") == ()


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (field("order_slip", "6", "total_products_tax_incl", "x"), "order_slip[6].total_products_tax_incl"),
        (field("order_slip", "6", "total_shipping_tax_incl", "-5"), "order_slip[6].total_shipping_tax_incl"),
        (field("order_slip", "6", "total_shipping_tax_excl", "6"), "order_slip[6].total_shipping_tax_excl"),
        (field("order_slip", "6", "date_add", ""), "order_slip[6].date_add"),
        (field("order_slip_detail", "6", "product_quantity", ""), "order_slip_detail[6].product_quantity"),
        (
            field("order_slip_detail", "6", "amount_tax_excl", "60"),
            "order_slip[6].associations.order_slip_details",
        ),
    ],
)
def test_malformed(change: Edit, path: str) -> None:
    """A slip that contradicts its contract is refused with a path."""
    with pytest.raises(UnreadableOrder) as caught:
        refunds("o1", change)
    assert caught.value.path == path
