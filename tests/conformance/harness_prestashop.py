"""PrestaShop in the conformance suite."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager

from adapters.contract import Channel, EventReader, Message, ShopAdapter
from adapters.http import Limits
from adapters.prestashop import connect
from adapters.prestashop.listing import PER_PAGE
from sandbox.prestashop import INVOICE_STATE, Entity, PrestaSandbox, demo_data, shared_data
from tests.conformance.harness import LARGEST_ANSWER, READ_SECONDS, Clock, Fault, Feature, Key, Part

# metadata, tags and e-mails with our text: the webservice has none of them
CHANNELS = frozenset({Channel.PRIVATE_NOTE, Channel.CUSTOMER_NOTE, Channel.ORDER_STATE})

_WRONG_KEY = "C3" * 16
_TEMPLATE = 10
_OWN = ("order_details", "order_cart_rules", "order_histories", "order_carriers")
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
# the time zone is asked for before an order: not that request is to be spoiled, but the order's
_READING = "^/api/(?!configurations)"
# nor the new thread that a message needs; tests/prestashop/test_publish.py spoils that
_WRITING = "^/api/(?!customer_threads)"
# net and gross of goods, net and gross of the delivery; an amount without a product is refused by the shop,
# so a merchant gives a part of a product's price back
_REFUNDS = {
    Part.LINE: ("40.640000", "49.990000", "0.000000", "0.000000"),
    Part.SHIPPING: ("0.000000", "0.000000", "7.000000", "8.610000"),
    Part.AMOUNT: ("8.130000", "10.000000", "0.000000", "0.000000"),
}


class PrestaHarness:
    """A :class:`~tests.conformance.harness.Harness` of PrestaShop."""

    platform = "prestashop"
    lacks: Mapping[Feature, str] = {
        Feature.WEBHOOKS: "the shop's core sends no webhooks, changes are found by polling"
    }
    page = PER_PAGE
    secrets: tuple[str, ...] = ()
    read_event: EventReader | None = None

    def __init__(self, shop: PrestaSandbox, clock: Clock, stack: ExitStack) -> None:
        self._shop, self._stack = shop, stack
        self.clock = clock
        self.pauses: list[float] = []
        self.hidden = (shop.key, shop.read_only_key, _WRONG_KEY)
        self._recorded = demo_data()
        self._last_id = 1000

    def adapter(self, key: Key = Key.FULL) -> ShopAdapter:
        keys = {Key.FULL: self._shop.key, Key.READ_ONLY: self._shop.read_only_key, Key.WRONG: _WRONG_KEY}
        config = {"url": self._shop.url, "key": keys[key], "invoice_state": str(INVOICE_STATE)}
        made = connect(config, limits=_LIMITS, sleep=self.pauses.append, clock=self.clock, jitter=lambda: 0.5)
        return self._stack.enter_context(closing(made))

    def add_orders(self, count: int) -> list[str]:
        made = []
        for _ in range(count):
            self._last_id += 1
            self._shop.state.take_over(self._order(self._last_id))
            made.append(str(self._last_id))
            self.clock.forward(1)
        return made

    def change(self, order_id: str) -> None:
        self._shop.state.change(int(order_id), shipping_number=f"zmiana {self.clock.now}")

    def break_order(self, order_id: str) -> None:
        self._shop.state.change(int(order_id), total_paid_tax_incl="drogo")

    def delete(self, order_id: str) -> None:
        self._shop.state.delete(int(order_id))

    def refund(self, order_id: str, part: Part) -> str:
        self._last_id += 1
        net, gross, shipping_net, shipping = _REFUNDS[part]
        detail = self._shop.state.of_order("order_details", int(order_id))[0]
        row = {
            "id": str(self._last_id),
            "id_order_detail": detail.text("id"),
            "product_quantity": "1",
            "amount_tax_excl": net,
            "amount_tax_incl": gross,
        }
        changes = {
            "id": str(self._last_id),
            "id_order": order_id,
            "total_products_tax_excl": net,
            "total_products_tax_incl": gross,
            "total_shipping_tax_excl": shipping_net,
            "total_shipping_tax_incl": shipping,
            "amount": gross,
            "shipping_cost": "1" if part is Part.SHIPPING else "0",
            "shipping_cost_amount": shipping,
            "order_slip_type": "2" if part is Part.SHIPPING else "0",
        }
        rows = [] if part is Part.SHIPPING else [row]
        recorded = self._recorded["order_slip"][0]
        self._shop.state.add_slip(Entity({**recorded.fields, **changes}, {"order_slip_details": rows}))
        return str(self._last_id)

    def fault(self, kind: Fault, *, writing: bool = False, times: int = 1, value: float = 0) -> None:
        amount = {Fault.SLOW: 2 * READ_SECONDS, Fault.HUGE: 5_000_000.0}.get(kind, value or None)
        path = _WRITING if writing else _READING
        # messages and states are posted, notes are patched, and neither method reads
        for method in ("POST", "PATCH") if writing else ("GET",):
            self._shop.fault(_FAULTS[kind], method=method, path=path, times=times, value=amount)

    def message(self, channel: Channel) -> Message:
        if channel is Channel.ORDER_STATE:
            return Message()
        return Message(text="Faktura FV/1, numer KSeF 5265877635-20261124-ABC", marker="FV/1")

    def published(self, order_id: str, channel: Channel) -> list[str]:
        seen = self._shop.state.seen(int(order_id))
        if channel is Channel.ORDER_STATE:
            states = [entry["id_order_state"] for entry in seen["histories"]]
            return [state for state in states if state == str(INVOICE_STATE)]
        if channel is Channel.CUSTOMER_NOTE:
            return [one["message"] for one in seen["messages"] if one["private"] == "0"]
        note: str = seen["note"]
        return [note] * note.count("FV/1")

    def deliver(self, copies: int = 1) -> None:
        raise AssertionError("the platform has no webhooks")

    def _order(self, key: int) -> dict[str, list[Entity]]:
        """A recorded order and its payment anew, made now."""
        now, reference = self._shop.state.now(), f"K{key}"
        made = {
            name: [
                _again(one, key * 10 + place, id_order=str(key), date_add=now)
                for place, one in enumerate(self._recorded[name])
                if one.text("id_order") == str(_TEMPLATE)
            ]
            for name in _OWN
        }
        (order,) = (one for one in self._recorded["orders"] if one.id == _TEMPLATE)
        times = dict.fromkeys(("date_add", "date_upd", "invoice_date"), now)
        made["orders"] = [_again(order, key, reference=reference, **times)]
        payment = {"order_reference": reference, "amount": order.text("total_paid"), "date_add": now}
        made["order_payments"] = [_again(self._recorded["order_payments"][0], key, **payment)]
        return made


def _again(entity: Entity, key: int, **changes: str) -> Entity:
    """A copy under another id; only fields that it has are changed."""
    known = {name: text for name, text in changes.items() if name in entity.fields}
    return Entity({**entity.fields, **known, "id": str(key)}, entity.rows)


@contextmanager
def start() -> Iterator[PrestaHarness]:
    """An empty shop."""
    clock = Clock()
    with PrestaSandbox(shared_data(), clock=clock) as shop, ExitStack() as stack:
        yield PrestaHarness(shop, clock, stack)
