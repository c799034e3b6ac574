"""Telling of a document that has no KSeF number: issued offline, or refused by KSeF.

An offline document reaches the order and the buyer at once; its number follows by
:mod:`connector_app.pipeline.publish` when KSeF has given it. Of a refusal the merchant is told by a private
note, and the buyer never. Trouble here holds nothing up: the note is tried again on a clock of its own, until
it is needless.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from adapters.contract import Channel, ShopAdapter, ShopError, ShopRefused
from connector_app import buyer_links
from connector_app.log_events import Said
from connector_app.logs import Log
from connector_app.pipeline import life, publish
from connector_app.pipeline.alone import INTERNAL
from connector_app.pipeline.messages import offline_message_for, refusal_message_for
from connector_app.pipeline.services import Services
from connector_app.policies import StorePolicy
from connector_app.store.lanes import of_document
from connector_app.store.models import Document, DocumentState, ShopOrder
from core.findings import Text

_log = Log(__name__)

PREFIX = "offline:"
"""Before the channel's name in the row of such a publication."""

_REFUSAL = "refused:"
"""Before the refused file's mark in the row of the note about it."""

_OFFLINE: ColumnElement[bool] = (
    Document.certificate_link.is_not(None)
    & Document.told_at.is_(None)
    & Document.ksef_number.is_(None)
    & Document.state.in_((DocumentState.ISSUED, DocumentState.SENT))
)
_REFUSED: ColumnElement[bool] = (
    (Document.state == DocumentState.REJECTED)
    & Document.xml_sha256.is_not(None)
    & or_(Document.refusal_told.is_(None), Document.refusal_told != Document.xml_sha256)
)
UNTOLD: ColumnElement[bool] = or_(_OFFLINE, _REFUSED)
"""Documents of which the shop is to be told although they have no KSeF number."""

_PAUSE = timedelta(minutes=5)


def due(services: Services, store_id: int) -> list[int]:
    """Documents of a store that are to be told of now."""
    with services.database() as session:
        return list(
            session.scalars(
                select(Document.id)
                .where(
                    UNTOLD,
                    Document.order_id.in_(select(ShopOrder.id).where(ShopOrder.store_id == store_id)),
                    or_(Document.tell_next_at.is_(None), Document.tell_next_at <= services.clock()),
                )
                .order_by(Document.id)
            )
        )


def tell_all(services: Services, ids: list[int], shop: ShopAdapter) -> Text | None:
    """Write of each document to its order; a shop that fails is left alone for some minutes.

    Args:
        services: the outside world.
        ids: documents of one store.
        shop: that store, connected.

    Returns:
        What went wrong, or None.

    Raises:
        SQLAlchemyError: the database cannot be used.
    """
    problem: Text | None = None
    for place, document_id in enumerate(ids):
        try:
            tell(services, document_id, shop)
        except ShopError as error:
            said = f"{error.message} {error.hint}".strip()
            problem = Text(
                f"Wpis do zamówienia czeka na sklep: {said}", f"A note on an order waits for the shop: {said}"
            )
            if not isinstance(error, ShopRefused) or publish.is_of_the_store(error):
                put_off(services, ids[place:])
                return problem
            _pass_over(services, document_id)
        except SQLAlchemyError:
            raise
        except Exception as error:
            _log.failed(Said.DOCUMENT_FAILED, error, document_id=document_id)
            put_off(services, [document_id])
            problem = INTERNAL
    return problem


def tell(services: Services, document_id: int, shop: ShopAdapter) -> None:
    """Write of one document to every channel that does not know of it yet.

    Args:
        services: the outside world.
        document_id: issued offline or refused; when it is no longer untold, nothing happens.
        shop: the connected store of its order.

    Raises:
        ShopError: a channel could not be written; what was written before it is kept.
    """
    with services.database() as session:
        document = session.scalar(select(Document).where(Document.id == document_id, UNTOLD))
        if document is None:
            return
        store = document.order.store
        policy = StorePolicy.from_json(store.policy)
        refused = document.state == DocumentState.REJECTED
        wanted = publish.channels(document, policy, shop)
        if refused:
            wanted = [channel for channel in wanted if channel is Channel.PRIVATE_NOTE]
        # the tag says that there is a number
        wanted = [channel for channel in wanted if channel is not Channel.TAG]
        refusal = f"{_REFUSAL}{(document.xml_sha256 or '')[:8]}"
        remote_order = document.order.remote_id
        done = {row.channel for row in document.publications if row.done_at}
        buyers = publish.language_of(document, policy)
        link = publish.verification_link(document)
        page = buyer_links.link(services, document)
    for channel in wanted:
        # a second refusal of a document made anew is told as well
        name = refusal if refused else f"{PREFIX}{channel.value}"
        if name in done:
            continue
        language = policy.language if channel is Channel.PRIVATE_NOTE else buyers
        try:
            if refused:
                message = refusal_message_for(document, language, store.texts)
            else:
                message = offline_message_for(document, channel, language, link, store.texts, page)
            remote_id = shop.publish(remote_order, channel, message)
        except ShopError as error:
            said = f"{error.message} {error.hint}".strip()
            publish.write_down(services, document_id, name, failure=said)
            raise
        publish.write_down(services, document_id, name, remote_id=remote_id)
    _finish(services, document_id, document.xml_sha256 if refused else None)


def _pass_over(services: Services, document_id: int) -> None:
    """An order that takes no note, because it is gone, say, must not stand before the others."""
    with services.database() as session:
        document = session.get_one(Document, document_id)
    if document.state == DocumentState.REJECTED:
        _finish(services, document_id, document.xml_sha256)
    else:
        put_off(services, [document_id])


def put_off(services: Services, ids: list[int]) -> None:
    """Try some documents of one store again later."""
    if not ids:
        return
    with services.database.begin(of_document(ids[0])) as session:
        session.execute(
            update(Document)
            .where(Document.id.in_(ids))
            .values(tell_next_at=services.clock() + _PAUSE)
            .execution_options(synchronize_session=False)
        )


def _finish(services: Services, document_id: int, refused: str | None) -> None:
    now = services.clock()

    def told(row: Document) -> None:
        if refused is not None:
            row.refusal_told = refused
        else:
            row.told_at = now
            life.note(row, _TOLD, now)

    life.change(services, document_id, told, watch=refused is None)


_TOLD = Text(
    "Nabywca dostał fakturę offline; numer KSeF dostanie, gdy KSeF go nada.",
    "The buyer was given the offline invoice; the KSeF number follows once there is one.",
)
