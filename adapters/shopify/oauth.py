"""Installing the app at a merchant's shop: authorize address, callback, code exchange.

Three functions for the web application (authorization code grant of Shopify): it sends the merchant to
:func:`authorize_url`, checks what comes back with :func:`check_callback`, and exchanges the code with
:func:`exchange_code`.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from adapters.contract import ForgedEvent, ShopError
from adapters.shopify.tokens import App, Grant, ask_for_grant
from adapters.shopify.transport import Limits, Transport, shop_domain, shop_url
from core.findings import Text

SCOPES: Final = ("read_orders", "write_orders", "read_customers")
"""What the adapter needs; ``read_all_orders`` (orders older than 60 days) needs Shopify's approval."""

CALLBACK_AGE: Final = timedelta(minutes=10)
"""How old a callback may be, so that a recorded one is not taken again."""


def authorize_url(
    shop: str, client_id: str, redirect_uri: str, state: str, scopes: Sequence[str] = SCOPES
) -> str:
    """Where to send the merchant's browser.

    Args:
        shop: see :func:`~adapters.shopify.transport.shop_url`.
        client_id: of the app.
        redirect_uri: our callback, as the app's settings list it.
        state: a random text that is kept in the merchant's session (RFC 6749, section 10.12).
        scopes: what is asked for.

    Raises:
        ShopError: the shop's address is none.
    """
    query = {
        "client_id": client_id,
        "scope": ",".join(scopes),
        "redirect_uri": redirect_uri,
        "state": state,
    }
    return f"{shop_url(shop)}/admin/oauth/authorize?{urlencode(query)}"


def check_callback(
    params: Mapping[str, str], secrets: Sequence[str], *, state: str, shop: str, now: datetime
) -> str:
    """Verify a callback.

    Args:
        params: its query, decoded, each name once.
        secrets: the app's client secret, and the former one during a rotation.
        state: what :func:`authorize_url` was given.
        shop: which shop is being installed.
        now: aware UTC.

    Returns:
        The code to exchange.

    Raises:
        ForgedEvent: the signature, state, shop or time is wrong.
        ShopError: the merchant did not agree.
    """
    given = params.get("hmac", "")
    signed = "&".join(_pair(key, params[key]) for key in sorted(params) if key not in {"hmac", "signature"})
    if not any(hmac.compare_digest(_digest(secret, signed), given.encode()) for secret in secrets if secret):
        raise ForgedEvent(
            Text("tej odpowiedzi nie podpisał Shopify", "the callback is not signed by Shopify")
        )
    if not state or not hmac.compare_digest(params.get("state", "").encode(), state.encode()):
        raise ForgedEvent(
            Text("ta odpowiedź należy do innej instalacji", "the callback belongs to another installation")
        )
    if params.get("shop", "") != shop_domain(shop_url(shop)):
        raise ForgedEvent(Text("ta odpowiedź dotyczy innego sklepu", "the callback is about another shop"))
    stamp = params.get("timestamp", "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 12):
        raise ForgedEvent(Text("ta odpowiedź nie ma czasu", "the callback has no time"))
    if abs(now - datetime.fromtimestamp(int(stamp), UTC)) > CALLBACK_AGE:
        raise ForgedEvent(Text("ta odpowiedź jest zbyt stara", "the callback is too old"))
    code = params.get("code", "")
    if not code:
        raise ShopError(
            Text(
                "w sklepie nie wyrażono zgody na instalację", "the merchant did not agree to the installation"
            )
        )
    return code


def _pair(key: str, value: str) -> str:
    """A parameter as it is signed: its delimiters escaped, so that none can be moved into another."""
    name = key.replace("%", "%25").replace("=", "%3D")
    return f"{name}={value.replace('%', '%25')}".replace("&", "%26")


def _digest(secret: str, message: str) -> bytes:
    return hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest().encode()


def exchange_code(
    shop: str,
    app: App,
    code: str,
    *,
    limits: Limits | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Grant:
    """Exchange a callback's code for tokens that expire and rotate.

    Args:
        shop: see :func:`~adapters.shopify.transport.shop_url`.
        app: its credentials.
        code: see :func:`check_callback`; it works once.
        limits: times and sizes.
        clock: the time now, aware UTC.

    Returns:
        The grant; store :meth:`~adapters.shopify.tokens.Grant.as_config` before anything else.

    Raises:
        ShopError: see :mod:`adapters.contract`.
    """
    transport = Transport(shop_url(shop), limits=limits, clock=clock)
    form = {"client_id": app.client_id, "client_secret": app.secret, "code": code, "expiring": "1"}
    try:
        return ask_for_grant(transport, form)
    finally:
        transport.close()
