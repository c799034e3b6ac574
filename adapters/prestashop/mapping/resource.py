"""Typed, path-keeping access to one resource that came from outside.

Every reading method either gives a value of the promised type or raises
:class:`~adapters.contract.UnreadableOrder` with the path of the bad value. The webservice writes every value
as text; an empty text, and a field that is not there, both mean that nothing is known.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from adapters.contract import UnreadableOrder
from adapters.values import excerpt, plain, xml_text

_ID = re.compile(r"[1-9][0-9]{0,11}", re.ASCII)
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,20})?(E-[0-9]{1,2})?", re.ASCII | re.IGNORECASE)
_NEVER = "0000-00-00"
_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Resource:
    """One entity of the shop, e.g. an order or an address.

    Attributes:
        kind: its element's name, e.g. ``order_detail``.
        fields: its plain fields; of a text in several languages the first.
        rows: its associations by name, e.g. ``taxes``; each row is a resource too.
    """

    kind: str
    fields: Mapping[str, str]
    rows: Mapping[str, tuple[Resource, ...]] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The id; empty when the resource has none."""
        return self.fields.get("id", "")

    def path(self, name: str = "") -> str:
        """Where a field stands, e.g. ``order_detail[16].product_name``."""
        here = f"{self.kind}[{self.id}]" if self.id else self.kind
        return f"{here}.{name}" if name else here

    def error(self, name: str, problem: str) -> UnreadableOrder:
        """An error about a field, to be raised by the caller."""
        path = self.path(name)
        return UnreadableOrder(f"{path}: {problem}", path=path)

    def text(self, name: str) -> str:
        """A field as clean text on one line; empty when it is absent."""
        return " ".join(xml_text(self.fields.get(name, "")).split())

    def needed(self, name: str) -> str:
        """A field that must say something.

        Raises:
            UnreadableOrder: it is absent or empty.
        """
        text = self.text(name)
        if not text:
            raise self.error(name, "is missing")
        return text

    def reference(self, name: str) -> str:
        """The id of another resource; empty when there is none (``0``).

        Raises:
            UnreadableOrder: it is no id.
        """
        text = self.text(name)
        if text in {"", "0"}:
            return ""
        if not _ID.fullmatch(text):
            raise self.error(name, f"an id was expected, not {excerpt(text)}")
        return text

    def identifier(self, name: str = "id") -> str:
        """An id that must be there.

        Raises:
            UnreadableOrder: it is absent or no id.
        """
        found = self.reference(name)
        if not found:
            raise self.error(name, "is missing")
        return found

    def flag(self, name: str) -> bool:
        """A field that is ``1``; absent means no."""
        return self.text(name) == "1"

    def number(self, name: str) -> Decimal:
        """A number exactly as sent, with PHP's float dust (``49.989999``).

        Raises:
            UnreadableOrder: it is absent or no number of a sane size.
        """
        text = self.needed(name)
        if not _NUMBER.fullmatch(text):
            raise self.error(name, f"a number was expected, not {excerpt(text)}")
        return Decimal(text) + 0

    def number_or_zero(self, name: str) -> Decimal:
        """As :meth:`number`; an absent field is zero, as in old versions of the shop.

        Raises:
            UnreadableOrder: it is no number.
        """
        return self.number(name) if self.text(name) else Decimal(0)

    def percentage(self, name: str) -> Decimal:
        """A tax rate.

        Raises:
            UnreadableOrder: it is absent or none.
        """
        percent = plain(self.number(name))
        if not 0 <= percent <= _HUNDRED:
            raise self.error(name, f"{percent} % is no tax rate")
        return percent

    def moment(self, name: str, zone: ZoneInfo) -> datetime | None:
        """A time of the shop's own clock as aware UTC; ``None`` for an empty one (``0000-00-00 00:00:00``).

        In the hour that the end of summer time repeats, the first of the two is meant.

        Raises:
            UnreadableOrder: it is no time.
        """
        text = self.text(name)
        if not text or text.startswith(_NEVER):
            return None
        try:
            return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=zone).astimezone(UTC)
        except (ValueError, OverflowError):
            raise self.error(name, f"a time was expected, not {excerpt(text)}") from None

    def needed_moment(self, name: str, zone: ZoneInfo) -> datetime:
        """A time that must be there.

        Raises:
            UnreadableOrder: it is absent or none.
        """
        moment = self.moment(name, zone)
        if moment is None:
            raise self.error(name, "is missing")
        return moment
