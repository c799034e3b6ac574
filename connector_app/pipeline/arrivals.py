"""Webhooks that arrive together are kept together: one transaction, one wait for the disk, for all of them.

A shop may tell of thousands of orders in a minute, and each delivery is answered only when it is on the disk.
Whoever comes while others are being kept waits for them to end, and is then kept with everybody who waits.
The log has one line for them together: in a burst, a line for each would cost as much as keeping it, and the
rows of events tell everything that it could say.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from sqlalchemy.exc import SQLAlchemyError

from adapters.contract import ShopEvent
from connector_app.log_events import Said
from connector_app.logs import Fact, Log
from connector_app.pipeline.events import Sealed, receive
from connector_app.pipeline.services import Services
from connector_app.store.sessions import Lane

_log = Log(__name__)

_MOST = 100
"""Webhooks that one transaction keeps."""


class Outdated(Exception):
    """A store is no longer what a delivery to it was verified with; it was not kept."""


@dataclass(slots=True)
class _Arrival:
    """One delivery whose sender waits.

    Attributes:
        ready: it is kept or failed, or its thread is to keep those that wait.
        leads: the latter.
    """

    event: ShopEvent
    verified_with: Sealed | None
    ready: threading.Event = field(default_factory=threading.Event)
    leads: bool = False
    is_new: bool | None = None
    error: SQLAlchemyError | None = None


class Arrivals:
    """Where the threads of a web server bring verified webhooks.

    Args:
        services: the installation.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = threading.Lock()
        self._waiting: dict[int, list[_Arrival]] = {}
        self._busy: set[int] = set()

    @property
    def waiting(self) -> int:
        """How many wait for somebody else to be kept."""
        with self._lock:
            return sum(map(len, self._waiting.values()))

    def keep(
        self,
        store_id: int,
        event: ShopEvent,
        *,
        lane: Lane | None = None,
        verified_with: Sealed | None = None,
    ) -> bool:
        """Keep one, together with those of the same store that wait; it is on the disk when this returns.

        Args:
            store_id: whose webhook it is.
            event: verified.
            lane: of the store's seller, where it is known.
            verified_with: what the store's row has to hold when it is kept.

        Returns:
            Whether it was new; see :func:`~connector_app.pipeline.events.receive`.

        Raises:
            Outdated: the store's row holds something else, or the store was removed.
            SQLAlchemyError: the database cannot be used.
        """
        mine = _Arrival(event, verified_with)
        with self._lock:
            self._waiting.setdefault(store_id, []).append(mine)
            mine.leads = store_id not in self._busy
            self._busy.add(store_id)
        if not mine.leads:
            mine.ready.wait()
        if mine.leads:
            self._keep_waiting(store_id, lane)
        if mine.error is not None:
            raise mine.error
        if mine.is_new is None:
            raise Outdated
        return mine.is_new

    def _keep_waiting(self, store_id: int, lane: Lane | None) -> None:
        """Keep those that wait, the caller's own first among them, and let the next who waits go on."""
        with self._lock:
            waiting = self._waiting[store_id]
            taken, self._waiting[store_id] = waiting[:_MOST], waiting[_MOST:]
        try:
            self._receive(store_id, lane, taken)
        finally:
            with self._lock:
                left = self._waiting[store_id]
                if left:
                    left[0].leads = True
                    left[0].ready.set()
                else:
                    del self._waiting[store_id]
                    self._busy.discard(store_id)
            for one in taken:
                one.ready.set()
        _say(store_id, taken)

    def _receive(self, store_id: int, lane: Lane | None, taken: list[_Arrival]) -> None:
        told, verified_with = [one.event for one in taken], [one.verified_with for one in taken]
        try:
            are_new = receive(self._services, store_id, told, lane=lane, verified_with=verified_with)
        except SQLAlchemyError as error:
            for one in taken:
                one.error = error
        else:
            for one, is_new in zip(taken, are_new, strict=True):
                one.is_new = is_new


def _say(store_id: int, taken: list[_Arrival]) -> None:
    """One line about those that were kept; what a single one was about, too."""
    kept = [one for one in taken if one.is_new is not None]
    if not kept:
        return
    about: dict[str, Fact] = {}
    if len(kept) == 1:
        event = kept[0].event
        about = {"topic": event.topic, "entity": event.entity.value, "entity_id": event.entity_id}
    new = sum(one.is_new is True for one in kept)
    _log.info(Said.WEBHOOK, store_id=store_id, count=len(kept), new=new, **about)
