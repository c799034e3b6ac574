"""The map: which order has which document, with KSeF number, hash and amounts; a table for any program.

UTF-8 with a byte order mark, semicolons, decimal commas: as Polish spreadsheets open it. The header never
changes within a version; its version stands in the first column of every row. Amounts per rate are in PLN, of
corrections the differences.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Final

from connector_app.accounting.cells import amount_cell, day_cell, mark_cell, moment_cell
from connector_app.accounting.register.rows import RegisterDocument
from connector_app.spreadsheets import plain
from core.invoices.model import RateRow

VERSION: Final = "ksef-mapa/1"
"""Changed whenever a column is added, renamed or moved."""

_TAXED: Final = {
    RateRow.BASIC: "23",
    RateRow.REDUCED: "8",
    RateRow.LOWEST: "5",
    RateRow.TAXI: "4",
    RateRow.OSS: "oss",
}
"""Rows with a tax of their own; 22 % stands with 23 %, 7 % with 8 % and 3 % with 4 %, as in the VAT table."""
_UNTAXED: Final = {
    RateRow.ZERO: "0_kraj",
    RateRow.ZERO_WDT: "0_wdt",
    RateRow.ZERO_EXPORT: "0_eksport",
    RateRow.EXEMPT: "zw",
    RateRow.OUTSIDE: "np",
    RateRow.OUTSIDE_SERVICES: "np_uslugi_ue",
    RateRow.REVERSE_CHARGE: "oo",
}
COLUMNS: Final = (
    "wersja",
    "sklep",
    "zamowienie",
    "rodzaj",
    "numer",
    "nr_ksef",
    "przyjeto_w_ksef",
    "znacznik_jpk",
    "tryb",
    "upo",
    "sha256_xml",
    "data_wystawienia",
    "data_sprzedazy",
    "miesiac",
    "nabywca",
    "nabywca_kraj",
    "nabywca_identyfikator",
    "waluta",
    "kurs",
    "razem",
    *(f"{what}_{name}" for name in _TAXED.values() for what in ("netto", "vat")),
    *(f"netto_{name}" for name in _UNTAXED.values()),
    "brutto_marza",
    "koryguje_numer",
    "koryguje_nr_ksef",
    "przyczyna_korekty",
    "gtu",
    "procedury",
    "do_paragonu",
)

_MARK = "\ufeff"


def lines(documents: Iterable[RegisterDocument]) -> Iterator[bytes]:
    """The file, line by line.

    Args:
        documents: in the order of the file.
    """
    yield _line(COLUMNS, _MARK)
    for document in documents:
        yield _line(_cells(document))


def _line(cells: Iterable[str], mark: str = "") -> bytes:
    out = io.StringIO(mark)
    out.seek(0, io.SEEK_END)
    csv.writer(out, delimiter=";", lineterminator="\r\n").writerow(cells)
    return out.getvalue().encode()


def _cells(one: RegisterDocument) -> Iterator[str]:
    brief = one.brief
    tax_id = brief.buyer.tax_id
    yield from (VERSION, plain(one.store), plain(one.order_number), brief.kind.value)
    yield from (plain(brief.number), one.ksef_number, moment_cell(one.accepted_at))
    yield from (one.marker.value if one.marker else "", one.offline_mode, mark_cell(one.has_upo))
    yield one.xml_sha256
    yield from (day_cell(brief.issued_on), day_cell(brief.sold_on), f"{one.day:%Y-%m}")
    yield plain(brief.buyer.name)
    yield tax_id.country or brief.buyer.country
    yield plain(tax_id.value)
    yield from (brief.currency, amount_cell(one.exchange_rate), amount_cell(brief.total))
    table = {amount.row: amount for amount in one.amounts}
    for row in _TAXED:
        amount = table.get(row)
        yield amount_cell(amount.net_pln if amount else None)
        yield amount_cell(amount.vat_pln if amount else None)
    for row in (*_UNTAXED, RateRow.MARGIN):
        amount = table.get(row)
        yield amount_cell(amount.net_pln if amount else None)
    yield plain(" ".join(original.number for original in brief.originals))
    yield " ".join(original.ksef_number for original in brief.originals if original.ksef_number)
    yield plain(brief.reason)
    yield " ".join(brief.gtu)
    yield " ".join(brief.procedures)
    yield mark_cell(brief.from_receipt)
