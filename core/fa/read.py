"""FA(2) and FA(3) documents back into the model; nothing that a document holds is lost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from lxml import etree

from core.fa import registry, tables
from core.fa.binding import Children, Table, UnreadableDocument, children_of, serialize
from core.invoices.model import Extra, Invoice, VatCategory

__all__ = ["ReadResult", "UnreadableDocument", "read"]

_FIXED = ("KodFormularza", "WariantFormularza")


@dataclass(frozen=True, slots=True)
class ReadResult:
    """What reading gave.

    Attributes:
        invoice: the model.
        schema: the version the document declares.
    """

    invoice: Invoice
    schema: registry.FaSchema


def read(tree: etree._ElementTree) -> ReadResult:
    """Read a parsed document.

    Args:
        tree: result of :func:`core.fa.schema.parse`; it should have passed the schema check.

    Raises:
        UnknownSchema: the document is neither FA(2) nor FA(3).
        UnreadableDocument: something that every invoice has is missing or broken.
    """
    root = tree.getroot()
    schema = registry.by_namespace(etree.QName(root).namespace)
    table = tables.document(schema.version)
    children = children_of(root)
    values: dict[str, Any] = {
        "seller": table.seller.read(_need(children, "Podmiot1"), "Faktura/Podmiot1"),
        "buyer": table.buyer.read(_need(children, "Podmiot2"), "Faktura/Podmiot2"),
        "third_parties": tuple(
            table.third.read(element, f"Faktura/Podmiot3[{number}]")
            for number, element in enumerate(children.pop("Podmiot3", []), 1)
        ),
        "authorized": _optional(children, "PodmiotUpowazniony", table.authorized),
        "footer": _optional(children, "Stopka", table.footer),
    }
    header = children_of(_need(children, "Naglowek"))
    for name in _FIXED:
        header.pop(name, None)
    values |= table.header.make(header, "Faktura/Naglowek")
    values |= table.fa.make(children_of(_need(children, "Fa")), "Faktura/Fa")
    if schema.version is registry.SchemaVersion.FA2:
        _tell_zeros_apart(values)
    values["extra"] = tuple(
        Extra(name, serialize(element, tidy=False)) for name, rest in children.items() for element in rest
    )
    return ReadResult(Invoice(**values), schema)


_SAME_CODE_IN_FA2 = (
    (VatCategory.ZERO, VatCategory.ZERO_WDT, VatCategory.ZERO_EXPORT),
    (VatCategory.OUTSIDE, VatCategory.OUTSIDE_SERVICES),
)


def _tell_zeros_apart(values: dict[str, Any]) -> None:
    """FA(2) writes one code for several categories; the VAT table of the document says which is meant."""
    rows = {rate.row for rate in values.get("rates", ())}
    meant = {
        group[0]: present[0]
        for group in _SAME_CODE_IN_FA2
        if (present := [category for category in group if category.row in rows])
    }
    values["lines"] = tuple(
        replace(line, category=meant[line.category]) if line.category in meant else line
        for line in values.get("lines", ())
    )


def _need(children: Children, name: str) -> etree._Element:
    found = children.pop(name, None)
    if not found:
        raise UnreadableDocument(f"Faktura/{name} is missing")
    return found[0]


def _optional(children: Children, name: str, table: Table) -> Any:
    found = children.pop(name, None)
    return table.read(found[0], f"Faktura/{name}") if found else None
