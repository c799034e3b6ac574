"""The sandbox shop as a real HTTP server on localhost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from sandbox.background import BackgroundServer, ShopHandler
from sandbox.faults import Fault, FaultMiddleware, FaultPlan
from sandbox.prestashop.access import EVERYTHING, READ_ONLY, Gate
from sandbox.prestashop.app import Shop, create_app
from sandbox.prestashop.entities import Entity
from sandbox.prestashop.state import ShopState

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

# keys of a shop that lives on localhost only
DEMO_KEY: Final = "A1" * 16
READ_ONLY_KEY: Final = "B2" * 16


class PrestaSandbox(BackgroundServer):
    """A PrestaShop shop on a localhost port, running inside a ``with`` block.

    Args:
        data: entities by collection; those that a state file knows already stay as they are.
        clock: the time now, aware UTC.
        zone: of the shop's clock; its setting ``PS_TIMEZONE`` is an entity like others.
        port: 0 takes a free one.
        state_path: file that keeps the shop over a restart; ``None`` keeps it in memory.
        keys: further keys, to what they may do by collection.
        version: of PrestaShop; before 8 there is no PATCH.
        drops_header: the host's PHP never gets the Authorization header.
        enabled: the webservice is switched on.
        sleep: waits the given seconds in a ``slow`` fault; ``None`` really waits.
    """

    key: str = DEMO_KEY
    read_only_key: str = READ_ONLY_KEY

    def __init__(
        self,
        data: Mapping[str, Iterable[Entity]] | None = None,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        zone: ZoneInfo | None = None,
        port: int = 0,
        state_path: Path | str | None = None,
        keys: Mapping[str, Mapping[str, frozenset[str]]] | None = None,
        version: str = "9.1.4",
        drops_header: bool = False,
        enabled: bool = True,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        super().__init__(port, ShopHandler)
        self.state = ShopState(
            clock=clock,
            zone=zone or ZoneInfo("Europe/Warsaw"),
            path=Path(state_path) if state_path else None,
        )
        self.state.load()
        self.state.take_over(data or {})
        gate = Gate(
            {self.key: EVERYTHING, self.read_only_key: READ_ONLY, **(keys or {})}, drops_header=drops_header
        )
        self._faults = FaultPlan()
        self._shop = Shop(self.state, gate, self._faults, version, enabled)
        self._sleep = sleep

    def application(self) -> WSGIApplication:
        """The shop behind its planned faults."""
        application = create_app(self._shop)
        if self._sleep is None:
            return FaultMiddleware(application, self._faults)
        return FaultMiddleware(application, self._faults, self._sleep)

    def fault(
        self, kind: str, *, method: str = "", path: str = "", times: int = 1, value: float | None = None
    ) -> None:
        """Plan a fault; see :mod:`sandbox.faults`.

        Raises:
            FaultError: a fault that does not exist.
        """
        self._faults.add(Fault(kind, method, path, times, value))
