"""Reading JSON answers: each field is checked for its type once, at the border."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal


class FieldError(ValueError):
    """A field is missing or not what the contract says; the message names the field, never its value."""


class Fields:
    """A JSON object whose fields are read by name and type.

    A field that is null counts as absent, as in the API contract (``nullable``).
    """

    __slots__ = ("_data", "_path")

    def __init__(self, data: object, path: str = "") -> None:
        if not isinstance(data, Mapping):
            raise FieldError(f"{path or 'the answer'} is no object")
        self._data: Mapping[str, object] = data
        self._path = path

    def __repr__(self) -> str:
        # values may be tokens
        return f"Fields({', '.join(map(str, self._data))})"

    def __contains__(self, name: str) -> bool:
        return self._data.get(name) is not None

    def text(self, name: str) -> str:
        """A text that must be there and not be empty."""
        value = self._data.get(name)
        if not isinstance(value, str) or not value:
            raise FieldError(f"{self._path}{name} is no text")
        return value

    def optional_text(self, name: str) -> str | None:
        """A text, or None when absent or empty."""
        value = self._data.get(name)
        if value is None or value == "":
            return None
        return self.text(name)

    def integer(self, name: str) -> int:
        """A whole number that must be there."""
        value = self._data.get(name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise FieldError(f"{self._path}{name} is no whole number")
        return value

    def optional_integer(self, name: str) -> int | None:
        """A whole number, or None when absent."""
        return self.integer(name) if name in self else None

    def flag(self, name: str) -> bool:
        """True or false that must be there."""
        value = self._data.get(name)
        if not isinstance(value, bool):
            raise FieldError(f"{self._path}{name} is neither true nor false")
        return value

    def optional_flag(self, name: str) -> bool:
        """True or false; absent means false."""
        return self.flag(name) if name in self else False

    def amount(self, name: str) -> Decimal:
        """An amount of money that must be there; answers are parsed without binary fractions."""
        value = self._data.get(name)
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise FieldError(f"{self._path}{name} is no number")
        return Decimal(value)

    def day(self, name: str) -> date:
        """A calendar day that must be there."""
        try:
            return date.fromisoformat(self.text(name))
        except ValueError:
            raise FieldError(f"{self._path}{name} is no day") from None

    def moment(self, name: str) -> datetime:
        """A time with a zone that must be there."""
        text = self.text(name)
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise FieldError(f"{self._path}{name} is no time") from None
        if moment.tzinfo is None:
            raise FieldError(f"{self._path}{name} is a time without a zone")
        return moment

    def optional_moment(self, name: str) -> datetime | None:
        """A time with a zone, or None when absent."""
        return self.moment(name) if name in self else None

    def child(self, name: str) -> Fields:
        """An object that must be there."""
        return Fields(self._data.get(name), f"{self._path}{name}.")

    def optional_child(self, name: str) -> Fields | None:
        """An object, or None when absent."""
        return self.child(name) if name in self else None

    def children(self, name: str) -> tuple[Fields, ...]:
        """A list of objects; absent means empty."""
        return tuple(
            Fields(item, f"{self._path}{name}[{index}].") for index, item in enumerate(self._list(name))
        )

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts; absent means empty."""
        items = self._list(name)
        if not all(isinstance(item, str) for item in items):
            raise FieldError(f"{self._path}{name} is no list of texts")
        return tuple(str(item) for item in items)

    def text_map(self, name: str) -> dict[str, str]:
        """An object of texts; absent means empty, and entries that are null are left out."""
        value = self._data.get(name)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            raise FieldError(f"{self._path}{name} is no object")
        entries = {str(key): item for key, item in value.items() if item is not None}
        if not all(isinstance(item, str) for item in entries.values()):
            raise FieldError(f"{self._path}{name} is no object of texts")
        return entries

    def _list(self, name: str) -> list[object]:
        value = self._data.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise FieldError(f"{self._path}{name} is no list")
        return value


def json_number(value: Decimal) -> int | float:
    """An amount as a JSON number, for the few places where the contract allows no text (``double``).

    Args:
        value: an amount of at most 15 significant digits, which a ``double`` keeps exactly.

    Raises:
        ValueError: it has more digits, so that the number sent would be another one.
    """
    if value == value.to_integral_value():
        return int(value)
    number = float(value)
    if Decimal(repr(number)) != value:
        raise ValueError(f"{value} does not fit a JSON number")
    return number
