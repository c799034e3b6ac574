"""What failed answers of a WooCommerce shop mean, in the errors of :mod:`adapters.contract`."""

from __future__ import annotations

import json
from datetime import datetime

import requests

from adapters.contract import NotFound, ShopAuthFailed, ShopError, ShopRefused, ShopUnavailable
from adapters.http import busy, quoted, redirected
from core.findings import Text

_AUTH_CODES = ("woocommerce_rest_authentication_error", "rest_forbidden", "woocommerce_rest_cannot_")
_FIREWALL_HINT = Text(
    "Na drodze może stać zapora lub wtyczka bezpieczeństwa: przepuść /wp-json/wc/ albo podaj inną nazwę "
    "programu (user agent).",
    "A firewall or security plugin may stand in the way: let /wp-json/wc/ pass, or choose another user "
    "agent.",
)


def refusal_of(response: requests.Response, content: bytes, *, now: datetime, writing: bool) -> ShopError:
    """The error for an answer whose status is not 2xx.

    Args:
        response: the answer; only its status and two of its headers are used.
        content: its body.
        now: aware UTC, for a Retry-After that is a date.
        writing: the request was to change something.
    """
    status = response.status_code
    code, message = _error_body(content)
    pause = busy(response, now)
    if pause is not None:
        return pause
    if status >= 500:
        said = quoted(message)
        return ShopUnavailable(
            Text(f"błąd sklepu (HTTP {status}){said}", f"the shop failed (HTTP {status}){said}"),
            outcome_unknown=writing,
        )
    if 300 <= status < 400:
        return redirected(response)
    if not code and status != 401:
        return ShopUnavailable(
            Text(
                f"odpowiedziało coś innego niż WooCommerce (HTTP {status})",
                f"not WooCommerce but something else answered (HTTP {status})",
            ),
            hint=_FIREWALL_HINT,
        )
    return _by_code(status, code, message)


def _by_code(status: int, code: str, message: str) -> ShopRefused:
    said = quoted(message)
    if status == 401 or (status == 403 and code.startswith(_AUTH_CODES)):
        return ShopAuthFailed(
            Text(f"sklep nie przyjmuje klucza{said}", f"the shop does not accept the key{said}"),
            code=code,
            status=status,
            hint=_auth_hint(message, code),
        )
    if code == "rest_no_route":
        return ShopRefused(
            Text(f"sklep nie ma REST API WooCommerce{said}", f"the shop has no WooCommerce REST API{said}"),
            code=code,
            status=status,
            hint=Text(
                "Czy WooCommerce jest włączony? Ustawienia, Bezpośrednie odnośniki: cokolwiek poza Prosty.",
                "Is WooCommerce active? Settings, Permalinks must be anything but Plain.",
            ),
        )
    if status == 404:
        return NotFound(
            Text(f"sklep tego nie ma{said}", f"the shop does not have it{said}"), code=code, status=status
        )
    return ShopRefused(
        Text(f"sklep odmówił (HTTP {status}){said}", f"the shop refused (HTTP {status}){said}"),
        code=code,
        status=status,
    )


def _auth_hint(message: str, code: str) -> Text:
    if "permissions" in message:
        return Text(
            "Daj kluczowi uprawnienia Odczyt/Zapis: WooCommerce, Ustawienia, Zaawansowane, REST API.",
            "Give the key the permission Read/Write: WooCommerce, Settings, Advanced, REST API.",
        )
    if "timestamp" in message.lower():
        return Text(
            "Zegary sklepu i tej maszyny różnią się o ponad 15 minut.",
            "The clocks of the shop and of this machine differ by more than 15 minutes.",
        )
    if code.startswith("woocommerce_rest_cannot_") or "missing" in message.lower():
        return Text(
            "Klucz nie dotarł do sklepu albo jego użytkownik nie zarządza sklepem. Serwery, które gubią "
            "nagłówek Authorization, wymagają kluczy w adresie (query_string_auth).",
            "The key did not reach the shop, or its user is no shop manager. Hosts that drop the "
            "Authorization header need query_string_auth.",
        )
    return Text(
        "Utwórz nowy klucz: WooCommerce, Ustawienia, Zaawansowane, REST API, uprawnienia Odczyt/Zapis.",
        "Make a new key in WooCommerce, Settings, Advanced, REST API, with the permission Read/Write.",
    )


def _error_body(content: bytes) -> tuple[str, str]:
    """``code`` and ``message`` of WordPress's error object, empty when the body is something else."""
    try:
        data = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return "", ""
    if not isinstance(data, dict):
        return "", ""
    code, message = data.get("code"), data.get("message")
    return (code if isinstance(code, str) else "", message if isinstance(message, str) else "")
