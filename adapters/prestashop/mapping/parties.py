"""Who buys and who receives: the order's two addresses and the customer's account."""

from __future__ import annotations

import re

from adapters.prestashop.mapping.bundle import Bundle
from adapters.prestashop.mapping.options import MappingOptions
from adapters.prestashop.mapping.resource import Resource
from adapters.prestashop.mapping.tax_ids import find_tax_ids
from core.orders import Buyer, PostalAddress, Recipient

_COUNTRY = re.compile(r"[A-Z]{2}")
_LANGUAGE = re.compile(r"[a-z]{2}")


def read_buyer(bundle: Bundle, options: MappingOptions) -> Buyer:
    """The buyer from the invoice address and the account.

    Raises:
        UnreadableOrder: the address or its country is not in the bundle.
    """
    order = bundle.order
    address = bundle.needed("address", order.identifier("id_address_invoice"))
    customer = bundle.find("customer", order.reference("id_customer"))
    # an account of a business (B2B mode); a private account's company says nothing about this order
    business = customer.text("company") if customer is not None and customer.text("siret") else ""
    is_guest = customer is not None and customer.flag("is_guest")
    language = bundle.find("language", order.reference("id_lang"))
    iso = language.text("iso_code").lower() if language else ""
    return Buyer(
        first_name=address.text("firstname"),
        last_name=address.text("lastname"),
        company=address.text("company") or business,
        address=_postal(bundle, address),
        email=customer.text("email") if customer else "",
        phone=address.text("phone") or address.text("phone_mobile"),
        tax_ids=find_tax_ids(address, customer, options.tax_id_fields),
        customer_id="" if is_guest else order.reference("id_customer"),
        language=iso if _LANGUAGE.fullmatch(iso) else "",
    )


def read_recipient(bundle: Bundle) -> Recipient | None:
    """The recipient from the delivery address, ``None`` when it says the same as the invoice address.

    Raises:
        UnreadableOrder: the address or its country is not in the bundle.
    """
    key, invoice = (bundle.order.reference(f"id_address_{one}") for one in ("delivery", "invoice"))
    if not key or key == invoice:
        return None
    recipient = _as_recipient(bundle, bundle.needed("address", key))
    buyer = _as_recipient(bundle, bundle.needed("address", invoice))
    return None if recipient == buyer else recipient


def _as_recipient(bundle: Bundle, address: Resource) -> Recipient:
    names = (address.text("firstname"), address.text("lastname"))
    return Recipient(
        name=" ".join(name for name in names if name),
        company=address.text("company"),
        address=_postal(bundle, address),
    )


def _postal(bundle: Bundle, address: Resource) -> PostalAddress:
    country = bundle.needed("country", address.identifier("id_country"))
    iso = country.needed("iso_code").upper()
    if not _COUNTRY.fullmatch(iso):
        raise country.error("iso_code", "two letters were expected")
    state = bundle.find("state", address.reference("id_state"))
    return PostalAddress(
        line1=address.text("address1"),
        line2=address.text("address2"),
        postcode=address.text("postcode"),
        city=address.text("city"),
        state=state.text("name") if state else "",
        country=iso,
    )
