"""Recorded answers put together into the file of one order, as a merchant does it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from adapters.prestashop import Bundle, read_bundle

DATA = Path(__file__).resolve().parent.parent / "data" / "prestashop"
ORDERS = ("o1", "o2", "o3", "o4")

_SHARED = (
    "address_invoice",
    "country_pl",
    "currency",
    "customer",
    "carrier",
    "taxes",
    "order_states",
    "order_payments_ref",
)
_OWN = ("order", "order_details", "order_cart_rules", "order_histories")
_DECLARATION = re.compile(r"<\?xml[^>]*\?>")

# the delivery address was not recorded: another name at another place
_DELIVERY = """<prestashop><address><id>10</id><id_country>14</id_country><id_state>0</id_state>
<company></company><lastname>Odbiorca</lastname><firstname>Ewa</firstname><vat_number></vat_number>
<address1>ul. Krzywa 3</address1><address2></address2><postcode>30-002</postcode><city>Kraków</city>
<phone></phone><dni></dni></address></prestashop>"""

Edit = Callable[[str], str]


def answer(name: str) -> str:
    """One recorded answer without its XML declaration."""
    return _DECLARATION.sub("", (DATA / f"{name}.xml").read_text("utf-8"))


def order_file(name: str, *, slips: bool = False, edit: Edit | None = None) -> bytes:
    """The file of a recorded order.

    Args:
        name: ``o1`` to ``o4``.
        slips: with the order's credit slips, which were made after it was invoiced.
        edit: a change to the text of the whole file.
    """
    parts = [answer(f"{one}_{name}") for one in _OWN]
    parts += [answer(one) for one in _SHARED]
    parts.append(_DELIVERY)
    if slips:
        parts.append(answer(f"order_slip_{name}"))
    text = "\n".join(["<prestashop>", *parts, "</prestashop>"])
    changed = edit(text) if edit else text
    assert edit is None or changed != text, "the edit changed nothing"
    return changed.encode()


def recorded(name: str, *, slips: bool = False, edit: Edit | None = None) -> Bundle:
    """The bundle of a recorded order; arguments as for :func:`order_file`."""
    return read_bundle(order_file(name, slips=slips, edit=edit))


def field(resource: str, key: str, name: str, value: str) -> Edit:
    """An edit of one field of the resource with an id."""
    pattern = re.compile(
        rf"(<{resource}>\s*<id><!\[CDATA\[{key}\]\]></id>(?:(?!</{resource}>).)*?<{name}\b[^>]*>)"
        r"<!\[CDATA\[[^\]]*\]\]>",
        re.DOTALL,
    )

    def apply(text: str) -> str:
        changed, count = pattern.subn(rf"\g<1><![CDATA[{value}]]>", text, count=1)
        assert count == 1, f"there is no {resource}[{key}].{name}"
        return changed

    return apply


def edits(*changes: Edit) -> Edit:
    """Several edits, one after the other."""

    def apply(text: str) -> str:
        for change in changes:
            text = change(text)
        return text

    return apply
