"""The sandbox shop as a real HTTP server on localhost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sandbox.background import BackgroundServer, ShopHandler
from sandbox.faults import Fault, FaultMiddleware, FaultPlan
from sandbox.woocommerce.access import ApiKey, Gate
from sandbox.woocommerce.app import Shop, create_app
from sandbox.woocommerce.recordings import demo_orders, recorded
from sandbox.woocommerce.state import Json, ShopState
from sandbox.woocommerce.webhooks import Delivery

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

# keys of a shop that lives on localhost only
DEMO_CONSUMER_KEY: Final = "ck_" + "a1" * 20
DEMO_CONSUMER_SECRET: Final = "cs_" + "b2" * 20
READ_ONLY_CONSUMER_KEY: Final = "ck_" + "c3" * 20
READ_ONLY_CONSUMER_SECRET: Final = "cs_" + "d4" * 20


class WooSandbox(BackgroundServer):
    """A WooCommerce shop on a localhost port, running inside a ``with`` block.

    Args:
        orders: orders as the REST API gives them; those that a state file knows already stay as they are.
        refunds: order id to its refunds, oldest first.
        clock: the time now, aware UTC.
        zone: the shop's time zone.
        port: 0 takes a free one.
        state_path: file that keeps the shop over a restart; ``None`` keeps it in memory.
        settings: endpoint to answer, over the recorded ones.
        sleep: waits the given seconds in a ``slow`` fault; ``None`` really waits.
    """

    consumer_key: str = DEMO_CONSUMER_KEY
    consumer_secret: str = DEMO_CONSUMER_SECRET
    read_only_key: str = READ_ONLY_CONSUMER_KEY
    read_only_secret: str = READ_ONLY_CONSUMER_SECRET

    def __init__(
        self,
        orders: Iterable[Json] = (),
        *,
        refunds: Mapping[int, Iterable[Json]] | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        zone: tzinfo = UTC,
        port: int = 0,
        state_path: Path | str | None = None,
        settings: Mapping[str, Any] | None = None,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        super().__init__(port, ShopHandler)
        self.state = ShopState(clock=clock, zone=zone, path=Path(state_path) if state_path else None)
        self.state.load()
        self.state.add_orders(orders, refunds or {})
        keys = {
            self.consumer_key: ApiKey(self.consumer_secret),
            self.read_only_key: ApiKey(self.read_only_secret, "read"),
        }
        self._faults = FaultPlan()
        self._shop = Shop(self.state, Gate(keys), self._faults, {**_recorded_settings(), **(settings or {})})
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

    def deliver(self, *, copies: int = 1) -> list[Delivery]:
        """Send the webhooks that are due; see :class:`sandbox.woocommerce.webhooks.Sender`.

        Args:
            copies: how often each is sent.
        """
        return self.state.sender(self.url).deliver(copies=copies)


def serve(port: int, state_path: Path | str | None = None, orders: Iterable[Json] | None = None) -> None:
    """Run a shop until it is interrupted.

    Args:
        port: localhost port.
        state_path: file that keeps the shop over a restart.
        orders: the recorded demo orders when not given.
    """
    shop = WooSandbox(demo_orders() if orders is None else orders, port=port, state_path=state_path)
    with shop:
        try:
            shop.wait()
        except KeyboardInterrupt:
            return


def _recorded_settings() -> dict[str, Any]:
    return {
        "taxes": recorded("taxes"),
        "taxes/classes": recorded("tax_classes"),
        "settings/tax": recorded("settings_tax"),
        "settings/general": [
            {"id": "woocommerce_default_country", "value": "PL"},
            {"id": "woocommerce_calc_taxes", "value": "yes"},
            {"id": "woocommerce_currency", "value": "PLN"},
            {"id": "woocommerce_price_num_decimals", "value": "2"},
        ],
        "settings/email_customer_note": recorded("settings_email_customer_note"),
        "system_status": recorded("system_status_environment"),
    }
