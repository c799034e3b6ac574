"""What the client makes of every answer, over real HTTP."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapters.contract import (
    NotFound,
    ShopAuthFailed,
    ShopBusy,
    ShopError,
    ShopRefused,
    ShopUnavailable,
    UnreadableOrder,
)
from adapters.shopify import ShopifyAdapter, connect
from adapters.shopify.transport import Limits, shop_url
from sandbox.shopify import ShopifySandbox
from sandbox.shopify.cost import BUCKET
from sandbox.shopify.shapes import Json, line, order, tax
from sandbox.shopify.state import Token
from tests.shopify.conftest import Clock, Connect
from tests.woocommerce.servers import json_reply, serving


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "http_500", "truncate", "cut", "html"])
def test_reads_are_repeated(
    shop: ShopifySandbox, adapter: ShopifyAdapter, pauses: list[float], kind: str
) -> None:
    shop.fault(kind, "OrderFull", times=2)
    assert adapter.order("1001").id == "1001"
    assert pauses == [1.0, 2.0]


@pytest.mark.parametrize("kind", ["drop_before", "http_500", "cut", "html"])
def test_a_shop_that_stays_down(shop: ShopifySandbox, adapter: ShopifyAdapter, kind: str) -> None:
    shop.fault(kind, "OrderFull", times=99)
    with pytest.raises(ShopUnavailable) as caught:
        adapter.order("1001")
    assert not caught.value.outcome_unknown
    assert shop.calls.count("OrderFull") == Limits().attempts


def test_too_slow(shop: ShopifySandbox, connected: Connect) -> None:
    shop.fault("slow", "OrderFull", value=0.4)
    with pytest.raises(ShopUnavailable, match="did not answer in time"):
        connected(shop, limits=Limits(read=0.1, attempts=1)).order("1001")


def test_too_large(shop: ShopifySandbox, connected: Connect) -> None:
    with pytest.raises(ShopUnavailable, match="larger than 1000 bytes"):
        connected(shop, limits=Limits(max_bytes=1000, attempts=1)).order("1001")


@pytest.mark.parametrize(
    ("kind", "value", "waited"), [("http_429", None, 2.0), ("http_429", 7, 7.0), ("http_503", 5, 5.0)]
)
def test_pauses_that_the_shop_asks_for(
    shop: ShopifySandbox, adapter: ShopifyAdapter, pauses: list[float], kind: str, value: float, waited: float
) -> None:
    shop.fault(kind, "OrderFull", value=value)
    adapter.order("1001")
    assert pauses == [waited]


def test_long_pauses_are_left_to_the_caller(shop: ShopifySandbox, adapter: ShopifyAdapter) -> None:
    shop.fault("http_429", "OrderFull", value=600)
    with pytest.raises(ShopBusy) as caught:
        adapter.order("1001")
    assert caught.value.retry_after == 600


def test_throttled(shop: ShopifySandbox, adapter: ShopifyAdapter, pauses: list[float]) -> None:
    """THROTTLED comes with 200; the wait is as long as the bucket needs."""
    shop.shop.throttled = 2
    assert adapter.order("1001").id == "1001"
    assert len(pauses) == 2


def test_the_bucket_is_not_emptied(
    shop: ShopifySandbox, adapter: ShopifyAdapter, pauses: list[float], clock: Clock
) -> None:
    """A long backfill waits by itself: the shop never has to refuse, and a tenth stays for others."""
    started = clock.now
    lowest = BUCKET

    def look(_name: str) -> None:
        nonlocal lowest
        lowest = min(lowest, shop.shop.bucket.available)

    shop.shop.before = look
    for _ in range(2):
        assert len(list(adapter.changed_orders(None))) == 12
    assert pauses
    assert lowest >= BUCKET * 0.1
    assert shop.calls.count("OrderFull") == 24
    assert (clock.now - started).total_seconds() == pytest.approx(sum(pauses))


def test_too_dear_queries_get_shorter(shop: ShopifySandbox, adapter: ShopifyAdapter) -> None:
    """Where the shop counts more than we think, lists are halved until a query is affordable."""
    whole = adapter.order("1004")
    shop.shop.most_per_query = 380
    assert adapter.order("1004") == whole
    assert shop.calls.count("OrderLines") >= (len(whole.lines) - 2) // 5


def test_internal_error_of_graphql(
    shop: ShopifySandbox, adapter: ShopifyAdapter, pauses: list[float]
) -> None:
    shop.shop.failing = 1
    assert adapter.order("1001").id == "1001"
    assert pauses == [1.0]


def test_wrong_token(shop: ShopifySandbox, connected: Connect) -> None:
    with pytest.raises(ShopAuthFailed) as caught:
        connected(shop, access_token="shpat_wrong").order("1001")
    assert caught.value.status == 401
    assert "shpat_wrong" not in f"{caught.value!r} {caught.value.message} {caught.value.hint}"


@pytest.mark.parametrize(
    ("scopes", "missing"),
    [
        ({"write_orders", "read_customers"}, "read_orders"),
        ({"read_orders", "write_orders"}, "read_customers"),
    ],
)
def test_missing_scope(shop: ShopifySandbox, adapter: ShopifyAdapter, scopes: set[str], missing: str) -> None:
    """Data that comes beside an error is not used: a buyer that was left out would be no buyer."""
    shop.state.orders["gid://shopify/Order/1001"]["customer"] = {"id": "gid://shopify/Customer/1", "tags": []}
    shop.state.tokens[shop.token] = Token(frozenset(scopes))
    with pytest.raises(ShopAuthFailed) as caught:
        adapter.order("1001")
    assert caught.value.code == "ACCESS_DENIED"
    assert missing in caught.value.hint


def test_redirects_are_not_followed(shop: ShopifySandbox, adapter: ShopifyAdapter) -> None:
    """The token must not go to another address."""
    shop.fault("redirect", "OrderFull")
    with pytest.raises(ShopRefused, match=r"redirects to www\.shop\.example") as caught:
        adapter.order("1001")
    assert "secret" not in caught.value.message


def test_nobody_there(clock: Clock) -> None:
    with ShopifySandbox() as gone:
        url = gone.url
    adapter = connect({"url": url, "access_token": "t"}, sleep=lambda _: None, clock=clock)
    with pytest.raises(ShopUnavailable, match="no connection"):
        adapter.order("1")
    adapter.close()


@pytest.mark.parametrize("order_id", ["4711", "", "abc", "1/../2", "gid://shopify/Order/1001", "١"])
def test_no_such_order(adapter: ShopifyAdapter, order_id: str) -> None:
    with pytest.raises(NotFound):
        adapter.order(order_id)


def test_an_order_that_is_no_order(shop: ShopifySandbox, adapter: ShopifyAdapter) -> None:
    shop.state.orders["gid://shopify/Order/1001"]["id"] = "gid://shopify/Order/9"
    with pytest.raises(UnreadableOrder, match="gave order 9 for order 1001"):
        adapter.order("1001")


def connection(**fields: Any) -> Json:
    return {"nodes": [], "pageInfo": {"hasNextPage": False, "endCursor": None}} | fields


MORE = {"hasNextPage": True, "endCursor": "x"}
WHOLE = order(1, [line(1, "1.23", tax("23", "0.23"))], "1.23", "0.23")
HOSTILE: list[object] = [
    [],
    {},
    None,
    "data",
    {"data": None},
    {"data": []},
    {"data": {}},
    {"data": {"order": 1}},
    {"data": {"order": []}},
    {"data": {"order": {}}},
    {"data": {"order": {"lineItems": connection(pageInfo=MORE)}}},
    {"data": {"order": {"lineItems": {"pageInfo": MORE}}}},
    {"data": {"order": {"lineItems": {"pageInfo": MORE, "nodes": 1}}}},
    {"data": {"order": {"lineItems": connection(), "edited": True, "agreements": connection(nodes=[1])}}},
    {"data": {"order": WHOLE | {"edited": True, "agreements": connection(pageInfo=None)}}},
    {
        "data": {
            "order": WHOLE | {"edited": True, "agreements": connection(nodes=[{"sales": {"pageInfo": MORE}}])}
        }
    },
    {"data": {"order": WHOLE | {"lineItems": None}}},
    {"errors": "no"},
    {"errors": [1, None]},
    {"errors": [{"message": None, "extensions": None}]},
    {"errors": [{"message": "x", "extensions": {"code": ["a"]}}]},
    {"errors": [{"message": "x", "extensions": {"code": "MAX_COST_EXCEEDED"}}]},
    {"data": {"order": WHOLE | {"id": "gid://shopify/Order/2"}}, "extensions": {"cost": "much"}},
    {"data": {"order": None}, "extensions": {"cost": {"requestedQueryCost": "x", "throttleStatus": []}}},
]


@pytest.mark.parametrize("answer", HOSTILE, ids=range(len(HOSTILE)))
def test_answers_that_no_shop_should_give(answer: object) -> None:
    """Whatever comes, the error is one that callers expect."""
    with serving(json_reply(json.dumps(answer).encode())) as host:
        adapter = connect({"url": f"http://{host}", "access_token": "t"}, sleep=lambda _: None)
        with pytest.raises(ShopError):
            adapter.order("1")
        adapter.close()


def test_budget_that_never_refills(pauses: list[float]) -> None:
    """A shop that asks for hours is left to the caller; nobody sleeps that long inside a call."""
    status = {"maximumAvailable": 1000, "currentlyAvailable": 0, "restoreRate": 0.0001}
    cost = {"requestedQueryCost": 700, "throttleStatus": status}
    whole = WHOLE | {"lineItems": connection(nodes=WHOLE["lineItems"]["nodes"])}
    body = json.dumps({"data": {"order": whole}, "extensions": {"cost": cost}}).encode()
    with serving(json_reply(body)) as host:
        adapter = connect({"url": f"http://{host}", "access_token": "t"}, sleep=pauses.append)
        assert adapter.order("1").id == "1"
        with pytest.raises(ShopBusy) as caught:
            adapter.order("1")
        adapter.close()
    assert caught.value.retry_after == 86_400
    assert pauses == []


def test_lists_that_do_not_move_on() -> None:
    """Orders and webhooks alike: the same cursor again is no next page."""
    body = {"orders": connection(pageInfo=MORE), "webhookSubscriptions": connection(pageInfo=MORE)}
    with serving(json_reply(json.dumps({"data": body}).encode())) as host:
        adapter = connect({"url": f"http://{host}", "access_token": "t"}, sleep=lambda _: None)
        hooks = adapter.webhooks
        assert hooks is not None
        for ask in (lambda: list(adapter.changed_orders(None)), lambda: hooks.health("https://a.example")):
            with pytest.raises(ShopUnavailable, match="does not move on"):
                ask()
        adapter.close()


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("sklep-testowy", "https://sklep-testowy.myshopify.com"),
        ("sklep.myshopify.com", "https://sklep.myshopify.com"),
        (" https://Sklep.myshopify.com/ ", "https://sklep.myshopify.com"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
    ],
)
def test_addresses(typed: str, url: str) -> None:
    assert shop_url(typed) == url


@pytest.mark.parametrize(
    "typed",
    [
        "https://sklep.example",
        "http://sklep.myshopify.com",
        "https://sklep.myshopify.com.evil.example",
        "https://evil.example/sklep.myshopify.com",
        "https://a@sklep.myshopify.com",
        "https://sklep.myshopify.com:8443",
        "https://sklep.myshopify.com?x=1",
        "http://127.0.0.1",
        "a.b.myshopify.com",
        "https://[",
    ],
)
def test_the_token_goes_to_shopify_only(typed: str) -> None:
    with pytest.raises(ShopError):
        shop_url(typed)


CONFIG: dict[str, str] = {"url": "sklep", "access_token": "shpat_1"}


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"url": "sklep"},
        {"url": "sklep", "client_id": "x"},
        {"access_token": "shpat_1"},
        CONFIG | {"money": "dollars"},
        CONFIG | {"access_token_expires_at": "soon"},
        CONFIG | {"refresh_token": "shprt_1"},
        CONFIG | {"refresh_token": "shprt_1", "client_id": "x", "client_secret": "y"},
    ],
)
def test_configurations_that_cannot_work(config: Any) -> None:
    with pytest.raises(ShopError) as caught:
        connect(config)
    assert "shpat_1" not in caught.value.message
