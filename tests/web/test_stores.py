"""Stores in the browser: connecting, how one stands, policy, texts, mail, removing, and who may."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from connector_app.policies import Recipients, StorePolicy, Trigger
from connector_app.store.desk import Job
from connector_app.store.models import Seller, Store
from connector_app.store.people import AuditEntry, Role
from connector_app.web.app import WebOptions
from connector_app.web.here import SandboxPlaces
from tests.mail.server import Postbox, mail_server
from tests.pipeline.world import NIP, WOO_CONFIG, World
from tests.web.site import Browser, Site, site

NEW = f"/sellers/{NIP}/stores/new?platform=woocommerce"
KEYS: dict[str, Any] = dict(WOO_CONFIG)
SECRETS = tuple(WOO_CONFIG.values())


@pytest.fixture
def near(made: World) -> Site:
    """The application of an installation that may connect to this machine."""
    return site(made.services(), WebOptions(limits=False, private_addresses=True))


def store_of(made: World, code: str = "test") -> Store:
    with made.services().database() as session:
        return session.scalars(select(Store).where(Store.code == code)).one()


def config_of(made: World, code: str = "test") -> dict[str, Any]:
    config = made.services().vault.unseal(store_of(made, code).config)
    assert isinstance(config, dict)
    return config


def ended(made: World, kind: str) -> Job:
    """The newest job of a kind, once it ended."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with made.services().database() as session:
            row = session.scalar(select(Job).where(Job.kind == kind).order_by(Job.id.desc()))
        if row is not None and row.state != "running":
            return row
        time.sleep(0.02)
    raise AssertionError(f"{kind} does not end")


def actions(made: World) -> list[str]:
    with made.services().database() as session:
        return list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


def form_of(page: str) -> dict[str, Any]:
    """What a page's policy form would send as it is."""
    values: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", page):
        name, kind = re.search(r'name="([^"]+)"', tag), re.search(r'type="([^"]+)"', tag)
        if name is None or kind is None or (kind[1] in {"radio", "checkbox"} and " checked" not in tag):
            continue
        value = re.search(r'value="([^"]*)"', tag)
        values[name[1]] = value[1] if value else "y"
    values["language"] = "pl"
    values.pop("csrf_token", None)
    return values


def test_a_store_is_connected_and_checked(made: World, near: Site) -> None:
    """Address and keys are stored sealed, looked at at once, and what is seen is told in the language."""
    browser = near.user()
    assert "WooCommerce" in browser.get(f"/sellers/{NIP}/stores/new")
    assert "REST API" in browser.get(NEW)
    browser.post(NEW, url=made.shop.url, code="drugi", **KEYS)
    assert config_of(made, "drugi") == {"url": made.shop.url, **WOO_CONFIG}
    assert StorePolicy.from_json(store_of(made, "drugi").policy).start_day is not None
    assert ended(made, "store-check").state == "done"
    page = browser.get("/stores/drugi")
    assert "odczyt zamówień" in page
    assert "reading orders" in browser.get("/stores/drugi?lang=en")
    assert not any(secret in page for secret in SECRETS)
    assert "store.connect" in actions(made)
    assert near.woken


def test_a_code_is_made_of_the_address_and_taken_ones_are_refused(made: World, near: Site) -> None:
    """Nobody overwrites a store that is open."""
    browser = near.user()
    said = browser.post(NEW, url=made.shop.url, code="test", **KEYS)
    assert "ma już inny sklep" in said
    assert not any(secret in said for secret in SECRETS)
    assert "kod sklepu" in browser.post(NEW, url=made.shop.url, code="zły kod", **KEYS)
    browser.post(NEW, url=made.shop.url, **KEYS)
    assert store_of(made, "sklep").url == made.shop.url


@pytest.mark.parametrize(
    ("platform", "values", "said"),
    [
        ("woocommerce", {"url": "https://example.invalid"}, "Wypełnij to pole"),
        ("woocommerce", {"url": "ftp://127.0.0.1", **WOO_CONFIG}, "nie jest adres http"),
        (
            "prestashop",
            {"url": "http://127.0.0.1:1", "key": "K", "paid_states": "x"},
            "no id of an order state",
        ),
        (
            "shopify",
            {"url": "https://127.0.0.1", "client_id": "a", "client_secret": "b"},
            "nazwa.myshopify.com",
        ),
    ],
)
def test_what_cannot_be_connected_is_said_beside_the_field(
    made: World, near: Site, platform: str, values: dict[str, Any], said: str
) -> None:
    """Nothing is stored then."""
    path = f"/sellers/{NIP}/stores/new?platform={platform}"
    assert said in near.user().post(path, code="nowy", **values)
    with made.services().database() as session:
        assert session.scalar(select(Store.id).where(Store.code == "nowy")) is None


def test_addresses_inside_the_network_are_refused_unless_allowed(made: World, pages: Site) -> None:
    """A shop may not lead the program to the machines around it; a sandbox beside it may be used."""
    browser = pages.user()
    assert "sieci wewnętrznej" in browser.post(NEW, url=made.shop.url, code="nowy", **KEYS)
    shops = {"woocommerce": {"url": made.shop.url, **WOO_CONFIG}}
    sandbox = SandboxPlaces("", "", "", shops)
    beside = site(made.services(), WebOptions(limits=False, sandbox=sandbox))
    browser = beside.browser().sign_in()
    assert WOO_CONFIG["consumer_key"] in browser.get(NEW), "the sandbox's keys are no secrets"
    browser.post(NEW, url=made.shop.url, code="nowy", **KEYS)
    assert store_of(made, "nowy").url == made.shop.url


def test_keys_stay_when_left_empty_but_not_for_another_address(made: World, near: Site) -> None:
    """Options change without the keys; a new address gets no old key."""
    browser = near.user()
    path = "/stores/test/connection"
    page = browser.get(path)
    assert not any(secret in page for secret in SECRETS)
    browser.post(path, url=made.shop.url, tax_id_fields="_nip_firmy", query_string_auth="y")
    assert config_of(made) == {
        "url": made.shop.url,
        **WOO_CONFIG,
        "tax_id_fields": "_nip_firmy",
        "query_string_auth": "yes",
    }
    assert "Wypełnij to pole" in browser.post(path, url="http://127.0.0.1:9")
    assert config_of(made)["url"] == made.shop.url
    new: dict[str, Any] = {"consumer_key": "ck_new", "consumer_secret": "cs_new"}
    browser.post(path, url=made.shop.url, tax_id_fields="", **new)
    assert config_of(made) == {"url": made.shop.url, **new}


def test_a_broken_connection_is_told(made: World, near: Site) -> None:
    """The check names what is wrong, in Polish."""
    browser = near.user()
    browser.post("/stores/test/connection", url=made.shop.url, consumer_key="ck_x", consumer_secret="cs_x")
    ended(made, "store-check")
    page = browser.get("/stores/test")
    assert "Do poprawy" in page
    assert "sklep nie przyjmuje klucza" in page


def test_the_page_of_a_store(made: World, near: Site) -> None:
    """Documents by state, marks, and buttons that work."""
    made.run()
    browser = near.user()
    page = browser.get("/stores/test")
    assert "Firma Sp. z o.o." in page
    assert "FV/2026/11/0001" in page
    assert "Łącznik zagląda" in browser.post("/stores/test/look", page="/stores/test")
    assert near.woken
    browser.post("/stores/test/check", page="/stores/test")
    assert ended(made, "store-check").state == "done"
    assert "nie ma dokąd" in browser.post("/stores/test/webhooks", page="/stores/test")


def test_webhooks_are_registered_under_the_public_address(made: World) -> None:
    """A job makes the subscriptions, and the page tells of them."""
    options = WebOptions(limits=False, public_url="http://faktury.sklep.example")
    browser = site(made.services(), options).user()
    browser.post("/stores/test/webhooks", page="/stores/test")
    assert ended(made, "store-webhooks").state == "done"
    hooks = made.shop.state.webhooks.hooks.values()
    assert len(hooks) == 6
    assert all(one["delivery_url"].startswith("http://faktury.sklep.example/webhooks/test/") for one in hooks)
    assert "działają" in browser.get("/stores/test")


def test_older_orders_are_read_with_progress(made: World, near: Site) -> None:
    """The asking is kept, shown, and done by the background work."""
    browser = near.user()
    assert "Podaj dzień" in browser.post("/stores/test/backfill", page="/stores/test", since="2027-01-01")
    page = browser.post("/stores/test/backfill", page="/stores/test", since="2026-11-01")
    assert "Czytanie starszych zamówień" in page
    state = browser.client.get("/stores/test/backfill.json").json
    assert state is not None
    assert state["state"] == "running"
    made.run()
    assert browser.client.get("/stores/test/backfill.json").json == {
        "state": "done",
        "done": 100,
        "total": 100,
    }
    assert "Czytanie starszych zamówień" not in browser.get("/stores/test")


def test_a_policy_is_previewed_then_changed(made: World, near: Site) -> None:
    """The preview stores nothing; storing decides anew what was not invoiced."""
    with made.services().database.begin() as session:
        row = session.scalars(select(Store)).one()
        row.policy = StorePolicy(recipients=Recipients.NIP, trigger=Trigger.COMPLETED).as_json()
    made.run()
    before = made.by_order()["15"]
    browser = near.user()
    path = "/stores/test/policy"
    values = form_of(browser.get(path)) | {"trigger": "paid", "after_days": "3"}
    shown = browser.post(path, **values, action="preview")
    assert "Po zmianie" in shown
    assert "Zmieni się: 1" in shown
    assert StorePolicy.from_json(store_of(made).policy).trigger is Trigger.COMPLETED
    assert "rozstrzygnięte inaczej: 1" in browser.post(path, **(values | {"after_days": "0"}), action="save")
    policy = StorePolicy.from_json(store_of(made).policy)
    assert (policy.trigger, policy.after_days) == (Trigger.PAID, 0)
    assert (before.state, made.by_order()["15"].state) == ("waiting", "ready")
    assert "bez zmian" in browser.post(path, **(values | {"after_days": "0"}), action="save")
    assert actions(made).count("store.policy") == 1


def test_a_policy_keeps_what_its_form_does_not_show(made: World, near: Site) -> None:
    """Channels that the shop does not offer stay; unticked ones go; faults change nothing."""
    browser = near.user()
    path = "/stores/test/policy"
    values = form_of(browser.get(path))
    values.pop("channel_customer_note")
    assert "Od 0 do 45" in browser.post(path, **(values | {"after_days": "46"}), action="save")
    assert "serwera poczty" in browser.post(path, **values, mail="y", action="save")
    values |= {"receipts": "y", "corrections_limit": "500.00", "start_day": "2026-11-02"}
    browser.post(path, **values, action="save")
    policy = StorePolicy.from_json(store_of(made).policy)
    assert {one.value for one in policy.channels} == {
        "private_note",
        "metadata",
        "tag",
        "order_state",
        "order_email",
    }
    assert (policy.receipts, str(policy.corrections_limit), str(policy.start_day)) == (
        True,
        "500.00",
        "2026-11-02",
    )


def test_texts_are_changed_previewed_and_given_back(made: World, near: Site) -> None:
    """Faults are said in words; hostile text is shown as text; the program's text comes back."""
    browser = near.user()
    path = "/stores/test/texts/buyer.accepted"
    fine: dict[str, Any] = {
        "pl": "Numer {ksef_number} <script>alert(1)</script>",
        "en": "Number {ksef_number}",
    }
    shown = browser.post(path, **fine, action="preview")
    assert "5265877635-20261124-0100001AF629-AF &lt;script&gt;" in shown
    assert "<script>alert" not in shown
    assert store_of(made).texts is None
    said = browser.post(path, pl="Bez numeru {nieznane}", en=fine["en"], action="save")
    assert "nieznane pole {nieznane}" in said
    browser.post(path, **fine, action="save")
    assert store_of(made).texts == {"buyer.accepted": fine}
    assert "własny" in browser.get("/stores/test/texts")
    browser.post(path, action="default")
    assert store_of(made).texts is None
    browser.get("/stores/test/texts/buyer.rejected", 404)


def test_a_mail_server_is_set_and_tried(made: World, near: Site) -> None:
    """The password is sealed and stays for the same server only; a trial message arrives."""
    browser = near.user()
    path = "/stores/test/mail"
    values: dict[str, Any] = {
        "host": "poczta.sklep.example",
        "security": "starttls",
        "user": "sklep",
        "sender": "f@sklep.example",
    }
    assert "razem" in browser.post(path, **values)
    assert "otwartym tekstem" in browser.post(path, **(values | {"security": "none", "password": "x"}))
    assert "nie jest adresem" in browser.post(path, **(values | {"sender": "nikt", "password": "x"}))
    page = browser.post(path, **values, password="tajne hasło")
    sealed = store_of(made).mail
    assert sealed is not None
    assert "tajne" not in page + sealed
    browser.post(path, **(values | {"reply_to": "biuro@sklep.example"}))
    kept = made.services().vault.unseal(str(store_of(made).mail))
    assert isinstance(kept, dict)
    assert (kept["password"], kept["reply_to"], kept["port"]) == ("tajne hasło", "biuro@sklep.example", 587)
    assert "razem" in browser.post(path, **(values | {"host": "inna.example"})), (
        "the password goes nowhere else"
    )
    with mail_server(Postbox()) as box:
        local: dict[str, Any] = {
            "host": "127.0.0.1",
            "security": "none",
            "port": str(box.port),
            "sender": "f@sklep.example",
        }
        browser.post(path, **local, user="")
        browser.post("/stores/test/mail/test", page=path, address="kto@sklep.example")
        assert ended(made, "mail-trial").state == "done"
        assert box.recipients == [["kto@sklep.example"]]
    assert "Wysłano do kto@sklep.example" in browser.get(path)
    browser.post("/stores/test/mail/test", page=path, address="kto@sklep.example")
    assert ended(made, "mail-trial").state == "failed"
    assert "Poczta nie działa" in browser.get(path)


def test_removing_says_what_stays(made: World, near: Site) -> None:
    """Keys go, documents stay; it opens again under its code."""
    made.run()
    browser = near.user()
    assert "wszystkie dokumenty" in browser.get("/stores/test/remove")
    page = browser.post("/stores/test/remove")
    assert "zamknięty" in page
    assert "FV/2026/11/0001" in page
    assert config_of(made) == {"url": made.shop.url}
    browser.get("/stores/test/policy", 404)
    browser.post(NEW, url=made.shop.url, code="test", **KEYS)
    assert store_of(made).closed_at is None


def test_a_shop_that_is_away_is_closed_by_force_only(made: World, near: Site) -> None:
    """Its webhooks cannot be deleted, which is said first."""
    options = WebOptions(limits=False, public_url="http://faktury.sklep.example")
    site(made.services(), options).user("inny@sklep.example").post(
        "/stores/test/webhooks", page="/stores/test"
    )
    ended(made, "store-webhooks")
    made.shop.fault("http_500", times=99)
    browser = near.user()
    assert "Webhooków nie udało się usunąć" in browser.post("/stores/test/remove")
    assert store_of(made).closed_at is None
    browser.post("/stores/test/remove", force="yes")
    assert store_of(made).closed_at is not None


def people(made: World, near: Site) -> dict[str, Browser]:
    """A reader, an operator and an owner of the seller, and somebody of another seller."""
    with made.services().database.begin() as session:
        first = session.scalars(select(Seller)).one()
        other = Seller(
            nip="5213017228",
            name="Inny",
            profile=first.profile,
            environment=first.environment,
            schema_version="FA3",
            credential="",
            created_at=made.clock(),
        )
        session.add(other)
        session.flush()
        mine, foreign = f"seller_{first.id}", f"seller_{other.id}"
    roles = {
        "reader": (mine, Role.VIEWER),
        "operator": (mine, Role.OPERATOR),
        "owner": (mine, Role.OWNER),
        "stranger": (foreign, Role.OWNER),
    }
    return {
        name: near.user(f"{name}@sklep.example", is_admin=False, **{seller: role})
        for name, (seller, role) in roles.items()
    }


LOOKING = {
    "/stores/test": "reader",
    "/stores/test/backfill.json": "reader",
    "/stores/test/policy": "owner",
    "/stores/test/texts": "owner",
    "/stores/test/texts/buyer.accepted": "owner",
    "/stores/test/mail": "owner",
    "/stores/test/connection": "owner",
    "/stores/test/remove": "owner",
    f"/sellers/{NIP}/stores/new": "owner",
}
DOING = {
    "/stores/test/look": "operator",
    "/stores/test/check": "operator",
    "/stores/test/backfill": "operator",
    "/stores/test/webhooks": "owner",
    "/stores/test/remove": "owner",
    "/stores/test/policy": "owner",
    "/stores/test/texts/buyer.accepted": "owner",
    "/stores/test/mail": "owner",
    "/stores/test/mail/test": "owner",
    "/stores/test/connection": "owner",
    NEW: "owner",
}


def test_who_may_look_and_do(made: World, near: Site) -> None:
    """A store of another seller does not exist; less than the needed right is refused; so is a bare form."""
    found = people(made, near)
    order = ["reader", "operator", "owner"]
    for path, needs in LOOKING.items():
        for name in order:
            found[name].get(path, 200 if order.index(name) >= order.index(needs) else 403)
        found["stranger"].get(path, 404)
    for path, needs in DOING.items():
        for name in order[: order.index(needs)]:
            found[name].post(path, 403, page="/stores/test")
        found["stranger"].post(path, 404, page="/")
        assert found["owner"].client.post(path).status_code == 400


def test_a_shop_that_rests_is_left_alone(made: World, near: Site) -> None:
    """A look that was asked for does not break the shop's pause."""
    with made.services().database.begin() as session:
        session.scalars(select(Store)).one().quiet_until = made.clock() + timedelta(hours=1)
    assert "poprosił o przerwę" in near.user().post("/stores/test/look", page="/stores/test")
