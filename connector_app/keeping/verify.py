"""The whole archive, looked at file by file: hashes, XML, what the lists say of it, and its UPO.

A page of documents is in memory at a time. What is damaged is noted, what is whole again is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

from lxml import etree
from sqlalchemy import ColumnElement, func, select, tuple_
from sqlalchemy.orm import Session, load_only, undefer

from connector_app.keeping import damage
from connector_app.keeping.reading import ArchiveDamaged, Part, page_of, upo_of, xml_of
from connector_app.ksef_access import hash_text
from connector_app.pipeline.services import Services
from connector_app.store.archive import ArchiveDamage
from connector_app.store.models import Document, Seller
from connector_app.store.proofs import SessionUpoPage
from core.fa import registry, schema
from core.fa.validate import validate
from core.findings import Text, has_errors
from core.ksef import upo
from core.ksef.errors import ProofMismatch

_FACTS = (
    ("NIP", "{*}Podmiot1/{*}DaneIdentyfikacyjne/{*}NIP"),
    ("P_2", "{*}Fa/{*}P_2"),
    ("P_1", "{*}Fa/{*}P_1"),
    ("P_15", "{*}Fa/{*}P_15"),
    ("KodWaluty", "{*}Fa/{*}KodWaluty"),
)
"""What the lists say of a document too; read without building its model, which takes ten times as long."""
PAGE = 100
"""Documents in memory at a time."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is wrong.

    Attributes:
        document_id: ``None`` for a session's UPO. number: P_2, or the session and page. nip: the seller's.
        part: which file. text: what is wrong. seller_id: whose. reference: of a session's UPO.
    """

    document_id: int | None
    number: str
    nip: str
    part: Part
    text: Text
    seller_id: int
    reference: str = ""


@dataclass(slots=True)
class Tally:
    """What was looked at.

    Attributes:
        documents: issued documents. upos: UPOs of documents. pages: pages of sessions' UPOs.
        faults: in the order in which they were found. repaired: how many of them were made good.
    """

    documents: int = 0
    upos: int = 0
    pages: int = 0
    faults: list[Fault] = field(default_factory=list)
    repaired: int = 0


@dataclass(frozen=True, slots=True)
class Scope:
    """What to look at.

    Attributes:
        seller_id: one seller's; ``None``: all. with_schema: check the XML with its XSD too.
        schema_dir: official XSD files to use instead of the project's own. today: Warsaw day, for the XSD.
    """

    seller_id: int | None = None
    with_schema: bool = False
    schema_dir: Path | None = None
    today: date = date.max


def count(services: Services, seller_id: int | None = None) -> int:
    """How many documents :func:`verify` looks at."""
    with services.database() as session:
        query = select(func.count()).select_from(Document).where(*_issued(seller_id))
        return session.scalar(query) or 0


def verify(
    services: Services, scope: Scope, progress: Callable[[Tally], None] = lambda _tally: None
) -> Tally:
    """Look at everything, with flat memory; damage is noted as it is found.

    Args:
        services: the installation.
        scope: what to look at.
        progress: told after each page.
    """
    tally, last = Tally(), 0
    while (after := look_at_documents(services, scope, last, PAGE, tally)) is not None:
        last = after
        progress(tally)
    mark: PageMark | None = (0, "", 0)
    while mark is not None:
        mark = look_at_pages(services, scope, mark, 10, tally)
        progress(tally)
    return tally


def look_at_documents(services: Services, scope: Scope, after: int, most: int, tally: Tally) -> int | None:
    """Look at some documents.

    Args:
        services: the installation.
        scope: what to look at.
        after: the id of the last document that was looked at.
        most: how many.
        tally: counts and faults are added to it.

    Returns:
        The id of the last one; ``None`` when there was none left.
    """
    with services.database() as session:
        rows = _page(session, scope.seller_id, after, most)
        nips = _nips(session, rows)
        known = _noted(session, ArchiveDamage.document_id.in_([row.id for row in rows]))
    found: list[Fault] = []
    for row in rows:
        tally.documents += 1
        tally.upos += row.upo_sha256 is not None
        found += (
            Fault(row.id, row.number or "", nips[row.seller_id], part, text, row.seller_id)
            for part, text in faults_of(row, nips[row.seller_id], scope)
        )
    _write_down(services, found, known)
    tally.faults += found
    return rows[-1].id if rows else None


PageMark = tuple[int, str, int]
"""Seller, session and page of a page of a session's UPO."""


def look_at_pages(
    services: Services, scope: Scope, after: PageMark, most: int, tally: Tally
) -> PageMark | None:
    """The same for sessions' collective UPOs; ``None`` when there was none left."""
    columns = SessionUpoPage.seller_id, SessionUpoPage.session_reference, SessionUpoPage.page
    with services.database() as session:
        query = (
            select(SessionUpoPage).options(undefer(SessionUpoPage.content)).where(tuple_(*columns) > after)
        )
        if scope.seller_id is not None:
            query = query.where(SessionUpoPage.seller_id == scope.seller_id)
        rows = session.scalars(query.order_by(*columns).limit(most)).all()
        nips = dict(session.execute(select(Seller.id, Seller.nip)).all())
        names = [f"{row.session_reference}/{row.page}" for row in rows]
        known = _noted(session, ArchiveDamage.reference.in_(names))
    found = []
    for row in rows:
        tally.pages += 1
        for part, text in _faults_of_page(row):
            name = f"{row.session_reference}/{row.page}"
            found.append(Fault(None, name, nips[row.seller_id], part, text, row.seller_id, name))
    _write_down(services, found, known)
    tally.faults += found
    return (rows[-1].seller_id, rows[-1].session_reference, rows[-1].page) if rows else None


def faults_of(row: Document, nip: str, scope: Scope) -> Iterator[tuple[Part, Text]]:
    """What is wrong with one document.

    Args:
        row: with its XML and UPO.
        nip: of its seller.
        scope: how to look.
    """
    try:
        data = xml_of(row)
    except ArchiveDamaged as error:
        yield error.part, error.text
    else:
        yield from (
            (Part.ROW if is_row else Part.XML, text) for is_row, text in _faults_of_xml(row, nip, data, scope)
        )
    try:
        proof = upo_of(row)
        if proof is not None:
            upo.check_upo(upo.parse_upo(proof), hash_text(row.xml_sha256 or ""), row.ksef_number)
    except ArchiveDamaged as error:
        yield error.part, error.text
    except (ProofMismatch, ValueError) as error:
        yield (
            Part.UPO,
            Text(
                f"UPO dokumentu {row.id} ({row.number}) nie poświadcza tego dokumentu: {error}.",
                f"The UPO of document {row.id} ({row.number}) does not prove this document: {error}.",
            ),
        )


def _faults_of_xml(row: Document, nip: str, data: bytes, scope: Scope) -> Iterator[tuple[bool, Text]]:
    """What the XML itself is not, and where the columns say something else (first value true)."""
    name = f"{row.id} ({row.number})"
    try:
        root = schema.parse(data).getroot()
    except schema.MalformedXml as error:
        yield (
            False,
            Text(
                f"Pliku XML dokumentu {name} nie da się odczytać: {error}.",
                f"The XML of document {name} cannot be read: {error}.",
            ),
        )
        return
    kept = (nip, row.number, row.issued_on, row.total, row.currency)
    for (field_name, path), in_row in zip(_FACTS, kept, strict=True):
        found = root.findtext(path) or ""
        if not _is_same(found, in_row):
            yield (
                True,
                Text(
                    f"Dokument {name}: {field_name} w pliku XML to „{found}”, a w bazie {in_row}.",
                    f'Document {name}: {field_name} is "{found}" in the XML and {in_row} in the database.',
                ),
            )
    if scope.with_schema:
        try:
            errors = [
                one for one in validate(data, scope.today, scope.schema_dir).findings if has_errors([one])
            ]
        except registry.UnknownSchema as error:
            why = Text(f"Dokument {name}: {error}.", f"Document {name}: {error}.")
            yield False, why
            return
        for one in errors[:1]:
            yield (
                False,
                Text(
                    f"Dokument {name} nie jest zgodny ze schematem: {one.message.pl}",
                    f"Document {name} does not agree with its schema: {one.message.en}",
                ),
            )


def _is_same(found: str, in_row: object) -> bool:
    """Whether a text of the XML means what a column holds."""
    try:
        if isinstance(in_row, Decimal):
            return Decimal(found) == in_row
        if isinstance(in_row, date):
            return date.fromisoformat(found) == in_row
    except (InvalidOperation, ValueError):
        return False
    return " ".join(found.split()) == " ".join(str(in_row).split())


def _faults_of_page(row: SessionUpoPage) -> Iterator[tuple[Part, Text]]:
    try:
        found = upo.parse_upo(page_of(row))
    except ArchiveDamaged as error:
        yield error.part, error.text
        return
    except (ProofMismatch, etree.LxmlError) as error:
        name = f"{row.session_reference}/{row.page}"
        yield (
            Part.SESSION_UPO,
            Text(
                f"Zbiorczego UPO {name} nie da się odczytać: {error}.",
                f"The collective UPO {name} cannot be read: {error}.",
            ),
        )
        return
    if found.session_reference != row.session_reference:
        yield (
            Part.SESSION_UPO,
            Text(
                f"Zbiorcze UPO zapisane przy sesji {row.session_reference} jest z innej: "
                f"{found.session_reference}.",
                f"The collective UPO stored with session {row.session_reference} is of session "
                f"{found.session_reference}.",
            ),
        )


def _issued(seller_id: int | None) -> tuple[ColumnElement[bool], ...]:
    whole = (Document.xml_sha256.is_not(None) | Document.xml.is_not(None),)
    return whole if seller_id is None else (*whole, Document.seller_id == seller_id)


def _page(session: Session, seller_id: int | None, after: int, most: int) -> Sequence[Document]:
    columns = (
        Document.id, Document.seller_id, Document.number, Document.issued_on, Document.total,
        Document.currency, Document.ksef_number, Document.xml_sha256, Document.upo_sha256,
    )  # fmt: skip
    query = (
        select(Document)
        .options(load_only(*columns), undefer(Document.xml), undefer(Document.upo))
        .where(Document.id > after, *_issued(seller_id))
        .order_by(Document.id)
        .limit(most)
    )
    return session.scalars(query).all()


def _nips(session: Session, rows: Sequence[Document]) -> dict[int, str]:
    ids = {row.seller_id for row in rows}
    return dict(session.execute(select(Seller.id, Seller.nip).where(Seller.id.in_(ids))).all())


Noted = set[tuple[int, int | None, str, str]]


def _noted(session: Session, which: ColumnElement[bool]) -> Noted:
    columns = ArchiveDamage.seller_id, ArchiveDamage.document_id, ArchiveDamage.part, ArchiveDamage.reference
    return set(session.execute(select(*columns).where(which)))


def _write_down(services: Services, found: list[Fault], known: Noted) -> None:
    seen = {(one.seller_id, one.document_id, one.part.value, one.reference): one for one in found}
    for key, one in seen.items():
        if key not in known:
            damage.note(
                services,
                ArchiveDamaged(
                    one.seller_id, one.part, one.text, document_id=one.document_id, reference=one.reference
                ),
            )
    gone = known - set(seen)
    if gone:
        with services.database.begin() as session:
            for seller_id, document_id, part, reference in gone:
                damage.healed(session, seller_id, Part(part), document_id=document_id, reference=reference)
