"""The VAT table and the total: against each other and against the lines."""

from __future__ import annotations

from decimal import Decimal

from core.invoices.model import InvoiceKind, RateRow, RateSummary
from core.invoices.rules.rule import SUM_TOLERANCE, Group, Subject, error, warning
from core.money import GROSZ, ZERO, grosz

TOTAL = error(
    "total-differs-from-rates",
    "P_13_x, P_14_x, P_15",
    "Kwota należności {total} różni się od sumy tabeli VAT {counted}.",
    "The total {total} differs from the VAT table's sum {counted}.",
    "Policz ponownie tabelę VAT albo kwotę należności.",
    "Count the VAT table or the total again.",
)
TOTAL_ROUNDED = warning(
    "total-rounded-from-rates",
    "P_13_x, P_14_x, P_15",
    "Kwota należności {total} różni się od sumy tabeli VAT {counted} o zaokrąglenie.",
    "The total {total} differs from the VAT table's sum {counted} by a rounding.",
)
SETTLEMENT_TOTAL = warning(
    "settlement-total-differs",
    "art. 106f ust. 3 VAT act, P_15",
    "Kwota pozostała do zapłaty {total} różni się od sumy tabeli VAT {counted}.",
    "The amount left to pay {total} differs from the VAT table's sum {counted}.",
    "W fakturze rozliczającej tabelę VAT pomniejsza się o zaliczki.",
    "In a settlement invoice the VAT table is reduced by the advances.",
)
WITHOUT_TABLE = error(
    "total-without-rates",
    "P_13_x, P_15",
    "Faktura ma kwotę {total}, ale żadnego pola tabeli VAT.",
    "The invoice has a total of {total} but no row of the VAT table.",
    "Uzupełnij tabelę VAT.",
    "Fill in the VAT table.",
)
NEGATIVE = error(
    "total-negative",
    "P_15",
    "Kwota należności {total} jest ujemna, a dokument nie jest korektą.",
    "The total {total} is negative, but the document is no correction.",
    "Wystaw fakturę korygującą.",
    "Issue a correcting invoice.",
)
ROW_MISSING = error(
    "rate-missing-in-table",
    "P_12, P_13_x",
    "Pozycje mają stawkę, dla której tabela VAT nie ma pola {row}.",
    "Lines have a rate for which the VAT table lacks {row}.",
    "Policz ponownie tabelę VAT.",
    "Count the VAT table again.",
)
ROW_UNEXPLAINED = error(
    "rate-without-lines",
    "P_12, P_13_x",
    "Tabela VAT zawiera {row}, ale żadna pozycja nie ma takiej stawki.",
    "The VAT table has {row}, but no line has such a rate.",
    "Policz ponownie tabelę VAT.",
    "Count the VAT table again.",
)
SUM = error(
    "rate-sum-differs-from-lines",
    "P_11, P_11A, P_13_x",
    "{row}: pozycje dają {counted}, a tabela VAT {stated}.",
    "{row}: lines give {counted}, the VAT table says {stated}.",
    "Policz ponownie tabelę VAT.",
    "Count the VAT table again.",
)
TAX = error(
    "rate-tax-differs",
    "art. 106e ust. 1 pkt 14, ust. 7 and 10 VAT act",
    "{row}: podatek {vat}, a ze stawki wynika {counted}.",
    "{row}: tax {vat}, the rate gives {counted}.",
    "Policz podatek od sumy stawki albo jako sumę podatku pozycji.",
    "Count the tax from the rate's sum or as the sum of the lines' taxes.",
)
LINE_TAX_PARTLY = warning(
    "line-tax-partly-stated",
    "art. 106e ust. 10 VAT act, P_11Vat",
    "{row}: tylko część pozycji tej stawki podaje kwotę podatku.",
    "{row}: only some of the lines of this rate state their tax.",
    "Podaj podatek każdej pozycji stawki albo żadnej.",
    "State the tax of every line of a rate or of none.",
)
TAX_MISSING = error(
    "rate-tax-missing",
    "P_14_x",
    "{row}: tabela VAT nie podaje kwoty podatku.",
    "{row}: the VAT table does not state the tax.",
    "Uzupełnij kwotę podatku.",
    "Add the tax.",
)
TAX_NEEDLESS = error(
    "rate-tax-on-untaxed",
    "P_13_6 to P_13_11",
    "{row}: sprzedaż bez polskiego podatku ma kwotę podatku {vat}.",
    "{row}: a sale without Polish tax states a tax of {vat}.",
    "Usuń kwotę podatku.",
    "Remove the tax.",
)
TAX_SIGN = warning(
    "rate-tax-sign",
    "P_13_x, P_14_x",
    "{row}: kwota netto {net} i podatek {vat} mają różne znaki.",
    "{row}: the net amount {net} and the tax {vat} have different signs.",
    "Sprawdź znaki kwot.",
    "Check the signs.",
)
REPEATED = error(
    "rate-row-repeated",
    "P_13_x",
    "Pole {row} występuje w tabeli VAT więcej niż raz.",
    "The VAT table has {row} more than once.",
    "Zsumuj kwoty jednej stawki.",
    "Add up the amounts of one rate.",
)

_TAXED = (RateRow.BASIC, RateRow.REDUCED, RateRow.LOWEST, RateRow.TAXI)
_SETTLEMENTS = (InvoiceKind.SETTLEMENT, InvoiceKind.SETTLEMENT_CORRECTION)
_WITHOUT_LINES = (InvoiceKind.SIMPLIFIED, InvoiceKind.ADVANCE, InvoiceKind.ADVANCE_CORRECTION)
# FA(2) has one code for all kinds of 0 % and one for all sales outside Poland
_OLDER = {
    RateRow.ZERO_WDT: RateRow.ZERO,
    RateRow.ZERO_EXPORT: RateRow.ZERO,
    RateRow.OUTSIDE_SERVICES: RateRow.OUTSIDE,
}
_OWN_RULES = (RateRow.OSS, RateRow.MARGIN)


def check_totals(subject: Subject) -> None:
    """The table by itself, the total, then the table against the lines."""
    invoice = subject.invoice
    counted = ZERO
    for rate in invoice.rates:
        counted += rate.net
        if rate.vat is not None:
            counted += rate.vat
        _check_row(subject, rate)
    total = invoice.total
    if len(subject.table) != len(invoice.rates):
        rows = [rate.row for rate in invoice.rates]
        for row in subject.table:
            if rows.count(row) > 1:
                subject.report(REPEATED, f"Faktura/Fa/{row.value}", row=row.value)
    if not invoice.rates:
        if total and invoice.kind is not InvoiceKind.SIMPLIFIED:
            subject.report(WITHOUT_TABLE, "Faktura/Fa/P_15", total=total)
    elif counted != total and not _lacks_foreign_tax(subject):
        rule = SETTLEMENT_TOTAL
        if invoice.kind not in _SETTLEMENTS:
            # the Ministry's own example 1 is a grosz apart, so a rounding alone forbids nothing
            rule = TOTAL_ROUNDED if abs(counted - total) <= SUM_TOLERANCE else TOTAL
        subject.report(rule, "Faktura/Fa/P_15", total=total, counted=counted)
    if total < 0 and not subject.is_correction:
        subject.report(NEGATIVE, "Faktura/Fa/P_15", total=total)
    if subject.groups and invoice.kind not in _WITHOUT_LINES:
        _check_lines(subject)


def _lacks_foreign_tax(subject: Subject) -> bool:
    """P_14_5 need not be stated, so the table may hold less than the total."""
    oss = subject.table.get(RateRow.OSS)
    return oss is not None and oss.vat is None


def _check_row(subject: Subject, rate: RateSummary) -> None:
    vat, row = rate.vat, rate.row
    if vat is None:
        if row in _TAXED:
            subject.report(TAX_MISSING, f"Faktura/Fa/{row.value}", row=row.value)
    elif row not in _TAXED and row is not RateRow.OSS:
        subject.report(TAX_NEEDLESS, f"Faktura/Fa/{row.value}", row=row.value, vat=vat)
    elif (vat > 0 > rate.net) or (vat < 0 < rate.net):
        subject.report(TAX_SIGN, f"Faktura/Fa/{row.value}", row=row.value, net=rate.net, vat=vat)


def _check_lines(subject: Subject) -> None:
    older = subject.context.older_schema
    by_row: dict[RateRow, list[Group]] = {}
    is_open = False
    for group in subject.groups:
        if group.row is None:
            is_open = True
        else:
            by_row.setdefault(_OLDER.get(group.row, group.row) if older else group.row, []).append(group)
    table = _merged(subject) if older else subject.table
    for row, groups in by_row.items():
        if subject.invoice.kind not in _SETTLEMENTS:  # whose lines are the whole order, the table its rest
            _check_group(subject, row, table.get(row), groups)
        if 0 < sum([group.vats for group in groups]) < sum([group.count for group in groups]):
            subject.report(LINE_TAX_PARTLY, f"Faktura/Fa/{row.value}", row=row.value)
    if not is_open:
        for row in table:
            if row not in by_row and row not in _OWN_RULES:
                subject.report(ROW_UNEXPLAINED, f"Faktura/Fa/{row.value}", row=row.value)


def _check_group(subject: Subject, row: RateRow, rate: RateSummary | None, groups: list[Group]) -> None:
    if rate is not None:
        _check_sum(subject, rate, groups)
    elif row not in _OWN_RULES and _is_sale(groups):
        subject.report(ROW_MISSING, f"Faktura/Fa/{row.value}", row=row.value)


def _merged(subject: Subject) -> dict[RateRow, RateSummary]:
    table: dict[RateRow, RateSummary] = {}
    for row, rate in subject.table.items():
        coarse = _OLDER.get(row, row)
        other = table.get(coarse)
        table[coarse] = rate if other is None else RateSummary(coarse, other.net + rate.net)
    return table


def _is_sale(groups: list[Group]) -> bool:
    """Whether lines have a value, or do not state it: lines of nothing need no row of the table."""
    return any(group.net or group.gross or group.nets + group.grosses < group.count for group in groups)


def _check_sum(subject: Subject, rate: RateSummary, groups: list[Group]) -> None:
    count = nets = grosses = vats = 0
    net = gross = vat = ZERO
    for group in groups:
        count += group.count
        nets += group.nets
        grosses += group.grosses
        vats += group.vats
        net += group.net
        gross += group.gross
        vat += group.vat
    if nets == count:
        counted, stated, is_net = net, rate.net, True
    elif grosses == count and (rate.vat is not None or rate.row not in _TAXED):
        counted, stated, is_net = gross, rate.gross, False
        if rate.row is RateRow.OSS and rate.vat is None:
            return
    else:
        return
    if counted != stated and abs(counted - stated) > SUM_TOLERANCE:
        subject.report(
            SUM, f"Faktura/Fa/{rate.row.value}", row=rate.row.value, counted=counted, stated=stated
        )
    if rate.vat is None or (vats == count and vat == rate.vat):
        return
    percent = groups[0].percent
    if len(groups) == 1 and percent is not None:
        _check_tax(subject, rate, percent, count, is_net=is_net)


def _check_tax(subject: Subject, rate: RateSummary, percent: Decimal, count: int, *, is_net: bool) -> None:
    assert rate.vat is not None
    exact = rate.net * percent / 100 if is_net else (rate.net + rate.vat) * percent / (100 + percent)
    # each line may be rounded by itself (art. 106e ust. 10), half a grosz at most
    if abs(rate.vat - exact) > max(SUM_TOLERANCE, GROSZ * count):
        path = f"Faktura/Fa/{rate.row.value}"
        subject.report(TAX, path, row=rate.row.value, vat=rate.vat, counted=grosz(exact))
