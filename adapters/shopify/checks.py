"""``store check`` for Shopify: what works, what is missing, what is worth knowing, in words."""

from __future__ import annotations

from collections.abc import Iterator

from adapters.contract import CheckLine, ShopError
from adapters.json_node import Node
from adapters.shopify.client import GraphClient
from adapters.shopify.oauth import SCOPES
from adapters.shopify.operations import API_VERSION, NEWEST_ORDER, SHOP
from adapters.shopify.publish import FIELDS, defined_keys
from adapters.shopify.webhooks import ShopifyWebhooks
from core.findings import Text

_ALL_ORDERS = "read_all_orders"
_CONNECTION = Text("połączenie", "connection")


def check_store(client: GraphClient, webhooks: ShopifyWebhooks) -> list[CheckLine]:
    """Look at the connection, the scopes and the settings that invoices depend on; nothing is changed.

    Args:
        client: the shop.
        webhooks: its subscriptions.
    """
    try:
        answer = client.run(SHOP)
        shop = answer.child("shop")
        named = f"{shop.text_of('name')} ({shop.text_of('myshopifyDomain')})"
        lines = [
            CheckLine(True, _CONNECTION, Text(f"{named} odpowiada", f"{named} answers")),
            *_scopes(answer),
            _version(client),
            *_settings(shop),
        ]
    except ShopError as error:
        return [CheckLine(False, _CONNECTION, error.words)]
    return [*lines, *_personal_data(client), _definitions(client), _webhooks(webhooks)]


def _scopes(answer: Node) -> Iterator[CheckLine]:
    granted = {
        node.child("handle").text() for node in answer.child("currentAppInstallation").items("accessScopes")
    }
    # the right to write includes the right to read
    granted |= {scope.replace("write_", "read_", 1) for scope in granted if scope.startswith("write_")}
    missing = ", ".join(scope for scope in SCOPES if scope not in granted)
    title = Text("uprawnienia", "scopes")
    if missing:
        detail = Text(
            f"brakuje: {missing}; dodaj je aplikacji i zainstaluj ją jeszcze raz",
            f"missing: {missing}; add them to the app and install it again",
        )
        yield CheckLine(False, title, detail)
    else:
        has = ", ".join(SCOPES)
        yield CheckLine(True, title, Text(f"aplikacja ma {has}", f"the app has {has}"))
    if _ALL_ORDERS not in granted:
        detail = Text(
            f"widać tylko zamówienia z ostatnich 60 dni; {_ALL_ORDERS} wymaga zgody Shopify",
            f"only orders of the last 60 days are visible; {_ALL_ORDERS} needs Shopify's approval",
        )
        yield CheckLine(None, Text("starsze zamówienia", "older orders"), detail)


def _version(client: GraphClient) -> CheckLine:
    used = client.version or "?"
    title = Text("wersja API", "API version")
    if used == API_VERSION:
        return CheckLine(True, title, Text(used, used))
    detail = Text(
        f"sklep odpowiedział wersją {used} zamiast {API_VERSION}; zaktualizuj łącznik",
        f"the shop answered with {used} instead of {API_VERSION}; update the connector",
    )
    return CheckLine(None, title, detail)


def _settings(shop: Node) -> Iterator[CheckLine]:
    currency, zone = shop.text_of("currencyCode"), shop.text_of("ianaTimezone")
    yield CheckLine(
        None,
        Text("waluta", "currency"),
        Text(f"sklep prowadzi księgi w {currency}", f"the shop keeps its books in {currency}"),
    )
    with_tax = Text("ceny są wpisywane z podatkiem", "prices are entered with tax")
    without = Text("ceny są wpisywane bez podatku", "prices are entered without tax")
    gross = shop.child("taxesIncluded").flag()
    yield CheckLine(None, Text("podatki", "taxes"), with_tax if gross else without)
    if not shop.child("taxShipping").flag():
        off = Text(
            "wyłączony: dostawa przychodzi bez podatku; zob. Ustawienia, Podatki",
            "off: delivery comes without tax; look at Settings, Taxes",
        )
        yield CheckLine(None, Text("podatek od dostawy", "tax on delivery"), off)
    in_utc = Text(f"{zone}; zamówienia są czytane w UTC", f"{zone}; orders are read in UTC")
    yield CheckLine(None, Text("strefa czasowa", "time zone"), in_utc)
    plan = shop.maybe("plan")
    if plan is not None:
        name = plan.text_of("publicDisplayName")
        yield CheckLine(None, Text("plan", "plan"), Text(name, name))


def _personal_data(client: GraphClient) -> Iterator[CheckLine]:
    """Without "Protected customer data" the buyer's fields come empty, which no scope shows."""
    title = Text("dane kupujących", "buyers' data")
    try:
        orders = list(client.run(NEWEST_ORDER).child("orders").items("nodes"))
        for order in orders:
            billing = order.maybe("billingAddress")
            known = order.text_of("email") or (billing is not None and billing.text_of("lastName"))
            name = order.text_of("name")
            if known:
                shown = Text(f"zamówienie {name} pokazuje kupującego", f"order {name} shows its buyer")
                yield CheckLine(True, title, shown)
            else:
                yield CheckLine(
                    None,
                    title,
                    Text(
                        f"zamówienie {name} nie pokazuje kupującego; jeśli tak jest we wszystkich, poproś "
                        "w ustawieniach aplikacji o Protected customer data (nazwisko, adres, e-mail)",
                        f"order {name} shows no buyer; when all orders do so, ask for Protected customer "
                        "data (name, address, email, phone) in the app's settings",
                    ),
                )
    except ShopError as error:
        yield CheckLine(False, title, error.words)


def _definitions(client: GraphClient) -> CheckLine:
    title = Text("metapola dla kupujących", "metafields for buyers")
    try:
        access = defined_keys(client)
    except ShopError as error:
        return CheckLine(None, title, error.words)
    keys = [key for key, _, _ in FIELDS.values()]
    if all(access.get(key) in {"READ", "READ_WRITE"} for key in keys):
        there = Text(
            "ksef.* są zdefiniowane i czytelne na kontach klientów",
            "ksef.* are defined and readable in customer accounts",
        )
        return CheckLine(True, title, there)
    later = Text(
        "zdefiniuje je pierwszy zapisany w sklepie dokument",
        "the first document that is published defines them",
    )
    return CheckLine(None, title, later)


def _webhooks(webhooks: ShopifyWebhooks) -> CheckLine:
    """Whether the app is told of changes at all; where deliveries go, only the program itself knows."""
    title = Text("webhooki", "webhooks")
    try:
        subscribed = webhooks.subscribed()
    except ShopError as error:
        return CheckLine(False, title, error.words)
    missing = [topic for topic in webhooks.topics if topic not in subscribed]
    if not missing:
        return CheckLine(True, title, Text("są wszystkie subskrypcje", "all subscriptions are there"))
    if not subscribed:
        none = Text(
            "nie ma: zmiany są znajdowane przez regularne pytanie sklepu",
            "none: changes are found by asking the shop regularly",
        )
        return CheckLine(None, title, none)
    named = ", ".join(missing)
    detail = Text(
        f"brakuje: {named}; Shopify usuwa je po ośmiu nieudanych dostawach",
        f"missing: {named}; Shopify deletes them after eight failed deliveries",
    )
    return CheckLine(False, title, detail)
