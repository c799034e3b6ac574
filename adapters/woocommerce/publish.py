"""Writing results back to an order: notes and metadata, each safe to repeat.

A note cannot be replaced and a customer note sends an e-mail, so before one is written the order's notes
are searched for an earlier copy; WordPress filters the text (``&`` becomes ``&amp;``, tags are dropped,
addresses are wrapped in links), so both sides are brought to one plain form first. Metadata is compared
and written only when it differs, because every write changes the order's modification time.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Final

from adapters.contract import Channel, Message, ShopUnavailable
from adapters.notes import marker_pattern, plain_text
from adapters.woocommerce.client import WooClient, as_list

META_KEYS: Final[Mapping[str, str]] = {
    "ksef_number": "_ksef_number",
    "invoice_number": "_ksef_invoice_number",
    "pdf_url": "_ksef_pdf_url",
    "status": "_ksef_status",
    "verification_url": "_ksef_verification_url",
}
"""Neutral field to metadata key; the underscore hides them from WordPress's custom fields box."""


def publish_note(client: WooClient, order_id: str, channel: Channel, message: Message) -> str:
    """Write a note once.

    Args:
        client: the shop.
        order_id: the order.
        channel: private or customer note; the latter is sent to the buyer by the shop.
        message: plain text, and the marker that it contains.

    Returns:
        The note's id, of an earlier copy when there is one.

    Raises:
        ValueError: the marker is empty or not in the text.
        ShopUnavailable: with ``outcome_unknown`` when the note may be stored but is not seen yet.
        ShopError: see :mod:`adapters.contract`.
    """
    for_customer = channel is Channel.CUSTOMER_NOTE
    marker = marker_pattern(message)
    found = _find_note(client, order_id, marker, for_customer=for_customer)
    if found:
        return found
    # the shop takes a note for HTML
    body = {"note": html.escape(message.text, quote=False), "customer_note": for_customer}
    try:
        answer = client.post(f"orders/{order_id}/notes", body)
    except ShopUnavailable as error:
        if not error.outcome_unknown:
            raise
        found = _find_note(client, order_id, marker, for_customer=for_customer)
        if found:
            return found
        raise
    note_id = answer.data.get("id") if isinstance(answer.data, dict) else None
    if not isinstance(note_id, int):
        raise ShopUnavailable("the shop's answer is not a note", outcome_unknown=True)
    return str(note_id)


def publish_metadata(client: WooClient, order_id: str, message: Message) -> str:
    """Set the order's ``_ksef_*`` metadata; an empty value removes its key.

    Returns:
        The order's id.

    Raises:
        ValueError: a field that :data:`META_KEYS` does not know.
        ShopUnavailable: with ``outcome_unknown`` when it may be stored but is not seen yet.
        ShopError: see :mod:`adapters.contract`.
    """
    unknown = sorted(set(message.fields) - set(META_KEYS))
    if unknown:
        raise ValueError(f"unknown metadata fields: {', '.join(unknown)}")
    wanted = {META_KEYS[name]: value for name, value in message.fields.items()}
    changes = _differences(client, order_id, wanted)
    if not changes:
        return order_id
    body = {"meta_data": [{"key": key, "value": value or None} for key, value in changes.items()]}
    try:
        client.put(f"orders/{order_id}", body)
    except ShopUnavailable as error:
        if not error.outcome_unknown or _differences(client, order_id, wanted):
            raise
    return order_id


def _differences(client: WooClient, order_id: str, wanted: Mapping[str, str]) -> dict[str, str]:
    """The wanted values that the order does not have yet."""
    answer = client.get(f"orders/{order_id}", {"_fields": "id,meta_data"})
    entries = answer.data.get("meta_data") if isinstance(answer.data, dict) else None
    if not isinstance(entries, list):
        raise ShopUnavailable("the shop's answer is not an order")
    stored: dict[str, object] = {}
    for entry in entries:
        if isinstance(entry, dict) and isinstance(entry.get("key"), str):
            stored.setdefault(entry["key"], entry.get("value"))
    return {key: value for key, value in wanted.items() if stored.get(key, "") != value}


def _find_note(
    client: WooClient, order_id: str, marker: re.Pattern[str], *, for_customer: bool
) -> str | None:
    """The id of the oldest note of this kind that carries the marker."""
    notes = as_list(
        client.get(f"orders/{order_id}/notes", {"type": "customer" if for_customer else "internal"})
    )
    found: list[int] = []
    for note in notes:
        if not isinstance(note, dict) or note.get("customer_note") is not for_customer:
            continue
        note_id, text = note.get("id"), note.get("note")
        if isinstance(note_id, int) and isinstance(text, str) and marker.search(plain_text(text)):
            found.append(note_id)
    return str(min(found)) if found else None
