"""Tax rates: the percentage behind the id of a tax, and whose rate it is.

The webservice tells no country of a tax. The shop's own localisation packs write it into the tax's name
("PTU PL 23%", "USt. AT 20%"); a name without a country leaves it open.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from adapters.prestashop.mapping.bundle import Bundle
from adapters.prestashop.mapping.resource import Resource
from core.countries import EU
from core.money import GROSZ
from core.orders import OrderLine, TaxShare

_WORD = re.compile(r"\b[A-Z]{2}\b", re.ASCII)


def tax_of(bundle: Bundle, detail: Resource) -> tuple[Decimal | None, str]:
    """Percentage and country of a detail's tax; no percentage when it names no tax.

    Raises:
        UnreadableOrder: a tax that is not in the bundle, or several of different rates.
    """
    taxes = [bundle.needed("tax", row.identifier()) for row in detail.rows.get("taxes", ())]
    rates = {tax.percentage("rate") for tax in taxes}
    if len(rates) > 1:
        raise detail.error("associations.taxes", "several taxes on one product are not supported")
    return next(iter(rates), None), _only([_country(tax) for tax in taxes])


def country_of(bundle: Bundle, rate: Decimal, products: Sequence[OrderLine]) -> str:
    """Whose rate a bare percentage is: as for the goods of the order, else as for all known taxes."""
    goods = [share.country for line in products for share in line.shares if share.rate == rate]
    taxes = bundle.others.get("tax", {}).values()
    return _only(goods or [_country(tax) for tax in taxes if tax.percentage("rate") == rate])


def explained(net: Decimal, tax: Decimal, rate: Decimal) -> bool:
    """Whether a tax is what a rate gives of a net amount, up to a grosz of rounding."""
    return abs(net * rate / 100 - tax) <= GROSZ


def bases(lines: Sequence[OrderLine]) -> list[TaxShare]:
    """What lines charge per rate; what bears no tax is kept apart by tax rule, which decides its meaning."""
    found: dict[tuple[Decimal | None, str], TaxShare] = {}
    for share in (share for line in lines for share in line.shares):
        key = (share.rate, "" if share.rate else share.tax_class)
        known = found.get(key)
        net, tax = (known.net, known.tax) if known else (Decimal(0), Decimal(0))
        country = share.country if known is None or known.country == share.country else ""
        found[key] = TaxShare(share.rate, net + share.net, tax + share.tax, key[1], country)
    return [share for share in found.values() if share.gross]


def _country(tax: Resource) -> str:
    return _only([word for word in _WORD.findall(tax.text("name")) if word in EU])


def _only(countries: Sequence[str]) -> str:
    return countries[0] if len(set(countries)) == 1 else ""
