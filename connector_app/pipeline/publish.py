"""Publish: the KSeF number goes back to the order, each channel once."""

from __future__ import annotations

from sqlalchemy.orm import Session

from adapters.contract import Channel, ShopAdapter, ShopError
from connector_app import ksef_access
from connector_app.pipeline import life
from connector_app.pipeline.messages import message_for
from connector_app.pipeline.services import Services
from connector_app.policies import StorePolicy
from connector_app.store.models import Document, DocumentState, Publication, Store
from connector_app.store.snapshots import from_json
from core.findings import Text
from core.ksef.verification import invoice_link


def publish(services: Services, document_id: int, shop: ShopAdapter) -> Document:
    """Write every missing publication of one accepted document.

    Each success is committed before the next channel is tried; the adapter looks for an earlier copy
    before it writes, so a lost answer leads to no second note.

    Args:
        services: the outside world.
        document_id: a document; in any other state than ``accepted`` nothing happens.
        shop: the connected store of the document's order.
    """
    with services.database() as session:
        document = session.get_one(Document, document_id)
        if document.state != DocumentState.ACCEPTED:
            return document
        store = document.order.store
        policy = StorePolicy.from_json(store.policy)
        remote_order = document.order.remote_id
        done = {row.channel for row in document.publications if row.done_at}
        language = _language(document, policy)
        link = verification_link(document)
    wanted = [channel for channel in policy.channels if channel in shop.channels]
    for channel in wanted:
        if channel.value in done:
            continue
        try:
            remote_id = shop.publish(remote_order, channel, message_for(document, channel, language, link))
        except ShopError as error:
            return _failed(services, document_id, channel, error)
        _done(services, document_id, channel, remote_id)
    return _finish(services, document_id, store)


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


def _language(document: Document, policy: StorePolicy) -> str:
    if document.order.snapshot is None:
        return policy.language
    spoken = from_json(document.order.snapshot).buyer.language
    return spoken if spoken in {"pl", "en"} else policy.language


def _row(session: Session, document: Document, channel: Channel) -> Publication:
    for row in document.publications:
        if row.channel == channel.value:
            return row
    row = Publication(document_id=document.id, channel=channel.value)
    session.add(row)
    document.publications.append(row)
    return row


def _done(services: Services, document_id: int, channel: Channel, remote_id: str) -> None:
    with services.database.begin() as session:
        document = session.get_one(Document, document_id)
        row = _row(session, document, channel)
        row.remote_id, row.done_at, row.failure = remote_id, services.clock(), None


def _failed(services: Services, document_id: int, channel: Channel, error: ShopError) -> Document:
    now = services.clock()
    with services.database.begin() as session:
        document = session.get_one(Document, document_id)
        _row(session, document, channel).failure = f"{error.message} {error.hint}".strip()
        life.postpone(
            document,
            Text(f"Sklep nie przyjął wpisu: {error.message}", f"The shop took no note: {error.message}"),
            now,
            at_least=getattr(error, "retry_after", 0.0),
        )
    services.watch(document)
    return document


def _finish(services: Services, document_id: int, store: Store) -> Document:
    now = services.clock()
    with services.database.begin() as session:
        document = session.get_one(Document, document_id)
        life.move(
            document,
            DocumentState.PUBLISHED,
            Text(
                f"Numer KSeF zapisano w zamówieniu w sklepie {store.code}.",
                f"The KSeF number was written to the order in store {store.code}.",
            ),
            now,
        )
    services.watch(document)
    return document
