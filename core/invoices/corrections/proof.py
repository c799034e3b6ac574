"""The refund proof sheet: shop refund = correction, per rate, to the grosz."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self

from core.invoices.model import RateRow

_NAMES = {
    RateRow.BASIC: "23%",
    RateRow.REDUCED: "8%",
    RateRow.LOWEST: "5%",
    RateRow.TAXI: "4%",
    RateRow.ZERO: "0%",
    RateRow.ZERO_WDT: "0% WDT",
    RateRow.ZERO_EXPORT: "0% EX",
    RateRow.EXEMPT: "zw",
    RateRow.OUTSIDE: "np I",
    RateRow.OUTSIDE_SERVICES: "np II",
    RateRow.REVERSE_CHARGE: "oo",
    RateRow.OSS: "OSS",
    RateRow.MARGIN: "marża",
}


def rate_name(row: RateRow) -> str:
    """What people call a row of the VAT table, such as ``23%``."""
    return _NAMES[row]


@dataclass(frozen=True, slots=True)
class ProofRow:
    """One rate.

    Attributes:
        row: which. refunded_net, refunded_tax: what the shop gave back, positive.
        corrected_net, corrected_tax: what the correction takes off, positive.
        left: gross amount that stays of the rate.
    """

    row: RateRow
    refunded_net: Decimal
    refunded_tax: Decimal
    corrected_net: Decimal
    corrected_tax: Decimal
    left: Decimal

    @property
    def difference(self) -> Decimal:
        """Gross refund less gross correction; zero in a proof that holds."""
        return (self.refunded_net + self.refunded_tax) - (self.corrected_net + self.corrected_tax)


@dataclass(frozen=True, slots=True)
class ProofSheet:
    """The proof of one correction.

    Attributes:
        refund_id, order_id: the shop's ids. invoice_number: P_2 of the corrected invoice.
        currency: of all amounts. refunded: money given back. corrected: P_15 of the correction, positive.
        left: what the buyer has paid in the end. rows: per rate.
    """

    refund_id: str
    order_id: str
    invoice_number: str
    currency: str
    refunded: Decimal
    corrected: Decimal
    left: Decimal
    rows: tuple[ProofRow, ...]

    @property
    def holds(self) -> bool:
        """Whether refund and correction are equal, in total and per rate."""
        return self.refunded == self.corrected and not any(row.difference for row in self.rows)

    def as_json(self) -> dict[str, Any]:
        """The proof as JSON-ready values; amounts are texts."""
        return {
            "refund_id": self.refund_id,
            "order_id": self.order_id,
            "invoice_number": self.invoice_number,
            "currency": self.currency,
            "refunded": f"{self.refunded:.2f}",
            "corrected": f"{self.corrected:.2f}",
            "left": f"{self.left:.2f}",
            "holds": self.holds,
            "rates": [
                {
                    "rate": _NAMES[row.row],
                    "row": row.row.value,
                    "refunded_net": f"{row.refunded_net:.2f}",
                    "refunded_tax": f"{row.refunded_tax:.2f}",
                    "corrected_net": f"{row.corrected_net:.2f}",
                    "corrected_tax": f"{row.corrected_tax:.2f}",
                    "left": f"{row.left:.2f}",
                }
                for row in self.rows
            ],
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """The proof that :meth:`as_json` gave."""
        amounts = ("refunded_net", "refunded_tax", "corrected_net", "corrected_tax", "left")
        return cls(
            refund_id=values["refund_id"],
            order_id=values["order_id"],
            invoice_number=values["invoice_number"],
            currency=values["currency"],
            refunded=Decimal(values["refunded"]),
            corrected=Decimal(values["corrected"]),
            left=Decimal(values["left"]),
            rows=tuple(
                ProofRow(RateRow(row["row"]), *(Decimal(row[name]) for name in amounts))
                for row in values["rates"]
            ),
        )

    def as_text(self, language: str = "pl") -> str:
        """The proof as a small table of text, in ``pl`` or ``en``."""
        english = language == "en"
        head = (
            f"Refund {self.refund_id} of order {self.order_id}, invoice {self.invoice_number}"
            if english
            else f"Zwrot {self.refund_id} do zamówienia {self.order_id}, faktura {self.invoice_number}"
        )
        titles = (
            ("rate", "refund", "of it VAT", "correction", "of it VAT", "left")
            if english
            else ("stawka", "zwrot", "w tym VAT", "korekta", "w tym VAT", "zostaje")
        )
        lines = [head, "".join(title.rjust(12) for title in titles)]
        for row in self.rows:
            values = (
                _NAMES[row.row],
                f"{row.refunded_net + row.refunded_tax:.2f}",
                f"{row.refunded_tax:.2f}",
                f"{row.corrected_net + row.corrected_tax:.2f}",
                f"{row.corrected_tax:.2f}",
                f"{row.left:.2f}",
            )
            lines.append("".join(value.rjust(12) for value in values))
        verdict = "=" if self.holds else "≠"
        lines.append(
            f"{self.refunded:.2f} {self.currency} {verdict} {self.corrected:.2f} {self.currency}; "
            + (f"left: {self.left:.2f}" if english else f"zostaje: {self.left:.2f}")
        )
        return "\n".join(lines)
