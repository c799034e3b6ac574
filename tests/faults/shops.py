"""Shops of the three platforms as the runs use them: orders come, are given back, cancelled, edited."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.prestashop import PrestaSandbox
from sandbox.prestashop.entities import Entity
from sandbox.prestashop.generate import generated
from sandbox.prestashop.recordings import shared_data
from sandbox.shopify import ShopifySandbox, shapes
from sandbox.woocommerce.server import WooSandbox
from tests.faults.stories import Sale, presta_sales, shopify_sales, woo_sales
from tests.pipeline.world import WOO_CONFIG, recorded

Clock = Callable[[], datetime]
_CENT = Decimal("0.01")


@dataclass
class Shop:
    """A running shop of a seller.

    Attributes:
        code: of the store. nip: of the seller. clock: the world's time. base: where its numbers begin.
        sold: ids of due orders that nothing else happened to, oldest first.
        given: id of order to how often something was given back.
    """

    code: str
    nip: str
    clock: Clock
    base: int
    sold: list[int] = field(default_factory=list)
    given: dict[int, int] = field(default_factory=dict)
    count: int = 0

    platform = ""
    server: Any = None

    def next_number(self) -> int:
        """A number that no order has."""
        self.count += 1
        return self.base + self.count

    @property
    def config(self) -> dict[str, str]:
        """Connection data of the adapter."""
        raise NotImplementedError

    def sell(self, chance: random.Random, *, paid: bool = True) -> int:
        """A new order; its id."""
        raise NotImplementedError

    def give_back(self, order: int) -> bool:
        """Give the next line of an order back; False when there is none left."""
        raise NotImplementedError

    def give_amount_back(self, order: int) -> bool:
        """Give money back without saying for what; False where the platform has no such thing."""
        raise NotImplementedError

    def cancel(self, order: int) -> None:
        """Call an order off."""
        raise NotImplementedError

    def edit(self, order: int, *, total: bool) -> bool:
        """Change an order, with its total or without; False where that is not possible."""
        raise NotImplementedError

    def is_told(self, order: int) -> bool:
        """Whether an order shows anything of its invoice."""
        raise NotImplementedError

    def sales(self) -> list[Sale]:
        """Everything that the shop says, for the invariants."""
        raise NotImplementedError

    def fault(self, kind: str, where: str, *, times: int, value: float | None) -> None:
        """Plan a fault of the shop; ``where`` is ``read``, ``write`` or empty."""
        raise NotImplementedError


class Woo(Shop):
    """A WooCommerce shop."""

    platform = "woocommerce"

    def start(self, sleep: Callable[[float], None]) -> Woo:
        """Begin to answer."""
        self.server = WooSandbox(clock=self.clock, sleep=sleep).start()
        return self

    @property
    def config(self) -> dict[str, str]:
        return {"url": self.server.url, **WOO_CONFIG}

    def sell(self, chance: random.Random, *, paid: bool = True) -> int:
        number = self.next_number()
        name = chance.choice(
            ("order_full", "order_blocks_checkout_with_nip", "order_net_prices_round_per_line")
        )
        order = recorded(name, id=number, number=str(number), status="processing" if paid else "pending")
        times = self.server.state.times("at")
        for key in ("date_created", "date_modified", "date_paid"):
            order[key], order[f"{key}_gmt"] = times["at"], times["at_gmt"]
        for entry in order["meta_data"]:
            if "nip" in str(entry["key"]):
                entry["value"] = "5260250274"
        order["billing"] |= {"last_name": f"Nabywca-{number}", "email": f"kupujacy-{number}@klient.example"}
        self.server.state.add_orders([order], {})
        return number

    def give_back(self, order: int) -> bool:
        found = self.server.state.order(order)
        lines = [one for one in found["line_items"] if Decimal(one["total"]) > 0]
        place = self.given.get(order, 0)
        if len(found["fee_lines"]) > 1:
            # a discount of the whole order stands in a fee: whole lines would be more than is left of a rate
            return self._give_mug_back(order, place)
        if place >= len(lines):
            return False
        self.given[order] = place + 1
        line = lines[place]
        back = copy.deepcopy(line) | {
            "id": 500_000 + self.server.state.new_id(),
            "quantity": -line["quantity"],
            "meta_data": [{"id": 1, "key": "_refunded_item_id", "value": str(line["id"])}],
        }
        for key in ("subtotal", "subtotal_tax", "total", "total_tax"):
            back[key] = f"-{line[key.replace('subtotal', 'total')]}"
        for tax in back["taxes"]:
            tax["total"] = tax["subtotal"] = f"-{tax['total']}" if tax["total"] else ""
        amount = Decimal(line["total"]) + Decimal(line["total_tax"])
        self._add_refund(order, amount, [back], {tax["id"] for tax in line["taxes"]})
        return True

    def _give_mug_back(self, order: int, place: int) -> bool:
        """One of three units, two times at the most, as recorded."""
        if place >= 2:
            return False
        self.given[order] = place + 1
        state = self.server.state
        refund = recorded("refund_partial_line_created") | state.times("date_created")
        state.add_refund(order, refund | {"id": 500_000 + state.new_id()})
        return True

    def give_amount_back(self, order: int) -> bool:
        self._add_refund(order, Decimal("0.10"), [])
        return True

    def _add_refund(
        self, order: int, amount: Decimal, lines: list[dict[str, Any]], rates: Collection[int] = ()
    ) -> None:
        state = self.server.state
        taxes = [one for one in state.order(order)["tax_lines"] if one["rate_id"] in rates]
        refund = recorded("refund_amount_only") | state.times("date_created")
        refund |= {"id": 500_000 + state.new_id(), "amount": str(amount), "line_items": lines}
        # of these only the rates are read
        refund["tax_lines"] = copy.deepcopy(taxes)
        state.add_refund(order, refund)

    def cancel(self, order: int) -> None:
        self.server.state.change(order, status="cancelled")

    def edit(self, order: int, *, total: bool) -> bool:
        state = self.server.state
        if not total:
            state.change(order, customer_note=f"Zmiana {state.new_id()}")
            return True
        changed = copy.deepcopy(state.order(order))
        lines = "fee_lines" if changed["fee_lines"] else "line_items"
        line = changed[lines].pop(0)
        taxed = Decimal(line["total_tax"])
        changed["total"] = str(Decimal(changed["total"]) - Decimal(line["total"]) - taxed)
        changed["total_tax"] = str(Decimal(changed["total_tax"]) - taxed)
        for tax in line["taxes"]:
            row = next(one for one in changed["tax_lines"] if one["rate_id"] == tax["id"])
            row["tax_total"] = str(Decimal(row["tax_total"]) - Decimal(tax["total"]))
        state.change(order, **{key: changed[key] for key in (lines, "total", "total_tax", "tax_lines")})
        return True

    def is_told(self, order: int) -> bool:
        return bool(self.server.state.notes.get(order))

    def sales(self) -> list[Sale]:
        return woo_sales(self.server.state, store=self.code, nip=self.nip)

    def fault(self, kind: str, where: str, *, times: int, value: float | None) -> None:
        method, path = {"read": ("GET", ""), "write": ("", "/notes$|PUT")}.get(where, ("", ""))
        if where == "write":
            self.server.fault(kind, method="POST", path="/notes$", times=times, value=value)
            self.server.fault(kind, method="PUT", times=times, value=value)
        else:
            self.server.fault(kind, method=method, path=path, times=times, value=value)


class Presta(Shop):
    """A PrestaShop shop, whose orders come from the sandbox's generator."""

    platform = "prestashop"

    def start(self, sleep: Callable[[float], None], seed: int, orders: int) -> Presta:
        """Begin to answer; the shop can sell so many orders at the most."""
        made = generated(
            seed, orders, start=datetime(2026, 11, 24, tzinfo=UTC), zone=ZoneInfo("Europe/Warsaw")
        )
        self._stock = made.data
        shared = shared_data()
        shared["addresses"] = made.data["addresses"]
        self.server = PrestaSandbox(shared, clock=self.clock, sleep=sleep).start()
        return self

    @property
    def config(self) -> dict[str, str]:
        return {"url": self.server.url, "key": self.server.key}

    def sell(self, chance: random.Random, *, paid: bool = True) -> int:
        state = self.server.state
        key = int(self._stock["orders"][self.count].id)
        self.count += 1
        now = {"date_add": state.now(), "date_upd": state.now(), "invoice_date": state.now()}
        fields = {"current_state": "2" if paid else "10", "reference": f"{self.code.upper()}{key}", **now}
        order = Entity({**self._stock["orders"][self.count - 1].fields, **fields})
        data = {
            name: [one for one in self._stock[name] if one.text("id_order") == str(key)]
            for name in ("order_details", "order_cart_rules")
        }
        history = {"id": str(key), "id_order": str(key), "id_order_state": fields["current_state"], **now}
        state.take_over({**data, "orders": [order], "order_histories": [Entity(history)]})
        return key

    def give_back(self, order: int) -> bool:
        place = self.given.get(order, 0)
        slip = next((one for one in self._stock["order_slip"] if one.text("id_order") == str(order)), None)
        if slip is None:
            slip = self._slip_of_line(order, place)
        elif place:
            slip = None
        if slip is None:
            return False
        self.given[order] = place + 1
        self.server.state.add_slip(slip)
        return True

    def _slip_of_line(self, order: int, place: int) -> Entity | None:
        """All units of the next line; None when there is none, or a discount is spread over the lines."""
        state = self.server.state
        lines = state.of_order("order_details", order)
        if place >= len(lines) or state.of_order("order_cart_rules", order):
            return None
        net, gross = (lines[place].text(f"total_price_tax_{kind}") for kind in ("excl", "incl"))
        zero = "0.000000"
        fields = {
            "id": str(900_000 + order * 10 + place),
            "id_order": str(order),
            "total_products_tax_incl": gross,
            "total_products_tax_excl": net,
            "total_shipping_tax_incl": zero,
            "total_shipping_tax_excl": zero,
            "amount": gross,
            "shipping_cost": "0",
            "shipping_cost_amount": zero,
            "partial": "0",
            "order_slip_type": "0",
        }
        row = {
            "id": fields["id"],
            "id_order_detail": lines[place].text("id"),
            "product_quantity": lines[place].text("product_quantity"),
            "amount_tax_excl": net,
            "amount_tax_incl": gross,
        }
        return Entity(fields, {"order_slip_details": [row]})

    def give_amount_back(self, order: int) -> bool:
        return False

    def cancel(self, order: int) -> None:
        self.server.state.set_state(order, 6)

    def edit(self, order: int, *, total: bool) -> bool:
        if total:
            return False
        self.server.state.change(order, gift_message=f"zmiana {self.server.state.now()}")
        return True

    def is_told(self, order: int) -> bool:
        return bool(self.server.state.entity("orders", order).text("note"))

    def sales(self) -> list[Sale]:
        return presta_sales(self.server.state, store=self.code, nip=self.nip)

    def fault(self, kind: str, where: str, *, times: int, value: float | None) -> None:
        if where == "write":
            self.server.fault(kind, method="POST", times=times, value=value)
            self.server.fault(kind, method="PATCH", times=times, value=value)
        else:
            self.server.fault(kind, method="GET" if where == "read" else "", times=times, value=value)


class Shopify(Shop):
    """A Shopify shop."""

    platform = "shopify"

    def start(self, sleep: Callable[[float], None]) -> Shopify:
        """Begin to answer."""
        self.server = ShopifySandbox(clock=self.clock, sleep=sleep).start()
        return self

    @property
    def config(self) -> dict[str, str]:
        return {
            "url": self.server.url,
            "access_token": self.server.token,
            "client_secret": self.server.client_secret,
        }

    def sell(self, chance: random.Random, *, paid: bool = True) -> int:
        number, now = self.next_number(), self.server.state.now()
        items = []
        total = taxed = Decimal("0.00")
        for place in range(chance.randint(2, 3)):
            quantity, rate = chance.randint(1, 3), chance.choice(("23", "8", "5"))
            gross = Decimal(chance.randint(199, 29_999)) / 100 * quantity
            tax = (gross * int(rate) / (100 + int(rate))).quantize(_CENT, ROUND_HALF_UP)
            items.append(
                shapes.line(number * 10 + place, str(gross), shapes.tax(rate, str(tax)), quantity=quantity)
            )
            total, taxed = total + gross, taxed + tax
        times = dict.fromkeys(("createdAt", "processedAt", "updatedAt"), now)
        unpaid: dict[str, Any] = {"displayFinancialStatus": "PENDING", "transactions": []}
        buyer = shapes.address(lastName=f"Nabywca-{number}")
        order = shapes.order(
            number, items, str(total), str(taxed), billingAddress=buyer, **times, **({} if paid else unpaid)
        )
        self.server.state.add_orders([order])
        return number

    def _order(self, number: int) -> dict[str, Any]:
        found: dict[str, Any] = self.server.state.orders[f"gid://shopify/Order/{number}"]
        return found

    def give_back(self, order: int) -> bool:
        items = self._order(order)["lineItems"]["nodes"]
        place = self.given.get(order, 0)
        if place >= len(items):
            return False
        self.given[order] = place + 1
        item = items[place]
        gross = item["originalTotalSet"]["presentmentMoney"]["amount"]
        tax = item["taxLines"][0]["priceSet"]["presentmentMoney"]["amount"]
        row = shapes.refund_line(item, item["quantity"], gross, tax)
        self._add(order, shapes.refund(order * 10 + place, gross, [row], **self._times()))
        return True

    def give_amount_back(self, order: int) -> bool:
        kept = shapes.adjustment(order, "-0.10", "REFUND_DISCREPANCY")
        self._add(order, shapes.refund(order * 10 + 9, "0.10", orderAdjustments=[kept], **self._times()))
        return True

    def _times(self) -> dict[str, Any]:
        return dict.fromkeys(("createdAt", "processedAt"), self.server.state.now())

    def _add(self, order: int, refund: dict[str, Any]) -> None:
        self.server.state.add_refund(order, refund)

    def cancel(self, order: int) -> None:
        self.server.state.change(order, cancelledAt=self.server.state.now())

    def edit(self, order: int, *, total: bool) -> bool:
        if total:
            return False
        self.server.state.change(order, poNumber=f"PO-{self.server.state.new_id('x')[-4:]}")
        return True

    def is_told(self, order: int) -> bool:
        return bool(self._order(order)["note"])

    def sales(self) -> list[Sale]:
        return shopify_sales(self.server.state, store=self.code, nip=self.nip)

    def fault(self, kind: str, where: str, *, times: int, value: float | None) -> None:
        operation = {"write": "Set|Add|Delete|Define", "read": "Order|Refund|orders"}.get(where, "")
        self.server.fault(kind, operation, times=times, value=value)


def started(
    platform: str, code: str, nip: str, place: int, clock: Clock, sleep: Callable[[float], None], seed: int
) -> Shop:
    """A new shop that answers.

    Args:
        platform: ``woocommerce``, ``prestashop`` or ``shopify``.
        code, nip: see :class:`Shop`. place: different for every shop of a run.
        clock: the world's time. sleep: how a slow answer passes its time. seed: of generated orders.
    """
    base = (place + 1) * 10_000
    if platform == "woocommerce":
        return Woo(code, nip, clock, base).start(sleep)
    if platform == "prestashop":
        return Presta(code, nip, clock, base).start(sleep, seed, 90)
    return Shopify(code, nip, clock, base).start(sleep)
