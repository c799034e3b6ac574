"""Stored XML and UPO files, each compared with its hash, and with what the database says of it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation

from lxml import etree
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker, undefer

from connector_app.checks.period import Period
from connector_app.checks.report import Part, Report
from connector_app.checks.wording import found
from connector_app.documents.files import damage, upo_damage
from connector_app.store.models import Document
from core.fa import schema
from core.findings import Text

_AT_ONCE = 50
_FACTS = ("P_1", "P_2", "P_15", "KodWaluty")


def look(
    database: sessionmaker[Session],
    seller_id: int,
    period: Period,
    report: Report,
    tell: Callable[[int, int], None] = lambda _done, _total: None,
) -> None:
    """Read every file of a seller's documents of some days.

    Args:
        database: of the installation.
        seller_id: the seller.
        period: days of issue.
        report: gets counts and findings.
        tell: told how many of how many were read.
    """
    of_days = (Document.seller_id == seller_id, Document.issued_on.between(period.first, period.last))
    with database() as session:
        total = session.scalar(select(func.count()).select_from(Document).where(*of_days)) or 0
        # only their ids are held, so that no transaction stays open while files are read
        ids = list(session.scalars(select(Document.id).where(*of_days).order_by(Document.id)))
    for start in range(0, len(ids), _AT_ONCE):
        with database() as session:
            rows = session.scalars(
                select(Document)
                .where(Document.id.in_(ids[start : start + _AT_ONCE]))
                .options(undefer(Document.xml), undefer(Document.upo))
                .order_by(Document.id)
            )
            for row in rows:
                look_at(row, report)
        tell(min(start + _AT_ONCE, total), total)


def look_at(row: Document, report: Report) -> None:
    """Compare one document's files.

    Args:
        row: with XML and UPO.
        report: gets counts and findings.
    """
    counts = report.parts[Part.FILES].counts
    path = f"document:{row.id}"
    if row.xml_sha256 is not None and row.xml is None:
        text = Text(
            f"Dokument {row.id} ({row.number}) nie ma swojego pliku XML.",
            f"Document {row.id} ({row.number}) has no XML file.",
        )
        report.add(found("file-missing", path, text))
    elif row.xml is not None:
        counts["xml"] += 1
        wrong = damage(row)
        if wrong is not None:
            counts["damaged"] += 1
            report.add(found("file-damaged", path, wrong))
        else:
            _compare(row, row.xml, report)
    if row.upo is not None or row.upo_sha256 is not None:
        counts["upo"] += 1
        wrong = upo_damage(row)
        if wrong is not None:
            counts["damaged"] += 1
            report.add(found("upo-damaged", path, wrong))
    elif row.ksef_number is not None:
        counts["without_upo"] += 1
        text = Text(
            f"Dokument {row.id} ({row.number}) nie ma jeszcze UPO.",
            f"Document {row.id} ({row.number}) has no UPO yet.",
        )
        report.add(found("upo-not-there", path, text))


def _compare(row: Document, xml: bytes, report: Report) -> None:
    """Number, day, total and currency of the row are those of the file."""
    said = _facts(xml)
    differs = [
        (name, here, there)
        for name, here, there in (
            ("P_2", row.number or "", said.get("P_2", "")),
            ("P_1", row.issued_on.isoformat() if row.issued_on else "", said.get("P_1", "")),
            ("KodWaluty", row.currency or "", said.get("KodWaluty", "")),
        )
        if here != there
    ]
    if _amount(said.get("P_15", "")) != row.total:
        differs.append(("P_15", str(row.total), said.get("P_15", "")))
    for name, here, there in differs:
        text = Text(
            f"Dokument {row.id} ({row.number}): {name} w bazie to „{here}”, w pliku „{there}”.",
            f'Document {row.id} ({row.number}): {name} is "{here}" in the database and "{there}" in the '
            "file.",
        )
        report.add(found("file-says-otherwise", f"document:{row.id}", text))


def _facts(xml: bytes) -> dict[str, str]:
    """First values of a few elements of an invoice."""
    try:
        root = schema.parse(xml).getroot()
    except schema.MalformedXml:
        return {}
    part = next((one for one in root if etree.QName(one).localname == "Fa"), None)
    if part is None:
        return {}
    found_values: dict[str, str] = {}
    for one in part:
        if isinstance(one.tag, str):
            name = etree.QName(one).localname
            if name in _FACTS and name not in found_values:
                found_values[name] = (one.text or "").strip()
    return found_values


def _amount(raw: str) -> Decimal | None:
    try:
        return Decimal(raw)
    except InvalidOperation:
        return None
