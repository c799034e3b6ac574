"""Where a Polish shop's plugins keep the buyer's tax number and the wish for an invoice.

WooCommerce has no field of its own; plugins, themes and the checkout block each store it in the order's
metadata under their own key. Everything that looks like such a field becomes a candidate with its origin;
whether it is a valid number is judged elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from adapters.values import nip_in_text
from adapters.woocommerce.mapping.reader import Node
from core.orders import TaxIdCandidate

KNOWN_KEYS = (
    "_billing_nip",
    "billing_nip",
    "_billing_vat_number",
    "_vat_number",
    "vat_number",
    "_billing_eu_vat_number",
    "_billing_vat",
    "billing_vat",
    "_billing_tax_id",
    "nip",
    "_nip",
    "nip_number",
    "_billing_nip_number",
    "_polski_billing_nip",
)
"""Metadata keys of known plugins, the most trusted first."""

WISH_KEYS = ("_billing_invoice_ask", "_want_invoice", "_billing_want_invoice", "_invoice_request")
"""Metadata keys of known checkboxes "I want an invoice"."""

_BLOCK_PREFIXES = ("_wc_billing/", "_wc_other/", "_wc_additional/", "_wc_shipping/")
_TAX_ID_NAME = re.compile(r"(^|[_/-])(nip|vat(_?(number|id|no))?|tax_?id)$", re.IGNORECASE)
_TAX_ID_WORD = re.compile(r"(^|[_-])(nip|vat)([_-]|$)", re.IGNORECASE)
_WISH_NAME = re.compile(
    r"(faktura(_?vat)?|(want|wants|chce)_?(invoice|faktura|fakture|fakturę)"
    r"|invoice(_?(ask|request|requested|wanted))?)",
    re.IGNORECASE,
)
_YES = frozenset({"1", "yes", "true", "on", "tak"})
_NO = frozenset({"", "0", "no", "false", "off", "nie"})


def metadata(order: Node) -> list[tuple[str, object]]:
    """Key and value of every metadata entry, in the shop's order.

    Raises:
        UnreadableOrder: ``meta_data`` is no list of entries with a text key.
    """
    return [
        (node.child("key").text(), node.fields().get("value"))
        for node in order.items("meta_data")
        if node.fields().get("key") is not None
    ]


def find_tax_ids(order: Node, chosen: Sequence[str] = ()) -> tuple[TaxIdCandidate, ...]:
    """Every text that may be the buyer's tax number, the most trusted first.

    The order is: fields that the merchant chose, known plugin keys, fields of the checkout block, other
    keys whose last part says what they are, and last the texts in which buyers write "NIP ...".

    Args:
        order: the order.
        chosen: metadata keys, or members of ``billing``, that the merchant named.

    Raises:
        UnreadableOrder: metadata or billing that cannot be read.
    """
    found: dict[str, TaxIdCandidate] = {}
    for candidate in _candidates(order, chosen):
        if candidate.value:
            found.setdefault(candidate.source, candidate)
    return tuple(found.values())


def _candidates(order: Node, chosen: Sequence[str]) -> Iterator[TaxIdCandidate]:
    meta = metadata(order)
    billing = order.child("billing")
    for key in chosen:
        yield from _of_key(meta, key)
        if key in billing.fields():
            yield TaxIdCandidate(_as_text(billing.fields()[key]), f"billing {key}")
    for key in KNOWN_KEYS:
        yield from _of_key(meta, key)
    named = [(key, value) for key, value in meta if _TAX_ID_NAME.search(_last_part(key))]
    for prefix in _BLOCK_PREFIXES:
        for key, value in named:
            if key.startswith(prefix):
                yield TaxIdCandidate(_as_text(value), f"meta {key}")
    for key, value in billing.fields().items():
        if _TAX_ID_NAME.search(_last_part(key)):
            yield TaxIdCandidate(_as_text(value), f"billing {key}")
    for key, value in named:
        yield TaxIdCandidate(_as_text(value), f"meta {key}")
    for key, value in meta:
        if key.startswith(_BLOCK_PREFIXES) and _TAX_ID_WORD.search(_last_part(key)):
            yield TaxIdCandidate(_as_text(value), f"meta {key}", free_text=True)
    yield from _in_texts(order, billing)


def _of_key(meta: list[tuple[str, object]], wanted: str) -> Iterator[TaxIdCandidate]:
    for key, value in meta:
        if key == wanted:
            yield TaxIdCandidate(_as_text(value), f"meta {key}")


def _in_texts(order: Node, billing: Node) -> Iterator[TaxIdCandidate]:
    texts = [(f"billing {key}", billing.text_of(key)) for key in ("company", "address_1", "address_2")]
    texts.append(("customer_note", order.text_of("customer_note")))
    for source, text in texts:
        found = nip_in_text(text)
        if found:
            yield TaxIdCandidate(found, source, free_text=True)


def wants_invoice(order: Node) -> bool | None:
    """The buyer's tick in a checkbox for an invoice, ``None`` when the shop shows none.

    Raises:
        UnreadableOrder: metadata that cannot be read.
    """
    answers: set[bool] = set()
    for key, value in metadata(order):
        block = key.startswith(_BLOCK_PREFIXES)
        name = _last_part(key).strip("_").replace("-", "_")
        if key in WISH_KEYS or (block and _WISH_NAME.fullmatch(name)):
            answer = _as_answer(value)
            if answer is not None:
                answers.add(answer)
    return None if not answers else True in answers


def _last_part(key: str) -> str:
    return key.rsplit("/", 1)[-1]


def _as_text(value: object) -> str:
    if isinstance(value, str):
        return Node(value).text()
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _as_answer(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    text = _as_text(value).lower()
    if text in _YES:
        return True
    return False if text in _NO else None
