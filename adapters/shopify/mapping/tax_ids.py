"""Where a Polish shop on Shopify keeps the buyer's tax number and the wish for an invoice.

Shopify has a localized field for many countries and none for Poland, so shops add attributes to the cart,
metafields, or use companies (B2B); buyers also write the number into texts meant for something else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from adapters.json_node import Node
from adapters.shopify.mapping.values import nodes
from adapters.values import nip_in_text
from core.orders import TaxIdCandidate

_NAMED = re.compile(
    r"(.* )?nip( .*)?|(.* )?(vat|eu vat)( (number|id|no|nr|ue|eu))?|(.* )?tax id( number)?|numer vat( .*)?",
)
_WISH = re.compile(
    r"(.* )?(faktur[aęey]|invoice)( vat)?( (requested|wanted|ask|request))?\??|(want|wants) invoice"
)
_YES = frozenset({"1", "yes", "true", "on", "tak", "y", "t"})
_NO = frozenset({"", "0", "no", "false", "off", "nie", "n"})
_DIGITS = re.compile(r"[0-9]")


def find_tax_ids(order: Node, chosen: Sequence[str] = ()) -> tuple[TaxIdCandidate, ...]:
    """Every text that may be the buyer's tax number, the most trusted first.

    The order is: what the merchant chose, order attributes (what the buyer typed into a field for it), the
    tax registration of the buying company's location, metafields of the order and the customer, and last
    the texts in which buyers write "NIP ...".

    Args:
        order: the order.
        chosen: names of attributes or metafields that the merchant named.

    Raises:
        UnreadableOrder: data that cannot be read.
    """
    found: dict[str, TaxIdCandidate] = {}
    for candidate in _candidates(order, chosen):
        if candidate.value:
            found.setdefault(candidate.source, candidate)
    return tuple(found.values())


def wants_invoice(order: Node) -> bool | None:
    """The buyer's tick in a checkbox for an invoice, ``None`` when the shop shows none.

    Raises:
        UnreadableOrder: attributes that cannot be read.
    """
    answers: set[bool] = set()
    for key, value in attributes(order):
        if _WISH.fullmatch(_plain_name(key)):
            word = value.strip().casefold()
            answers |= {True} if word in _YES else {False} if word in _NO else set()
    return None if not answers else True in answers


def attributes(order: Node) -> list[tuple[str, str]]:
    """Key and value of the order's attributes ("Additional details" of the order page).

    Raises:
        UnreadableOrder: they are no list of texts.
    """
    return [(node.child("key").text(), node.text_of("value")) for node in order.items("customAttributes")]


def _candidates(order: Node, chosen: Sequence[str]) -> Iterator[TaxIdCandidate]:
    own = attributes(order)
    customer = order.maybe("customer")
    fields = [("metafield", one) for one in _metafields(order)]
    fields += [("customer metafield", one) for one in _metafields(customer)] if customer is not None else []
    for name in chosen:
        yield from (TaxIdCandidate(value, f"attribute {key}") for key, value in own if key == name)
        yield from (TaxIdCandidate(value, f"{owner} {key}") for owner, (key, value) in fields if key == name)
    for key, value in own:
        if _NAMED.fullmatch(_plain_name(key)) and _DIGITS.search(value):
            yield TaxIdCandidate(value, f"attribute {key}")
    location = company_location(order)
    if location is not None:
        settings = location.maybe("taxSettings")
        number = settings.text_of("taxRegistrationId") if settings is not None else ""
        yield TaxIdCandidate(number, "company location taxRegistrationId")
    for owner, (key, value) in fields:
        if _NAMED.fullmatch(_plain_name(key.rsplit(".", 1)[-1])) and _DIGITS.search(value):
            yield TaxIdCandidate(value, f"{owner} {key}")
    yield from _in_texts(order, customer)


def company_location(order: Node) -> Node | None:
    """The location of the company that bought, ``None`` for a sale to a person.

    Raises:
        UnreadableOrder: data that cannot be read.
    """
    entity = order.maybe("purchasingEntity")
    return entity.maybe("location") if entity is not None else None


def _metafields(owner: Node) -> list[tuple[str, str]]:
    """``namespace.key`` and value, without our own."""
    return [
        (f"{node.text_of('namespace')}.{node.text_of('key')}", node.text_of("value"))
        for node in nodes(owner, "metafields")
        if node.text_of("namespace") != "ksef"
    ]


def _in_texts(order: Node, customer: Node | None) -> Iterator[TaxIdCandidate]:
    billing = order.maybe("billingAddress")
    texts: list[tuple[str, str]] = []
    if billing is not None:
        keys = ("company", "address2", "address1", "lastName")
        texts += [(f"billingAddress {key}", billing.text_of(key)) for key in keys]
    texts.append(("note", order.text_of("note")))
    if customer is not None:
        texts += [("customer tag", tag.text()) for tag in customer.items("tags")]
    for source, text in texts:
        yield TaxIdCandidate(nip_in_text(text), source, free_text=True)


def _plain_name(key: str) -> str:
    """A field's name without case and punctuation: ``VAT_ID:`` becomes ``vat id``."""
    return " ".join(re.sub(r"[^\w]|_", " ", key.casefold()).split())
