"""Documents of some days: what KSeF has accepted of them, and what stands under no order of a shop."""

from __future__ import annotations

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from connector_app.checks.period import Period
from connector_app.checks.report import MOST_LISTED, Part, Report
from connector_app.checks.wording import found
from connector_app.pipeline.purposes import HAND
from connector_app.pipeline.services import load_text
from connector_app.store.models import Document, DocumentState, ShopOrder, Store
from connector_app.store.recovered import NO_SHOPS
from connector_app.store.recovered import PLATFORM as RECOVERED
from connector_app.words import state_text
from core.findings import Text

_NOTHING_SAID = Text("czeka na swoją kolej", "waits for its turn")


def look(session: Session, seller_id: int, period: Period, report: Report) -> None:
    """Count a seller's documents of some days, and name those that KSeF does not have.

    Args:
        session: see :func:`~connector_app.checks.rows.snapshot`.
        seller_id: the seller.
        period: days of issue.
        report: gets counts and findings.
    """
    of_days = (Document.seller_id == seller_id, Document.issued_on.between(period.first, period.last))
    counts = report.parts[Part.DOCUMENTS].counts
    rows = session.execute(
        select(Document.state, Document.kind, func.count()).where(*of_days).group_by(
            Document.state, Document.kind
        )
    )  # fmt: skip
    for state, kind, count in rows:
        counts["documents"] += count
        counts["corrections" if kind.startswith("KOR") else "invoices"] += count
        counts[f"state_{state}"] += count
    _not_accepted(session, of_days, report)
    _without_order(session, of_days, report)


def _not_accepted(session: Session, of_days: tuple[ColumnElement[bool], ...], report: Report) -> None:
    rows = session.execute(
        select(
            Document.id, Document.number, Document.state, Document.waiting_for,
            Document.refusal_code, Document.refusal_text, Document.attention,
        )
        .where(*of_days, Document.ksef_number.is_(None), Document.state != DocumentState.CANCELLED)
        .order_by(Document.id)
        .execution_options(yield_per=MOST_LISTED)
    )  # fmt: skip
    for ident, number, state, waits_for, code, refusal, attention in rows:
        report.parts[Part.DOCUMENTS].counts["not_accepted"] += 1
        if state == DocumentState.REJECTED:
            why = Text(f"{code} {refusal or ''}".strip(), f"{code} {refusal or ''}".strip())
        elif attention:
            one = attention[0]["message"]
            why = Text(one["pl"], one["en"])
        else:
            why = load_text(waits_for) if waits_for else _NOTHING_SAID
        stands = state_text(state)
        text = Text(
            f"Dokumentu {ident} ({number}) KSeF jeszcze nie przyjął ({stands.pl}): {why.pl}",
            f"Document {ident} ({number}) is not accepted by KSeF yet ({stands.en}): {why.en}",
        )
        kind = "document-refused" if state == DocumentState.REJECTED else "document-not-accepted"
        report.add(found(kind, f"document:{ident}", text))


def _without_order(session: Session, of_days: tuple[ColumnElement[bool], ...], report: Report) -> None:
    """Uploads, recovered documents and what was written by hand are named as such."""
    counts = report.parts[Part.DOCUMENTS].counts
    counts["by_hand"] += (
        session.scalar(select(func.count()).where(*of_days, Document.purpose.contains(HAND))) or 0
    )
    rows = session.execute(
        select(Document.id, Document.number, func.coalesce(Store.platform, ""))
        .outerjoin(ShopOrder, Document.order_id == ShopOrder.id)
        .outerjoin(Store, ShopOrder.store_id == Store.id)
        .where(*of_days, Store.id.is_(None) | Store.platform.in_(NO_SHOPS))
        .order_by(Document.id)
        .execution_options(yield_per=MOST_LISTED)
    )
    for ident, number, platform in rows:
        if not platform:
            counts["without_order"] += 1
            text = Text(
                f"Zamówienia dokumentu {ident} ({number}) nie ma w bazie.",
                f"The order of document {ident} ({number}) is not in the database.",
            )
            report.add(found("document-without-order", f"document:{ident}", text))
            continue
        recovered = platform == RECOVERED
        counts["recovered" if recovered else "uploaded"] += 1
        source = (
            Text("odzyskano z KSeF, zamówienie nieznane", "was recovered from KSeF, its order is unknown")
            if recovered
            else Text("wgrano z pliku innego programu", "was uploaded as a file of another program")
        )
        text = Text(f"Dokument {ident} ({number}) {source.pl}.", f"Document {ident} ({number}) {source.en}.")
        report.add(found("document-from-elsewhere", f"document:{ident}", text))
