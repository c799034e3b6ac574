"""Who buys and who receives."""

from __future__ import annotations

import re
from collections.abc import Sequence

from adapters.json_node import Node
from adapters.shopify.mapping.tax_ids import company_location, find_tax_ids
from adapters.shopify.mapping.values import flag_of, tail
from core.orders import Buyer, PostalAddress, Recipient

_COUNTRY = re.compile(r"[A-Z]{2}")
_LANGUAGE = re.compile(r"([a-z]{2})([_-][a-z0-9_-]+)?", re.IGNORECASE)


def read_buyer(order: Node, tax_id_fields: Sequence[str] = ()) -> Buyer:
    """The buyer from the billing address, the company that bought, and the account.

    A billing address may be absent (point of sale, protected data); then the company's own is taken, and
    the account's name.

    Args:
        order: the order.
        tax_id_fields: fields that the merchant chose for the tax number.

    Raises:
        UnreadableOrder: data that cannot be read.
    """
    billing, customer = order.maybe("billingAddress"), order.maybe("customer")
    named = billing if billing is not None else customer
    return Buyer(
        first_name=named.text_of("firstName") if named is not None else "",
        last_name=named.text_of("lastName") if named is not None else "",
        company=_company(order, billing),
        address=_billing_address(order, billing),
        email=_email(order, customer),
        phone=order.text_of("phone"),
        tax_ids=find_tax_ids(order, tax_id_fields),
        customer_id=tail(customer.child("id")) if customer is not None else "",
        tax_exempt=flag_of(order, "taxExempt"),
        language=_language(order),
    )


def read_recipient(order: Node) -> Recipient | None:
    """The recipient from the shipping address, ``None`` when it is absent or the same as the buyer.

    Raises:
        UnreadableOrder: data that cannot be read.
    """
    shipping, billing = order.maybe("shippingAddress"), order.maybe("billingAddress")
    if shipping is None:
        return None
    recipient = _as_recipient(shipping)
    nobody = Recipient(address=PostalAddress(country=recipient.address.country))
    same = billing is not None and _as_recipient(billing) == recipient
    return None if same or recipient == nobody else recipient


def _company(order: Node, billing: Node | None) -> str:
    """The name on the billing address, else the company's own."""
    name = billing.name_of("company") if billing is not None else ""
    entity = order.maybe("purchasingEntity")
    company = entity.maybe("company") if entity is not None else None
    return name or (company.name_of("name") if company is not None else "")


def _billing_address(order: Node, billing: Node | None) -> PostalAddress:
    if billing is not None:
        return _address(billing, "provinceCode", "countryCodeV2")
    location = company_location(order)
    address = location.maybe("billingAddress") if location is not None else None
    return _address(address, "zoneCode", "countryCode") if address is not None else PostalAddress()


def _as_recipient(party: Node) -> Recipient:
    names = (party.text_of("firstName"), party.text_of("lastName"))
    return Recipient(
        name=" ".join(name for name in names if name),
        company=party.name_of("company"),
        address=_address(party, "provinceCode", "countryCodeV2"),
    )


def _address(party: Node, state: str, code: str) -> PostalAddress:
    country = party.text_of(code).upper()
    if country and not _COUNTRY.fullmatch(country):
        raise party.child(code).error("two letters were expected")
    return PostalAddress(
        line1=party.text_of("address1"),
        line2=party.text_of("address2"),
        postcode=party.text_of("zip"),
        city=party.text_of("city"),
        state=party.text_of(state),
        country=country,
    )


def _email(order: Node, customer: Node | None) -> str:
    own = order.text_of("email")
    if own or customer is None:
        return own
    default = customer.maybe("defaultEmailAddress")
    return default.text_of("emailAddress") if default is not None else ""


def _language(order: Node) -> str:
    match = _LANGUAGE.fullmatch(order.text_of("customerLocale"))
    return match[1].lower() if match else ""
