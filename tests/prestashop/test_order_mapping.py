"""Recorded PrestaShop orders become the neutral form, to the grosz."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal as D
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from adapters.contract import ShopError, UnreadableOrder
from adapters.prestashop import MappingOptions, map_order, mapping_options, read_bundle, write_bundle
from core.orders import (
    Coupon,
    LineKind,
    Order,
    OrderState,
    Payment,
    PaymentForm,
    PaymentKind,
    PostalAddress,
    Recipient,
    RefundRef,
    TaxIdCandidate,
    TaxShare,
)
from tests.prestashop.bundles import ORDERS, Edit, edits, field, order_file, recorded

RULES = {"23": "1", "8": "2", "5": "3"}


def share(rate: str, net: str, tax: str, *, of_discount: bool = False) -> TaxShare:
    return TaxShare(D(rate), D(net), D(tax), "" if of_discount else RULES[rate], "PL")


def off(rate: str, net: str, tax: str) -> TaxShare:
    return share(rate, net, tax, of_discount=True)


def lines_of(order: Order) -> list[tuple[str, LineKind, str, int, tuple[TaxShare, ...]]]:
    return [(one.id, one.kind, one.name, int(one.quantity), one.shares) for one in order.lines]


def mapped(name: str, *changes: Edit, options: MappingOptions | None = None, slips: bool = False) -> Order:
    return map_order(recorded(name, slips=slips, edit=edits(*changes) if changes else None), options)


def refused(name: str, *changes: Edit) -> UnreadableOrder:
    with pytest.raises(UnreadableOrder) as caught:
        mapped(name, *changes)
    return caught.value


@pytest.mark.parametrize("name", ORDERS)
def test_lines_less_discounts_are_the_total(name: str) -> None:
    """Every recorded order maps; its lines less its discounts give the total exactly, and the tax to a grosz.

    The shop counted o4's 148.26 net as 148.27.
    """
    order = mapped(name)
    assert sum(one.gross for one in order.lines) - sum(one.gross for one in order.discounts) == order.total
    taken = sum((part.tax for one in order.discounts for part in one.shares), D(0))
    assert order.total_tax is not None
    off_by = order.total_tax - (sum(one.tax for one in order.lines) - taken)
    assert off_by == (D("-0.01") if name == "o4" else 0)
    assert order.platform == "prestashop"
    assert order.prices_include_tax


def test_three_rates_and_two_discounts() -> None:
    """Order-level discounts of 26.784 and 15.00 are spread over the goods' rates by gross amounts."""
    order = mapped("o1")
    assert lines_of(order) == [
        ("16", LineKind.PRODUCT, "Kubek zolty", 3, (share("23", "121.93", "28.04"),)),
        ("17", LineKind.PRODUCT, "Ksiazka Laka", 1, (share("5", "29.99", "1.50"),)),
        ("18", LineKind.PRODUCT, "Herbata", 7, (share("8", "79.98", "6.40"),)),
        ("shipping", LineKind.SHIPPING, "My carrier", 1, (share("23", "7.00", "1.61"),)),
    ]
    ten, fifteen = order.discounts
    assert (ten.id, ten.name, ten.gross) == ("1", "RABAT10", D("26.78"))
    assert ten.shares == (off("23", "12.19", "2.80"), off("5", "3.00", "0.15"), off("8", "8.00", "0.64"))
    assert (fifteen.id, fifteen.name, fifteen.gross) == ("2", "MINUS15", D("15.00"))
    assert fifteen.shares == (off("23", "6.83", "1.57"), off("5", "1.68", "0.08"), off("8", "4.48", "0.36"))
    assert (order.total, order.total_tax) == (D("234.67"), D("31.95"))


def test_free_delivery_is_taken_off_the_delivery() -> None:
    """The delivery stays charged in the shop; the rule leaves nothing of it, and touches no goods."""
    order = mapped("o2")
    delivery = order.lines[-1]
    assert delivery.shares == (share("23", "0.00", "0.00"),)
    assert (delivery.net_before, delivery.tax_before) == (D("7.00"), D("1.61"))
    assert order.discounts == ()
    assert order.coupons == (Coupon("FREESHIP", D("8.61")),)
    assert order.total == D("112.32")


def test_a_rule_of_nothing_is_no_discount() -> None:
    """The rule GRATIS took 0.00 off."""
    order = mapped("o3")
    assert (order.discounts, order.coupons) == ((), ())
    assert order.total == D("58.60")


def test_everything_else_of_an_order() -> None:
    """Keys, local times, buyer, recipient, payment and details."""
    order = mapped("o2")
    moment = datetime(2026, 11, 24, 3, 41, 14, tzinfo=UTC)
    assert (order.id, order.number, order.currency) == ("11", "FNZQBECGX", "PLN")
    assert (order.status, order.state) == ("Payment accepted", OrderState.PAID)
    assert (order.created_at, order.modified_at, order.paid_at) == (moment, moment, moment)
    assert order.completed_at is None
    assert [(one.status, one.at) for one in order.status_history] == [("Payment accepted", moment)]
    assert order.payments == (
        Payment(
            PaymentKind.GATEWAY, "ps_wirepayment", "Przelew", D("112.32"), moment, "T-1", PaymentForm.TRANSFER
        ),
    )
    buyer = order.buyer
    assert (buyer.person_name, buyer.company, buyer.customer_id) == ("Jan Kowalski", "Firma Sp. z o.o.", "4")
    assert buyer.address == PostalAddress("ul. Prosta 1/2", "", "00-838", "Warszawa", "", "PL")
    assert (buyer.email, buyer.phone) == ("jan1795491673@example.test", "600100200")
    assert buyer.tax_ids == (TaxIdCandidate("5260250274", "address vat_number"),)
    assert order.recipient == Recipient(
        "Ewa Odbiorca", "", PostalAddress("ul. Krzywa 3", "", "30-002", "Kraków", "", "PL")
    )
    assert order.extra == {"shipping_method": "My carrier", "shop_invoice_number": "6", "shop_id": "1"}
    assert (order.lines[0].sku, order.lines[0].gtin) == ("KUB-1", "")
    assert order.refunds == ()


def test_no_secret_leaves_the_file() -> None:
    """Keys of sessions and hashes of passwords are neither in the order nor in a bundle that is kept."""
    bundle = recorded("o1")
    for text in (repr(map_order(bundle)), repr(bundle), write_bundle(bundle).decode()):
        assert "a27d28c98ee0b9192110a378784f9000" not in text
        assert "9dd4e461268c8034f5c8564e155c67a6" not in text


@pytest.mark.parametrize("name", ORDERS)
def test_a_bundle_goes_to_a_file_and_back(name: str) -> None:
    """What was read, and what is read of what was written, is the same value."""
    bundle = recorded(name, slips=True)
    assert read_bundle(write_bundle(bundle)) == bundle


def test_credit_slips_are_named_by_the_order() -> None:
    """Slips that a bundle holds are refunds of the order, so that nobody invoices what was given back."""
    assert mapped("o1", slips=True).refunds == (RefundRef("6", D("54.99")),)
    assert mapped("o4", slips=True).refunds == (RefundRef("8", D("8.61")), RefundRef("9", D("10.00")))


class TestStates:
    """Flags of the merchant's states, the shop's own ids, and the merchant's word."""

    @pytest.mark.parametrize(
        ("current", "state"),
        [
            ("1", OrderState.PENDING),
            ("2", OrderState.PAID),
            ("3", OrderState.PAID),
            ("4", OrderState.COMPLETED),
            ("5", OrderState.COMPLETED),
            ("6", OrderState.CANCELLED),
            ("8", OrderState.FAILED),
            ("9", OrderState.PAID),
            ("10", OrderState.PENDING),
            ("13", OrderState.PENDING),
            ("99", OrderState.PENDING),
        ],
    )
    def test_of_the_shop(self, current: str, state: OrderState) -> None:
        """Each recorded state has its neutral one; an unknown one waits and keeps its id."""
        order = mapped("o4", field("order", "13", "current_state", current), field("tax", "6", "rate", "22"))
        assert order.state is state
        assert (order.status == "99") == (current == "99")

    def test_refunded_alone_is_no_refund(self) -> None:
        """The state made no credit slip; only the merchant's setting makes it a refund of the whole order."""
        order = mapped("o3")
        assert (order.status, order.state, order.refunds) == ("Refunded", OrderState.PENDING, ())
        assert order.paid_at == datetime(2026, 11, 24, 3, 41, 15, tzinfo=UTC)
        told = mapping_options({"refunded_states": "7"})
        assert mapped("o3", options=told).state is OrderState.REFUNDED

    def test_a_state_of_the_merchants_own(self) -> None:
        """An id goes before the flags, also for the moment of payment and of delivery."""
        options = mapping_options({"completed_states": "2, 77"})
        order = mapped("o1", options=options)
        assert order.state is OrderState.COMPLETED
        assert order.completed_at == order.paid_at == datetime(2026, 11, 24, 3, 41, 13, tzinfo=UTC)

    def test_sent_but_to_be_paid_on_delivery(self) -> None:
        """A merchant's state that is shipped and not paid completes the order and pays nothing."""
        order = mapped(
            "o1", field("order_state", "2", "paid", "0"), field("order_state", "2", "shipped", "1")
        )
        assert (order.state, order.paid_at) == (OrderState.COMPLETED, None)
        assert order.completed_at == datetime(2026, 11, 24, 3, 41, 13, tzinfo=UTC)

    def test_cancelled_by_template(self) -> None:
        """A copy of the shop's state is known by the template of its e-mail."""
        text = order_file("o1", edit=edits(field("order", "10", "current_state", "12"))).decode()
        start = text.index("<order_state>\n\t<id><![CDATA[12]]>")
        end = text.index("</order_state>", start)
        copied = text[start:end].replace("outofstock", "order_canceled")
        order = map_order(read_bundle((text[:start] + copied + text[end:]).encode()))
        assert order.state is OrderState.CANCELLED

    def test_without_history_the_payment_tells_the_moment(self) -> None:
        """A file without histories still knows when a paid order was paid, from its payments."""

        def drop(text: str) -> str:
            return text.replace("<order_histories>", "<order_histories/><!--").replace(
                "</order_histories>", "-->"
            )

        assert mapped("o2", drop).paid_at == datetime(2026, 11, 24, 3, 41, 14, tzinfo=UTC)
        assert mapped("o1", drop).paid_at is None


class TestTimes:
    """The webservice writes the shop's local time without a zone."""

    def test_summer_and_another_zone(self) -> None:
        """Two hours in summer; a merchant elsewhere names the zone."""
        summer = field("order", "10", "date_add", "2026-07-01 00:30:00")
        assert mapped("o1", summer).created_at == datetime(2026, 6, 30, 22, 30, tzinfo=UTC)
        london = MappingOptions(time_zone=ZoneInfo("Europe/London"))
        assert mapped("o1", options=london).created_at == datetime(2026, 11, 24, 4, 41, 13, tzinfo=UTC)

    @pytest.mark.parametrize(
        "value", ["", "0000-00-00 00:00:00", "24.11.2026", "2026-11-24", "2026-13-01 00:00:00"]
    )
    def test_an_order_without_its_time(self, value: str) -> None:
        """The day of an order cannot be guessed."""
        assert refused("o1", field("order", "10", "date_add", value)).path == "order[10].date_add"


class TestRounding:
    """``round_type`` and ``round_mode`` with PHP's float dust."""

    def test_dust_never_becomes_a_grosz(self) -> None:
        """149.970001 is 149.97 in a shop that rounds up, and 149.969997 in one that rounds down."""
        for mode, dusty in (("0", "149.970001"), ("1", "149.969997"), ("5", "149.969999")):
            order = mapped(
                "o1",
                field("order", "10", "round_mode", mode),
                field("order_detail", "16", "total_price_tax_incl", dusty),
            )
            assert order.lines[0].gross == D("149.97")

    @pytest.mark.parametrize(
        ("mode", "expected"),
        [("0", "1.24"), ("1", "1.23"), ("2", "1.24"), ("3", "1.23"), ("4", "1.24"), ("5", "1.23")],
    )
    def test_half_a_grosz(self, mode: str, expected: str) -> None:
        """Each mode of the shop has its own way with 1.235."""
        order = mapped(
            "o1",
            field("order", "10", "round_mode", mode),
            field("order_detail", "17", "total_price_tax_incl", "1.235000"),
            field("order_detail", "17", "total_price_tax_excl", "1.180000"),
        )
        assert order.lines[1].gross == D(expected)

    def test_rounded_per_unit(self) -> None:
        """12 units at 0.94 with 0.76 net leave 2.16 of tax; the tax inside 11.28 is 2.11, and counts."""
        changes = [
            field("order", "12", "round_type", "1"),
            field("order", "12", "total_products_wt", "11.280000"),
            field("order", "12", "total_products", "9.120000"),
            field("order_detail", "21", "product_quantity", "12"),
            field("order_detail", "21", "original_product_price", "0.764228"),
            field("order_detail", "21", "total_price_tax_incl", "11.280000"),
            field("order_detail", "21", "total_price_tax_excl", "9.120000"),
            field("order", "12", "total_paid_tax_incl", "19.890000"),
            field("order", "12", "total_paid_tax_excl", "16.120000"),
        ]
        order = mapped("o3", *changes)
        assert order.lines[0].shares == (share("23", "9.17", "2.11"),)
        assert order.total_tax is None
        by_line = mapped("o3", *changes, field("order", "12", "round_type", "2"))
        assert by_line.lines[0].tax == D("2.16")
        assert by_line.total_tax == D("3.77")

    def test_rounded_per_order(self) -> None:
        """Lines with parts of a grosz add up to the order's own sums; rounded apart, they would miss them."""
        changes: list[Edit] = [field("order", "10", "round_type", "3")]
        for key, gross, net in (
            ("16", "149.974000", "121.930081"),
            ("17", "31.494000", "29.994286"),
            ("18", "86.384000", "79.985185"),
        ):
            changes.append(field("order_detail", key, "total_price_tax_incl", gross))
            changes.append(field("order_detail", key, "total_price_tax_excl", net))
        changes.append(field("order", "10", "total_products_wt", "267.850000"))
        changes.append(field("order", "10", "total_products", "231.910000"))
        for prices in ("gross", "net"):
            order = mapped("o1", *changes, options=mapping_options({"prices": prices}))
            products = [one for one in order.lines if one.kind is LineKind.PRODUCT]
            assert sum(one.gross for one in products) == D("267.85")
            assert prices == "gross" or sum(one.net for one in products) == D("231.91")
        assert all(one.gross == one.gross.quantize(D("0.01")) for one in products)

    def test_an_unknown_mode(self) -> None:
        """A way of rounding that no version of the shop has is not guessed."""
        assert refused("o1", field("order", "10", "round_mode", "9")).path == "order[10].round_mode"


class TestPrices:
    """Whether the shop's prices are gross is seen in the prices."""

    def test_whole_net_prices_are_net(self) -> None:
        """10.00 net is 12.30, but 10.01 net is 12.3123: only a net shop has such prices."""
        changes = [
            field("order_detail", key, "original_product_price", price)
            for key, price in (("16", "40.650000"), ("17", "29.990000"), ("18", "11.430000"))
        ]
        assert not mapped("o1", *changes).prices_include_tax
        assert mapped("o1", *changes, options=mapping_options({"prices": "gross"})).prices_include_tax
        assert mapped("o1", *changes[:1]).prices_include_tax

    def test_the_merchants_word_goes_first(self) -> None:
        """The setting decides whatever the prices look like."""
        assert not mapped("o1", options=mapping_options({"prices": "net"})).prices_include_tax


class TestTaxes:
    """Rates stand behind ids; what names no tax has no known rate."""

    def test_no_tax_is_no_rate(self) -> None:
        """A product without taxes keeps its tax rule as the key for the merchant's decision."""
        text = order_file("o3").decode()
        untaxed = text.replace('<tax xlink:href="http://127.0.0.1:8082/api/taxes/1">', "<!--").replace(
            "</tax>\n</taxes>\n</associations>\n</order_detail>",
            "--></taxes>\n</associations>\n</order_detail>",
        )
        changed = field("order_detail", "21", "total_price_tax_incl", "40.640000")(untaxed)
        changed = field("order_detail", "21", "id_tax_rules_group", "4")(changed)
        assert changed != untaxed != text
        (line, _) = map_order(read_bundle(changed.encode())).lines
        assert line.shares == (TaxShare(None, D("40.64"), D("0.00"), "4"),)

    def test_a_tax_without_a_rate(self) -> None:
        """Money that is called tax and bears no rate contradicts itself."""
        error = refused("o3", field("tax", "1", "rate", "0.000"))
        assert error.path == "order_detail[21].associations.taxes"

    def test_another_countrys_rate(self) -> None:
        """The country stands in the tax's name; a name without one leaves it open."""
        name = '<name><language id="1" xlink:href="http://127.0.0.1:8082/api/languages/1"><![CDATA[{}]]>'
        file = order_file("o3").decode()
        for text, country in (("USt. DE 23%", "DE"), ("VAT 23%", ""), ("PTU PL lub DE", "")):
            renamed = file.replace(name.format("PTU PL 23%"), name.format(text))
            assert renamed != file
            line = map_order(read_bundle(renamed.encode()))
            assert {part.country for one in line.lines for part in one.shares} == {country}

    def test_delivery_at_the_rates_of_the_goods(self) -> None:
        """With PS_ATCP_SHIPWRAP the delivery's tax is the goods' average, so it is split as they are."""
        order = mapped(
            "o1",
            field("order", "10", "carrier_tax_rate", "15.498"),
            field("order", "10", "total_shipping_tax_incl", "8.090000"),
        )
        delivery = order.lines[-1]
        assert [one.rate for one in delivery.shares] == [D(23), D(5), D(8)]
        assert (delivery.net, delivery.tax) == (D("7.00"), D("1.09"))

    def test_wrapping_finds_its_rate(self) -> None:
        """No field tells the rate of gift wrapping; its tax does."""
        order = mapped(
            "o1",
            field("order", "10", "total_wrapping_tax_incl", "5.000000"),
            field("order", "10", "total_wrapping_tax_excl", "4.065041"),
        )
        wrapping = order.lines[-1]
        assert wrapping.kind is LineKind.WRAPPING
        assert wrapping.shares == (TaxShare(D(23), D("4.07"), D("0.93"), "", "PL"),)

    def test_of_two_rates_the_nearer(self) -> None:
        """0.08 of tax on 1.00 is 8 %, although 7 % and 9 % are a grosz away."""
        order = mapped(
            "o1",
            field("order", "10", "total_wrapping_tax_incl", "1.080000"),
            field("order", "10", "total_wrapping_tax_excl", "1.000000"),
            field("tax", "5", "rate", "9.000"),
            field("tax", "6", "rate", "7.000"),
        )
        assert [one.rate for one in order.lines[-1].shares] == [D(8)]


class TestDiscounts:
    """A rule's net amount proves which rates it touched."""

    def test_a_rule_for_goods_of_one_rate(self) -> None:
        """15.00 gross and 14.285714 net can only be the goods at 5 %."""
        order = mapped(
            "o1",
            field("order_cart_rule", "2", "value_tax_excl", "14.285714"),
            field("order", "10", "total_discounts_tax_excl", "37.480000"),
        )
        assert order.discounts[1].shares == (off("5", "14.29", "0.71"),)

    def test_a_rule_that_nothing_explains(self) -> None:
        """15.00 gross and 13.50 net is neither one rate nor all: it bears no rate, and a person decides."""
        order = mapped(
            "o1",
            field("order_cart_rule", "2", "value_tax_excl", "13.500000"),
            field("order", "10", "total_discounts_tax_excl", "36.690000"),
        )
        assert order.discounts[1].shares == (TaxShare(None, D("13.50"), D("1.50")),)

    def test_a_rule_that_gives_the_delivery_and_more(self) -> None:
        """Free delivery comes first, the rest of the rule is spread over the goods."""
        order = mapped(
            "o2",
            field("order_cart_rule", "3", "value", "19.842000"),
            field("order_cart_rule", "3", "value_tax_excl", "16.271000"),
            field("order", "11", "total_discounts_tax_incl", "19.840000"),
            field("order", "11", "total_discounts_tax_excl", "16.270000"),
        )
        assert order.lines[-1].gross == 0
        (rest,) = order.discounts
        assert rest.gross == D("11.23")
        assert rest.shares == (off("23", "8.13", "1.87"), off("8", "1.14", "0.09"))

    def test_a_discount_that_no_rule_explains(self) -> None:
        """The order's own sum counts when the rules are not in the file."""

        def drop(text: str) -> str:
            return text.replace("<order_cart_rules>", "<!--").replace("</order_cart_rules>", "-->")

        (discount,) = mapped("o1", drop).discounts
        assert discount.gross == D("41.78")

    def test_a_voucher_of_a_credit_slip_pays(self) -> None:
        """It is money that was owed to the buyer: the sale stays whole, and the rest is paid by transfer."""

        def rename(text: str) -> str:
            return text.replace("MINUS15", "V7C4O9")

        order = mapped("o1", rename)
        assert [one.name for one in order.discounts] == ["RABAT10"]
        assert (order.total, order.total_tax) == (D("249.67"), D("33.96"))
        credit = order.payments[0]
        assert (credit.kind, credit.amount) == (PaymentKind.STORE_CREDIT, D("15.00"))
        assert order.payments[1].kind is PaymentKind.GATEWAY


class TestBuyers:
    """Where the tax number is looked for."""

    def test_order_of_trust(self) -> None:
        """The chosen field, vat_number, dni, then texts, each with its origin."""
        options = mapping_options({"tax_id_fields": "other"})
        order = mapped(
            "o1",
            field("address", "9", "dni", "526-587-76-35"),
            field("address", "9", "company", "Firma, NIP: 526-025-02-74"),
            field("address", "9", "other", "PL5260250274"),
            options=options,
        )
        assert [(one.value, one.source, one.free_text) for one in order.buyer.tax_ids] == [
            ("PL5260250274", "address other", False),
            ("5260250274", "address vat_number", False),
            ("526-587-76-35", "address dni", False),
            ("526-025-02-74", "address company", True),
        ]

    def test_a_personal_number_is_no_mistyped_nip(self) -> None:
        """Eleven digits in dni are a PESEL."""
        order = mapped(
            "o1", field("address", "9", "vat_number", ""), field("address", "9", "dni", "02070803628")
        )
        assert order.buyer.tax_ids == (TaxIdCandidate("02070803628", "address dni", free_text=True),)

    def test_the_same_address_is_no_recipient(self) -> None:
        """Goods that go to the buyer name nobody else."""
        assert mapped("o1", field("order", "10", "id_address_delivery", "9")).recipient is None

    def test_a_business_account(self) -> None:
        """The account's company counts with its number; alone it says nothing about this order."""
        changes = [field("address", "9", "company", ""), field("customer", "4", "company", "Konto S.A.")]
        assert mapped("o1", *changes).buyer.company == ""
        buyer = mapped("o1", *changes, field("customer", "4", "siret", "5260250274")).buyer
        assert buyer.company == "Konto S.A."
        assert buyer.tax_ids[-1] == TaxIdCandidate("5260250274", "customer siret", free_text=True)

    def test_a_guest(self) -> None:
        """A guest has no customer number."""
        assert mapped("o1", field("customer", "4", "is_guest", "1")).buyer.customer_id == ""


def test_another_currency() -> None:
    """Amounts stay as the buyer paid; the shop's own total is counted by the order's rate."""

    def euro(text: str) -> str:
        own = "<currency><id>2</id><iso_code>EUR</iso_code><conversion_rate>0.25</conversion_rate></currency>"
        return text.replace("</prestashop>\n</prestashop>", f"</prestashop>{own}</prestashop>", 1)

    order = mapped(
        "o1",
        lambda text: (
            text[: text.rindex("</prestashop>")]
            + "<currency><id>2</id><iso_code>EUR</iso_code><conversion_rate>0.25</conversion_rate></currency>"
            + "</prestashop>"
        ),
        field("order", "10", "id_currency", "2"),
        field("order", "10", "conversion_rate", "0.250000"),
    )
    assert (order.currency, order.total) == ("EUR", D("234.67"))
    assert (order.shop_currency, order.shop_total) == ("PLN", D("938.68"))
    assert order.extra["conversion_rate"] == "0.250000"


MISSING: list[tuple[str, str, str]] = [
    ("address", "9", "GET /api/addresses/9"),
    ("country", "14", "GET /api/countries/14"),
    ("currency", "1", "GET /api/currencies/1"),
    ("tax", "3", "GET /api/taxes/3"),
]


@pytest.mark.parametrize(("kind", "key", "request_"), MISSING)
def test_a_missing_resource_is_asked_for(kind: str, key: str, request_: str) -> None:
    """The message says what is missing, the hint where the shop offers it."""

    def rename(text: str) -> str:
        return text.replace(f"<{kind}>\n\t<id><![CDATA[{key}]]>", f"<{kind}>\n\t<id><![CDATA[77]]>")

    error = refused("o1", rename)
    assert f"{kind} {key}" in error.message
    assert request_ in error.hint


BROKEN: list[tuple[Edit, str]] = [
    (field("order", "10", "total_paid_tax_incl", "many"), "order[10].total_paid_tax_incl"),
    (field("order", "10", "total_paid_tax_excl", "300"), "order[10].total_paid_tax_excl"),
    (field("order", "10", "total_shipping_tax_excl", "-1"), "order[10].total_shipping_tax_excl"),
    (field("order", "10", "total_discounts_tax_excl", "50"), "order[10].total_discounts_tax_excl"),
    (field("order_cart_rule", "1", "value", "-3"), "order_cart_rule[1].value"),
    (field("order_detail", "16", "product_quantity", "0"), "order_detail[16].product_quantity"),
    (field("order_detail", "16", "total_price_tax_incl", "-1"), "order_detail[16].total_price_tax_incl"),
    (field("order_detail", "16", "total_price_tax_excl", "200"), "order_detail[16].total_price_tax_incl"),
    (field("order_detail", "16", "product_name", ""), "order_detail[16].product_name"),
    (field("tax", "1", "rate", "123"), "tax[1].rate"),
    (field("country", "14", "iso_code", "POL"), "country[14].iso_code"),
    (field("currency", "1", "iso_code", "zł"), "currency[1].iso_code"),
    (field("order_history", "15", "id_order_state", "x"), "order_history[15].id_order_state"),
]


@pytest.mark.parametrize(("change", "path"), BROKEN)
def test_malformed(change: Edit, path: str) -> None:
    """An order that contradicts its contract is refused with a path."""
    assert refused("o1", change).path == path


@pytest.mark.parametrize(
    "config",
    [
        {"time_zone": "Mars/Olympus"},
        {"time_zone": "../etc"},
        {"prices": "both"},
        {"paid_states": "paid"},
        {"paid_states": "3", "completed_states": "3"},
    ],
)
def test_malformed_options(config: dict[str, Any]) -> None:
    """A wrong setting is said before any order is read."""
    with pytest.raises(ShopError):
        mapping_options(config)
