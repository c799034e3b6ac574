"""Who buys and who receives."""

from __future__ import annotations

import re
from collections.abc import Sequence

from adapters.woocommerce.mapping.reader import Node
from adapters.woocommerce.mapping.tax_ids import find_tax_ids, metadata
from core.orders import Buyer, PostalAddress, Recipient

_LANGUAGE_KEYS = (
    "wpml_language",
    "_wpml_language",
    "pll_language",
    "_pll_language",
    "lang",
    "_language",
    "trp_language",
    "weglot_language",
)
_LANGUAGE = re.compile(r"([a-z]{2})([_-][a-z0-9_-]+)?", re.IGNORECASE)
_COUNTRY = re.compile(r"[A-Z]{2}")


def read_buyer(order: Node, tax_id_fields: Sequence[str] = ()) -> Buyer:
    """The buyer from ``billing`` and metadata.

    Args:
        order: the order.
        tax_id_fields: fields that the merchant chose for the tax number.

    Raises:
        UnreadableOrder: data that cannot be read.
    """
    billing = order.child("billing")
    customer = order.maybe("customer_id")
    known = customer is not None and customer.value not in (0, "0", "")
    return Buyer(
        first_name=billing.text_of("first_name"),
        last_name=billing.text_of("last_name"),
        company=billing.name_of("company"),
        address=_address(billing),
        email=billing.text_of("email"),
        phone=billing.text_of("phone"),
        tax_ids=find_tax_ids(order, tax_id_fields),
        customer_id=customer.identifier() if customer is not None and known else "",
        tax_exempt=any(key == "is_vat_exempt" and value == "yes" for key, value in metadata(order)),
        language=_language(order),
    )


def read_recipient(order: Node) -> Recipient | None:
    """The recipient from ``shipping``, ``None`` when it is empty or the same as the buyer.

    Raises:
        UnreadableOrder: data that cannot be read.
    """
    shipping = order.maybe("shipping")
    if shipping is None:
        return None
    recipient, buyer = _as_recipient(shipping), _as_recipient(order.child("billing"))
    nobody = Recipient(address=PostalAddress(country=recipient.address.country))
    return None if recipient in (nobody, buyer) else recipient


def _as_recipient(party: Node) -> Recipient:
    names = (party.text_of("first_name"), party.text_of("last_name"))
    return Recipient(
        name=" ".join(name for name in names if name),
        company=party.name_of("company"),
        address=_address(party),
    )


def _address(party: Node) -> PostalAddress:
    country = party.text_of("country").upper()
    if country and not _COUNTRY.fullmatch(country):
        raise party.child("country").error("two letters were expected")
    return PostalAddress(
        line1=party.text_of("address_1"),
        line2=party.text_of("address_2"),
        postcode=party.text_of("postcode"),
        city=party.text_of("city"),
        state=party.text_of("state"),
        country=country,
    )


def _language(order: Node) -> str:
    """The language that a translation plugin noted, as ISO 639-1; empty when there is none."""
    values = dict(metadata(order))
    candidates = [values.get(key) for key in _LANGUAGE_KEYS] + [order.fields().get("lang")]
    for value in candidates:
        match = _LANGUAGE.fullmatch(value) if isinstance(value, str) else None
        if match:
            return match[1].lower()
    return ""
