"""As many varied orders and credit slips as are wished, counted as the shop counts, from a seed.

Prices are kept net with six decimals; amounts are rounded per unit, per line or per order (``round_type``);
discounts stand at the order only; a slip says 0 for partial and bears whole prices before discounts.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Final
from zoneinfo import ZoneInfo

from sandbox.prestashop.entities import Entity
from sandbox.prestashop.recordings import Data, recorded, shared_data

_RATES: Final = {23: "1", 8: "2", 5: "3"}
_SHIPPING, _SHIPPING_NET = Decimal("8.61"), Decimal("7.00")
_PAID, _SENT, _CANCELLED, _WAITING = "2", "4", "6", "10"
_STATES = (_PAID,) * 12 + (_SENT,) * 5 + (_CANCELLED, _WAITING)
_NIPS = ("5260250274", "1234563218", "1111111111", "")
_FIRST_ID = 100
_ZERO = Decimal(0)


@dataclass(slots=True)
class Generated:
    """A shop and what its orders come to.

    Attributes:
        data: entities by collection.
        totals: what was paid, by id of order.
        given_back: what slips gave back, by id of order; orders without slips are not in it.
    """

    data: Data
    totals: dict[int, Decimal] = field(default_factory=dict)
    given_back: dict[int, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Item:
    gross: Decimal
    rate: int
    quantity: int

    @property
    def net(self) -> Decimal:
        """The price as the shop keeps it."""
        return _six(self.gross * 100 / (100 + self.rate))

    def totals(self, round_type: int, quantity: int) -> tuple[Decimal, Decimal]:
        """Gross and net of some units: 1 rounds the unit, 2 the line, 3 neither."""
        gross, net = (
            _cents(price) * quantity if round_type == 1 else price * quantity
            for price in (_six(self.net * (100 + self.rate) / 100), self.net)
        )
        return (_cents(gross), _cents(net)) if round_type == 2 else (gross, net)


def generated(
    seed: int, orders: int, *, start: datetime, step: timedelta = timedelta(seconds=40), zone: ZoneInfo
) -> Generated:
    """Make a shop with orders of many kinds.

    Args:
        seed: the same seed makes the same shop.
        orders: how many.
        start: when the first order is placed, aware.
        step: from one order to the next.
        zone: of the shop's clock.
    """
    made = Generated(shared_data())
    for name in ("orders", "order_details", "order_cart_rules", "order_histories", "order_slip"):
        made.data[name] = []
    template = recorded("order_o1")[0]
    for place in range(orders):
        # of its own seed, so that an order stays the same however many there are
        chance = random.Random(seed * 1_000_003 + place)  # noqa: S311 - made-up orders, no secrets
        at = start + place * step
        _Maker(made, template, chance, _FIRST_ID + place, f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}").order()
    return made


@dataclass(slots=True)
class _Maker:
    """Makes one order."""

    made: Generated
    template: Entity
    chance: random.Random
    id: int
    at: str

    def order(self) -> None:
        chance, key = self.chance, str(self.id)
        round_type = chance.choice((1, 2, 2, 2, 3))
        items = [self._item() for _ in range(chance.randint(1, 6))]
        lines = [one.totals(round_type, one.quantity) for one in items]
        gross, net = (_cents(sum((line[side] for line in lines), _ZERO)) for side in (0, 1))
        rules = list(self._rules(gross, net))
        off = _cents(sum((one[1] for one in rules), _ZERO))
        off_net = _cents(sum((one[2] for one in rules), _ZERO))
        total = gross + _SHIPPING - off
        state = chance.choice(_STATES)
        sums = {
            "total_products_wt": gross,
            "total_products": net,
            "total_discounts": off,
            "total_discounts_tax_incl": off,
            "total_discounts_tax_excl": off_net,
            "total_shipping": _SHIPPING,
            "total_shipping_tax_incl": _SHIPPING,
            "total_shipping_tax_excl": _SHIPPING_NET,
            "total_paid": total,
            "total_paid_real": total,
            "total_paid_tax_incl": total,
            "total_paid_tax_excl": net + _SHIPPING_NET - off_net,
        }
        fields = {
            "id": key,
            "reference": f"G{self.id:08d}",
            "current_state": state,
            "date_add": self.at,
            "date_upd": self.at,
            "invoice_date": self.at,
            "round_type": str(round_type),
            "id_address_invoice": self._address(),
            **{name: f"{amount:.6f}" for name, amount in sums.items()},
        }
        self.made.data["orders"].append(Entity({**self.template.fields, **fields}))
        for place, (item, line) in enumerate(zip(items, lines, strict=True)):
            self._detail(place, item, line)
        for place, rule in enumerate(rules):
            self._rule(place, *rule)
        self._add(
            "order_histories", {"id": key, "id_order": key, "id_order_state": state, "date_add": self.at}
        )
        self.made.totals[self.id] = total
        if not rules and state in {_PAID, _SENT} and chance.random() < 0.2:
            self._slip(items, round_type)

    def _item(self) -> _Item:
        chance = self.chance
        gross = Decimal(chance.randint(100, 50_000)) / 100
        return _Item(gross, chance.choice(sorted(_RATES)), chance.randint(1, 9))

    def _rules(self, gross: Decimal, net: Decimal) -> Iterator[tuple[str, Decimal, Decimal, str]]:
        """Name, gross, net and free delivery of the order's discounts."""
        chance = self.chance
        if chance.random() < 0.25:
            part = Decimal(chance.choice((5, 10, 33))) / 100
            yield "PROCENT", gross * part, net * part, "0"
        if chance.random() < 0.15:
            fixed = min(Decimal(15), _cents(gross / 2))
            yield "KWOTA", fixed, fixed * net / gross, "0"
        if chance.random() < 0.15:
            yield "DOSTAWA", _SHIPPING, _SHIPPING_NET, "1"

    def _address(self) -> str:
        """An invoice address of a company or a consumer."""
        nip = self.chance.choice(_NIPS)
        key = str(_FIRST_ID * 1000 + self.id)
        invoice = self.made.data["addresses"][0]
        changes = {"id": key, "vat_number": nip, "company": f"Firma {key}" if nip else ""}
        self.made.data["addresses"].append(Entity({**invoice.fields, **changes}))
        return key

    def _detail(self, place: int, item: _Item, line: tuple[Decimal, Decimal]) -> None:
        fields = {
            "id": str(self.id * 10 + place),
            "id_order": str(self.id),
            "product_name": f"Towar {item.rate}-{place}",
            "product_reference": f"T-{place}",
            "product_quantity": str(item.quantity),
            "original_product_price": f"{item.net:.6f}",
            "unit_price_tax_excl": f"{item.net:.6f}",
            "unit_price_tax_incl": f"{item.net * (100 + item.rate) / 100:.6f}",
            "total_price_tax_incl": f"{line[0]:.6f}",
            "total_price_tax_excl": f"{line[1]:.6f}",
            "id_tax_rules_group": _RATES[item.rate],
        }
        self._add("order_details", fields, {"taxes": [{"id": _RATES[item.rate]}]})

    def _rule(self, place: int, name: str, gross: Decimal, net: Decimal, free: str) -> None:
        fields = {
            "id": str(self.id * 10 + place),
            "id_order": str(self.id),
            "name": name,
            "value": f"{gross:.6f}",
            "value_tax_excl": f"{net:.6f}",
            "free_shipping": free,
        }
        self._add("order_cart_rules", fields)

    def _slip(self, items: list[_Item], round_type: int) -> None:
        """Some units of one product back, sometimes with the delivery."""
        place = self.chance.randrange(len(items))
        item = items[place]
        units = self.chance.randint(1, item.quantity)
        gross, net = (_cents(amount) for amount in item.totals(round_type, units))
        delivery = self.chance.random() < 0.3
        shipping, shipping_net = (_SHIPPING, _SHIPPING_NET) if delivery else (_ZERO, _ZERO)
        fields = {
            "id": str(self.id),
            "id_order": str(self.id),
            "total_products_tax_incl": f"{gross:.6f}",
            "total_products_tax_excl": f"{net:.6f}",
            "total_shipping_tax_incl": f"{shipping:.6f}",
            "total_shipping_tax_excl": f"{shipping_net:.6f}",
            "amount": f"{gross:.6f}",
            "shipping_cost": "1" if delivery else "0",
            "shipping_cost_amount": f"{shipping:.6f}",
            "partial": "0",
            "order_slip_type": "0",
            "date_add": self.at,
            "date_upd": self.at,
        }
        row = {
            "id": str(self.id),
            "id_order_detail": str(self.id * 10 + place),
            "product_quantity": str(units),
            "amount_tax_excl": f"{net:.6f}",
            "amount_tax_incl": f"{gross:.6f}",
        }
        self._add("order_slip", fields, {"order_slip_details": [row]})
        self.made.given_back[self.id] = gross + shipping

    def _add(
        self, collection: str, fields: dict[str, str], rows: dict[str, list[dict[str, str]]] | None = None
    ) -> None:
        self.made.data[collection].append(Entity(dict(fields), rows or {}))


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


def _six(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.000001"), ROUND_HALF_UP)
