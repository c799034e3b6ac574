"""What the webservice writes: new messages, threads and states, and changed orders."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lxml import etree

from sandbox.prestashop.access import RefusedError
from sandbox.prestashop.entities import NODES, Entity
from sandbox.prestashop.state import ShopState, UnknownEntityError

_REQUIRED: Mapping[str, tuple[str, ...]] = {
    "customer_messages": ("message",),
    "customer_threads": ("id_lang", "id_contact", "token"),
    "messages": ("message",),
    "order_histories": ("id_order_state", "id_order"),
    "orders": (
        "id_address_delivery",
        "id_address_invoice",
        "id_cart",
        "id_currency",
        "id_lang",
        "id_customer",
        "id_carrier",
        "module",
        "payment",
        "total_paid",
        "total_paid_real",
        "total_products",
        "total_products_wt",
        "conversion_rate",
    ),
}
CREATED = frozenset({"customer_messages", "customer_threads", "messages", "order_histories"})
"""Collections that the sandbox lets be added to; each request adds one more."""

_LONGEST_TOKEN = 12
_SCRIPT = re.compile(r"</?script[^<>]*>", re.IGNORECASE)
_LONELY_AMPERSAND = re.compile(r"&(?!(#[0-9]+|#x[0-9a-fA-F]+|[a-zA-Z][a-zA-Z0-9]*);)")
_HTML_FIELDS = frozenset({"message", "note"})


def create(
    state: ShopState, collection: str, body: bytes, *, sends_mail: bool, names: tuple[str, ...]
) -> Entity:
    """Add an entity.

    Args:
        state: the shop.
        collection: one of :data:`CREATED`.
        body: XML.
        sends_mail: the query says ``sendemail=1``.
        names: of the collection's fields, in their order.

    Raises:
        RefusedError: the body is not what the shop takes.
    """
    sent = _sent(collection, body)
    if sent.get("id"):
        raise RefusedError(400, (91, "id is forbidden when adding a new resource"))
    _check_required(collection, sent)
    if len(sent.get("token", "")) > _LONGEST_TOKEN:
        raise RefusedError(400, (85, 'Validation error: "Property CustomerThread->token length is too long"'))
    with state.lock:
        if collection == "order_histories":
            return _new_state(state, sent, sends_mail=sends_mail)
        fields = {name: sent.get(name, "") for name in names if name != "id"}
        fields |= {name: state.now() for name in ("date_add", "date_upd") if name in names}
        entity = state.add(collection, fields)
        state.save()
        return entity


def _new_state(state: ShopState, sent: Mapping[str, str], *, sends_mail: bool) -> Entity:
    try:
        return state.set_state(
            int(sent["id_order"]),
            int(sent["id_order_state"]),
            employee=sent.get("id_employee", "0"),
            mail=sends_mail,
        )
    except (UnknownEntityError, ValueError):
        raise RefusedError(500, (46, "Unable to save resource")) from None


def change_order(state: ShopState, body: bytes, *, partly: bool) -> Entity:
    """Change an order.

    Args:
        state: the shop.
        body: XML.
        partly: only what is sent (PATCH); otherwise what is not sent becomes empty (PUT).

    Raises:
        RefusedError: the body is not what the shop takes.
        UnknownEntityError: no such order.
    """
    sent = _sent("orders", body)
    if not sent.get("id"):
        raise RefusedError(400, (90, "id is required when modifying a resource"))
    with state.lock:
        order = state.entity("orders", int(sent["id"]))
        if not partly:
            _check_required("orders", sent)
            order.fields |= {name: "" for name in order.fields if name not in {*sent, "date_upd", "date_add"}}
        order.fields |= {name: text for name, text in sent.items() if name in order.fields}
        state.touch(order)
        state.save()
        return order


def _sent(collection: str, body: bytes) -> dict[str, str]:
    try:
        root = etree.fromstring(body)
    except etree.XMLSyntaxError as error:
        raise RefusedError(
            500,
            (3, f"[PHP Warning #2] SimpleXMLElement::__construct(): {error}"),
            (127, "XML error : String could not be parsed as XML"),
        ) from None
    entity = root.find(NODES[collection])
    if entity is None:
        raise RefusedError(400, (41, f'parameter "{_REQUIRED[collection][0]}" required'))
    sent = {str(child.tag): child.text or "" for child in entity if not len(child)}
    return {name: _filtered(text) if name in _HTML_FIELDS else text for name, text in sent.items()}


def _check_required(collection: str, sent: Mapping[str, str]) -> None:
    for name in _REQUIRED[collection]:
        if name not in sent:
            raise RefusedError(400, (41, f'parameter "{name}" required'))


def _filtered(text: str) -> str:
    """A text as the shop's HTML filter leaves it."""
    return _LONELY_AMPERSAND.sub("&amp;", _SCRIPT.sub("", text))
