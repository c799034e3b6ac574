"""Tables of a document: invoice lines, order lines, and simple lists."""

from __future__ import annotations

from collections.abc import Sequence

from core.visual.model import Column, Field, Row, Table
from core.visual.nodes import Node
from core.visual.text import Tongue

# columns of both kinds of lines: FaWiersz name, ZamowienieWiersz name, alignment
_COLUMNS = (
    ("NrWierszaFa", "NrWierszaZam", "right"),
    ("P_7", "P_7Z", "left"),
    ("P_8B", "P_8BZ", "right"),
    ("P_8A", "P_8AZ", "left"),
    ("P_9A", "P_9AZ", "right"),
    ("P_9B", "", "right"),
    ("P_10", "", "right"),
    ("P_12", "P_12Z", "right"),
    ("P_12_XII", "P_12Z_XII", "right"),
    ("P_11", "P_11NettoZ", "right"),
    ("P_11Vat", "P_11VatZ", "right"),
    ("P_11A", "", "right"),
)
_WIDE = ("P_7", "P_7Z")
# fmt: off
_NOTES = (
    ("P_6A", "Indeks", "GTIN", "PKWiU", "CN", "PKOB", "GTU", "Procedura", "KwotaAkcyzy", "KursWaluty",
     "UU_ID"),
    ("IndeksZ", "GTINZ", "PKWiUZ", "CNZ", "PKOBZ", "GTUZ", "ProceduraZ", "KwotaAkcyzyZ", "UU_IDZ"),
)
# fmt: on
_NUMBER, _ID, _BEFORE, _ANNEX_15 = (
    ("NrWierszaFa", "NrWierszaZam"),
    ("UU_ID", "UU_IDZ"),
    ("StanPrzed", "StanPrzedZ"),
    ("P_12_Zal_15", "P_12Z_Zal_15"),
)


def lines(nodes: Sequence[Node], tongue: Tongue, title: str, *, order: bool = False) -> Table:
    """The table of invoice lines (FaWiersz) or order lines (ZamowienieWiersz).

    Only columns that some line uses are drawn; the lesser facts of a line stand under its name. Lines of
    the state before a correction (StanPrzed) are marked, and so are the lines that replace them.

    Args:
        nodes: the lines.
        tongue: language.
        title: heading.
        order: whether they are order lines.
    """
    kind = int(order)
    used = {child.name for node in nodes for child in node.children if child.value}
    columns = [
        (column[kind], column[2]) for column in _COLUMNS if column[kind] in used or column[kind] in _WIDE
    ]
    # a line keeps its number or its id from the state before to the state after
    replaced = {
        key
        for node in nodes
        if node.peek(_BEFORE[kind]) == "1"
        for key in (node.peek(_NUMBER[kind]), node.peek(_ID[kind]))
        if key
    }
    rows = []
    for node in nodes:
        keys = {node.peek(_NUMBER[kind]), node.peek(_ID[kind])}
        cells = tuple(tongue.show(name, value) if (value := node.take(name)) else "" for name, _ in columns)
        notes = tongue.facts(node, *_NOTES[kind])
        if node.flag(_ANNEX_15[kind]):
            notes = (*notes, Field("", tongue.word("annex-15")))
        mark = "before" if node.flag(_BEFORE[kind]) else "after" if keys & replaced else ""
        rows.append(Row(cells, notes, mark, tongue.word(mark) if mark else ""))
    return Table(
        title,
        tuple(Column(tongue.label(name), align, name in _WIDE) for name, align in columns),
        tuple(rows),
    )


def listing(
    nodes: Sequence[Node], tongue: Tongue, title: str, names: Sequence[tuple[str, str]]
) -> Table | None:
    """A simple table: one row per node, one column per field that any node has.

    Args:
        nodes: the elements; none of them gives None.
        tongue: language.
        title: heading.
        names: field and alignment of each column.
    """
    used = {child.name for node in nodes for child in node.children if child.value}
    columns = [(name, align) for name, align in names if name in used]
    if not nodes or not columns:
        return None
    rows = tuple(
        Row(tuple(tongue.show(name, value) if (value := node.take(name)) else "" for name, _ in columns))
        for node in nodes
    )
    return Table(title, tuple(Column(tongue.label(name), align) for name, align in columns), rows)
