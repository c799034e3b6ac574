"""Templates: which there are, which placeholders each may hold and which it must.

A template is plain text with placeholders in braces, ``{invoice_number}``; ``{{`` and ``}}`` are braces.
There is nothing else in it: no formats, no attributes, no conditions. A line whose placeholder has no value
(a link that does not exist) is left out as a whole.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from core.findings import Text

LONGEST = 4000
"""Characters of a template."""


class Occasion(StrEnum):
    """What is told."""

    ACCEPTED = "accepted"
    CORRECTION = "correction"
    """A correcting invoice was accepted."""
    OFFLINE = "offline"
    OFFLINE_CORRECTION = "offline_correction"
    REJECTED = "rejected"
    """KSeF refused a document: for the merchant only."""


class Reader(StrEnum):
    """Who reads it, and where."""

    MERCHANT = "merchant"
    """A private note on the order."""
    BUYER = "buyer"
    """A note or message that the shop shows or sends to the buyer."""
    MAIL_SUBJECT = "mail_subject"
    MAIL_BODY = "mail_body"


@dataclass(frozen=True, slots=True)
class Slot:
    """One place for a template.

    Attributes:
        reader: see :class:`Reader`. occasion: see :class:`Occasion`.
    """

    reader: Reader
    occasion: Occasion

    @property
    def name(self) -> str:
        """As it stands in the file, e.g. ``buyer.accepted``."""
        return f"{self.reader.value}.{self.occasion.value}"

    @property
    def marker(self) -> str:
        """The placeholder by which an earlier copy of the text is found; empty for e-mails."""
        return "" if self.reader in _MAIL else _MARKERS[self.occasion]

    @property
    def placeholders(self) -> frozenset[str]:
        """Placeholders that a template here may hold."""
        own = _OF_OCCASION[self.occasion]
        return _COMMON | own | (_FOR_BUYERS if self.reader is not Reader.MERCHANT else frozenset())


_MAIL = frozenset({Reader.MAIL_SUBJECT, Reader.MAIL_BODY})
_MARKERS = {
    Occasion.ACCEPTED: "ksef_number",
    Occasion.CORRECTION: "ksef_number",
    Occasion.OFFLINE: "certificate_link",
    Occasion.OFFLINE_CORRECTION: "certificate_link",
    Occasion.REJECTED: "file_mark",
}
_COMMON = frozenset({"invoice_number", "issue_date", "order_number", "total", "seller_name"})
_FOR_BUYERS = frozenset({"transfer_title"})
_LINKS = frozenset({"verification_link", "buyer_page", "pdf_link"})
_OF_OCCASION: Mapping[Occasion, frozenset[str]] = {
    Occasion.ACCEPTED: _LINKS | {"ksef_number"},
    Occasion.CORRECTION: _LINKS | {"ksef_number"},
    Occasion.OFFLINE: _LINKS | {"certificate_link"},
    Occasion.OFFLINE_CORRECTION: _LINKS | {"certificate_link"},
    Occasion.REJECTED: frozenset({"file_mark", "refusal", "refusal_code"}),
}

OPTIONAL = frozenset({"buyer_page", "pdf_link", "transfer_title"})
"""Placeholders that may have no value; their line is left out then."""

SLOTS = tuple(
    Slot(reader, occasion)
    for reader in Reader
    for occasion in Occasion
    if reader is Reader.MERCHANT or occasion is not Occasion.REJECTED
)
"""Every place for a template; a rejected document has none that a buyer would read."""


def fields_of(template: str) -> list[str]:
    """The placeholders of a template, in order.

    Raises:
        ValueError: it is no template; the message is for people and says why in English.
    """
    found = []
    for _, name, spec, conversion in string.Formatter().parse(template):
        if name is None:
            continue
        if spec or conversion or not name.isidentifier():
            raise ValueError(f"{{{name}}}")
        found.append(name)
    return found


def faults(slot: Slot, template: str) -> list[Text]:
    """Everything that is wrong with a template, one sentence each.

    Args:
        slot: where it stands.
        template: as the merchant wrote it.
    """
    if not template.strip():
        return [Text("tekst jest pusty", "the text is empty")]
    if len(template) > LONGEST:
        return [Text(f"tekst ma ponad {LONGEST} znaków", f"the text has more than {LONGEST} characters")]
    if any(not (character.isprintable() or character == "\n") for character in template):
        return [Text("tekst ma znaki sterujące", "the text has control characters")]
    if slot.reader is Reader.MAIL_SUBJECT and "\n" in template.strip():
        return [Text("temat musi być jednym wierszem", "a subject must be one line")]
    try:
        names = [name for line in template.splitlines() for name in fields_of(line)]
    except ValueError as error:
        shown = str(error) if str(error).startswith("{") else ""
        return [
            Text(
                f"nawias klamrowy bez nazwy pola {shown}".strip() + "; zwykły nawias pisze się {{ albo }}",
                f"a brace without a placeholder's name {shown}".strip() + "; a plain brace is {{ or }}",
            )
        ]
    known = ", ".join(sorted(slot.placeholders))
    found = [
        Text(f"nieznane pole {{{name}}}; znane: {known}", f"unknown placeholder {{{name}}}; known: {known}")
        for name in dict.fromkeys(names)
        if name not in slot.placeholders
    ]
    if slot.marker and not found and not _keeps(template, slot.marker):
        found.append(_no_marker(slot.marker))
    return found


def _keeps(template: str, marker: str) -> bool:
    """Whether the marker stands in a line that is never left out."""
    lines = [fields_of(line) for line in template.splitlines()]
    return any(marker in names and not OPTIONAL & set(names) for names in lines)


def _no_marker(marker: str) -> Text:
    return Text(
        f"brakuje pola {{{marker}}} w wierszu, który zawsze zostaje: po nim łącznik poznaje, że wpis już "
        "jest, i nie zapisuje go drugi raz",
        f"the placeholder {{{marker}}} is missing in a line that always stays: by it the connector finds "
        "that the note is there and does not write it again",
    )
