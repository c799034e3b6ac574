"""Shopify in the conformance suite."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from typing import Any

from adapters.contract import Channel, EventReader, Message, ShopAdapter
from adapters.shopify import connect, event_reader
from adapters.shopify.operations import OPERATIONS
from adapters.shopify.transport import Limits
from sandbox.shopify import ShopifySandbox, shapes
from sandbox.shopify.state import Token
from tests.conformance.harness import LARGEST_ANSWER, READ_SECONDS, Clock, Fault, Feature, Key, Part

CHANNELS = frozenset({Channel.PRIVATE_NOTE, Channel.METADATA, Channel.TAG, Channel.ORDER_EMAIL})

_LIMITS = Limits(read=READ_SECONDS, max_bytes=LARGEST_ANSWER)
_FAULTS = {
    Fault.DOWN: "http_500",
    Fault.DROPPED: "drop_before",
    Fault.LOST_ANSWER: "drop_after",
    Fault.HTML: "html",
    Fault.TRUNCATED: "truncate",
    Fault.CUT: "cut",
    Fault.SLOW: "slow",
    Fault.BUSY: "http_429",
    Fault.CLOSED: "http_503",
    Fault.REDIRECT: "redirect",
    Fault.HUGE: "huge",
}
_DONE = frozenset({Fault.LOST_ANSWER, Fault.TRUNCATED, Fault.CUT, Fault.SLOW})
_READS = "^({})$".format("|".join(one.name for one in OPERATIONS if not one.writes))
# a definition belongs to the shop, not to an order
_WRITES = tuple(one.name for one in OPERATIONS if one.writes and one.name != "DefineMetafield")
_TOKENS = {
    Key.FULL: ShopifySandbox.token,
    Key.READ_ONLY: "shpat_read_only",
    Key.WRONG: "shpat_wrong",
}
_NUMBER = "5265877635-20261124-ABC"
_VAT = "23"


class ShopifyHarness:
    """A :class:`~tests.conformance.harness.Harness` of Shopify."""

    platform = "shopify"
    lacks: Mapping[Feature, str] = {}
    page = 50
    secrets = (ShopifySandbox.client_secret,)

    def __init__(self, shop: ShopifySandbox, clock: Clock, stack: ExitStack) -> None:
        self._shop, self._stack = shop, stack
        self.clock = clock
        self.pauses: list[float] = []
        self.hidden = (*_TOKENS.values(), *self.secrets)
        self.read_event: EventReader | None = event_reader({"url": shop.url})
        self._last_id = 1000

    def adapter(self, key: Key = Key.FULL) -> ShopAdapter:
        config = {"url": self._shop.url, "access_token": _TOKENS[key], "client_secret": self.secrets[0]}
        config["order_email"] = "yes"
        made = connect(config, limits=_LIMITS, sleep=self._pause, clock=self.clock, jitter=lambda: 0.5)
        return self._stack.enter_context(closing(made))

    def add_orders(self, count: int) -> list[str]:
        orders = []
        for _ in range(count):
            self._last_id += 1
            orders.append(_order(self._last_id, self._shop.state.now()))
            self.clock.forward(1)
        self._shop.state.add_orders(orders)
        return [order["legacyResourceId"] for order in orders]

    def change(self, order_id: str) -> None:
        self._shop.state.change(int(order_id), note=f"zmiana {self.clock.now}")

    def break_order(self, order_id: str) -> None:
        line = self._order(order_id)["lineItems"]["nodes"][0]
        line["originalTotalSet"] = shapes.money("drogo")

    def delete(self, order_id: str) -> None:
        self._shop.state.delete(int(order_id))

    def refund(self, order_id: str, part: Part) -> str:
        self._last_id += 1
        order = self._order(order_id)
        moment = self._shop.state.now()
        times = {"createdAt": moment, "processedAt": moment, "updatedAt": moment}
        refund = _refund(self._last_id, order, part, times)
        self._shop.state.add_refund(int(order_id), refund)
        return str(self._last_id)

    def fault(self, kind: Fault, *, writing: bool = False, times: int = 1, value: float = 0) -> None:
        amount = {Fault.SLOW: 2 * READ_SECONDS, Fault.HUGE: 5_000_000.0}.get(kind, value or None)
        if not writing:
            plans = [_READS]
        elif kind in _DONE:
            # an e-mail is two writes, each of which can lose its answer
            plans = [f"^{name}$" for name in _WRITES]
        else:
            plans = ["^({})$".format("|".join(_WRITES))]
        for operation in plans:
            self._shop.fault(_FAULTS[kind], operation, times=times, value=amount)

    def message(self, channel: Channel) -> Message:
        if channel is Channel.METADATA:
            return Message(fields={"ksef_number": _NUMBER, "invoice_number": "FV/1"})
        if channel is Channel.TAG:
            return Message(text="KSeF", marker="KSeF")
        return Message(text=f"Faktura FV/1, numer KSeF {_NUMBER}", marker="FV/1")

    def published(self, order_id: str, channel: Channel) -> list[str]:
        order = self._order(order_id)
        match channel:
            case Channel.METADATA:
                return [one["value"] for one in order["metafields"]["nodes"] if one["key"] == "number"]
            case Channel.TAG:
                return [tag for tag in order["tags"] if tag.casefold() == "ksef"]
            case Channel.PRIVATE_NOTE:
                return [line for line in (order["note"] or "").splitlines() if _NUMBER in line]
            case _:
                return [mail["subject"] for mail in self._shop.state.emails if mail["order"] == order["id"]]

    def deliver(self, copies: int = 1) -> None:
        self._shop.webhooks.send(copies=copies)

    def _pause(self, seconds: float) -> None:
        """The shop's cost budget fills while an adapter waits, so the clock has to move."""
        self.pauses.append(seconds)
        self.clock.forward(seconds)

    def _order(self, order_id: str) -> dict[str, Any]:
        return self._shop.state.orders[f"gid://shopify/Order/{order_id}"]


@contextmanager
def start() -> Iterator[ShopifyHarness]:
    """An empty shop."""
    clock = Clock()
    with ShopifySandbox(clock=clock) as shop, ExitStack() as stack:
        shop.state.tokens[_TOKENS[Key.READ_ONLY]] = Token(frozenset({"read_orders", "read_customers"}))
        yield ShopifyHarness(shop, clock, stack)


def _order(number: int, moment: str) -> dict[str, Any]:
    """A paid order: two units of one product, and delivery."""
    parcel = shapes.shipping(number, "14.90", shapes.tax(_VAT, "2.79"))
    return shapes.order(
        number,
        [shapes.line(number * 10, "246.00", shapes.tax(_VAT, "46.00"), quantity=2)],
        "260.90",
        "48.79",
        shippingLines=[parcel],
        createdAt=moment,
        processedAt=moment,
        updatedAt=moment,
    )


def _refund(number: int, order: dict[str, Any], part: Part, times: Mapping[str, Any]) -> dict[str, Any]:
    match part:
        case Part.LINE:
            row = shapes.refund_line(order["lineItems"]["nodes"][0], 1, "123.00", "23.00")
            return shapes.refund(number, "123.00", [row], **times)
        case Part.SHIPPING:
            row = shapes.refund_shipping(order["shippingLines"]["nodes"][0], "14.90", "2.79")
            return shapes.refund(number, "14.90", (), refundShippingLines=[row], **times)
        case Part.AMOUNT:
            kept = shapes.adjustment(number, "-10.00", "REFUND_DISCREPANCY")
            return shapes.refund(number, "10.00", (), orderAdjustments=[kept], **times)
