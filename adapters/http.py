"""What every shop's HTTP client needs: limits, pauses, bounded bodies, and errors without secrets.

Addresses and messages of the HTTP library are never shown: both may carry a key in the query.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import requests
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt
from urllib3.exceptions import MaxRetryError, NewConnectionError

from adapters.contract import ShopBusy, ShopError, ShopRefused, ShopUnavailable
from core.findings import Text

DEFAULT_PAUSE = 30.0
"""Seconds to wait after a 429 that names none."""

LONGEST_PAUSE = 86_400.0
"""Seconds; no Retry-After is believed to be longer."""

_LONGEST_MESSAGE = 200
_CHUNK = 65_536


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how much to wait for.

    Attributes:
        connect, read: seconds for the connection, and between two pieces of an answer.
        total: seconds for one whole answer, so that a shop that trickles does not hold us for ever.
        max_bytes: largest answer taken, in bytes after decompression.
        attempts: how often a GET is tried before it fails.
        longest_pause: the longest Retry-After, in seconds, that is waited for inside one call; longer ones
            are left to the caller.
    """

    connect: float = 10.0
    read: float = 30.0
    total: float = 120.0
    max_bytes: int = 32 * 1024 * 1024
    attempts: int = 3
    longest_pause: float = 20.0


class AnswerTooLarge(ShopUnavailable):
    """More bytes than the limit: a page of something else, or too many entities at once.

    A shop that always answers so has to be asked for less.
    """


def retrying(limits: Limits, sleep: Callable[[float], None], jitter: Callable[[], float]) -> Retrying:
    """Repeats a reading call: after what the shop asks for, else after 1, 2, 4... seconds with jitter.

    Args:
        limits: how often, and which pauses are waited for.
        sleep: waits the given seconds.
        jitter: a number in [0, 1) that spreads the pauses.
    """

    def pause(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, ShopBusy):
            return error.retry_after
        return float(2 ** (state.attempt_number - 1)) * (0.5 + jitter())

    def is_worth_repeating(error: BaseException) -> bool:
        if isinstance(error, ShopBusy):
            return error.retry_after <= limits.longest_pause
        return isinstance(error, ShopUnavailable)

    return Retrying(
        stop=stop_after_attempt(limits.attempts),
        wait=pause,
        retry=retry_if_exception(is_worth_repeating),
        sleep=sleep,
        reraise=True,
    )


def read_body(response: requests.Response, *, max_bytes: int, total: float, writing: bool) -> bytes:
    """The whole body of a streamed answer, within limits.

    Args:
        response: asked for as a stream.
        max_bytes: the most bytes after decompression.
        total: seconds for the whole body, so that a shop that trickles does not hold us for ever.
        writing: the request was to change something.

    Raises:
        AnswerTooLarge: it is larger than the limit.
        ShopUnavailable: it comes too slowly.
        requests.RequestException: the connection broke off.
    """
    deadline = time.monotonic() + total
    content = bytearray()
    for chunk in response.iter_content(_CHUNK):
        content += chunk
        if len(content) > max_bytes:
            raise AnswerTooLarge(
                Text(
                    f"odpowiedź sklepu ma ponad {max_bytes} bajtów",
                    f"the shop's answer is larger than {max_bytes} bytes",
                ),
                outcome_unknown=writing,
            )
        if time.monotonic() > deadline:
            raise ShopUnavailable(
                Text("sklep odpowiada zbyt wolno", "the shop answers too slowly"), outcome_unknown=writing
            )
    return bytes(content)


def transport_error(error: requests.RequestException, *, writing: bool) -> ShopError:
    """The error for a request that got no complete answer.

    Args:
        error: what the library raised; its text is not used, because it shows the whole address.
        writing: the request was to change something.
    """
    if isinstance(error, requests.exceptions.SSLError):
        return ShopUnavailable(
            Text("certyfikatowi sklepu nie można zaufać", "the shop's certificate cannot be trusted"),
            hint=Text(
                "Otwórz adres sklepu w przeglądarce: jego certyfikat mógł wygasnąć.",
                "Look at the shop's address in a browser: its certificate may have expired.",
            ),
        )
    if isinstance(error, requests.exceptions.ConnectTimeout) or _never_connected(error):
        return ShopUnavailable(
            Text("nie ma połączenia ze sklepem", "no connection to the shop"),
            hint=Text("Czy adres jest dobry, a sklep działa?", "Is the address right and the shop running?"),
        )
    if isinstance(error, requests.Timeout):
        return ShopUnavailable(
            Text("sklep nie odpowiedział na czas", "the shop did not answer in time"), outcome_unknown=writing
        )
    return ShopUnavailable(
        Text("połączenie ze sklepem zostało przerwane", "the connection to the shop broke off"),
        outcome_unknown=writing,
    )


def _never_connected(error: requests.RequestException) -> bool:
    reason = error.args[0] if error.args else None
    return isinstance(reason, MaxRetryError) and isinstance(reason.reason, NewConnectionError)


def busy(response: requests.Response, now: datetime) -> ShopBusy | None:
    """The pause that a 429 or a 503 with Retry-After asks for; ``None`` for every other answer.

    Args:
        response: the answer; only its status and one header are used.
        now: aware UTC, for a Retry-After that is a date.
    """
    status = response.status_code
    pause = retry_after(response.headers.get("Retry-After"), now)
    if status == 429 or (status == 503 and pause is not None):
        return ShopBusy(
            Text(f"sklep prosi o przerwę (HTTP {status})", f"the shop asks for a pause (HTTP {status})"),
            retry_after=DEFAULT_PAUSE if pause is None else pause,
        )
    return None


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


def redirected(response: requests.Response) -> ShopRefused:
    """The error for a redirect, which is not followed: a key must not go to another address."""
    target = urlsplit(response.headers.get("Location", ""))
    place = f" {target.scheme}://{target.hostname}" if target.scheme and target.hostname else ""
    status = response.status_code
    return ShopRefused(
        Text(
            f"sklep przekierowuje{' na' if place else ''}{place} (HTTP {status})",
            f"the shop redirects{' to' if place else ''}{place} (HTTP {status})",
        ),
        status=status,
        hint=Text(
            "Popraw adres sklepu: http lub https, z www lub bez, tak jak używa go sam sklep.",
            "Correct the shop's address: http or https, with or without www, as the shop itself uses it.",
        ),
    )


def quoted(message: str) -> str:
    """A shop's message behind a colon; empty when it may carry an address with its query."""
    text = " ".join(message.split())[:_LONGEST_MESSAGE].rstrip(".")
    return f": {text}" if text and "://" not in text and "?" not in text else ""


def date_of(response: requests.Response) -> datetime | None:
    """The shop's own clock from the ``Date`` header, UTC; ``None`` when it is absent or broken."""
    try:
        moment = datetime.strptime(  # noqa: DTZ007 - GMT by RFC 9110
            response.headers.get("Date", ""), "%a, %d %b %Y %H:%M:%S GMT"
        )
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC)


def shop_url(text: str, api: str) -> str:
    """Check and tidy the address of a shop as a merchant types it.

    Args:
        text: e.g. ``https://sklep.example/``, or with the address of the API behind.
        api: how the API's path begins, e.g. ``/wp-json``; it and what follows is cut off.

    Returns:
        The address without a trailing slash.

    Raises:
        ShopError: it is no plain http or https address.
    """
    bad = ShopError(
        Text(
            "adres sklepu musi wyglądać tak: https://sklep.example",
            "the shop's address must look like https://shop.example",
        ),
        hint=Text(
            "Podaj sam adres, bez nazwy użytkownika, znaku zapytania i krzyżyka.",
            "Give the address alone, without a user name, a question mark or a hash.",
        ),
    )
    try:
        parts = urlsplit(text.strip())
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise bad from None
    if (
        parts.scheme not in {"http", "https"}
        or not host
        or parts.query
        or parts.fragment
        or "@" in parts.netloc
    ):
        raise bad
    path = f"{parts.path.rstrip('/')}/".split(f"{api}/", 1)[0].rstrip("/")
    return f"{parts.scheme}://{parts.netloc}{path}"
