"""What a seller decided once about how orders become invoices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from core.invoices.model import BankAccount, VatCategory
from core.orders import PaymentForm


class CompanyWithoutNip(StrEnum):
    """What to do with a company name that comes without a tax number."""

    ATTENTION = "attention"
    CONSUMER = "consumer"


@dataclass(frozen=True, slots=True)
class ExchangeRate:
    """PLN for one unit of a currency, and where it comes from (art. 31a of the VAT act).

    Attributes:
        currency: ISO 4217 code.
        rate: PLN for one unit, at most six decimals (KursWaluty).
        table: number of the NBP table, for the invoice's description.
        day: day of the table.
    """

    currency: str
    rate: Decimal
    table: str = ""
    day: date | None = None


@dataclass(frozen=True, slots=True)
class InvoicePolicy:
    """A seller's choices.

    Attributes:
        number_pattern: pattern of invoice numbers, see :mod:`core.invoices.numbering`.
        tax_classes: the shop's tax class (``standard`` for the empty one) to the VAT category of lines
            whose rate is zero or unknown.
        exemption_law: legal basis of an exemption (P_19A), needed as soon as a line is exempt.
        company_without_nip: see :class:`CompanyWithoutNip`.
        payment_forms: the shop's payment method to the form named on the invoice; wins over what the
            adapter knows.
        account: bank account for unpaid transfers.
        unit, service_unit: P_8A of goods and of delivery and fees where the shop knows no unit.
        exchange_rates: rates known by currency code.
    """

    number_pattern: str = "FV/{yyyy}/{mm}/{n:04}"
    tax_classes: Mapping[str, VatCategory] = field(default_factory=dict)
    exemption_law: str = ""
    company_without_nip: CompanyWithoutNip = CompanyWithoutNip.ATTENTION
    payment_forms: Mapping[str, PaymentForm] = field(default_factory=dict)
    account: BankAccount | None = None
    unit: str = "szt."
    service_unit: str = "usł."
    exchange_rates: Mapping[str, ExchangeRate] = field(default_factory=dict)
