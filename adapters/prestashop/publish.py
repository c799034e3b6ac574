"""Writing results back to an order, each safe to repeat.

Messages and histories are appended every time they are sent, so before anything is written an earlier copy is
looked for, and again after an answer that was lost.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lxml import etree

from adapters.contract import Message, NotFound, ShopRefused, ShopUnavailable
from adapters.notes import marker_pattern, plain_text
from adapters.prestashop.answers import METHOD_UNKNOWN
from adapters.prestashop.client import Answer, PrestaClient
from adapters.prestashop.listing import one_of
from adapters.prestashop.mapping.resource import Resource

_FIRST_WITH_PATCH = 8
_ADDRESS = re.compile(r"https?://[^\s<>\"]+")
_NO_PATCH_HINT = (
    "PrestaShop can change a note alone from version 8 on; writing the whole order would send its e-mails"
    " again. Update the shop, or put private_note=no into the store's configuration."
)


@dataclass(frozen=True, slots=True)
class Voice:
    """How the shop speaks to buyers.

    Attributes:
        employee: id of the employee in whose name messages and states are written.
        live_links: write addresses as HTML links; a theme that does not show HTML prints the tags.
        token: makes a new thread's token, 12 characters.
    """

    employee: str
    live_links: bool
    token: Callable[[], str]


def publish_note(client: PrestaClient, order_id: str, message: Message) -> str:
    """Append a text to the order's note, once; what stands there stays.

    Args:
        client: the shop.
        order_id: the order.
        message: plain text, and the marker that it contains.

    Returns:
        The order's id: a note has none of its own.

    Raises:
        ValueError: the marker is empty or not in the text.
        ShopRefused: the shop's version cannot change a note alone.
        ShopUnavailable: with ``outcome_unknown`` when it may be stored but is not seen yet.
        ShopError: see :mod:`adapters.contract`.
    """
    marker = marker_pattern(message)
    answer = client.get(f"orders/{order_id}")
    note = _note_of(answer, order_id)
    if marker.search(plain_text(note)):
        return order_id
    if _is_before_patch(answer.version):
        raise ShopRefused(f"PrestaShop {answer.version} cannot change a note alone", hint=_NO_PATCH_HINT)
    text = f"{note.rstrip()}\n{message.text}" if note.strip() else message.text
    try:
        client.patch(f"orders/{order_id}", _xml("order", {"id": order_id, "note": text}))
    except ShopUnavailable as error:
        if not error.outcome_unknown:
            raise
        if not marker.search(plain_text(_note_of(client.get(f"orders/{order_id}"), order_id))):
            raise
    except ShopRefused as error:
        if error.code == METHOD_UNKNOWN or (error.status == 405 and not error.code):
            raise ShopRefused(error.said, code=error.code, status=405, hint=_NO_PATCH_HINT) from None
        raise
    return order_id


def publish_message(client: PrestaClient, order_id: str, message: Message, voice: Voice) -> str:
    """Write a message to the buyer into the order's thread, once; the thread is made when there is none.

    The buyer reads it in My account, at the order. The shop sends no e-mail.

    Args:
        client: the shop.
        order_id: the order.
        message: plain text, and the marker that it contains.
        voice: in whose name.

    Returns:
        The message's id, of an earlier copy when there is one.

    Raises:
        ValueError: the marker is empty or not in the text.
        ShopUnavailable: with ``outcome_unknown`` when it may be stored but is not seen yet.
        ShopError: see :mod:`adapters.contract`.
    """
    marker = marker_pattern(message)
    order = _one(client.get(f"orders/{order_id}"), "order")
    found = _find_message(client, order_id, marker)
    if found:
        return found
    threads = _threads(client, order_id)
    thread = threads[0].id if threads else _new_thread(client, order, voice)
    fields = {
        "id_employee": voice.employee,
        "id_customer_thread": thread,
        "message": _as_html(message.text, live_links=voice.live_links),
        "private": "0",
    }
    try:
        answer = client.post("customer_messages", _xml("customer_message", fields))
    except ShopUnavailable as error:
        if not error.outcome_unknown:
            raise
        found = _find_message(client, order_id, marker)
        if found:
            return found
        raise
    return _stored(answer, "customer_message")


def publish_state(client: PrestaClient, order_id: str, state: str, employee: str) -> str:
    """Put the order into a state that the merchant made, whose e-mail the shop sends; at most once ever.

    A state has no text of its own, so a second document of the order changes nothing.

    Args:
        client: the shop.
        order_id: the order.
        state: id of the order state.
        employee: id of the employee in whose name.

    Returns:
        The id of the entry in the order's history, of an earlier one when there is one.

    Raises:
        ShopUnavailable: with ``outcome_unknown`` when it may be done but is not seen yet.
        ShopError: see :mod:`adapters.contract`.
    """
    client.get(f"orders/{order_id}")
    found = _find_history(client, order_id, state)
    if found:
        return found
    fields = {"id_order": order_id, "id_order_state": state, "id_employee": employee}
    try:
        answer = client.post("order_histories", _xml("order_history", fields), {"sendemail": "1"})
    except ShopUnavailable as error:
        if not error.outcome_unknown:
            raise
        # a failed e-mail is answered with 500 after the state was changed
        found = _find_history(client, order_id, state)
        if found:
            return found
        raise
    return _stored(answer, "order_history")


def _note_of(answer: Answer, order_id: str) -> str:
    order = _one(answer, "order")
    if order.id != order_id:
        raise ShopUnavailable(f"the shop gave order {order.id or '?'} for order {order_id}")
    return order.fields.get("note", "")


def _is_before_patch(version: str) -> bool:
    major = version.partition(".")[0]
    return major.isascii() and major.isdigit() and int(major) < _FIRST_WITH_PATCH


def _threads(client: PrestaClient, order_id: str) -> list[Resource]:
    """The order's threads, oldest first."""
    query = {"display": "full", "filter[id_order]": one_of([order_id])}
    found = client.get("customer_threads", query).resources()
    return sorted((one for one in found if one.kind == "customer_thread"), key=lambda one: int(one.id))


def _new_thread(client: PrestaClient, order: Resource, voice: Voice) -> str:
    customer = order.identifier("id_customer")
    try:
        address = _one(client.get(f"customers/{customer}"), "customer").needed("email")
    except NotFound as error:
        # not the order is gone, only whom to write to
        raise ShopRefused(
            f"customer {customer} of the order is gone, so there is nobody to write to", status=error.status
        ) from None
    fields = {
        "id_lang": order.identifier("id_lang"),
        "id_shop": order.reference("id_shop") or "1",
        "id_customer": customer,
        "id_order": order.id,
        "id_contact": "0",
        "email": address,
        "token": voice.token(),
        "status": "open",
    }
    try:
        answer = client.post("customer_threads", _xml("customer_thread", fields))
    except ShopUnavailable as error:
        if not error.outcome_unknown:
            raise
        threads = _threads(client, order.id)
        if threads:
            return threads[0].id
        raise
    return _stored(answer, "customer_thread")


def _find_message(client: PrestaClient, order_id: str, marker: re.Pattern[str]) -> str | None:
    """The id of the oldest message that the buyer sees and that carries the marker."""
    threads = [one.id for one in _threads(client, order_id)]
    if not threads:
        return None
    query = {"display": "full", "filter[id_customer_thread]": one_of(threads)}
    messages = client.get("customer_messages", query).resources()
    found = [
        int(one.identifier())
        for one in messages
        if not one.flag("private") and marker.search(plain_text(one.text("message")))
    ]
    return str(min(found)) if found else None


def _find_history(client: PrestaClient, order_id: str, state: str) -> str | None:
    query = {
        "display": "full",
        "filter[id_order]": one_of([order_id]),
        "filter[id_order_state]": one_of([state]),
    }
    found = [int(one.identifier()) for one in client.get("order_histories", query).resources()]
    return str(min(found)) if found else None


def _as_html(text: str, *, live_links: bool) -> str:
    """The text as the shop wants it: HTML, which reads well as plain text too."""
    if not live_links:
        return html.escape(text, quote=False)
    parts, end = [], 0
    for match in _ADDRESS.finditer(text):
        address = html.escape(match[0])
        parts += [html.escape(text[end : match.start()], quote=False), f'<a href="{address}">{address}</a>']
        end = match.end()
    return "".join((*parts, html.escape(text[end:], quote=False)))


def _one(answer: Answer, kind: str) -> Resource:
    found = [one for one in answer.resources() if one.kind == kind]
    if len(found) != 1:
        raise ShopUnavailable(f"the shop's answer is not a {kind}")
    return found[0]


def _stored(answer: Answer, kind: str) -> str:
    """The id of what was just created."""
    found = [one.id for one in answer.resources() if one.kind == kind]
    if len(found) != 1 or not found[0].isdigit():
        raise ShopUnavailable(f"the shop's answer is not a {kind}", outcome_unknown=True)
    return found[0]


def _xml(kind: str, fields: Mapping[str, str]) -> bytes:
    """An entity as the webservice takes it."""
    root = etree.Element("prestashop")
    entity = etree.SubElement(root, kind)
    for name, value in fields.items():
        etree.SubElement(entity, name).text = value
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")
