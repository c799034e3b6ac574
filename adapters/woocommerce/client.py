"""HTTP to one WooCommerce shop: signed requests in, parsed JSON or a typed error out.

The `woocommerce` package knows how the shop wants its requests signed: OAuth 1.0a (HMAC-SHA256) over
plain http, Basic over https, or the keys in the query as a last resort. Everything else is decided here,
because the package opens a new connection per call, waits five seconds for anything, follows redirects
and takes every answer for a good one.

Nothing here puts a query string, a ``Link`` header or a key into an error or a log: all three carry
credentials.
"""

from __future__ import annotations

import json
import random
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from http.cookiejar import DefaultCookiePolicy
from typing import Final
from urllib.parse import urlencode

import requests
from requests.adapters import HTTPAdapter
from requests.auth import HTTPBasicAuth
from woocommerce import API
from woocommerce.oauth import OAuth

from adapters.contract import ShopError, ShopUnavailable
from adapters.http import Limits, date_of, read_body, retrying, transport_error
from adapters.woocommerce.answers import refusal_of
from core.findings import Text

PER_PAGE: Final = 100
"""The most items that the REST API gives per page."""

DEFAULT_USER_AGENT: Final = "ksef-shop-connector"

_SIGNABLE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~,: ")


@dataclass(frozen=True, slots=True)
class Credentials:
    """A REST API key of the shop.

    Attributes:
        consumer_key, consumer_secret: ``ck_...`` and ``cs_...``; never shown.
        query_string_auth: put them in the query over https, for hosts that drop the Authorization header;
            the last resort, because they land in the shop's access log.
    """

    consumer_key: str = field(repr=False)
    consumer_secret: str = field(repr=False)
    query_string_auth: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """A good answer.

    Attributes:
        data: parsed JSON; fractions are :class:`~decimal.Decimal`.
        total_pages: pages of the whole list, ``None`` when the shop does not tell.
        date: the shop's own clock from the ``Date`` header, UTC; ``None`` when absent.
    """

    data: object
    total_pages: int | None = None
    date: datetime | None = None


class _Signer(OAuth):  # type: ignore[misc] # the package ships no types
    """The package's signer, with a nonce that does not repeat within the shop's 15 minutes."""

    @staticmethod
    def generate_nonce() -> str:
        return secrets.token_hex(20)


def _unsigned(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Authentication that adds nothing, so that no ``.netrc`` entry is added instead."""
    return request


class WooClient:
    """Requests to ``/wp-json/wc/v3`` of one shop over one kept-alive session.

    Args:
        url: address of the shop, ``https://shop.example`` or with a folder; http is signed by OAuth 1.0a.
        credentials: the API key.
        user_agent: some firewalls refuse unusual ones, so a merchant may choose.
        limits: times and sizes.
        sleep: waits the given seconds between two attempts.
        clock: the time now, aware UTC; signs requests and reads Retry-After dates.
        jitter: a number in [0, 1) that spreads the pauses.
    """

    def __init__(
        self,
        url: str,
        credentials: Credentials,
        *,
        user_agent: str = DEFAULT_USER_AGENT,
        limits: Limits | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._limits = limits or Limits()
        self._credentials = credentials
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter
        # the package decides by the address how requests are signed
        self._api = API(
            url,
            credentials.consumer_key,
            credentials.consumer_secret,
            query_string_auth=credentials.query_string_auth,
            user_agent=user_agent,
        )
        self._session = requests.Session()
        self._session.mount("http://", HTTPAdapter(max_retries=0))
        self._session.mount("https://", HTTPAdapter(max_retries=0))
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def __repr__(self) -> str:
        return f"WooClient({self._api.url!r})"

    @property
    def is_https(self) -> bool:
        """Whether the shop is talked to over TLS."""
        return bool(self._api.is_ssl)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def get(self, endpoint: str, params: Mapping[str, str | int] | None = None) -> Answer:
        """Read; tried again after a pause while the shop gives no usable answer.

        Args:
            endpoint: path under ``wc/v3``, e.g. ``orders/15``.
            params: query; values must not be lists, whose signature the package gets wrong.

        Raises:
            ShopError: see :mod:`adapters.contract`.
        """
        again = retrying(self._limits, self._sleep, self._jitter)
        return again(self._request, "GET", endpoint, params or {}, None)

    def post(self, endpoint: str, body: Mapping[str, object]) -> Answer:
        """Create; sent once, because only the caller can find out whether it was stored.

        Raises:
            ShopUnavailable: with ``outcome_unknown`` when it may have been stored.
            ShopError: see :mod:`adapters.contract`.
        """
        return self._request("POST", endpoint, {}, body)

    def put(self, endpoint: str, body: Mapping[str, object]) -> Answer:
        """Change; sent once.

        Raises:
            ShopUnavailable: with ``outcome_unknown`` when it may have been stored.
            ShopError: see :mod:`adapters.contract`.
        """
        return self._request("PUT", endpoint, {}, body)

    def delete(self, endpoint: str) -> None:
        """Delete for good (``force``); sent once.

        Raises:
            NotFound: it is gone already.
            ShopUnavailable: with ``outcome_unknown`` when it may have been deleted.
            ShopError: see :mod:`adapters.contract`.
        """
        self._request("DELETE", endpoint, {"force": "true"}, None)

    def pages(self, endpoint: str, params: Mapping[str, str | int] | None = None) -> Iterator[list[object]]:
        """Every page of a list that does not change its order while it is read.

        Raises:
            ShopUnavailable: an answer that is no list.
            ShopError: see :mod:`adapters.contract`.
        """
        page = 1
        while True:
            answer = self.get(endpoint, {**(params or {}), "per_page": PER_PAGE, "page": page})
            items = as_list(answer)
            yield items
            if is_last_page(answer, page, len(items)):
                return
            page += 1

    def _request(
        self, method: str, endpoint: str, params: Mapping[str, str | int], body: Mapping[str, object] | None
    ) -> Answer:
        url, auth = self._signed(method, endpoint, params)
        headers = {"Accept": "application/json", "User-Agent": self._api.user_agent}
        data = None
        if body is not None:
            data = json.dumps(body, ensure_ascii=False).encode()
            headers["Content-Type"] = "application/json; charset=utf-8"
        writing = method != "GET"
        failure: ShopError
        try:
            response = self._session.request(
                method,
                url,
                data=data,
                headers=headers,
                auth=auth,
                timeout=(self._limits.connect, self._limits.read),
                allow_redirects=False,
                stream=True,
            )
            with response:
                content = read_body(
                    response,
                    max_bytes=self._limits.max_bytes,
                    total=self._limits.total,
                    writing=writing,
                )
        except requests.RequestException as error:
            failure = transport_error(error, writing=writing)
        else:
            return self._answer(response, content, writing=writing)
        # outside the handler: the library's errors show the signed address, and would stay as context
        raise failure

    def _signed(
        self, method: str, endpoint: str, params: Mapping[str, str | int]
    ) -> tuple[str, Callable[[requests.PreparedRequest], requests.PreparedRequest]]:
        """Address with everything that belongs in the query, and what signs the headers."""
        for key, value in params.items():
            if not isinstance(value, str | int) or not _SIGNABLE.issuperset(str(value)):
                raise ValueError(f"the value of parameter {key} cannot be signed")
        url = f"{self._api.url}/wp-json/{self._api.version}/{endpoint}"
        secret = self._credentials
        if self.is_https and not secret.query_string_auth:
            query = f"?{urlencode(params)}" if params else ""
            return url + query, HTTPBasicAuth(secret.consumer_key, secret.consumer_secret)
        if self.is_https:
            keys = {"consumer_key": secret.consumer_key, "consumer_secret": secret.consumer_secret}
            return f"{url}?{urlencode({**params, **keys})}", _unsigned
        signer = _Signer(
            url=f"{url}?{urlencode(params)}",
            consumer_key=secret.consumer_key,
            consumer_secret=secret.consumer_secret,
            version=self._api.version,
            method=method,
            oauth_timestamp=int(self._clock().timestamp()),
        )
        return str(signer.get_oauth_url()), _unsigned

    def _answer(self, response: requests.Response, content: bytes, *, writing: bool) -> Answer:
        if not 200 <= response.status_code < 300:
            raise refusal_of(response, content, now=self._clock(), writing=writing)
        try:
            # a byte order mark in one of a shop's PHP files stands before every answer
            data = json.loads(
                content.decode("utf-8-sig"), parse_float=Decimal, parse_constant=_refuse_constant
            )
        except (ValueError, RecursionError):
            data = None
        if not isinstance(data, dict | list):
            raise ShopUnavailable(
                Text(
                    "odpowiedź sklepu nie jest JSON-em albo to tylko jego część",
                    "the shop's answer is not JSON, or only a part of it",
                ),
                hint=Text(
                    "Przeszkadzać może zapora, wtyczka bezpieczeństwa lub konserwacji albo ostrzeżenie PHP.",
                    "A firewall, a security or maintenance plugin or a PHP warning may stand in the way.",
                ),
                outcome_unknown=writing,
            )
        return Answer(
            data=data,
            total_pages=_as_count(response.headers.get("X-WP-TotalPages")),
            date=date_of(response),
        )


def as_list(answer: Answer) -> list[object]:
    """The answer's items.

    Raises:
        ShopUnavailable: it is no list.
    """
    if not isinstance(answer.data, list):
        raise ShopUnavailable("the shop's answer is not a list")
    return answer.data


def is_last_page(answer: Answer, page: int, size: int) -> bool:
    """Whether no page follows; a short page decides when a proxy has taken the header off."""
    if answer.total_pages is None:
        return size < PER_PAGE
    return page >= answer.total_pages


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _as_count(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() else None
