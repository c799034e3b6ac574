"""The merchant's mapping of tax classes: what is decided, what is not, and a changed seller's profile."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from adapters.contract import TaxClass, TaxRate
from core.findings import Text
from core.invoices.model import VatCategory

NO_RATE = "none"
"""Key of what the shop applied no rate to at all, in its standard class."""

UNTAXED: Mapping[VatCategory, Text] = {
    VatCategory.EXEMPT: Text("zw – zwolnione z VAT", "zw – exempt from VAT"),
    VatCategory.ZERO: Text("0% – stawka 0% w kraju", "0 % – zero rate at home"),
    VatCategory.OUTSIDE: Text("np – poza terytorium kraju (np I)", "np – outside Poland's VAT (np I)"),
    VatCategory.OUTSIDE_SERVICES: Text(
        "np – usługi dla firm z UE (art. 100, np II)", "np – services to EU businesses (art. 100, np II)"
    ),
    VatCategory.REVERSE_CHARGE: Text("oo – odwrotne obciążenie", "oo – reverse charge"),
    VatCategory.ZERO_WDT: Text("0% – dostawa do firmy z UE (WDT)", "0 % – supply inside the EU (WDT)"),
    VatCategory.ZERO_EXPORT: Text("0% – eksport", "0 % – export"),
}
"""What an amount without tax may mean, in the order in which it is offered."""

EU_GOODS = (VatCategory.ZERO_WDT, VatCategory.OUTSIDE_SERVICES)
"""What sales without tax to EU businesses may be."""
EXPORT = (VatCategory.ZERO_EXPORT, VatCategory.OUTSIDE)
"""What sales without tax outside the EU may be."""

_POLISH = {one.rate: one for one in (VatCategory.R23, VatCategory.R8, VatCategory.R5)}
_HERE = frozenset({"", "PL"})


class Standing(StrEnum):
    """How a class stands."""

    DECIDED = "decided"
    UNDECIDED = "undecided"
    """It comes without tax, or may, and nobody said what that means."""
    SPEAKS = "speaks"
    """Its positive rates say everything."""


@dataclass(frozen=True, slots=True)
class Row:
    """One tax class.

    Attributes:
        key: see :func:`core.invoices.treatment.tax_class_key`. name: as the shop calls it.
        rates: of the shop's settings. seen: orders that had it without tax.
        chosen: what the merchant said. standing: see :class:`Standing`.
        lacks_rates: the settings know the class, and no rate of it.
        proposed: categories that positive Polish rates are.
    """

    key: str
    name: Text
    rates: tuple[TaxRate, ...]
    seen: int
    chosen: VatCategory | None
    standing: Standing
    lacks_rates: bool = False
    proposed: tuple[VatCategory, ...] = ()

    @property
    def is_asked(self) -> bool:
        """Whether the merchant can say something about it."""
        return self.standing is not Standing.SPEAKS


def rows(
    classes: Sequence[TaxClass], seen: Mapping[str, int], chosen: Mapping[str, VatCategory]
) -> list[Row]:
    """The classes of a store with what is known of each, undecided ones first.

    Args:
        classes: of the shop's settings; may be empty.
        seen: by key, how many orders had it without tax.
        chosen: the merchant's mapping so far, other stores' keys among it.
    """
    known = {one.key: one for one in classes}
    keys = [*known, *(key for key in (*seen, *chosen) if key not in known)]
    found = [
        _row(known.get(key) or TaxClass(key, _name(key)), seen.get(key, 0), chosen.get(key), key in known)
        for key in dict.fromkeys(keys)
    ]
    order = {Standing.UNDECIDED: 0, Standing.DECIDED: 1, Standing.SPEAKS: 2}
    return sorted(found, key=lambda row: (order[row.standing], -row.seen))


def _row(one: TaxClass, seen: int, chosen: VatCategory | None, in_settings: bool) -> Row:
    positive = [rate for rate in one.rates if rate.rate]
    # a zero rate of another country is a sale abroad, which has choices of its own
    zero_here = any(not rate.rate and rate.country in _HERE for rate in one.rates)
    may_be_untaxed = seen > 0 or (in_settings and (zero_here or not one.rates))
    if chosen is not None:
        standing = Standing.DECIDED
    else:
        standing = Standing.UNDECIDED if may_be_untaxed else Standing.SPEAKS
    here = [_POLISH[rate.rate] for rate in positive if rate.country in _HERE and rate.rate in _POLISH]
    lacks_rates = in_settings and one.tells_rates and not one.rates
    return Row(one.key, one.name, one.rates, seen, chosen, standing, lacks_rates, tuple(dict.fromkeys(here)))


def _name(key: str) -> Text:
    if key == NO_RATE:
        return Text("Bez żadnej stawki", "No rate at all")
    return Text(key, key)


@dataclass(frozen=True, slots=True)
class Said:
    """What the merchant says.

    Attributes:
        classes: by key; ``None`` takes back what was said.
        exemption_law: basis of exempt sales (P_19A).
        eu_goods: sales without tax to EU businesses. export: outside the EU.
        oss: consumers in other EU countries are charged their country's tax, and such invoices are wanted.
    """

    classes: Mapping[str, VatCategory | None]
    exemption_law: str = ""
    eu_goods: VatCategory | None = None
    export: VatCategory | None = None
    oss: bool = False


def applied(values: Mapping[str, Any], said: Said) -> dict[str, Any]:
    """A seller's profile with a mapping in it; keys that were not spoken of stay.

    Args:
        values: of the profile as it is stored; left as it is.
        said: what the merchant says.
    """
    changed: dict[str, Any] = copy.deepcopy(dict(values))
    classes = changed.get("tax_classes", {}) | {key: one and one.value for key, one in said.classes.items()}
    _put(changed, "tax_classes", {key: one for key, one in classes.items() if one})
    law = said.exemption_law.strip()
    _put(changed, "invoices", _with(changed.get("invoices", {}), exemption_law=law or None))
    treatments = _with(
        changed.get("treatments", {}),
        eu_goods=said.eu_goods and said.eu_goods.value,
        export=said.export and said.export.value,
        oss=said.oss or None,
    )
    _put(changed, "treatments", treatments)
    return changed


def _with(table: Mapping[str, Any], **entries: Any) -> dict[str, Any]:
    return {key: value for key, value in {**table, **entries}.items() if value is not None}


def _put(values: dict[str, Any], name: str, table: dict[str, Any]) -> None:
    if table:
        values[name] = table
    else:
        values.pop(name, None)


def needs_law(values: Mapping[str, Any]) -> bool:
    """Whether a profile's mapping exempts something, so that its basis has to be named."""
    return VatCategory.EXEMPT.value in values.get("tax_classes", {}).values()


def percent(rate: Decimal) -> str:
    """A rate without useless zeros."""
    return f"{rate.normalize():f}"
