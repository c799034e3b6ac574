"""Readings that every part of the mapping makes: money in one currency, ids, whole lists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from adapters.json_node import Node
from adapters.shopify.mapping.options import MoneyKind
from adapters.values import excerpt
from core.money import ZERO

_GID = re.compile(r"gid://shopify/[A-Za-z]+/([A-Za-z0-9_-]{1,64})(\?.*)?")
_CURRENCY = re.compile(r"[A-Z]{3}")
MEMBERS = {MoneyKind.PRESENTMENT: "presentmentMoney", MoneyKind.SHOP: "shopMoney"}
"""The member of a ``MoneyBag`` that holds each currency."""

_CODES = {MoneyKind.PRESENTMENT: "presentmentCurrencyCode", MoneyKind.SHOP: "currencyCode"}


@dataclass(frozen=True, slots=True)
class Purse:
    """Reads money bags (``MoneyBag``) in one of their two currencies.

    Attributes:
        member: ``presentmentMoney`` or ``shopMoney``.
        currency: the ISO 4217 code that every amount has to have.
    """

    member: str
    currency: str

    @classmethod
    def of(cls, order: Node, kind: MoneyKind) -> Purse:
        """The purse of an order.

        Raises:
            UnreadableOrder: the order names no currency.
        """
        code = order.child(_CODES[kind])
        if not _CURRENCY.fullmatch(code.text()):
            raise code.error("an ISO 4217 code was expected")
        return cls(MEMBERS[kind], code.text())

    def amount(self, bag: Node) -> Decimal:
        """The amount of a bag, rounded to the grosz.

        Raises:
            UnreadableOrder: it is no money, or money of another currency.
        """
        money = bag.child(self.member)
        code = money.child("currencyCode")
        if code.text() != self.currency:
            raise code.error(f"{self.currency} was expected, not {excerpt(code.value)}")
        return money.child("amount").amount()

    def of_member(self, node: Node, key: str) -> Decimal:
        """The amount of a member; zero when it is absent.

        Raises:
            UnreadableOrder: it is no money.
        """
        bag = node.maybe(key)
        return ZERO if bag is None else self.amount(bag)


def tail(node: Node) -> str:
    """The last part of a global id: ``gid://shopify/Order/15`` is ``15``.

    Raises:
        UnreadableOrder: it is no global id.
    """
    match = _GID.fullmatch(node.text())
    if match is None:
        raise node.error(f"a global id was expected, not {excerpt(node.value)}")
    return match[1]


def nodes(owner: Node, key: str) -> Iterator[Node]:
    """The items of a connection that has to be whole.

    Raises:
        UnreadableOrder: a part of the list was left out.
    """
    connection = owner.maybe(key)
    if connection is None:
        return
    page = connection.maybe("pageInfo")
    if page is not None and page.maybe("hasNextPage") is not None and page.child("hasNextPage").flag():
        raise connection.error("only a part of the list is there")
    yield from connection.items("nodes")


def flag_of(node: Node, key: str) -> bool:
    """A boolean member; an absent one is false.

    Raises:
        UnreadableOrder: it is no boolean.
    """
    member = node.maybe(key)
    return member is not None and member.flag()
