"""Telling: a document issued offline reaches the order and the buyer at once, before it has its number.

The number follows by :mod:`connector_app.pipeline.publish` when KSeF has given it. Trouble here holds nothing
up: the note is tried again on a clock of its own, until the number makes it needless.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from adapters.contract import ShopAdapter, ShopError
from connector_app.pipeline import life, publish
from connector_app.pipeline.alone import INTERNAL
from connector_app.pipeline.messages import offline_message_for
from connector_app.pipeline.services import Services
from connector_app.policies import StorePolicy
from connector_app.store.models import Document, DocumentState, ShopOrder
from core.findings import Text

_log = logging.getLogger(__name__)

PREFIX = "offline:"
"""Before the channel's name in the row of such a publication."""

UNTOLD: ColumnElement[bool] = (
    Document.certificate_link.is_not(None)
    & Document.told_at.is_(None)
    & Document.ksef_number.is_(None)
    & Document.state.in_((DocumentState.ISSUED, DocumentState.SENT))
)
"""Offline documents of which the shop does not know yet."""

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
            put_off(services, ids[place:])
            said = f"{error.message} {error.hint}".strip()
            return Text(
                f"Faktura offline czeka na sklep: {said}", f"An offline invoice waits for the shop: {said}"
            )
        except SQLAlchemyError:
            raise
        except Exception:
            _log.exception("document %d: telling the shop failed", document_id)
            put_off(services, [document_id])
            problem = INTERNAL
    return problem


def tell(services: Services, document_id: int, shop: ShopAdapter) -> None:
    """Write of one document to every channel that does not know of it yet.

    Args:
        services: the outside world.
        document_id: issued offline; when it is no longer untold, nothing happens.
        shop: the connected store of its order.

    Raises:
        ShopError: a channel could not be written; what was written before it is kept.
    """
    with services.database() as session:
        document = session.scalar(select(Document).where(Document.id == document_id, UNTOLD))
        if document is None:
            return
        policy = StorePolicy.from_json(document.order.store.policy)
        wanted = publish.channels(document, policy, shop)
        language = publish.language_of(document, policy)
        remote_order = document.order.remote_id
        done = {row.channel for row in document.publications if row.done_at}
        link = publish.verification_link(document)
    for channel in wanted:
        if PREFIX + channel.value in done:
            continue
        name = PREFIX + channel.value
        try:
            message = offline_message_for(document, channel, language, link)
            remote_id = shop.publish(remote_order, channel, message)
        except ShopError as error:
            said = f"{error.message} {error.hint}".strip()
            publish.write_down(services, document_id, name, failure=said)
            raise
        publish.write_down(services, document_id, name, remote_id=remote_id)
    _finish(services, document_id, services.clock())


def put_off(services: Services, ids: list[int]) -> None:
    """Try some documents again later."""
    with services.database.begin() as session:
        session.execute(
            update(Document)
            .where(Document.id.in_(ids))
            .values(tell_next_at=services.clock() + _PAUSE)
            .execution_options(synchronize_session=False)
        )


def _finish(services: Services, document_id: int, now: datetime) -> None:
    text = Text(
        "Nabywca dostał fakturę offline; numer KSeF dostanie, gdy KSeF go nada.",
        "The buyer was given the offline invoice; the KSeF number follows once there is one.",
    )

    def told(row: Document) -> None:
        row.told_at = now
        life.note(row, text, now)

    life.change(services, document_id, told)
