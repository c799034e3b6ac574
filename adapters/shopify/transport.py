"""POST to one shop on ``myshopify.com``: bounded in time and size, never redirected, errors typed.

The package ShopifyAPI is not used: its GraphQL call waits without a timeout, prints error bodies, keeps
its session globally, knows neither throttling nor tokens that expire, and adds nothing to one POST.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from http.cookiejar import DefaultCookiePolicy
from typing import Final
from urllib.parse import urlencode, urlsplit

import requests
from requests.adapters import HTTPAdapter

from adapters.contract import ShopAuthFailed, ShopBusy, ShopError, ShopRefused, ShopUnavailable
from adapters.http import read_body, retry_after, transport_error
from core.findings import Text

USER_AGENT: Final = "ksef-shop-connector"
DEFAULT_PAUSE: Final = 2.0
"""Seconds to wait after a 429 that names none."""

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_SHOP_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,99}")
_DOMAIN = ".myshopify.com"
_LONGEST_MESSAGE = 200


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how much to wait for.

    Attributes:
        connect, read: seconds for the connection, and between two pieces of an answer.
        total: seconds for one whole answer.
        max_bytes: largest answer taken, in bytes after decompression.
        attempts: how often a request is tried that is safe to repeat.
        longest_pause: the longest pause, in seconds, that is waited for inside one call; longer ones are
            left to the caller.
    """

    connect: float = 10.0
    read: float = 30.0
    total: float = 120.0
    max_bytes: int = 16 * 1024 * 1024
    attempts: int = 4
    longest_pause: float = 30.0


@dataclass(frozen=True, slots=True)
class Reply:
    """A good answer.

    Attributes:
        data: the parsed JSON object; fractions are :class:`~decimal.Decimal`.
        version: ``X-Shopify-API-Version``, the version that was really used; empty when absent.
    """

    data: Mapping[str, object]
    version: str = ""


class Transport:
    """Requests to one shop over one kept-alive session; not shared between threads.

    Args:
        url: see :func:`shop_url`.
        limits: times and sizes.
        clock: the time now, aware UTC.
    """

    def __init__(
        self,
        url: str,
        *,
        limits: Limits | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.url = url
        self.limits = limits or Limits()
        self.clock = clock
        self._session = requests.Session()
        self._session.mount("http://", HTTPAdapter(max_retries=0))
        self._session.mount("https://", HTTPAdapter(max_retries=0))
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def close(self) -> None:
        """Give the connection back."""
        self._session.close()

    def post_json(
        self, path: str, body: Mapping[str, object], headers: Mapping[str, str], *, writing: bool
    ) -> Reply:
        """POST a JSON object.

        Args:
            path: under the shop's address, with a leading slash.
            body: the object.
            headers: further headers.
            writing: it may change something.

        Raises:
            ShopError: see :mod:`adapters.contract`.
        """
        data = json.dumps(body, ensure_ascii=False).encode()
        return self._post(path, data, {"Content-Type": "application/json", **headers}, writing=writing)

    def post_form(self, path: str, form: Mapping[str, str]) -> Reply:
        """POST a form, to the token endpoint.

        Raises:
            ShopError: see :mod:`adapters.contract`.
        """
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._post(path, urlencode(form).encode(), kind, writing=True)

    def _post(self, path: str, data: bytes, headers: Mapping[str, str], *, writing: bool) -> Reply:
        failure: ShopError
        try:
            response = self._session.post(
                self.url + path,
                data=data,
                headers={"Accept": "application/json", "User-Agent": USER_AGENT, **headers},
                auth=_unsigned,
                timeout=(self.limits.connect, self.limits.read),
                allow_redirects=False,
                stream=True,
            )
            with response:
                content = read_body(
                    response, max_bytes=self.limits.max_bytes, total=self.limits.total, writing=writing
                )
        except requests.RequestException as error:
            failure = transport_error(error, writing=writing)
        else:
            return self._reply(response, content, writing=writing)
        # outside the handler, so that the request with its secrets does not stay as context
        raise failure

    def _reply(self, response: requests.Response, content: bytes, *, writing: bool) -> Reply:
        status = response.status_code
        if not 200 <= status < 300:
            raise self._refusal(response, content, writing=writing)
        data = _parsed(content)
        if not isinstance(data, dict):
            raise ShopUnavailable(
                Text(
                    "odpowiedź sklepu nie jest JSON-em albo to tylko jego część",
                    "the shop's answer is not JSON, or only a part of it",
                ),
                outcome_unknown=writing,
            )
        return Reply(data, response.headers.get("X-Shopify-API-Version", ""))

    def _refusal(self, response: requests.Response, content: bytes, *, writing: bool) -> ShopError:
        """The error for a status that is not 2xx (Admin API, response codes)."""
        status = response.status_code
        code, said = _error_body(content)
        if status in {429, 503}:
            pause = retry_after(response.headers.get("Retry-After"), self.clock())
            # a 503 may come from a gateway whose server has carried the request out
            if status == 429 or (pause is not None and not writing):
                return ShopBusy(
                    Text(
                        f"sklep prosi o przerwę (HTTP {status})", f"the shop asks for a pause (HTTP {status})"
                    ),
                    retry_after=DEFAULT_PAUSE if pause is None else pause,
                )
        if status >= 500:
            return ShopUnavailable(
                Text(f"błąd sklepu (HTTP {status})", f"the shop failed (HTTP {status})"),
                outcome_unknown=writing,
            )
        if 300 <= status < 400:
            return _redirect(response)
        if status in {401, 403}:
            return ShopAuthFailed(
                Text(
                    f"sklep nie przyjmuje tokenu dostępu{said}",
                    f"the shop does not accept the access token{said}",
                ),
                code=code,
                status=status,
                hint=Text(
                    "Czy aplikację odinstalowano albo unieważniono jej token? Połącz sklep jeszcze raz.",
                    "Was the app uninstalled or its token revoked? Connect the shop again.",
                ),
            )
        words = {
            402: Text(
                "sklep jest zamrożony, dopóki właściciel nie zapłaci Shopify",
                "the shop is frozen until its owner pays Shopify",
            ),
            404: Text(
                "nie ma takiego sklepu albo tej wersji API",
                "there is no such shop, or not this version of the API",
            ),
            423: Text("sklep jest zablokowany przez Shopify", "the shop is locked by Shopify"),
        }
        refused = Text(f"sklep odmówił (HTTP {status})", f"the shop refused (HTTP {status})")
        message = words.get(status, refused)
        return ShopRefused(Text(f"{message.pl}{said}", f"{message.en}{said}"), code=code, status=status)


def _unsigned(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Authentication that adds nothing, so that no ``.netrc`` entry is added instead."""
    return request


def _parsed(content: bytes) -> object:
    """The JSON of a body; ``None`` when it is none."""
    try:
        return json.loads(content, parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _error_body(content: bytes) -> tuple[str, str]:
    """Code and message of an error object; of OAuth (RFC 6749, section 5.2) or of the API."""
    data = _parsed(content)
    if not isinstance(data, dict):
        return "", ""
    code, message = data.get("error"), data.get("error_description") or data.get("errors")
    text = " ".join(message.split())[:_LONGEST_MESSAGE].rstrip(".") if isinstance(message, str) else ""
    return code if isinstance(code, str) else "", f": {text}" if text and "://" not in text else ""


def _redirect(response: requests.Response) -> ShopRefused:
    """Redirects are not followed: the token must not go to another address."""
    try:
        host = urlsplit(response.headers.get("Location", "")).hostname
    except ValueError:
        host = None
    status = response.status_code
    return ShopRefused(
        Text(
            f"sklep przekierowuje{f' na {host}' if host else ''} (HTTP {status})",
            f"the shop redirects{f' to {host}' if host else ''} (HTTP {status})",
        ),
        status=status,
        hint=Text(
            "Podaj własny adres sklepu, NAZWA.myshopify.com, jak w Ustawienia, Domeny.",
            "Give the shop's own address, NAME.myshopify.com, as Settings, Domains shows it.",
        ),
    )


def shop_url(text: str) -> str:
    """Check and complete the address of a shop.

    Args:
        text: ``name``, ``name.myshopify.com`` or ``https://name.myshopify.com``; the token goes to no
            other host, but a server on this machine (a sandbox) is let through.

    Returns:
        The address without a trailing slash.

    Raises:
        ShopError: it is no address of a shop.
    """
    bad = ShopError(
        Text(
            "adres sklepu musi wyglądać tak: nazwa.myshopify.com",
            "the shop's address must look like name.myshopify.com",
        ),
        hint=Text(
            "To nie jest publiczna domena sklepu; zob. Ustawienia, Domeny w panelu.",
            "It is not the shop's public domain; see Settings, Domains in the admin.",
        ),
    )
    typed = text.strip().rstrip("/")
    try:
        parts = urlsplit(typed if "://" in typed else f"https://{typed}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise bad from None
    if parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        raise bad
    if host in _LOOPBACK and port:
        return f"{parts.scheme}://{parts.netloc}"
    name = host.removesuffix(_DOMAIN)
    if parts.scheme != "https" or port or not _SHOP_NAME.fullmatch(name):
        raise bad
    return f"https://{name}{_DOMAIN}"


def shop_domain(url: str) -> str:
    """``name.myshopify.com`` of an address that :func:`shop_url` gave."""
    return urlsplit(url).netloc
