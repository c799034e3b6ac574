"""Many documents at once: a ZIP of their files, a table as CSV, both made on the way with flat memory."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, undefer

from connector_app.documents import files, queries
from connector_app.documents.files import FileKind, NoFile
from connector_app.documents.queries import Filter, Listed
from connector_app.keeping import damage
from connector_app.keeping.reading import ArchiveDamaged
from connector_app.pipeline.services import Services
from connector_app.spreadsheets import plain
from connector_app.store.models import Document, Seller, ShopOrder
from connector_app.words import state_text
from core.findings import Text

_ROWS = 500
_DOCUMENTS = 40
_MISSING = {"pl": "BRAKI.txt", "en": "MISSING.txt"}
_EPOCH = (1980, 1, 1, 0, 0, 0)
_TITLES = (
    Text("ID", "ID"),
    Text("NIP sprzedawcy", "Seller NIP"),
    Text("Sklep", "Store"),
    Text("Zamówienie", "Order"),
    Text("Rodzaj", "Kind"),
    Text("Numer", "Number"),
    Text("Data", "Date"),
    Text("Nabywca", "Buyer"),
    Text("NIP nabywcy", "Buyer NIP"),
    Text("Brutto", "Gross"),
    Text("Waluta", "Currency"),
    Text("Stan", "State"),
    Text("Numer KSeF", "KSeF number"),
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an archive holds.

    Attributes:
        chosen: which documents. language: ``pl`` or ``en``. pdf: draw a PDF of each, some 20 ms each.
    """

    chosen: Filter
    language: str
    pdf: bool = True


def as_csv(services: Services, wanted: Wanted) -> Iterator[bytes]:
    """The documents as a table, oldest first; begins with a mark by which spreadsheets know UTF-8.

    Polish: semicolons and decimal commas, as Polish spreadsheets expect.
    """
    polish = wanted.language != "en"
    yield b"\xef\xbb\xbf" + _line([one.in_language(wanted.language) for one in _TITLES], polish=polish)
    with services.database() as session:
        nips = {row.id: row.nip for row in session.execute(select(Seller.id, Seller.nip))}
    last = 0
    while True:
        with services.database() as session:
            ids = queries.ids_of(session, wanted.chosen, after=last, most=_ROWS)
            rows = queries.rows_of(session, ids)
        if not ids:
            return
        last = ids[-1]
        yield b"".join(_line(_values(row, nips, wanted), polish=polish) for row in rows)


def as_zip(services: Services, wanted: Wanted) -> Iterator[bytes]:
    """The documents' XML, UPO and PDF as a ZIP file; what is missing or damaged is named in a list in it."""
    out = _Outlet()
    missing: list[str] = []
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        last = 0
        while True:
            with services.database() as session:
                ids = queries.ids_of(session, wanted.chosen, after=last, most=_DOCUMENTS)
                rows = _with_files(session, ids) if ids else []
            if not ids:
                break
            last = ids[-1]
            for row in rows:
                _put(services, made, row, wanted, missing)
                yield out.taken()
        if missing:
            name = _MISSING["en" if wanted.language == "en" else "pl"]
            made.writestr(name, "\r\n".join(missing) + "\r\n")
    yield out.taken()


def _with_files(session: Session, ids: list[int]) -> list[Document]:
    query = (
        select(Document)
        .where(Document.id.in_(ids))
        .options(
            undefer(Document.xml),
            undefer(Document.upo),
            joinedload(Document.seller),
            joinedload(Document.order).load_only(ShopOrder.number, ShopOrder.store_id),
        )
        .order_by(Document.id)
    )
    return list(session.scalars(query))


def _put(
    services: Services, made: zipfile.ZipFile, row: Document, wanted: Wanted, missing: list[str]
) -> None:
    """Put the files of one document into the archive."""
    kinds = [FileKind.XML, FileKind.UPO, *([FileKind.PDF] if wanted.pdf else [])]
    if row.xml_sha256 is None:
        missing.append(f"{row.id} {row.order.number}: {_NOT_ISSUED.in_language(wanted.language)}")
        return
    # the id keeps two documents of the same number apart, e.g. of two sellers
    folder = f"{row.seller.nip}/{row.issued_on:%Y-%m}" if row.issued_on else row.seller.nip
    for kind in kinds:
        try:
            file = files.file_of(row, kind, wanted.language)
        except ArchiveDamaged as error:
            damage.note(services, error)
            missing.append(_line_of(row, kind, error.said, wanted))
            continue
        except NoFile as error:
            if kind is not FileKind.UPO or row.ksef_number is not None:
                missing.append(_line_of(row, kind, error.text, wanted))
            continue
        # the same files give the same archive
        entry = zipfile.ZipInfo(f"{folder}/{row.id}_{file.name}", _EPOCH)
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry.external_attr = 0o600 << 16
        made.writestr(entry, file.content)


def _line_of(row: Document, kind: FileKind, why: Text, wanted: Wanted) -> str:
    return f"{row.id} {row.number} {kind.value.upper()}: {why.in_language(wanted.language)}"


def _values(row: Listed, nips: dict[int, str], wanted: Wanted) -> list[str]:
    return [
        str(row.id),
        nips.get(row.seller_id, ""),
        row.store_code,
        plain(row.order_number),
        row.kind,
        plain(row.number),
        row.day.isoformat() if row.day else "",
        plain(row.buyer_name),
        plain(row.buyer_tax_id),
        _amount(row.total, wanted.language),
        row.currency or "",
        state_text(row.state).in_language(wanted.language),
        row.ksef_number or "",
    ]


def _amount(total: Decimal | None, language: str) -> str:
    if total is None:
        return ""
    return f"{total:.2f}" if language == "en" else f"{total:.2f}".replace(".", ",")


def _line(values: list[str], *, polish: bool) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=";" if polish else ",").writerow(values)
    return out.getvalue().encode()


class _Outlet(io.RawIOBase):
    """A file that is written forwards only, and handed on piece by piece."""

    def __init__(self) -> None:
        self._kept = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        taken = bytes(data)  # type: ignore[call-overload]
        self._kept += taken
        return len(taken)

    def taken(self) -> bytes:
        """What was written since the last time."""
        found = bytes(self._kept)
        self._kept.clear()
        return found


_NOT_ISSUED = Text("nie wystawiono", "not issued")
