"""What a correcting invoice says about the invoices that it corrects."""

from __future__ import annotations

from collections.abc import Sequence

from core.invoices.model import AdvanceOrderLine, Correction, InvoiceKind, InvoiceLine, TaxIdKind
from core.invoices.rules.rule import Rule, Subject, error, info, warning
from core.invoices.tax_ids import is_nip

DATE = error(
    "correction-before-original",
    "DataWystFaKorygowanej, P_1",
    "Faktura korygowana ma datę {original}, późniejszą niż korekta ({issued}).",
    "The corrected invoice is dated {original}, after the correction ({issued}).",
    "Popraw datę faktury korygowanej.",
    "Correct the corrected invoice's day.",
)
NUMBER = error(
    "correction-number-equals-original",
    "P_2, NrFaKorygowanej",
    "Korekta ma ten sam numer {number} co faktura korygowana.",
    "The correction has the same number {number} as the corrected invoice.",
    "Nadaj korekcie własny numer.",
    "Give the correction a number of its own.",
)
REPEATED = warning(
    "original-repeated",
    "DaneFaKorygowanej",
    "Faktura korygowana {number} jest wymieniona więcej niż raz.",
    "The corrected invoice {number} is named more than once.",
    "Usuń powtórzenie.",
    "Remove the repetition.",
)
REASON = info(
    "correction-reason-missing",
    "PrzyczynaKorekty",
    "Korekta nie podaje przyczyny.",
    "The correction gives no reason.",
)
TYPE = warning(
    "correction-type-missing",
    "TypKorekty",
    "Korekta nie mówi, w jakim okresie ująć ją w ewidencji VAT.",
    "The correction does not say in which period it counts in the VAT records.",
    "Wybierz typ korekty 1, 2 albo 3.",
    "Choose type 1, 2 or 3.",
)
BEFORE_ALONE = warning(
    "before-row-without-after",
    "art. 106j ust. 2 VAT act, StanPrzed",
    "Pozycja {number} pokazuje stan przed korektą, ale brak pozycji po korekcie.",
    "Line {number} shows the state before the correction, but the row after it is missing.",
    "Dodaj wiersz po korekcie, choćby z ilością 0.",
    "Add the row after the correction, if only with a quantity of 0.",
)
AFTER_ALONE = info(
    "after-row-without-before",
    "art. 106j ust. 2 VAT act, StanPrzed",
    "Pozycja {number} nie ma wiersza sprzed korekty, choć inne pozycje go mają.",
    "Line {number} has no row before the correction, although other lines have one.",
)
UNCHANGED = info(
    "correction-without-change",
    "art. 106j VAT act",
    "Korekta nie zmienia ani kwot, ani pozycji, ani danych stron.",
    "The correction changes neither amounts nor lines nor parties.",
)
RIGHT_NUMBER = warning(
    "right-number-equals-wrong",
    "NrFaKorygowany, NrFaKorygowanej",
    "Poprawny numer {number} jest taki sam jak błędny.",
    "The right number {number} is the same as the wrong one.",
    "Podaj poprawny numer albo usuń pole.",
    "State the right number or remove the field.",
)
SELLER_NIP = error(
    "previous-seller-nip-changed",
    "Podmiot1K",
    "Sprzedawca przed korektą ma inny NIP {nip}: błędny NIP koryguje się do zera.",
    "The seller before the correction has another NIP {nip}: a wrong NIP takes a correction to zero.",
    "Skoryguj fakturę do zera i wystaw nową.",
    "Correct the invoice to zero and issue a new one.",
)
BUYER_NIP = error(
    "previous-buyer-nip-changed",
    "Podmiot2K",
    "Nabywca przed korektą ma inny NIP {nip}: błędny NIP koryguje się do zera.",
    "The buyer before the correction has another NIP {nip}: a wrong NIP takes a correction to zero.",
    "Skoryguj fakturę do zera i wystaw nową.",
    "Correct the invoice to zero and issue a new one.",
)
KEY = warning(
    "previous-buyer-key-unmatched",
    "IDNabywcy",
    "Klucz {key} nabywcy sprzed korekty nie odpowiada żadnemu nabywcy.",
    "The key {key} of a buyer before the correction belongs to no buyer.",
    "Nadaj ten sam klucz nabywcy po korekcie.",
    "Give the buyer after the correction the same key.",
)
PAID_MISSING = warning(
    "paid-before-missing",
    "P_15ZK",
    "Korekta faktury zaliczkowej lub rozliczającej nie podaje kwoty sprzed korekty.",
    "A correction of an advance or settlement invoice does not state the amount before it.",
    "Podaj kwotę zapłaty sprzed korekty.",
    "State the payment before the correction.",
)
PAID_NEEDLESS = warning(
    "paid-before-outside-advance",
    "P_15ZK",
    "Kwotę sprzed korekty podaje się tylko w korektach faktur zaliczkowych i rozliczających.",
    "The amount before a correction is for corrections of advance and settlement invoices only.",
    "Usuń tę kwotę.",
    "Remove the amount.",
)


def check_corrections(subject: Subject) -> None:
    """Consistency of the data of a correction; other documents have none."""
    correction = subject.invoice.correction
    if correction is None or not subject.is_correction:
        return
    _originals(subject, correction)
    if not correction.reason:
        subject.report(REASON, "Faktura/Fa/PrzyczynaKorekty")
    if correction.type is None:
        subject.report(TYPE, "Faktura/Fa/TypKorekty")
    if correction.previous_seller is not None or correction.previous_buyers:
        _parties(subject, correction)
    elif _is_empty(subject, correction):
        subject.report(UNCHANGED, "Faktura/Fa")
    if subject.invoice.kind is InvoiceKind.CORRECTION:
        if correction.paid_before is not None:
            subject.report(PAID_NEEDLESS, "Faktura/Fa/P_15ZK")
    elif correction.paid_before is None:
        subject.report(PAID_MISSING, "Faktura/Fa/P_15ZK")
    if subject.has_before:
        _pairs(subject, subject.invoice.lines, "Faktura/Fa/FaWiersz")
    order = subject.invoice.order
    if order is not None and any(line.before for line in order.lines):
        _pairs(subject, order.lines, "Faktura/Fa/Zamowienie/ZamowienieWiersz")


def _is_empty(subject: Subject, correction: Correction) -> bool:
    invoice = subject.invoice
    return not (
        invoice.total
        or invoice.lines
        or invoice.order
        or correction.right_number
        or any(rate.net or rate.vat for rate in invoice.rates)
    )


def _originals(subject: Subject, correction: Correction) -> None:
    invoice = subject.invoice
    seen: set[tuple[str, str]] = set()
    for index, original in enumerate(correction.originals, 1):
        path = f"Faktura/Fa/DaneFaKorygowanej[{index}]"
        if original.issued_on > invoice.issued_on:
            subject.report(
                DATE,
                f"{path}/DataWystFaKorygowanej",
                original=original.issued_on,
                issued=invoice.issued_on,
            )
        if original.number == invoice.number:
            subject.report(NUMBER, f"{path}/NrFaKorygowanej", number=original.number)
        if correction.right_number and original.number == correction.right_number:
            subject.report(RIGHT_NUMBER, "Faktura/Fa/NrFaKorygowany", number=original.number)
        key = (original.number, original.ksef_number)
        if key in seen:
            subject.report(REPEATED, path, number=original.number)
        seen.add(key)


def _parties(subject: Subject, correction: Correction) -> None:
    invoice = subject.invoice
    seller = correction.previous_seller
    if seller is not None and seller.nip != invoice.seller.nip and is_nip(seller.nip):
        subject.report(SELLER_NIP, "Faktura/Fa/Podmiot1K/DaneIdentyfikacyjne/NIP", nip=seller.nip)
    after = {party.key: party.tax_id for party in invoice.third_parties if party.key}
    buyers = {invoice.buyer.tax_id, *(party.tax_id for party in invoice.third_parties)}
    after[invoice.buyer.key] = invoice.buyer.tax_id
    for index, buyer in enumerate(correction.previous_buyers, 1):
        path = f"Faktura/Fa/Podmiot2K[{index}]"
        if buyer.key and buyer.key not in after:
            subject.report(KEY, f"{path}/IDNabywcy", key=buyer.key)
            continue
        allowed = {after[buyer.key]} if buyer.key else buyers
        if buyer.tax_id not in allowed and buyer.tax_id.kind is TaxIdKind.NIP and is_nip(buyer.tax_id.value):
            subject.report(BUYER_NIP, f"{path}/DaneIdentyfikacyjne/NIP", nip=buyer.tax_id.value)


def _pairs(subject: Subject, rows: Sequence[InvoiceLine | AdvanceOrderLine], path: str) -> None:
    """Rows before and after go by UU_ID; sources disagree on row numbers, so number or name do as well."""
    before = [row for row in rows if row.before]
    after = [row for row in rows if not row.before]
    _report_alone(subject, before, after, BEFORE_ALONE, rows, path)
    _report_alone(subject, after, before, AFTER_ALONE, rows, path)


def _report_alone(
    subject: Subject,
    rows: Sequence[InvoiceLine | AdvanceOrderLine],
    others: Sequence[InvoiceLine | AdvanceOrderLine],
    rule: Rule,
    every: Sequence[InvoiceLine | AdvanceOrderLine],
    path: str,
) -> None:
    ids = {other.line_id for other in others if other.line_id}
    numbers = {other.number for other in others}
    names = {other.name for other in others}
    for row in rows:
        by_id = bool(row.line_id and ids)
        is_paired = row.line_id in ids if by_id else (row.number in numbers or row.name in names)
        if not is_paired:
            subject.report(rule, f"{path}[{every.index(row) + 1}]", number=row.number)
