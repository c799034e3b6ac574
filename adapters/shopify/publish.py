"""Writing results back to an order: metafields, tag, note; each safe to repeat.

Shopify has no list of notes: an order has one text, which a write replaces. So ours is appended to what
is there, and looked for before. Everything is compared first, because each write changes the order's
modification time and wakes us again.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Final

from adapters.contract import Message, NotFound, ShopRefused, ShopUnavailable
from adapters.json_node import Node
from adapters.shopify.client import GraphClient
from adapters.shopify.operations import (
    ADD_TAG,
    DEFINE_METAFIELD,
    DELETE_METAFIELDS,
    METAFIELD_DEFINITIONS,
    ORDER_METAFIELDS,
    ORDER_NOTE,
    ORDER_TAGS,
    SET_METAFIELDS,
    SET_NOTE,
    Operation,
)
from adapters.shopify.reading import order_gid

NAMESPACE: Final = "ksef"
"""Of our metafields, and in ``{{ order.metafields.ksef.number }}`` of the shop's own templates."""

FIELDS: Final[Mapping[str, tuple[str, str, str]]] = {
    "ksef_number": ("number", "single_line_text_field", "Numer KSeF"),
    "invoice_number": ("invoice_number", "single_line_text_field", "Numer faktury"),
    "pdf_url": ("pdf_url", "url", "Faktura PDF"),
    "status": ("status", "single_line_text_field", "Stan faktury w KSeF"),
    "verification_url": ("verification_url", "url", "Weryfikacja w KSeF"),
}
"""Neutral field to key, type and name of the metafield."""

DEFAULT_TAG: Final = "KSeF"
LONGEST_TAG: Final = 40
"""Characters of an order's tag."""

LONGEST_NOTE: Final = 5000
"""Characters of an order's note."""

_STALE = frozenset({"STALE_OBJECT", "INVALID_COMPARE_DIGEST"})
_TAKEN = "TAKEN"
_TRIES = 3


def publish_metadata(client: GraphClient, order_id: str, message: Message) -> str:
    """Set the order's metafields; an empty value removes one.

    Each value is written only over the one that was compared (``compareDigest``); when another writer was
    faster everything is compared anew.

    Returns:
        The order's id.

    Raises:
        ValueError: a field that :data:`FIELDS` does not know.
        ShopError: see :mod:`adapters.contract`.
    """
    unknown = sorted(set(message.fields) - set(FIELDS))
    if unknown:
        raise ValueError(f"unknown metadata fields: {', '.join(unknown)}")
    wanted = {FIELDS[name][0]: value for name, value in message.fields.items()}
    types = {key: kind for key, kind, _ in FIELDS.values()}
    for attempt in range(_TRIES):
        try:
            set_metafields(client, order_id, wanted, types)
        except ShopRefused as error:
            if error.code not in _STALE or attempt == _TRIES - 1:
                raise
        else:
            break
    return order_id


def set_metafields(
    client: GraphClient, order_id: str, wanted: Mapping[str, str], types: Mapping[str, str]
) -> None:
    """Make the order's ``ksef`` metafields hold these values, once.

    Args:
        client: the shop.
        order_id: whose.
        wanted: key to value; an empty value removes the key.
        types: key to Shopify's type of the value.

    Raises:
        ShopError: see :mod:`adapters.contract`.
    """
    gid = order_gid(order_id)
    stored = _metafields(client, gid)
    changes = {key: value for key, value in wanted.items() if value and stored.get(key, ("",))[0] != value}
    removed = [key for key, value in wanted.items() if not value and key in stored]
    if changes:
        rows = [
            {
                "ownerId": gid,
                "namespace": NAMESPACE,
                "key": key,
                "type": types[key],
                "value": value,
                # null says that there must be none yet
                "compareDigest": stored[key][1] if key in stored else None,
            }
            for key, value in changes.items()
        ]
        _written(
            lambda: client.change(SET_METAFIELDS, {"metafields": rows}, "metafieldsSet"),
            lambda: all(
                _metafields(client, gid).get(key, ("",))[0] == value for key, value in changes.items()
            ),
        )
    if removed:
        names = [{"ownerId": gid, "namespace": NAMESPACE, "key": key} for key in removed]
        _written(
            lambda: client.change(DELETE_METAFIELDS, {"metafields": names}, "metafieldsDelete"),
            lambda: not set(removed) & set(_metafields(client, gid)),
        )


def read_metafield(client: GraphClient, order_id: str, key: str) -> str:
    """The value of one of the order's ``ksef`` metafields; empty when there is none.

    Raises:
        ShopError: see :mod:`adapters.contract`.
    """
    return _metafields(client, order_gid(order_id)).get(key, ("", ""))[0]


def define_metafields(client: GraphClient) -> None:
    """Make the missing definitions, so that the buyer's account pages and the shop's theme can show them.

    Raises:
        ShopError: see :mod:`adapters.contract`.
    """
    known = defined_keys(client)
    for key, kind, name in FIELDS.values():
        if key in known:
            continue
        definition = {
            "ownerType": "ORDER",
            "namespace": NAMESPACE,
            "key": key,
            "type": kind,
            "name": name,
            "access": {"customerAccount": "READ"},
        }
        try:
            client.change(DEFINE_METAFIELD, {"definition": definition}, "metafieldDefinitionCreate")
        except ShopRefused as error:
            if error.code != _TAKEN:
                raise


def defined_keys(client: GraphClient) -> dict[str, str]:
    """Keys of the ``ksef`` definitions, and what customer accounts may do with each.

    Raises:
        ShopError: see :mod:`adapters.contract`.
    """
    definitions = client.run(METAFIELD_DEFINITIONS, {"namespace": NAMESPACE}).child("metafieldDefinitions")
    return {
        node.child("key").text(): node.child("access").text_of("customerAccount")
        for node in definitions.items("nodes")
    }


def publish_tag(client: GraphClient, order_id: str, message: Message) -> str:
    """Add a tag; Shopify keeps each tag once.

    Args:
        client: the shop.
        order_id: whose.
        message: its text is the tag; :data:`DEFAULT_TAG` when it is empty.

    Returns:
        The order's id.

    Raises:
        ValueError: the text is no tag.
        ShopError: see :mod:`adapters.contract`.
    """
    gid, tag = order_gid(order_id), message.text.strip() or DEFAULT_TAG
    if len(tag) > LONGEST_TAG or not tag.isprintable() or "," in tag:
        raise ValueError("a tag is one short word or phrase without commas")

    def is_there() -> bool:
        tags = [node.text() for node in _order(client, ORDER_TAGS, gid).items("tags")]
        return tag.casefold() in {one.casefold() for one in tags}

    if not is_there():
        _written(lambda: client.change(ADD_TAG, {"id": gid, "tags": [tag]}, "tagsAdd"), is_there)
    return order_id


def publish_note(client: GraphClient, order_id: str, message: Message) -> str:
    """Append a text to the order's note, once.

    Returns:
        The order's id; Shopify's notes have none of their own.

    Raises:
        ValueError: the marker is empty or not in the text.
        ShopRefused: the note would be longer than :data:`LONGEST_NOTE`; nothing is cut off.
        ShopError: see :mod:`adapters.contract`.
    """
    gid, marker = order_gid(order_id), _marker_pattern(message)

    def note() -> str:
        return _order(client, ORDER_NOTE, gid).text_of("note")

    before = note()
    if marker.search(_one_line(before)):
        return order_id
    after = f"{before}\n\n{message.text}" if before else message.text
    if len(after) > LONGEST_NOTE:
        raise ShopRefused(
            f"the order's note would be longer than {LONGEST_NOTE} characters",
            code="NOTE_TOO_LONG",
            hint="Shorten the order's note in Shopify, or switch private notes off.",
        )
    _written(
        lambda: client.change(SET_NOTE, {"input": {"id": gid, "note": after}}, "orderUpdate"),
        lambda: marker.search(_one_line(note())) is not None,
    )
    return order_id


def _written(write: Callable[[], object], is_there: Callable[[], bool]) -> None:
    """Write, and look for the result when the answer got lost."""
    try:
        write()
    except ShopUnavailable as error:
        if not error.outcome_unknown or not is_there():
            raise


def _metafields(client: GraphClient, gid: str) -> dict[str, tuple[str, str]]:
    """Key to value and digest."""
    order = _order(client, ORDER_METAFIELDS, gid, namespace=NAMESPACE)
    return {
        node.child("key").text(): (node.child("value").text(), node.child("compareDigest").text())
        for node in order.child("metafields").items("nodes")
    }


def _order(client: GraphClient, operation: Operation, gid: str, **variables: str) -> Node:
    order = client.run(operation, {"id": gid, **variables}).maybe("order")
    if order is None:
        raise NotFound(f"the shop does not have order {gid.rsplit('/', 1)[-1]}", status=404)
    return order


def _one_line(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _marker_pattern(message: Message) -> re.Pattern[str]:
    """Matches the marker as a whole, so that FV/1 is not found in FV/12 or KOR/FV/1."""
    marker, text = _one_line(message.marker), _one_line(message.text)
    if not marker or marker not in text:
        raise ValueError("a note must contain its marker")
    whole = re.compile(rf"(?<!\w)(?<!\w[/-]){re.escape(marker)}(?!\w)(?![/-]\w)")
    # a text that carries the marker only inside an address is compared by containment
    return whole if whole.search(text) else re.compile(re.escape(marker))
