"""``store remove``: work with a shop ends; what was issued stays."""

from __future__ import annotations

import click
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from adapters.contract import ShopError
from connector_app import subscriptions
from connector_app.commands.app import App, BadInput, Failure, pass_app
from connector_app.commands.bilingual import Command, option
from connector_app.commands.find_store import find_store
from connector_app.pipeline.services import Services
from connector_app.store.models import Document, DocumentState, ShopOrder, Store
from connector_app.vault import VaultLocked
from core.findings import Text

_UNDER_WAY = (DocumentState.READY, DocumentState.ISSUED, DocumentState.SENT, DocumentState.ACCEPTED)
_OPEN = (DocumentState.WAITING, DocumentState.ATTENTION, DocumentState.REJECTED)


@click.command(
    cls=Command,
    pl="""Kończy pracę ze sklepem: usuwa jego webhooki i klucze. Dokumenty i zamówienia zostają.

    Odmawia, dopóki dokumenty sklepu są w drodze do KSeF lub do sklepu. store add z tym samym kodem otwiera
    sklep na nowo.""",
)
@click.argument("code", metavar="CODE")
@option(
    "--yes",
    is_flag=True,
    pl="Nie pytaj o dokumenty, które czekają lub wymagają decyzji; nikt ich już nie ruszy.",
    en="Do not ask about documents that wait or need a person; nothing will move them any more.",
)
@option(
    "--force",
    is_flag=True,
    pl="Zamknij także wtedy, gdy sklep nie odpowiada; usuń potem webhooki w sklepie ręcznie.",
    en="Close it even when the shop does not answer; delete the webhooks in the shop by hand then.",
)
@pass_app
def remove(app: App, code: str, yes: bool, force: bool) -> None:
    """End the work with a shop: delete its webhooks and keys. Documents and orders stay.

    Refuses while documents of the store are on their way to KSeF or to the shop. store add with the same code
    opens it again.
    """
    services = app.open()
    with services.database() as session:
        store = find_store(session, app, code)
        _refuse_under_way(app, session, store)
        waiting = _count(session, store.id, *_OPEN)
    if waiting and not yes:
        question = app.text(
            f"Dokumenty, które czekają lub wymagają decyzji: {waiting}. Zamknąć sklep mimo to?",
            f"Documents that wait or need a person: {waiting}. Close the store all the same?",
        )
        click.confirm(question, abort=True, err=True)
    _end_webhooks(app, services, store, force=force)
    with services.database.begin() as session:
        row = session.get_one(Store, store.id)
        # once more, in the transaction that closes: the application may be at work
        _refuse_under_way(app, session, row)
        row.closed_at, row.backfill = services.clock(), None
        row.config = services.vault.seal({"url": row.url})
    app.say(
        Text(
            f"✓ Sklep {code} jest zamknięty; jego dokumenty zostają.",
            f"✓ Store {code} is closed; its documents stay.",
        )
    )


def _end_webhooks(app: App, services: Services, store: Store, *, force: bool) -> None:
    try:
        subscriptions.unregister(services, store.id)
    except (ShopError, VaultLocked) as error:
        if not force:
            said = error.message if isinstance(error, ShopError) else str(error)
            raise Failure(
                app.text(
                    f"Webhooków nie udało się usunąć: {said}", f"The webhooks could not be deleted: {said}"
                ),
                "--force",
            ) from None
        subscriptions.forget(services, store.id)


def _refuse_under_way(app: App, session: Session, store: Store) -> None:
    count = _count(session, store.id, *_UNDER_WAY)
    if count:
        raise BadInput(
            app.text(f"Dokumenty sklepu w drodze: {count}.", f"Documents of the store under way: {count}."),
            app.text(
                f"Poczekaj, aż będą gotowe: ksef-connector store sync {store.code}",
                f"Wait until they are done: ksef-connector store sync {store.code}",
            ),
        )


def _count(session: Session, store_id: int, *states: DocumentState) -> int:
    query = (
        select(func.count())
        .select_from(Document)
        .join(ShopOrder, ShopOrder.id == Document.order_id)
        .where(ShopOrder.store_id == store_id, Document.state.in_(states))
    )
    return session.scalar(query) or 0
