"""Semantic rules: what a schema cannot say about an invoice.

Each rule is a :class:`Rule` with a stable code, a severity, a sentence in two languages and its source;
:data:`RULES` holds all of them. One pass over the lines gathers sums, then the checks of each subject
report breaches. KSeF itself checks only a few of these, so a wrong sum would be accepted and become the
seller's problem.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.findings import Finding, Severity, Text
from core.invoices.model import Invoice
from core.invoices.rules import (
    amounts,
    corrections,
    currency,
    dates,
    kinds,
    lines,
    marks,
    notes,
    numbers,
    parties,
    payment,
    taxation,
    totals,
)
from core.invoices.rules.rule import Context, Rule, error, info, warning

__all__ = [
    "RULES",
    "CatalogueEntry",
    "Context",
    "Rule",
    "catalogue",
    "check",
    "entries_of",
    "error",
    "info",
    "warning",
]

_MODULES = (
    numbers,
    parties,
    dates,
    kinds,
    corrections,
    lines,
    amounts,
    marks,
    notes,
    totals,
    taxation,
    currency,
    payment,
)
RULES: tuple[Rule, ...] = tuple(
    rule for module in _MODULES for rule in vars(module).values() if isinstance(rule, Rule)
)
"""Every rule, by subject."""


def check(invoice: Invoice, context: Context) -> list[Finding]:
    """All findings of all rules.

    Args:
        invoice: complete, built or read.
        context: the day, and where the invoice comes from.
    """
    subject = lines.survey(invoice, context)
    numbers.check_numbers(subject)
    parties.check_parties(subject)
    dates.check_dates(subject)
    kinds.check_kind(subject)
    corrections.check_corrections(subject)
    totals.check_totals(subject)
    amounts.check_decimals(subject)
    taxation.check_taxation(subject)
    notes.check_annotations(subject)
    currency.check_currency(subject)
    payment.check_payment(subject)
    return subject.found


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One rule as documentation shows it.

    Attributes:
        code, severity, source: of the rule.
        sentence: its sentence, an ellipsis in the place of a document's values.
    """

    code: str
    severity: Severity
    sentence: Text
    source: str


def entries_of(rules: tuple[Rule, ...]) -> tuple[CatalogueEntry, ...]:
    """Rules as documentation shows them, ordered by code."""
    return tuple(
        CatalogueEntry(
            rule.code, rule.severity, Text(_open(rule.sentence.pl), _open(rule.sentence.en)), rule.source
        )
        for rule in sorted(rules, key=lambda rule: rule.code)
    )


def catalogue() -> tuple[CatalogueEntry, ...]:
    """Every rule of this package, ordered by code."""
    return entries_of(RULES)


def _open(sentence: str) -> str:
    return re.sub(r"\{\w+\}", "…", sentence)
