"""What every client of a shop does with HTTP: broken transports, pauses, answers that are too large."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import requests
from urllib3.exceptions import MaxRetryError, NewConnectionError

from adapters.contract import ShopError, ShopUnavailable

LONGEST_PAUSE = 86_400.0
"""Seconds; no Retry-After is believed to be longer."""

_CHUNK = 65_536


def transport_error(error: requests.RequestException, *, writing: bool) -> ShopError:
    """The error for a request that got no complete answer.

    Args:
        error: what the library raised; its text is not used, because it shows the signed address.
        writing: the request was to change something.
    """
    if isinstance(error, requests.exceptions.SSLError):
        return ShopUnavailable(
            "the shop's certificate cannot be trusted",
            hint="Look at the shop's address in a browser: its certificate may have expired.",
        )
    if isinstance(error, requests.exceptions.ConnectTimeout) or _never_connected(error):
        return ShopUnavailable("no connection to the shop", hint="Is the address right and the shop running?")
    if isinstance(error, requests.Timeout):
        return ShopUnavailable("the shop did not answer in time", outcome_unknown=writing)
    return ShopUnavailable("the connection to the shop broke off", outcome_unknown=writing)


def _never_connected(error: requests.RequestException) -> bool:
    reason = error.args[0] if error.args else None
    return isinstance(reason, MaxRetryError) and isinstance(reason.reason, NewConnectionError)


def read_body(response: requests.Response, *, max_bytes: int, total: float, writing: bool) -> bytes:
    """The whole body of a streamed answer, within limits.

    Args:
        response: a streamed answer.
        max_bytes: the most bytes after decompression.
        total: seconds for the whole body, so that a shop that trickles does not hold us for ever.
        writing: the request was to change something.

    Raises:
        ShopUnavailable: it is too large or too slow.
        requests.RequestException: the connection broke.
    """
    deadline = time.monotonic() + total
    content = bytearray()
    for chunk in response.iter_content(_CHUNK):
        content += chunk
        if len(content) > max_bytes:
            raise ShopUnavailable(
                f"the shop's answer is larger than {max_bytes} bytes", outcome_unknown=writing
            )
        if time.monotonic() > deadline:
            raise ShopUnavailable("the shop answers too slowly", outcome_unknown=writing)
    return bytes(content)


def retry_after(header: str | None, now: datetime) -> float | None:
    """Seconds of a Retry-After header, which is a number or a date (RFC 9110, section 10.2.3).

    Args:
        header: its value, ``None`` when it is absent.
        now: aware UTC.

    Returns:
        Seconds from now, at most :data:`LONGEST_PAUSE`; ``None`` when the header says nothing readable.
    """
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_PAUSE)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max((moment - now).total_seconds(), 0.0), LONGEST_PAUSE)
