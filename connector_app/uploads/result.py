"""What became of one uploaded file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from core.findings import Finding


class Outcome(StrEnum):
    """What became of a file."""

    GOOD = "good"
    """It can be sent; nothing was stored, because only a check was asked for."""
    STORED = "stored"
    """It is a document now, and the pipeline sends it."""
    KNOWN = "known"
    """These very bytes are a document already; nothing was changed."""
    REFUSED = "refused"
    """It must not be sent; the findings say why."""


@dataclass(frozen=True, slots=True)
class UploadResult:
    """One file, what it says and what was found.

    Attributes:
        name: of the file, as given; only to be shown.
        outcome: see :class:`Outcome`.
        sha256: of the bytes, hexadecimal.
        findings: errors, warnings and remarks in both languages.
        document_id: the document that it is now, or that has these bytes already.
        number: P_2. issued_on: P_1. kind: RodzajFaktury. buyer: Podmiot2's name. total: P_15.
        currency: of the total. All empty or ``None`` when the file could not be read as an invoice.
    """

    name: str
    outcome: Outcome
    sha256: str
    findings: tuple[Finding, ...] = ()
    document_id: int | None = None
    number: str = ""
    issued_on: date | None = None
    kind: str = ""
    buyer: str = ""
    total: Decimal | None = None
    currency: str = ""

    @property
    def ok(self) -> bool:
        """Whether the file is, or can become, a document."""
        return self.outcome is not Outcome.REFUSED

    def as_json(self) -> dict[str, object]:
        """The result as JSON-ready values; amounts are texts, findings have both languages."""
        return {
            "name": self.name,
            "outcome": self.outcome.value,
            "ok": self.ok,
            "sha256": self.sha256,
            "document_id": self.document_id,
            "number": self.number or None,
            "issued_on": self.issued_on.isoformat() if self.issued_on else None,
            "kind": self.kind or None,
            "buyer": self.buyer or None,
            "total": None if self.total is None else f"{self.total:f}",
            "currency": self.currency or None,
            "findings": [one.as_json() for one in self.findings],
        }
