"""What protects every page: headers, cookies, forms, sizes, and where a redirect may lead."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

from flask import Flask, Response, g, request, url_for
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from connector_app.web.here import WebOptions

LARGEST_FORM = 2 * 1024 * 1024
"""Bytes of a form without files."""
LARGEST_UPLOAD = 16 * 1024 * 1024
"""Bytes of a form with files."""

_POLICY = {
    "default-src": "'none'",
    "style-src": "'self'",
    "script-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "frame-src": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
    "object-src": "'none'",
}
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}

csrf = CSRFProtect()
"""Forms need a token of their session; machines' addresses are exempt by name."""

limiter = Limiter(get_remote_address, headers_enabled=True)
"""Requests of one address; rules stand beside the views."""


def safe_next(target: str | None, default: str | None = None) -> str:
    """A path of this application to go on to; anything else leads home.

    Args:
        target: what a form or address says.
        default: path to use instead of home.
    """
    home = default or url_for("home.page")
    # a backslash or a second slash makes browsers leave for another host
    if not target or not target.startswith("/") or target.startswith("//") or "\\" in target:
        return home
    parts = urlsplit(target)
    return home if parts.scheme or parts.netloc or any(ord(one) < 32 for one in target) else target


def frame_by_itself() -> None:
    """Let this answer be shown in a frame of our own pages."""
    g.framed = True


def add_safety(app: Flask, options: WebOptions, secret: bytes) -> None:
    """Configure an application.

    Args:
        app: new.
        options: how it is reached.
        secret: 32 bytes that sign cookies and forms.
    """
    https = options.public_url.startswith("https://")
    app.config.update(
        SECRET_KEY=secret,
        SESSION_COOKIE_NAME="__Host-ksef" if https else "ksef",
        SESSION_COOKIE_SECURE=https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(days=14),
        MAX_CONTENT_LENGTH=LARGEST_FORM,
        MAX_FORM_MEMORY_SIZE=LARGEST_FORM,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,  # the same-origin cookie and token decide
        RATELIMIT_ENABLED=options.limits,
        RATELIMIT_STORAGE_URI=options.counts_in or "memory://",
        RATELIMIT_KEY_PREFIX=options.counts_as,
        # a Redis that is down must not close the door: each process counts by itself meanwhile
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=bool(options.counts_in),
    )
    csrf.init_app(app)
    limiter.init_app(app)
    if options.proxies:
        count = options.proxies
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=count, x_proto=count, x_host=count
        )

    @app.after_request
    def headers(response: Response) -> Response:
        policy = dict(_POLICY)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        if g.get("framed"):
            policy["frame-ancestors"] = "'self'"
            response.headers["X-Frame-Options"] = "SAMEORIGIN"
        response.headers.setdefault(
            "Content-Security-Policy", "; ".join(f"{name} {value}" for name, value in policy.items())
        )
        if request.endpoint not in {"static", "bootstrap.static"}:
            response.headers.setdefault("Cache-Control", "no-store")
        if options.hsts and request.is_secure:
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        return response
