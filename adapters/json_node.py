"""Typed, path-keeping access to JSON that came from outside.

Every reading method either gives a value of the promised type or raises
:class:`~adapters.contract.UnreadableOrder` with the path of the bad value, so that no shape of input
can surface as a ``KeyError`` or ``TypeError``.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from adapters.contract import UnreadableOrder
from adapters.values import excerpt, plain, xml_text
from core.money import grosz

_TAG = re.compile(r"<[^<>]*>")
_AMOUNT = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,12})?", re.ASCII)
_NUMBER_LIMIT = Decimal(10) ** 12


@dataclass(frozen=True, slots=True)
class Node:
    """One JSON value and where it stands.

    Attributes:
        value: the parsed value.
        path: e.g. ``line_items[0].total``; empty for the whole answer.
    """

    value: object
    path: str = ""

    def error(self, problem: str) -> UnreadableOrder:
        """An error about this value, to be raised by the caller."""
        place = self.path or "the answer"
        return UnreadableOrder(f"{place}: {problem}", path=self.path)

    def fields(self) -> dict[str, object]:
        """The value as an object.

        PHP writes an empty associative array as ``[]``, so an empty list counts as an empty object.

        Raises:
            UnreadableOrder: it is no object.
        """
        if isinstance(self.value, dict):
            return self.value
        if self.value == [] and self.path:
            return {}
        raise self.error(f"an object was expected, not {excerpt(self.value)}")

    def child(self, key: str) -> Node:
        """A member that must be there.

        Raises:
            UnreadableOrder: this is no object, or has no such member.
        """
        fields = self.fields()
        path = f"{self.path}.{key}" if self.path else key
        if key not in fields:
            raise UnreadableOrder(f"{path} is missing", path=path)
        return Node(fields[key], path)

    def maybe(self, key: str) -> Node | None:
        """A member that may be absent or ``null``.

        Raises:
            UnreadableOrder: this is no object.
        """
        value = self.fields().get(key)
        return None if value is None else self.child(key)

    def items(self, key: str) -> Iterator[Node]:
        """The items of a list member; an absent member has none.

        Raises:
            UnreadableOrder: the member is no list.
        """
        node = self.maybe(key)
        if node is None:
            return
        if not isinstance(node.value, list):
            raise node.error(f"a list was expected, not {excerpt(node.value)}")
        for index, value in enumerate(node.value):
            yield Node(value, f"{node.path}[{index}]")

    def text(self) -> str:
        """The value as clean text: no characters that XML forbids, no outer white space.

        Raises:
            UnreadableOrder: it is no text.
        """
        if not isinstance(self.value, str):
            raise self.error(f"text was expected, not {excerpt(self.value)}")
        return xml_text(self.value).strip()

    def text_of(self, key: str) -> str:
        """Text of a member, empty when it is absent or ``null``.

        Raises:
            UnreadableOrder: the member is no text.
        """
        node = self.maybe(key)
        return "" if node is None else node.text()

    def name_of(self, key: str) -> str:
        """Text of a member that a shop writes as HTML, as plain text on one line.

        Raises:
            UnreadableOrder: the member is no text.
        """
        decoded = html.unescape(_TAG.sub(" ", self.text_of(key)))
        return " ".join(xml_text(decoded).split())

    def identifier(self) -> str:
        """A positive whole number as text (some plugins and APIs write ids as text).

        Raises:
            UnreadableOrder: it is no such number.
        """
        value = self.value
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value < _NUMBER_LIMIT:
            return str(value)
        if isinstance(value, str) and re.fullmatch(r"[1-9][0-9]{0,11}", value, re.ASCII):
            return value
        raise self.error(f"an id was expected, not {excerpt(value)}")

    def flag(self) -> bool:
        """A JSON boolean.

        Raises:
            UnreadableOrder: it is none.
        """
        if not isinstance(self.value, bool):
            raise self.error(f"true or false was expected, not {excerpt(self.value)}")
        return self.value

    def exact_amount(self) -> Decimal:
        """An amount of money as sent, in units of the order's currency.

        Shops send amounts as text; a JSON number with a fraction has lost its exactness already
        when it was parsed to a float and is refused.

        Raises:
            UnreadableOrder: it is no amount.
        """
        value = self.value
        if isinstance(value, str) and _AMOUNT.fullmatch(value):
            return Decimal(value)
        whole = isinstance(value, int) and not isinstance(value, bool)
        if (whole or isinstance(value, Decimal)) and _AMOUNT.fullmatch(str(value)):
            return Decimal(str(value))
        raise self.error(f"an amount was expected, not {excerpt(value)}")

    def amount(self) -> Decimal:
        """An amount rounded half up to the grosz (shops may send more decimals than they charge).

        Raises:
            UnreadableOrder: it is no amount.
        """
        return grosz(self.exact_amount())

    def charged_amount(self) -> Decimal:
        """A non-negative amount that must be whole grosz, because somebody paid it.

        Raises:
            UnreadableOrder: it is no such amount.
        """
        exact = self.exact_amount()
        if exact != grosz(exact):
            raise self.error(f"{exact} has parts of a grosz")
        if exact < 0:
            raise self.error(f"{exact} is negative")
        return grosz(exact)

    def number(self) -> Decimal:
        """A number that is no money (quantity, percentage), exactly as it was written.

        The shortest text of a float is the text it was parsed from, so nothing is lost on that way.

        Raises:
            UnreadableOrder: it is no finite number of a sane size.
        """
        value = self.value
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
            raise self.error(f"a number was expected, not {excerpt(value)}")
        if isinstance(value, str) and not _AMOUNT.fullmatch(value):
            raise self.error(f"a number was expected, not {excerpt(value)}")
        try:
            number = Decimal(repr(value) if isinstance(value, float) else str(value))
        except (InvalidOperation, ValueError):
            raise self.error(f"a number was expected, not {excerpt(value)}") from None
        if not number.is_finite() or abs(number) >= _NUMBER_LIMIT or _is_dust(number):
            raise self.error(f"{excerpt(value)} is out of bounds")
        return plain(number)

    def moment(self) -> datetime:
        """A time as aware UTC; one without a zone is taken for UTC.

        Raises:
            UnreadableOrder: it is no time.
        """
        text = self.text()
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise self.error(f"a time was expected, not {excerpt(text)}") from None
        try:
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except OverflowError:
            raise self.error(f"{excerpt(text)} is out of bounds") from None

    def moment_of(self, key: str) -> datetime | None:
        """A time of a member, ``None`` when it is absent, ``null`` or empty.

        Raises:
            UnreadableOrder: the member is no time.
        """
        node = self.maybe(key)
        return None if node is None or node.value == "" else node.moment()


def _is_dust(number: Decimal) -> bool:
    """Whether a number is so small that it can only be a mistake."""
    return bool(number) and abs(number) < Decimal("1e-9")
