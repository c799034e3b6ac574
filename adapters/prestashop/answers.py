"""What failed answers of a PrestaShop webservice mean, in the errors of :mod:`adapters.contract`.

The numbers are the webservice's own error codes (``classes/webservice/WebserviceRequest.php`` of the shop).
A failed answer is XML with ``<errors>``; 404 comes with an empty body, and a request without a key with
plain text.
"""

from __future__ import annotations

from datetime import datetime

import requests
from lxml import etree

from adapters.contract import (
    NotFound,
    ShopAuthFailed,
    ShopError,
    ShopRefused,
    ShopUnavailable,
    UnreadableOrder,
)
from adapters.http import busy, quoted, redirected
from adapters.prestashop.mapping.documents import parse_answer
from core.findings import Text

DISABLED = "22"
"""The webservice is switched off."""
METHOD_UNKNOWN = "23"
"""The version of the shop does not know the HTTP method."""
_METHOD_FORBIDDEN = frozenset({"25", "101"})
_RESOURCE_FORBIDDEN = "26"
_OTHER_SHOP = "132"
_PHP = frozenset({"2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15"})
# a request that is refused with these is wrong whenever it is sent, whatever status PHP's warnings give it
_WRONG_REQUEST = frozenset({"23", "27", *map(str, range(28, 40)), "41", "84", "85", "86", "127"})

KEY_PAGE = Text("Zaawansowane, API", "Advanced Parameters, Webservice")
"""Where a merchant makes keys."""

_FIREWALL = Text(
    "Na drodze może stać zapora lub moduł bezpieczeństwa: przepuść /api/ albo podaj inną nazwę programu "
    "(user agent).",
    "A firewall or a security module may stand in the way: let /api/ pass, or choose another user agent.",
)


def refusal_of(response: requests.Response, content: bytes, *, now: datetime, writing: bool) -> ShopError:
    """The error for an answer whose status is not 2xx.

    Args:
        response: the answer; only its status and headers are used.
        content: its body.
        now: aware UTC, for a Retry-After that is a date.
        writing: the request was to change something.
    """
    code, message = _first_error(content)
    if code == DISABLED:
        return ShopRefused(
            Text("webservice sklepu jest wyłączony", "the shop's webservice is switched off"),
            code=code,
            status=response.status_code,
            hint=Text(
                f"Włącz go: {KEY_PAGE.pl}, Włącz API PrestaShop: Tak.",
                f"Turn it on: {KEY_PAGE.en}, Enable PrestaShop's webservice: Yes.",
            ),
        )
    pause = busy(response, now)
    if pause is not None:
        return pause
    if 300 <= response.status_code < 400:
        return redirected(response)
    said = quoted(message)
    return _of_the_key(response.status_code, code, said) or _of_the_request(
        response.status_code, code, said, empty=not content.strip(), writing=writing
    )


def _of_the_key(status: int, code: str, said: str) -> ShopAuthFailed | None:
    if status != 401 and code not in {*_METHOD_FORBIDDEN, _OTHER_SHOP}:
        return None
    return ShopAuthFailed(
        Text(f"sklep nie przyjmuje klucza{said}", f"the shop does not accept the key{said}"),
        code=code,
        status=status,
        hint=_auth_hint(code),
    )


def _of_the_request(status: int, code: str, said: str, *, empty: bool, writing: bool) -> ShopError:
    if code in _WRONG_REQUEST:
        return ShopRefused(Text(f"sklep odmówił{said}", f"the shop refused{said}"), code=code, status=status)
    if status == 404 and (code or empty):
        return NotFound(Text("sklep tego nie ma", "the shop does not have it"), code=code, status=status)
    if status >= 500:
        return ShopUnavailable(
            Text(f"błąd sklepu (HTTP {status}){said}", f"the shop failed (HTTP {status}){said}"),
            outcome_unknown=writing,
        )
    if not code:
        return ShopUnavailable(
            Text(
                f"odpowiedziało coś innego niż webservice PrestaShop (HTTP {status})",
                f"not PrestaShop's webservice but something else answered (HTTP {status})",
            ),
            hint=_hint_of(status),
        )
    return ShopRefused(
        Text(f"sklep odmówił (HTTP {status}){said}", f"the shop refused (HTTP {status}){said}"),
        code=code,
        status=status,
    )


def _hint_of(status: int) -> Text:
    if status == 404:
        return Text(
            "Czy adres jest dobry i czy włączono przyjazne adresy URL (Preferencje, Ruch)? " + _FIREWALL.pl,
            "Is the address right, and are friendly URLs on (Shop Parameters, Traffic & SEO)? "
            + _FIREWALL.en,
        )
    return _FIREWALL


def _auth_hint(code: str) -> Text:
    if code in {_RESOURCE_FORBIDDEN, *_METHOD_FORBIDDEN}:
        return Text(
            f"Daj kluczowi to uprawnienie: {KEY_PAGE.pl}; wymienia je docs/prestashop.pl.md.",
            f"Give the key this permission: {KEY_PAGE.en}; docs/prestashop.md lists them.",
        )
    if code == _OTHER_SHOP:
        return Text(
            f"Klucz jest dla innego sklepu: {KEY_PAGE.pl}, Powiązanie sklepów.",
            f"The key is for another shop of a multistore: {KEY_PAGE.en}, Shop association.",
        )
    if not code or code == "16":
        return Text(
            "Klucz nie dotarł do sklepu: serwery, które gubią nagłówek Authorization, wymagają klucza "
            "w adresie (query_string_auth=yes).",
            "The key did not reach the shop: hosts that drop the Authorization header need "
            "query_string_auth=yes.",
        )
    return Text(
        f"Obejrzyj klucz: {KEY_PAGE.pl}. Czy jest włączony i cały (32 znaki)?",
        f"Look at the key in {KEY_PAGE.en}: is it enabled, and complete (32 characters)?",
    )


def _first_error(content: bytes) -> tuple[str, str]:
    """Code and message of the first error that is not a warning of PHP; empty when there is none."""
    try:
        root = parse_answer(content)
    except UnreadableOrder:
        return "", ""
    errors = [(_text(one, "code"), _text(one, "message")) for one in root.iterfind("errors/error")]
    own = [one for one in errors if one[0] not in _PHP]
    found = own or errors
    return found[0] if found else ("", "")


def _text(element: etree._Element, name: str) -> str:
    return " ".join((element.findtext(name) or "").split())
