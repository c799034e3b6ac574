"""Pages by a cursor: where the last page ended, in the order that the query has."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime
from typing import Any

from connector_app.store.types import LARGEST_ID
from connector_app.web.api.problems import Code, Refusal

MOST = 200
"""Items of a page."""


def cursor(order: str, *values: object) -> str:
    """A cursor.

    Args:
        order: name of the query's order, so that a cursor of another is noticed.
        values: key of the last item; moments and numbers.
    """
    plain = [one.isoformat() if isinstance(one, datetime) else one for one in values]
    raw = json.dumps([order, *plain], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")


def after(text: str, order: str, kinds: tuple[type, ...]) -> list[Any]:
    """The key that a cursor holds.

    Args:
        text: as the client sent it back.
        order: of this query.
        kinds: types of the key's values, ``int`` or ``datetime``.

    Raises:
        Refusal: it belongs to another query, or is none.
    """
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        values = json.loads(raw)
        if not isinstance(values, list) or values[0] != order or len(values) != len(kinds) + 1:
            raise ValueError(text)
        return [_value(one, kind) for one, kind in zip(values[1:], kinds, strict=True)]
    except (ValueError, TypeError, IndexError, OverflowError, binascii.Error, RecursionError):
        raise Refusal(Code.INVALID_CURSOR) from None


def _value(raw: object, kind: type) -> object:
    if kind is datetime and isinstance(raw, str):
        found = datetime.fromisoformat(raw)
        if found.tzinfo is None:
            raise ValueError(raw)
        return found
    if kind is int and isinstance(raw, int) and not isinstance(raw, bool) and 0 <= raw <= LARGEST_ID:
        return raw
    raise ValueError(raw)
