"""A store's webhooks as this installation wants them: where they come in, registered, looked after, ended.

Each store has an address of its own with a part that cannot be guessed, and secrets that its deliveries are
signed with; both are sealed in its row. Webhooks only make things quicker: whatever is wrong with them, the
shop is asked at every look all the same.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from adapters import registry
from adapters.contract import ShopError, WebhookHealth, Webhooks
from connector_app.log_events import Said
from connector_app.logs import Log
from connector_app.pipeline.services import Services, dump_text, load_text
from connector_app.store.lanes import of_store
from connector_app.store.models import Store
from connector_app.store.recovered import IS_OPEN
from connector_app.vault import VaultLocked
from core.findings import Text

_log = Log(__name__)

CHECK_EVERY = timedelta(minutes=15)
"""How often the subscriptions of a store are looked at."""

_INTERNAL = Text(
    "Błąd wewnętrzny programu; szczegóły są w dzienniku.",
    "An internal error of the program; the log has details.",
)
_KEY_BYTES = 24
_SECRET_BYTES = 32


class NoWebhooks(Exception):
    """The store's platform has none: its changes are found by asking."""


@dataclass(frozen=True, slots=True)
class Door:
    """Where a store's webhooks come in.

    Attributes:
        key: the part of the address that cannot be guessed.
        secrets: that deliveries are signed with, the newest first; two during a rotation.
        base: public address of the installation under which they are registered; empty when they are not.
    """

    key: str = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    base: str = ""

    def address(self, code: str) -> str:
        """The whole address of a registered door.

        Args:
            code: of the store.
        """
        return f"{self.base}/webhooks/{code}/{self.key}"


def door_of(services: Services, store: Store) -> Door | None:
    """A store's door; ``None`` when it never had one.

    Raises:
        VaultLocked: it cannot be decrypted.
    """
    if store.webhook is None:
        return None
    values = services.vault.unseal(store.webhook)
    if not isinstance(values, dict):
        raise TypeError("a store's webhook data must be a table")
    return Door(values["key"], tuple(values["secrets"]), values["base"])


def register(services: Services, store_id: int, base: str, *, rotate: bool = False) -> None:
    """Register a store's webhooks under the installation's public address, or put them right; safe to repeat.

    The door is kept before the shop is asked, because the shop may greet it at once.

    Args:
        services: the outside world.
        store_id: the store.
        base: public address without a trailing slash.
        rotate: sign with a new secret from now on; deliveries under way still fit the old one.

    Raises:
        NoWebhooks: the platform has none.
        ShopError: it is not known to be done.
        VaultLocked: secrets cannot be decrypted.
    """
    with services.database() as session:
        store = session.get_one(Store, store_id)
    old = door_of(services, store)
    with _webhooks(services, store) as webhooks:
        if old is not None and old.base not in {"", base}:
            # on the old address nobody answers any more
            webhooks.unregister(old.address(store.code))
        door = _keep_door(services, store_id, base, rotate=rotate)
        webhooks.register(door.address(store.code), door.secrets[0])
    _note(services, store_id, None)


def unregister(services: Services, store_id: int) -> None:
    """Delete a store's webhooks in the shop, and what they were signed with.

    Raises:
        ShopError: it is not known to be done.
        VaultLocked: secrets cannot be decrypted.
    """
    with services.database() as session:
        store = session.get_one(Store, store_id)
    door = door_of(services, store)
    if door is not None and door.base:
        with _webhooks(services, store) as webhooks:
            webhooks.unregister(door.address(store.code))
    forget(services, store_id)


def forget(services: Services, store_id: int) -> None:
    """Close a store's door without asking the shop: what still comes there is answered 404."""
    with services.database.begin(of_store(store_id)) as session:
        row = session.get_one(Store, store_id)
        row.webhook = row.webhook_checked_at = row.webhook_trouble = None


def health(services: Services, store: Store) -> list[WebhookHealth]:
    """How the shop has the subscriptions of a store; empty when they were never registered.

    Raises:
        NoWebhooks: the platform has none.
        ShopError: the shop cannot be asked now.
        VaultLocked: secrets cannot be decrypted.
    """
    door = door_of(services, store)
    with _webhooks(services, store) as webhooks:
        return webhooks.health(door.address(store.code)) if door is not None and door.base else []


def keep_up(services: Services, base: str, store_id: int | None = None) -> None:
    """Register what is missing and wake what the shop has switched off, each store once in a while.

    Args:
        services: the outside world.
        base: public address of the installation, without a trailing slash.
        store_id: only of this store.

    Raises:
        SQLAlchemyError: the database cannot be used.
    """
    query = select(Store).where(IS_OPEN).order_by(Store.id)
    with services.database() as session:
        stores = session.scalars(query if store_id is None else query.where(Store.id == store_id)).all()
    for store in stores:
        now = services.clock()
        due = store.webhook_checked_at is None or now - store.webhook_checked_at >= CHECK_EVERY
        if due and registry.sends_events(store.platform):
            _keep_up_one(services, store, base)


def troubles(services: Services) -> list[Text]:
    """Why webhooks of stores do not come, for a person.

    Raises:
        SQLAlchemyError: the database cannot be used.
    """
    with services.database() as session:
        waits = session.execute(
            select(Store.code, Store.webhook_trouble)
            .where(IS_OPEN, Store.webhook_trouble.is_not(None))
            .order_by(Store.id)
        ).all()
    said = [(code, load_text(raw)) for code, raw in waits if raw is not None]
    return [
        Text(f"Sklep {code}, webhooki: {why.pl}", f"Store {code}, webhooks: {why.en}") for code, why in said
    ]


def _keep_up_one(services: Services, store: Store, base: str) -> None:
    try:
        door = door_of(services, store)
        if door is not None and door.base == base:
            asleep = [one for one in health(services, store) if not one.active]
            if not asleep:
                _note(services, store.id, None)
                return
            for one in asleep:
                _log.warning(Said.SUBSCRIPTION, store_id=store.id, topic=one.topic)
        register(services, store.id, base)
    except NoWebhooks:
        _note(services, store.id, None)
    except (ShopError, VaultLocked) as error:
        said = error.words if isinstance(error, ShopError) else Text(str(error), str(error))
        _note(services, store.id, said)
    except SQLAlchemyError:
        raise
    except Exception as error:
        _log.failed(Said.SUBSCRIPTION, error, store_id=store.id)
        _note(services, store.id, _INTERNAL)


@contextmanager
def _webhooks(services: Services, store: Store) -> Iterator[Webhooks]:
    """The subscriptions of a store, connected for the length of a ``with`` block."""
    shop = services.shop(store)
    try:
        if shop.webhooks is None:
            raise NoWebhooks(f"{store.platform} has no webhooks")
        yield shop.webhooks
    finally:
        shop.close()


def _keep_door(services: Services, store_id: int, base: str, *, rotate: bool) -> Door:
    with services.database.begin(of_store(store_id)) as session:
        row = session.get_one(Store, store_id)
        known = door_of(services, row)
        key = known.key if known else secrets.token_urlsafe(_KEY_BYTES)
        signed = known.secrets if known else ()
        if rotate or not signed:
            signed = (secrets.token_urlsafe(_SECRET_BYTES), *signed[:1])
        door = Door(key, signed, base)
        row.webhook = services.vault.seal({"key": door.key, "secrets": list(door.secrets), "base": door.base})
    return door


def _note(services: Services, store_id: int, trouble: Text | None) -> None:
    with services.database.begin(of_store(store_id)) as session:
        row = session.get_one(Store, store_id)
        row.webhook_checked_at = services.clock()
        row.webhook_trouble = dump_text(trouble) if trouble else None
