"""What deliveries to a store are verified with, remembered, and never believed any longer than it is true.

Reading a store and decrypting its secrets for each of thousands of webhooks costs more than keeping them. So
both are remembered, without any time limit, because nothing rests on the memory alone: a delivery that it
finds right is kept only if the transaction that keeps it sees the same sealed texts in the store's row
(:func:`connector_app.pipeline.events.receive`), and whatever else it would say (no such store, a wrong
signature, a trial delivery) is said by the row as it is now. A changed secret, a closed door and a removed
store count from their commit on, whichever process made it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import bindparam, select

from adapters import registry
from adapters.contract import ShopEvent, UnreadableEvent
from connector_app import subscriptions
from connector_app.pipeline.services import Services
from connector_app.store.models import Store
from connector_app.store.recovered import IS_OPEN
from connector_app.subscriptions import Door

_BY_CODE = select(Store).where(Store.code == bindparam("code"), IS_OPEN)


@dataclass(frozen=True, slots=True)
class OpenDoor:
    """An open store and what its deliveries are verified with.

    Attributes:
        store_id, seller_id, code, platform: of the store.
        door: its address and secrets. config: its connection data.
        sealed: both as they stand in the row.
    """

    store_id: int
    seller_id: int
    code: str
    platform: str
    door: Door
    config: Mapping[str, str] = field(repr=False)
    sealed: tuple[str | None, str] = field(repr=False)

    def read(self, headers: Mapping[str, str], body: bytes) -> ShopEvent:
        """Verify and read a delivery.

        Args:
            headers: by name in small letters.
            body: raw.

        Raises:
            ShopError: forged, unreadable, or the store's own data do not let it be verified.
        """
        read = registry.event_reader(self.platform, self.config)
        if read is None:
            raise UnreadableEvent("the platform sends no webhooks")
        return read(headers, body, self.door.secrets)


class Doors:
    """The doors of an installation's stores; safe to share between threads.

    Args:
        services: the installation.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._known: dict[str, OpenDoor] = {}

    def remembered(self, code: str) -> OpenDoor | None:
        """A store's door as it was when it was looked at last; ``None``: it never was, or there was none."""
        return self._known.get(code)

    def look(self, code: str) -> OpenDoor | None:
        """A store's door as it is now; ``None``: no such store, or it has none.

        Args:
            code: of the store, as a stranger may have written it.

        Raises:
            SQLAlchemyError: the database cannot be used.
            VaultLocked: secrets cannot be decrypted.
        """
        with self._services.database() as session:
            store = session.scalar(_BY_CODE, {"code": code})
        door = subscriptions.door_of(self._services, store) if store is not None else None
        if store is None or door is None:
            self._known.pop(code, None)
            return None
        sealed = (store.webhook, store.config)
        known = self._known.get(code)
        if known is not None and known.sealed == sealed and known.store_id == store.id:
            return known
        config = self._services.vault.unseal(store.config)
        assert isinstance(config, dict)
        found = OpenDoor(store.id, store.seller_id, store.code, store.platform, door, config, sealed)
        self._known[code] = found
        return found
