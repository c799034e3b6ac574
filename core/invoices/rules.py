"""Semantic rules: what a schema cannot say about an invoice.

Each rule is a small function over the model that yields findings; :data:`RULES` lists them. KSeF itself
checks only a few of these, so a wrong sum would be accepted and become the seller's problem.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from core.findings import Finding, Severity, Text
from core.invoices.model import Invoice, InvoiceKind, Pricing, RateSummary, TaxIdKind, VatCategory
from core.invoices.tax_ids import as_nip, is_nip
from core.money import GROSZ, ZERO, grosz

_CORRECTIONS = frozenset(
    {InvoiceKind.CORRECTION, InvoiceKind.ADVANCE_CORRECTION, InvoiceKind.SETTLEMENT_CORRECTION}
)
_SUM_TOLERANCE = Decimal("0.02")


@dataclass(frozen=True, slots=True)
class Context:
    """What rules know besides the invoice.

    Attributes:
        today: the current Warsaw day; an issue date after it is refused by KSeF.
    """

    today: date


Rule = Callable[[Invoice, Context], Iterator[Finding]]


def check(invoice: Invoice, context: Context) -> list[Finding]:
    """All findings of all rules, in the order of :data:`RULES`."""
    return [finding for rule in RULES for finding in rule(invoice, context)]


_NO_HINT = Text("", "")


def _error(code: str, path: str, pl: str, en: str, source: str, *, hint: Text = _NO_HINT) -> Finding:
    return Finding(code, Severity.ERROR, path, Text(pl, en), hint, source)


def _warning(code: str, path: str, pl: str, en: str, source: str) -> Finding:
    return Finding(code, Severity.WARNING, path, Text(pl, en), source=source)


def seller_nip(invoice: Invoice, _: Context) -> Iterator[Finding]:
    """The seller's NIP has a right check digit (KSeF refuses others in production)."""
    nip = invoice.seller.nip
    if not is_nip(nip):
        yield _error(
            "seller-nip-check-digit",
            "Faktura/Podmiot1/DaneIdentyfikacyjne/NIP",
            f"NIP sprzedawcy {nip} ma błędną cyfrę kontrolną.",
            f"The seller's NIP {nip} has a wrong check digit.",
            "KSeF: verification of invoices",
            hint=Text("Popraw NIP w danych sprzedawcy.", "Correct the NIP in the seller's data."),
        )


def buyer_nip(invoice: Invoice, _: Context) -> Iterator[Finding]:
    """The buyer's NIP has a right check digit (KSeF refuses others in production)."""
    tax_id = invoice.buyer.tax_id
    if tax_id.kind is TaxIdKind.NIP and not is_nip(tax_id.value):
        yield _error(
            "buyer-nip-check-digit",
            "Faktura/Podmiot2/DaneIdentyfikacyjne/NIP",
            f"NIP nabywcy {tax_id.value} ma błędną cyfrę kontrolną.",
            f"The buyer's NIP {tax_id.value} has a wrong check digit.",
            "KSeF: verification of invoices",
            hint=Text("Ustal z nabywcą właściwy numer.", "Ask the buyer for the right number."),
        )


def polish_nip_elsewhere(invoice: Invoice, _: Context) -> Iterator[Finding]:
    """A Polish number in another field does not reach the buyer's account in KSeF."""
    tax_id = invoice.buyer.tax_id
    polish_vat = tax_id.kind is TaxIdKind.EU_VAT and tax_id.country == "PL"
    polish_other = (
        tax_id.kind is TaxIdKind.OTHER and tax_id.country in {"", "PL"} and as_nip(tax_id.value) is not None
    )
    if polish_vat or polish_other:
        yield _error(
            "buyer-nip-in-wrong-field",
            "Faktura/Podmiot2/DaneIdentyfikacyjne",
            f"Polski numer {tax_id.value} jest w polu numeru zagranicznego: nabywca nie zobaczy faktury.",
            f"The Polish number {tax_id.value} is in a foreign number's field: its buyer won't see it.",
            "Podmiot2: NIP",
            hint=Text("Wpisz numer w pole NIP.", "Put the number into the NIP field."),
        )


def buyer_name(invoice: Invoice, _: Context) -> Iterator[Finding]:
    """The buyer has a name, except on a simplified invoice."""
    if not invoice.buyer.name and invoice.kind is not InvoiceKind.SIMPLIFIED:
        yield _error(
            "buyer-name-missing",
            "Faktura/Podmiot2/DaneIdentyfikacyjne/Nazwa",
            "Faktura nie zawiera nazwy nabywcy.",
            "The invoice does not name the buyer.",
            "art. 106e ust. 1 pkt 3 VAT act",
        )


def issue_date(invoice: Invoice, context: Context) -> Iterator[Finding]:
    """P_1 is not in the future (KSeF refuses it)."""
    if invoice.issued_on > context.today:
        yield _error(
            "issue-date-in-future",
            "Faktura/Fa/P_1",
            f"Data wystawienia {invoice.issued_on} jest późniejsza niż dziś ({context.today}).",
            f"The issue date {invoice.issued_on} is after today ({context.today}).",
            "KSeF: verification of invoices",
        )


def sale_date(invoice: Invoice, _: Context) -> Iterator[Finding]:
    """P_6 is stated only when it differs from P_1."""
    if invoice.sold_on is not None and invoice.sold_on == invoice.issued_on:
        yield _warning(
            "sale-date-repeats-issue-date",
            "Faktura/Fa/P_6",
            "Datę sprzedaży podaje się tylko wtedy, gdy różni się od daty wystawienia.",
            "The date of sale is stated only when it differs from the issue date.",
            "art. 106e ust. 1 pkt 6 VAT act",
        )


def total(invoice: Invoice, _: Context) -> Iterator[Finding]:
    """P_15 equals the sum of the VAT table."""
    counted = sum((rate.gross for rate in invoice.rates), ZERO)
    if not invoice.rates or counted == invoice.total or invoice.kind in _PARTLY_PAID:
        return
    # the Ministry's own example 1 is a grosz apart, so a rounding alone forbids nothing
    make = _warning if abs(counted - invoice.total) <= _SUM_TOLERANCE else _error
    yield make(
        "total-differs-from-rates",
        "Faktura/Fa/P_15",
        f"Kwota należności {invoice.total} różni się od sumy tabeli VAT {counted}.",
        f"The total {invoice.total} differs from the VAT table's sum {counted}.",
        "P_13_x, P_14_x, P_15",
    )


_PARTLY_PAID = frozenset({InvoiceKind.SETTLEMENT, InvoiceKind.SETTLEMENT_CORRECTION})


def categories_match(invoice: Invoice, _: Context) -> Iterator[Finding]:
    """Each rate of the lines stands in the VAT table and the other way round."""
    in_lines = {line.category for line in invoice.lines}
    in_table = {rate.category for rate in invoice.rates}
    if invoice.kind in {InvoiceKind.SIMPLIFIED, InvoiceKind.ADVANCE, InvoiceKind.ADVANCE_CORRECTION}:
        return
    for category in sorted(in_lines - in_table):
        yield _error(
            "rate-missing-in-table",
            "Faktura/Fa",
            f"Pozycje mają stawkę „{category.value}”, której nie ma w tabeli VAT.",
            f'Lines have rate "{category.value}", which the VAT table lacks.',
            "P_12, P_13_x",
        )
    for category in sorted(in_table - in_lines):
        yield _error(
            "rate-without-lines",
            "Faktura/Fa",
            f"Tabela VAT zawiera stawkę „{category.value}”, której nie ma żadna pozycja.",
            f'The VAT table has rate "{category.value}", which no line has.',
            "P_12, P_13_x",
        )


def rate_sums(invoice: Invoice, _: Context) -> Iterator[Finding]:
    """Each row of the VAT table follows from its lines."""
    for rate in invoice.rates:
        own = [line for line in invoice.lines if line.category is rate.category]
        if not own or invoice.kind in _CORRECTIONS | _PARTLY_PAID:
            continue
        amount = sum((line.amount for line in own), ZERO)
        stated = rate.net if invoice.pricing is Pricing.NET else rate.gross
        if abs(amount - stated) > _SUM_TOLERANCE:
            yield _error(
                "rate-sum-differs-from-lines",
                "Faktura/Fa",
                f"Stawka „{rate.category.value}”: pozycje dają {amount}, a tabela VAT {stated}.",
                f'Rate "{rate.category.value}": lines give {amount}, the VAT table says {stated}.',
                "P_11, P_11A, P_13_x",
            )
        yield from _rate_tax(rate, [line.vat for line in own], invoice.pricing, len(own))


def _rate_tax(
    rate: RateSummary, by_line: list[Decimal | None], pricing: Pricing, lines: int
) -> Iterator[Finding]:
    percent = rate.category.rate
    given = [vat for vat in by_line if vat is not None]
    if len(given) == lines and sum(given, ZERO) == rate.vat:
        return
    expected = grosz(
        rate.net * percent / 100 if pricing is Pricing.NET else rate.gross * percent / (100 + percent)
    )
    if abs(rate.vat - expected) > max(_SUM_TOLERANCE, GROSZ * lines):
        yield _error(
            "rate-tax-differs",
            "Faktura/Fa",
            f"Stawka „{rate.category.value}”: podatek {rate.vat}, a ze stawki wynika {expected}.",
            f'Rate "{rate.category.value}": tax {rate.vat}, the rate gives {expected}.',
            "art. 106e ust. 1 pkt 14, ust. 7 and 10 VAT act",
        )


def line_amounts(invoice: Invoice, _: Context) -> Iterator[Finding]:
    """Price times quantity less discount is the line's amount."""
    for index, line in enumerate(invoice.lines, 1):
        counted = grosz(line.unit_price * line.quantity - line.discount)
        if abs(counted - line.amount) > _SUM_TOLERANCE:
            yield _warning(
                "line-amount-differs",
                f"Faktura/Fa/FaWiersz[{index}]",
                f"Pozycja {line.number}: cena × ilość − opust = {counted}, a wartość to {line.amount}.",
                f"Line {line.number}: price × quantity − discount = {counted}, its amount is {line.amount}.",
                "P_8B, P_9A, P_9B, P_10, P_11, P_11A",
            )


def line_numbers(invoice: Invoice, _: Context) -> Iterator[Finding]:
    """No line number twice, except in the before and after rows of corrections."""
    if invoice.kind in _CORRECTIONS:
        return
    seen: set[int] = set()
    for index, line in enumerate(invoice.lines, 1):
        if line.number in seen:
            yield _error(
                "line-number-repeated",
                f"Faktura/Fa/FaWiersz[{index}]/NrWierszaFa",
                f"Numer wiersza {line.number} występuje więcej niż raz.",
                f"Line number {line.number} occurs more than once.",
                "NrWierszaFa",
            )
        seen.add(line.number)


def no_negative_sale(invoice: Invoice, _: Context) -> Iterator[Finding]:
    """Negative quantities and amounts belong to corrections."""
    if invoice.kind in _CORRECTIONS:
        return
    for index, line in enumerate(invoice.lines, 1):
        if line.quantity <= 0 or line.amount < 0:
            yield _error(
                "negative-outside-correction",
                f"Faktura/Fa/FaWiersz[{index}]",
                f"Pozycja {line.number} ma niedodatnią ilość lub ujemną wartość.",
                f"Line {line.number} has no positive quantity or a negative amount.",
                "P_8B, P_11, P_11A",
            )


def exemption_basis(invoice: Invoice, _: Context) -> Iterator[Finding]:
    """An exempt line needs the basis of the exemption, and a basis needs an exempt line."""
    notes = invoice.annotations
    stated = bool(notes.exemption_law or notes.exemption_directive or notes.exemption_other)
    exempt = any(line.category is VatCategory.EXEMPT for line in invoice.lines)
    if exempt and not stated:
        yield _error(
            "exemption-basis-missing",
            "Faktura/Fa/Adnotacje/Zwolnienie",
            "Pozycje są zwolnione z VAT, ale nie podano podstawy zwolnienia.",
            "Lines are exempt from VAT, but no legal basis is given.",
            "art. 106e ust. 1 pkt 19 VAT act",
        )
    if stated and not exempt and invoice.lines:
        yield _warning(
            "exemption-basis-without-line",
            "Faktura/Fa/Adnotacje/Zwolnienie",
            "Podano podstawę zwolnienia, ale żadna pozycja nie jest zwolniona.",
            "A basis of exemption is given, but no line is exempt.",
            "P_19",
        )


def reverse_charge(invoice: Invoice, _: Context) -> Iterator[Finding]:
    """Lines under reverse charge and P_18 go together."""
    used = any(line.category is VatCategory.REVERSE_CHARGE for line in invoice.lines)
    if used and not invoice.annotations.reverse_charge:
        yield _error(
            "reverse-charge-not-stated",
            "Faktura/Fa/Adnotacje/P_18",
            "Pozycje mają odwrotne obciążenie, a P_18 mówi, że go nie ma.",
            "Lines are under reverse charge, but P_18 says there is none.",
            "art. 106e ust. 1 pkt 18 VAT act",
        )


def currency(invoice: Invoice, _: Context) -> Iterator[Finding]:
    """Tax on an invoice in a foreign currency is also stated in PLN."""
    for rate in invoice.rates:
        if not rate.vat:
            continue
        if invoice.currency != "PLN" and rate.vat_pln is None:
            yield _error(
                "tax-in-pln-missing",
                "Faktura/Fa",
                f"Faktura w walucie {invoice.currency}: brak podatku w złotych "
                f"(stawka „{rate.category.value}”).",
                f'Invoice in {invoice.currency}: its tax in PLN is missing (rate "{rate.category.value}").',
                "art. 106e ust. 11 VAT act, P_14_xW",
            )
        if invoice.currency == "PLN" and rate.vat_pln is not None:
            yield _warning(
                "tax-in-pln-needless",
                "Faktura/Fa",
                "Faktura jest w złotych, więc pola P_14_xW są zbędne.",
                "The invoice is in PLN, so the P_14_xW fields are needless.",
                "P_14_xW",
            )


def bank_account(invoice: Invoice, _: Context) -> Iterator[Finding]:
    """A Polish account number has right check digits (ISO 13616, modulo 97)."""
    if invoice.payment is None or invoice.payment.account is None:
        return
    number = invoice.payment.account.number.upper().replace(" ", "")
    polish = number.removeprefix("PL")
    if polish.isdigit() and len(polish) == 26 and int(f"{polish[2:]}2521{polish[:2]}") % 97 != 1:
        yield _error(
            "bank-account-check-digits",
            "Faktura/Fa/Platnosc/RachunekBankowy/NrRB",
            "Numer rachunku bankowego ma błędne cyfry kontrolne.",
            "The bank account number has wrong check digits.",
            "NrRB (NRB, ISO 13616)",
            hint=Text("Popraw rachunek w danych sprzedawcy.", "Correct the account in the seller's data."),
        )


RULES: tuple[Rule, ...] = (
    seller_nip,
    buyer_nip,
    polish_nip_elsewhere,
    buyer_name,
    issue_date,
    sale_date,
    total,
    categories_match,
    rate_sums,
    line_amounts,
    line_numbers,
    no_negative_sale,
    exemption_basis,
    reverse_charge,
    currency,
    bank_account,
)
"""Every rule; their order is the order of findings."""
