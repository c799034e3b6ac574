"""Publishing a seller's documents, store by store, without hammering a shop that says no."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from adapters.contract import ShopAdapter, ShopError, ShopRefused, ShopUnavailable
from connector_app.log_events import Said
from connector_app.logs import Log, bound
from connector_app.pipeline import holds, life, telling
from connector_app.pipeline.alone import ids_of
from connector_app.pipeline.publish import failed, is_of_the_store, publish
from connector_app.pipeline.services import Services
from connector_app.pipeline.slices import ENDLESS, Slice
from connector_app.store.models import Document, DocumentState, ShopOrder, Store
from connector_app.store.recovered import IS_SHOP
from connector_app.store.uploaded import PLATFORM as UPLOADED
from connector_app.vault import VaultLocked
from core.findings import Text

_log = Log(__name__)

_SILENT_AFTER = 3
"""Documents in a row at which a shop gave no answer before the rest is put off."""

_BROKEN_PAUSE = timedelta(minutes=15)
"""Pause of a whole store whose key or address is wrong: only a person can change that."""

_MOST = 500
"""Documents of a store that one pass writes to the shop; then other sellers have their turn."""

_SILENT_PAUSE = timedelta(seconds=60)

_INTERNAL = Text(
    "Błąd wewnętrzny programu przy zapisie do sklepu; szczegóły są w dzienniku. Program ponowi próbę.",
    "An internal error of the program while writing to the shop; the log has details. It is tried again.",
)


def publish_all(services: Services, seller_id: int, time: Slice = ENDLESS) -> tuple[int, list[Text]]:
    """Write what is due to each of a seller's shops.

    Args:
        services: the outside world.
        seller_id: the seller.
        time: when it is over, the rest is left for the next pass.

    Returns:
        How many documents were touched, and sentences about shops that cannot be written to.

    Raises:
        SQLAlchemyError: the database cannot be used.
    """
    worked, problems = _finish_uploaded(services, seller_id), []
    with services.database() as session:
        of_seller = select(Store).where(Store.seller_id == seller_id, IS_SHOP)
        stores = list(session.scalars(of_seller.order_by(Store.id)))
    for store in stores:
        of_store = (Document.state == DocumentState.ACCEPTED) & Document.order_id.in_(
            select(ShopOrder.id).where(ShopOrder.store_id == store.id)
        )
        due, untold = _due(services, seller_id, of_store), telling.due(services, store.id)
        if not due and not untold:
            continue
        with bound(store_id=store.id):
            done, found = _work_for(services, store, due, untold, of_store, time)
        worked += done
        problems += found
    return worked, problems


def _work_for(
    services: Services,
    store: Store,
    due: list[int],
    untold: list[int],
    of_store: ColumnElement[bool],
    time: Slice,
) -> tuple[int, list[Text]]:
    """Write to one shop what is due; how many documents were touched, and why others wait."""
    try:
        shop = services.shop(store)
    except (ShopError, VaultLocked) as error:
        telling.put_off(services, untold)
        return 0, [_put_off(services, store, of_store, error, _BROKEN_PAUSE)]
    try:
        waits = telling.tell_all(services, untold, shop)
        done, problem = _publish(services, store, shop, due, of_store, time)
    finally:
        shop.close()
    return done + len(untold), [one for one in (waits, problem) if one]


def _publish(
    services: Services,
    store: Store,
    shop: ShopAdapter,
    due: list[int],
    of_store: ColumnElement[bool],
    time: Slice,
) -> tuple[int, Text | None]:
    worked = silent = 0
    known = ids_of(services, due)
    for document_id in due:
        if time.is_over():
            break
        services.way.give()
        try:
            with bound(document_id=document_id, **known.get(document_id, {})):
                publish(services, document_id, shop)
            silent = 0
        except ShopRefused as error:
            if is_of_the_store(error):
                return worked, _put_off(services, store, of_store, error, _BROKEN_PAUSE)
            _log.warning(Said.STORE_FAILED, error, document_id=document_id)
            failed(services, document_id, error)
        except ShopError as error:
            _log.warning(Said.STORE_FAILED, error, document_id=document_id)
            failed(services, document_id, error)
            silent += isinstance(error, ShopUnavailable)
            if silent >= _SILENT_AFTER:
                return worked + 1, _put_off(services, store, of_store, error, _SILENT_PAUSE)
        except Exception as error:
            if isinstance(error, SQLAlchemyError) and not isinstance(error, IntegrityError):
                raise
            _log.failed(Said.DOCUMENT_FAILED, error, document_id=document_id)
            life.postpone_one(services, document_id, _INTERNAL)
        worked += 1
    return worked, None


_NO_SHOP = Text(
    "Gotowe: dokument wgrano z pliku, więc w sklepie nie ma czego zapisać.",
    "Done: the document was uploaded as a file, so there is nothing to write to a shop.",
)


def _finish_uploaded(services: Services, seller_id: int) -> int:
    """What was uploaded and accepted has no shop to be published to."""
    of_uploads = select(ShopOrder.id).join(Store).where(Store.platform == UPLOADED)
    done = _due(
        services, seller_id, (Document.state == DocumentState.ACCEPTED) & Document.order_id.in_(of_uploads)
    )
    for document_id in done:
        life.change(
            services,
            document_id,
            lambda row: life.move(row, DocumentState.PUBLISHED, _NO_SHOP, services.clock()),
        )
    return len(done)


def _put_off(
    services: Services,
    store: Store,
    of_store: ColumnElement[bool],
    error: ShopError | VaultLocked,
    pause: timedelta,
) -> Text:
    _log.warning(Said.STORE_FAILED, error)
    said = f"{error.message} {error.hint}".strip() if isinstance(error, ShopError) else str(error)
    why = Text(f"Sklep {store.code}: {said}", f"Store {store.code}: {said}")
    holds.put_off(services, store.seller_id, of_store, why, pause)
    return why


def _due(services: Services, seller_id: int, what: ColumnElement[bool]) -> list[int]:
    now = services.clock()
    with services.database() as session:
        return list(
            session.scalars(
                select(Document.id)
                .where(
                    Document.seller_id == seller_id,
                    what,
                    or_(Document.next_attempt_at.is_(None), Document.next_attempt_at <= now),
                )
                .order_by(Document.id)
                .limit(_MOST)
            )
        )
