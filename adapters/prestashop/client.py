"""HTTP to one PrestaShop shop: requests to its webservice in, parsed XML or a typed error out.

One request at a time over one kept-alive session: the webservice has no limits of its own, a shared host's
PHP workers are the limit. Nothing here puts a query string or the key into an error or a log.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Final
from urllib.parse import urlencode

import requests
from lxml import etree
from requests.adapters import HTTPAdapter
from requests.auth import HTTPBasicAuth

from adapters.contract import ShopError, ShopUnavailable, UnreadableOrder
from adapters.http import Limits, date_of, read_body, retrying, transport_error
from adapters.prestashop.answers import refusal_of
from adapters.prestashop.mapping.documents import parse_answer, resources_in
from adapters.prestashop.mapping.resource import Resource
from core.findings import Text

DEFAULT_USER_AGENT: Final = "ksef-shop-connector"

# what buyers typed stands in the answers as it is, and XML forbids these characters
_FORBIDDEN = bytes(range(0x20)).translate(None, b"\t\n\r")
_SPACES = bytes.maketrans(_FORBIDDEN, b" " * len(_FORBIDDEN))
# a byte order mark or an empty line in one of a shop's PHP files stands before every answer
_BEFORE_XML = b"\xef\xbb\xbf \t\r\n"
_BRACKETS = "[]|,:"


class BrokenXml(ShopUnavailable):
    """An answer that is no XML of the webservice, or only a part of it.

    A shop that always answers so has a text in its data that breaks the XML.
    """


@dataclass(frozen=True, slots=True)
class Credentials:
    """A key of the webservice.

    Attributes:
        key: 32 characters; never shown.
        query_string_auth: put it in the query (``ws_key``), for hosts that drop the Authorization header; the
            last resort, because it lands in the shop's access log.
    """

    key: str = field(repr=False)
    query_string_auth: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """A good answer.

    Attributes:
        root: the element ``<prestashop>``.
        version: of PrestaShop, as the header ``PSWS-Version`` says; empty when a proxy has taken it off.
        date: the shop's own clock from the ``Date`` header, UTC; ``None`` when absent.
    """

    root: etree._Element = field(repr=False)
    version: str = ""
    date: datetime | None = None

    def resources(self) -> tuple[Resource, ...]:
        """The resources in it.

        Raises:
            UnreadableOrder: their structure is not the webservice's.
        """
        return resources_in(self.root)


class PrestaClient:
    """Requests to ``/api/`` of one shop.

    Args:
        url: address of the shop, ``https://shop.example`` or with a folder.
        credentials: the key.
        user_agent: some firewalls refuse unusual ones, so a merchant may choose.
        limits: times and sizes.
        sleep: waits the given seconds between two attempts.
        clock: the time now, aware UTC; reads Retry-After dates.
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
        self._url = url
        self._credentials = credentials
        self._user_agent = user_agent
        self._limits = limits or Limits()
        self._sleep = sleep
        self._clock = clock
        self._jitter = jitter
        self._session = requests.Session()
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=0))

    def __repr__(self) -> str:
        return f"PrestaClient({self._url!r})"

    @property
    def is_https(self) -> bool:
        """Whether nobody on the way can read along."""
        return self._url.startswith("https://")

    def close(self) -> None:
        """Give the connection back."""
        self._session.close()

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Answer:
        """Read; tried again with pauses when there is no usable answer.

        Args:
            path: under ``/api/``, e.g. ``orders/10``; empty for the list of resources.
            params: query.

        Raises:
            BrokenXml: what came is no XML, each time.
            ShopError: see :mod:`adapters.contract`.
        """
        again = retrying(self._limits, self._sleep, self._jitter)
        return again(self._request, "GET", path, params or {}, None)

    def post(self, path: str, body: bytes, params: Mapping[str, str] | None = None) -> Answer:
        """Create; sent once, because only the caller can find out whether it was stored.

        Raises:
            ShopUnavailable: with ``outcome_unknown`` when it may have been stored.
            ShopError: see :mod:`adapters.contract`.
        """
        return self._request("POST", path, params or {}, body)

    def patch(self, path: str, body: bytes) -> Answer:
        """Change some fields, which shops from version 8 on can; sent once.

        Raises:
            ShopUnavailable: with ``outcome_unknown`` when it may have been stored.
            ShopError: see :mod:`adapters.contract`.
        """
        return self._request("PATCH", path, {}, body)

    def _request(self, method: str, path: str, params: Mapping[str, str], body: bytes | None) -> Answer:
        secret, writing = self._credentials, body is not None
        query = dict(params) | ({"ws_key": secret.key} if secret.query_string_auth else {})
        url = f"{self._url}/api/{path}" + (f"?{urlencode(query, safe=_BRACKETS)}" if query else "")
        headers = {"Accept": "application/xml, text/xml", "User-Agent": self._user_agent}
        if writing:
            headers["Content-Type"] = "text/xml; charset=utf-8"
        failure: ShopError
        try:
            response = self._session.request(
                method,
                url,
                data=body,
                headers=headers,
                auth=_unsigned if secret.query_string_auth else HTTPBasicAuth(secret.key, ""),
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
        # outside the handler: the library's errors show the address with the key, and would stay as context
        raise failure

    def _answer(self, response: requests.Response, content: bytes, *, writing: bool) -> Answer:
        clean = content.translate(_SPACES).lstrip(_BEFORE_XML)
        if not 200 <= response.status_code < 300:
            raise refusal_of(response, clean, now=self._clock(), writing=writing)
        try:
            root = parse_answer(clean)
        except UnreadableOrder:
            root = None
        # a module's warnings turn an answer into errors under a good status
        if root is None or root.find("errors") is not None:
            raise BrokenXml(
                Text(
                    "odpowiedź sklepu nie jest XML-em jego webservice albo to tylko jego część",
                    "the shop's answer is not XML of its webservice, or only a part of it",
                ),
                hint=Text(
                    "Przeszkadzać może zapora, strona konserwacji, ostrzeżenie PHP lub tekst kupującego.",
                    "A firewall, a maintenance page, a PHP warning or a buyer's text may stand in the way.",
                ),
                outcome_unknown=writing,
            )
        return Answer(root, response.headers.get("PSWS-Version", "").strip(), date_of(response))


def _unsigned(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Authentication that adds nothing, so that no ``.netrc`` entry is added instead."""
    return request
