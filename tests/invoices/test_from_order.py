"""Orders become invoices: amounts, ways of counting, discounts, and every reason for a person."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal as D

import pytest

from core.invoices.attention import NeedsAttention
from core.invoices.from_order import draft
from core.invoices.model import BankAccount, Invoice, TaxId, VatCategory
from core.invoices.policy import CompanyWithoutNip, ExchangeRate, InvoicePolicy
from core.orders import (
    Buyer,
    LineKind,
    Order,
    OrderDiscount,
    Payment,
    PaymentForm,
    PaymentKind,
    PostalAddress,
    RateTotal,
    RefundRef,
    TaxIdCandidate,
    TaxShare,
)
from tests.invoices.orders import COMPANY, CONSUMER, HOME, MOMENT, SELLER, line, order

DAY = date(2026, 11, 24)


def build(source: Order, policy: InvoicePolicy | None = None) -> Invoice:
    return draft(source, SELLER, policy or InvoicePolicy()).issue("FV/2026/11/0001", DAY, MOMENT)


def reasons(source: Order, policy: InvoicePolicy | None = None) -> list[str]:
    with pytest.raises(NeedsAttention) as caught:
        build(source, policy)
    assert all(one.message.pl and one.message.en and one.hint.pl for one in caught.value.reasons)
    return [one.code for one in caught.value.reasons]


_NAMES = {"P_13_1": "23", "P_13_2": "8", "P_13_3": "5", "P_13_6_1": "0 KR", "P_13_7": "zw"}


def table(invoice: Invoice) -> dict[str, tuple[D, D | None]]:
    return {_NAMES[rate.row.value]: (rate.net, rate.vat) for rate in invoice.rates}


class TestCounting:
    def test_gross_prices_count_tax_from_the_sum_of_gross(self) -> None:
        """Three lines of 0.99 gross: tax from 2.97 (0.56), not three times 0.19 (0.57)."""
        three = [line("0.80", "0.19", id=str(i)) for i in range(3)]
        invoice = build(order(*three, rate_totals=(RateTotal(D(23), D("0.56")),)))
        assert table(invoice) == {"23": (D("2.41"), D("0.56"))}
        assert all(one.vat is None for one in invoice.lines)

    def test_the_shops_line_by_line_tax_wins_and_is_shown_on_lines(self) -> None:
        """When only the sum of line taxes explains the shop's tax, P_11Vat states it (art. 106e ust. 10)."""
        three = [line("0.80", "0.19", id=str(i)) for i in range(3)]
        invoice = build(order(*three, rate_totals=(RateTotal(D(23), D("0.57")),)))
        assert table(invoice) == {"23": (D("2.40"), D("0.57"))}
        assert [one.vat for one in invoice.lines] == [D("0.19")] * 3

    def test_net_prices_count_tax_from_the_sum_of_net(self) -> None:
        """The shop rounded at the subtotal: lines say 0.21 of tax, the order 0.20."""
        lines = [line("0.37", "0.09", id="1"), line("0.13", "0.03", id="2"), line("0.37", "0.09", id="3")]
        invoice = build(order(*lines, gross=False, total="1.07", rate_totals=(RateTotal(D(23), D("0.20")),)))
        assert table(invoice) == {"23": (D("0.87"), D("0.20"))}
        assert invoice.total == D("1.07")
        assert [one.unit_price for one in invoice.lines] == [D("0.37"), D("0.13"), D("0.37")]

    def test_a_tax_that_no_way_explains_is_left_up_to_two_grosz(self) -> None:
        """0.02 apart: the shop's charged tax stands, and the total stays the shop's."""
        invoice = build(order(line("100.00", "23.00"), rate_totals=(RateTotal(D(23), D("23.02")),)))
        assert table(invoice) == {"23": (D("99.98"), D("23.02"))}

    def test_a_tax_three_grosz_apart_needs_a_person(self) -> None:
        """0.03 apart is no rounding."""
        assert reasons(order(line("100.00", "23.00"), rate_totals=(RateTotal(D(23), D("23.03")),))) == [
            "rate-tax-differs"
        ]

    def test_line_taxes_that_are_all_off_the_same_way_need_a_person(self) -> None:
        """Two grosz on each of three lines is more than rounding each of them can give."""
        three = [line("100.00", "23.02", id=str(i)) for i in range(3)]
        assert reasons(order(*three)) == ["rate-tax-differs"]

    @pytest.mark.parametrize("gross", [True, False])
    @pytest.mark.parametrize("off", ["0.01", "-0.02", "0.02"])
    def test_a_total_up_to_two_grosz_apart_moves_the_largest_line(self, off: str, gross: bool) -> None:
        """The buyer's total is sacred: P_15 is what was charged, and the table adds up to it."""
        total = D("135.30") + D(off)
        invoice = build(
            order(
                line("10.00", "2.30", id="1"), line("100.00", "23.00", id="2"), total=str(total), gross=gross
            )
        )
        assert invoice.total == total == sum(rate.gross for rate in invoice.rates)
        assert invoice.lines[0].amount == (D("12.30") if gross else D("10.00"))
        moved = invoice.lines[1].amount
        assert moved is not None
        assert moved - (D("123.00") if gross else D("100.00")) == D(off)

    def test_a_total_three_grosz_apart_needs_a_person(self) -> None:
        """Amounts changed by hand or a plugin's fee are never explained away."""
        assert reasons(order(line("100.00", "23.00"), total="123.03")) == ["sums-differ"]

    def test_a_line_whose_tax_is_not_its_rate_needs_a_person(self) -> None:
        """8 of tax on 100 at 23 % is not a rounding."""
        assert "line-tax-differs" in reasons(order(line("100.00", "8.00")))

    def test_each_rate_has_its_row_in_the_schemas_order(self) -> None:
        """23, 8, 5, 0 and exempt side by side, whatever the order of the lines."""
        policy = InvoicePolicy(
            tax_classes={"zero-rate": VatCategory.ZERO, "zw": VatCategory.EXEMPT},
            exemption_law="art. 113 ust. 1 ustawy o VAT",
        )
        invoice = build(
            order(
                line("10.00", "0.00", None, id="1", tax_class="zw"),
                line("20.00", "0.00", "0", id="2", tax_class="zero-rate"),
                line("30.00", "1.50", "5", id="3"),
                line("40.00", "3.20", "8", id="4"),
                line("50.00", "11.50", "23", id="5"),
            ),
            policy,
        )
        assert list(table(invoice)) == ["23", "8", "5", "0 KR", "zw"]
        assert invoice.annotations.exemption_law == "art. 113 ust. 1 ustawy o VAT"


class TestPrices:
    def test_the_unit_price_is_before_the_discount_and_the_discount_stands_apart(self) -> None:
        """3 × 49.99 less 19.12 is 130.85."""
        one = line("106.38", "24.47", quantity="3", before=("121.93", "28.04"))
        built = build(order(one)).lines[0]
        assert (built.unit_price, built.discount, built.amount) == (D("49.99"), D("19.12"), D("130.85"))

    def test_a_price_that_does_not_divide_has_eight_decimals(self) -> None:
        """10.00 for 3 pieces is 3.33333333 each; the amount stays 10.00."""
        built = build(order(line("8.13", "1.87", quantity="3"))).lines[0]
        assert (built.unit_price, built.amount) == (D("3.33333333"), D("10.00"))

    def test_an_order_discount_is_spread_by_rate_and_never_a_negative_line(self) -> None:
        """4.65 off in three rates lowers only the lines of each rate, to the grosz."""
        discount = OrderDiscount(
            "9", "Rabat", (TaxShare(D(23), D("2.35"), D("0.54")), TaxShare(D(8), D("1.17"), D("0.09")))
        )
        source = order(
            line("106.38", "24.47", id="1"),
            line("15.44", "3.55", id="2", kind=LineKind.SHIPPING),
            line("63.18", "5.05", "8", id="3"),
            total="213.92",
            discounts=(discount,),
        )
        invoice = build(source)
        assert sum(one.amount or 0 for one in invoice.lines) == D("213.92")
        assert [one.discount for one in invoice.lines] == [D("2.52"), D("0.37"), D("1.26")]
        assert invoice.descriptions[0].value == "Rabat: 4.15 PLN"

    def test_a_discount_larger_than_its_lines_needs_a_person(self) -> None:
        """A discount of 8 % cannot be taken off lines of 23 %."""
        discount = OrderDiscount("9", "Rabat", (TaxShare(D(8), D("1.00"), D("0.08")),))
        found = reasons(order(line("10.00", "2.30"), total="11.22", discounts=(discount,)))
        assert found[0] == "discount-exceeds-lines"

    def test_free_delivery_is_left_out_and_a_free_gift_is_mentioned(self) -> None:
        """Nothing was charged, so their unknown tax treatment does not stop the invoice."""
        invoice = build(
            order(
                line("10.00", "2.30", id="1"),
                line("0.00", "0.00", None, id="2", kind=LineKind.SHIPPING, name="Darmowa dostawa"),
                line("0.00", "0.00", None, id="3", name="Gratis", quantity="2"),
            )
        )
        assert [one.name for one in invoice.lines] == ["Towar"]
        assert invoice.descriptions[0].value == "Gratis × 2"

    def test_line_ids_stay_the_same_when_the_invoice_is_built_again(self) -> None:
        """UU_ID depends on the order's line only, so corrections can refer to it."""
        source = order(line("10.00", "2.30", id="7"))
        again = build(replace(source, modified_at=datetime(2027, 1, 1, tzinfo=UTC)))
        assert build(source).lines[0].line_id == again.lines[0].line_id


class TestBuyer:
    def test_a_company_is_named_by_its_nip(self) -> None:
        """Hyphens and a PL in front do not matter."""
        assert build(order(line("1.00", "0.23"))).buyer.tax_id == TaxId.nip("5260250274")

    def test_a_consumer_has_no_identifier_and_the_persons_name(self) -> None:
        """BrakID, first and last name."""
        buyer = build(order(line("1.00", "0.23"), buyer=CONSUMER)).buyer
        assert (buyer.tax_id, buyer.name) == (TaxId.none(), "Test Testowy")

    def test_an_eu_number_goes_to_its_own_field(self) -> None:
        """A checked German number keeps its country apart."""
        eu = replace(COMPANY, tax_ids=(TaxIdCandidate("DE 136 695 976", "meta vat_number"),))
        assert build(order(line("1.00", "0.23"), buyer=eu)).buyer.tax_id == TaxId.eu_vat("DE", "136695976")

    def test_a_broken_number_needs_a_person_who_is_told_where_it_stands(self) -> None:
        """The sentence shows the number and the shop's field."""
        broken = replace(COMPANY, tax_ids=(TaxIdCandidate("676-000-00-00", "meta _wc_billing/sklep/nip"),))
        with pytest.raises(NeedsAttention) as caught:
            build(order(line("1.00", "0.23"), buyer=broken))
        (reason,) = caught.value.reasons
        assert reason.code == "buyer-tax-id-invalid"
        assert "676-000-00-00" in reason.message.pl
        assert "_wc_billing/sklep/nip" in reason.message.pl

    def test_a_right_number_wins_over_a_broken_one(self) -> None:
        """Of several fields, one right number is enough."""
        both = replace(
            COMPANY, tax_ids=(TaxIdCandidate("676-000-00-00", "a"), TaxIdCandidate("PL5260250274", "b"))
        )
        assert build(order(line("1.00", "0.23"), buyer=both)).buyer.tax_id == TaxId.nip("5260250274")

    def test_two_different_right_numbers_need_a_person(self) -> None:
        """Which of them is the buyer's cannot be known."""
        both = replace(
            COMPANY, tax_ids=(TaxIdCandidate("5213017228", "a"), TaxIdCandidate("5260250274", "b"))
        )
        assert reasons(order(line("1.00", "0.23"), buyer=both)) == ["buyer-tax-ids-differ"]

    def test_a_broken_number_in_free_text_is_no_number(self) -> None:
        """Digits in a customer's remark do not stop a consumer's invoice."""
        loose = replace(CONSUMER, tax_ids=(TaxIdCandidate("1234567890", "customer note", free_text=True),))
        assert build(order(line("1.00", "0.23"), buyer=loose)).buyer.tax_id == TaxId.none()

    def test_a_company_without_a_number_follows_the_policy(self) -> None:
        """By default a person decides; the merchant may call such buyers consumers."""
        source = order(line("1.00", "0.23"), buyer=replace(COMPANY, tax_ids=()))
        assert reasons(source) == ["buyer-company-without-tax-id"]
        allowed = InvoicePolicy(company_without_nip=CompanyWithoutNip.CONSUMER)
        assert build(source, allowed).buyer.name == "Nabywca S.A."

    def test_missing_name_and_address_are_all_named_at_once(self) -> None:
        """The merchant gets every gap in one go."""
        assert (
            reasons(order(line("1.00", "0.23"), buyer=Buyer(address=PostalAddress(country="PL"))))
            == ["buyer-data-missing"] * 3
        )

    def test_texts_lose_what_ksef_refuses(self) -> None:
        """Control and discouraged characters, line ends and double spaces go; everything else stays."""
        odd = replace(CONSUMER, last_name="Żółć\x00\u0090  \n<&>\ufdd0 😀")
        assert build(order(line("1.00", "0.23"), buyer=odd)).buyer.name == "Test Żółć <&> 😀"


class TestTreatment:
    @pytest.mark.parametrize("rate", [None, "0", "19", "7.5"])
    def test_an_unknown_treatment_needs_a_person(self, rate: str | None) -> None:
        """No rate, 0 % without a mapping and foreign rates are never guessed."""
        tax = "1.90" if rate == "19" else "0.75" if rate == "7.5" else "0.00"
        assert reasons(order(line("10.00", tax, rate))) == ["tax-treatment-unknown"]

    def test_an_exempt_line_needs_a_legal_basis(self) -> None:
        """The law asks for the basis on the invoice."""
        policy = InvoicePolicy(tax_classes={"none": VatCategory.EXEMPT})
        assert reasons(order(line("10.00", "0.00", None)), policy) == ["exemption-basis-missing"]

    def test_a_sold_voucher_needs_a_person(self) -> None:
        """Its sale may be outside VAT."""
        assert reasons(order(line("50.00", "0.00", None, kind=LineKind.GIFT_CARD_SOLD))) == ["voucher-sold"]

    def test_an_order_without_charges_is_not_invoiced(self) -> None:
        """Only free lines are no sale."""
        assert reasons(order(line("0.00", "0.00", None))) == ["nothing-sold"]

    @pytest.mark.parametrize("quantity", ["0", "-1"])
    def test_a_line_without_a_positive_quantity_needs_a_person(self, quantity: str) -> None:
        """Negative lines belong to corrections."""
        assert reasons(order(line("10.00", "2.30", quantity=quantity))) == ["line-not-a-sale"]

    def test_a_refund_before_the_invoice_needs_a_person(self) -> None:
        """Whole order or the rest: nobody but the merchant knows."""
        source = order(line("10.00", "2.30"), refunds=(RefundRef("5", D("4.00")),))
        assert reasons(source) == ["refunded-before-invoice"]

    def test_a_foreign_currency_without_a_rate_needs_a_person(self) -> None:
        """Tax must be stated in PLN."""
        assert reasons(order(line("3.01", "0.69"), currency="EUR")) == ["currency-without-rate"]

    def test_a_foreign_currency_with_a_rate_states_tax_in_pln(self) -> None:
        """P_14_1W is the tax times the rate; each line names the rate."""
        rate = ExchangeRate("EUR", D("4.2617"), "226/A/NBP/2026", date(2026, 11, 23))
        invoice = build(
            order(line("3.01", "0.69"), currency="EUR"), InvoicePolicy(exchange_rates={"EUR": rate})
        )
        assert invoice.rates[0].vat_pln == D("2.94")
        assert invoice.lines[0].exchange_rate == D("4.2617")


class TestTerms:
    def test_the_sale_day_is_stated_only_when_it_differs(self) -> None:
        """Paid on the day of issue: no P_6. Paid the day before, by Warsaw time: P_6."""
        source = order(line("1.00", "0.23"))
        assert build(source).sold_on is None
        late = replace(source, paid_at=datetime(2026, 11, 22, 23, 30, tzinfo=UTC))
        assert build(late).sold_on == date(2026, 11, 23)

    def test_an_unpaid_transfer_names_the_account_and_a_paid_one_does_not(self) -> None:
        """An account number helps only who still has to pay."""
        account = BankAccount("61109010140000071219812874")
        policy = InvoicePolicy(account=account)
        transfer = Payment(PaymentKind.GATEWAY, "bacs", "Przelew", form=PaymentForm.TRANSFER)
        unpaid = build(order(line("1.00", "0.23"), payments=(transfer,), paid_at=None), policy).payment
        assert unpaid is not None
        assert unpaid.accounts == (account,)
        paid = build(order(line("1.00", "0.23"), payments=(transfer,)), policy).payment
        assert paid is not None
        assert (paid.accounts, paid.paid_on, paid.form) == ((), DAY, PaymentForm.TRANSFER)

    def test_an_unknown_gateway_is_named_in_words(self) -> None:
        """OpisPlatnosci carries what the buyer saw; the merchant's mapping wins over it."""
        gateway = Payment(PaymentKind.GATEWAY, "nowa_bramka", "Nowa bramka")
        source = order(line("1.00", "0.23"), payments=(gateway,))
        described = build(source).payment
        assert described is not None
        assert described.description == "Nowa bramka"
        mapped = build(source, InvoicePolicy(payment_forms={"nowa_bramka": PaymentForm.MOBILE})).payment
        assert mapped is not None
        assert (mapped.form, mapped.description) == (PaymentForm.MOBILE, "")

    def test_created_at_has_whole_seconds(self) -> None:
        """DataWytworzeniaFa carries no fractions."""
        prepared = draft(order(line("1.00", "0.23")), SELLER, InvoicePolicy())
        invoice = prepared.issue("1", DAY, datetime(2026, 11, 24, 9, 0, 0, 123456, tzinfo=UTC))
        assert invoice.created_at == datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def test_every_reason_is_collected() -> None:
    """A broken number, a missing address and an unknown treatment come together, not one by one."""
    source = order(
        line("10.00", "0.00", None),
        buyer=Buyer(company="X", address=replace(HOME, city=""), tax_ids=(TaxIdCandidate("1", "pole"),)),
    )
    assert set(reasons(source)) == {"buyer-tax-id-invalid", "buyer-data-missing", "tax-treatment-unknown"}
