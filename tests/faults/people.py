"""What people and the world do while an installation is at work: orders, refunds, edits, faults, outages."""

from __future__ import annotations

import random
from typing import Any

from tests.faults import faults
from tests.faults.shops import Shop
from tests.faults.world import World

_HOUR = 3600
_TRIES = 60


class People:
    """Those who buy and sell in the shops of a world, and what goes wrong around them.

    Args:
        place: the world. chance: decides everything.
        real_time: hours cannot be let pass, so KSeF keeps nothing for long and no machine sleeps.

    Attributes:
        orders: shop and id of those that are paid. refunds: how often something was given back.
        doubts: faults after which nobody can know whether an e-mail arrived.
    """

    def __init__(self, place: World, chance: random.Random, *, real_time: bool = False) -> None:
        self._place, self._chance, self._real_time = place, chance, real_time
        self.orders: list[tuple[Shop, int]] = []
        self.refunds = 0
        self.doubts = 0

    def heard(self) -> list[list[str]]:
        """The webhooks that arrive; some are lost because nothing listens."""
        heard, self._place.heard = self._place.heard, []
        return [one for one in heard if self._chance.random() < 0.8]

    def sell(self) -> None:
        """A new order, now and then not paid, or given back at once."""
        chance = self._chance
        shop = chance.choice(self._place.shops)
        order = shop.sell(chance, paid=chance.random() > 0.04)
        if str(order) in {one.remote_id for one in shop.sales()[-1:] if one.state == "paid"}:
            self.orders.append((shop, order))
        self._place.heard.append([shop.code, "orders/updated", "order", str(order), str(order)])
        if chance.random() < 0.03:
            # given back before its invoice
            self.refunds += shop.give_back(order)
        shop.sold.append(order)

    def give_back(self, *, early: bool = False) -> None:
        """Give something back, nearly always of an order that is invoiced."""
        early = early or self._chance.random() < 0.03
        for _ in range(_TRIES):
            shop, order = self._chance.choice(self.orders)
            if order in shop.sold and (early or shop.is_told(order)) and shop.give_back(order):
                self.refunds += 1
                self._place.heard.append([shop.code, "orders/updated", "order", str(order), str(order)])
                return

    def give_the_rest_back(self, refunds: int, *, early: bool = False) -> None:
        """Try to reach a number of refunds.

        Args:
            refunds: of all orders together. early: also of orders that have no invoice yet.
        """
        for _ in range(_TRIES):
            if self.refunds < refunds:
                self.give_back(early=early)

    def spoil(self) -> None:
        """Something that ends what else may happen to an order."""
        what = self._chance.choice((self._cancel, self._edit, self._amount))
        shop, order = self._chance.choice(self.orders)
        if order in shop.sold and order not in shop.given:
            shop.sold.remove(order)
            what(shop, order)

    def _cancel(self, shop: Shop, order: int) -> None:
        shop.cancel(order)

    def _edit(self, shop: Shop, order: int) -> None:
        if not shop.edit(order, total=True):
            shop.edit(order, total=False)

    def _amount(self, shop: Shop, order: int) -> None:
        self.refunds += shop.give_amount_back(order)

    def go_wrong(self) -> None:
        """Plan faults of KSeF, shops and mail, at once and for requests to come."""
        place, chance = self._place, self._chance
        for kind, where, value in faults.some(chance, faults.KSEF, 4):
            times = chance.choice((1, 1, 2, 4))
            place.plan.soon(
                chance.randint(1, 40),
                lambda kind=kind, where=where, value=value, times=times: place.plan.add(  # type: ignore[misc]
                    kind, where, times=times, value=value
                ),
            )
        for kind, where, value in faults.some(chance, faults.SHOP, 2):
            shop = chance.choice(place.shops)
            shop.fault(kind, where, times=chance.choice((1, 2, 5, 30)), value=value)
        self._settings()
        for action in faults.some(chance, self._world_events(), 1):
            place.plan.soon(chance.randint(1, 80), action)
        for action in faults.some(chance, (self.give_back, self.sell), 2):
            # while the process is at work
            place.plan.soon(chance.randint(5, 120), action)
        if place.layout.mails:
            self._spoil_mail()

    def _settings(self) -> None:
        settings, chance = self._place.state.settings, self._chance
        slowest = 15.0 if self._real_time else 1800.0
        settings.document_seconds = chance.choice((0.0, 0.0, 0.0, 5.0, slowest))
        # both at once would be hundreds of sign-ins in which nothing else happens
        stays = settings.document_seconds > 1000
        settings.access_token_seconds = 900 if stays else chance.choice((900, 900, 20))
        self._place.happened["ksef stays_in_processing"] += stays
        self._place.happened["ksef short_tokens"] += settings.access_token_seconds == 20

    def _world_events(self) -> tuple[Any, ...]:
        place, chance = self._place, self._chance

        def outage() -> None:
            place.begin_outage()
            place.plan.soon(chance.randint(3, 25), place.end_outage)

        if self._real_time:
            return (place.close_sessions, outage)
        hours = chance.choice((2, 5, 16))
        jump = lambda: place.jump(hours * _HOUR, f"world jump_{hours}h")  # noqa: E731  one of several
        return (place.close_sessions, outage, jump)

    def _spoil_mail(self) -> None:
        box, chance = self._place.box, self._chance
        box.is_down = False
        match chance.choice((*faults.MAIL, "", "")):
            case "refuse_later":
                box.answers["RCPT"] += ["451 4.3.0 later"] * chance.randint(1, 4)
            case "down":
                box.is_down = True
            case "answer_lost":
                box.hang_up = True
                self.doubts += 1
