"""The report of a numbers check: what was looked at, what was counted, what was found.

Its JSON form is stable: ``version`` goes up when a member changes its meaning or goes away; new members may
come without that.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from connector_app.checks.period import Period
from core.findings import Finding, Severity, Text

FORMAT = "ksef-numbers-check"
VERSION = 1
MOST_LISTED = 500
"""Findings of one code that a report lists; all are counted."""


class Part(StrEnum):
    """What a check looks at."""

    SERIES = "series"
    DOCUMENTS = "documents"
    ORDERS = "orders"
    REFUNDS = "refunds"
    FILES = "files"
    KSEF = "ksef"


class Result(StrEnum):
    """What comes of a check."""

    PROVED = "proved"
    """Everything was looked at and is in order."""
    FINDINGS = "findings"
    """Something is not in order."""
    INCOMPLETE = "incomplete"
    """What was looked at is in order, but not everything could be looked at."""


@dataclass(slots=True)
class SeriesLine:
    """One series in one counting period, as far as the days of the check go.

    Attributes:
        series: key of the counter. period: of counting.
        first, last: numbers at the ends of what was issued in the days; empty when there is none.
        expected_from, expected_to: the numbers that have to be there.
        count: documents with such a number that were issued in the days.
        deleted: such documents that a person deleted after the legal time; only their numbers are left.
        missing: numbers that no document here has and nothing explains.
        explained: numbers without an invoice of these days, with a known reason.
    """

    series: str
    period: str
    first: str = ""
    last: str = ""
    expected_from: str = ""
    expected_to: str = ""
    count: int = 0
    deleted: int = 0
    missing: int = 0
    explained: int = 0

    def as_json(self) -> dict[str, Any]:
        """JSON-ready values."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(slots=True)
class Looked:
    """How one part went.

    Attributes:
        counts: what was counted, by stable names.
        why_not: why it was not looked at, or not at all of it; ``None`` when it was.
    """

    counts: Counter[str] = field(default_factory=Counter)
    why_not: Text | None = None


@dataclass(slots=True)
class Report:
    """What a check of a seller's numbers found.

    Attributes:
        nip, name, environment: of the seller, and the KSeF it sends to.
        period: the days. made_at: aware UTC.
        program: version. database_form: revision of the tables.
        parts: how each went. series: one line each.
        findings: listed ones, by code at most :data:`MOST_LISTED`. totals: all of them, by code.
        seconds: how long it took.
    """

    nip: str
    name: str
    environment: str
    period: Period
    made_at: datetime
    program: str
    database_form: str
    parts: dict[Part, Looked] = field(default_factory=lambda: {one: Looked() for one in Part})
    series: list[SeriesLine] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    totals: Counter[str] = field(default_factory=Counter)
    worst: Severity = Severity.INFO
    seconds: float = 0.0

    def add(self, finding: Finding) -> None:
        """Keep a finding, or only count it when there are many of its kind."""
        self.totals[finding.code] += 1
        if finding.severity is not Severity.INFO and self.worst is not Severity.ERROR:
            self.worst = finding.severity
        if self.totals[finding.code] <= MOST_LISTED:
            self.findings.append(finding)

    @property
    def result(self) -> Result:
        """What comes of it; what is only worth knowing does not count."""
        if self.worst is not Severity.INFO:
            return Result.FINDINGS
        if any(one.why_not is not None for one in self.parts.values()):
            return Result.INCOMPLETE
        return Result.PROVED

    def as_json(self) -> dict[str, Any]:
        """The whole report as JSON-ready values, both languages included."""
        order = list(Severity)
        return {
            "format": FORMAT,
            "version": VERSION,
            "result": self.result.value,
            "seller": {"nip": self.nip, "name": self.name, "environment": self.environment},
            "period": {
                "from": self.period.first.isoformat(),
                "to": self.period.last.isoformat(),
                "label": self.period.label,
            },
            "made_at": self.made_at.isoformat(),
            "seconds": round(self.seconds, 1),
            "program": self.program,
            "database_form": self.database_form,
            "parts": {
                part.value: {
                    "looked_at": one.why_not is None,
                    "why_not": text_json(one.why_not),
                    "counts": dict(one.counts),
                }
                for part, one in self.parts.items()
            },
            "series": [one.as_json() for one in self.series],
            "totals": dict(self.totals),
            "findings": [
                one.as_json() for one in sorted(self.findings, key=lambda one: order.index(one.severity))
            ],
        }


def text_json(text: Text | None) -> dict[str, str] | None:
    """A sentence as JSON-ready values."""
    return None if text is None else {"pl": text.pl, "en": text.en}
