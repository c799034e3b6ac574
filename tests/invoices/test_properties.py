"""Any order becomes a document whose totals add up, or a question to a person; nothing in between."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as D

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.fa import schema
from core.fa.read import read
from core.fa.registry import FA2, FA3
from core.fa.validate import check_built, validate
from core.fa.write import write
from core.findings import Finding, Severity
from core.invoices.attention import NeedsAttention
from core.invoices.from_order import draft
from core.invoices.model import Invoice, Pricing, RateRow, VatCategory
from core.invoices.policy import CompanyWithoutNip, ExchangeRate, InvoicePolicy
from core.money import ZERO, grosz, split
from core.orders import (
    Buyer,
    LineKind,
    Order,
    OrderDiscount,
    OrderLine,
    Payment,
    PaymentForm,
    PaymentKind,
    PostalAddress,
    RateTotal,
    TaxIdCandidate,
    TaxShare,
)
from tests.invoices.orders import COMPANY, CONSUMER, HOME, MOMENT, SELLER, line, order

DAY = date(2026, 11, 24)
POLICY = InvoicePolicy(
    tax_classes={"zero-rate": VatCategory.ZERO, "zw": VatCategory.EXEMPT, "oo": VatCategory.REVERSE_CHARGE},
    exemption_law="art. 113 ust. 1 ustawy o VAT",
    company_without_nip=CompanyWithoutNip.CONSUMER,
    exchange_rates={"EUR": ExchangeRate("EUR", D("4.261712"), "226/A/NBP/2026", date(2026, 11, 23))},
)
TAXED = {RateRow.BASIC, RateRow.REDUCED, RateRow.LOWEST}
TREATMENTS: tuple[tuple[D | None, str], ...] = (
    (D(23), ""),
    (D(8), "reduced-rate"),
    (D(5), "super-reduced"),
    (D(0), "zero-rate"),
    (None, "zw"),
    (None, "oo"),
)
QUICK = settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    report_multiple_bugs=False,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

texts = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            "Zażółć gęślą jaźń",
            "\x00\x07\x0b\x1f",
            "a\x85b\u2028c\u00a0d",
            "\ufdd0\ufffe\uffff\U0001fffe",
            "<a href='x'>&amp;]]></a>",
            "😀" * 600,
            "ż" * 255 + " x",
            "x" * 511 + "  y",
            "\ud800",
            " \t\n ",
        ]
    ),
)
moments = st.datetimes(datetime(2026, 1, 1), datetime(2026, 11, 24, 9), timezones=st.just(UTC))  # noqa: DTZ001
quantities = st.one_of(
    st.integers(1, 50).map(D),
    st.sampled_from(["0.5", "0.125", "1.000000", "0.000001", "999999", "3.333333", "1E+2"]).map(D),
)


@dataclass(frozen=True, slots=True)
class Sold:
    """What a basket holds, in the shop's own prices (gross or net), before any rounding of tax."""

    price: D
    quantity: D
    percent_off: int
    rate: D | None
    tax_class: str
    name: str = "Towar"

    @property
    def before(self) -> D:
        return grosz(self.price * self.quantity)

    @property
    def after(self) -> D:
        return self.before - grosz(self.before * self.percent_off / 100)


@st.composite
def baskets(draw: st.DrawFn, most: int = 30, names: st.SearchStrategy[str] | None = None) -> list[Sold]:
    """Up to ``most`` lines of up to four treatments."""
    treatments = draw(st.lists(st.sampled_from(TREATMENTS), min_size=1, max_size=4, unique=True))
    sold = st.builds(
        lambda cents, quantity, off, treatment, name: Sold(
            D(cents) / 100, quantity, off, treatment[0], treatment[1], name
        ),
        st.one_of(st.integers(1, 30_000), st.sampled_from([0, 99, 4999, 10**8])),
        quantities,
        st.sampled_from([0, 0, 0, 10, 33, 100]),
        st.sampled_from(treatments),
        st.just("Towar") if names is None else names,
    )
    return draw(st.lists(sold, min_size=1, max_size=most))


def as_shop(basket: list[Sold], *, gross: bool, per_line: bool, shipping: D = ZERO) -> Order:
    """The order that WooCommerce makes of a basket, with its tax rounded per line or at the subtotal."""
    lines: list[OrderLine] = []
    exact: dict[D, D] = {}
    net_exact = ZERO
    for number, sold in enumerate(basket, 1):
        rate = sold.rate or D(0)
        parts = [_net_and_tax(amount, rate, gross=gross) for amount in (sold.after, sold.before)]
        (net, tax), (net_before, tax_before) = parts
        if per_line:
            net, tax = (net + tax - grosz(tax) if gross else net), grosz(tax)
        exact[rate] = exact.get(rate, ZERO) + tax
        net_exact += net
        share = TaxShare(sold.rate, grosz(net), grosz(tax), sold.tax_class)
        lines.append(
            OrderLine(
                str(number),
                LineKind.PRODUCT,
                sold.name,
                sold.quantity,
                (share,),
                max(grosz(net_before), share.net),
                max(grosz(tax_before), share.tax),
            )
        )
    taxes = {rate: grosz(tax) for rate, tax in exact.items() if rate}
    if shipping:
        tax = grosz(shipping * 23 / 100)
        taxes[D(23)] = taxes.get(D(23), ZERO) + tax
        lines.append(OrderLine("900", LineKind.SHIPPING, "Kurier", D(1), (TaxShare(D(23), shipping, tax),)))
    whole_tax = sum(taxes.values(), ZERO)
    return order(
        *lines,
        gross=gross,
        total=str(grosz(net_exact) + shipping + whole_tax),
        total_tax=whole_tax,
        rate_totals=tuple(RateTotal(rate, tax) for rate, tax in taxes.items()),
    )


def _net_and_tax(amount: D, rate: D, *, gross: bool) -> tuple[D, D]:
    if gross:
        tax = (amount * rate / (100 + rate)).quantize(D("0.000001"))
        return amount - tax, tax
    return amount, amount * rate / 100


def with_negative_fee(source: Order, gross_fee: D) -> Order:
    """Take a negative fee off an order, spread over its rates as WooCommerce does."""
    keys = list(dict.fromkeys((one.shares[0].rate, one.shares[0].tax_class) for one in source.lines))
    bases = [
        sum(
            (one.net for one in source.lines if (one.shares[0].rate, one.shares[0].tax_class) == key),
            ZERO,
        )
        for key in keys
    ]
    nets = split(min(gross_fee, sum(bases, ZERO)), bases)
    shares = tuple(
        TaxShare(rate, net, grosz(net * (rate or 0) / 100), tax_class)
        for (rate, tax_class), net in zip(keys, nets, strict=True)
        if net
    )
    if not shares:
        return source
    discount = OrderDiscount("800", "Rabat", shares)
    taxes = {total.rate: total.tax for total in source.rate_totals}
    for share in shares:
        if share.rate:
            taxes[share.rate] -= share.tax
    return replace(
        source,
        discounts=(discount,),
        total=source.total - discount.gross,
        total_tax=sum(taxes.values(), ZERO),
        rate_totals=tuple(RateTotal(rate, tax) for rate, tax in taxes.items()),
    )


def build(source: Order, policy: InvoicePolicy = POLICY) -> Invoice:
    return draft(source, SELLER, policy).issue("FV/2026/11/0001", DAY, MOMENT)


def assert_sound(invoice: Invoice, source: Order) -> None:
    """The invariants of every document that may leave the house."""
    assert invoice.total == source.total
    assert sum((rate.gross for rate in invoice.rates), ZERO) == invoice.total
    assert len({rate.row for rate in invoice.rates}) == len(invoice.rates)
    assert [one.number for one in invoice.lines] == list(range(1, len(invoice.lines) + 1))
    for rate in invoice.rates:
        own = [one for one in invoice.lines if one.category and one.category.row is rate.row]
        assert own
        stated = rate.net if invoice.pricing is Pricing.NET else rate.gross
        assert sum((one.amount or ZERO for one in own), ZERO) == stated
        assert (rate.vat is not None) == (rate.row in TAXED)
        given = [one.vat for one in own if one.vat is not None]
        assert not given or (len(given) == len(own) and sum(given, ZERO) == rate.vat)
        if invoice.currency != "PLN" and rate.vat is not None:
            assert rate.vat_pln == grosz(rate.vat * POLICY.exchange_rates[invoice.currency].rate)
        else:
            assert rate.vat_pln is None
    assert {one.category.row for one in invoice.lines if one.category} == {rate.row for rate in invoice.rates}
    for one in invoice.lines:
        assert one.pricing is invoice.pricing
        assert one.unit_price is not None
        assert one.quantity is not None
        assert one.amount is not None
        assert one.amount >= 0
        assert one.discount is None or one.discount > 0
        assert abs(one.unit_price * one.quantity - (one.discount or ZERO) - one.amount) <= D("0.01")


def serious(findings: Iterable[Finding]) -> list[Finding]:
    """What is more than a remark: some honest orders rightly earn one (a late payment, a country)."""
    return [finding for finding in findings if finding.severity is not Severity.INFO]


def assert_valid(invoice: Invoice) -> None:
    """Both versions pass bytes, schema and rules without any finding, and read back as the same model."""
    for version in (FA3, FA2):
        data = write(invoice, version)
        assert serious(check_built(invoice, data, version, DAY)) == []
        result = read(schema.parse(data))
        if version is FA3 or all(len(one.name) <= 256 for one in invoice.lines):
            assert result.invoice == invoice
        assert serious(validate(data, DAY).findings) == []


def assert_invoice_or_question(source: Order) -> Invoice | None:
    """The one property: a sound and valid document, or Attention with reasons in both languages."""
    invoice: Invoice | None = None
    asked: tuple[Finding, ...] = ()
    try:
        invoice = build(source)
    except NeedsAttention as attention:
        asked = attention.reasons
    if invoice is None:
        assert asked
        assert all(
            reason.code and reason.message.pl and reason.message.en and reason.hint.pl and reason.hint.en
            for reason in asked
        )
        return None
    assert_sound(invoice, source)
    findings = serious(check_built(invoice, write(invoice, FA3), FA3, DAY))
    if [finding.code for finding in findings] == ["bytes-too-large"]:
        # only the written file tells its size; the seller is asked then, as with any other reason
        return None
    assert_valid(invoice)
    return invoice


class TestHonestShops:
    """Orders that a shop counted by its own rules are never refused."""

    @QUICK
    @given(baskets(), st.booleans(), st.booleans(), st.sampled_from(["0.00", "12.19", "15.44", "0.01"]))
    def test_a_basket_becomes_an_invoice(
        self, basket: list[Sold], gross: bool, per_line: bool, shipping: str
    ) -> None:
        """Gross or net prices, tax rounded per line or at the subtotal, with delivery: always a document."""
        source = as_shop(basket, gross=gross, per_line=per_line, shipping=D(shipping))
        if source.total:
            assert_valid(sound(source))

    @QUICK
    @given(baskets(8), st.booleans(), st.integers(1, 5_000), st.booleans())
    def test_a_negative_fee_is_spread_or_asked_about(
        self, basket: list[Sold], gross: bool, fee: int, per_line: bool
    ) -> None:
        """Whatever a negative fee does to the lines, the total stays the shop's."""
        source = as_shop(basket, gross=gross, per_line=per_line)
        assert_invoice_or_question(with_negative_fee(source, D(fee) / 100))

    @QUICK
    @given(baskets(12), st.booleans(), st.booleans())
    def test_a_foreign_currency_states_its_tax_in_pln(
        self, basket: list[Sold], gross: bool, per_line: bool
    ) -> None:
        """P_14_xW stands beside every row that bears tax, and nowhere else."""
        source = replace(as_shop(basket, gross=gross, per_line=per_line), currency="EUR")
        if source.total:
            assert_valid(sound(source))


def sound(source: Order) -> Invoice:
    invoice = build(source)
    assert_sound(invoice, source)
    return invoice


amounts = st.one_of(
    st.integers(0, 100_000).map(lambda cents: D(cents) / 100),
    st.sampled_from(["0", "-0", "0.00", "-0.00", "0.01", "0.02", "-0.01", "-5.00", "99999999999.99"]).map(D),
).map(lambda amount: amount.quantize(D("0.01")))
off_by = st.sampled_from(["0.00", "0.00", "0.00", "0.01", "-0.01", "0.02", "-0.02", "0.03", "-1.00"]).map(D)


@st.composite
def shares(draw: st.DrawFn) -> TaxShare:
    rate, tax_class = draw(
        st.sampled_from([*TREATMENTS, (D(19), ""), (D("7.5"), ""), (None, "unknown"), (D("23.00"), "")])
    )
    net = draw(amounts)
    tax = grosz(net * (rate or 0) / 100) + draw(off_by)
    return TaxShare(rate, net, tax, tax_class)


@st.composite
def hostile_lines(draw: st.DrawFn) -> OrderLine:
    parts = draw(st.lists(shares(), min_size=1, max_size=2, unique_by=lambda one: (one.rate, one.tax_class)))
    known = draw(st.booleans())
    return OrderLine(
        id=draw(st.integers(1, 10**9).map(str)),
        kind=draw(st.sampled_from([*LineKind, LineKind.PRODUCT, LineKind.PRODUCT])),
        name=draw(texts),
        quantity=draw(st.one_of(quantities, st.sampled_from(["0", "-0", "-1"]).map(D))),
        shares=tuple(parts),
        net_before=draw(amounts) if known else None,
        tax_before=draw(amounts) if known else None,
        sku=draw(texts),
        gtin=draw(texts),
        unit=draw(texts),
    )


@st.composite
def buyers(draw: st.DrawFn) -> Buyer:
    typed = st.one_of(
        texts,
        st.sampled_from(["526-025-02-74", "PL5260250274", "NIP: 5265877635", "1234567890", "DE136695976"]),
    )
    candidates = st.builds(TaxIdCandidate, typed, st.just("meta nip"), st.booleans())
    return Buyer(
        first_name=draw(texts),
        last_name=draw(texts),
        company=draw(texts),
        address=draw(
            st.one_of(
                st.just(HOME),
                st.builds(
                    PostalAddress, texts, texts, texts, texts, texts, st.sampled_from(["PL", "DE", "GR", ""])
                ),
            )
        ),
        email=draw(st.one_of(texts, st.sampled_from(["a@b.pl", "a@b", "@", "a b@c.pl"]))),
        phone=draw(st.one_of(texts, st.sampled_from(["+48 600 000 000", "1", "0" * 17]))),
        tax_ids=tuple(draw(st.lists(candidates, max_size=2))),
        customer_id=draw(texts),
        tax_exempt=draw(st.booleans()),
    )


payments = st.builds(
    Payment,
    st.sampled_from(PaymentKind),
    texts,
    texts,
    st.one_of(st.none(), amounts),
    st.none(),
    texts,
    st.one_of(st.none(), st.sampled_from(PaymentForm)),
)


@st.composite
def hostile_orders(draw: st.DrawFn) -> Order:
    lines = draw(st.lists(hostile_lines(), max_size=5, unique_by=lambda one: one.id))
    discounts = draw(st.lists(st.builds(OrderDiscount, st.just("1"), texts, st.tuples(shares())), max_size=2))
    charged = sum((one.gross for one in lines), ZERO) - sum((one.gross for one in discounts), ZERO)
    rate_totals = draw(
        st.lists(st.builds(RateTotal, st.sampled_from([D(23), D(8), D("8.0"), D(19)]), amounts), max_size=2)
    )
    created = draw(moments)
    return order(
        *lines,
        gross=draw(st.booleans()),
        total=str(charged + draw(off_by)),
        total_tax=draw(st.one_of(st.none(), amounts)),
        rate_totals=tuple(rate_totals),
        discounts=tuple(discounts),
        currency=draw(st.sampled_from(["PLN", "PLN", "EUR", "USD"])),
        number=draw(texts),
        buyer=draw(st.one_of(st.sampled_from([COMPANY, CONSUMER]), buyers())),
        payments=tuple(draw(st.lists(payments, max_size=2))),
        created_at=created,
        modified_at=created,
        paid_at=draw(st.one_of(st.none(), moments)),
        completed_at=draw(st.one_of(st.none(), moments)),
    )


class TestHostileOrders:
    """Orders that no honest shop sends."""

    @settings(QUICK, max_examples=250)
    @given(hostile_orders())
    def test_an_order_becomes_a_document_or_a_question(self, source: Order) -> None:
        """Broken sums, negative and zero amounts, unknown rates: no other exception and no invalid file."""
        assert_invoice_or_question(source)

    @settings(QUICK, max_examples=100)
    @given(
        buyers(),
        texts,
        baskets(3, texts),
        payments,
        st.tuples(moments, st.one_of(st.none(), moments), st.one_of(st.none(), moments)),
    )
    def test_texts_of_any_kind_end_in_a_valid_document(
        self,
        buyer: Buyer,
        number: str,
        basket: list[Sold],
        payment: Payment,
        times: tuple[datetime, datetime | None, datetime | None],
    ) -> None:
        """Control characters, emoji, surrogates and very long texts never break the file."""
        created, paid, completed = times
        assert_invoice_or_question(
            replace(
                as_shop(basket, gross=True, per_line=True),
                buyer=buyer,
                number=number,
                payments=(payment,),
                created_at=created,
                paid_at=paid,
                completed_at=completed,
            )
        )


def _exempt_eu(source: Order) -> Order:
    german = replace(
        COMPANY,
        tax_exempt=True,
        address=replace(HOME, country="DE"),
        tax_ids=(TaxIdCandidate("DE136695976", "meta vat_number"),),
    )
    return replace(source, buyer=german)


EXTREMES: dict[str, Callable[[], Order]] = {
    "price of 10^15": lambda: order(line("1000000000000000.00", "230000000000000.00")),
    "price of 10^16": lambda: order(line("10000000000000000.00", "2300000000000000.00")),
    "unit price beyond TKwotowy2": lambda: order(line("813008130.08", "186991869.92", quantity="0.000001")),
    "quantity with seven decimals": lambda: order(line("4.07", "0.94", quantity="0.1234567")),
    "quantity of a float's dust": lambda: order(line("4.07", "0.94", quantity="0.30000000000000004")),
    "quantity of 10^7 for 5.01": lambda: order(line("4.07", "0.94", quantity="10000001")),
    "tax with parts of a grosz": lambda: order(line("4.065", "0.935")),
    "total with parts of a grosz": lambda: order(line("4.07", "0.94"), total="5.015"),
    "a discount that is a grosz larger than its lines": lambda: order(
        *(line("0.01", "0.00", id=str(i)) for i in range(3)),
        total="-0.01",
        discounts=(OrderDiscount("9", "Rabat", (TaxShare(D(23), D("0.03"), D("0.01")),)),),
    ),
    "a discount of a rate that no line has, with tax only": lambda: order(
        line("10.00", "0.80", "8"),
        total="10.79",
        discounts=(OrderDiscount("9", "Rabat", (TaxShare(D(23), D("0.00"), D("0.01")),)),),
    ),
    "everything given away": lambda: order(line("0.00", "0.00", before=("10.00", "2.30"))),
    "minus zero as the total": lambda: order(
        line("0.00", "0.00", before=("1.00", "0.23")), total="-0.00", gross=False
    ),
    "not a number": lambda: order(line("NaN", "0.00"), total="1.00"),
    "infinite": lambda: order(line("Infinity", "0.00"), total="1.00"),
    "country that the schema does not know": lambda: order(
        line("1.00", "0.23"), buyer=replace(CONSUMER, address=replace(HOME, country="ZZ"))
    ),
    "country in lower case": lambda: order(
        line("1.00", "0.23"), buyer=replace(CONSUMER, address=replace(HOME, country="pl"))
    ),
    "payment before KSeF's first day": lambda: order(
        line("1.00", "0.23"), paid_at=datetime(1999, 1, 1, tzinfo=UTC)
    ),
    "order before the schema's first day": lambda: order(
        line("1.00", "0.23"), created_at=datetime(1980, 1, 1, tzinfo=UTC)
    ),
    "completed far in the future": lambda: order(
        line("1.00", "0.23"), completed_at=datetime(2060, 1, 1, tzinfo=UTC)
    ),
    "completed after the day of issue": lambda: order(
        line("1.00", "0.23"), completed_at=MOMENT + timedelta(days=40)
    ),
    "10 001 lines": lambda: order(*(line("1.00", "0.23", id=str(i)) for i in range(1, 10_002))),
    "5 000 lines of long names": lambda: order(
        *(line("1.00", "0.23", id=str(i), name="ż" * 300) for i in range(1, 5_001))
    ),
    "exempt EU business": lambda: _exempt_eu(order(line("10.00", "0.00", None, tax_class="zw"))),
}


@pytest.mark.parametrize("name", EXTREMES)
def test_an_extreme_order_becomes_a_document_or_a_question(name: str) -> None:
    """Each value at or over the end of what a schema field holds, one at a time."""
    assert_invoice_or_question(EXTREMES[name]())


def test_a_line_of_two_shares_of_one_category_has_two_line_ids() -> None:
    """UU_ID is unique in a document, or a correction cannot say which line it means."""
    two = replace(
        line("10.00", "0.00", None, tax_class="zw"),
        shares=(TaxShare(None, D("6.00"), D("0.00"), "zw"), TaxShare(D(0), D("4.00"), D("0.00"), "zw")),
    )
    ids = [one.line_id for one in build(order(two)).lines]
    assert len(set(ids)) == len(ids)
