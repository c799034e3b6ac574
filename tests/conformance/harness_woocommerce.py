"""WooCommerce in the conformance suite."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from adapters.contract import Channel, EventReader, Message, ShopAdapter
from adapters.woocommerce import connect, event_reader
from adapters.woocommerce.client import Limits
from sandbox.woocommerce import WooSandbox
from tests.conformance.harness import LARGEST_ANSWER, READ_SECONDS, Clock, Fault, Feature, Key, Part

CHANNELS = frozenset({Channel.PRIVATE_NOTE, Channel.CUSTOMER_NOTE, Channel.METADATA})

DATA = Path(__file__).resolve().parent.parent / "data" / "woocommerce"
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
_REFUNDS = {
    Part.LINE: "refund_partial_line_created",
    Part.SHIPPING: "refund_shipping_only",
    Part.AMOUNT: "refund_amount_only",
}


class WooHarness:
    """A :class:`~tests.conformance.harness.Harness` of WooCommerce."""

    platform = "woocommerce"
    lacks: Mapping[Feature, str] = {}
    page = 100
    secrets = ("a secret of the suite",)

    def __init__(self, shop: WooSandbox, clock: Clock, stack: ExitStack) -> None:
        self._shop, self._stack = shop, stack
        self.clock = clock
        self.pauses: list[float] = []
        self.hidden = (shop.consumer_secret, shop.read_only_secret, "cs_wrong", *self.secrets)
        self.read_event: EventReader | None = event_reader({})
        self._last_id = 1000

    def adapter(self, key: Key = Key.FULL) -> ShopAdapter:
        keys = {
            Key.FULL: (self._shop.consumer_key, self._shop.consumer_secret),
            Key.READ_ONLY: (self._shop.read_only_key, self._shop.read_only_secret),
            Key.WRONG: ("ck_wrong", "cs_wrong"),
        }[key]
        config = {"url": self._shop.url, "consumer_key": keys[0], "consumer_secret": keys[1]}
        made = connect(config, limits=_LIMITS, sleep=self.pauses.append, clock=self.clock, jitter=lambda: 0.5)
        return self._stack.enter_context(closing(made))

    def add_orders(self, count: int) -> list[str]:
        template = _recorded("order_full")
        orders = []
        for _ in range(count):
            self._last_id += 1
            times = self._shop.state.times("date_created") | self._shop.state.times("date_modified")
            orders.append(template | times | {"id": self._last_id, "number": str(self._last_id)})
            self.clock.forward(1)
        self._shop.state.add_orders(orders, {})
        return [str(order["id"]) for order in orders]

    def change(self, order_id: str) -> None:
        self._shop.state.change(int(order_id), customer_note=f"zmiana {self.clock.now}")

    def break_order(self, order_id: str) -> None:
        lines = copy.deepcopy(self._shop.state.order(int(order_id))["line_items"])
        lines[0]["total"] = "drogo"
        self._shop.state.change(int(order_id), line_items=lines)

    def delete(self, order_id: str) -> None:
        self._shop.state.delete(int(order_id))

    def refund(self, order_id: str, part: Part) -> str:
        self._last_id += 1
        refund = _recorded(_REFUNDS[part]) | self._shop.state.times("date_created") | {"id": self._last_id}
        self._shop.state.add_refund(int(order_id), refund)
        return str(self._last_id)

    def fault(self, kind: Fault, *, writing: bool = False, times: int = 1, value: float = 0) -> None:
        amount = {Fault.SLOW: 2 * READ_SECONDS, Fault.HUGE: 5_000_000.0}.get(kind, value or None)
        # notes are posted and metadata is put, and neither method reads
        path = "^/wp-json/"
        for method in ("POST", "PUT") if writing else ("GET",):
            self._shop.fault(_FAULTS[kind], method=method, path=path, times=times, value=amount)

    def message(self, channel: Channel) -> Message:
        if channel is Channel.METADATA:
            return Message(fields={"ksef_number": "5265877635-20261124-ABC", "invoice_number": "FV/1"})
        return Message(text="Faktura FV/1, numer KSeF 5265877635-20261124-ABC", marker="FV/1")

    def published(self, order_id: str, channel: Channel) -> list[str]:
        state = self._shop.state
        if channel is Channel.METADATA:
            rows = state.order(int(order_id))["meta_data"]
            return [row["value"] for row in rows if row["key"] == "_ksef_number"]
        for_customer = channel is Channel.CUSTOMER_NOTE
        notes = state.notes.get(int(order_id), [])
        return [note["note"] for note in notes if note["customer_note"] is for_customer]

    def deliver(self, copies: int = 1) -> None:
        self._shop.deliver(copies=copies)


@contextmanager
def start() -> Iterator[WooHarness]:
    """An empty shop."""
    clock = Clock()
    with WooSandbox(clock=clock) as shop, ExitStack() as stack:
        yield WooHarness(shop, clock, stack)


def _recorded(name: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
    return data
