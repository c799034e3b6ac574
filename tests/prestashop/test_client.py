"""Requests to a webservice: keys, refusals, broken answers, pauses. All over real HTTP."""

from __future__ import annotations

import base64
import logging
import socket
from collections.abc import Callable

import pytest

from adapters.contract import (
    Channel,
    Message,
    NotFound,
    ShopAuthFailed,
    ShopBusy,
    ShopError,
    ShopRefused,
    ShopUnavailable,
)
from adapters.http import Limits, shop_url
from adapters.prestashop import connect
from adapters.prestashop.client import BrokenXml, Credentials, PrestaClient
from sandbox.prestashop import PrestaSandbox, demo_data
from tests.prestashop.bundles import DATA
from tests.prestashop.conftest import Connect
from tests.prestashop.counting import listening
from tests.woocommerce.servers import Clock, Reply, serving


def client_to(host: str) -> PrestaClient:
    """A client that does not really pause."""
    return PrestaClient(f"http://{host}", Credentials("K" * 32), sleep=lambda _seconds: None)


def reply(body: bytes, status: str = "200 OK", **headers: str) -> Reply:
    """A fixed answer."""
    sent = [("Content-Type", "text/xml"), *((name.replace("_", "-"), text) for name, text in headers.items())]
    return lambda _environ: (status, sent, body)


def failure_of(body: bytes, status: str, **headers: str) -> ShopError:
    """What a client makes of an answer."""
    with serving(reply(body, status, **headers)) as host:
        client = client_to(host)
        with pytest.raises(ShopError) as caught:
            client.get("orders")
        client.close()
    return caught.value


def test_the_key_is_the_user_of_basic_authentication(connected: Connect, clock: Clock) -> None:
    """Header by default, with an empty password, and nothing of it in the address."""
    with listening(demo_data(), clock=clock) as shop:
        connected(shop).order("10")
    expected = base64.b64encode(f"{shop.key}:".encode()).decode()
    assert {one["HTTP_AUTHORIZATION"] for one in shop.headers} == {f"Basic {expected}"}
    assert not any("ws_key" in query for query in shop.queries)


def test_a_host_that_drops_the_header(connected: Connect, clock: Clock) -> None:
    """The refusal names the entry that helps, and with it the key travels in the query."""
    with listening(demo_data(), clock=clock, drops_header=True) as shop:
        with pytest.raises(ShopAuthFailed) as caught:
            connected(shop).order("10")
        assert "query_string_auth" in caught.value.hint
        shop.headers.clear()
        assert connected(shop, query_string_auth="yes").order("10").id == "10"
    assert not any("HTTP_AUTHORIZATION" in one for one in shop.headers)


def test_a_wrong_key_as_recorded(shop: PrestaSandbox, connected: Connect) -> None:
    """The shop's own words and code reach the caller."""
    with pytest.raises(ShopAuthFailed) as caught:
        connected(shop, key="C3" * 16).order("10")
    assert (caught.value.code, caught.value.status) == ("20", 401)
    assert "Authentification key is not active" in caught.value.message
    assert "32 characters" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "status", "kind", "code"),
    [
        ("error_bad_key", "401 Unauthorized", ShopAuthFailed, "20"),
        ("error_bad_field", "500 Internal Server Error", ShopRefused, "35"),
    ],
)
def test_recorded_refusals(name: str, status: str, kind: type[ShopError], code: str) -> None:
    """A recorded error is told by its code, PHP's warnings beside it are passed over."""
    failure = failure_of((DATA / f"{name}.xml").read_bytes(), status)
    assert type(failure) is kind
    assert getattr(failure, "code", None) == code


def error(code: int, message: str = "so") -> bytes:
    """An answer with one error."""
    body = f"<errors><error><code>{code}</code><message>{message}</message></error></errors>"
    return f"<?xml version='1.0'?><prestashop>{body}</prestashop>".encode()


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        (b"401 Unauthorized", "401 Unauthorized", ShopAuthFailed),
        (b"", "404 Not Found", NotFound),
        (error(131), "404 Not Found", NotFound),
        (b"<html>no such page</html>", "404 Not Found", ShopUnavailable),
        (error(27), "400 Bad Request", ShopRefused),
        (error(41), "400 Bad Request", ShopRefused),
        (error(32), "500 Internal Server Error", ShopRefused),
        (error(127), "500 Internal Server Error", ShopRefused),
        (error(3), "500 Internal Server Error", ShopUnavailable),
        (b"", "500 Internal Server Error", ShopUnavailable),
        (error(25), "405 Method Not Allowed", ShopAuthFailed),
        (error(26), "401 Unauthorized", ShopAuthFailed),
        (error(132), "403 Forbidden", ShopAuthFailed),
        (b"<html>blocked</html>", "403 Forbidden", ShopUnavailable),
        (b"", "503 Service Unavailable", ShopUnavailable),
    ],
)
def test_what_an_answer_means(body: bytes, status: str, kind: type[ShopError]) -> None:
    """Each way in which the webservice, PHP or a firewall says no has its own error."""
    assert type(failure_of(body, status)) is kind


def test_a_webservice_that_is_off(connected: Connect, clock: Clock) -> None:
    """503 with the webservice's own code is no pause but a switch, and the hint names it."""
    with PrestaSandbox(demo_data(), clock=clock, enabled=False) as shop:
        with pytest.raises(ShopRefused) as caught:
            connected(shop).order("10")
        assert "Enable PrestaShop's webservice" in caught.value.hint


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "http_500", "html", "truncate", "cut"])
def test_reading_is_tried_again(
    shop: PrestaSandbox, connected: Connect, pauses: list[float], kind: str
) -> None:
    """Two spoiled answers are got over with growing pauses; a third one reaches the caller."""
    adapter = connected(shop, time_zone="Europe/Warsaw")
    shop.fault(kind, times=2)
    assert adapter.order("10").id == "10"
    assert pauses == [1.0, 2.0]
    shop.fault(kind, path="orders", times=99)
    with pytest.raises(ShopUnavailable) as caught:
        adapter.order("10")
    assert not caught.value.outcome_unknown


@pytest.mark.parametrize("kind", ["http_429", "http_503"])
def test_a_short_pause_is_kept(
    shop: PrestaSandbox, connected: Connect, pauses: list[float], kind: str
) -> None:
    """Retry-After of a few seconds is waited for exactly."""
    shop.fault(kind, value=7)
    assert connected(shop).order("10").id == "10"
    assert pauses == [7.0]


def test_a_long_pause_is_the_callers(shop: PrestaSandbox, connected: Connect, pauses: list[float]) -> None:
    """Retry-After of ten minutes fails at once and says how long to wait."""
    shop.fault("http_503", value=600)
    with pytest.raises(ShopBusy) as caught:
        connected(shop).order("10")
    assert (caught.value.retry_after, pauses) == (600.0, [])


def test_redirects_are_not_followed(shop: PrestaSandbox, connected: Connect) -> None:
    """A redirect is an error that names the other address without its query."""
    shop.fault("redirect")
    with pytest.raises(ShopRefused) as caught:
        connected(shop).order("10")
    assert "https://www.shop.example" in caught.value.message
    assert "signature" not in caught.value.message


def test_an_answer_that_is_too_large() -> None:
    """It is dropped, not swallowed, and tried no more often than other bad answers."""
    limits = Limits(max_bytes=1000)
    asked: list[int] = []

    def large(_environ: object) -> tuple[str, list[tuple[str, str]], bytes]:
        asked.append(1)
        return "200 OK", [], b"<prestashop>" + b" " * 5000 + b"</prestashop>"

    with serving(large) as host:
        client = PrestaClient(
            f"http://{host}", Credentials("K" * 32), limits=limits, sleep=lambda _seconds: None
        )
        with pytest.raises(ShopUnavailable, match="larger than 1000 bytes"):
            client.get("orders")
        client.close()
    assert len(asked) == limits.attempts


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"<prestashop>",
        b"<html/>",
        b"<!DOCTYPE a [<!ENTITY b 'c'>]><prestashop>&b;</prestashop>",
        b"Warning: Undefined variable in x.php<prestashop/>",
        error(3),
    ],
)
def test_good_status_and_no_answer(body: bytes) -> None:
    """Whatever is not an answer of the webservice is a broken one; after a write the outcome is open."""
    with serving(reply(body)) as host:
        client = client_to(host)
        with pytest.raises(BrokenXml) as caught:
            client.post("customer_messages", b"<prestashop/>")
        client.close()
    assert caught.value.outcome_unknown


def test_what_stands_around_the_xml_does_no_harm() -> None:
    """Byte order mark, empty lines and control characters of buyers' texts are got over."""
    order = b"<order><id>1</id><note>a\x0bb</note></order>"
    body = b"\xef\xbb\xbf\n<?xml version='1.0'?><prestashop>" + order + b"</prestashop>"
    with serving(reply(body)) as host:
        client = client_to(host)
        (found,) = client.get("orders/1").resources()
        client.close()
    assert found.text("note") == "a b"


def test_nobody_listens() -> None:
    """A refused connection was certainly not a write."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{free.getsockname()[1]}"
    client = client_to(host)
    with pytest.raises(ShopUnavailable) as caught:
        client.post("customer_messages", b"<prestashop/>")
    assert not caught.value.outcome_unknown


@pytest.mark.parametrize("way", ["no", "yes"])
def test_secrets_stay_inside(
    shop: PrestaSandbox, connected: Connect, caplog: pytest.LogCaptureFixture, way: str
) -> None:
    """No key and no query shows in errors, their context, representations or our logs."""
    adapter = connected(shop, query_string_auth=way)
    shop.fault("drop_before", times=3)
    with caplog.at_level(logging.DEBUG, logger="adapters"), pytest.raises(ShopError) as caught:
        adapter.order("10")
    error: BaseException | None = caught.value
    shown = f"{adapter._client!r} {adapter._client._credentials!r} {caplog.text}"
    while error is not None:
        shown += f"{error!r} {error.args}"
        error = error.__cause__ or error.__context__
    assert shop.key not in shown
    assert "ws_key" not in shown


@pytest.mark.parametrize("order_id", ["", "abc", "10/x", "../customers", "10?x=1", "١٠"])
def test_strange_ids_are_not_asked_for(connected: Connect, clock: Clock, order_id: str) -> None:
    """An id that is no number never becomes part of an address."""
    with listening(demo_data(), clock=clock) as shop:
        adapter = connected(shop, time_zone="Europe/Warsaw")
        asks: tuple[Callable[[], object], ...] = (
            lambda: adapter.order(order_id),
            lambda: adapter.publish(order_id, Channel.CUSTOMER_NOTE, Message("a", "a")),
        )
        for ask in asks:
            with pytest.raises(NotFound):
                ask()
        assert shop.requests == []


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({}, "url"),
        ({"url": "https://sklep.example"}, "key"),
        ({"url": "sklep.example", "key": "K"}, "https://shop.example"),
        ({"url": "https://sklep.example", "key": "K", "employee": "x"}, "employee"),
        ({"url": "https://sklep.example", "key": "K", "invoice_state": "-1"}, "invoice_state"),
        ({"url": "https://sklep.example", "key": "K", "private_note": "maybe"}, "private_note"),
        ({"url": "https://sklep.example", "key": "K", "time_zone": "Mars/Base"}, "time_zone"),
    ],
)
def test_configuration_is_checked_before_anything_is_asked(config: dict[str, str], said: str) -> None:
    """A value that is missing or malformed is named."""
    with pytest.raises(ShopError) as caught:
        connect(config)
    assert said in caught.value.message


def test_addresses_are_tidied() -> None:
    """A merchant may paste the address of the webservice itself."""
    assert shop_url("https://sklep.example/pl/api/", "/api") == "https://sklep.example/pl"
    assert shop_url("https://sklep.example/apiary", "/api") == "https://sklep.example/apiary"
