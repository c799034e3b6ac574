"""Amounts with PHP's float dust to whole grosz, as the shop rounds (``round_mode``, ``round_type``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import (
    ROUND_DOWN,
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Decimal,
)

from adapters.prestashop.mapping.resource import Resource
from core.money import GROSZ, ZERO, grosz, split

_MODES = {
    "0": ROUND_UP,
    "1": ROUND_DOWN,
    "2": ROUND_HALF_UP,
    "3": ROUND_HALF_DOWN,
    "4": ROUND_HALF_EVEN,
}
_HALF_ODD = "5"
_PER_UNIT = "1"
_PER_ORDER = "3"
# the webservice's sixth decimal is dust, and a quantity multiplies it
_CLEAN = Decimal("0.0001")
_TOLERANCE = Decimal("0.02")


@dataclass(frozen=True, slots=True)
class Rounding:
    """How one order was rounded.

    Attributes:
        mode: ``round_mode``: 0 up, 1 down, 2 half up, 3 half down, 4 half to even, 5 half to odd.
        per_unit: prices of one unit are rounded and then multiplied (``round_type`` 1).
        per_order: amounts of lines keep their decimals and only sums are rounded (``round_type`` 3).
    """

    mode: str = "2"
    per_unit: bool = False
    per_order: bool = False

    @classmethod
    def of(cls, order: Resource) -> Rounding:
        """The rounding of an order.

        Raises:
            UnreadableOrder: it names a mode that no version of the shop has.
        """
        mode = order.text("round_mode") or "2"
        if mode not in {*_MODES, _HALF_ODD}:
            raise order.error("round_mode", f"{mode} is no way of rounding")
        kind = order.text("round_type")
        return cls(mode, per_unit=kind == _PER_UNIT, per_order=kind == _PER_ORDER)

    def money(self, amount: Decimal) -> Decimal:
        """An amount in whole grosz; dust goes before the mode is asked, or 50.000001 would go up."""
        clean = amount.quantize(_CLEAN, rounding=ROUND_HALF_UP)
        if self.mode == _HALF_ODD:
            down = clean.quantize(GROSZ, rounding=ROUND_DOWN)
            even = clean.quantize(GROSZ, rounding=ROUND_HALF_EVEN)
            is_half = abs(clean - down) * 2 == GROSZ
            step = GROSZ if clean > 0 else -GROSZ
            return (down if even != down else down + step) + ZERO if is_half else even + ZERO
        return clean.quantize(GROSZ, rounding=_MODES[self.mode]) + ZERO

    def amounts(self, exact: Sequence[Decimal], total: Decimal) -> list[Decimal]:
        """Amounts of lines in whole grosz; rounded per order, they add up to the order's own total.

        Args:
            exact: non-negative amounts as sent.
            total: their sum in whole grosz, as the order states it.
        """
        if self.per_order and exact and abs(sum(exact, ZERO) - total) < _TOLERANCE and total >= 0:
            return split(total, exact)
        return [self.money(amount) for amount in exact]

    @property
    def by_line(self) -> bool:
        """Whether net and gross amounts of a line were rounded as one, so that both mean something."""
        return not (self.per_unit or self.per_order)

    def tax_inside(self, gross: Decimal, tax: Decimal, rate: Decimal | None, units: Decimal) -> Decimal:
        """The tax inside a gross amount of a shop with gross prices.

        A shop that rounds each unit multiplies the rounding of the unit's net price too: 12 units at 0.94
        are 11.28, but 12 times 0.76 net leave 2.16 of tax where 23 % give 2.11. A shop that rounds the order
        has no whole net amounts of lines at all. What was paid is the gross amount, so there the tax is
        counted from it (art. 106e ust. 7 of the VAT act), as long as roundings explain the difference.

        Args:
            gross: what was charged.
            tax: the shop's own tax.
            rate: percentage.
            units: how many units the amount is for.
        """
        if self.by_line or not rate:
            return tax
        counted = grosz(gross * rate / (100 + rate))
        return counted if abs(counted - tax) <= max(GROSZ * units, _TOLERANCE) else tax
