"""Client credentials, rotating tokens and the installation of the app."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from adapters.contract import ForgedEvent, ShopAuthFailed, ShopError, ShopUnavailable
from adapters.registry import connect as registry_connect
from adapters.shopify.oauth import authorize_url, check_callback, exchange_code
from adapters.shopify.tokens import App, Grant
from sandbox.shopify import ShopifySandbox
from tests.shopify.conftest import Clock, Connect

APP = {"client_id": ShopifySandbox.client_id, "client_secret": ShopifySandbox.client_secret}
TOKENS = "access_token"


def test_client_credentials_are_asked_for_once(
    shop: ShopifySandbox, connected: Connect, clock: Clock
) -> None:
    """A token is kept for its 24 hours in memory, then renewed."""
    adapter = connected(shop, access_token="", **APP)
    for _ in range(3):
        adapter.order("1001")
    assert shop.calls.count(TOKENS) == 1
    clock.forward(24 * 3600)
    adapter.order("1001")
    assert shop.calls.count(TOKENS) == 2


def test_a_token_that_was_taken_back_is_renewed(shop: ShopifySandbox, connected: Connect) -> None:
    adapter = connected(shop, access_token="", **APP)
    adapter.order("1001")
    shop.state.tokens.clear()
    assert adapter.order("1001").id == "1001"
    assert shop.calls.count(TOKENS) == 2


def test_wrong_client_secret(shop: ShopifySandbox, connected: Connect) -> None:
    adapter = connected(shop, access_token="", client_id=shop.client_id, client_secret="shpss_wrong")
    with pytest.raises(ShopAuthFailed) as caught:
        adapter.order("1001")
    assert "organisation" in caught.value.hint
    assert "shpss_wrong" not in repr(caught.value) + caught.value.message


class Store:
    """A store's configuration that a test watches."""

    def __init__(self, shop: ShopifySandbox, clock: Clock) -> None:
        with shop.state.lock:
            given = shop.state.grant(rotating=True)
        ends = clock.now + timedelta(seconds=given["expires_in"])
        self.config = {
            **APP,
            "access_token": given["access_token"],
            "refresh_token": given["refresh_token"],
            "access_token_expires_at": ends.isoformat(),
        }
        self.saved: list[dict[str, str]] = []
        self.broken = False

    def save(self, changes: Mapping[str, str]) -> None:
        if self.broken:
            raise OSError("disk full")
        self.saved.append(dict(changes))
        self.config |= changes

    def load(self) -> Mapping[str, str]:
        return self.config


def test_rotating_tokens(shop: ShopifySandbox, connected: Connect, clock: Clock) -> None:
    """Each refresh token works once; what comes for it is stored before it is used."""
    store = Store(shop, clock)
    adapter = connected(shop, save_config=store.save, **store.config)
    adapter.order("1001")
    assert store.saved == []
    known: list[str] = []
    shop.shop.before = lambda _name: known.append(store.config["access_token"])
    for hours in range(1, 4):
        clock.forward(3600)
        adapter.order("1001")
        assert len(store.saved) == hours
        # the token of the request is the one that is stored already
        assert known[-1] == store.saved[-1]["access_token"]
        assert shop.state.refresh_tokens == {store.config["refresh_token"]}
    assert datetime.fromisoformat(store.config["access_token_expires_at"]) > clock.now


def test_a_token_that_could_not_be_stored_is_not_used(
    shop: ShopifySandbox, connected: Connect, clock: Clock
) -> None:
    """It is kept and stored at the next try; the used refresh token is not sent again."""
    store = Store(shop, clock)
    adapter = connected(shop, save_config=store.save, **store.config)
    clock.forward(3600)
    store.broken = True
    for _ in range(2):
        with pytest.raises(OSError, match="disk full"):
            adapter.order("1001")
    assert "OrderFull" not in shop.calls
    store.broken = False
    adapter.order("1001")
    assert len(store.saved) == 1
    assert shop.calls.count(TOKENS) == 1


def test_a_token_that_another_process_renewed(shop: ShopifySandbox, connected: Connect, clock: Clock) -> None:
    """The stored one is taken over, and the refresh token that is used up is left alone."""
    store = Store(shop, clock)
    adapters = [
        connected(shop, save_config=store.save, load_config=store.load, **store.config) for _ in range(2)
    ]
    clock.forward(3600)
    for adapter in adapters:
        adapter.order("1001")
    assert shop.calls.count(TOKENS) == 1


def test_a_used_refresh_token(shop: ShopifySandbox, connected: Connect, clock: Clock) -> None:
    store = Store(shop, clock)
    adapter = connected(shop, save_config=store.save, **store.config)
    shop.state.refresh_tokens.clear()
    clock.forward(3600)
    with pytest.raises(ShopAuthFailed) as caught:
        adapter.order("1001")
    assert "new installation" in caught.value.hint
    assert store.saved == []


def test_registry_hands_the_place_to_store(shop: ShopifySandbox, clock: Clock) -> None:
    store = Store(shop, clock)
    config = store.config | {"url": shop.url}
    registry_connect("shopify", config, save_config=store.save, load_config=store.load).close()
    with pytest.raises(ShopError, match="place to store"):
        registry_connect("shopify", config)


@pytest.mark.parametrize("kind", ["drop_after", "html", "http_500"])
def test_token_endpoint_that_fails(shop: ShopifySandbox, connected: Connect, kind: str) -> None:
    adapter = connected(shop, access_token="", **APP)
    shop.fault(kind, TOKENS)
    with pytest.raises(ShopUnavailable):
        adapter.order("1001")
    assert adapter.order("1001").id == "1001"


def test_secrets_are_never_shown() -> None:
    grant, app = Grant("shpat_x", None, "shprt_y"), App("id", "shpss_z")
    assert not {"shpat_x", "shprt_y", "shpss_z"} & set(f"{grant!r} {app!r}".replace("'", " ").split())


NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
STATE = "s" * 40


def callback(secret: str = "shpss_new", **changes: str) -> dict[str, str]:
    """A callback as Shopify signs it."""
    params = {
        "code": "c0de",
        "shop": "sklep.myshopify.com",
        "state": STATE,
        "timestamp": str(int(NOW.timestamp())),
        "host": "YWRtaW4=",
    } | changes
    message = "&".join(f"{key}={params[key]}" for key in sorted(params))
    return params | {"hmac": hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest()}


def checked(params: dict[str, str], now: datetime = NOW) -> str:
    return check_callback(params, ["shpss_new", "shpss_old"], state=STATE, shop="sklep", now=now)


def test_authorize_url() -> None:
    url = urlsplit(authorize_url("sklep", "app", "https://faktury.example/shopify/callback", STATE))
    assert (url.scheme, url.netloc, url.path) == ("https", "sklep.myshopify.com", "/admin/oauth/authorize")
    query = parse_qs(url.query)
    assert query["state"] == [STATE]
    assert query["scope"] == ["read_orders,write_orders,read_customers"]
    assert query["redirect_uri"] == ["https://faktury.example/shopify/callback"]


@pytest.mark.parametrize("secret", ["shpss_new", "shpss_old"])
def test_callback(secret: str) -> None:
    """Both secrets count while they are rotated."""
    assert checked(callback(secret)) == "c0de"


@pytest.mark.parametrize(
    "params",
    [
        callback("shpss_other"),
        callback() | {"code": "other"},
        callback() | {"hmac": ""},
        callback(state="other"),
        callback(state=""),
        callback(shop="inny.myshopify.com"),
        callback(shop="sklep.myshopify.com.evil.example"),
        callback(timestamp="0"),
        callback(timestamp="soon"),
        callback(timestamp=str(int(NOW.timestamp()) - 3600)),
        {},
    ],
)
def test_forged_callbacks(params: dict[str, str]) -> None:
    with pytest.raises(ForgedEvent):
        checked(params)


def test_callback_without_consent() -> None:
    with pytest.raises(ShopError, match="did not agree"):
        checked(callback(code=""))


def test_code_is_exchanged_once(shop: ShopifySandbox, connected: Connect, clock: Clock) -> None:
    shop.state.codes.add("c0de")
    app = App(shop.client_id, shop.client_secret)
    grant = exchange_code(shop.url, app, "c0de", clock=clock)
    assert grant.scope == "read_customers,read_orders,write_orders"
    config = APP | grant.as_config()
    assert connected(shop, save_config=lambda _: None, **config).order("1001").id == "1001"
    with pytest.raises(ShopAuthFailed):
        exchange_code(shop.url, app, "c0de", clock=clock)
