"""Requests to a shop: signatures, refusals, broken answers, pauses. All over real HTTP."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from adapters.contract import (
    NotFound,
    ShopAuthFailed,
    ShopBusy,
    ShopError,
    ShopRefused,
    ShopUnavailable,
)
from adapters.http import Limits, shop_url
from adapters.woocommerce.client import Credentials
from sandbox.woocommerce import WooSandbox
from tests.woocommerce.servers import Clock, Connect, client_of, json_reply, serving


def test_signed_parameters_pass_the_real_check(shop: WooSandbox, connected: Connect) -> None:
    """Colons, commas and spaces in parameters are signed so that the shop's own check accepts them."""
    client = connected(shop)._client
    params = {"status": "processing, completed", "modified_after": "2026-01-01T00:00:00", "include": "15,23"}
    answer = client.get("orders", params)
    assert [item["id"] for item in answer.data if isinstance(item, dict)] == [23, 15]  # type: ignore[attr-defined]


@pytest.mark.parametrize("value", [[1, 2], "a/b", "50%", None])
def test_unsignable_parameters_are_refused_here(shop: WooSandbox, connected: Connect, value: Any) -> None:
    """Values whose signature the package gets wrong never leave the house."""
    with pytest.raises(ValueError, match="cannot be signed"):
        connected(shop)._client.get("orders", {"include": value})


def test_wrong_secret(shop: WooSandbox, connected: Connect) -> None:
    """A wrong secret is refused by the signature, with what to do about it."""
    with pytest.raises(ShopAuthFailed) as caught:
        connected(shop, consumer_secret="cs_wrong").order("15")
    assert caught.value.code == "woocommerce_rest_authentication_error"
    assert caught.value.hint


def test_wrong_key_as_recorded(shop: WooSandbox, connected: Connect, recording: Callable[[str], Any]) -> None:
    """An unknown key gives the recorded error body, and its code reaches the caller."""
    with pytest.raises(ShopAuthFailed) as caught:
        connected(shop, consumer_key="ck_wrong").order("15")
    recorded = recording("error_bad_key")
    assert (caught.value.code, caught.value.status) == (recorded["code"], 401)
    assert recorded["message"].rstrip(".") in caught.value.message


def test_clock_that_is_off(shop: WooSandbox, clock: Clock) -> None:
    """A signature by a clock that is 16 minutes late is refused, and the hint speaks of clocks."""
    keys = Credentials(shop.consumer_key, shop.consumer_secret)
    late = clock.now.replace(hour=11, minute=44)
    with client_of(shop.url, keys, clock=lambda: late) as client, pytest.raises(ShopAuthFailed) as caught:
        client.get("orders")
    assert "clock" in caught.value.hint


def test_missing_order(shop: WooSandbox, connected: Connect, recording: Callable[[str], Any]) -> None:
    """An order that is gone is NotFound with the recorded code."""
    with pytest.raises(NotFound) as caught:
        connected(shop).order("4711")
    assert caught.value.code == recording("error_not_found")["code"]


@pytest.mark.parametrize("order_id", ["", "abc", "15/notes", "../settings", "15?x=1", "١٥"])
def test_strange_ids_are_not_asked_for(shop: WooSandbox, connected: Connect, order_id: str) -> None:
    """An id that is no number never becomes part of an address."""
    with pytest.raises(NotFound):
        connected(shop).order(order_id)


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "http_500", "html", "truncate", "cut"])
def test_reading_is_tried_again(shop: WooSandbox, connected: Connect, pauses: list[float], kind: str) -> None:
    """Two spoiled answers are got over with growing pauses; a third one reaches the caller."""
    adapter = connected(shop)
    shop.fault(kind, times=2)
    assert adapter.order("15").id == "15"
    assert pauses == [1.0, 2.0]
    shop.fault(kind, times=3)
    with pytest.raises(ShopUnavailable) as caught:
        adapter.order("15")
    assert not caught.value.outcome_unknown
    assert adapter.order("15").id == "15"


@pytest.mark.parametrize("kind", ["http_429", "http_503"])
def test_a_short_pause_is_kept(shop: WooSandbox, connected: Connect, pauses: list[float], kind: str) -> None:
    """Retry-After of a few seconds is waited for exactly."""
    shop.fault(kind, value=7)
    assert connected(shop).order("15").id == "15"
    assert pauses == [7.0]


def test_a_long_pause_is_the_callers(shop: WooSandbox, connected: Connect, pauses: list[float]) -> None:
    """Retry-After of ten minutes fails at once and says how long to wait."""
    shop.fault("http_503", value=600)
    with pytest.raises(ShopBusy) as caught:
        connected(shop).order("15")
    assert (caught.value.retry_after, pauses) == (600.0, [])


def test_no_retry_after(shop: WooSandbox, connected: Connect, pauses: list[float]) -> None:
    """429 without a time is busy by default; 503 without a time is only unavailable."""
    adapter = connected(shop)
    shop.fault("http_429")
    with pytest.raises(ShopBusy):
        adapter.order("15")
    shop.fault("http_503", times=3)
    with pytest.raises(ShopUnavailable) as caught:
        adapter.order("15")
    assert not isinstance(caught.value, ShopBusy)


def test_retry_after_as_a_date() -> None:
    """Retry-After may be a date; what counts is the time from now."""
    reply = json_reply(b"{}", "503 Service Unavailable", Retry_After="Fri, 01 Jan 2100 00:00:00 GMT")
    with serving(reply) as host, client_of(f"http://{host}") as client:
        with pytest.raises(ShopBusy) as caught:
            client.get("orders")
        assert caught.value.retry_after == 86_400.0


def test_redirects_are_not_followed(shop: WooSandbox, connected: Connect) -> None:
    """A redirect is an error that names the other address without its query."""
    shop.fault("redirect")
    with pytest.raises(ShopRefused) as caught:
        connected(shop).order("15")
    assert "https://www.shop.example" in caught.value.message
    assert "oauth" not in caught.value.message


def test_firewall_page(shop: WooSandbox, connected: Connect) -> None:
    """A firewall's 403 page is no refusal by the shop: the order waits instead of being given up."""
    shop.fault("html", value=403, times=3)
    with pytest.raises(ShopUnavailable) as caught:
        connected(shop).order("15")
    assert "firewall" in caught.value.hint


def test_too_slow(shop: WooSandbox, connected: Connect) -> None:
    """A read timeout is unavailable; on a write the outcome is unknown."""
    adapter = connected(shop, limits=Limits(read=0.1, attempts=1))
    shop.fault("slow", times=2, value=0.5)
    with pytest.raises(ShopUnavailable) as caught:
        adapter.order("15")
    assert not caught.value.outcome_unknown
    with pytest.raises(ShopUnavailable) as caught:
        adapter._client.put("orders/15", {"meta_data": []})
    assert caught.value.outcome_unknown


def test_nobody_listens(connected: Connect) -> None:
    """A refused connection was certainly not a write."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with client_of(url) as client, pytest.raises(ShopUnavailable) as caught:
        client.post("orders/15/notes", {})
    assert not caught.value.outcome_unknown


@pytest.mark.parametrize("body", [b"", b"null", b"5", b'{"a": NaN}', b"[" * 100_000, b'{"a":', b"\xff\xfe"])
def test_not_json(body: bytes) -> None:
    """Whatever is not a JSON object or list is a broken answer."""
    with serving(json_reply(body)) as host, client_of(f"http://{host}") as client:
        with pytest.raises(ShopUnavailable) as caught:
            client.post("orders/15/notes", {})
        assert caught.value.outcome_unknown


def test_fractions_stay_exact() -> None:
    """Numbers with a fraction are decimals, and a byte order mark before the JSON does not matter."""
    reply = json_reply(b'\xef\xbb\xbf{"price": 35.460704666666665}')
    with serving(reply) as host, client_of(f"http://{host}") as client:
        assert client.get("x").data == {"price": Decimal("35.460704666666665")}


def test_too_large() -> None:
    """An answer over the size limit is dropped, not swallowed."""
    limits = Limits(max_bytes=1000, attempts=1)
    reply = json_reply(b'["' + b"x" * 5000 + b'"]')
    with (
        serving(reply) as host,
        client_of(f"http://{host}", limits=limits) as client,
        pytest.raises(ShopUnavailable, match="larger than 1000 bytes"),
    ):
        client.get("orders")


def test_no_rest_api() -> None:
    """A WordPress without WooCommerce is refused with a hint about permalinks."""
    body = b'{"code":"rest_no_route","message":"No route was found.","data":{"status":404}}'
    with (
        serving(json_reply(body, "404 Not Found")) as host,
        client_of(f"http://{host}") as client,
        pytest.raises(ShopRefused) as caught,
    ):
        client.get("orders")
    assert not isinstance(caught.value, NotFound)
    assert "Permalinks" in caught.value.hint


def test_one_connection_for_all() -> None:
    """Requests share a kept-alive connection, name parameters once, and keep no cookies."""
    seen: list[tuple[int, str, bool]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            seen.append((self.client_address[1], self.path, "Cookie" in self.headers))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.send_header("Set-Cookie", "a=b")
            self.end_headers()
            self.wfile.write(b"[]")

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        with client_of(f"http://127.0.0.1:{server.server_port}") as client:
            client.get("orders", {"page": 1})
            client.get("orders", {"page": 2})
        server.shutdown()
        thread.join()
    assert len({port for port, _, _ in seen}) == 1
    assert all(path.count("page=") == 1 and path.count("oauth_nonce=") == 1 for _, path, _ in seen)
    assert not any(cookie for _, _, cookie in seen)


def test_secrets_stay_inside(shop: WooSandbox, connected: Connect, caplog: pytest.LogCaptureFixture) -> None:
    """No key, signature or query shows in errors, their context, representations or our logs."""
    adapter = connected(shop)
    shop.fault("drop_before", times=3)
    with caplog.at_level(logging.DEBUG, logger="adapters"), pytest.raises(ShopError) as caught:
        adapter.order("15")
    error: BaseException | None = caught.value
    while error is not None:
        shown = f"{error!r} {error.args}"
        assert "oauth" not in shown
        assert shop.consumer_secret not in shown
        error = error.__cause__ or error.__context__
    shown = f"{adapter._client!r} {adapter._client._credentials!r} {caplog.text}"
    assert shop.consumer_secret not in shown
    assert shop.consumer_key not in shown


@pytest.mark.parametrize(
    ("text", "url"),
    [
        (" https://sklep.example/ ", "https://sklep.example"),
        ("https://sklep.example/pl/wp-json/wc/v3/", "https://sklep.example/pl"),
        ("http://127.0.0.1:8081", "http://127.0.0.1:8081"),
    ],
)
def test_shop_url(text: str, url: str) -> None:
    """A merchant's address is tidied."""
    assert shop_url(text, "/wp-json") == url


@pytest.mark.parametrize(
    "text",
    [
        "sklep.example",
        "ftp://sklep.example",
        "https://",
        "https://a:b@sklep.example",
        "https://x?y",
        "http://[",
        "http://x:99999",
    ],
)
def test_wrong_shop_url(text: str) -> None:
    """What is no plain address is refused with an example."""
    with pytest.raises(ShopError, match=r"https://shop\.example"):
        shop_url(text, "/wp-json")
