"""What is stored of a document, compared with its hash whenever it is read: damage is told, not handed on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.orm import Session, joinedload, undefer

from connector_app.keeping.reading import ArchiveDamaged, upo_of, xml_of
from connector_app.ksef_access import hash_text
from connector_app.pictures import picture
from connector_app.store.models import Document, ShopOrder
from core.findings import SaidError, Text
from core.ksef import upo
from core.ksef.errors import ProofMismatch
from core.ksef.upo_signature import check_signature
from core.visual.errors import VisualError

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


class FileKind(StrEnum):
    """The files of a document."""

    XML = "xml"
    PDF = "pdf"
    UPO = "upo"


class NoFile(SaidError):
    """A file that cannot be given.

    Attributes:
        text: why.
    """


@dataclass(frozen=True, slots=True)
class File:
    """One file of a document.

    Attributes:
        name: safe for every file system. mimetype: its type. content: its bytes.
    """

    name: str
    mimetype: str
    content: bytes


def load(session: Session, document_id: int) -> Document | None:
    """A document with its files, order, store and seller."""
    return session.get(
        Document,
        document_id,
        options=[
            undefer(Document.xml),
            undefer(Document.upo),
            joinedload(Document.order).joinedload(ShopOrder.store),
            joinedload(Document.seller),
        ],
    )


def damage(row: Document) -> Text | None:
    """What is wrong with the stored XML of a document; ``None`` when it is what was issued.

    Args:
        row: with its XML.
    """
    try:
        xml_of(row)
    except ArchiveDamaged as error:
        return error.text
    return None


def upo_damage(row: Document) -> Text | None:
    """What is wrong with the stored UPO of a document: it must name our hash and number, its signature hold.

    Args:
        row: with its UPO.
    """
    try:
        proof = upo_of(row)
        if proof is None:
            return None
        upo.check_upo(upo.parse_upo(proof), hash_text(row.xml_sha256 or ""), row.ksef_number)
        if row.upo_certificate is not None:
            check_signature(proof)
    except ArchiveDamaged as error:
        return error.text
    except (ProofMismatch, ValueError) as error:
        return Text(
            f"Zapisane UPO dokumentu {row.id} jest uszkodzone ({error}).",
            f"The stored UPO of document {row.id} is damaged ({error}).",
        )
    return None


def file_of(row: Document, kind: FileKind, language: str) -> File:
    """One file of a document.

    Args:
        row: see :func:`load`.
        kind: which.
        language: of the picture, ``pl`` or ``en``.

    Raises:
        NoFile: there is none, or it cannot be drawn.
        ArchiveDamaged: it is not what was stored.
    """
    name = f"{file_stem(row)}.{'xml' if kind is FileKind.XML else 'pdf'}"
    if kind is FileKind.UPO:
        proof = upo_of(row)
        if proof is None:
            raise NoFile(_NO_UPO)
        return File(f"{file_stem(row)}-upo.xml", "application/xml", proof)
    data = xml_of(row)
    if not data:
        raise NoFile(_NO_XML)
    if kind is FileKind.XML:
        return File(name, "application/xml", data)
    return File(name, "application/pdf", drawn(row, language))


def drawn(row: Document, language: str) -> bytes:
    """The PDF of a document.

    Raises:
        NoFile: it cannot be drawn.
        ArchiveDamaged: its XML is not what was stored.
    """
    try:
        return picture(row, language)
    except VisualError as error:
        raise NoFile(
            Text(f"Wizualizacji nie da się narysować: {error}", f"The picture cannot be drawn: {error}")
        ) from None


def file_stem(row: Document) -> str:
    """A file name without its end: the invoice number as far as file systems take it, else the id."""
    return _UNSAFE.sub("-", row.number or "").strip("-.")[:80] or str(row.id)


_NO_XML = Text("Dokumentu jeszcze nie wystawiono.", "The document is not issued yet.")
_NO_UPO = Text("Nie ma jeszcze UPO.", "There is no UPO yet.")
