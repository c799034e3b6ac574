"""Recorded orders become documents, their credit slips corrections, which the Ministry accepts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal as D
from pathlib import Path

import pytest

from adapters.prestashop import MappingOptions, map_order, map_refunds, mapping_options
from core.fa import registry, schema
from core.fa.read import read
from core.fa.validate import check_built
from core.fa.write import write
from core.invoices.attention import NeedsAttention
from core.invoices.corrections.policy import CorrectionPolicy, RowStyle
from core.invoices.corrections.refunds import correct
from core.invoices.corrections.state import InvoiceState, state_of
from core.invoices.from_order import draft
from core.invoices.model import Invoice, RateRow
from core.invoices.policy import InvoicePolicy
from core.orders import Order
from tests.invoices.orders import MOMENT, SELLER
from tests.prestashop.bundles import ORDERS, Edit, edits, field, recorded

DAY = date(2026, 11, 24)
KSEF_NUMBER = "5265877635-20261124-0100001AF629-00"
POLICY = InvoicePolicy()

Rates = dict[RateRow, tuple[D, D | None]]

INVOICED: dict[str, tuple[str, Rates]] = {
    "o1": (
        "234.67",
        {
            RateRow.BASIC: (D("109.91"), D("25.28")),
            RateRow.REDUCED: (D("67.50"), D("5.40")),
            RateRow.LOWEST: (D("25.31"), D("1.27")),
        },
    ),
    "o2": ("112.32", {RateRow.BASIC: (D("81.28"), D("18.70")), RateRow.REDUCED: (D("11.43"), D("0.91"))}),
    "o3": ("58.60", {RateRow.BASIC: (D("47.64"), D("10.96"))}),
    "o4": ("171.57", {RateRow.BASIC: (D("88.28"), D("20.31")), RateRow.LOWEST: (D("59.98"), D("3.00"))}),
}
"""Order -> total_paid_tax_incl, and what it leaves per rate."""

# what is left after the slips that become corrections
LEFT: dict[str, Rates] = {
    "o1": INVOICED["o1"][1] | {RateRow.BASIC: (D("65.20"), D("15.00"))},
    "o4": INVOICED["o4"][1] | {RateRow.BASIC: (D("73.15"), D("16.83"))},
}

QUESTIONS = {"7": "refund-line-not-invoiced", "10": "refund-sums-differ"}
"""Slip -> why a person decides: a delivery that was free, and a slip whose sums contradict each other."""


def invoice_of(order: Order, policy: InvoicePolicy = POLICY) -> Invoice:
    return draft(order, SELLER, policy).issue("FV/2026/11/0001", DAY, MOMENT)


def reasons(order: Order) -> list[str]:
    with pytest.raises(NeedsAttention) as caught:
        invoice_of(order)
    return [one.code for one in caught.value.reasons]


def rates_of(invoice: Invoice | InvoiceState) -> Rates:
    rates = invoice.rates.values() if isinstance(invoice, InvoiceState) else invoice.rates
    return {one.row: (one.net, one.vat) for one in rates}


def assert_accepted(
    invoice: Invoice, official: Path, versions: Sequence[registry.FaSchema] = registry.SCHEMAS
) -> None:
    """Our schemas and rules and the Ministry's schemas accept it in each version, and it reads back."""
    for declared in versions:
        data = write(invoice, declared)
        assert check_built(invoice, data, declared, DAY) == []
        tree = schema.parse(data)
        assert schema.check(tree, declared, official / "schemas") == []
        assert read(tree).invoice == invoice


@pytest.mark.parametrize("name", ORDERS)
def test_every_order_becomes_a_valid_document(name: str, official_ksef: Path) -> None:
    """P_15 is what the buyer paid, to the grosz, and each rate is what the order left of it."""
    bundle = recorded(name)
    invoice = invoice_of(map_order(bundle))
    paid, rates = INVOICED[name]
    assert invoice.total == D(paid) == D(bundle.order.fields["total_paid_tax_incl"])
    assert rates_of(invoice) == rates
    assert_accepted(invoice, official_ksef)


def test_the_invoice_of_three_rates_and_two_discounts() -> None:
    """Discounts stand in the lines and are named; buyer, order and payment are the shop's."""
    invoice = invoice_of(map_order(recorded("o1")))
    assert [(one.name, one.quantity, one.gross_amount) for one in invoice.lines] == [
        ("Kubek zolty", D(3), D("127.85")),
        ("Ksiazka Laka", D(1), D("26.58")),
        ("Herbata", D(7), D("72.90")),
        ("My carrier", D(1), D("7.34")),
    ]
    assert [one.value for one in invoice.descriptions] == ["RABAT10: 26.78 PLN", "MINUS15: 15.00 PLN"]
    assert (invoice.buyer.tax_id.value, invoice.buyer.name) == ("5260250274", "Firma Sp. z o.o.")
    assert invoice.terms is not None
    assert invoice.terms.orders[0].number == "VBXFAZXMW"
    assert invoice.payment is not None
    assert invoice.payment.paid_on == DAY


@pytest.mark.parametrize("style", list(RowStyle))
@pytest.mark.parametrize("name", ORDERS)
def test_every_slip_becomes_a_correction_or_a_question(
    name: str, style: RowStyle, official_ksef: Path
) -> None:
    """The corrections are the slips to the grosz, and leave per rate what the buyer finally paid."""
    bundle = recorded(name, slips=True)
    order = map_order(recorded(name))
    state = state_of(invoice_of(order), KSEF_NUMBER)
    given_back = D(0)
    for refund in map_refunds(bundle, map_order(bundle)):
        if refund.id in QUESTIONS:
            with pytest.raises(NeedsAttention) as caught:
                correct(state, refund, CorrectionPolicy(style=style))
            assert [one.code for one in caught.value.reasons] == [QUESTIONS[refund.id]]
            continue
        prepared, proof = correct(state, refund, CorrectionPolicy(style=style))
        correction = prepared.issue(f"KOR/{refund.id}", DAY, MOMENT)
        assert_accepted(correction, official_ksef)
        assert proof.holds, proof.as_text("en")
        assert proof.refunded == refund.amount == -correction.total
        given_back += refund.amount
        state = state_of(state.original, KSEF_NUMBER, [*state.corrections, correction])
    assert state.total == order.total - given_back
    assert rates_of(state) == LEFT.get(name, INVOICED[name][1])


def test_a_price_cut_keeps_the_quantity() -> None:
    """After 10.00 back for one of two mugs, two mugs stand on the correction."""
    bundle = recorded("o4", slips=True)
    price_cut = map_refunds(bundle, map_order(bundle))[1]
    state = state_of(invoice_of(map_order(recorded("o4"))), KSEF_NUMBER)
    correction = correct(state, price_cut, CorrectionPolicy())[0].issue("KOR/1", DAY, MOMENT)
    rows = [(one.before, one.quantity, one.gross_amount) for one in correction.lines]
    assert rows == [(True, D(2), D("99.98")), (False, D(2), D("89.98"))]


@pytest.mark.parametrize("name", ["o1", "o2", "o4"])
def test_what_was_given_back_before_the_invoice_is_a_question(name: str) -> None:
    """An order whose slips came first is not invoiced by itself."""
    assert reasons(map_order(recorded(name, slips=True))) == ["refunded-before-invoice"]


def test_the_merchants_refunded_state_is_a_question() -> None:
    """With the setting, an order in that state is not invoiced by itself."""
    told = mapping_options({"refunded_states": "7"})
    assert reasons(map_order(recorded("o3"), told)) == ["refunded-before-invoice"]


QUESTIONABLE: list[tuple[str, list[Edit], str]] = [
    (
        "a discount that no split explains",
        [
            field("order_cart_rule", "2", "value_tax_excl", "13.500000"),
            field("order", "10", "total_discounts_tax_excl", "36.690000"),
        ],
        "tax-treatment-unknown",
    ),
    ("a total of its own", [field("order", "10", "total_paid_tax_incl", "230.00")], "sums-differ"),
    (
        "a delivery whose tax is not its rate's",
        [field("order", "10", "total_shipping_tax_incl", "9.61")],
        "line-tax-differs",
    ),
    (
        "a delivery without a rate",
        [
            field("order", "10", "total_shipping_tax_incl", "7.000000"),
            field("order", "10", "carrier_tax_rate", "0.000"),
            field("order", "10", "total_paid_tax_incl", "233.06"),
        ],
        "tax-treatment-unknown",
    ),
    ("a mistyped NIP", [field("address", "9", "vat_number", "5260250275")], "buyer-tax-id-invalid"),
    ("two NIPs", [field("address", "9", "dni", "5265877635")], "buyer-tax-ids-differ"),
    ("a company without a NIP", [field("address", "9", "vat_number", "")], "buyer-company-without-tax-id"),
]


@pytest.mark.parametrize(
    ("changes", "code"), [one[1:] for one in QUESTIONABLE], ids=[q[0] for q in QUESTIONABLE]
)
def test_what_is_not_known_is_asked(changes: list[Edit], code: str) -> None:
    """Nothing is guessed: the reason says what a person has to decide."""
    assert code in reasons(map_order(recorded("o1", edit=edits(*changes))))


def test_a_voucher_of_a_credit_slip_pays(official_ksef: Path) -> None:
    """The sale stays whole, and the voucher stands among the payments."""
    bundle = recorded("o1", edit=lambda text: text.replace("MINUS15", "V7C4O9"))
    invoice = invoice_of(map_order(bundle))
    assert invoice.total == D("249.67")
    assert invoice.payment is not None
    assert [one.amount for one in invoice.payment.part_payments] == [D("15.00"), D("234.67")]
    # FA(2) has no forms of part payments to read back
    assert_accepted(invoice, official_ksef, [registry.schema_for("FA3")])


def test_net_prices(official_ksef: Path) -> None:
    """A shop that thinks in net prices gets an invoice that does, with the same total."""
    order = map_order(recorded("o1"), mapping_options({"prices": "net"}))
    invoice = invoice_of(order)
    assert invoice.total == D("234.67")
    assert [one.net_amount for one in invoice.lines] == [D("103.94"), D("25.31"), D("67.50"), D("5.97")]
    assert_accepted(invoice, official_ksef)


def test_the_default_options_are_warsaw_and_no_states() -> None:
    """Mapping without options is mapping with an empty configuration."""
    assert MappingOptions() == mapping_options({})
