"""What an examination says, and what it has looked at.

The JSON form is stable: ``version`` goes up when a member changes its meaning or goes away.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from connector_app.checks.report import text_json
from core.findings import Severity, Text

FORMAT = "ksef-installation-check"
VERSION = 1


class Area(StrEnum):
    """What an examination looks at, in this order."""

    FILES = "files"
    PROGRAM = "program"
    DATABASE = "database"
    SECRETS = "secrets"
    WORK = "work"
    ARCHIVE = "archive"
    BACKUP = "backup"
    NETWORK = "network"


AREAS = {
    Area.FILES: Text("Folder i dysk", "Folder and disk"),
    Area.PROGRAM: Text("Program i biblioteki", "Program and libraries"),
    Area.DATABASE: Text("Baza danych", "Database"),
    Area.SECRETS: Text("Klucze, certyfikaty i tokeny", "Keys, certificates and tokens"),
    Area.WORK: Text("Praca", "Work"),
    Area.ARCHIVE: Text("Przechowywane dokumenty (próba)", "Kept documents (a sample)"),
    Area.BACKUP: Text("Kopia zapasowa", "Backup"),
    Area.NETWORK: Text("KSeF, sklepy i poczta", "KSeF, shops and mail"),
}


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that is wrong, or worth knowing.

    Attributes:
        code: stable code. severity: an error stops something, a warning will, a note is worth knowing.
        what: what is the matter. why: why it matters. todo: what to do.
    """

    code: str
    severity: Severity
    what: Text
    why: Text
    todo: Text

    def as_json(self) -> dict[str, Any]:
        """JSON-ready values."""
        return {
            "code": self.code,
            "severity": self.severity.value,
            "what": text_json(self.what),
            "why": text_json(self.why),
            "todo": text_json(self.todo),
        }


@dataclass(slots=True)
class Looked:
    """One area.

    Attributes:
        said: what was found. facts: what was seen, for a person.
        why_not: why it was not looked at; ``None`` when it was.
    """

    said: list[Said] = field(default_factory=list)
    facts: list[Text] = field(default_factory=list)
    why_not: Text | None = None

    def error(self, code: str, what: Text, why: Text, todo: Text) -> None:
        """Say that something does not work."""
        self.said.append(Said(code, Severity.ERROR, what, why, todo))

    def warn(self, code: str, what: Text, why: Text, todo: Text) -> None:
        """Say that somebody should look soon."""
        self.said.append(Said(code, Severity.WARNING, what, why, todo))


@dataclass(slots=True)
class Examined:
    """A whole examination.

    Attributes:
        made_at: aware UTC. program: version. areas: how each went.
    """

    made_at: datetime
    program: str
    areas: dict[Area, Looked] = field(default_factory=lambda: {one: Looked() for one in Area})

    @property
    def said(self) -> list[Said]:
        """Everything that was found, the heaviest first."""
        order = list(Severity)
        found = [one for area in self.areas.values() for one in area.said]
        return sorted(found, key=lambda one: order.index(one.severity))

    @property
    def is_whole(self) -> bool:
        """Whether every area was looked at, or left out because that was asked for."""
        return all(one.why_not is None or one.why_not == NOT_ASKED for one in self.areas.values())

    @property
    def result(self) -> str:
        """``good``, ``findings`` or ``incomplete``; notes do not count."""
        if any(one.severity is not Severity.INFO for one in self.said):
            return "findings"
        return "good" if self.is_whole else "incomplete"

    def as_json(self) -> dict[str, Any]:
        """JSON-ready values, both languages included."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "result": self.result,
            "made_at": self.made_at.isoformat(),
            "program": self.program,
            "areas": {
                area.value: {
                    "looked_at": one.why_not is None,
                    "why_not": text_json(one.why_not),
                    "facts": [text_json(fact) for fact in one.facts],
                    "said": [said.as_json() for said in one.said],
                }
                for area, one in self.areas.items()
            },
        }


NOT_ASKED = Text("Nie zamówiono.", "Not asked for.")
EARLIER = Text(
    "Nie da się sprawdzić, dopóki powyższe nie zostanie naprawione.",
    "It cannot be looked at before what is above is mended.",
)
