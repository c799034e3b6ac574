"""What a rule is, and what the rules look at."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from core.findings import Finding, Severity, Text
from core.invoices.model import Invoice, InvoiceKind, RateRow, RateSummary, VatCategory
from core.money import ZERO

CORRECTIONS = (InvoiceKind.CORRECTION, InvoiceKind.ADVANCE_CORRECTION, InvoiceKind.SETTLEMENT_CORRECTION)
"""Kinds whose amounts are differences."""
SUM_TOLERANCE = Decimal("0.02")
"""What rounding alone may do to a sum, in units of the currency."""


@dataclass(frozen=True, slots=True)
class Context:
    """What rules know besides the invoice.

    Attributes:
        today: the current Warsaw day; an issue date after it is refused by KSeF.
        older_schema: the invoice was read from FA(2), where P_12 has one code for every kind of 0 % and
            one for every sale outside Poland, and Podmiot2 has neither JST nor GV.
    """

    today: date
    older_schema: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """One semantic rule.

    Attributes:
        code: stable code. severity: how much its finding weighs.
        sentence: what is wrong; words in braces are filled with the document's values.
        source: law article, schema field or KSeF documentation.
        hint: what a person can do; may be empty texts.
    """

    code: str
    severity: Severity
    sentence: Text
    source: str
    hint: Text

    def at(self, path: str, **values: object) -> Finding:
        """The rule's finding at a path of schema names, its sentence filled with ``values``."""
        text = self.sentence
        if values:
            text = Text(text.pl.format(**values), text.en.format(**values))
        return Finding(self.code, self.severity, path, text, self.hint, self.source)


def error(code: str, source: str, pl: str, en: str, hint_pl: str = "", hint_en: str = "") -> Rule:
    """A rule whose breach forbids sending."""
    return Rule(code, Severity.ERROR, Text(pl, en), source, Text(hint_pl, hint_en))


def warning(code: str, source: str, pl: str, en: str, hint_pl: str = "", hint_en: str = "") -> Rule:
    """A rule whose breach a person should look at."""
    return Rule(code, Severity.WARNING, Text(pl, en), source, Text(hint_pl, hint_en))


def info(code: str, source: str, pl: str, en: str, hint_pl: str = "", hint_en: str = "") -> Rule:
    """A rule whose breach is worth knowing."""
    return Rule(code, Severity.INFO, Text(pl, en), source, Text(hint_pl, hint_en))


class Group:
    """Lines of one rate: their sums, where rows before a correction count negative.

    Attributes:
        category: P_12; ``None`` for OSS and margin lines.
        percent: the rate, ``None`` where no rate is stated.
        row: the row of the VAT table, ``None`` for lines without a rate.
        count: number of lines. nets, grosses, vats: how many of them state P_11, P_11A, P_11Vat.
        net, gross, vat: the sums.
    """

    __slots__ = (
        "category",
        "count",
        "gross",
        "grosses",
        "net",
        "nets",
        "percent",
        "row",
        "vat",
        "vats",
    )

    def __init__(self, category: VatCategory | None, percent: Decimal | None, row: RateRow | None) -> None:
        self.category, self.percent, self.row = category, percent, row
        self.count = self.nets = self.grosses = self.vats = 0
        self.net = self.gross = self.vat = ZERO


@dataclass(slots=True)
class Subject:
    """An invoice under check: what one pass over its lines found, and the findings so far.

    Attributes:
        invoice, context: what is checked. is_correction: whether amounts are differences.
        groups: lines by rate. categories: the categories of lines. table: the VAT table by row.
        has_annex_15, has_before: whether any line is marked so.
        exchange_rate: the last KursWaluty of the lines, ``None`` when there is none.
        exchange_rates: how often KursWaluty changes from line to line: 1 when it is the same on all.
        found: the findings, in the order of the checks.
    """

    invoice: Invoice
    context: Context
    is_correction: bool
    groups: list[Group] = field(default_factory=list)
    categories: list[VatCategory] = field(default_factory=list)
    table: dict[RateRow, RateSummary] = field(default_factory=dict)
    has_annex_15: bool = False
    has_before: bool = False
    exchange_rate: Decimal | None = None
    exchange_rates: int = 0
    found: list[Finding] = field(default_factory=list)

    def report(self, rule: Rule, path: str, **values: object) -> None:
        """Add a rule's finding."""
        self.found.append(rule.at(path, **values))

    def has(self, category: VatCategory) -> bool:
        """Whether a line or a row of the VAT table is of a category that has a row of its own."""
        return category in self.categories or category.row in self.table
