"""What a seller decided once about how orders become invoices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from core.invoices.model import BankAccount, MarginScheme, ThirdParty, VatCategory
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
        rate: PLN for one unit; tax in PLN is counted with all its decimals.
        table: number of the NBP table, for the invoice's description.
        day: day of the table.
    """

    currency: str
    rate: Decimal
    table: str = ""
    day: date | None = None


@dataclass(frozen=True, slots=True)
class ProductMarks:
    """What the merchant says about a product, by its article number.

    Attributes:
        gtu: GTU_01 to GTU_13. procedure: Procedura. annex_15: goods or services of annex 15.
        pkwiu, cn: classifications. unit: P_8A, wins over the shop's.
        category: VAT category of a product whose rate of zero says too little.
        margin: margin scheme of art. 119 or 120.
    """

    gtu: str = ""
    procedure: str = ""
    annex_15: bool = False
    pkwiu: str = ""
    cn: str = ""
    unit: str = ""
    category: VatCategory | None = None
    margin: MarginScheme | None = None


@dataclass(frozen=True, slots=True)
class BuyerMarks:
    """What the merchant says about a buyer, by its NIP.

    Attributes:
        is_local_government_unit: JST; the unit that receives must be named in ``third_parties``.
        is_vat_group_member: GV; likewise.
        third_parties: Podmiot3 on each invoice to this buyer.
    """

    is_local_government_unit: bool = False
    is_vat_group_member: bool = False
    third_parties: tuple[ThirdParty, ...] = ()


@dataclass(frozen=True, slots=True)
class InvoicePolicy:
    """A seller's choices.

    Attributes:
        tax_classes: the shop's tax class (``standard`` for the empty one) to the VAT category of lines
            whose rate is zero or unknown.
        exemption_law: legal basis of an exemption (P_19A), needed as soon as a line is exempt.
        company_without_nip: see :class:`CompanyWithoutNip`.
        payment_forms: the shop's payment method to the form named on the invoice; wins over what the
            adapter knows.
        account: bank account for unpaid transfers.
        unit, service_unit: P_8A of goods and of delivery and fees where the shop knows no unit.
        exchange_rates: rates known by currency code.
        products: marks by article number. buyers: marks by NIP.
        eu_goods: category of sales at zero to EU businesses. export: of sales at zero outside the EU.
        oss: invoice consumers in other EU countries at their country's rate (P_12_XII); such sales are
            outside the duty to use KSeF, so this is off unless the merchant wants it.
        recipient_as_third_party: name a recipient who differs from the buyer as Podmiot3.
        simplified: issue UPR where a company gives a NIP but no address, up to 450 PLN.
        allow_missing_address: invoice buyers whose address the shop does not ask for (virtual goods); the
            schema allows it, art. 106e ust. 1 pkt 3 asks for the address.
        receipts: sales to buyers without a tax number were recorded by a cash register, so their invoices
            are marked FP (art. 109 ust. 3d VAT act: they are not counted a second time).
        paid_on_delivery: payment methods that are paid only when the order is completed, whatever the
            shop says before.
    """

    tax_classes: Mapping[str, VatCategory] = field(default_factory=dict)
    exemption_law: str = ""
    company_without_nip: CompanyWithoutNip = CompanyWithoutNip.ATTENTION
    payment_forms: Mapping[str, PaymentForm] = field(default_factory=dict)
    account: BankAccount | None = None
    unit: str = "szt."
    service_unit: str = "usł."
    exchange_rates: Mapping[str, ExchangeRate] = field(default_factory=dict)
    products: Mapping[str, ProductMarks] = field(default_factory=dict)
    buyers: Mapping[str, BuyerMarks] = field(default_factory=dict)
    eu_goods: VatCategory | None = None
    export: VatCategory | None = None
    oss: bool = False
    recipient_as_third_party: bool = False
    simplified: bool = False
    allow_missing_address: bool = False
    receipts: bool = False
    paid_on_delivery: frozenset[str] = frozenset()
