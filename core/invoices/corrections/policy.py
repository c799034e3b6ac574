"""What a seller decided once about corrections."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.invoices.model import CorrectionType


class RowStyle(StrEnum):
    """How a correction shows changed lines; both are allowed by the schema."""

    PAIRS = "pairs"
    """A row before (StanPrzed) and a row after."""
    DIFFERENCES = "differences"
    """One row with the difference."""


class AmountOnly(StrEnum):
    """What to do with a refund that names an amount and no lines."""

    ATTENTION = "attention"
    SPREAD = "spread"
    """Split by what is left per VAT rate."""


@dataclass(frozen=True, slots=True)
class CorrectionPolicy:
    """A seller's choices about corrections.

    Attributes:
        style: how changed lines are shown.
        amount_only: see :class:`AmountOnly`.
        type: TypKorekty of refunds: by default the day of the correction (art. 29a ust. 13 VAT act: a
            reduction counts in the period in which the structured correction is issued).
        reason: PrzyczynaKorekty where the shop gives none.
    """

    style: RowStyle = RowStyle.PAIRS
    amount_only: AmountOnly = AmountOnly.ATTENTION
    type: CorrectionType = CorrectionType.CORRECTION_DAY
    reason: str = "Zwrot towaru lub obniżka ceny"
