"""Findings: what is wrong or worth knowing about a document, for people and for machines.

A finding has a stable code, a severity, a place, and sentences in Polish and English. Rules, schema
checks and refusals of KSeF all speak this one language.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding weighs."""

    ERROR = "error"
    """The document must not be sent."""
    WARNING = "warning"
    """It can be sent, a person should look."""
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence in the two screen languages."""

    pl: str
    en: str

    def in_language(self, language: str) -> str:
        """The sentence in ``pl`` (default) or ``en``."""
        return self.en if language == "en" else self.pl


class SaidError(Exception):
    """What went wrong, as a sentence for a person; the exception itself speaks English.

    Attributes:
        text: why.
    """

    def __init__(self, text: Text) -> None:
        super().__init__(text.en)
        self.text = text


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check found.

    Attributes:
        code: stable code, e.g. ``buyer-nip-check-digit``; documentation and tests refer to it.
        severity: see :class:`Severity`.
        path: where: a path of schema names such as ``Faktura/Fa/FaWiersz[2]/P_11A``, or the field of an
            order such as ``buyer.tax_ids``; empty for the whole document.
        message: what is wrong, for a shop owner.
        hint: what to do about it; may be empty texts.
        source: the rule's origin: law article, schema field or KSeF documentation.
        line: line in the file, when known.
    """

    code: str
    severity: Severity
    path: str
    message: Text
    hint: Text = Text("", "")
    source: str = ""
    line: int | None = None

    def as_json(self) -> dict[str, object]:
        """The finding as JSON-ready values, both languages included."""
        return {
            "code": self.code,
            "severity": self.severity.value,
            "path": self.path,
            "line": self.line,
            "message": {"pl": self.message.pl, "en": self.message.en},
            "hint": {"pl": self.hint.pl, "en": self.hint.en},
            "source": self.source,
        }


def has_errors(findings: list[Finding] | tuple[Finding, ...]) -> bool:
    """Whether any finding forbids sending."""
    return any(finding.severity is Severity.ERROR for finding in findings)
