"""One pass over the lines: what each line must hold, and the sums that other rules need."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from core.invoices.model import Invoice, InvoiceKind, InvoiceLine, RateRow
from core.invoices.rules.amounts import check_amounts
from core.invoices.rules.dates import check_line_dates
from core.invoices.rules.marks import check_marks
from core.invoices.rules.rule import CORRECTIONS, Context, Group, Subject, error, info, warning

NUMBER_REPEATED = error(
    "line-number-repeated",
    "NrWierszaFa",
    "Numer wiersza {number} występuje więcej niż raz.",
    "Line number {number} occurs more than once.",
    "Ponumeruj wiersze kolejno.",
    "Number the lines in sequence.",
)
NUMBER_START = info(
    "line-numbers-not-from-one",
    "NrWierszaFa",
    "Numeracja wierszy zaczyna się od {number}, a nie od 1.",
    "The lines are numbered from {number}, not from 1.",
)
ID_REPEATED = warning(
    "line-id-repeated",
    "UU_ID",
    "Identyfikator wiersza {value} występuje więcej niż raz, więc korekta nie wskaże go jednoznacznie.",
    "The line id {value} occurs more than once, so a correction cannot name its line.",
    "Nadaj każdemu wierszowi własny identyfikator.",
    "Give each line an id of its own.",
)
NAME = error(
    "line-name-missing",
    "art. 106e ust. 1 pkt 7 VAT act, P_7",
    "Pozycja {number} nie ma nazwy towaru lub usługi.",
    "Line {number} does not name the goods or service.",
    "Uzupełnij nazwę.",
    "Add the name.",
)
UNIT = info(
    "line-unit-missing",
    "art. 106e ust. 1 pkt 8 VAT act, P_8A",
    "Pozycja {number} ma ilość bez jednostki miary.",
    "Line {number} has a quantity without a unit.",
    "Ustaw domyślną jednostkę, np. szt.",
    "Set a default unit such as szt.",
)
AMOUNT = warning(
    "line-amount-missing",
    "art. 106e ust. 1 pkt 11 and ust. 7 VAT act, P_11 or P_11A",
    "Pozycja {number} nie ma wartości netto ani brutto.",
    "Line {number} has neither a net nor a gross amount.",
    "Uzupełnij wartość pozycji.",
    "Add the line's amount.",
)
CATEGORY = warning(
    "line-rate-missing",
    "art. 106e ust. 1 pkt 12 VAT act, P_12",
    "Pozycja {number} nie ma stawki podatku.",
    "Line {number} has no tax rate.",
    "Wskaż stawkę pozycji.",
    "Choose the line's rate.",
)
MIXED = warning(
    "lines-net-and-gross",
    "art. 106e ust. 1 and ust. 7 VAT act",
    "Część pozycji ma tylko wartość netto, a część tylko brutto.",
    "Some lines have only a net amount and some only a gross one.",
    "Licz całą fakturę jedną metodą.",
    "Count the whole invoice by one method.",
)
BEFORE = error(
    "before-row-outside-correction",
    "StanPrzed",
    "Pozycja {number} opisuje stan przed korektą, choć dokument nie jest korektą.",
    "Line {number} shows a state before a correction, but the document is none.",
    "Usuń oznaczenie StanPrzed.",
    "Remove the mark StanPrzed.",
)


def survey(invoice: Invoice, context: Context) -> Subject:
    """Go over the lines once and check each.

    Returns:
        The subject of the other rules, with what was found in the lines.
    """
    kind = invoice.kind
    subject = Subject(invoice, context, kind in CORRECTIONS)
    subject.table = {rate.row: rate for rate in invoice.rates}
    groups: dict[object, Group] = {}
    numbers: list[int] = []
    days: list[date] = []
    check_text = _text_check(subject)
    needs_category = not subject.is_correction and not _may_lack_category(invoice)
    for index, line in enumerate(invoice.lines, 1):
        numbers.append(line.number)
        category = line.category
        key = id(category) if category is not None else line.oss_rate
        group = groups.get(key)
        if group is None:
            group = groups[key] = _group(line)
        _add(group, line)
        check_amounts(subject, index, line, group.percent)
        if check_text:
            _check_text(subject, index, line)
            if category is None and needs_category and line.oss_rate is None:
                subject.report(CATEGORY, f"Faktura/Fa/FaWiersz[{index}]/P_12", number=line.number)
        if line.delivered_on is not None:
            days.append(line.delivered_on)
        if line.before:
            subject.has_before = True
        if (
            line.gtu
            or line.procedure
            or line.annex_15
            or line.exchange_rate is not None
            or line.oss_rate is not None
        ):
            check_marks(subject, index, line)
    subject.groups = list(groups.values())
    subject.categories = [group.category for group in subject.groups if group.category is not None]
    if days:
        check_line_dates(subject, days)
    if not subject.is_correction and numbers:
        _check_sequence(subject, numbers)
    _check_methods(subject)
    return subject


def _text_check(subject: Subject) -> bool:
    """Whether lines have to be complete: corrections may leave out what they do not change."""
    return not subject.is_correction and subject.invoice.kind is not InvoiceKind.SIMPLIFIED


def _may_lack_category(invoice: Invoice) -> bool:
    """P_12 may be missing in margin schemes, in exempt sales and on simplified invoices."""
    notes = invoice.annotations
    return bool(
        notes.margin is not None
        or notes.exemption_law
        or notes.exemption_directive
        or notes.exemption_other
        or any(rate.row is RateRow.MARGIN for rate in invoice.rates)
    )


def _group(line: InvoiceLine) -> Group:
    category = line.category
    if category is not None:
        return Group(category, category.rate, category.row)
    if line.oss_rate is not None:
        return Group(None, line.oss_rate, RateRow.OSS)
    return Group(None, None, None)


def _add(group: Group, line: InvoiceLine) -> None:
    group.count += 1
    net, gross, vat = line.net_amount, line.gross_amount, line.vat
    if line.before:
        net, gross, vat = _minus(net), _minus(gross), _minus(vat)
    if net is not None:
        group.nets += 1
        group.net += net
    if gross is not None:
        group.grosses += 1
        group.gross += gross
    if vat is not None:
        group.vats += 1
        group.vat += vat


def _minus(amount: Decimal | None) -> Decimal | None:
    return None if amount is None else -amount


def _check_text(subject: Subject, index: int, line: InvoiceLine) -> None:
    if not line.name:
        subject.report(NAME, f"Faktura/Fa/FaWiersz[{index}]/P_7", number=line.number)
    if not line.unit and line.quantity is not None:
        subject.report(UNIT, f"Faktura/Fa/FaWiersz[{index}]/P_8A", number=line.number)
    if line.net_amount is None and line.gross_amount is None and subject.invoice.annotations.margin is None:
        subject.report(AMOUNT, f"Faktura/Fa/FaWiersz[{index}]/P_11", number=line.number)


def _check_sequence(subject: Subject, numbers: list[int]) -> None:
    if len(set(numbers)) != len(numbers):
        _report_repeated(subject)
    elif min(numbers) != 1:
        subject.report(NUMBER_START, "Faktura/Fa/FaWiersz[1]/NrWierszaFa", number=min(numbers))
    lines = subject.invoice.lines
    ids = [line.line_id for line in lines if line.line_id]
    if len(set(ids)) != len(ids):
        for index, line in enumerate(lines, 1):
            if line.line_id and any(line.line_id == one.line_id for one in lines[: index - 1]):
                subject.report(ID_REPEATED, f"Faktura/Fa/FaWiersz[{index}]/UU_ID", value=line.line_id)
    if subject.has_before:
        for index, line in enumerate(lines, 1):
            if line.before:
                subject.report(BEFORE, f"Faktura/Fa/FaWiersz[{index}]/StanPrzed", number=line.number)


def _report_repeated(subject: Subject) -> None:
    seen: set[int] = set()
    for index, line in enumerate(subject.invoice.lines, 1):
        if line.number in seen:
            path = f"Faktura/Fa/FaWiersz[{index}]/NrWierszaFa"
            subject.report(NUMBER_REPEATED, path, number=line.number)
        seen.add(line.number)


def _check_methods(subject: Subject) -> None:
    nets = grosses = False
    for group in subject.groups:
        if group.nets + group.grosses <= group.count:  # a line with both amounts fits either method
            nets = nets or group.nets > 0
            grosses = grosses or group.grosses > 0
    if nets and grosses:
        subject.report(MIXED, "Faktura/Fa/FaWiersz[1]")
