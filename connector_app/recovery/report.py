"""What a recovery found, for a person and for going on after a kill."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from core.findings import Text

MOST_LISTED = 100
"""Documents of each kind that a report names; all are counted."""


class Outcome(StrEnum):
    """What became of one invoice that KSeF has."""

    NEW = "new"
    """Ours, and back in the database now."""
    KNOWN = "known"
    """In the database before."""
    FOREIGN = "foreign"
    """Made by another program; only its number is minded."""
    UNREADABLE = "unreadable"
    """It cannot be taken: damaged, no FA, or in conflict with what is here."""


@dataclass(slots=True)
class Report:
    """The counts of a recovery.

    Attributes:
        counts: by outcome.
        listed: KSeF number, invoice number and reason (Polish, English) of foreign and unreadable ones.
        linked: recovered invoices whose order of a shop is known.
        with_session: recovered documents whose UPO can be fetched.
        without_session: recovered documents whose session KSeF does not show us.
    """

    counts: dict[Outcome, int] = field(default_factory=lambda: dict.fromkeys(Outcome, 0))
    listed: dict[Outcome, list[list[str]]] = field(
        default_factory=lambda: {Outcome.FOREIGN: [], Outcome.UNREADABLE: []}
    )
    linked: int = 0
    with_session: int = 0
    without_session: int = 0

    @property
    def found(self) -> int:
        """All invoices that KSeF has of the seller."""
        return sum(self.counts.values())

    def count(self, outcome: Outcome, ksef_number: str, number: str, reason: Text) -> None:
        """Count one invoice."""
        self.counts[outcome] += 1
        names = self.listed.get(outcome)
        if names is not None and len(names) < MOST_LISTED:
            names.append([ksef_number, number, reason.pl, reason.en])

    def as_json(self) -> dict[str, Any]:
        """The report as JSON-ready values."""
        return {
            "found": self.found,
            **{one.value: number for one, number in self.counts.items()},
            "listed": {one.value: names for one, names in self.listed.items()},
            "linked": self.linked,
            "with_session": self.with_session,
            "without_session": self.without_session,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Report:
        """The report that :meth:`as_json` gave."""
        return cls(
            {one: values[one.value] for one in Outcome},
            {Outcome(name): list(names) for name, names in values["listed"].items()},
            values["linked"],
            values["with_session"],
            values["without_session"],
        )
