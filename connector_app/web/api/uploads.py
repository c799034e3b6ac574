"""Ready FA XML of another program, taken by the interface: checked, stored as it came, sent and tracked."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from connector_app.store.models import Document
from connector_app.uploads import take
from connector_app.uploads.result import Outcome
from connector_app.web.access import audit
from connector_app.web.api.operation import Caller, operation
from connector_app.web.api.problems import Code, Refusal
from connector_app.web.api.typed import Fault, told
from connector_app.web.here import here
from core.findings import Text


@dataclass(frozen=True, slots=True)
class UploadQuery:
    """How a file is taken."""

    name: str = told(
        "Nazwa pliku, tylko do pokazania.",
        "Name of the file, only to be shown.",
        default="invoice.xml",
        longest=200,
    )
    store: bool = told(
        "false tylko sprawdza plik i niczego nie zapisuje.",
        "false only checks the file and stores nothing.",
        default=True,
    )


@dataclass(frozen=True, slots=True)
class UploadAnswer:
    """What became of a file."""

    outcome: Outcome = told(
        "good: można wysłać; stored: jest dokumentem i zostanie wysłany; known: te bajty już są.",
        "good: it can be sent; stored: it is a document and will be sent; known: these bytes are there.",
    )
    sha256: str = told("SHA-256 bajtów, szesnastkowo.", "SHA-256 of the bytes, hexadecimal.")
    document_id: int | None = told("Dokument, którym plik jest.", "The document that the file is.")
    number: str | None = told("Numer faktury (P_2).", "The invoice's number (P_2).")


@operation(
    "POST",
    "/documents",
    Text(
        "Przyjmuje gotowy XML FA(2) albo FA(3): sprawdza, zapisuje bez zmian, wysyła i śledzi.",
        "Take ready FA(2) or FA(3) XML: checked, stored as it came, sent and tracked.",
    ),
    tag="documents",
    query=UploadQuery,
    body=bytes,
    takes="application/xml",
    answer=UploadAnswer,
    writes=True,
    codes=(Code.REFUSED,),
)
def upload_document(caller: Caller, query: UploadQuery, body: bytes) -> UploadAnswer:
    """One file; the same bytes again are the same document."""

    def note(session: Session, row: Document) -> None:
        audit(session, "document.upload", f"document:{row.id}", row.seller_id, actor=f"api:{caller.name}")

    found = take(caller.services, caller.seller_id, body, query.name, store=query.store, note=note)
    if not found.ok:
        raise Refusal(Code.REFUSED, [Fault(one.path or one.code, one.message) for one in found.findings])
    if found.outcome is Outcome.STORED:
        here().wake(caller.seller_id)
    return UploadAnswer(found.outcome, found.sha256, found.document_id, found.number or None)
