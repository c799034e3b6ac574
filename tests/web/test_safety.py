"""What protects every page: headers, cookies, sizes, proxies, and where a redirect may lead."""

from __future__ import annotations

import base64
import re
import zlib
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request
from flask.testing import FlaskClient

from connector_app.people.accounts import add_user
from connector_app.web.app import WebOptions
from connector_app.web.safety import (
    LARGEST_FORM,
    LARGEST_UPLOAD,
    frame_by_itself,
    safe_next,
)
from tests.pipeline.world import Installation
from tests.web.bare import installation
from tests.web.site import EMAIL, PASSWORD, Site, site

PUBLIC = WebOptions(public_url="https://ksef.sklep.example", limits=False)
BEHIND = WebOptions(public_url="https://ksef.sklep.example", proxies=1, hsts=True, limits=False)
AWAY = [
    "https://evil.example/",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "http:evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "evil.example",
    "",
    " /",
    "https:/evil.example",
    "/\u0000/evil",
]


@pytest.fixture
def made(tmp_path: Path) -> Installation:
    """An installation without sellers."""
    return installation(tmp_path)


def policy(client: FlaskClient, path: str = "/sign-in", **environ: Any) -> dict[str, str]:
    raw = client.get(path, **environ).headers["Content-Security-Policy"]
    return dict(one.strip().split(" ", 1) for one in raw.split(";"))


@pytest.mark.parametrize("path", ["/sign-in", "/no-such-page", "/health", "/"])
def test_every_answer_carries_the_headers(pages: Site, path: str) -> None:
    """Pages, errors, JSON and redirects alike."""
    answer = pages.browser().client.get(path)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in answer.headers["Permissions-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Content-Security-Policy" in answer.headers


def test_nothing_runs_that_is_not_our_own(pages: Site) -> None:
    """No inline script or style, no other host, no frame around us."""
    found = policy(pages.browser().client)
    assert found["default-src"] == "'none'"
    for name in ("script-src", "style-src", "font-src", "connect-src", "form-action"):
        assert found[name] == "'self'", name
    assert found["frame-ancestors"] == "'none'"
    assert found["base-uri"] == "'none'"
    assert found["object-src"] == "'none'"
    assert not {"unsafe", "*", "http"} & set(re.findall(r"unsafe|\*|http", str(found)))


def test_templates_hold_no_inline_script_or_style() -> None:
    """They would not run, and nobody would see it but the person in front of the page."""
    folder = Path(__file__).resolve().parents[2] / "connector_app" / "web"
    templates = list(folder.rglob("*.html"))
    assert len(templates) > 10
    for one in templates:
        text = one.read_text("utf-8")
        assert not re.search(r"\son[a-z]+\s*=\s*[\"']", text), one
        assert not re.search(r"\sstyle\s*=\s*[\"']", text), one
        assert not re.search(r"<script(?![^>]*\ssrc=)", text), one
        assert "<style" not in text, one
        assert "|safe" not in text.replace(" ", ""), one
        # a link may lead elsewhere; nothing is loaded from there
        assert not re.search(r"(?:\ssrc|<link[^>]*\shref)=[\"'](?:https?:)?//", text), one


def test_a_page_may_be_framed_by_ourselves_when_it_says_so(pages: Site) -> None:
    """Previews; nobody else's page may."""

    @pages.app.get("/framed")
    def framed() -> str:
        frame_by_itself()
        return "x"

    client = pages.browser().client
    assert policy(client, "/framed")["frame-ancestors"] == "'self'"
    assert client.get("/framed").headers["X-Frame-Options"] == "SAMEORIGIN"
    assert policy(client)["frame-ancestors"] == "'none'"


def _cookie(pages: Site, **environ: Any) -> str:
    client = pages.app.test_client()
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/sign-in", **environ).text)
    assert token
    form = {"csrf_token": token[1], "email": EMAIL, "password": PASSWORD}
    answer = client.post("/sign-in", data=form, **({"headers": {"Referer": "https://localhost/"}} | environ))
    assert answer.status_code == 302
    return str(answer.headers["Set-Cookie"])


def test_cookies_are_for_https_only_where_it_is_used(made: Installation) -> None:
    """With a public address: bound to the host, never sent in the clear, not read by scripts."""
    pages = site(made.services(), PUBLIC)
    _account(pages)
    cookie = _cookie(pages, base_url="https://localhost")
    assert cookie.startswith("__Host-ksef=")
    for flag in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert flag in cookie
    assert "Domain" not in cookie


def test_cookies_work_without_https_on_this_machine(made: Installation) -> None:
    """Where there is nothing between the browser and the program."""
    pages = site(made.services())
    _account(pages)
    cookie = _cookie(pages)
    assert cookie.startswith("ksef=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie


def _account(pages: Site) -> None:
    with pages.services.database.begin() as session:
        add_user(session, EMAIL, PASSWORD, pages.services.clock(), is_admin=True)


def test_the_cookie_holds_neither_password_nor_address(made: Installation) -> None:
    """It can be read by whoever has it: it holds the browser's own secret only."""
    pages = site(made.services())
    _account(pages)
    value = _cookie(pages).split(";")[0].partition("=")[2]
    text = value.removeprefix(".").split(".")[0]
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    seen = zlib.decompress(raw).decode() if value.startswith(".") else raw.decode()
    assert "_user_id" in seen
    assert EMAIL not in seen
    assert PASSWORD not in seen


def test_hsts_is_told_over_https_only_and_when_asked_for(made: Installation) -> None:
    """A browser that is told so by mistake would not come back for a year."""
    over = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9", "X-Forwarded-Host": "k.example"}
    client = site(made.services(), BEHIND).app.test_client()
    assert client.get("/sign-in", headers=over).headers["Strict-Transport-Security"] == "max-age=31536000"
    assert "Strict-Transport-Security" not in client.get("/sign-in").headers
    quiet = site(made.services(), WebOptions(proxies=1, limits=False)).app.test_client()
    assert "Strict-Transport-Security" not in quiet.get("/sign-in", headers=over).headers


def test_forwarded_headers_are_believed_from_known_proxies_only(made: Installation) -> None:
    """Anybody can send them: without the setting they say nothing, with it the last proxy's word counts."""
    forged = {"X-Forwarded-For": "198.51.100.1, 203.0.113.9", "X-Forwarded-Proto": "https"}
    for options, address, scheme in (
        (WebOptions(limits=False), "127.0.0.1", "http"),
        (WebOptions(limits=False, proxies=1), "203.0.113.9", "https"),
    ):
        app = site(made.services(), options).app
        seen = _what_is_seen(app, forged)
        assert seen == [address, scheme]


def _what_is_seen(app: Flask, headers: dict[str, str]) -> list[str]:
    @app.get("/seen")
    def seen() -> str:
        return f"{request.remote_addr} {request.scheme}"

    return app.test_client().get("/seen", headers=headers).text.split()


def test_health_tells_strangers_nothing_but_whether_it_works(pages: Site) -> None:
    """Its details name sellers and stores: for this machine, and for owners of the installation."""
    client = pages.browser().client
    assert set(client.get("/health").json or {}) > {"status", "stores", "problems"}
    outside: dict[str, Any] = {"environ_base": {"REMOTE_ADDR": "203.0.113.9"}}
    assert client.get("/health", **outside).json == {"status": "ok"}
    relayed = {"X-Forwarded-For": "203.0.113.9"}
    assert client.get("/health", headers=relayed).json == {"status": "ok"}
    assert "stores" in (pages.user().client.get("/health", **outside).json or {})
    other = pages.user("jan@sklep.example", is_admin=False)
    assert other.client.get("/health", **outside).json == {"status": "ok"}


@pytest.mark.parametrize("target", AWAY)
def test_redirects_never_leave(pages: Site, target: str) -> None:
    """However the way out is written."""
    with pages.app.test_request_context("/"):
        assert safe_next(target) == "/"
        assert safe_next("/account?tab=1#x") == "/account?tab=1#x"


def test_every_page_that_sends_on_stays_here(pages: Site) -> None:
    """Sign-in, language, choice of a seller."""
    browser = pages.user()
    token = browser.token()
    for path in ("/language/en", "/seller"):
        for target in AWAY:
            form = {"csrf_token": token, "next": target}
            assert browser.client.post(path, data=form).headers["Location"] == "/", (path, target)
    answer = browser.client.get("/sign-in?next=//evil.example")
    assert answer.headers["Location"] == "/"
    answer = pages.browser().client.get("//evil.example/%2f..")
    assert answer.status_code in {302, 308, 404}
    assert not re.match(r"(https?:)?//(?!localhost)", answer.headers.get("Location", ""))


def test_what_is_too_large_is_refused_in_words(pages: Site) -> None:
    """Forms without files are small; whole requests end at the server's limit."""
    browser = pages.user()
    form = {"csrf_token": browser.token(), "name": "x" * (LARGEST_FORM + 1)}
    answer = browser.client.post("/account/profile", data=form)
    assert answer.status_code == 413
    assert "za duże" in answer.text
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.xml"\r\n\r\n'
    body = head + b"x" * (LARGEST_FORM + 1) + b"\r\n--x--\r\n"
    answer = browser.client.post(
        "/account/profile",
        data=body,
        content_type="multipart/form-data; boundary=x",
        headers={"X-CSRFToken": browser.token()},
    )
    assert answer.status_code == 413
    assert LARGEST_FORM < LARGEST_UPLOAD <= 32 * 1024 * 1024


def test_errors_say_nothing_of_the_inside(pages: Site) -> None:
    """A fault is in the log; the page has no traceback and echoes no address as markup."""

    @pages.app.get("/broken")
    def broken() -> str:
        raise RuntimeError("sekret z wnętrza")

    pages.app.config["PROPAGATE_EXCEPTIONS"] = False
    answer = pages.browser().client.get("/broken")
    assert answer.status_code == 500
    assert "sekret" not in answer.text
    assert "Traceback" not in answer.text
    missing = pages.browser().client.get("/<script>alert(1)</script>")
    assert missing.status_code == 404
    assert "<script>alert" not in missing.text
