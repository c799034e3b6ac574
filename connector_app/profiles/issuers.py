"""Who the seller is."""

from __future__ import annotations

from typing import Any

from connector_app.profiles.reader import Reader
from core.findings import Text
from core.invoices.model import Address, Contact, Issuer, Register, Seller
from core.invoices.tax_ids import as_nip


def issuer(reader: Reader, table: dict[str, Any]) -> Issuer:
    """Table ``seller``: Podmiot1, place, footer and registers."""
    text_names = {"email", "phone", "place", "krs", "regon", "bdo", "footer", "eori"}
    reader.only(table, "seller", {"nip", "name", "address", *text_names})
    raw_nip = reader.text(table, "seller", "nip", need=True)
    nip = as_nip(raw_nip)
    if raw_nip and nip is None:
        what = Text(
            f"{raw_nip!r} nie jest NIP-em: zła postać lub cyfra kontrolna",
            f"{raw_nip!r} is no NIP: its form or check digit is wrong",
        )
        reader.fault("seller.nip", what)
    name = reader.text(table, "seller", "name", need=True)
    address = reader.table(table, "address")
    reader.only(address, "seller.address", {"country", "line1", "line2"})
    texts = {one: reader.text(table, "seller", one) for one in text_names}
    contact = Contact(texts["email"], texts["phone"])
    seller = Seller(
        nip=nip or "",
        name=name,
        address=Address(
            reader.text(address, "seller.address", "country") or "PL",
            reader.text(address, "seller.address", "line1", need=True),
            reader.text(address, "seller.address", "line2"),
        ),
        contacts=(contact,) if contact != Contact() else (),
        eori=texts["eori"],
    )
    register = Register(krs=texts["krs"], regon=texts["regon"], bdo=texts["bdo"])
    return Issuer(
        seller=seller,
        place=texts["place"],
        footer=texts["footer"],
        register=register if register != Register() else None,
    )
