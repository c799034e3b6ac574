"""The rule book: which orders belong into KSeF, by which law or setting, and from when until when.

Every rule is a row of :data:`RULES`; what decides about an order reads this table and has no date of its own.
Rules of one question stand in the order in which they are asked: the first that applies on the day decides.

Days are Warsaw days, and both ends are included. Sources: the VAT act (ustawa z 11 marca 2004 r. o podatku od
towarów i usług) as in force on 24 November 2026.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from core.findings import Text


class Route(StrEnum):
    """Where the invoice of an order belongs."""

    KSEF = "ksef"
    OUTSIDE = "outside"
    """An invoice is due, but not in KSeF: another program issues it."""
    NOTHING = "nothing"
    """No invoice is issued."""


class Question(StrEnum):
    """What a rule answers."""

    WHERE = "where"
    """Whether an order gets an invoice, and where."""
    WHEN = "when"
    """By when."""
    CORRECTION = "correction"
    """What becomes of a change after the invoice."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        code: stable code; stored with documents.
        route: where the invoice belongs when the rule applies.
        sentence: what it says, for a shop owner.
        basis: article of the law, or the store's setting, that says so.
        begins, ends: first and last Warsaw day; ``None`` is open.
        question: see :class:`Question`.
        setting: option of ``store set`` that the merchant chooses it by; empty when there is no choice.
    """

    code: str
    route: Route
    sentence: Text
    basis: Text
    begins: date | None = None
    ends: date | None = None
    question: Question = Question.WHERE
    setting: str = ""

    def holds_on(self, day: date) -> bool:
        """Whether the rule is in force on a Warsaw day."""
        return (self.begins is None or self.begins <= day) and (self.ends is None or day <= self.ends)


def _act(articles: str) -> Text:
    return Text(f"{articles} ustawy o VAT", f"{articles} of the VAT act")


def _setting(name: str) -> Text:
    return Text(f"ustawienie sklepu --{name}", f"store setting --{name}")


RELIEF_LIMIT = Decimal(10_000)
"""PLN with tax in a calendar month (art. 145m of the VAT act)."""

RECEIPT_LIMITS = {"PLN": Decimal(450), "EUR": Decimal(100)}
"""Amount with tax up to which a receipt with a NIP is an invoice (art. 106e ust. 5 pkt 3 of the VAT act)."""

INVOICE_BY_DAY = 15
"""Day of the month after the sale by which its invoice is issued (art. 106i ust. 1 of the VAT act)."""

CALLED_OFF = Rule(
    "called-off",
    Route.NOTHING,
    Text(
        "Zamówienie anulowano przed wystawieniem faktury: nie ma sprzedaży.",
        "The order was cancelled before it was invoiced: there is no sale.",
    ),
    _act("art. 106b ust. 1"),
)
FREE = Rule(
    "free",
    Route.NOTHING,
    Text(
        "Zamówienie nic nie kosztowało, więc nie ma czego fakturować.",
        "The order cost nothing, so there is nothing to invoice.",
    ),
    _act("art. 106b ust. 1"),
)
BEFORE_START = Rule(
    "before-start",
    Route.NOTHING,
    Text(
        "Zamówienie złożono przed dniem, od którego działa łącznik.",
        "The order was placed before the day on which the connector starts.",
    ),
    _setting("start"),
    setting="start",
)
RECEIPT = Rule(
    "receipt-with-nip",
    Route.NOTHING,
    Text(
        "Paragon z NIP do 450 zł (100 euro) jest fakturą uproszczoną; drugiej faktury się nie wystawia.",
        "A receipt with a NIP for up to 450 PLN (100 EUR) is a simplified invoice; there is no second one.",
    ),
    _act("art. 106e ust. 5 pkt 3, art. 145n"),
    ends=date(2026, 12, 31),
    setting="receipts",
)
NOT_ASKED = Rule(
    "not-asked",
    Route.NOTHING,
    Text(
        "Konsument bez NIP dostaje fakturę tylko na żądanie; według ustawień sklepu jej się nie wystawia.",
        "A consumer without a tax number gets an invoice on request only; the store's settings ask for none.",
    ),
    _act("art. 106b ust. 3"),
    setting="recipients",
)
OSS_OUTSIDE = Rule(
    "oss-outside",
    Route.OUTSIDE,
    Text(
        "Sprzedaż w procedurze OSS (stawka innego kraju UE) nie podlega obowiązkowi KSeF.",
        "A sale under the OSS scheme (rate of another EU country) is outside the duty to use KSeF.",
    ),
    _act("art. 106ga ust. 2 pkt 3"),
    setting="oss",
)
OSS_KSEF = Rule(
    "oss-ksef",
    Route.KSEF,
    Text(
        "Sprzedaż w procedurze OSS, dobrowolnie w KSeF z wyboru sprzedawcy.",
        "A sale under the OSS scheme, in KSeF by the merchant's own choice.",
    ),
    _setting("oss"),
    setting="oss",
)
CONSUMER_OUTSIDE = Rule(
    "consumer-outside",
    Route.OUTSIDE,
    Text(
        "Faktury dla konsumenta nie trzeba wystawiać w KSeF; sklep wystawia ją poza KSeF.",
        "A consumer's invoice need not be in KSeF; the store issues it outside KSeF.",
    ),
    _act("art. 106ga ust. 2 pkt 4"),
    setting="consumers",
)
CONSUMER_KSEF = Rule(
    "consumer-ksef",
    Route.KSEF,
    Text(
        "Faktura dla konsumenta, dobrowolnie w KSeF z wyboru sprzedawcy.",
        "A consumer's invoice, in KSeF by the merchant's own choice.",
    ),
    _act("art. 106ga ust. 2 pkt 4"),
    setting="consumers",
)
RELIEF = Rule(
    "relief-10000",
    Route.OUTSIDE,
    Text(
        "Dopóki faktury poza KSeF nie przekroczą w miesiącu 10 000 zł z podatkiem, wolno je tak wystawiać.",
        "As long as invoices outside KSeF stay within 10 000 PLN with tax in a month, they may be issued so.",
    ),
    _act("art. 145m"),
    begins=date(2026, 4, 1),
    ends=date(2026, 12, 31),
    setting="relief",
)
RELIEF_USED_UP = Rule(
    "relief-used-up",
    Route.KSEF,
    Text(
        "Ta faktura nie mieści się w miesięcznych 10 000 zł poza KSeF, więc idzie do KSeF.",
        "This invoice does not fit into the month's 10 000 PLN outside KSeF, so it goes to KSeF.",
    ),
    _act("art. 106ga ust. 1, art. 145m"),
    begins=date(2026, 4, 1),
    ends=date(2026, 12, 31),
    setting="relief",
)
BEFORE_DUTY = Rule(
    "before-duty",
    Route.KSEF,
    Text(
        "Przed powszechnym obowiązkiem faktura w KSeF jest dobrowolna (największe firmy: do 31 stycznia).",
        "Before the general duty an invoice in KSeF is voluntary (for the largest firms until 31 January).",
    ),
    _act("art. 106ga, art. 145l"),
    ends=date(2026, 3, 31),
)
BUSINESS = Rule(
    "business",
    Route.KSEF,
    Text(
        "Fakturę dla firmy wystawia się w KSeF.",
        "A business buyer's invoice is issued in KSeF.",
    ),
    _act("art. 106ga ust. 1"),
    begins=date(2026, 4, 1),
)
BY_THE_15TH = Rule(
    "by-the-15th",
    Route.KSEF,
    Text(
        "Najpóźniej 15. dnia miesiąca po sprzedaży, także gdy sklep każe czekać dłużej.",
        "By the 15th of the month after the sale, even when the store's settings say to wait longer.",
    ),
    _act("art. 106i ust. 1"),
    question=Question.WHEN,
)
CORRECTION_AUTOMATIC = Rule(
    "correction-automatic",
    Route.KSEF,
    Text(
        "Zwrot po fakturze w KSeF sam staje się fakturą korygującą w KSeF.",
        "A refund after an invoice in KSeF becomes a correcting invoice in KSeF by itself.",
    ),
    _act("art. 106j ust. 1"),
    question=Question.CORRECTION,
    setting="corrections",
)
CORRECTION_ASKED = Rule(
    "correction-asked",
    Route.KSEF,
    Text(
        "O korekcie faktury w KSeF decyduje najpierw człowiek.",
        "A person decides first about correcting an invoice in KSeF.",
    ),
    _act("art. 106j ust. 1"),
    question=Question.CORRECTION,
    setting="corrections",
)
UPLOADED = Rule(
    "uploaded",
    Route.KSEF,
    Text(
        "Gotowy plik innego programu wgrał człowiek; idzie do KSeF bez zmian.",
        "A person uploaded another program's ready file; it goes to KSeF unchanged.",
    ),
    _act("art. 106ga ust. 1"),
)
"""Of a document, not of an order: no table of rules asks for it."""
BY_PERSON = Rule(
    "by-person",
    Route.KSEF,
    Text(
        "Człowiek polecił wystawić fakturę w KSeF, choć reguły sklepu mówią inaczej.",
        "A person ordered the invoice to be issued in KSeF, although the store's rules say otherwise.",
    ),
    _act("art. 106ga"),
)
"""A person's decision about one order; it stands before the rules of the table."""

RULES = (
    CALLED_OFF,
    FREE,
    BEFORE_START,
    RECEIPT,
    NOT_ASKED,
    OSS_OUTSIDE,
    OSS_KSEF,
    CONSUMER_OUTSIDE,
    CONSUMER_KSEF,
    RELIEF,
    RELIEF_USED_UP,
    BUSINESS,
    BEFORE_DUTY,
    BY_THE_15TH,
    CORRECTION_AUTOMATIC,
    CORRECTION_ASKED,
)
"""Every rule, in the order in which they are asked."""

_ONE_DAY = timedelta(days=1)


def changes_after(day: date, rules: Iterable[Rule] = RULES) -> tuple[date, ...]:
    """Warsaw days after a day on which a rule begins, or no longer holds, earliest first.

    Args:
        day: later changes only.
        rules: the book.
    """
    found = {rule.begins for rule in rules if rule.begins}
    found |= {rule.ends + _ONE_DAY for rule in rules if rule.ends}
    return tuple(sorted(one for one in found if one > day))
