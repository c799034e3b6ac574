"""RodzajFaktury: what each kind of invoice must and must not hold."""

from __future__ import annotations

from decimal import Decimal

from core.invoices.model import InvoiceKind, RateRow, TaxIdKind
from core.invoices.rules.rule import SUM_TOLERANCE, Subject, error, info, warning
from core.money import GROSZ, ZERO

CORRECTION_MISSING = error(
    "correction-without-originals",
    "art. 106j ust. 2 VAT act, DaneFaKorygowanej",
    "Faktura korygująca nie wskazuje faktury korygowanej.",
    "The correcting invoice does not name the invoice that it corrects.",
    "Podaj numer i datę faktury korygowanej.",
    "State the corrected invoice's number and day.",
)
CORRECTION_NEEDLESS = error(
    "correction-data-outside-correction",
    "RodzajFaktury, DaneFaKorygowanej",
    "Faktura rodzaju {kind} zawiera dane korekty.",
    "An invoice of kind {kind} holds data of a correction.",
    "Zmień rodzaj faktury albo usuń dane korekty.",
    "Change the kind or remove the data of the correction.",
)
ORDER_MISSING = error(
    "advance-without-order",
    "art. 106f ust. 1 pkt 4 VAT act, Zamowienie",
    "Faktura zaliczkowa nie zawiera zamówienia lub umowy.",
    "The advance invoice does not hold the order or contract.",
    "Dodaj pozycje zamówienia.",
    "Add the order's lines.",
)
ORDER_NEEDLESS = warning(
    "order-outside-advance",
    "art. 106f ust. 1 pkt 4 VAT act, Zamowienie",
    "Część Zamowienie służy fakturom zaliczkowym i ich korektom.",
    "The part Zamowienie is for advance invoices and their corrections.",
    "Przenieś pozycje do wierszy faktury.",
    "Move its lines to the invoice's lines.",
)
ADVANCES_MISSING = error(
    "settlement-without-advances",
    "art. 106f ust. 3 VAT act, FakturaZaliczkowa",
    "Faktura rozliczająca nie wskazuje żadnej faktury zaliczkowej.",
    "The settlement invoice names no advance invoice.",
    "Podaj numery faktur zaliczkowych.",
    "State the advance invoices' numbers.",
)
ADVANCES_NEEDLESS = warning(
    "advances-outside-settlement",
    "art. 106f ust. 3 and 4 VAT act, FakturaZaliczkowa",
    "Faktura rodzaju {kind} wskazuje faktury zaliczkowe, choć ich nie rozlicza.",
    "An invoice of kind {kind} names advance invoices, but does not settle them.",
    "Użyj rodzaju ROZ.",
    "Use the kind ROZ.",
)
ADVANCE_UNCLEAR = error(
    "advance-reference-unclear",
    "NrKSeFFaZaliczkowej or NrFaZaliczkowej",
    "Faktura zaliczkowa ma mieć albo numer KSeF, albo numer wystawionej poza KSeF.",
    "An advance invoice needs either a KSeF number or the number of one issued outside KSeF.",
    "Podaj dokładnie jeden numer.",
    "State exactly one number.",
)
LINES_MISSING = error(
    "lines-missing",
    "art. 106e ust. 1 pkt 7 VAT act, FaWiersz",
    "Faktura rodzaju {kind} nie ma żadnej pozycji.",
    "An invoice of kind {kind} has no line.",
    "Dodaj sprzedane towary lub usługi.",
    "Add the goods or services sold.",
)
SIMPLIFIED_LIMIT = error(
    "simplified-over-limit",
    "art. 106e ust. 5 pkt 3 VAT act",
    "Faktura uproszczona może opiewać najwyżej na 450 zł lub 100 euro, a ma {total} {currency}.",
    "A simplified invoice may be for at most PLN 450 or EUR 100, this one is for {total} {currency}.",
    "Wystaw zwykłą fakturę.",
    "Issue an ordinary invoice.",
)
SIMPLIFIED_NIP = error(
    "simplified-without-nip",
    "art. 106e ust. 5 pkt 3 VAT act",
    "Faktura uproszczona wymaga NIP nabywcy.",
    "A simplified invoice needs the buyer's NIP.",
    "Wystaw zwykłą fakturę.",
    "Issue an ordinary invoice.",
)
SIMPLIFIED_RECEIPT = warning(
    "simplified-from-receipt",
    "art. 109 ust. 3d VAT act, FP",
    "Paragon z NIP sam jest fakturą uproszczoną, więc UPR z oznaczeniem FP się wyklucza.",
    "A receipt with a NIP is itself a simplified invoice, so UPR and FP exclude each other.",
    "Usuń oznaczenie FP.",
    "Remove the mark FP.",
)
PARTS_OUTSIDE = warning(
    "advance-parts-outside-advance",
    "art. 106b ust. 1 pkt 4 VAT act, ZaliczkaCzesciowa",
    "Faktura rodzaju {kind} wykazuje części zaliczki.",
    "An invoice of kind {kind} lists parts of an advance.",
    "Użyj rodzaju ZAL albo usuń części.",
    "Use the kind ZAL or remove the parts.",
)
PARTS_DIFFER = error(
    "advance-parts-differ",
    "P_15, P_15Z",
    "Części zaliczki dają razem {counted}, a faktura zaliczkowa opiewa na {total}.",
    "The parts of the advance make {counted} together, the advance invoice is for {total}.",
    "Popraw kwoty części.",
    "Correct the parts' amounts.",
)
ORDER_TOTAL = warning(
    "advance-order-total-differs",
    "WartoscZamowienia, P_11NettoZ, P_11VatZ",
    "Wartość zamówienia {total} różni się od sumy jego pozycji {counted}.",
    "The order's value {total} differs from the sum of its lines {counted}.",
    "Policz ponownie wartość zamówienia.",
    "Count the order's value again.",
)
EXCEEDS_ORDER = warning(
    "advance-exceeds-order",
    "P_15, WartoscZamowienia",
    "Zaliczka {total} przekracza wartość zamówienia {order}.",
    "The advance {total} exceeds the order's value {order}.",
    "Sprawdź kwotę zaliczki.",
    "Check the advance's amount.",
)
ORDER_BEFORE = error(
    "order-before-row-outside-correction",
    "StanPrzedZ",
    "Pozycja zamówienia {number} opisuje stan przed korektą, choć dokument nie jest korektą.",
    "Line {number} of the order shows a state before a correction, but the document is none.",
    "Usuń oznaczenie StanPrzedZ.",
    "Remove the mark StanPrzedZ.",
)
WDT_ADVANCE = warning(
    "wdt-advance",
    "art. 106b ust. 1 pkt 4 VAT act",
    "Zaliczki na WDT nie dokumentuje się fakturą zaliczkową.",
    "An advance for a supply inside the EU takes no advance invoice.",
    "Wystaw fakturę po dostawie.",
    "Issue the invoice after the supply.",
)
DESCRIPTION_LINE = warning(
    "description-line-unknown",
    "DodatkowyOpis: NrWiersza",
    "Dodatkowy opis „{key}” dotyczy wiersza {number}, którego nie ma.",
    'The description "{key}" belongs to line {number}, which does not exist.',
    "Popraw numer wiersza.",
    "Correct the line number.",
)
DESCRIPTION_REPEATED = info(
    "description-repeated",
    "DodatkowyOpis",
    "Dodatkowy opis „{key}” występuje dwa razy z tą samą wartością.",
    'The description "{key}" stands twice with the same value.',
)

_WITH_LINES = (InvoiceKind.VAT, InvoiceKind.SETTLEMENT, InvoiceKind.SIMPLIFIED)
_ADVANCES = (InvoiceKind.ADVANCE, InvoiceKind.ADVANCE_CORRECTION)
_SETTLEMENTS = (InvoiceKind.SETTLEMENT, InvoiceKind.SETTLEMENT_CORRECTION)
_NAME_ADVANCES = (*_SETTLEMENTS, *_ADVANCES)  # also the last advance invoice of art. 106f ust. 4
_LIMITS = {"PLN": Decimal(450), "EUR": Decimal(100)}


def check_kind(subject: Subject) -> None:
    """The parts that the kind asks for, and those that it excludes."""
    invoice = subject.invoice
    kind = invoice.kind
    if subject.is_correction:
        if invoice.correction is None or not invoice.correction.originals:
            subject.report(CORRECTION_MISSING, "Faktura/Fa/DaneFaKorygowanej")
    elif invoice.correction is not None:
        subject.report(CORRECTION_NEEDLESS, "Faktura/Fa/DaneFaKorygowanej", kind=kind.value)
    if not invoice.lines and kind in _WITH_LINES:
        subject.report(LINES_MISSING, "Faktura/Fa/FaWiersz", kind=kind.value)
    if kind is InvoiceKind.SIMPLIFIED:
        _simplified(subject)
    if kind in _ADVANCES:
        _advance(subject)
    elif invoice.order is not None:
        subject.report(ORDER_NEEDLESS, "Faktura/Fa/Zamowienie")
    if kind is InvoiceKind.SETTLEMENT and not invoice.advances:
        subject.report(ADVANCES_MISSING, "Faktura/Fa/FakturaZaliczkowa")
    if invoice.advances:
        _references(subject)
    if invoice.advance_parts and kind not in _NAME_ADVANCES:
        subject.report(PARTS_OUTSIDE, "Faktura/Fa/ZaliczkaCzesciowa", kind=kind.value)
    if invoice.descriptions:
        _descriptions(subject)


def _references(subject: Subject) -> None:
    invoice = subject.invoice
    kind = invoice.kind
    if kind not in _NAME_ADVANCES:
        subject.report(ADVANCES_NEEDLESS, "Faktura/Fa/FakturaZaliczkowa", kind=kind.value)
    for index, advance in enumerate(invoice.advances, 1):
        if bool(advance.ksef_number) == bool(advance.number):
            subject.report(ADVANCE_UNCLEAR, f"Faktura/Fa/FakturaZaliczkowa[{index}]")


def _simplified(subject: Subject) -> None:
    invoice = subject.invoice
    limit = _LIMITS.get(invoice.currency)
    if limit is not None and invoice.total > limit:
        subject.report(SIMPLIFIED_LIMIT, "Faktura/Fa/P_15", total=invoice.total, currency=invoice.currency)
    if invoice.buyer.tax_id.kind is not TaxIdKind.NIP:
        subject.report(SIMPLIFIED_NIP, "Faktura/Podmiot2/DaneIdentyfikacyjne/NIP")
    if invoice.from_receipt:
        subject.report(SIMPLIFIED_RECEIPT, "Faktura/Fa/FP")


def _advance(subject: Subject) -> None:
    invoice = subject.invoice
    order, is_advance = invoice.order, invoice.kind is InvoiceKind.ADVANCE
    if is_advance and RateRow.ZERO_WDT in subject.table:
        subject.report(WDT_ADVANCE, "Faktura/Fa/P_13_6_2")
    if is_advance and invoice.advance_parts:
        counted = sum([part.amount for part in invoice.advance_parts], ZERO)
        if counted != invoice.total:
            path = "Faktura/Fa/ZaliczkaCzesciowa"
            subject.report(PARTS_DIFFER, path, counted=counted, total=invoice.total)
    if order is None:
        if is_advance:
            subject.report(ORDER_MISSING, "Faktura/Fa/Zamowienie")
        return
    before = [line for line in order.lines if line.before]
    if is_advance:
        for line in before:
            subject.report(ORDER_BEFORE, "Faktura/Fa/Zamowienie/ZamowienieWiersz", number=line.number)
        if invoice.total > order.total:
            subject.report(EXCEEDS_ORDER, "Faktura/Fa/P_15", total=invoice.total, order=order.total)
    elif not before:
        return  # lines of differences say nothing about the value after the correction
    after = [line for line in order.lines if not line.before]
    if all(line.net_amount is not None for line in after):
        counted = sum([(line.net_amount or ZERO) + (line.vat or ZERO) for line in after], ZERO)
        if abs(counted - order.total) > max(SUM_TOLERANCE, GROSZ * len(after)):
            path = "Faktura/Fa/Zamowienie/WartoscZamowienia"
            subject.report(ORDER_TOTAL, path, total=order.total, counted=counted)


def _descriptions(subject: Subject) -> None:
    invoice = subject.invoice
    seen: set[tuple[str, str, int | None]] = set()
    numbers: set[int] | None = None
    for index, one in enumerate(invoice.descriptions, 1):
        path = f"Faktura/Fa/DodatkowyOpis[{index}]"
        if one.line is not None:
            if numbers is None:
                rows = invoice.order.lines if invoice.order is not None else ()
                numbers = {line.number for line in invoice.lines} | {row.number for row in rows}
            if one.line not in numbers:
                subject.report(DESCRIPTION_LINE, f"{path}/NrWiersza", key=one.key, number=one.line)
        key = (one.key, one.value, one.line)
        # a list of values under one key is usual for the whole invoice, not for a line
        if one.line is not None and key in seen:
            subject.report(DESCRIPTION_REPEATED, path, key=one.key)
        seen.add(key)
