"""Who may do what: the API keys, OAuth 1.0a signatures and permissions, as WooCommerce checks them.

The rules are those of ``WC_REST_Authentication``: over plain http only signed requests count, a nonce may
be used once, a timestamp may be 15 minutes off, and a key without the permission gets 401, not 403.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

TIMESTAMP_WINDOW = 15 * 60
"""Seconds that a signed request may be old or early."""

_OAUTH = (
    "oauth_consumer_key",
    "oauth_timestamp",
    "oauth_nonce",
    "oauth_signature",
    "oauth_signature_method",
)
_HASHES = {"HMAC-SHA256": hashlib.sha256, "HMAC-SHA1": hashlib.sha1}
_READING = frozenset({"GET", "HEAD", "OPTIONS"})


class RefusedError(Exception):
    """An answer with WordPress's error object.

    Attributes:
        status: HTTP status.
        code, message: of the error object.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A REST API key of the shop.

    Attributes:
        secret: ``cs_...``.
        permissions: ``read``, ``write`` or ``read_write``.
    """

    secret: str = field(repr=False)
    permissions: str = "read_write"


@dataclass(slots=True)
class Gate:
    """Lets requests in.

    Attributes:
        keys: consumer key to key.
    """

    keys: Mapping[str, ApiKey]
    _nonces: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def admit(self, method: str, url: str, params: Mapping[str, str], now: int) -> None:
        """Let a plain-http request in, or refuse it.

        Args:
            method: HTTP method.
            url: address without the query.
            params: query parameters, decoded; nested ones under their bracketed names.
            now: seconds since the epoch.

        Raises:
            RefusedError: the key, the signature or the permission is wrong.
        """
        if not any(params.get(name) for name in _OAUTH):
            # Basic and query keys do not count without TLS, so the request is anonymous
            raise RefusedError(401, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")
        missing = [name for name in _OAUTH if not params.get(name)]
        if missing:
            raise _denied(f"Missing OAuth parameter {', '.join(missing)}")
        key = self.keys.get(params["oauth_consumer_key"])
        if key is None:
            raise _denied("Consumer key is invalid.")
        _check_signature(method, url, params, key.secret)
        self._check_time_and_nonce(params, now)
        _check_permission(method, key)

    def _check_time_and_nonce(self, params: Mapping[str, str], now: int) -> None:
        stamp = params["oauth_timestamp"]
        if not stamp.isdigit() or abs(now - int(stamp)) > TIMESTAMP_WINDOW:
            raise _denied("Invalid timestamp.")
        nonce = params["oauth_nonce"]
        with self._lock:
            for old in [item for item, at in self._nonces.items() if now - at > TIMESTAMP_WINDOW]:
                del self._nonces[old]
            if nonce in self._nonces:
                raise _denied("Invalid nonce - nonce has already been used.")
            self._nonces[nonce] = int(stamp)


def _check_signature(method: str, url: str, params: Mapping[str, str], secret: str) -> None:
    algorithm = _HASHES.get(params["oauth_signature_method"])
    if algorithm is None:
        raise _denied("Invalid signature - signature method is invalid.")
    signed = {_normal(key): _normal(value) for key, value in params.items() if key != "oauth_signature"}
    pairs = "%26".join(f"{key}%3D{signed[key]}" for key in sorted(signed))
    base = f"{method}&{quote(url, safe='')}&{pairs}"
    digest = hmac.new(f"{secret}&".encode(), base.encode(), algorithm).digest()
    given = unquote(params["oauth_signature"].replace(" ", "+"))
    if not hmac.compare_digest(base64.b64encode(digest).decode(), given):
        raise _denied("Invalid signature - provided signature does not match.")


def _normal(text: str) -> str:
    """PHP's ``rawurlencode`` of the decoded text, its percent signs encoded once more."""
    return quote(unquote(text), safe="").replace("%", "%25")


def _check_permission(method: str, key: ApiKey) -> None:
    needed = "read" if method in _READING else "write"
    if key.permissions not in {needed, "read_write"}:
        raise _denied(f"The API key provided does not have {needed} permissions.")


def _denied(message: str) -> RefusedError:
    return RefusedError(401, "woocommerce_rest_authentication_error", message)
