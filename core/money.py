"""Amounts of money: always :class:`~decimal.Decimal`, rounded half up to the grosz.

Half up is the mathematical rounding that art. 106e ust. 11 of the VAT act asks for (amounts below
half a grosz are dropped, from half a grosz up they count as one).
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Context, Decimal

GROSZ = Decimal("0.01")
ZERO = Decimal("0.00")
# enough digits for TKwotowy2 (22) times TIlosci (22)
_WIDE = Context(prec=60, rounding=ROUND_HALF_UP)


def grosz(amount: Decimal) -> Decimal:
    """Round an amount to two decimals, half up (art. 106e ust. 11 of the VAT act).

    Args:
        amount: any finite amount in units of its currency.

    Returns:
        The amount with exactly two decimals; minus zero becomes zero.
    """
    return amount.quantize(GROSZ, rounding=ROUND_HALF_UP, context=_WIDE) + ZERO


def split(amount: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """Split an amount over weights so that the grosz parts add up exactly (largest remainder).

    Args:
        amount: the amount to split, with at most two decimals, of either sign.
        weights: one non-negative weight per part; all zero means equal parts.

    Returns:
        One part per weight, each with two decimals, whose sum is ``amount``.

    Raises:
        ValueError: no weights, or a negative weight.
    """
    if not weights:
        raise ValueError("an amount cannot be split over nothing")
    if any(weight < 0 for weight in weights):
        raise ValueError("weights must not be negative")
    whole = _WIDE.create_decimal(sum(weights, Decimal(0)))
    shares = [
        _WIDE.divide(weight, whole) if whole else _WIDE.divide(Decimal(1), Decimal(len(weights)))
        for weight in weights
    ]
    exact = [_WIDE.multiply(amount, share) for share in shares]
    parts = [grosz(part) for part in exact]
    missing = grosz(amount) - sum(parts, ZERO)
    step = GROSZ if missing > 0 else -GROSZ
    # the parts that lost most by rounding take the left-over grosz first; ties go to the larger weight
    order = sorted(range(len(parts)), key=lambda i: ((parts[i] - exact[i]) * step, -weights[i], i))
    for i in range(int(abs(missing / GROSZ))):
        parts[order[i % len(order)]] += step
    return parts
