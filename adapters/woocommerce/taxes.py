"""The shop's tax classes and the rates in its tax table (``taxes/classes``, ``taxes``)."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal, InvalidOperation

from adapters.contract import TaxClass, TaxRate
from adapters.values import plain
from adapters.woocommerce.client import WooClient, as_list
from core.findings import Text

STANDARD = "standard"
_MOST = Decimal(100)


def tax_classes(client: WooClient) -> tuple[TaxClass, ...]:
    """Read them; rows that say no percentage are left out, because they decide nothing here.

    Raises:
        ShopError: the shop cannot be read now, or the key may not.
    """
    rates: dict[str, list[TaxRate]] = defaultdict(list)
    for page in client.pages("taxes"):
        for row in page:
            rate = _rate(row)
            if isinstance(row, dict) and rate is not None:
                rates[str(row.get("class") or STANDARD)].append(rate)
    names = {STANDARD: ""}
    for row in as_list(client.get("taxes/classes")):
        if isinstance(row, dict) and isinstance(row.get("slug"), str):
            names[row["slug"]] = str(row.get("name") or "")
    keys = [*names, *(key for key in rates if key not in names)]
    return tuple(
        TaxClass(key, Text(names.get(key) or key, names.get(key) or key), tuple(rates.get(key, ())))
        for key in keys
    )


def _rate(row: object) -> TaxRate | None:
    if not isinstance(row, dict):
        return None
    try:
        rate = plain(Decimal(str(row.get("rate"))))
    except InvalidOperation:
        return None
    if not rate.is_finite() or not 0 <= rate <= _MOST:
        return None
    return TaxRate(rate, str(row.get("country") or "").upper()[:2], str(row.get("name") or ""))
