"""Refunds become corrections that equal them to the grosz, per rate, one on top of the other."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal as D
from pathlib import Path

import pytest

from adapters.woocommerce.mapping import map_order, map_refund
from core.fa import registry, schema
from core.fa.read import read
from core.fa.validate import check_built
from core.fa.write import write
from core.invoices.attention import NeedsAttention
from core.invoices.corrections.others import buyer_data, to_zero, undo
from core.invoices.corrections.policy import AmountOnly, CorrectionPolicy, RowStyle
from core.invoices.corrections.proof import ProofSheet
from core.invoices.corrections.refunds import correct
from core.invoices.corrections.state import InvoiceState, state_of
from core.invoices.from_order import draft
from core.invoices.model import Address, Buyer, CorrectionType, Invoice, InvoiceKind, RateRow, TaxId
from core.invoices.policy import ExchangeRate, InvoicePolicy
from core.orders import LineKind, Order, OrderDiscount, OrderLine, RateTotal, Refund, TaxShare
from tests.invoices.orders import MOMENT, SELLER, line, order

DAY = date(2026, 11, 24)
KSEF_NUMBER = "5265877635-20261124-0100001AF629-00"
DATA = Path(__file__).resolve().parent.parent / "data" / "woocommerce"
POLICY = InvoicePolicy()
STYLES = list(RowStyle)


def recorded(name: str) -> object:
    return json.loads((DATA / f"{name}.json").read_text("utf-8"), parse_float=D)


def invoice_of(source: Order, policy: InvoicePolicy = POLICY) -> Invoice:
    return draft(source, SELLER, policy).issue("FV/2026/11/0001", DAY, MOMENT)


def issued(state: InvoiceState, refund: Refund, rules: CorrectionPolicy) -> tuple[Invoice, ProofSheet]:
    """The correction of a refund, checked in both schema versions."""
    prepared, proof = correct(state, refund, rules)
    number = f"KOR/2026/11/{len(state.corrections) + 1:04}"
    correction = prepared.issue(number, DAY, MOMENT)
    assert_valid(correction)
    assert proof.holds, proof.as_text("en")
    assert proof.refunded == refund.amount == -correction.total
    return correction, proof


def assert_valid(correction: Invoice) -> None:
    """Schemas and rules find nothing, and reading gives the same model back."""
    for declared in registry.SCHEMAS:
        data = write(correction, declared)
        assert check_built(correction, data, declared, DAY) == []
        assert read(schema.parse(data)).invoice == correction


def after(state: InvoiceState, *corrections: Invoice) -> InvoiceState:
    return state_of(state.original, state.ksef_number, [*state.corrections, *corrections])


def refund_of(source: Order, *lines: OrderLine, amount: str, reason: str = "") -> Refund:
    return Refund("test", "77", source.id, D(amount), MOMENT, source.currency, lines, reason)


def codes(state: InvoiceState, refund: Refund, rules: CorrectionPolicy | None = None) -> list[str]:
    with pytest.raises(NeedsAttention) as caught:
        correct(state, refund, rules or CorrectionPolicy())
    assert all(one.message.pl and one.message.en and one.hint.pl for one in caught.value.reasons)
    return [one.code for one in caught.value.reasons]


def rows(correction: Invoice) -> list[tuple[bool, D | None, D | None]]:
    return [(one.before, one.quantity, one.amount) for one in correction.lines]


class TestRecordedRefunds:
    """The refunds of a real shop on a real order, one on top of the other."""

    @pytest.mark.parametrize("style", STYLES)
    def test_three_refunds_and_the_rest_end_at_zero(self, style: RowStyle) -> None:
        """A piece, the delivery, an amount, and everything that is left: nothing stays, in any rate."""
        source = map_order(recorded("order_full"))
        rules = CorrectionPolicy(style=style, amount_only=AmountOnly.SPREAD)
        state = state_of(invoice_of(source), KSEF_NUMBER)
        for name in ("refund_partial_line_created", "refund_shipping_only", "refund_amount_only"):
            correction, _ = issued(state, map_refund(recorded(name), source), rules)
            state = after(state, correction)
        assert state.total == D("246.55") - D("43.62") - D("19.00") - D("10.00")
        rest = Refund("woocommerce", "99", source.id, state.total, MOMENT, "PLN")
        correction, _ = issued(state, rest, rules)
        state = after(state, correction)
        assert state.total == 0
        assert all(rate.net == 0 and not rate.vat for rate in state.rates.values())
        assert all(not one.amount and not one.quantity for one in state.lines)

    def test_one_piece_back_lowers_quantity_and_amount(self) -> None:
        """43.62 back for one of three mugs: two stay, and the shop's own price counts, not the spread one."""
        source = map_order(recorded("order_full"))
        state = state_of(invoice_of(source), KSEF_NUMBER)
        refund = map_refund(recorded("refund_partial_line_created"), source)
        correction, proof = issued(state, refund, CorrectionPolicy())
        assert rows(correction) == [(True, D(3), D("128.43")), (False, D(2), D("84.81"))]
        assert proof.rows[0].corrected_tax == D("8.16")
        assert correction.correction is not None
        assert correction.correction.reason == "Zwrot 1 szt."
        assert correction.correction.originals[0].ksef_number == KSEF_NUMBER

    def test_delivery_back_takes_the_grosz_that_the_shop_gave(self) -> None:
        """The shop gave 19.00 for a delivery of 18.99, of which a discount had taken 0.36."""
        source = map_order(recorded("order_full"))
        state = state_of(invoice_of(source), KSEF_NUMBER)
        correction, _ = issued(
            state, map_refund(recorded("refund_shipping_only"), source), CorrectionPolicy()
        )
        assert {rate.row: rate.gross for rate in correction.rates} == {RateRow.BASIC: D("-19.00")}

    def test_an_amount_without_lines_asks_unless_the_policy_splits(self) -> None:
        """10.00 back without lines could be any rate."""
        source = map_order(recorded("order_full"))
        state = state_of(invoice_of(source), KSEF_NUMBER)
        refund = map_refund(recorded("refund_amount_only"), source)
        assert codes(state, refund) == ["refund-without-lines"]
        correction, _ = issued(state, refund, CorrectionPolicy(amount_only=AmountOnly.SPREAD))
        assert len(correction.rates) == 3

    def test_the_whole_amount_needs_no_lines(self) -> None:
        """Everything back is clear in every rate, also when the shop names no lines."""
        source = replace(map_order(recorded("order_full")), refunds=())
        state = state_of(invoice_of(source), KSEF_NUMBER)
        refund = Refund("woocommerce", "5", source.id, D("246.55"), MOMENT, "PLN")
        correction, _ = issued(state, refund, CorrectionPolicy())
        assert after(state, correction).total == 0


class TestKinds:
    def test_a_lower_price_keeps_the_quantity(self) -> None:
        """Money back for goods that stay: same quantity, larger discount, or a row with a negative price."""
        source = order(line("100.00", "23.00", quantity="2"))
        state = state_of(invoice_of(source), KSEF_NUMBER)
        refund = refund_of(source, line("10.00", "2.30", quantity="0"), amount="12.30")
        pairs, _ = issued(state, refund, CorrectionPolicy())
        assert rows(pairs) == [(True, D(2), D("123.00")), (False, D(2), D("110.70"))]
        single, _ = issued(state, refund, CorrectionPolicy(style=RowStyle.DIFFERENCES))
        assert [(one.quantity, one.gross_price, one.amount) for one in single.lines] == [
            (D(2), D("-6.15"), D("-12.30"))
        ]
        for correction in (pairs, single):
            (left,) = after(state, correction).lines
            assert (left.quantity, left.amount) == (D(2), D("110.70"))

    def test_a_fee_alone(self) -> None:
        """Only the fee comes back; the goods are not touched."""
        fee = line("5.00", "1.15", id="5", kind=LineKind.FEE, name="Opłata")
        source = order(line("100.00", "23.00"), fee)
        state = state_of(invoice_of(source), KSEF_NUMBER)
        correction, _ = issued(state, refund_of(source, fee, amount="6.15"), CorrectionPolicy())
        assert rows(correction) == [(True, D(1), D("6.15")), (False, D(0), D("0.00"))]

    def test_goods_back_with_less_money_keep_the_quantity(self) -> None:
        """All pieces back, part of the money stays: the price is lower, nothing is invented."""
        source = order(line("100.00", "23.00", quantity="2"))
        state = state_of(invoice_of(source), KSEF_NUMBER)
        refund = refund_of(source, line("50.00", "11.50", quantity="2"), amount="61.50")
        correction, _ = issued(state, refund, CorrectionPolicy())
        assert rows(correction)[1] == (False, D(2), D("61.50"))

    @pytest.mark.parametrize("style", STYLES)
    def test_net_prices(self, style: RowStyle) -> None:
        """In a net-price shop the net amounts move, and the tax that the shop gave back."""
        source = order(line("0.37", "0.09", quantity="1"), line("0.13", "0.03", id="2"), gross=False)
        state = state_of(invoice_of(source), KSEF_NUMBER)
        refund = refund_of(source, line("0.13", "0.03", id="2"), amount="0.16")
        correction, proof = issued(state, refund, CorrectionPolicy(style=style))
        assert proof.rows[0].corrected_net == D("0.13")
        assert after(state, correction).total == D("0.46")

    def test_the_last_refund_takes_the_tax_that_is_left(self) -> None:
        """The shop's rounding of the second refund is a grosz off; nothing may stay in the rate."""
        source = order(
            line("0.80", "0.19"), line("0.80", "0.19", id="2"), rate_totals=(RateTotal(D(23), D("0.37")),)
        )
        state = state_of(invoice_of(source), KSEF_NUMBER)
        assert state.rates[RateRow.BASIC].vat == D("0.37")
        first, _ = issued(state, refund_of(source, line("0.80", "0.19"), amount="0.99"), CorrectionPolicy())
        state = after(state, first)
        second, _ = issued(
            state, refund_of(source, line("0.80", "0.19", id="2"), amount="0.99"), CorrectionPolicy()
        )
        left = after(state, second).rates[RateRow.BASIC]
        assert (left.net, left.vat) == (D("0.00"), D("0.00"))

    def test_line_by_line_tax_goes_on_line_by_line(self) -> None:
        """An invoice with P_11Vat is corrected with P_11Vat."""
        three = [line("0.80", "0.19", id=str(i)) for i in range(3)]
        source = order(*three, rate_totals=(RateTotal(D(23), D("0.57")),))
        state = state_of(invoice_of(source), KSEF_NUMBER)
        correction, _ = issued(state, refund_of(source, three[0], amount="0.99"), CorrectionPolicy())
        assert [one.vat for one in correction.lines] == [D("0.19"), D("0.00")]
        assert after(state, correction).rates[RateRow.BASIC].vat == D("0.38")

    def test_foreign_currency_corrects_tax_in_pln_at_the_invoices_rate(self) -> None:
        """The rate of the corrected invoice stays, and a full refund leaves no grosz of PLN."""
        policy = InvoicePolicy(exchange_rates={"EUR": ExchangeRate("EUR", D("4.2617"))})
        source = order(line("30.10", "6.92", quantity="2"), currency="EUR")
        state = state_of(invoice_of(source, policy), KSEF_NUMBER)
        assert state.rates[RateRow.BASIC].vat_pln == D("29.49")
        half, _ = issued(state, refund_of(source, line("15.05", "3.46"), amount="18.51"), CorrectionPolicy())
        assert half.rates[0].vat_pln == D("-14.75")
        state = after(state, half)
        rest, _ = issued(state, refund_of(source, line("15.05", "3.46"), amount="18.51"), CorrectionPolicy())
        assert after(state, rest).rates[RateRow.BASIC].vat_pln == D("0.00")

    def test_a_refunded_order_discount_lowers_what_its_rate_gives_back(self) -> None:
        """The shop takes the discount back with the goods: 123.00 less 12.30."""
        discount = OrderDiscount("9", "Rabat", (TaxShare(D(23), D("10.00"), D("2.30")),))
        source = order(line("100.00", "23.00"), total="110.70", discounts=(discount,))
        state = state_of(invoice_of(source), KSEF_NUMBER)
        taken_back = line("-10.00", "-2.30", id="9", kind=LineKind.FEE, name="Rabat")
        refund = refund_of(source, line("100.00", "23.00"), taken_back, amount="110.70")
        correction, _ = issued(state, refund, CorrectionPolicy())
        assert after(state, correction).total == 0

    def test_advance_and_settlement_have_their_own_kinds(self) -> None:
        """ZAL is corrected by KOR_ZAL, ROZ by KOR_ROZ."""
        source = order(line("100.00", "23.00"))
        for kind, wanted in (
            (InvoiceKind.ADVANCE, InvoiceKind.ADVANCE_CORRECTION),
            (InvoiceKind.SETTLEMENT, InvoiceKind.SETTLEMENT_CORRECTION),
        ):
            state = state_of(replace(invoice_of(source), kind=kind), KSEF_NUMBER)
            prepared = to_zero(state, "anulowanie", CorrectionPolicy())
            assert prepared.invoice.kind is wanted


class TestReasons:
    def source(self) -> Order:
        return order(line("100.00", "23.00"), line("10.00", "0.80", "8", id="2"))

    def state(self) -> InvoiceState:
        return state_of(invoice_of(self.source()), KSEF_NUMBER)

    def test_more_than_was_paid(self) -> None:
        """A refund above the invoice's rest belongs to something else."""
        assert codes(self.state(), refund_of(self.source(), amount="133.81")) == ["refund-exceeds-invoice"]

    def test_nothing(self) -> None:
        """Goods back without money change no amount."""
        assert codes(self.state(), refund_of(self.source(), line("0", "0"), amount="0")) == [
            "refund-of-nothing"
        ]

    def test_a_line_that_is_not_on_the_invoice(self) -> None:
        """Added to the order after the invoice."""
        refund = refund_of(self.source(), line("5.00", "1.15", id="77"), amount="6.15")
        assert codes(self.state(), refund) == ["refund-line-not-invoiced"]

    def test_lines_that_do_not_add_up(self) -> None:
        """Three grosz apart is no rounding."""
        refund = refund_of(self.source(), line("10.00", "2.30"), amount="12.27")
        assert codes(self.state(), refund) == ["refund-sums-differ"]

    def test_more_than_a_rate_has_left(self) -> None:
        """20.00 back at 8 % of which only 10.80 was sold."""
        refund = refund_of(self.source(), line("18.52", "1.48", "8", id="2"), amount="20.00")
        assert codes(self.state(), refund) == ["refund-exceeds-rate"]

    def test_a_tax_that_is_not_the_rates(self) -> None:
        """12.30 back with 5.00 of tax at 23 %."""
        refund = refund_of(self.source(), line("7.30", "5.00"), amount="12.30")
        assert codes(self.state(), refund) == ["refund-tax-differs"]


class TestOthers:
    def state(self, corrections: Sequence[Invoice] = ()) -> InvoiceState:
        return state_of(invoice_of(self.source()), KSEF_NUMBER, corrections)

    def source(self) -> Order:
        return order(line("100.00", "23.00", quantity="4"), line("10.00", "0.80", "8", id="2"))

    @pytest.mark.parametrize("style", STYLES)
    def test_to_zero(self, style: RowStyle) -> None:
        """A cancelled order or a wrong NIP: everything back, in every rate."""
        correction = to_zero(self.state(), "błędny NIP nabywcy", CorrectionPolicy(style=style)).issue(
            "KOR/1", DAY, MOMENT
        )
        assert_valid(correction)
        assert self.state([correction]).total == 0

    @pytest.mark.parametrize("style", STYLES)
    def test_a_deleted_refund_is_undone_also_under_later_corrections(self, style: RowStyle) -> None:
        """The first of two corrections is taken back; the second stays in force."""
        rules = CorrectionPolicy(style=style)
        first, _ = issued(
            self.state(), refund_of(self.source(), line("25.00", "5.75"), amount="30.75"), rules
        )
        second, _ = issued(
            self.state([first]),
            refund_of(self.source(), line("50.00", "11.50", quantity="2"), amount="61.50"),
            rules,
        )
        state = self.state([first, second])
        undone = undo(state, first, "zwrot usunięto", rules).issue("KOR/3", DAY, MOMENT)
        assert_valid(undone)
        assert undone.total == D("30.75")
        left = after(state, undone)
        assert left.total == D("133.80") - D("61.50")
        assert (left.lines[0].quantity, left.lines[0].amount) == (D(2), D("61.50"))

    def test_only_a_correction_of_this_invoice_can_be_undone(self) -> None:
        """Undoing something foreign is a mistake of the caller."""
        with pytest.raises(ValueError, match="correction of this invoice"):
            undo(self.state(), invoice_of(self.source()), "x", CorrectionPolicy())

    def test_a_wrong_name_moves_no_amount(self) -> None:
        """Podmiot2 with the right name, Podmiot2K with the wrong one, P_15 zero, no rows."""
        state = self.state()
        right = Buyer(
            TaxId.nip("5260250274"), "Nowa Nazwa S.A.", Address("PL", "ul. Nowa 1", "00-001 Warszawa")
        )
        correction = buyer_data(state, right, "błędna nazwa nabywcy").issue("KOR/1", DAY, MOMENT)
        assert_valid(correction)
        assert correction.total == 0
        assert correction.lines == ()
        assert correction.correction is not None
        (previous,) = correction.correction.previous_buyers
        assert (previous.name, correction.buyer.name) == ("Nabywca S.A.", "Nowa Nazwa S.A.")
        assert previous.key == correction.buyer.key
        assert correction.correction.type is CorrectionType.ORIGINAL_DAY

    def test_a_wrong_nip_is_no_matter_of_data(self) -> None:
        """The schema asks for a correction to zero and a new invoice."""
        with pytest.raises(ValueError, match="corrected to zero"):
            buyer_data(self.state(), Buyer(TaxId.nip("5213017228"), "X"), "błędny NIP")

    def test_an_original_outside_ksef_says_so(self) -> None:
        """NrKSeFN instead of a number."""
        state = state_of(invoice_of(self.source()), "")
        correction = to_zero(state, "anulowanie", CorrectionPolicy()).issue("KOR/1", DAY, MOMENT)
        assert_valid(correction)
        assert b"<NrKSeFN>1</NrKSeFN>" in write(correction, registry.FA3)


def test_the_proof_says_the_same_in_text_and_json() -> None:
    """Both show the refund, the correction and what is left, per rate."""
    source = order(line("100.00", "23.00"))
    state = state_of(invoice_of(source), KSEF_NUMBER)
    _, proof = issued(
        state, refund_of(source, line("10.00", "2.30", quantity="0"), amount="12.30"), CorrectionPolicy()
    )
    values = proof.as_json()
    assert values["holds"] is True
    assert values["rates"][0]["refunded_tax"] == values["rates"][0]["corrected_tax"] == "2.30"
    for language, word in (("pl", "zostaje"), ("en", "left")):
        text = proof.as_text(language)
        assert "12.30 PLN = 12.30 PLN" in text
        assert word in text


def test_a_proof_that_does_not_hold_says_so() -> None:
    """The verdict comes from the amounts, not from how they were made."""
    source = order(line("100.00", "23.00"))
    state = state_of(invoice_of(source), KSEF_NUMBER)
    _, proof = correct(
        state,
        refund_of(source, line("10.00", "2.30", quantity="0"), amount="12.30"),
        CorrectionPolicy(),
    )
    wrong = replace(proof, corrected=D("12.29"))
    assert not wrong.holds
    assert "≠" in wrong.as_text()
