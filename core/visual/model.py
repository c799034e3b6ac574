"""The plain data that a template draws: texts ready for the reader, already in one language.

These classes are the contract with templates: :func:`as_json` turns a :class:`Picture` into the JSON
that a template reads with ``json(bytes(sys.inputs.data))``, one key per field.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, is_dataclass


@dataclass(frozen=True, slots=True)
class Field:
    """A label and what stands beside it.

    Attributes:
        label: in the picture's language; empty for a statement that needs none.
        value: text, possibly of several lines.
        url: an http(s) address to link to, or empty.
    """

    label: str
    value: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        label: its heading.
        align: ``left``, ``center`` or ``right``.
        wide: whether it takes the width that is left over.
    """

    label: str
    align: str = "left"
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table.

    Attributes:
        cells: one text per column.
        notes: further facts of the row, shown small under the text of the first wide column.
        mark: ``before`` or ``after`` on corrections by state, else empty.
        mark_label: the mark in words.
    """

    cells: tuple[str, ...]
    notes: tuple[Field, ...] = ()
    mark: str = ""
    mark_label: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a heading; ``footer`` is one text per column, or empty."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    footer: tuple[str, ...] = ()
    intro: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class Party:
    """Seller, buyer or another party: role in words, name, address lines and further facts."""

    role: str
    name: str
    identifiers: tuple[Field, ...]
    address: tuple[str, ...]
    facts: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A titled part with facts, running paragraphs, parties and tables, in this order."""

    title: str
    facts: tuple[Field, ...] = ()
    paragraphs: tuple[str, ...] = ()
    parties: tuple[Party, ...] = ()
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True, slots=True)
class Totals:
    """What is due or was paid.

    Attributes:
        label: e.g. "Do zapłaty" or "Zapłacono".
        amount: the prominent amount with its currency.
        details: amounts that lead to it or follow from it.
    """

    label: str
    amount: str
    details: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class Verification:
    """A QR code and the words around it.

    Attributes:
        url: what the code says, as text.
        title: heading of the block.
        caption: what the code is for.
        link_label: words before the link.
        number: stands under the code: under code I the KSeF number, or ``OFFLINE`` while there is none;
            under code II ``CERTYFIKAT``.
        alternative: description of the picture for screen readers.
    """

    url: str
    title: str
    caption: str
    link_label: str
    number: str
    alternative: str


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything that is drawn, in the order of the page.

    Attributes:
        language: ``pl`` or ``en``.
        title: kind of the document in words.
        number: the document's own number (P_2).
        number_label: words before it.
        ksef: label and KSeF number; the value says that there is none yet when unknown.
        has_ksef_number: whether the number is known.
        dates: issue, place, sale and other facts of the header.
        seller: the seller.
        buyer: the buyer.
        others: third parties and the authorised party.
        correction: what is corrected and why; None on other documents.
        lines: tables of invoice lines and order lines.
        vat: summary per rate; None when the document has no sums.
        totals: the prominent amount.
        annotations: statements that the law asks for; None when there are none.
        payment: payment terms; None when absent.
        sections: further parts in order.
        footer: closing lines of the seller.
        registers: numbers in other registers, one entry per entity.
        attachments: parts of the structured attachment (Zalacznik).
        rest: elements that no other part shows, by schema path; None when there are none.
        verification: QR code I.
        certificate: QR code II of a document issued offline; None on others.
        technical: form, time and system of creation.
        page: words for the page number with ``{page}`` and ``{pages}``.
        attached: description of the attached XML file.
        replaced: note shown when characters had to be replaced; empty otherwise.
    """

    language: str
    title: str
    number: str
    number_label: str
    ksef: Field
    has_ksef_number: bool
    dates: tuple[Field, ...]
    seller: Party
    buyer: Party
    others: tuple[Party, ...]
    correction: Section | None
    lines: tuple[Table, ...]
    vat: Table | None
    totals: Totals
    annotations: Section | None
    payment: Section | None
    sections: tuple[Section, ...]
    footer: tuple[str, ...]
    registers: tuple[tuple[Field, ...], ...]
    attachments: tuple[Section, ...]
    rest: Section | None
    verification: Verification
    certificate: Verification | None
    technical: tuple[Field, ...]
    page: str
    attached: str
    replaced: str


def as_json(picture: Picture) -> str:
    """The picture as the JSON text that a template reads; keys are the field names."""
    return json.dumps(picture, default=_plain, ensure_ascii=False, separators=(",", ":"))


def _plain(value: object) -> dict[str, object]:
    if not is_dataclass(value):
        raise TypeError(f"{type(value).__name__} has no place in a picture")
    return {field.name: getattr(value, field.name) for field in fields(value)}
