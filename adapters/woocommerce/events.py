"""Webhooks of WooCommerce as :class:`adapters.contract.ShopEvent`: verified, read, never used as data.

The shop renders a payload when it delivers it, not when the event happens, so a body tells which entity
changed and no more. Three kinds of body are known: the order itself (``order.*``; of a deleted one only its
id), ``{"action", "arg"}`` (``action.*``), and the form-encoded trial ``webhook_id=N``, which is not signed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from typing import Final

from adapters.contract import Entity, ForgedEvent, ShopEvent, UnreadableEvent, UnreadableOrder
from adapters.woocommerce.mapping.reader import Node

ORDER_TOPICS: Final = ("order.created", "order.updated", "order.deleted", "order.restored")
ORDER_REFUNDED: Final = "action.woocommerce_order_refunded"
REFUND_CREATED: Final = "action.woocommerce_refund_created"

_PING = re.compile(rb"webhook_id=[0-9]{1,12}")


class WooEventReader:
    """An :class:`~adapters.contract.EventReader` of WooCommerce."""

    def __call__(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> ShopEvent:
        """See :meth:`adapters.contract.EventReader.__call__`."""
        signature = headers.get("x-wc-webhook-signature", "")
        if not signature and _PING.fullmatch(body):
            # it says nothing, so nobody gains by forging it
            return ShopEvent("ping", Entity.PING)
        if not _is_signed(signature, body, secrets):
            raise ForgedEvent("the webhook carries no right signature")
        topic = headers.get("x-wc-webhook-topic", "")
        try:
            return _read(topic, Node(json.loads(body)))
        except (ValueError, RecursionError, UnreadableOrder):
            # what the body says is not repeated: it may hold a buyer's data
            raise UnreadableEvent("the webhook's body is not what WooCommerce sends") from None


def _is_signed(signature: str, body: bytes, secrets: Sequence[str]) -> bool:
    """Compared with every secret in constant time."""
    given = signature.encode("utf-8", "replace")
    fits = False
    for secret in secrets:
        digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
        fits |= hmac.compare_digest(base64.b64encode(digest), given)
    return fits


def _read(topic: str, body: Node) -> ShopEvent:
    if topic in ORDER_TOPICS:
        if "id" not in body.fields() and "code" in body.fields():
            # the order was gone when the shop rendered it: an error object instead of an order
            return ShopEvent(topic, Entity.ORDER)
        order_id = body.child("id").identifier()
        return ShopEvent(topic, Entity.ORDER, order_id, order_id, body.moment_of("date_modified_gmt"))
    if topic == ORDER_REFUNDED:
        order_id = body.child("arg").identifier()
        return ShopEvent(topic, Entity.REFUND, order_id, order_id)
    if topic == REFUND_CREATED:
        return ShopEvent(topic, Entity.REFUND, body.child("arg").identifier())
    raise UnreadableEvent("the webhook's topic is none that was asked for")
