"""Right invoices of every kind, and ways to put one defect into them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal as D
from typing import Any

from core.invoices.model import (
    Address,
    AdvanceOrder,
    AdvanceOrderLine,
    AdvanceReference,
    Annotations,
    BankAccount,
    Buyer,
    CorrectedInvoice,
    Correction,
    CorrectionType,
    DueTerm,
    Footer,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    MarginScheme,
    OrderReference,
    PaymentTerms,
    RateRow,
    RateSummary,
    Register,
    Seller,
    TaxId,
    TransactionTerms,
    VatCategory,
)
from core.orders import PaymentForm

DAY = date(2026, 11, 24)
SELLER_NIP, BUYER_NIP, THIRD_NIP = "5265877635", "5260250274", "5213017228"
ACCOUNT = "61109010140000071219812874"
_REVERSED = Annotations(reverse_charge=True)
KSEF_NUMBER = "5265877635-20260826-0100001AF629-D1"
HOME = Address("PL", "ul. Świętokrzyska 12", "00-916 Warszawa")
SELLER = Seller(SELLER_NIP, "Sklep Testowy sp. z o.o.", Address("PL", "ul. Przykładowa 1", "00-001 Warszawa"))
EU_SELLER = replace(SELLER, vat_prefix="PL")
BUYER = Buyer(TaxId.nip(BUYER_NIP), "Ministerstwo Finansów", HOME)
GERMAN = Buyer(TaxId.eu_vat("DE", "136695976"), "Beispiel GmbH", Address("DE", "Musterstr. 1", "Berlin"))
CONSUMER = Buyer(TaxId.none(), "Test Testowy", HOME)


def line(
    number: int, net: str, category: VatCategory | None = VatCategory.R23, quantity: str = "1", **more: Any
) -> InvoiceLine:
    """A line in net pricing."""
    price = D(net) / D(quantity)
    values: dict[str, Any] = {
        "name": f"Towar {number}",
        "quantity": D(quantity),
        "unit": "szt.",
        "net_price": price,
        "net_amount": D(net),
        "category": category,
        "line_id": f"id-{number}",
    }
    return InvoiceLine(number, **(values | more))


def valid(**changes: Any) -> Invoice:
    """Two lines at 23 % and one at 8 %, net prices, to be paid by transfer."""
    values: dict[str, Any] = {
        "kind": InvoiceKind.VAT,
        "number": "FV/2026/11/0001",
        "issued_on": DAY,
        "created_at": datetime(2026, 11, 24, 9, 30, tzinfo=UTC),
        "currency": "PLN",
        "seller": SELLER,
        "buyer": BUYER,
        "lines": (
            line(1, "100.00", quantity="4"),
            line(2, "50.00"),
            line(3, "100.00", VatCategory.R8),
        ),
        "rates": (
            RateSummary(RateRow.BASIC, D("150.00"), D("34.50")),
            RateSummary(RateRow.REDUCED, D("100.00"), D("8.00")),
        ),
        "total": D("292.50"),
        "payment": PaymentTerms(
            form=PaymentForm.TRANSFER,
            accounts=(BankAccount(ACCOUNT),),
            due=(DueTerm(due_on=date(2026, 12, 8)),),
        ),
        "terms": TransactionTerms(orders=(OrderReference("1001", date(2026, 11, 23)),)),
        "footer": Footer(("Dziękujemy",), (Register("Sklep", "0000123456", "000331501", ""),)),
    }
    return Invoice(**(values | changes))


def gross(**changes: Any) -> Invoice:
    """Gross prices, one of them with a discount."""

    def one(number: int, amount: str, category: VatCategory, **more: Any) -> InvoiceLine:
        values: dict[str, Any] = {"gross_price": D(amount), "gross_amount": D(amount)}
        values |= {"name": "Towar", "unit": "szt.", "quantity": D(1), "category": category}
        return InvoiceLine(number, **(values | more))

    lines = (
        one(1, "24.60", VatCategory.R23, quantity=D(2), gross_price=D("14.76"), discount=D("4.92")),
        one(2, "108.00", VatCategory.R8),
    )
    rates = (
        RateSummary(RateRow.BASIC, D("20.00"), D("4.60")),
        RateSummary(RateRow.REDUCED, D("100.00"), D("8.00")),
    )
    return valid(**({"lines": lines, "rates": rates, "total": D("132.60")} | changes))


def by_line(**changes: Any) -> Invoice:
    """Tax counted line by line: three times 0.19 on 0.99 are 0.57, from the sum it would be 0.56."""
    lines = tuple(
        InvoiceLine(
            number,
            name="Towar",
            quantity=D(1),
            unit="szt.",
            gross_price=D("0.99"),
            gross_amount=D("0.99"),
            vat=D("0.19"),
            category=VatCategory.R23,
        )
        for number in (1, 2, 3)
    )
    rates = (RateSummary(RateRow.BASIC, D("2.40"), D("0.57")),)
    return valid(**({"lines": lines, "rates": rates, "total": D("2.97")} | changes))


def untaxed(category: VatCategory, **changes: Any) -> Invoice:
    """One line of 100.00 without Polish tax."""
    rates = (RateSummary(category.row, D("100.00")),)
    values = {"lines": (line(1, "100.00", category),), "rates": rates, "total": D("100.00")}
    return valid(**(values | changes))


def exempt(**changes: Any) -> Invoice:
    """Exempt with its basis."""
    notes = Annotations(exemption_law="art. 113 ust. 1 ustawy o VAT")
    return untaxed(VatCategory.EXEMPT, **({"annotations": notes} | changes))


def reverse(**changes: Any) -> Invoice:
    """Domestic reverse charge."""
    return untaxed(VatCategory.REVERSE_CHARGE, **({"annotations": _REVERSED} | changes))


def supply(**changes: Any) -> Invoice:
    """Supply inside the EU."""
    return untaxed(VatCategory.ZERO_WDT, **({"seller": EU_SELLER, "buyer": GERMAN} | changes))


def services(**changes: Any) -> Invoice:
    """A service that a German taxpayer accounts for."""
    values = {"seller": EU_SELLER, "buyer": GERMAN, "annotations": Annotations(reverse_charge=True)}
    return untaxed(VatCategory.OUTSIDE_SERVICES, **(values | changes))


def export(**changes: Any) -> Invoice:
    """Export to the United States."""
    buyer = Buyer(TaxId.other("123456789", "US"), "Example Inc.", Address("US", "1 Main St", "New York"))
    return untaxed(VatCategory.ZERO_EXPORT, **({"buyer": buyer} | changes))


def oss(**changes: Any) -> Invoice:
    """OSS sale to a German consumer."""
    lines = (line(1, "100.00", None, oss_rate=D(19), procedure="WSTO_EE"),)
    values = {
        "buyer": replace(GERMAN, tax_id=TaxId.none()),
        "lines": lines,
        "rates": (RateSummary(RateRow.OSS, D("100.00"), D("19.00")),),
        "total": D("119.00"),
    }
    return valid(**(values | changes))


def margin(**changes: Any) -> Invoice:
    """Used goods in a margin scheme."""
    lines = (
        InvoiceLine(
            1,
            name="Towar używany",
            quantity=D(1),
            unit="szt.",
            gross_price=D("200.00"),
            gross_amount=D("200.00"),
        ),
    )
    values = {
        "lines": lines,
        "rates": (RateSummary(RateRow.MARGIN, D("200.00")),),
        "total": D("200.00"),
        "annotations": Annotations(margin=MarginScheme.USED_GOODS),
    }
    return valid(**(values | changes))


def euro(**changes: Any) -> Invoice:
    """In euro with the tax in PLN."""
    lines = (line(1, "100.00", exchange_rate=D("4.2617")),)
    rates = (RateSummary(RateRow.BASIC, D("100.00"), D("23.00"), D("98.02")),)
    values = {"currency": "EUR", "lines": lines, "rates": rates, "total": D("123.00")}
    return valid(**(values | changes))


def annex_15(**changes: Any) -> Invoice:
    """Goods of annex 15 over 15 000 PLN with split payment."""
    values = {
        "lines": (line(1, "20000.00", annex_15=True),),
        "rates": (RateSummary(RateRow.BASIC, D("20000.00"), D("4600.00")),),
        "total": D("24600.00"),
        "annotations": Annotations(split_payment=True),
    }
    return valid(**(values | changes))


def simplified(**changes: Any) -> Invoice:
    """A simplified invoice over 450 PLN."""
    values = {
        "kind": InvoiceKind.SIMPLIFIED,
        "buyer": Buyer(TaxId.nip(BUYER_NIP)),
        "lines": (InvoiceLine(1, name="Wiertarka"),),
        "rates": (RateSummary(RateRow.BASIC, D("365.85"), D("84.15")),),
        "total": D("450.00"),
        "payment": None,
    }
    return valid(**(values | changes))


def order_line(number: int, net: str, vat: str, **more: Any) -> AdvanceOrderLine:
    """A line of an advance order at 23 %."""
    values: dict[str, Any] = {"name": f"Towar {number}", "quantity": D(1), "unit": "szt."}
    values |= {"net_price": D(net), "net_amount": D(net), "vat": D(vat), "category": VatCategory.R23}
    return AdvanceOrderLine(number, **(values | more))


ORDER = AdvanceOrder(D("1230.00"), (order_line(1, "800.00", "184.00"), order_line(2, "200.00", "46.00")))


def advance(**changes: Any) -> Invoice:
    """An advance of 123 PLN on an order of 1230 PLN."""
    values = {
        "kind": InvoiceKind.ADVANCE,
        "lines": (),
        "rates": (RateSummary(RateRow.BASIC, D("100.00"), D("23.00")),),
        "total": D("123.00"),
        "order": ORDER,
    }
    return valid(**(values | changes))


def settlement(**changes: Any) -> Invoice:
    """The rest of an order after an advance."""
    values = {
        "kind": InvoiceKind.SETTLEMENT,
        "lines": (line(1, "800.00"), line(2, "200.00")),
        "rates": (RateSummary(RateRow.BASIC, D("900.00"), D("207.00")),),
        "total": D("1107.00"),
        "advances": (AdvanceReference(KSEF_NUMBER),),
    }
    return valid(**(values | changes))


CORRECTION = Correction(
    (CorrectedInvoice(date(2026, 8, 26), "FV/2026/08/0001", KSEF_NUMBER),),
    reason="zwrot towaru",
    type=CorrectionType.CORRECTION_DAY,
)


def correction(**changes: Any) -> Invoice:
    """Two of four pieces returned, as a pair of rows."""
    values = {
        "kind": InvoiceKind.CORRECTION,
        "number": "KOR/2026/11/0001",
        "lines": (line(1, "100.00", quantity="4", before=True), line(1, "50.00", quantity="2")),
        "rates": (RateSummary(RateRow.BASIC, D("-50.00"), D("-11.50")),),
        "total": D("-61.50"),
        "correction": CORRECTION,
        "payment": None,
    }
    return valid(**(values | changes))


def advance_correction(**changes: Any) -> Invoice:
    """The order of an advance grows, the advance stays."""
    lines = (order_line(1, "1000.00", "230.00", before=True), order_line(1, "2000.00", "460.00"))
    values = {
        "kind": InvoiceKind.ADVANCE_CORRECTION,
        "lines": (),
        "rates": (),
        "total": D(0),
        "order": AdvanceOrder(D("2460.00"), lines),
        "correction": replace(CORRECTION, paid_before=D("123.00")),
    }
    return correction(**(values | changes))


BASES = {
    one.__name__: one
    for one in (
        valid,
        gross,
        by_line,
        exempt,
        reverse,
        supply,
        services,
        export,
        oss,
        margin,
        euro,
        annex_15,
        simplified,
        advance,
        settlement,
        correction,
        advance_correction,
    )
}


def of_line(invoice: Invoice, index: int, **changes: Any) -> Invoice:
    """The invoice with one line changed."""
    lines = list(invoice.lines)
    lines[index] = replace(lines[index], **changes)
    return replace(invoice, lines=tuple(lines))


def of_rate(invoice: Invoice, index: int, **changes: Any) -> Invoice:
    """The invoice with one row of the VAT table changed."""
    rates = list(invoice.rates)
    rates[index] = replace(rates[index], **changes)
    return replace(invoice, rates=tuple(rates))


def of_buyer(invoice: Invoice, **changes: Any) -> Invoice:
    """The invoice with another buyer."""
    return replace(invoice, buyer=replace(invoice.buyer, **changes))


def of_notes(invoice: Invoice, **changes: Any) -> Invoice:
    """The invoice with other annotations."""
    return replace(invoice, annotations=replace(invoice.annotations, **changes))


def of_payment(invoice: Invoice, **changes: Any) -> Invoice:
    """The invoice with other terms of payment."""
    return replace(invoice, payment=replace(invoice.payment or PaymentTerms(), **changes))


def of_correction(invoice: Invoice, **changes: Any) -> Invoice:
    """The invoice with other data of its correction."""
    return replace(invoice, correction=replace(invoice.correction or CORRECTION, **changes))
