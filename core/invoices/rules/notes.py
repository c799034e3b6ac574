"""Adnotacje: exemption, reverse charge, split payment, margin and the other marks of an invoice."""

from __future__ import annotations

from decimal import Decimal

from core.invoices.model import Annotations, InvoiceKind, RateRow, TaxIdKind, VatCategory
from core.invoices.rules.rule import Subject, error, info, warning
from core.orders import PaymentForm

EXEMPTION_MISSING = error(
    "exemption-basis-missing",
    "art. 106e ust. 1 pkt 19 VAT act",
    "Sprzedaż jest zwolniona z VAT, ale nie podano podstawy zwolnienia.",
    "A sale is exempt from VAT, but no legal basis is given.",
    "Podaj przepis, na podstawie którego stosujesz zwolnienie.",
    "State the provision that exempts the sale.",
)
EXEMPTION_NEEDLESS = warning(
    "exemption-basis-without-line",
    "P_19",
    "Podano podstawę zwolnienia, ale żadna pozycja nie jest zwolniona.",
    "A basis of exemption is given, but no line is exempt.",
    "Usuń podstawę albo popraw stawkę.",
    "Remove the basis or correct the rate.",
)
EXEMPTION_SEVERAL = error(
    "exemption-basis-several",
    "P_19A or P_19B or P_19C",
    "Podano więcej niż jedną podstawę zwolnienia, a schemat mieści jedną.",
    "More than one basis of exemption is given, the schema holds one.",
    "Wybierz jedną podstawę.",
    "Choose one basis.",
)
REVERSE_MISSING = error(
    "reverse-charge-not-stated",
    "art. 106e ust. 1 pkt 18 VAT act",
    "Pozycje mają odwrotne obciążenie, a P_18 mówi, że go nie ma.",
    "Lines are under reverse charge, but P_18 says there is none.",
    "Oznacz fakturę „odwrotne obciążenie”.",
    "Mark the invoice as reverse charge.",
)
REVERSE_SERVICES = warning(
    "services-without-reverse-charge",
    "art. 106e ust. 1 pkt 18 VAT act",
    "Usługę (np II) rozlicza nabywca z innego kraju UE, a P_18 mówi, że nie ma odwrotnego obciążenia.",
    "The service (np II) is taxed by a buyer in another EU country, but P_18 denies a reverse charge.",
    "Oznacz fakturę „odwrotne obciążenie”.",
    "Mark the invoice as reverse charge.",
)
REVERSE_NEEDLESS = warning(
    "reverse-charge-without-line",
    "P_18",
    "P_18 mówi o odwrotnym obciążeniu, ale żadna pozycja go nie ma.",
    "P_18 states a reverse charge, but no line is under it.",
    "Usuń oznaczenie albo popraw stawki.",
    "Remove the mark or correct the rates.",
)
MARGIN_MISSING = error(
    "margin-row-without-annotation",
    "art. 106e ust. 2 and 3 VAT act, P_13_11, PMarzy",
    "Tabela VAT zawiera sprzedaż w procedurze marży, ale nie podano rodzaju procedury.",
    "The VAT table has a sale under a margin scheme, but no scheme is stated.",
    "Wskaż procedurę marży.",
    "Choose the margin scheme.",
)
MARGIN_NEEDLESS = warning(
    "margin-annotation-without-row",
    "P_13_11, PMarzy",
    "Podano procedurę marży, ale tabela VAT nie zawiera pola P_13_11.",
    "A margin scheme is stated, but the VAT table lacks P_13_11.",
    "Usuń oznaczenie albo uzupełnij tabelę VAT.",
    "Remove the mark or complete the VAT table.",
)
SPLIT_MISSING = error(
    "split-payment-not-stated",
    "art. 106e ust. 1 pkt 18a VAT act",
    "Kwota przekracza 15 000 zł i są towary z załącznika 15, a brak oznaczenia podzielonej płatności.",
    "The total exceeds PLN 15 000 with goods of annex 15, but split payment is not stated.",
    "Oznacz fakturę „mechanizm podzielonej płatności”.",
    "Mark the invoice for split payment.",
)
SPLIT_CONSUMER = warning(
    "split-payment-for-consumer",
    "art. 108a ust. 1a VAT act",
    "Podzieloną płatność stosują podatnicy, a nabywca nie ma NIP.",
    "Split payment is for taxpayers, but the buyer has no NIP.",
    "Usuń oznaczenie albo podaj NIP nabywcy.",
    "Remove the mark or state the buyer's NIP.",
)
SPLIT_FORM = warning(
    "split-payment-not-by-transfer",
    "art. 108a ust. 2 VAT act",
    "Podzielona płatność wymaga przelewu, a forma płatności jest inna.",
    "Split payment takes a transfer, but another form of payment is stated.",
    "Sprawdź formę płatności.",
    "Check the form of payment.",
)
SPLIT_ACCOUNT = warning(
    "split-payment-without-account",
    "art. 108a ust. 2 VAT act, RachunekBankowy",
    "Faktura z podzieloną płatnością nie podaje rachunku do zapłaty.",
    "An invoice for split payment does not state an account to pay to.",
    "Podaj rachunek bankowy.",
    "State a bank account.",
)
TRIANGULAR = error(
    "triangular-without-eu-number",
    "art. 136 ust. 1 VAT act, P_23",
    "Procedura trójstronna wymaga numeru VAT UE nabywcy i przedrostka PL sprzedawcy.",
    "The triangular procedure needs the buyer's EU VAT number and the seller's prefix PL.",
    "Uzupełnij oba numery.",
    "Add both numbers.",
)
SELF_BILLING = warning(
    "self-billing-by-consumer",
    "art. 106d ust. 1 VAT act, P_17",
    "Samofakturowanie oznacza, że fakturę wystawia nabywca, a ten nie ma numeru podatkowego.",
    "Self-billing means that the buyer issues the invoice, but it has no tax number.",
    "Usuń oznaczenie albo podaj numer nabywcy.",
    "Remove the mark or state the buyer's number.",
)
NEW_TRANSPORT = warning(
    "new-transport-without-supply",
    "art. 106e ust. 1 pkt 22 VAT act, P_22",
    "Faktura opisuje nowy środek transportu, ale nie ma dostawy wewnątrzwspólnotowej (P_13_6_2).",
    "The invoice describes a new means of transport, but has no supply inside the EU (P_13_6_2).",
    "Sprawdź stawkę pozycji.",
    "Check the lines' rate.",
)
SPLIT_VOLUNTARY = info(
    "split-payment-voluntary",
    "art. 108a ust. 1 VAT act",
    "Podzielona płatność nie jest tu obowiązkowa: kwota nie przekracza 15 000 zł.",
    "Split payment is not mandatory here: the total does not exceed PLN 15 000.",
)

_SPLIT_LIMIT = Decimal(15000)
_PATH = "Faktura/Fa/Adnotacje"
_REVERSED = (VatCategory.REVERSE_CHARGE, VatCategory.OUTSIDE, VatCategory.OUTSIDE_SERVICES)


def check_annotations(subject: Subject) -> None:
    """The marks against the lines, the table, the buyer and the payment."""
    notes = subject.invoice.annotations
    _exemption(subject, notes)
    if notes.reverse_charge:
        if not any(subject.has(category) for category in _REVERSED) and subject.groups:
            subject.report(REVERSE_NEEDLESS, f"{_PATH}/P_18")
    elif VatCategory.REVERSE_CHARGE in subject.categories or RateRow.REVERSE_CHARGE in subject.table:
        subject.report(REVERSE_MISSING, f"{_PATH}/P_18")
    elif subject.has(VatCategory.OUTSIDE_SERVICES):
        subject.report(REVERSE_SERVICES, f"{_PATH}/P_18")
    has_margin = RateRow.MARGIN in subject.table
    if has_margin and notes.margin is None:
        subject.report(MARGIN_MISSING, f"{_PATH}/PMarzy")
    elif notes.margin is not None and not has_margin and subject.invoice.rates:
        subject.report(MARGIN_NEEDLESS, f"{_PATH}/PMarzy")
    if notes.split_payment or subject.has_annex_15 or subject.invoice.order is not None:
        _split_payment(subject, notes)
    _parties(subject, notes)
    if notes.extra and not subject.is_correction and not subject.has(VatCategory.ZERO_WDT):
        # a document without new means of transport has P_22N, which is never kept as an extra
        for extra in notes.extra:
            if extra.name == "NoweSrodkiTransportu" and "<P_22>" in extra.xml:
                subject.report(NEW_TRANSPORT, f"{_PATH}/NoweSrodkiTransportu/P_22")


def _exemption(subject: Subject, notes: Annotations) -> None:
    law, directive, other = notes.exemption_law, notes.exemption_directive, notes.exemption_other
    is_exempt = VatCategory.EXEMPT in subject.categories or RateRow.EXEMPT in subject.table
    path = f"{_PATH}/Zwolnienie"
    if law or directive or other:
        if bool(law) + bool(directive) + bool(other) > 1:
            subject.report(EXEMPTION_SEVERAL, path)
        if not is_exempt and subject.groups:
            subject.report(EXEMPTION_NEEDLESS, path)
    elif is_exempt:
        subject.report(EXEMPTION_MISSING, path)


def _split_payment(subject: Subject, notes: Annotations) -> None:
    invoice = subject.invoice
    is_taxpayer = invoice.buyer.tax_id.kind is TaxIdKind.NIP
    path = f"{_PATH}/P_18A"
    total = invoice.total
    if invoice.currency != "PLN":
        total = total * (subject.exchange_rate or invoice.advance_exchange_rate or Decimal(0))
    if not notes.split_payment:
        order = invoice.order
        listed = subject.has_annex_15 or (order is not None and any(line.annex_15 for line in order.lines))
        if listed and total > _SPLIT_LIMIT and is_taxpayer and not subject.is_correction:
            subject.report(SPLIT_MISSING, path)
        return
    if not is_taxpayer:
        subject.report(SPLIT_CONSUMER, path)
    elif 0 < total <= _SPLIT_LIMIT and not subject.is_correction and invoice.kind is InvoiceKind.VAT:
        subject.report(SPLIT_VOLUNTARY, path)
    payment = invoice.payment
    if payment is not None and payment.form not in (None, PaymentForm.TRANSFER):
        subject.report(SPLIT_FORM, "Faktura/Fa/Platnosc/FormaPlatnosci")
    elif not subject.is_correction and (
        payment is None or not (payment.accounts or payment.factor_accounts or payment.paid_on)
    ):
        subject.report(SPLIT_ACCOUNT, "Faktura/Fa/Platnosc/RachunekBankowy")


def _parties(subject: Subject, notes: Annotations) -> None:
    invoice = subject.invoice
    kind = invoice.buyer.tax_id.kind
    if notes.simplified_triangular and (kind is not TaxIdKind.EU_VAT or invoice.seller.vat_prefix != "PL"):
        subject.report(TRIANGULAR, f"{_PATH}/P_23")
    if notes.self_billing and kind is TaxIdKind.NONE:
        subject.report(SELF_BILLING, f"{_PATH}/P_17")
