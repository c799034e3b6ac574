"""What one defect is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.invoices.model import Invoice


@dataclass(frozen=True, slots=True)
class Case:
    """One defect in a right invoice, and the one finding that must name it.

    Attributes:
        code: of the rule. path: of the finding. make: builds the invoice.
        older: the invoice was read from FA(2).
    """

    code: str
    path: str
    make: Callable[[], Invoice]
    older: bool = False
