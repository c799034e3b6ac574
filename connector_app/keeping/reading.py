"""The one door to stored XML and UPOs: their SHA-256 is compared whenever they are read.

A document is a few kilobytes, so that this costs some microseconds. Damaged bytes never pass: they are not
sent to KSeF, not shown to a buyer, not corrected, not drawn.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum

from connector_app.store.models import Document
from connector_app.store.proofs import SessionUpoPage
from core.findings import SaidError, Text

REPAIR = Text(
    "Przywróć bazę z kopii zapasowej (ksef-connector restore) albo pobierz plik z KSeF: "
    "ksef-connector verify-archive --repair.",
    "Restore the database from a backup (ksef-connector restore), or fetch the file from KSeF: "
    "ksef-connector verify-archive --repair.",
)


class Part(StrEnum):
    """What is kept of a document, and of a session."""

    XML = "xml"
    UPO = "upo"
    ROW = "row"
    """What the database says of it beside its files."""
    SESSION_UPO = "session-upo"


class ArchiveDamaged(SaidError):
    """Stored bytes are not those that were stored.

    Attributes:
        seller_id: whose. document_id: the document; ``None`` for a session's UPO.
        part: which of its files. reference: of a session's UPO, ``SESSION/PAGE``; else empty.
        text: what is wrong, for a person. hint: what to do.
    """

    def __init__(
        self, seller_id: int, part: Part, text: Text, *, document_id: int | None = None, reference: str = ""
    ) -> None:
        super().__init__(text)
        self.seller_id, self.document_id = seller_id, document_id
        self.part, self.reference = part, reference
        self.hint = REPAIR

    @property
    def said(self) -> Text:
        """What is wrong and what to do, in one."""
        return Text(f"{self.text.pl} {self.hint.pl}", f"{self.text.en} {self.hint.en}")


def digest(data: bytes) -> str:
    """SHA-256 as it is stored: hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def xml_of(document: Document) -> bytes:
    """The bytes of an issued document; empty before it is issued.

    Args:
        document: with its XML loaded, or inside an open session.

    Raises:
        ArchiveDamaged: they differ from their hash.
    """
    data = document.xml
    if data is None and document.xml_sha256 is None:
        return b""
    if data is None or digest(data) != document.xml_sha256:
        raise ArchiveDamaged(
            document.seller_id,
            Part.XML,
            Text(
                f"Plik XML dokumentu {document.id} ({document.number}) różni się od swojego skrótu.",
                f"The XML of document {document.id} ({document.number}) differs from its hash.",
            ),
            document_id=document.id,
        )
    return data


def upo_of(document: Document) -> bytes | None:
    """The UPO of a document; ``None`` while there is none.

    Args:
        document: with its UPO loaded, or inside an open session.

    Raises:
        ArchiveDamaged: it differs from its hash.
    """
    data = document.upo
    if data is None and document.upo_sha256 is None:
        return None
    if data is None or digest(data) != document.upo_sha256:
        raise ArchiveDamaged(
            document.seller_id,
            Part.UPO,
            Text(
                f"Zapisane UPO dokumentu {document.id} ({document.number}) różni się od swojego skrótu.",
                f"The stored UPO of document {document.id} ({document.number}) differs from its hash.",
            ),
            document_id=document.id,
        )
    return data


def page_of(page: SessionUpoPage) -> bytes:
    """A page of a session's collective UPO.

    Args:
        page: with its content loaded, or inside an open session.

    Raises:
        ArchiveDamaged: it differs from its hash.
    """
    if digest(page.content) != page.sha256:
        name = f"{page.session_reference}/{page.page}"
        raise ArchiveDamaged(
            page.seller_id,
            Part.SESSION_UPO,
            Text(
                f"Zapisane zbiorcze UPO sesji {name} różni się od swojego skrótu.",
                f"The stored collective UPO of session {name} differs from its hash.",
            ),
            reference=name,
        )
    return page.content
