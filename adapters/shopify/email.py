"""Shopify's own order e-mail with our text (``orderInvoiceSend``); off unless the merchant turns it on.

Shopify keeps no list of these e-mails, so ours is: before sending, the order's metafield ``ksef.email``
says what is about to be sent, afterwards that it was. A buyer never gets the same message twice; when the
answer gets lost, the message counts as sent, and the metafield says that nobody confirmed it.
"""

from __future__ import annotations

from typing import Final

from adapters.contract import Message, ShopError, ShopUnavailable
from adapters.shopify.client import GraphClient
from adapters.shopify.operations import SEND_EMAIL
from adapters.shopify.publish import read_metafield, set_metafields
from adapters.shopify.reading import order_gid

KEY: Final = "email"
_TYPES = {KEY: "single_line_text_field"}
_SUBJECT_LIMIT = 120


def publish_email(client: GraphClient, order_id: str, message: Message) -> str:
    """Send a message to the buyer once.

    Args:
        client: the shop.
        order_id: whose.
        message: its first line is the subject; its marker tells it from others.

    Returns:
        The order's id.

    Raises:
        ValueError: the marker is empty.
        ShopUnavailable: with ``outcome_unknown`` when the answer got lost; a repetition does not send again.
        ShopError: it was not sent.
    """
    marker = " ".join(message.marker.split())
    if not marker:
        raise ValueError("an e-mail must have a marker")
    if read_metafield(client, order_id, KEY) in {f"sending {marker}", f"sent {marker}"}:
        return order_id
    set_metafields(client, order_id, {KEY: f"sending {marker}"}, _TYPES)
    subject, _, text = message.text.strip().partition("\n")
    email = {"subject": subject.strip()[:_SUBJECT_LIMIT], "customMessage": text.strip() or subject.strip()}
    try:
        client.change(SEND_EMAIL, {"id": order_gid(order_id), "email": email}, "orderInvoiceSend")
    except ShopError as error:
        if not (isinstance(error, ShopUnavailable) and error.outcome_unknown):
            set_metafields(client, order_id, {KEY: ""}, _TYPES)
        raise
    set_metafields(client, order_id, {KEY: f"sent {marker}"}, _TYPES)
    return order_id
