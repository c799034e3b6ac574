"""Invented orders in the schema's shape: what each field means for the invoice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal as D
from typing import Any

import pytest

from adapters.contract import UnreadableOrder
from adapters.shopify import MappingOptions, MoneyKind, map_order
from core.orders import LineKind, OrderState, PaymentForm, PaymentKind
from sandbox.shopify import shapes
from sandbox.shopify.shapes import Json, discount, line, money, order, shipping, tax, transaction

SIMPLE = [line(1, "123.00", tax("23", "23.00"))]


def simple(**changes: Any) -> Json:
    return order(15, SIMPLE, "123.00", "23.00", taxLines=[tax("23", "23.00")], **changes)


def test_the_plain_order() -> None:
    found = map_order(simple(name="#1015", note="Proszę szybko"))
    assert (found.platform, found.id, found.number, found.currency) == ("shopify", "15", "#1015", "PLN")
    assert (found.total, found.total_tax, found.prices_include_tax) == (D("123.00"), D("23.00"), True)
    assert [(one.rate, one.tax) for one in found.rate_totals] == [(D(23), D("23.00"))]
    (one,) = found.lines
    assert (one.id, one.kind, one.name, one.sku, one.quantity) == (
        "1",
        LineKind.PRODUCT,
        "Towar 1",
        "T-1",
        D(1),
    )
    assert [(share.rate, share.net, share.tax) for share in one.shares] == [(D(23), D("100.00"), D("23.00"))]
    assert (one.net_before, one.tax_before) == (D("100.00"), D("23.00"))
    assert found.state is OrderState.PAID
    assert found.status == "paid/unfulfilled"
    assert found.paid_at == found.created_at == datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
    assert found.customer_note == "Proszę szybko"
    assert found.buyer.language == "pl"
    assert found.recipient is None
    assert found.extra == {"source": "web"}


@pytest.mark.parametrize(
    ("included", "original", "off", "taxed", "net", "net_before"),
    [
        (True, "123.00", ["12.30"], "20.70", "90.00", "100.00"),
        (True, "123.00", ["10.00", "2.30"], "20.70", "90.00", "100.00"),
        (False, "100.00", ["10.00"], "20.70", "90.00", "100.00"),
        (True, "123.00", ["123.00"], "0.00", "0.00", "100.00"),
    ],
)
def test_discounts(
    included: bool, original: str, off: list[str], taxed: str, net: str, net_before: str
) -> None:
    """All allocations count, of codes and of the whole order; taxesIncluded says what amounts are."""
    item = line(1, original, tax("23", taxed), discountAllocations=[discount(one) for one in off])
    total = D(net) + D(taxed)
    found = map_order(order(1, [item], total, taxed, taxesIncluded=included))
    (one,) = found.lines
    assert (one.net, one.tax, one.net_before) == (D(net), D(taxed), D(net_before))
    assert one.shares[0].rate == D(23)
    assert found.prices_include_tax is included


def test_refunded_units_are_in_the_order() -> None:
    """quantity counts, currentQuantity does not: the invoice is of what was sold."""
    item = line(1, "246.00", tax("23", "46.00"), quantity=2, currentQuantity=1)
    assert map_order(order(1, [item], "246.00", "46.00")).lines[0].quantity == 2


def test_coupons_are_information() -> None:
    item = line(1, "123.00", tax("23", "20.70"), discountAllocations=[discount("12.30", 0)])
    applied = [
        {"__typename": "DiscountCodeApplication", "index": 0, "code": "JESIEN"},
        {"__typename": "ManualDiscountApplication", "index": 1, "title": "Rabat"},
    ]
    data = order(1, [item], "110.70", "20.70", discountApplications=applied)
    assert [(one.code, one.amount) for one in map_order(data).coupons] == [
        ("JESIEN", D("12.30")),
        ("Rabat", None),
    ]
    assert map_order(data).discounts == ()


@pytest.mark.parametrize(
    ("taxes", "taxable", "expected"),
    [
        ([tax("23", "23.00")], True, (D(23), "")),
        ([tax("0", "0.00")], True, (D(0), "")),
        ([], True, (None, "")),
        ([], False, (None, "not-taxable")),
        ([tax("23", "23.00", channel_liable=True)], True, (None, "channel-liable")),
        ([tax("23", "23.00"), tax("8", "0.00")], True, (D(23), "")),
        ([tax("5.5", "23.00")], True, (D("5.5"), "")),
    ],
)
def test_rates(taxes: list[Json], taxable: bool, expected: tuple[D | None, str]) -> None:
    """No rate says nothing of why; a marketplace's tax has no rate here, so that a person decides."""
    charged = sum((D(one["priceSet"]["shopMoney"]["amount"]) for one in taxes), D("0.00"))
    found = map_order(order(1, [line(1, "123.00", *taxes, taxable=taxable)], "123.00", charged))
    share = found.lines[0].shares[0]
    assert (share.rate, share.tax_class) == expected
    assert share.tax == charged


def test_rate_without_percentage() -> None:
    bare = tax("8", "7.41") | {"ratePercentage": None}
    assert map_order(order(1, [line(1, "100.00", bare)], "100.00", "7.41")).lines[0].shares[0].rate == D(8)


def test_several_taxes_on_one_amount() -> None:
    item = line(1, "113.00", tax("5", "5.00"), tax("8", "8.00"))
    with pytest.raises(UnreadableOrder, match="several taxes lie on one amount: 5 %, 8 %") as caught:
        map_order(order(1, [item], "113.00", "13.00"))
    assert caught.value.path == "lineItems.nodes[0]"


def test_delivery() -> None:
    """Several deliveries; a removed one and a free one are no lines."""
    parcels = [
        shipping(1, "24.60", tax("23", "4.60")),
        shipping(2, "10.00", tax("23", "1.87"), isRemoved=True),
        shipping(3, "15.00", tax("23", "0.00"), discountAllocations=[discount("15.00")]),
        shipping(4, "12.30", tax("23", "2.30"), id=None, title="Paczkomat"),
    ]
    found = map_order(order(1, SIMPLE, "159.90", "29.90", shippingLines=parcels))
    delivery = [one for one in found.lines if one.kind is LineKind.SHIPPING]
    assert [(one.id, one.gross) for one in delivery] == [("1", D("24.60")), ("shipping-3", D("12.30"))]
    assert found.extra["shipping_method"] == "Kurier, Kurier, Paczkomat"


TIP: Json = {"requiresShipping": False, "sku": None, "name": "Tip", "taxable": False}


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([*SIMPLE, line(2, "10.00", **TIP)], [("2", "Tip", D("10.00"))]),
        (SIMPLE, [("tip", "Napiwek", D("10.00"))]),
        (
            [*SIMPLE, line(2, "4.00", **TIP), line(3, "6.00", **TIP)],
            [("2", "Tip", D("4.00")), ("3", "Tip", D("6.00"))],
        ),
        ([*SIMPLE, line(2, "3.00", **TIP), line(3, "10.00", **TIP)], [("3", "Tip", D("10.00"))]),
    ],
)
def test_tips(items: list[Json], expected: list[tuple[str, str, D]]) -> None:
    """A tip stands among the lines or in its sum alone; it is never counted twice."""
    total = sum((D(one["originalTotalSet"]["shopMoney"]["amount"]) for one in items), D(0))
    total += D(10) if len(items) == 1 else D(0)
    found = map_order(order(1, items, total, "23.00", totalTipReceivedSet=money("10.00")))
    tips = [one for one in found.lines if one.kind is LineKind.TIP]
    assert [(one.id, one.name, one.gross) for one in tips] == expected
    assert {one.shares[0].tax_class for one in tips} == {"tip"}
    assert sum((one.gross for one in found.lines), D(0)) == total


def test_gift_card_sold() -> None:
    item = line(1, "100.00", isGiftCard=True)
    assert map_order(order(1, [item], "100.00", "0.00")).lines[0].kind is LineKind.GIFT_CARD_SOLD


def test_gift_card_and_store_credit_used_are_payments() -> None:
    paid = [
        transaction(1, "50.00", gateway="gift_card"),
        transaction(2, "20.00", gateway="shopify_store_credit"),
        transaction(3, "53.00"),
    ]
    found = map_order(simple(transactions=paid))
    assert found.total == D("123.00")
    assert found.discounts == ()
    assert [(one.kind, one.amount, one.form) for one in found.payments] == [
        (PaymentKind.GIFT_CARD, D("50.00"), PaymentForm.VOUCHER),
        (PaymentKind.STORE_CREDIT, D("20.00"), None),
        (PaymentKind.GATEWAY, D("53.00"), None),
    ]


def test_when_it_was_paid() -> None:
    """The capture that reaches the total; an authorization and a failed try are no payments."""
    paid = [
        transaction(1, "123.00", "AUTHORIZATION"),
        transaction(2, "123.00", status="FAILURE"),
        transaction(3, "23.00", "CAPTURE", processedAt="2026-11-26T10:00:00Z"),
        transaction(4, "100.00", "CAPTURE", processedAt="2026-11-25T10:00:00Z"),
    ]
    found = map_order(simple(transactions=paid))
    assert found.paid_at == datetime(2026, 11, 26, 10, tzinfo=UTC)
    assert [one.transaction_id for one in found.payments] == ["p4", "p3"]


def test_awaited_money() -> None:
    """Cash on delivery and a transfer: known, not paid."""
    waits = [transaction(1, "123.00", status="PENDING", gateway="Bank Deposit")]
    found = map_order(simple(transactions=waits, displayFinancialStatus="PENDING"))
    assert found.paid_at is None
    assert [(one.method, one.form, one.paid_at) for one in found.payments] == [
        ("Bank Deposit", PaymentForm.TRANSFER, None)
    ]
    bare = map_order(simple(transactions=[], displayFinancialStatus="PENDING"))
    assert [one.method for one in bare.payments] == ["shopify_payments"]


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"displayFinancialStatus": "PENDING"}, OrderState.PENDING),
        ({"displayFinancialStatus": "AUTHORIZED"}, OrderState.PENDING),
        ({"displayFinancialStatus": "PARTIALLY_PAID"}, OrderState.PENDING),
        ({"displayFinancialStatus": "PARTIALLY_REFUNDED"}, OrderState.PAID),
        ({"displayFinancialStatus": "REFUNDED"}, OrderState.REFUNDED),
        ({"displayFinancialStatus": "VOIDED"}, OrderState.CANCELLED),
        ({"displayFinancialStatus": "EXPIRED"}, OrderState.FAILED),
        ({"displayFinancialStatus": None}, OrderState.PENDING),
        ({"displayFinancialStatus": "SOMETHING_NEW"}, OrderState.PENDING),
        ({"displayFulfillmentStatus": "FULFILLED"}, OrderState.COMPLETED),
        ({"displayFulfillmentStatus": "PARTIALLY_FULFILLED"}, OrderState.PAID),
        (
            {"displayFulfillmentStatus": "FULFILLED", "displayFinancialStatus": "PENDING"},
            OrderState.COMPLETED,
        ),
        ({"cancelledAt": shapes.MOMENT, "displayFinancialStatus": "REFUNDED"}, OrderState.CANCELLED),
        ({"test": True}, OrderState.PENDING),
    ],
)
def test_states(changes: Json, state: OrderState) -> None:
    assert map_order(simple(**changes)).state is state


def test_test_orders_count_when_the_merchant_says_so() -> None:
    found = map_order(simple(test=True), MappingOptions(test_orders=True))
    assert found.state is OrderState.PAID
    assert found.extra["test"] == "yes"


def test_sent() -> None:
    parcels = [
        {"createdAt": "2026-11-25T08:00:00Z", "status": "SUCCESS"},
        {"createdAt": "2026-11-27T08:00:00Z", "status": "CANCELLED"},
        {"createdAt": "2026-11-26T08:00:00Z", "status": "SUCCESS"},
    ]
    found = map_order(simple(displayFulfillmentStatus="FULFILLED", fulfillments=parcels))
    assert found.completed_at == datetime(2026, 11, 26, 8, tzinfo=UTC)


def test_fees_and_duties() -> None:
    """Both are lines; the order's own sums may leave their tax out, so they are not relied on."""
    fee = {
        "id": "gid://shopify/AdditionalFee/5",
        "name": "Opłata",
        "price": money("12.30"),
        "taxLines": [tax("23", "2.30")],
    }
    duty = {"id": "gid://shopify/Duty/6", "price": money("7.00"), "taxLines": []}
    item = line(1, "123.00", tax("23", "23.00"), duties=[duty])
    data = order(1, [item], "142.30", "25.30", additionalFees=[fee], taxLines=[tax("23", "23.00")])
    found = map_order(data)
    kinds = [(one.kind, one.id, one.gross, one.shares[0].tax_class) for one in found.lines[1:]]
    assert kinds == [(LineKind.FEE, "5", D("12.30"), "fee"), (LineKind.DUTY, "6", D("7.00"), "duty")]
    assert (found.rate_totals, found.total_tax) == ((), None)
    inside = map_order(data | {"dutiesIncluded": True})
    assert LineKind.DUTY not in {one.kind for one in inside.lines}


TWO = {"currency": "EUR", "code": "PLN"}


def two_currencies() -> Json:
    bag = TWO | {"shop": "522.75"}
    item = line(1, "123.00", tax("23", "23.00", bag=TWO | {"shop": "97.75"}), bag=bag)
    data = order(1, [item], "123.00", "23.00", bag=bag)
    data["totalTaxSet"] = money("23.00", **(TWO | {"shop": "97.75"}))
    return data


def test_two_currencies() -> None:
    """What the buyer paid unless the merchant says otherwise; one invoice never mixes them."""
    seen = map_order(two_currencies())
    assert (seen.currency, seen.total, seen.lines[0].net) == ("EUR", D("123.00"), D("100.00"))
    assert (seen.shop_currency, seen.shop_total) == ("PLN", D("522.75"))
    own = map_order(two_currencies(), MappingOptions(money=MoneyKind.SHOP))
    assert (own.currency, own.total, own.lines[0].net) == ("PLN", D("522.75"), D("425.00"))
    assert (own.shop_currency, own.shop_total) == ("", None)
    assert own.payments[0].amount == D("522.75")


def test_mixed_currencies_are_refused() -> None:
    data = two_currencies()
    data["lineItems"]["nodes"][0]["originalTotalSet"] = money("123.00")
    with pytest.raises(UnreadableOrder, match="EUR was expected, not 'PLN'"):
        map_order(data)


def test_cash_rounding_is_told() -> None:
    """Rounding of cash is no part of the sale."""
    rounding = {"paymentSet": money("-0.02"), "refundSet": money("0.00")}
    found = map_order(simple(totalCashRoundingAdjustment=rounding))
    assert (found.total, found.extra["cash_rounding"]) == (D("123.00"), "-0.02")


COMPANY = {
    "__typename": "PurchasingCompany",
    "company": {"id": "gid://shopify/Company/7", "name": "Nabywca S.A.", "externalId": None},
    "location": {
        "id": "gid://shopify/CompanyLocation/7",
        "name": "Centrala",
        "taxSettings": {"taxRegistrationId": "PL5260250274", "taxExempt": False},
        "billingAddress": {
            "companyName": "Nabywca S.A.",
            "address1": "ul. Firmowa 2",
            "address2": None,
            "zip": "00-002",
            "city": "Warszawa",
            "zoneCode": None,
            "countryCode": "PL",
        },
    },
}


def test_company() -> None:
    """B2B: the location's registration is the tax number, its address stands in for a missing one."""
    found = map_order(simple(purchasingEntity=COMPANY, billingAddress=None))
    assert (found.buyer.company, found.buyer.address.line1) == ("Nabywca S.A.", "ul. Firmowa 2")
    (one,) = found.buyer.tax_ids
    assert (one.value, one.free_text) == ("PL5260250274", False)
    person = {"__typename": "Customer", "id": "gid://shopify/Customer/1"}
    assert map_order(simple(purchasingEntity=person)).buyer.tax_ids == ()


CUSTOMER = {
    "id": "gid://shopify/Customer/77",
    "firstName": "Test",
    "lastName": "Konto",
    "tags": ["VIP", "NIP: 526-025-02-74"],
    "defaultEmailAddress": {"emailAddress": "konto@example.com"},
    "metafields": {"nodes": [{"namespace": "custom", "key": "nip", "value": "5260250274"}]},
}


def test_buyer_without_billing_address() -> None:
    found = map_order(simple(billingAddress=None, shippingAddress=None, email=None, customer=CUSTOMER)).buyer
    assert (found.first_name, found.last_name, found.email) == ("Test", "Konto", "konto@example.com")
    assert found.customer_id == "77"


def test_origins_of_the_tax_number() -> None:
    """The most trusted first, each with its origin; free texts are marked."""
    data = simple(
        customAttributes=[
            {"key": "NIP firmy", "value": "526-025-02-74"},
            {"key": "VAT_ID", "value": "DE136695976"},
            {"key": "Faktura VAT", "value": "tak"},
            {"key": "Prezent", "value": "5260250274"},
        ],
        metafields=[
            {"namespace": "checkout", "key": "tax_id", "value": "5260250275"},
            {"namespace": "ksef", "key": "nip", "value": "1"},
        ],
        customer=CUSTOMER,
        purchasingEntity=COMPANY,
        billingAddress=shapes.address(company="Firma NIP 5260250274", address2="NIP: 5265877635"),
        note="Proszę o FV na NIP 5260250274",
    )
    found = map_order(data, MappingOptions(tax_id_fields=("Prezent", "checkout.tax_id")))
    assert [(one.source, one.value, one.free_text) for one in found.buyer.tax_ids] == [
        ("attribute Prezent", "5260250274", False),
        ("metafield checkout.tax_id", "5260250275", False),
        ("attribute NIP firmy", "526-025-02-74", False),
        ("attribute VAT_ID", "DE136695976", False),
        ("company location taxRegistrationId", "PL5260250274", False),
        ("customer metafield custom.nip", "5260250274", False),
        ("billingAddress company", "5260250274", True),
        ("billingAddress address2", "5265877635", True),
        ("note", "5260250274", True),
        ("customer tag", "526-025-02-74", True),
    ]
    assert found.wants_invoice is True


@pytest.mark.parametrize(
    ("key", "value", "wish"),
    [
        ("Faktura", "Tak", True),
        ("faktura_vat", "yes", True),
        ("Chcę fakturę", "true", True),
        ("want invoice", "0", False),
        ("Faktura", "może", None),
        ("Kolor", "tak", None),
    ],
)
def test_wish_for_an_invoice(key: str, value: str, wish: bool | None) -> None:
    assert map_order(simple(customAttributes=[{"key": key, "value": value}])).wants_invoice is wish


def test_tax_exempt() -> None:
    assert map_order(order(1, [line(1, "100.00")], "100.00", "0.00", taxExempt=True)).buyer.tax_exempt


def test_recipient() -> None:
    found = map_order(simple(shippingAddress=shapes.address(lastName="Odbiorca", countryCodeV2="DE")))
    assert found.recipient is not None
    assert (found.recipient.name, found.recipient.address.country) == ("Test Odbiorca", "DE")


def test_refunds_that_gave_money_back() -> None:
    """Pending and failed ones, and goods that came back without money, are no refunds of the order yet."""
    refunds = [
        shapes.refund(1, "20.00", note="Reklamacja"),
        shapes.refund(2, "30.00", status="PENDING"),
        shapes.refund(3, "40.00", status="FAILURE"),
        shapes.refund(4, ""),
    ]
    found = map_order(simple(refunds=refunds))
    assert [(one.id, one.amount, one.reason) for one in found.refunds] == [("1", D("20.00"), "Reklamacja")]


def edited(*agreements: Json, total: str, **changes: Any) -> Json:
    lines = [
        line(1, "123.00", tax("23", "23.00"), currentQuantity=0),
        line(2, "246.00", tax("23", "46.00"), quantity=2),
    ]
    data = order(1, lines, total, "0.00", edited=True, agreements=list(agreements), **changes)
    data["currentTotalPriceSet"] = money(total)
    return data


def sold(
    number: int, gross: str, taxed: str, quantity: int = 1, action: str = "ORDER", rate: str = "23"
) -> Json:
    item = {"id": f"gid://shopify/LineItem/{number}", "name": f"Towar {number}", "sku": f"T-{number}"}
    taxes = [tax(rate, taxed)] if D(taxed) else []
    return shapes.sale("PRODUCT", action, gross, taxed, *taxes, lineItem=item, quantity=quantity)


FIRST = shapes.agreement(1, "ORDER", sold(1, "123.00", "23.00"), sold(2, "123.00", "23.00"))


def test_edited_order() -> None:
    """The ledger tells what was agreed on last: one article gone, two of another, delivery added."""
    parcel = shapes.sale(
        "SHIPPING",
        "ORDER",
        "12.30",
        "2.30",
        tax("23", "2.30"),
        shippingLine={"id": "gid://shopify/ShippingLine/3", "title": "Kurier"},
    )
    edit = shapes.agreement(
        2, "ORDER_EDIT", sold(1, "-123.00", "-23.00", -1, "RETURN"), sold(2, "123.00", "23.00"), parcel
    )
    refund = shapes.agreement(3, "REFUND", sold(2, "-123.00", "-23.00", -1, "RETURN"))
    found = map_order(edited(FIRST, edit, refund, total="258.30"))
    assert [(one.id, one.kind, one.quantity, one.gross, one.tax) for one in found.lines] == [
        ("2", LineKind.PRODUCT, D(2), D("246.00"), D("46.00")),
        ("3", LineKind.SHIPPING, D(1), D("12.30"), D("2.30")),
    ]
    assert found.total == D("258.30")
    assert found.extra["edited"] == "yes"
    assert (found.total_tax, found.rate_totals) == (None, ())


def test_edit_that_changes_the_price() -> None:
    """An UPDATE moves money, not units."""
    edit = shapes.agreement(2, "ORDER_EDIT", sold(1, "-12.30", "-2.30", 1, "UPDATE"))
    found = map_order(edited(FIRST, edit, total="233.70"))
    assert [(one.quantity, one.gross, one.tax) for one in found.lines] == [
        (D(1), D("110.70"), D("20.70")),
        (D(1), D("123.00"), D("23.00")),
    ]


@pytest.mark.parametrize(
    ("agreements", "total", "sentence"),
    [
        ([FIRST], "200.00", "200.00 is not what was agreed on: 246.00"),
        (
            [FIRST, shapes.agreement(2, "ORDER_EDIT", sold(1, "-200.00", "-23.00", 1, "UPDATE"))],
            "46.00",
            "leaves",
        ),
        (
            [shapes.agreement(1, "ORDER", shapes.sale("ADJUSTMENT", "ORDER", "5.00", "0.00"))],
            "5.00",
            "ADJUSTMENT",
        ),
        (
            [shapes.agreement(1, "ORDER", sold(1, "123.00", "23.00") | {"taxes": []})],
            "123.00",
            "sum of its taxes",
        ),
        ([], "0.00", "charges nothing"),
    ],
)
def test_ledgers_that_do_not_add_up(agreements: list[Json], total: str, sentence: str) -> None:
    with pytest.raises(UnreadableOrder, match=sentence):
        map_order(edited(*agreements, total=total))


def test_edited_order_without_its_ledger() -> None:
    data = edited(FIRST, total="246.00")
    del data["agreements"]
    with pytest.raises(UnreadableOrder) as caught:
        map_order(data)
    assert caught.value.path == "agreements"
    assert "connected store" in caught.value.hint


def _break(key: str, value: Any) -> Callable[[Json], None]:
    def do(data: Json) -> None:
        data[key] = value

    return do


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (_break("id", 15), "id"),
        (_break("id", "gid://evil/Order/1"), "id"),
        (_break("totalPriceSet", None), "totalPriceSet"),
        (_break("presentmentCurrencyCode", "zł"), "presentmentCurrencyCode"),
        (_break("taxesIncluded", None), "taxesIncluded"),
        (_break("updatedAt", "yesterday"), "updatedAt"),
        (_break("lineItems", {"nodes": []}), "lineItems"),
        (_break("lineItems", {"nodes": SIMPLE, "pageInfo": {"hasNextPage": True}}), "lineItems"),
        (_break("lineItems", {"nodes": [line(1, "-5.00")]}), "lineItems.nodes[0]"),
        (_break("lineItems", {"nodes": [line(1, "5.00", quantity=0)]}), "lineItems.nodes[0].quantity"),
        (
            _break("lineItems", {"nodes": [line(1, "5.00", discountAllocations=[discount("-1.00")])]}),
            "lineItems",
        ),
        (
            _break("lineItems", {"nodes": [line(1, "5.00", tax("120", "1.00"))]}),
            "lineItems.nodes[0].taxLines[0]",
        ),
        (_break("billingAddress", shapes.address(countryCodeV2="Polska")), "billingAddress.countryCodeV2"),
        (_break("refunds", "none"), "refunds"),
        (_break("totalTipReceivedSet", money("-1.00")), "totalTipReceivedSet"),
    ],
)
def test_broken_orders_name_the_place(change: Callable[[Json], None], path: str) -> None:
    data = simple()
    change(data)
    with pytest.raises(UnreadableOrder) as caught:
        map_order(data)
    assert caught.value.path.startswith(path)
