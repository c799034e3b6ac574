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

_ALL_ORDERS = "read_all_orders"


def check_store(client: GraphClient, webhooks: ShopifyWebhooks) -> list[CheckLine]:
    """Look at the connection, the scopes and the settings that invoices depend on; nothing is changed.

    Args:
        client: the shop.
        webhooks: its subscriptions.
    """
    try:
        answer = client.run(SHOP)
        shop = answer.child("shop")
        lines = [
            CheckLine(
                True, "connection", f"{shop.text_of('name')} ({shop.text_of('myshopifyDomain')}) answers"
            ),
            *_scopes(answer),
            _version(client),
            *_settings(shop),
        ]
    except ShopError as error:
        return [CheckLine(False, "connection", _sentence(error))]
    return [*lines, *_personal_data(client), _definitions(client), _webhooks(webhooks)]


def _scopes(answer: Node) -> Iterator[CheckLine]:
    granted = {
        node.child("handle").text() for node in answer.child("currentAppInstallation").items("accessScopes")
    }
    # the right to write includes the right to read
    granted |= {scope.replace("write_", "read_", 1) for scope in granted if scope.startswith("write_")}
    missing = [scope for scope in SCOPES if scope not in granted]
    if missing:
        detail = f"missing: {', '.join(missing)}; add them to the app and install it again"
        yield CheckLine(False, "scopes", detail)
    else:
        yield CheckLine(True, "scopes", f"the app has {', '.join(SCOPES)}")
    if _ALL_ORDERS not in granted:
        detail = f"only orders of the last 60 days are visible; {_ALL_ORDERS} needs Shopify's approval"
        yield CheckLine(None, "older orders", detail)


def _version(client: GraphClient) -> CheckLine:
    used = client.version or "unknown"
    if used == API_VERSION:
        return CheckLine(True, "API version", used)
    detail = f"the shop answered with {used} instead of {API_VERSION}; update the connector"
    return CheckLine(None, "API version", detail)


def _settings(shop: Node) -> Iterator[CheckLine]:
    yield CheckLine(None, "currency", f"the shop keeps its books in {shop.text_of('currencyCode')}")
    gross = shop.child("taxesIncluded").flag()
    yield CheckLine(None, "taxes", f"prices are entered {'with' if gross else 'without'} tax")
    if not shop.child("taxShipping").flag():
        yield CheckLine(None, "tax on delivery", "off: delivery comes without tax; look at Settings, Taxes")
    yield CheckLine(None, "time zone", f"{shop.text_of('ianaTimezone')}; orders are read in UTC")
    plan = shop.maybe("plan")
    if plan is not None:
        yield CheckLine(None, "plan", plan.text_of("publicDisplayName"))


def _personal_data(client: GraphClient) -> Iterator[CheckLine]:
    """Without "Protected customer data" the buyer's fields come empty, which no scope shows."""
    title = "buyers' data"
    try:
        orders = list(client.run(NEWEST_ORDER).child("orders").items("nodes"))
        for order in orders:
            billing = order.maybe("billingAddress")
            known = order.text_of("email") or (billing is not None and billing.text_of("lastName"))
            name = order.text_of("name")
            if known:
                yield CheckLine(True, title, f"order {name} shows its buyer")
            else:
                yield CheckLine(
                    None,
                    title,
                    f"order {name} shows no buyer; when all orders do so, ask for Protected customer data"
                    " (name, address, email, phone) in the app's settings",
                )
    except ShopError as error:
        yield CheckLine(False, title, _sentence(error))


def _definitions(client: GraphClient) -> CheckLine:
    title = "metafields for buyers"
    try:
        access = defined_keys(client)
    except ShopError as error:
        return CheckLine(None, title, _sentence(error))
    keys = [key for key, _, _ in FIELDS.values()]
    if all(access.get(key) in {"READ", "READ_WRITE"} for key in keys):
        return CheckLine(True, title, "ksef.* are defined and readable in customer accounts")
    return CheckLine(None, title, "the first document that is published defines them")


def _webhooks(webhooks: ShopifyWebhooks) -> CheckLine:
    """Whether the app is told of changes at all; where deliveries go, only the program itself knows."""
    title = "webhooks"
    try:
        subscribed = webhooks.subscribed()
    except ShopError as error:
        return CheckLine(False, title, _sentence(error))
    missing = [topic for topic in webhooks.topics if topic not in subscribed]
    if not missing:
        return CheckLine(True, title, "all subscriptions are there")
    if not subscribed:
        return CheckLine(None, title, "none: changes are found by asking the shop regularly")
    detail = f"missing: {', '.join(missing)}; Shopify deletes them after eight failed deliveries"
    return CheckLine(False, title, detail)


def _sentence(error: ShopError) -> str:
    return f"{error.message}. {error.hint}" if error.hint else error.message
