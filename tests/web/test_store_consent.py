"""Keys by consent in the shop: Shopify's installation and WooCommerce's one click."""

from __future__ import annotations

import hashlib
import hmac
import html
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from sqlalchemy import select

from connector_app.store.consents import PendingConsent
from connector_app.store.models import Store
from connector_app.web.app import WebOptions
from sandbox.shopify import ShopifySandbox
from tests.pipeline.shopify_world import ShopifyWorld, paid, shopify_world
from tests.pipeline.world import NIP, WOO_CONFIG, World
from tests.web.site import Browser, Site, site

INSTALL = f"/sellers/{NIP}/stores/new?platform=shopify&way=install"
AGREE = f"/sellers/{NIP}/stores/new?platform=woocommerce&way=consent"
APP: dict[str, Any] = {"client_id": ShopifySandbox.client_id, "client_secret": ShopifySandbox.client_secret}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ShopifyWorld]:
    """An installation beside a Shopify shop that it knows already."""
    with shopify_world(tmp_path, [paid()]) as one:
        one.prepare()
        yield one


@pytest.fixture
def near(shop: ShopifyWorld) -> Site:
    """Its application, which may connect to this machine."""
    return site(shop.services(), WebOptions(limits=False, private_addresses=True))


def link(page: str) -> tuple[str, dict[str, str]]:
    """The address in the shop that a page leads to, and its query."""
    found = re.search(r'<a class="btn btn-primary" href="([^"]+)"', page)
    assert found is not None, page
    parts = urlsplit(found[1].replace("&amp;", "&"))
    return f"{parts.scheme}://{parts.netloc}{parts.path}", {k: v[0] for k, v in parse_qs(parts.query).items()}


def back(made: ShopifyWorld, state: str, **changes: str) -> dict[str, str]:
    """What Shopify sends the browser back with, signed by the app's secret."""
    made.shop.state.codes.add("code-1")
    params = {
        "code": "code-1",
        "shop": urlsplit(made.shop.url).netloc,
        "state": state,
        "timestamp": str(int(made.clock.now.timestamp())),
    } | changes
    signed = "&".join(f"{name}={params[name]}" for name in sorted(params))
    secret = made.shop.client_secret.encode()
    return params | {"hmac": hmac.new(secret, signed.encode(), hashlib.sha256).hexdigest()}


def config_of(made: World | ShopifyWorld, code: str) -> dict[str, str]:
    with made.services().database() as session:
        row = session.scalars(select(Store).where(Store.code == code)).one()
    config = made.services().vault.unseal(row.config)
    assert isinstance(config, dict)
    return config


def install(near: Site, shop: ShopifyWorld) -> tuple[Browser, dict[str, str]]:
    browser = near.user()
    assert "http://localhost/oauth/shopify/callback" in browser.get(INSTALL)
    address, query = link(browser.post(INSTALL, url=shop.shop.url, code="nowy", **APP))
    assert address == f"{shop.shop.url}/admin/oauth/authorize"
    assert query["redirect_uri"] == "http://localhost/oauth/shopify/callback"
    assert query["scope"] == "read_orders,write_orders,read_customers"
    return browser, query


def test_an_app_is_installed(shop: ShopifyWorld, near: Site) -> None:
    """The code becomes tokens that rotate; the store works with them, and nothing of them is shown."""
    browser, query = install(near, shop)
    page = requests.get(f"{shop.shop.url}/admin/oauth/authorize", params=query, timeout=10).text
    agreed = re.search('href="http://localhost([^"]+)"', page)
    assert agreed is not None
    answer = browser.client.get(html.unescape(agreed[1]))
    assert answer.headers["Location"] == "/stores/nowy"
    config = config_of(shop, "nowy")
    assert set(config) == {
        "url",
        "client_id",
        "client_secret",
        "access_token",
        "refresh_token",
        "access_token_expires_at",
    }
    assert shop.shop.state.token(config["access_token"]) is not None
    page = browser.get("/stores/nowy") + browser.get("/stores/nowy/connection")
    assert not any(config[name] in page for name in ("client_secret", "access_token", "refresh_token"))
    # a second time the same answer opens nothing
    browser.client.get("/oauth/shopify/callback", query_string=back(shop, query["state"]))
    assert config_of(shop, "nowy") == config
    # options change without a new installation, and the tokens stay
    browser.post("/stores/nowy/connection", url=shop.shop.url, client_id=APP["client_id"], test_orders="y")
    assert config_of(shop, "nowy") == config | {"test_orders": "yes"}


def test_an_answer_that_is_not_the_shops_is_refused(shop: ShopifyWorld, near: Site) -> None:
    """Forged, of another shop, of an unknown asking, of another person, too late: no store, no code used."""
    browser, query = install(near, shop)
    state = query["state"]
    path = "/oauth/shopify/callback"
    assert (
        "nie podpisał Shopify"
        in browser.client.get(
            path, query_string=back(shop, state) | {"hmac": "0" * 64}, follow_redirects=True
        ).text
    )
    other = back(shop, state, shop="other.myshopify.com")
    assert "innego sklepu" in browser.client.get(path, query_string=other, follow_redirects=True).text
    assert browser.client.get(path, query_string=back(shop, "unknown")).status_code == 404
    stranger = near.user("inny@sklep.example")
    assert stranger.client.get(path, query_string=back(shop, state)).status_code == 404
    assert near.browser().client.get(path, query_string=back(shop, state)).status_code == 302
    shop.clock.now += timedelta(hours=2)
    assert browser.client.get(path, query_string=back(shop, state)).status_code == 404
    assert "code-1" in shop.shop.state.codes
    with shop.services().database() as session:
        assert session.scalar(select(Store.id).where(Store.code == "nowy")) is None


def test_a_code_that_shopify_does_not_take(shop: ShopifyWorld, near: Site) -> None:
    """The person is told, and can begin again."""
    browser, query = install(near, shop)
    params = back(shop, query["state"], code="used-up")
    said = browser.client.get("/oauth/shopify/callback", query_string=params, follow_redirects=True).text
    assert "Shopify nie daje tokenu dostępu" in said


@pytest.fixture
def outside(made: World) -> Site:
    """An application that shops reach by https."""
    options = WebOptions(limits=False, private_addresses=True, public_url="https://faktury.sklep.example")
    found = site(made.services(), options)
    # its cookies go by https only
    found.app.config["PREFERRED_URL_SCHEME"] = "https"
    return found


class Https(Browser):
    """A browser that comes by https."""

    @classmethod
    def of(cls, pages: Site) -> Browser:
        """Signed in."""
        pages.user()
        client = pages.app.test_client()
        client.environ_base["wsgi.url_scheme"] = "https"
        client.environ_base["HTTP_REFERER"] = "https://localhost/"
        return cls(client).sign_in()


def test_one_click_in_woocommerce(made: World, outside: Site) -> None:
    """The shop posts the keys, then the browser comes back; only both together connect the store."""
    browser = Https.of(outside)
    address, query = link(browser.post(AGREE, url=made.shop.url, code="nowy"))
    assert address == f"{made.shop.url}/wc-auth/v1/authorize"
    assert query["scope"] == "read_write"
    assert query["callback_url"] == "https://faktury.sklep.example/oauth/woocommerce/callback"
    state = query["user_id"]
    path = "/oauth/woocommerce/callback"
    returned = {"success": "1", "user_id": state}
    assert (
        "nie przekazał kluczy" in browser.client.get(path, query_string=returned, follow_redirects=True).text
    )
    keys = {"key_id": 1, "user_id": state, "key_permissions": "read_write", **WOO_CONFIG}
    shop = outside.app.test_client()
    assert shop.post(path, json=keys | {"user_id": "guessed"}).status_code == 404
    assert shop.post(path, json={"user_id": state}).status_code == 400
    assert shop.post(path, data=b"noise").status_code == 400
    assert shop.post(path, json=keys).status_code == 200
    with made.services().database() as session:
        sealed = session.scalars(select(PendingConsent)).one().config
    assert WOO_CONFIG["consumer_secret"] not in sealed
    answer = browser.client.get(path, query_string=returned)
    assert answer.headers["Location"] == "/stores/nowy"
    assert config_of(made, "nowy") == {"url": made.shop.url, **WOO_CONFIG}
    assert shop.post(path, json=keys).status_code == 404, "the asking is over"


def test_a_refusal_in_woocommerce(made: World, outside: Site) -> None:
    """Nobody agreed: said, and nothing is stored."""
    browser = Https.of(outside)
    _, query = link(browser.post(AGREE, url=made.shop.url, code="nowy"))
    params = {"success": "0", "user_id": query["user_id"]}
    said = browser.client.get("/oauth/woocommerce/callback", query_string=params, follow_redirects=True).text
    assert "nie wyrażono zgody" in said


def test_without_https_the_shop_is_not_asked(made: World, pages: Site) -> None:
    """The way is not offered, and a platform without consent has no such address."""
    browser = pages.user()
    assert "Jednym kliknięciem" not in browser.get(f"/sellers/{NIP}/stores/new?platform=woocommerce")
    browser.get("/oauth/prestashop/callback", 404)
    browser.get("/oauth/magento/callback", 404)
