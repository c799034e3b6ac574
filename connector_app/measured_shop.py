"""A shop whose answers are timed, whatever its platform."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TypeVar

from adapters.contract import (
    Channel,
    CheckLine,
    Message,
    RefundChange,
    ShopAdapter,
    ShopBusy,
    ShopError,
    ShopRefused,
    ShopUnavailable,
    TaxClass,
    TellsTaxes,
    UnreadableOrder,
)
from connector_app.measures import BUSY, SHOP, Measures
from core.orders import Order, Refund

Result = TypeVar("Result")


def measured(shop: ShopAdapter, measures: Measures) -> ShopAdapter:
    """The same shop, each of whose operations is measured.

    Args:
        shop: connected.
        measures: where it is added up.
    """
    return _WithTaxes(shop, measures) if isinstance(shop, TellsTaxes) else MeasuredShop(shop, measures)


class MeasuredShop:
    """See :class:`adapters.contract.ShopAdapter`."""

    def __init__(self, shop: ShopAdapter, measures: Measures) -> None:
        self.platform = shop.platform
        self.channels = shop.channels
        self.webhooks = shop.webhooks
        self._shop = shop
        self._measures = measures

    def changed_orders(self, since: datetime | None) -> Iterator[Order | UnreadableOrder]:
        """Orders that changed."""
        return self._all("changed_orders", self._shop.changed_orders(since))

    def changed_refunds(self, since: datetime | None) -> Iterator[RefundChange]:
        """Refunds that changed."""
        return self._all("changed_refunds", self._shop.changed_refunds(since))

    def order(self, order_id: str) -> Order:
        """One order."""
        return self._one("order", lambda: self._shop.order(order_id))

    def refunds(self, order: Order) -> tuple[Refund, ...]:
        """An order's refunds."""
        return self._one("refunds", lambda: self._shop.refunds(order))

    def publish(self, order_id: str, channel: Channel, message: Message) -> str:
        """Write one publication."""
        return self._one("publish", lambda: self._shop.publish(order_id, channel, message))

    def check(self) -> list[CheckLine]:
        """Look at the connection."""
        return self._one("check", self._shop.check)

    def close(self) -> None:
        """Give the connection back."""
        self._shop.close()

    def _one(self, operation: str, ask: Callable[[], Result]) -> Result:
        began = time.perf_counter()
        result = "ok"
        try:
            return ask()
        except ShopError as error:
            result = _result(error)
            raise
        finally:
            self._say(operation, time.perf_counter() - began, result)

    def _all(self, operation: str, found: Iterator[Result]) -> Iterator[Result]:
        """Time spent on the shop's side; what is done with each entity does not count."""
        spent, result = 0.0, "ok"
        try:
            while True:
                began = time.perf_counter()
                try:
                    one = next(found)
                except StopIteration:
                    return
                finally:
                    spent += time.perf_counter() - began
                yield one
        except ShopError as error:
            result = _result(error)
            raise
        finally:
            self._say(operation, spent, result)

    def _say(self, operation: str, seconds: float, result: str) -> None:
        self._measures.observe(SHOP, seconds, self.platform, operation, result)
        if result == "busy":
            self._measures.count(BUSY, "shop", self.platform)


class _WithTaxes(MeasuredShop):
    """A shop that also tells its tax settings."""

    def __init__(self, shop: ShopAdapter, measures: Measures) -> None:
        super().__init__(shop, measures)
        assert isinstance(shop, TellsTaxes), "made for such a shop only"
        self._taxes = shop

    def tax_settings(self) -> tuple[TaxClass, ...]:
        """The tax classes that products can have."""
        return self._one("tax_settings", self._taxes.tax_settings)


def _result(error: ShopError) -> str:
    if isinstance(error, ShopBusy):
        return "busy"
    if isinstance(error, ShopUnavailable):
        return "unavailable"
    return "refused" if isinstance(error, ShopRefused) else "unreadable"
