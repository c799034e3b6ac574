"""The VAT table's fields: which category stands in which P_13_x and P_14_x.

Source: descriptions of P_13_1 to P_13_11 in the official schemas. The order of the rows is the order of
the schema. Two categories may share a row (23 % and the former 22 %).
"""

from __future__ import annotations

from dataclasses import dataclass

from core.invoices.model import VatCategory
from core.orders import PaymentForm


@dataclass(frozen=True, slots=True)
class RateField:
    """One row of the VAT table.

    Attributes:
        net: name of the net amount's element.
        vat: name of the tax amount's element, empty when the row has none.
        vat_pln: name of the tax in PLN, empty when the row has none.
        categories: what belongs into the row.
    """

    net: str
    vat: str
    vat_pln: str
    categories: tuple[VatCategory, ...]


RATE_FIELDS = (
    RateField("P_13_1", "P_14_1", "P_14_1W", (VatCategory.R23, VatCategory.R22)),
    RateField("P_13_2", "P_14_2", "P_14_2W", (VatCategory.R8, VatCategory.R7)),
    RateField("P_13_3", "P_14_3", "P_14_3W", (VatCategory.R5,)),
    RateField("P_13_4", "P_14_4", "P_14_4W", (VatCategory.R4, VatCategory.R3)),
    RateField("P_13_6_1", "", "", (VatCategory.ZERO,)),
    RateField("P_13_6_2", "", "", (VatCategory.ZERO_WDT,)),
    RateField("P_13_6_3", "", "", (VatCategory.ZERO_EXPORT,)),
    RateField("P_13_7", "", "", (VatCategory.EXEMPT,)),
    RateField("P_13_8", "", "", (VatCategory.OUTSIDE,)),
    RateField("P_13_9", "", "", (VatCategory.OUTSIDE_SERVICES,)),
    RateField("P_13_10", "", "", (VatCategory.REVERSE_CHARGE,)),
)

FIELD_OF = {category: row for row in RATE_FIELDS for category in row.categories}

PAYMENT_CODES = {
    PaymentForm.CASH: "1",
    PaymentForm.CARD: "2",
    PaymentForm.VOUCHER: "3",
    PaymentForm.CHEQUE: "4",
    PaymentForm.CREDIT: "5",
    PaymentForm.TRANSFER: "6",
    PaymentForm.MOBILE: "7",
}
"""TFormaPlatnosci."""
