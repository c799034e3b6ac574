"""Recorded orders become the neutral form, to the grosz."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from adapters.contract import UnreadableOrder
from adapters.registry import order_reader
from adapters.woocommerce import MappingOptions, map_order
from core.orders import (
    Coupon,
    LineKind,
    Order,
    OrderState,
    Payment,
    PaymentForm,
    PaymentKind,
    PostalAddress,
    RateTotal,
    Recipient,
    RefundRef,
    TaxIdCandidate,
    TaxShare,
)

Recording = Callable[[str], Any]

ORDERS = (
    "order_full",
    "order_created_response",
    "order_after_refunds",
    "order_meta_put",
    "order_full_refunded_by_amount",
    "order_full_refunded_by_lines",
    "order_blocks_checkout_with_nip",
    "order_net_prices_round_per_line",
    "order_net_prices_round_at_subtotal",
    "order_dp6",
    "order_eur_no_matching_rate",
)


def share(rate: str, net: str, tax: str, tax_class: str = "") -> TaxShare:
    return TaxShare(Decimal(rate), Decimal(net), Decimal(tax), tax_class, "PL")


def shares_of(order: Order) -> list[tuple[LineKind, str, tuple[TaxShare, ...]]]:
    return [(line.kind, line.name, line.shares) for line in order.lines]


def explained(order: Order) -> Decimal:
    net = sum((line.net for line in order.lines), Decimal(0))
    net -= sum((part.net for item in order.discounts for part in item.shares), Decimal(0))
    return net + sum((total.tax for total in order.rate_totals), Decimal(0))


@pytest.mark.parametrize("name", ORDERS)
def test_lines_and_rate_totals_explain_the_total(recording: Recording, name: str) -> None:
    """Every recorded order maps, and its lines, discounts and tax per rate give its total exactly."""
    order = map_order(recording(name))
    assert explained(order) == order.total
    assert order.total_tax == sum(total.tax for total in order.rate_totals)
    assert order.platform == "woocommerce"


def test_full_order(recording: Recording) -> None:
    """Three rates, coupons inside the lines, delivery, a fee and a negative fee are all told apart."""
    order = map_order(recording("order_full"))
    assert (order.id, order.number, order.currency) == ("15", "15", "PLN")
    assert (order.status, order.state) == ("processing", OrderState.PAID)
    assert order.prices_include_tax
    assert shares_of(order) == [
        (LineKind.PRODUCT, "Kubek żółty", (share("23", "106.38", "24.47"),)),
        (LineKind.PRODUCT, "Książka „Łąka”", (share("5", "25.70", "1.28", "vat-5"),)),
        (LineKind.PRODUCT, "Herbata 8%", (share("8", "63.18", "5.05", "vat-8"),)),
        (LineKind.SHIPPING, "Kurier", (share("23", "15.44", "3.55"),)),
        (LineKind.FEE, "Opłata za pobranie", (share("23", "5.00", "1.15"),)),
    ]
    mug = order.lines[0]
    assert (mug.id, mug.quantity, mug.sku) == ("1", Decimal(3), "KUB-1")
    assert (mug.net_before, mug.tax_before) == (Decimal("121.93"), Decimal("28.04"))
    assert order.total == Decimal("246.55")
    assert order.total_tax == Decimal("34.85")
    assert order.rate_totals == (
        RateTotal(Decimal(23), Decimal("28.63")),
        RateTotal(Decimal(5), Decimal("1.26")),
        RateTotal(Decimal(8), Decimal("4.96")),
    )
    assert order.coupons == (Coupon("rabat10", Decimal("26.78")), Coupon("minus15", Decimal("15.00")))
    moment = datetime(2026, 11, 24, 3, 51, 46, tzinfo=UTC)
    assert order.payments == (
        Payment(PaymentKind.GATEWAY, "bacs", "Przelew", paid_at=moment, form=PaymentForm.TRANSFER),
    )
    assert order.created_at == datetime(2026, 11, 24, 3, 51, 45, tzinfo=UTC)
    assert (order.modified_at, order.paid_at, order.completed_at) == (moment, moment, None)
    assert order.customer_note == "Proszę o fakturę"
    assert order.wants_invoice is None
    assert order.recipient is None
    assert order.buyer.person_name == "Jan Żółć"
    assert order.buyer.company == "Firma Sp. z o.o."
    assert order.buyer.address == PostalAddress("ul. Prosta 1/2", "", "00-838", "Warszawa", "MZ", "PL")
    assert order.buyer.email == "jan@example.test"
    assert order.buyer.tax_ids == (
        TaxIdCandidate("5260250274", "meta _billing_nip"),
        TaxIdCandidate("5260250274", "meta _wc_billing/fakturownia/nip"),
    )
    assert "wc_order_SNKLyCHhMNJHb" not in repr(order)


def test_negative_fee_is_split_as_the_core_splits_it(recording: Recording) -> None:
    """A fee of -4.00 with tax -0.65 becomes a discount with the net parts that its taxes imply."""
    (discount,) = map_order(recording("order_full")).discounts
    assert (discount.id, discount.name) == ("6", "Rabat lojalnościowy")
    assert set(discount.shares) == {
        share("23", "2.35", "0.54"),
        share("8", "1.17", "0.09"),
        share("5", "0.48", "0.02"),
    }
    assert discount.gross == Decimal("4.65")


def test_negative_fee_at_one_rate(recording: Recording) -> None:
    """A plugin's negative fee that bears the tax of one rate only is taken at that rate."""
    data = recording("order_full")
    data["fee_lines"][1] |= {"total_tax": "-0.92", "taxes": [{"id": 1, "total": "-0.92", "subtotal": ""}]}
    (discount,) = map_order(data).discounts
    assert discount.shares == (share("23", "4.00", "0.92"),)


def test_untaxed_negative_fee(recording: Recording) -> None:
    """A fee that lowers no tax is a discount without a rate; what that means is for the merchant to say."""
    data = recording("order_full")
    data["fee_lines"][1] |= {"total_tax": "0.00", "taxes": []}
    data["total_tax"] = "35.50"
    (discount,) = map_order(data).discounts
    assert discount.shares == (TaxShare(None, Decimal("4.00"), Decimal("0.00")),)


@pytest.mark.parametrize("taxes", [[("1", "-0.54")], [("1", "-0.30"), ("2", "-0.33"), ("3", "-0.02")]])
def test_unexplained_negative_fee(recording: Recording, taxes: list[tuple[str, str]]) -> None:
    """A negative fee whose taxes fit no proportion is not guessed."""
    data = recording("order_full")
    total = sum((Decimal(tax) for _, tax in taxes), Decimal("0.00"))
    data["fee_lines"][1] |= {
        "total_tax": str(total),
        "taxes": [{"id": rate, "total": tax, "subtotal": ""} for rate, tax in taxes],
    }
    with pytest.raises(UnreadableOrder) as caught:
        map_order(data)
    assert caught.value.path == "fee_lines[1]"


def test_rounding_at_subtotal_keeps_the_shops_tax_per_rate(recording: Recording) -> None:
    """Lines show 0.21 of tax, the shop charged 0.20: both survive, the total is what was charged."""
    order = map_order(recording("order_net_prices_round_at_subtotal"))
    assert [line.tax for line in order.lines] == [Decimal("0.09"), Decimal("0.03"), Decimal("0.09")]
    assert order.rate_totals == (RateTotal(Decimal(23), Decimal("0.20")),)
    assert order.total == Decimal("1.07")
    assert not order.prices_include_tax


def test_six_decimals_say_the_same(recording: Recording) -> None:
    """An order read with dp=6 maps to the same order as one read with two decimals."""
    assert map_order(recording("order_dp6")) == map_order(recording("order_net_prices_round_per_line"))


def test_block_checkout(recording: Recording) -> None:
    """The checkout block's fields give tax number candidates, the wish for an invoice, cash on delivery."""
    order = map_order(recording("order_blocks_checkout_with_nip"))
    assert order.buyer.tax_ids == (
        TaxIdCandidate("676-000-00-00", "meta _wc_billing/sklep/nip"),
        TaxIdCandidate("676-000-00-00", "meta _wc_shipping/sklep/nip"),
        TaxIdCandidate("PL6760000000", "meta _wc_other/sklep/nip-kontakt", free_text=True),
    )
    assert order.wants_invoice is True
    assert not order.is_paid
    assert not order.buyer.tax_exempt
    assert order.payments == (Payment(PaymentKind.GATEWAY, "cod", "Cash on delivery"),)
    assert order.total == Decimal("151.99")


def test_foreign_currency(recording: Recording) -> None:
    """A euro order keeps its currency and the rate that was really charged to a German buyer."""
    order = map_order(recording("order_eur_no_matching_rate"))
    assert (order.currency, order.total, order.buyer.address.country) == ("EUR", Decimal("3.70"), "DE")
    assert order.lines[0].shares == (share("23", "3.01", "0.69"),)


def test_refunds_named_by_the_order(recording: Recording) -> None:
    """The order's own list of refunds comes with positive amounts."""
    order = map_order(recording("order_after_refunds"))
    assert order.refunds == (
        RefundRef("18", Decimal("10.00"), "kwota"),
        RefundRef("16", Decimal("43.62"), "Zwrot 1 szt."),
        RefundRef("17", Decimal("19.00"), "tylko wysylka"),
    )
    assert map_order(recording("order_full_refunded_by_amount")).state is OrderState.REFUNDED


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("pending", OrderState.PENDING),
        ("on-hold", OrderState.PENDING),
        ("processing", OrderState.PAID),
        ("completed", OrderState.COMPLETED),
        ("refunded", OrderState.REFUNDED),
        ("cancelled", OrderState.CANCELLED),
        ("failed", OrderState.FAILED),
        ("trash", OrderState.CANCELLED),
        ("checkout-draft", OrderState.PENDING),
        ("w-paczkomacie", OrderState.PENDING),
    ],
)
def test_states(recording: Recording, status: str, state: OrderState) -> None:
    """Each status has its neutral state; an unknown one is pending and keeps its own word."""
    order = map_order(recording("order_full") | {"status": status})
    assert (order.status, order.state) == (status, state)


def test_merchants_own_statuses(recording: Recording) -> None:
    """A status that the merchant calls paid is paid, with or without the wc- prefix."""
    config = {"paid_statuses": "wc-shipped, packed", "completed_statuses": "done"}
    by_config = order_reader("woocommerce", config)
    for status, state in (
        ("shipped", OrderState.PAID),
        ("packed", OrderState.PAID),
        ("done", OrderState.COMPLETED),
    ):
        assert by_config(json.dumps(recording("order_full") | {"status": status}).encode()).state is state


def test_rates_are_exact(recording: Recording) -> None:
    """A percentage written as a whole number, a float or a text gives the same exact decimal."""
    for percent, expected in ((23, "23"), (7.7, "7.7"), ("23.0000", "23"), (Decimal("5.50"), "5.5")):
        data = recording("order_eur_no_matching_rate")
        data["tax_lines"][0]["rate_percent"] = percent
        assert str(map_order(data).lines[0].shares[0].rate) == expected


def test_line_without_taxes_keeps_its_class(recording: Recording) -> None:
    """A line that no rate matched carries no rate and its tax class, which the merchant maps."""
    data = recording("order_eur_no_matching_rate")
    data["line_items"][0] |= {"taxes": [], "total_tax": "0.00", "tax_class": "zero-rate"}
    data |= {"tax_lines": [], "total": "3.01", "total_tax": "0.00"}
    assert map_order(data).lines[0].shares == (TaxShare(None, Decimal("3.01"), Decimal("0.00"), "zero-rate"),)


def test_shipping_with_two_rates_is_split(recording: Recording) -> None:
    """Delivery that bears two rates is split by the bases that its taxes imply."""
    data = recording("order_full")
    data["shipping_lines"][0] |= {
        "total": "30.00",
        "total_tax": "5.40",
        "taxes": [
            {"id": 1, "total": "4.60", "subtotal": ""},
            {"id": 2, "total": "0.80", "subtotal": ""},
            {"id": 3, "total": "", "subtotal": ""},
        ],
    }
    data["fee_lines"] = []
    assert map_order(data).lines[3].shares == (share("23", "20.00", "4.60"), share("8", "10.00", "0.80"))


def test_taxes_upon_taxes_are_not_guessed(recording: Recording) -> None:
    """Two rates on one and the same base cannot be split."""
    data = recording("order_full")
    data["line_items"][0] |= {
        "total": "100.00",
        "total_tax": "31.00",
        "taxes": [{"id": 1, "total": "23.00"}, {"id": 2, "total": "8.00"}],
    }
    with pytest.raises(UnreadableOrder) as caught:
        map_order(data)
    assert caught.value.path == "line_items[0].taxes"


def test_free_delivery_is_no_line(recording: Recording) -> None:
    """Delivery for nothing is not charged, but its name is kept."""
    data = recording("order_eur_no_matching_rate")
    data["shipping_lines"] = [
        {"id": 9, "method_title": "Darmowa wysyłka", "total": "0.00", "total_tax": "0.00", "taxes": []}
    ]
    order = map_order(data)
    assert [line.kind for line in order.lines] == [LineKind.PRODUCT]
    assert order.extra["shipping_method"] == "Darmowa wysyłka"


GIFT_CARDS: tuple[dict[str, Any], ...] = (
    {"gift_cards": [{"id": 1, "code": "AAAA-BBBB", "amount": "46.55"}]},
    {"meta_data": [{"id": 5, "key": "_ywgc_applied_gift_cards", "value": {"AAAA-BBBB": 46.55}}]},
)


@pytest.mark.parametrize("extra", GIFT_CARDS)
def test_gift_card_is_a_payment(recording: Recording, extra: dict[str, Any]) -> None:
    """A gift card lowers what the gateway took, never the invoice, and its code is not kept."""
    order = map_order(recording("order_full") | {"total": "200.00"} | extra)
    assert order.total == Decimal("246.55")
    assert [(payment.kind, payment.amount) for payment in order.payments] == [
        (PaymentKind.GIFT_CARD, Decimal("46.55")),
        (PaymentKind.GATEWAY, Decimal("200.00")),
    ]
    assert "AAAA" not in repr(order)


def test_gift_card_that_explains_nothing(recording: Recording) -> None:
    """A gift card whose amount does not close the gap between lines and total is not guessed."""
    data = recording("order_full") | {"total": "200.00", "gift_cards": [{"code": "X", "amount": "10.00"}]}
    with pytest.raises(UnreadableOrder) as caught:
        map_order(data)
    assert caught.value.path == "total"


def test_recipient_language_exemption(recording: Recording) -> None:
    """Another delivery address is the recipient; language and exemption come from metadata."""
    data = recording("order_full")
    data["shipping"] |= {"first_name": "Anna", "last_name": "Nowak", "company": "", "address_1": "Długa 5"}
    data["meta_data"] += [
        {"id": 90, "key": "wpml_language", "value": "en_US"},
        {"id": 91, "key": "is_vat_exempt", "value": "yes"},
    ]
    order = map_order(data)
    assert order.recipient == Recipient(
        "Anna Nowak", "", PostalAddress("Długa 5", "", "00-838", "Warszawa", "MZ", "PL")
    )
    assert (order.buyer.language, order.buyer.tax_exempt) == ("en", True)


def test_tax_id_order_of_trust(recording: Recording) -> None:
    """The merchant's field comes first, then known keys in their order, then lookalikes, last free texts."""
    data = recording("order_full")
    data["billing"] |= {"company": "Firma, NIP: 701-000-10-00", "vat_number": "PL5265877635"}
    data["meta_data"] = [
        {"id": 1, "key": "_moja_nip", "value": "1"},
        {"id": 2, "key": "nip", "value": 5260250274},
        {"id": 3, "key": "_billing_nip", "value": ""},
        {"id": 4, "key": "_billing_vat_number", "value": "2"},
        {"id": 5, "key": "_firma/dane", "value": "3"},
        {"id": 6, "key": "_vat_paid", "value": "yes"},
        {"id": 7, "key": "_list_nip", "value": ["4"]},
    ]
    order = map_order(data, MappingOptions(tax_id_fields=("_firma/dane", "vat_number")))
    assert order.buyer.tax_ids == (
        TaxIdCandidate("3", "meta _firma/dane"),
        TaxIdCandidate("PL5265877635", "billing vat_number"),
        TaxIdCandidate("2", "meta _billing_vat_number"),
        TaxIdCandidate("5260250274", "meta nip"),
        TaxIdCandidate("1", "meta _moja_nip"),
        TaxIdCandidate("701-000-10-00", "billing company", free_text=True),
    )


@pytest.mark.parametrize(
    ("key", "value", "answer"),
    [
        ("_billing_invoice_ask", "1", True),
        ("_want_invoice", "no", False),
        ("_wc_other/sklep/faktura", "", False),
        ("_wc_other/sklep/want-invoice", True, True),
        ("_wc_additional/sklep/faktura-vat", "yes", True),
        ("_billing_want_invoice", "maybe", None),
        ("_faktura_pdf", "1", None),
    ],
)
def test_wish_for_an_invoice(recording: Recording, key: str, value: object, answer: bool | None) -> None:
    """Known checkboxes are read, other fields with a similar name are not."""
    data = recording("order_full")
    data["meta_data"] = [{"id": 1, "key": key, "value": value}]
    assert map_order(data).wants_invoice is answer


def test_html_and_control_characters_leave_names(recording: Recording) -> None:
    """Names are plain text that an XML document can hold."""
    data = recording("order_eur_no_matching_rate")
    data["line_items"][0]["name"] = "Kubek &amp; <b>talerz</b>\u0001 x\ud800"
    assert map_order(data).lines[0].name == "Kubek & talerz x"


def test_empty_order_is_no_order(recording: Recording) -> None:
    """An order without a charged line cannot become an invoice."""
    data = recording("order_eur_no_matching_rate") | {"line_items": []}
    with pytest.raises(UnreadableOrder) as caught:
        map_order(data)
    assert caught.value.path == "line_items"


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("total", "-1.00"),
        ("total", "NaN"),
        ("total", "1.005"),
        ("total", 246.55),
        ("total", None),
        ("total", True),
        ("total_tax", "Infinity"),
        ("currency", "zł"),
        ("prices_include_tax", "yes"),
        ("date_created_gmt", "yesterday"),
        ("date_modified_gmt", None),
        ("id", 0),
        ("id", "15; DROP"),
        ("billing", "Jan"),
        ("status", 7),
        ("line_items", {"0": {}}),
        ("line_items[0].quantity", "NaN"),
        ("line_items[0].quantity", -1),
        ("line_items[0].total", "-5.00"),
        ("line_items[0].total", "1e3"),
        ("line_items[0].taxes", "x"),
        ("line_items[0].total_tax", "99.00"),
        ("tax_lines[0].rate_percent", None),
        ("tax_lines[0].rate_percent", "a lot"),
        ("tax_lines[0].rate_percent", 230),
        ("meta_data", "x"),
    ],
)
def test_wrong_values_are_named(recording: Recording, place: str, value: object) -> None:
    """Each wrong value is refused with its own path."""
    data = recording("order_full")
    target: Any = data
    parts = place.replace("[", ".").replace("]", "").split(".")
    for part in parts[:-1]:
        target = target[int(part) if part.isdigit() else part]
    target[parts[-1]] = value
    with pytest.raises(UnreadableOrder) as caught:
        map_order(data)
    assert caught.value.path == place


def test_rate_without_tax_line(recording: Recording) -> None:
    """A line that refers to a rate the order does not list has no percentage, and is refused."""
    data = recording("order_full")
    del data["tax_lines"][1]
    with pytest.raises(UnreadableOrder) as caught:
        map_order(data)
    assert caught.value.path == "line_items[1].taxes[0].id"


@pytest.mark.parametrize("data", [None, [], {}, "order", 5, {"code": "x", "message": "y"}])
def test_no_order_at_all(data: object) -> None:
    """Whatever is no order says so."""
    with pytest.raises(UnreadableOrder):
        map_order(data)
