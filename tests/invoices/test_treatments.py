"""How sales are taxed and marked: EU businesses, exports, OSS, margin, split payment, parties, payments."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal as D

import pytest

from core.fa import registry, schema
from core.fa.read import read
from core.fa.validate import check_built
from core.fa.write import write
from core.invoices.attention import NeedsAttention
from core.invoices.from_order import draft
from core.invoices.model import (
    Address,
    Invoice,
    InvoiceKind,
    MarginScheme,
    PartyRole,
    RateRow,
    TaxId,
    ThirdParty,
    VatCategory,
)
from core.invoices.policy import BuyerMarks, ExchangeRate, InvoicePolicy, ProductMarks
from core.orders import (
    Buyer,
    LineKind,
    Order,
    OrderLine,
    OrderState,
    Payment,
    PaymentForm,
    PaymentKind,
    PostalAddress,
    Recipient,
    TaxIdCandidate,
)
from tests.invoices.orders import COMPANY, CONSUMER, HOME, MOMENT, SELLER, line, order

DAY = date(2026, 11, 24)
BERLIN = PostalAddress("Unter den Linden 1", "", "10117", "Berlin", "", "DE")
OSLO = PostalAddress("Karl Johans gate 1", "", "0154", "Oslo", "", "NO")
EU_COMPANY = Buyer(
    company="Käufer GmbH", address=BERLIN, tax_ids=(TaxIdCandidate("DE136695976", "vat_number"),)
)
EU_CONSUMER = replace(CONSUMER, address=BERLIN)
EXPORT_BUYER = replace(CONSUMER, address=OSLO)
STOCK = {"A-1": ProductMarks()}


def build(source: Order, policy: InvoicePolicy) -> Invoice:
    """An invoice that both schemas and all rules accept and that reads back as itself."""
    invoice = draft(source, SELLER, policy).issue("FV/1", DAY, MOMENT)
    for declared in registry.SCHEMAS:
        data = write(invoice, declared)
        findings = check_built(invoice, data, declared, DAY)
        assert [one for one in findings if one.severity != "info"] == []
        assert read(schema.parse(data)).invoice.rates == invoice.rates
    return invoice


def reasons(source: Order, policy: InvoicePolicy) -> list[str]:
    with pytest.raises(NeedsAttention) as caught:
        draft(source, SELLER, policy)
    return [one.code for one in caught.value.reasons]


def table(invoice: Invoice) -> dict[RateRow, tuple[D, D | None]]:
    return {rate.row: (rate.net, rate.vat) for rate in invoice.rates}


def at(one: OrderLine, *, country: str = "", sku: str = "") -> OrderLine:
    """The line with the country of its rate and an article number."""
    return replace(one, sku=sku, shares=tuple(replace(share, country=country) for share in one.shares))


class TestAbroad:
    def test_goods_to_an_eu_business_at_zero(self) -> None:
        """WDT: 0 %, the seller's prefix PL, the buyer's number apart, delivery like the goods."""
        source = order(
            line("100.00", "0.00", "0", id="1"),
            line("15.00", "0.00", None, id="2", kind=LineKind.SHIPPING),
            buyer=EU_COMPANY,
        )
        invoice = build(source, InvoicePolicy(eu_goods=VatCategory.ZERO_WDT))
        assert table(invoice) == {RateRow.ZERO_WDT: (D("115.00"), None)}
        assert invoice.seller.vat_prefix == "PL"
        assert invoice.buyer.tax_id == TaxId.eu_vat("DE", "136695976")

    def test_services_that_the_eu_buyer_settles(self) -> None:
        """np II comes with P_18 (art. 106e ust. 1 pkt 18)."""
        source = order(line("100.00", "0.00", None), buyer=EU_COMPANY)
        invoice = build(source, InvoicePolicy(eu_goods=VatCategory.OUTSIDE_SERVICES))
        assert table(invoice) == {RateRow.OUTSIDE_SERVICES: (D("100.00"), None)}
        assert invoice.annotations.reverse_charge

    def test_export(self) -> None:
        """Goods that leave the EU at 0 %, once the merchant said so."""
        source = order(line("100.00", "0.00", None), buyer=EXPORT_BUYER)
        assert reasons(source, InvoicePolicy()) == ["tax-treatment-unknown"]
        invoice = build(source, InvoicePolicy(export=VatCategory.ZERO_EXPORT))
        assert table(invoice) == {RateRow.ZERO_EXPORT: (D("100.00"), None)}

    @pytest.mark.parametrize(
        ("category", "buyer"),
        [
            (VatCategory.ZERO_WDT, COMPANY),
            (VatCategory.ZERO_WDT, CONSUMER),
            (VatCategory.OUTSIDE_SERVICES, COMPANY),
            (VatCategory.ZERO_EXPORT, CONSUMER),
            (VatCategory.REVERSE_CHARGE, CONSUMER),
            (VatCategory.ZERO, EU_COMPANY),
            (VatCategory.ZERO, EXPORT_BUYER),
            (VatCategory.ZERO, replace(COMPANY, tax_exempt=True)),
        ],
    )
    def test_a_mapping_that_the_buyer_contradicts_asks_a_person(
        self, category: VatCategory, buyer: Buyer
    ) -> None:
        """A tax class alone does not make a WDT of a sale to a Polish company."""
        policy = InvoicePolicy(tax_classes={"none": category})
        assert reasons(order(line("100.00", "0.00", None), buyer=buyer), policy) == ["tax-treatment-unknown"]

    def test_reverse_charge_at_home(self) -> None:
        """oo to a Polish company, with P_18."""
        invoice = build(
            order(line("100.00", "0.00", None)),
            InvoicePolicy(tax_classes={"none": VatCategory.REVERSE_CHARGE}),
        )
        assert table(invoice) == {RateRow.REVERSE_CHARGE: (D("100.00"), None)}
        assert invoice.annotations.reverse_charge

    def test_a_business_outside_the_eu_keeps_its_own_number(self) -> None:
        """Numbers of the rest of the world go to NrID with their country."""
        buyer = Buyer(
            company="Kjøper AS", address=OSLO, tax_ids=(TaxIdCandidate("NO 999 999 999 MVA", "vat"),)
        )
        invoice = build(
            order(line("100.00", "0.00", None), buyer=buyer), InvoicePolicy(export=VatCategory.ZERO_EXPORT)
        )
        assert invoice.buyer.tax_id == TaxId.other("NO999999999MVA", "NO")


class TestOss:
    @pytest.mark.parametrize(
        ("rate", "tax", "country"),
        [
            ("19", "19.00", "DE"),
            ("22", "22.00", "IT"),
            ("7", "7.00", "DE"),
            ("23", "23.00", "PT"),
            ("23", "23.00", ""),
        ],
    )
    def test_a_foreign_rate_is_never_declared_in_poland(self, rate: str, tax: str, country: str) -> None:
        """Also where the percentage exists in Poland, or once did."""
        source = order(at(line("100.00", tax, rate), country=country), buyer=EU_CONSUMER)
        assert reasons(source, InvoicePolicy()) == ["oss-sale"]

    def test_with_the_merchants_word_it_is_an_oss_line(self) -> None:
        """P_12_XII with the foreign rate, P_13_5 and P_14_5, goods marked WSTO_EE."""
        source = order(
            at(line("100.00", "19.00", "19"), country="DE"),
            at(line("10.00", "1.90", "19", id="2", kind=LineKind.SHIPPING), country="DE"),
            buyer=EU_CONSUMER,
        )
        invoice = build(source, InvoicePolicy(oss=True))
        assert table(invoice) == {RateRow.OSS: (D("110.00"), D("20.90"))}
        assert [(one.category, one.oss_rate, one.procedure) for one in invoice.lines] == [
            (None, D(19), "WSTO_EE"),
            (None, D(19), ""),
        ]

    def test_polish_tax_charged_to_a_german_is_polish_tax(self) -> None:
        """The shop taxes by its own address and says so: PL-VAT 23 %."""
        source = order(at(line("100.00", "23.00"), country="PL"), buyer=EU_CONSUMER)
        assert table(build(source, InvoicePolicy(oss=True))) == {RateRow.BASIC: (D("100.00"), D("23.00"))}

    @pytest.mark.parametrize("rate", ["22", "7", "4", "3"])
    def test_rates_that_are_history_ask_a_person(self, rate: str) -> None:
        """No shop charges them in Poland today."""
        assert reasons(order(line("100.00", f"{rate}.00", rate)), InvoicePolicy()) == [
            "tax-treatment-unknown"
        ]


class TestProducts:
    def test_marks_stand_on_the_product_only(self) -> None:
        """GTU, PKWiU, CN and unit by article number."""
        policy = InvoicePolicy(
            products={"A-1": ProductMarks(gtu="GTU_06", pkwiu="26.20.1", cn="8471 30 00", unit="opak.")}
        )
        source = order(at(line("100.00", "23.00"), sku="A-1"), line("10.00", "2.30", id="2"))
        first, second = build(source, policy).lines
        assert (first.gtu, first.pkwiu, first.cn, first.unit) == ("GTU_06", "26.20.1", "8471 30 00", "opak.")
        assert (second.gtu, second.unit) == ("", "szt.")

    def test_used_goods_under_a_margin_scheme(self) -> None:
        """No rate, no tax shown, P_13_11 with the whole price, PMarzy with the scheme."""
        policy = InvoicePolicy(products={"U-1": ProductMarks(margin=MarginScheme.USED_GOODS)})
        source = order(
            at(line("500.00", "0.00", None), sku="U-1"), line("10.00", "2.30", id="2", kind=LineKind.SHIPPING)
        )
        invoice = build(source, policy)
        assert table(invoice) == {RateRow.BASIC: (D("10.00"), D("2.30")), RateRow.MARGIN: (D("500.00"), None)}
        assert invoice.annotations.margin is MarginScheme.USED_GOODS
        assert invoice.lines[0].category is None

    def test_tax_on_margin_goods_asks_a_person(self) -> None:
        """A tax that the buyer saw contradicts the scheme."""
        policy = InvoicePolicy(products={"U-1": ProductMarks(margin=MarginScheme.USED_GOODS)})
        source = order(at(line("500.00", "115.00"), sku="U-1"))
        assert reasons(source, policy) == ["tax-treatment-unknown"]

    def test_two_schemes_do_not_share_an_invoice(self) -> None:
        """PMarzy names one."""
        policy = InvoicePolicy(
            products={
                "U-1": ProductMarks(margin=MarginScheme.USED_GOODS),
                "U-2": ProductMarks(margin=MarginScheme.ANTIQUES),
            }
        )
        source = order(
            at(line("500.00", "0.00", None), sku="U-1"), at(line("5.00", "0.00", None, id="2"), sku="U-2")
        )
        assert reasons(source, policy) == ["margin-schemes-differ"]

    def test_a_product_can_name_its_own_exemption(self) -> None:
        """A rate of zero means what the merchant says of the product."""
        policy = InvoicePolicy(
            products={"K-1": ProductMarks(category=VatCategory.EXEMPT)}, exemption_law="art. 43 ust. 1 pkt 29"
        )
        source = order(at(line("100.00", "0.00", None), sku="K-1"), line("10.00", "2.30", id="2"))
        assert set(table(build(source, policy))) == {RateRow.BASIC, RateRow.EXEMPT}

    @pytest.mark.parametrize(
        ("total", "tax", "buyer", "wanted"),
        [
            ("12195.13", "2804.88", COMPANY, True),
            ("12195.12", "2804.88", COMPANY, False),
            ("20000.00", "4600.00", CONSUMER, False),
        ],
    )
    def test_split_payment(self, total: str, tax: str, buyer: Buyer, wanted: bool) -> None:
        """Above 15 000 PLN gross, goods of annex 15, to a company: P_18A."""
        policy = InvoicePolicy(products={"S-1": ProductMarks(annex_15=True)})
        source = order(at(line(total, tax), sku="S-1"), buyer=buyer)
        invoice = draft(source, SELLER, policy).issue("FV/1", DAY, MOMENT)
        assert invoice.annotations.split_payment is wanted
        assert invoice.lines[0].annex_15

    def test_split_payment_counts_in_pln(self) -> None:
        """4 000 EUR are more than 15 000 PLN."""
        policy = InvoicePolicy(
            products={"S-1": ProductMarks(annex_15=True)},
            exchange_rates={"EUR": ExchangeRate("EUR", D("4.2617"), "226/A/NBP/2026", date(2026, 11, 23))},
        )
        source = order(at(line("3252.03", "747.97"), sku="S-1"), currency="EUR")
        assert draft(source, SELLER, policy).issue("FV/1", DAY, MOMENT).annotations.split_payment


class TestParties:
    def test_a_municipality_names_its_school(self) -> None:
        """JST 1 comes with the receiving unit as Podmiot3, role 8."""
        school = ThirdParty(
            TaxId.none(),
            "Szkoła Podstawowa nr 1",
            PartyRole.LOCAL_GOVERNMENT_RECIPIENT,
            address=Address("PL", "ul. Szkolna 1", "00-001 Warszawa"),
        )
        marks = BuyerMarks(is_local_government_unit=True, third_parties=(school,))
        invoice = build(order(line("100.00", "23.00")), InvoicePolicy(buyers={"5260250274": marks}))
        assert invoice.buyer.is_local_government_unit
        assert invoice.third_parties == (school,)

    def test_a_recipient_is_named_when_the_merchant_wants_it(self) -> None:
        """Role 2 with name and address; the buyer itself is never its own recipient."""
        recipient = Recipient(company="Magazyn Odbiorcy", address=HOME)
        source = order(line("100.00", "23.00"), recipient=recipient)
        assert build(source, InvoicePolicy()).third_parties == ()
        (third,) = build(source, InvoicePolicy(recipient_as_third_party=True)).third_parties
        assert (third.name, third.role) == ("Magazyn Odbiorcy", PartyRole.RECIPIENT)
        same = replace(source, recipient=Recipient(company="Nabywca S.A.", address=HOME))
        assert build(same, InvoicePolicy(recipient_as_third_party=True)).third_parties == ()

    def test_a_consumers_contact_data_stay_in_the_shop(self) -> None:
        """Neither e-mail nor telephone nor customer number of a private person goes to KSeF."""
        person = replace(CONSUMER, email="osoba@example.test", phone="600100200", customer_id="77")
        buyer = build(order(line("1.00", "0.23"), buyer=person), InvoicePolicy()).buyer
        assert (buyer.contacts, buyer.customer_number) == ((), "")
        company = replace(COMPANY, email="firma@example.test", customer_id="77")
        buyer = build(order(line("1.00", "0.23"), buyer=company), InvoicePolicy()).buyer
        assert (buyer.contacts[0].email, buyer.customer_number) == ("firma@example.test", "77")

    def test_the_sellers_own_number_as_buyer_asks_a_person(self) -> None:
        """A test order, or a mistake."""
        own = replace(COMPANY, tax_ids=(TaxIdCandidate("5265877635", "nip"),))
        assert reasons(order(line("1.00", "0.23"), buyer=own), InvoicePolicy()) == ["buyer-is-seller"]

    @pytest.mark.parametrize("text", ["brak", "0000000000", "-", "nie dotyczy", "n/a"])
    def test_a_word_instead_of_a_number_is_no_number(self, text: str) -> None:
        """Consumers type such things into fields that they have to fill in."""
        person = replace(CONSUMER, tax_ids=(TaxIdCandidate(text, "nip"),))
        assert build(order(line("1.00", "0.23"), buyer=person), InvoicePolicy()).buyer.tax_id == TaxId.none()

    def test_a_simplified_invoice_needs_no_address(self) -> None:
        """UPR up to 450 PLN with a NIP, when the merchant allows it; above it the address is missed."""
        nowhere = replace(COMPANY, address=PostalAddress(country="PL"))
        policy = InvoicePolicy(simplified=True)
        assert build(order(line("100.00", "23.00"), buyer=nowhere), policy).kind is InvoiceKind.SIMPLIFIED
        assert reasons(order(line("100.00", "23.00"), buyer=nowhere), InvoicePolicy()) == [
            "buyer-data-missing",
            "buyer-data-missing",
        ]
        dear = order(line("1000.00", "230.00"), buyer=nowhere)
        assert reasons(dear, InvoicePolicy(simplified=True)) == ["buyer-data-missing", "buyer-data-missing"]

    def test_sales_of_a_cash_register_are_marked(self) -> None:
        """FP for buyers without a number, who got a receipt; never for a company, and never unasked."""
        policy = InvoicePolicy(receipts=True)
        assert build(order(line("1.00", "0.23"), buyer=CONSUMER), policy).from_receipt
        assert not build(order(line("1.00", "0.23"), buyer=CONSUMER), InvoicePolicy()).from_receipt
        assert not build(order(line("1.00", "0.23"), buyer=COMPANY), policy).from_receipt


class TestPayments:
    def test_a_gift_card_and_a_card_are_two_part_payments(self) -> None:
        """The voucher pays a part, the gateway the rest; together they are all."""
        payments = (
            Payment(PaymentKind.GIFT_CARD, "gift_card", amount=D("50.00"), paid_at=MOMENT),
            Payment(PaymentKind.GATEWAY, "karta", "Karta", form=PaymentForm.CARD, paid_at=MOMENT),
        )
        terms = build(order(line("100.00", "23.00"), payments=payments), InvoicePolicy()).payment
        assert terms is not None
        assert [(one.amount, one.form) for one in terms.part_payments] == [
            (D("50.00"), PaymentForm.VOUCHER),
            (D("73.00"), PaymentForm.CARD),
        ]
        assert terms.paid_in_parts
        assert terms.paid_on is None

    def test_a_gift_card_for_all_is_a_voucher(self) -> None:
        """FormaPlatnosci 3."""
        payments = (Payment(PaymentKind.GIFT_CARD, "gift_card", amount=D("123.00"), paid_at=MOMENT),)
        terms = build(order(line("100.00", "23.00"), payments=payments), InvoicePolicy()).payment
        assert terms is not None
        assert terms.form is PaymentForm.VOUCHER

    def test_paid_on_delivery_is_paid_when_it_is_delivered(self) -> None:
        """A shop that calls such an order paid at once does not make the invoice say so."""
        payments = (Payment(PaymentKind.GATEWAY, "za_pobraniem", "Za pobraniem"),)
        policy = InvoicePolicy(paid_on_delivery=frozenset({"za_pobraniem"}))
        source = order(line("100.00", "23.00"), payments=payments)
        terms = build(source, policy).payment
        assert terms is not None
        assert terms.paid_on is None
        done = replace(source, state=OrderState.COMPLETED, completed_at=MOMENT)
        terms = build(done, policy).payment
        assert terms is not None
        assert terms.paid_on == DAY
