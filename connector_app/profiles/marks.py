"""What the seller says about its products and its buyers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector_app.profiles.reader import Reader
from core.findings import Text
from core.invoices.model import Address, MarginScheme, PartyRole, TaxId, ThirdParty, VatCategory
from core.invoices.policy import BuyerMarks, ProductMarks
from core.invoices.tax_ids import as_nip

_PRODUCT_TEXTS = ("gtu", "procedure", "pkwiu", "cn", "unit")


def products(reader: Reader, values: Mapping[str, Any]) -> dict[str, ProductMarks]:
    """Tables ``products."ARTICLE-NUMBER"``."""
    found: dict[str, ProductMarks] = {}
    for sku, table in reader.tables(values, "products").items():
        where = f"products.{sku}"
        reader.only(table, where, {*_PRODUCT_TEXTS, "annex_15", "category", "margin"})
        texts = {name: reader.text(table, where, name) for name in _PRODUCT_TEXTS}
        found[sku] = ProductMarks(
            **texts,
            annex_15=reader.flag(table, where, "annex_15"),
            category=reader.choice(table, where, "category", VatCategory),
            margin=reader.named(table, where, "margin", MarginScheme),
        )
    return found


def buyers(reader: Reader, values: Mapping[str, Any]) -> dict[str, BuyerMarks]:
    """Tables ``buyers."NIP"``."""
    found: dict[str, BuyerMarks] = {}
    for key, table in reader.tables(values, "buyers").items():
        where = f"buyers.{key}"
        nip = as_nip(key)
        if nip is None:
            reader.fault(where, Text("to nie jest NIP", "this is no NIP"))
            continue
        reader.only(table, where, {"local_government", "vat_group", "third_parties"})
        parties = reader.rows(table, "third_parties", f"{where}.third_parties")
        found[nip] = BuyerMarks(
            is_local_government_unit=reader.flag(table, where, "local_government"),
            is_vat_group_member=reader.flag(table, where, "vat_group"),
            third_parties=tuple(_third_party(reader, one, f"{where}.third_parties") for one in parties),
        )
    return found


def _third_party(reader: Reader, table: Mapping[str, Any], where: str) -> ThirdParty:
    reader.only(table, where, {"nip", "name", "role", "address"})
    raw = reader.text(table, where, "nip")
    nip = as_nip(raw)
    if raw and nip is None:
        reader.fault(f"{where}.nip", Text("to nie jest NIP", "this is no NIP"))
    address = reader.table(table, "address", f"{where}.address")
    lines = [reader.text(address, f"{where}.address", name) for name in ("country", "line1", "line2")]
    return ThirdParty(
        tax_id=TaxId.nip(nip) if nip else TaxId.none(),
        name=reader.text(table, where, "name", need=True),
        role=reader.named(table, where, "role", PartyRole),
        address=Address(lines[0] or "PL", lines[1], lines[2]) if address else None,
    )
