"""Days of issue, sale, delivery and of what an invoice refers to."""

from __future__ import annotations

from datetime import date, timedelta

from core.invoices.model import Invoice, InvoiceKind, TaxIdKind
from core.invoices.rules.rule import Subject, error, info, warning

ISSUED_LATER = error(
    "issue-date-in-future",
    "KSeF: verification of invoices (P_1)",
    "Data wystawienia {issued} jest późniejsza niż dziś ({today}).",
    "The issue date {issued} is after today ({today}).",
    "Wystaw fakturę z dzisiejszą datą.",
    "Issue the invoice with today's date.",
)
ISSUED_LONG_AGO = info(
    "issue-date-old",
    "KSeF: P_1 and the day of sending",
    "Data wystawienia {issued} jest sprzed {days} dni: wysłany teraz dokument KSeF oznaczy jako offline.",
    "The issue date {issued} is {days} days ago: sent now, the document will be marked as offline by KSeF.",
)
SOLD_REPEATS = warning(
    "sale-date-repeats-issue-date",
    "art. 106e ust. 1 pkt 6 VAT act",
    "Datę sprzedaży podaje się tylko wtedy, gdy różni się od daty wystawienia.",
    "The date of sale is stated only when it differs from the issue date.",
    "Usuń datę sprzedaży.",
    "Remove the date of sale.",
)
SOLD_TOO_LATE = warning(
    "sale-date-too-late",
    "art. 106i ust. 7 VAT act",
    "Data sprzedaży {sold} przypada ponad 60 dni po dacie wystawienia {issued}.",
    "The date of sale {sold} is more than 60 days after the issue date {issued}.",
    "Faktury nie wolno wystawić wcześniej niż 60 dni przed sprzedażą.",
    "An invoice must not be issued more than 60 days before the sale.",
)
ISSUED_LATE = info(
    "issued-after-deadline",
    "art. 106i ust. 1 VAT act",
    "Fakturę za sprzedaż z {sold} należało wystawić do {deadline}.",
    "The invoice for the sale of {sold} was due by {deadline}.",
)
PERIOD_REVERSED = error(
    "period-reversed",
    "OkresFa: P_6_Od, P_6_Do",
    "Okres faktury kończy się {last}, zanim się zaczyna ({first}).",
    "The invoice's period ends on {last}, before it begins ({first}).",
    "Popraw daty okresu.",
    "Correct the period's days.",
)
SOLD_AND_PERIOD = error(
    "sale-date-and-period",
    "P_6 or OkresFa",
    "Podano i datę sprzedaży, i okres faktury, a schemat pozwala na jedno z nich.",
    "Both a date of sale and a period are given, the schema allows one of them.",
    "Zostaw tylko jedno.",
    "Keep only one.",
)
LINE_AND_SOLD = warning(
    "line-date-with-sale-date",
    "P_6, P_6A",
    "Pozycja {number} ma własną datę dostawy, choć podano wspólną datę sprzedaży.",
    "Line {number} has a delivery date of its own although a common date of sale is given.",
    "Podaj datę wspólną albo daty pozycji.",
    "State the common date or the lines' dates.",
)
LINE_DATES_EQUAL = info(
    "line-dates-equal",
    "P_6, P_6A",
    "Wszystkie pozycje mają tę samą datę {day}: podaje się ją raz, w polu P_6.",
    "All lines have the same date {day}: it is stated once, in P_6.",
)
LINE_TOO_LATE = warning(
    "line-date-too-late",
    "art. 106i ust. 7 VAT act",
    "Data dostawy {day} pozycji {number} przypada ponad 60 dni po dacie wystawienia.",
    "The delivery date {day} of line {number} is more than 60 days after the issue date.",
    "Sprawdź datę dostawy.",
    "Check the delivery date.",
)
ADVANCE_LATER = warning(
    "advance-received-later",
    "art. 106i ust. 7 VAT act, P_6Z",
    "Zaliczka ma datę otrzymania {day}, ponad 60 dni po dacie wystawienia.",
    "An advance has the date of receipt {day}, more than 60 days after the issue date.",
    "Sprawdź datę zaliczki.",
    "Check the advance's day.",
)
ORDER_LATER = warning(
    "order-date-after-issue",
    "WarunkiTransakcji: DataZamowienia",
    "Zamówienie ma datę {day}, późniejszą niż data wystawienia faktury.",
    "The order is dated {day}, after the invoice's issue date.",
    "Sprawdź datę zamówienia.",
    "Check the order's day.",
)
CONTRACT_LATER = warning(
    "contract-date-after-issue",
    "WarunkiTransakcji: DataUmowy",
    "Umowa ma datę {day}, późniejszą niż data wystawienia faktury.",
    "The contract is dated {day}, after the invoice's issue date.",
    "Sprawdź datę umowy.",
    "Check the contract's day.",
)

_EARLY = timedelta(days=60)
_OLD = 31
_DEADLINE_DAY = 15


def check_dates(subject: Subject) -> None:
    """The days of the invoice as a whole."""
    invoice = subject.invoice
    issued, sold, period = invoice.issued_on, invoice.sold_on, invoice.period
    days = (subject.context.today - issued).days
    if days < 0:
        subject.report(ISSUED_LATER, "Faktura/Fa/P_1", issued=issued, today=subject.context.today)
    elif days > _OLD:
        subject.report(ISSUED_LONG_AGO, "Faktura/Fa/P_1", issued=issued, days=days)
    if sold is not None:
        _sold(subject, sold)
    if period is not None:
        if period.first > period.last:
            subject.report(PERIOD_REVERSED, "Faktura/Fa/OkresFa/P_6_Do", first=period.first, last=period.last)
        if sold is not None:
            subject.report(SOLD_AND_PERIOD, "Faktura/Fa/P_6")
    for index, part in enumerate(invoice.advance_parts, 1):
        if part.received_on - issued > _EARLY:
            subject.report(ADVANCE_LATER, f"Faktura/Fa/ZaliczkaCzesciowa[{index}]/P_6Z", day=part.received_on)
    if invoice.terms is not None:
        _terms(subject)


def _sold(subject: Subject, sold: date) -> None:
    issued = subject.invoice.issued_on
    if sold == issued:
        subject.report(SOLD_REPEATS, "Faktura/Fa/P_6")
    elif sold > issued:
        if sold - issued > _EARLY:
            subject.report(SOLD_TOO_LATE, "Faktura/Fa/P_6", sold=sold, issued=issued)
    elif _is_due(subject.invoice) and issued > _deadline(sold):
        subject.report(ISSUED_LATE, "Faktura/Fa/P_1", sold=sold, deadline=_deadline(sold))


def _is_due(invoice: Invoice) -> bool:
    """Whether the invoice had to be issued without being asked for: consumers ask (art. 106i ust. 6)."""
    return invoice.kind is InvoiceKind.VAT and invoice.buyer.tax_id.kind is TaxIdKind.NIP


def _deadline(sold: date) -> date:
    """The fifteenth day of the month after a sale."""
    year, month = divmod(sold.year * 12 + sold.month, 12)
    return date(year, month + 1, _DEADLINE_DAY) if year <= date.max.year else date.max


def _terms(subject: Subject) -> None:
    terms, issued = subject.invoice.terms, subject.invoice.issued_on
    assert terms is not None
    for index, order in enumerate(terms.orders, 1):
        if order.day is not None and order.day > issued:
            path = f"Faktura/Fa/WarunkiTransakcji/Zamowienia[{index}]/DataZamowienia"
            subject.report(ORDER_LATER, path, day=order.day)
    for index, contract in enumerate(terms.contracts, 1):
        if contract.day is not None and contract.day > issued:
            path = f"Faktura/Fa/WarunkiTransakcji/Umowy[{index}]/DataUmowy"
            subject.report(CONTRACT_LATER, path, day=contract.day)


def check_line_dates(subject: Subject, days: list[date]) -> None:
    """The delivery days of lines.

    Args:
        subject: the invoice.
        days: what the pass over the lines found, in any order, one for each line that states a day.
    """
    invoice = subject.invoice
    if invoice.sold_on is None and len(days) == len(invoice.lines) > 1 and len(set(days)) == 1:
        subject.report(LINE_DATES_EQUAL, "Faktura/Fa/FaWiersz[1]/P_6A", day=days[0])
    for index, line in enumerate(invoice.lines, 1):
        if line.delivered_on is None:
            continue
        path = f"Faktura/Fa/FaWiersz[{index}]/P_6A"
        if invoice.sold_on is not None:
            subject.report(LINE_AND_SOLD, path, number=line.number)
        if line.delivered_on - invoice.issued_on > _EARLY:
            subject.report(LINE_TOO_LATE, path, number=line.number, day=line.delivered_on)
