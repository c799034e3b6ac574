"""The mutations that the connector uses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from sandbox.shopify.state import Json, ShopState, digest

_LONGEST_NOTE = 5000
_MOST_METAFIELDS = 25
API_VERSION = "2026-10"


def _errors(message: str, code: str | None = None, field: list[str] | None = None) -> Json:
    return {"userErrors": [{"field": field, "message": message, "code": code}]}


def _order_update(state: ShopState, **args: Any) -> Json:
    fields = args["input"]
    order = state.order(fields["id"])
    if order is None:
        return _errors("Order does not exist", field=["id"])
    note = fields.get("note")
    if note is not None and len(note) > _LONGEST_NOTE:
        return _errors("Note is too long (maximum is 5000 characters)", field=["note"])
    order.update({key: value for key, value in fields.items() if key != "id"})
    state.touch(order)
    return {"order": order, "userErrors": []}


def _tags_add(state: ShopState, **args: Any) -> Json:
    order = state.order(args["id"])
    if order is None:
        return _errors("Order does not exist", field=["id"])
    known = {tag.casefold() for tag in order["tags"]}
    fresh = [tag for tag in args["tags"] if tag.casefold() not in known]
    if fresh:
        order["tags"] += fresh
        state.touch(order)
    return {"node": order, "userErrors": []}


def _metafields_set(state: ShopState, **args: Any) -> Json:
    """All or nothing; a digest has to be the stored value's, null that there is none."""
    rows = args["metafields"]
    if len(rows) > _MOST_METAFIELDS:
        return _errors("too many metafields", "LESS_THAN_OR_EQUAL_TO")
    for row in rows:
        order = state.order(row["ownerId"])
        if order is None:
            return _errors("Owner does not exist", "INVALID")
        if not row["value"]:
            return _errors("Value can't be blank", "BLANK")
        if row.get("type") == "url" and urlsplit(row["value"]).scheme not in {"http", "https"}:
            return _errors("Value must be a URL", "INVALID_VALUE")
        known = _find(order, row)
        if "compareDigest" in row and row["compareDigest"] != (known and digest(known["value"])):
            return _errors("The resource has been updated since it was loaded.", "STALE_OBJECT")
    written = []
    for row in rows:
        order = state.orders[row["ownerId"]]
        known = _find(order, row)
        if known is None:
            known = {
                "id": state.new_id("Metafield"),
                "namespace": row["namespace"],
                "key": row["key"],
                "type": row.get("type"),
                "value": "",
            }
            order["metafields"]["nodes"].append(known)
        known["value"] = row["value"]
        written.append(known)
    for gid in dict.fromkeys(row["ownerId"] for row in rows):
        state.touch(state.orders[gid])
    return {"metafields": written, "userErrors": []}


def _metafields_delete(state: ShopState, **args: Any) -> Json:
    deleted: list[Json | None] = []
    for row in args["metafields"]:
        order = state.order(row["ownerId"])
        known = _find(order, row) if order is not None else None
        if order is not None and known is not None:
            order["metafields"]["nodes"].remove(known)
            state.touch(order)
            deleted.append({"ownerId": row["ownerId"], "namespace": row["namespace"], "key": row["key"]})
        else:
            deleted.append(None)
    return {"deletedMetafields": deleted, "userErrors": []}


def _find(order: Json, row: Json) -> Json | None:
    for one in order["metafields"]["nodes"]:
        if (one["namespace"], one["key"]) == (row["namespace"], row["key"]):
            found: Json = one
            return found
    return None


def _define(state: ShopState, **args: Any) -> Json:
    wanted = args["definition"]
    where = (wanted["namespace"], wanted["key"])
    if where in {(one["namespace"], one["key"]) for one in state.definitions}:
        return _errors("Key is in use for Order metafields on the 'ksef' namespace.", "TAKEN", ["key"])
    made = {
        "id": state.new_id("MetafieldDefinition"),
        "namespace": wanted["namespace"],
        "key": wanted["key"],
        "access": {"customerAccount": (wanted.get("access") or {}).get("customerAccount", "NONE")},
    }
    state.definitions.append(made)
    return {"createdDefinition": made, "userErrors": []}


def _invoice_send(state: ShopState, **args: Any) -> Json:
    order = state.order(args["id"])
    if order is None or not order["email"]:
        return _errors("No recipient", "ORDER_INVOICE_SEND_UNSUCCESSFUL")
    state.emails.append({"order": args["id"], "to": order["email"], **(args.get("email") or {})})
    return {"order": order, "userErrors": []}


def _subscribe(state: ShopState, **args: Any) -> Json:
    wanted = args["webhookSubscription"]
    for one in state.subscriptions.values():
        if (one["topic"], one["uri"]) == (args["topic"], wanted.get("uri")):
            return _errors("Address for this topic has already been taken", field=["webhookSubscription"])
    gid = state.new_id("WebhookSubscription")
    state.subscriptions[gid] = {
        "id": gid,
        "topic": args["topic"],
        "uri": wanted.get("uri"),
        "format": wanted.get("format", "JSON"),
        "includeFields": wanted.get("includeFields", []),
        "apiVersion": {"handle": API_VERSION},
    }
    return {"webhookSubscription": state.subscriptions[gid], "userErrors": []}


def _change_subscription(state: ShopState, **args: Any) -> Json:
    known = state.subscriptions.get(args["id"])
    if known is None:
        return _errors("Webhook subscription does not exist", field=["id"])
    known.update(args["webhookSubscription"])
    return {"webhookSubscription": known, "userErrors": []}


def _unsubscribe(state: ShopState, **args: Any) -> Json:
    if state.subscriptions.pop(args["id"], None) is None:
        return _errors("Webhook subscription does not exist", field=["id"])
    return {"deletedWebhookSubscriptionId": args["id"], "userErrors": []}


MUTATIONS: dict[str, Callable[..., Json]] = {
    "orderUpdate": _order_update,
    "tagsAdd": _tags_add,
    "metafieldsSet": _metafields_set,
    "metafieldsDelete": _metafields_delete,
    "metafieldDefinitionCreate": _define,
    "orderInvoiceSend": _invoice_send,
    "webhookSubscriptionCreate": _subscribe,
    "webhookSubscriptionUpdate": _change_subscription,
    "webhookSubscriptionDelete": _unsubscribe,
}
"""Field of ``Mutation`` to what it does; each gives its payload."""
