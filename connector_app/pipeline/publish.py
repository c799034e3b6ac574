"""Publish: the KSeF number goes back to the order, each channel once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, object_session, selectinload

from adapters.contract import Channel, NotFound, ShopAdapter, ShopAuthFailed, ShopError, ShopRefused
from connector_app import buyer_links, ksef_access
from connector_app.pipeline import life
from connector_app.pipeline.messages import message_for
from connector_app.pipeline.services import Services
from connector_app.policies import StorePolicy
from connector_app.profiles import BadProfile
from connector_app.store.lanes import of_document
from connector_app.store.models import INVOICE, Document, DocumentState, Publication, ShopOrder, Store
from connector_app.store.snapshots import from_json
from core.calendar import warsaw_day
from core.findings import Finding, Severity, Text
from core.invoices.payments import awaits_transfer
from core.ksef.verification import invoice_link

_NO_ROUTE = "rest_no_route"

_PATIENT_TRIES = 8
"""Refusals of one document, over about three hours, before a person is asked."""

_WITH_ALL = (
    joinedload(Document.seller),
    joinedload(Document.order).joinedload(ShopOrder.store),
    selectinload(Document.publications),
)

_OF_INVOICES = frozenset({Channel.METADATA, Channel.TAG, Channel.ORDER_STATE})


def publish(services: Services, document_id: int, shop: ShopAdapter) -> Document:
    """Write every missing publication of one accepted document.

    The adapter looks for an earlier copy before it writes, so neither a lost answer nor a crash leads to a
    second note; what was written is committed once, with the document's new state or with what failed.

    Args:
        services: the outside world.
        document_id: a document; in any other state than ``accepted`` nothing happens.
        shop: the connected store of the document's order.

    Raises:
        ShopError: a channel could not be written; see :func:`failed`.
    """
    with services.database() as session:
        document = session.get_one(Document, document_id, options=_WITH_ALL)
        if document.state != DocumentState.ACCEPTED:
            return document
        store = document.order.store
        policy = StorePolicy.from_json(store.policy)
        wanted = channels(document, policy, shop)
        remote_order = document.order.remote_id
        done = {row.channel for row in document.publications if row.done_at}
        buyers = language_of(document, policy)
        link = verification_link(document)
        pay_on = transfer_on(services, document)
        page = buyer_links.link(services, document)
    written: dict[str, str] = {}
    try:
        for channel in wanted:
            if channel.value in done:
                continue
            language = policy.language if channel is Channel.PRIVATE_NOTE else buyers
            message = message_for(document, channel, language, link, pay_on, store.texts, page)
            written[channel.value] = shop.publish(remote_order, channel, message)
    except ShopError as error:
        with services.database.begin(document.seller_id) as session:
            _note_written(session, document_id, written, services.clock())
            _row(session, document_id, channel.value).failure = f"{error.message} {error.hint}".strip()
        raise
    except Exception:
        with services.database.begin(document.seller_id) as session:
            _note_written(session, document_id, written, services.clock())
        raise
    return _finish(services, document_id, store, written)


def channels(document: Document, policy: StorePolicy, shop: ShopAdapter) -> list[Channel]:
    """Where a document is told of; fields, tag and state are the invoice's, not a correction's."""
    return [
        channel
        for channel in policy.channels
        if channel in shop.channels and (document.purpose == INVOICE or channel not in _OF_INVOICES)
    ]


def failed(services: Services, document_id: int, error: ShopError) -> Document:
    """Decide what a document does whose publication failed: wait longer and longer, or ask a person.

    Args:
        services: the outside world.
        document_id: the document.
        error: what the shop said about this document.
    """
    why = Text(
        f"Sklep nie przyjął wpisu: {error.message}",
        f"The shop took no note: {error.message}",
    )

    def apply(row: Document) -> None:
        now = services.clock()
        if isinstance(error, NotFound):
            life.ask(row, [_gone(row)], now)
        elif isinstance(error, ShopRefused) and row.attempts + 1 >= _PATIENT_TRIES:
            life.ask(row, [_refused(row, error)], now)
        else:
            life.postpone(row, why, now, at_least=getattr(error, "retry_after", 0.0))

    return life.change(services, document_id, apply)


def is_of_the_store(error: ShopRefused) -> bool:
    """Whether the key or the address is wrong, so that every other document would be refused as well."""
    return isinstance(error, ShopAuthFailed) or error.code == _NO_ROUTE or 300 <= error.status < 400


def _gone(document: Document) -> Finding:
    return Finding(
        "published-order-gone",
        Severity.ERROR,
        "",
        Text(
            f"Faktura {document.number} jest w KSeF ({document.ksef_number}), ale sklep nie ma już tego "
            "zamówienia, więc numeru nie ma gdzie zapisać.",
            f"Invoice {document.number} is in KSeF ({document.ksef_number}), but the shop no longer has the "
            "order to write its number to.",
        ),
        Text(
            "Przekaż numer KSeF nabywcy. Jeśli przywrócisz zamówienie w sklepie, ponów.",
            "Give the KSeF number to the buyer. If you restore the order in the shop, retry.",
        ),
    )


def _refused(document: Document, error: ShopRefused) -> Finding:
    return Finding(
        "publication-refused",
        Severity.ERROR,
        "",
        Text(
            f"Faktura {document.number} jest w KSeF ({document.ksef_number}), ale sklep nie chce przyjąć "
            f"wpisu: {error.message}",
            f"Invoice {document.number} is in KSeF ({document.ksef_number}), but the shop refuses the note: "
            f"{error.message}",
        ),
        Text(error.hint or "Usuń przyczynę w sklepie i ponów.", error.hint or "Remove the cause and retry."),
    )


def verification_link(document: Document) -> str:
    """Address of QR code I for an issued document."""
    if document.issued_on is None or document.xml_sha256 is None:
        raise ValueError(f"document {document.id} is not issued")
    environment = ksef_access.environment_of(document.seller)
    return invoice_link(
        environment.qr_url,
        document.seller.nip,
        document.issued_on,
        ksef_access.hash_text(document.xml_sha256),
    )


def language_of(document: Document, policy: StorePolicy) -> str:
    """The language of what the buyer reads: the order's, else the store's."""
    if document.order.snapshot is None:
        return policy.language
    spoken = from_json(document.order.snapshot).buyer.language
    return spoken if spoken in {"pl", "en"} else policy.language


def transfer_on(services: Services, document: Document) -> date | None:
    """Today, when the buyer of an invoice still has to transfer the money."""
    snapshot = document.order.snapshot
    if snapshot is None or document.purpose != INVOICE:
        return None
    try:
        policy = services.profile(document.seller).policy
    except BadProfile:
        return None  # the number goes back all the same
    return warsaw_day(services.clock()) if awaits_transfer(from_json(snapshot), policy) else None


def write_down(
    services: Services,
    document_id: int,
    channel: str,
    *,
    remote_id: str | None = None,
    failure: str | None = None,
) -> None:
    """Write down how one publication went, in a transaction of its own."""
    with services.database.begin(of_document(document_id)) as session:
        if failure is not None:
            _row(session, document_id, channel).failure = failure
        else:
            _note_written(session, document_id, {channel: remote_id}, services.clock())


def _note_written(
    session: Session, document_id: int, written: Mapping[str, str | None], now: datetime
) -> None:
    if not written:
        return
    known = session.scalars(select(Publication).where(Publication.document_id == document_id)).all()
    by_channel = {row.channel: row for row in known}
    for channel, remote_id in written.items():
        row = by_channel.get(channel) or Publication(document_id=document_id, channel=channel)
        session.add(row)
        row.failure, row.remote_id, row.done_at = None, remote_id, now


def _row(session: Session, document_id: int, channel: str) -> Publication:
    """The row of one publication, made when there is none."""
    row = session.scalar(
        select(Publication).where(Publication.document_id == document_id, Publication.channel == channel)
    )
    if row is None:
        row = Publication(document_id=document_id, channel=channel)
        session.add(row)
    return row


def _finish(services: Services, document_id: int, store: Store, written: Mapping[str, str]) -> Document:
    text = Text(
        f"Numer KSeF zapisano w zamówieniu w sklepie {store.code}.",
        f"The KSeF number was written to the order in store {store.code}.",
    )

    def apply(row: Document) -> None:
        now = services.clock()
        session = object_session(row)
        assert session is not None, "a document is changed inside a transaction"
        _note_written(session, document_id, written, now)
        life.move(row, DocumentState.PUBLISHED, text, now)

    return life.change(services, document_id, apply)
