"""The invoice: what the seller states to KSeF, independent of the schema version.

One frozen model serves building, writing, reading and checking. Field names are English; the schema's
own name stands in each docstring. Texts are already in the form that the schema accepts (see
:mod:`core.invoices.texts`); amounts are :class:`~decimal.Decimal` in units of :attr:`Invoice.currency`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from core.orders import PaymentForm


class InvoiceKind(StrEnum):
    """RodzajFaktury."""

    VAT = "VAT"
    CORRECTION = "KOR"
    ADVANCE = "ZAL"
    SETTLEMENT = "ROZ"
    SIMPLIFIED = "UPR"
    ADVANCE_CORRECTION = "KOR_ZAL"
    SETTLEMENT_CORRECTION = "KOR_ROZ"


class VatCategory(StrEnum):
    """How a line is taxed; the value is the FA(3) code of P_12 (TStawkaPodatku)."""

    R23 = "23"
    R22 = "22"
    R8 = "8"
    R7 = "7"
    R5 = "5"
    R4 = "4"
    R3 = "3"
    ZERO = "0 KR"
    """0 % at home."""
    ZERO_WDT = "0 WDT"
    """0 %, supply of goods inside the EU."""
    ZERO_EXPORT = "0 EX"
    """0 %, export."""
    EXEMPT = "zw"
    REVERSE_CHARGE = "oo"
    """Reverse charge at home."""
    OUTSIDE = "np I"
    """Not taxed in Poland, other than services of art. 100 ust. 1 pkt 4."""
    OUTSIDE_SERVICES = "np II"
    """Services taxed by an EU buyer, art. 100 ust. 1 pkt 4."""

    @property
    def rate(self) -> Decimal:
        """The percentage; zero for everything that carries no Polish tax."""
        return _RATES.get(self, _NO_TAX)


_NO_TAX = Decimal(0)
_RATES = {category: Decimal(category.value) for category in VatCategory if category.value.isdigit()}


class Pricing(StrEnum):
    """Whether the invoice is counted from net or from gross prices (art. 106e ust. 1 and ust. 7)."""

    NET = "net"
    GROSS = "gross"


@dataclass(frozen=True, slots=True)
class Address:
    """TAdres: country code (ISO 3166-1 alpha-2) and one or two lines of text."""

    country: str
    line1: str
    line2: str = ""
    gln: str = ""


@dataclass(frozen=True, slots=True)
class Contact:
    """DaneKontaktowe: an e-mail address and a telephone number, either may be empty."""

    email: str = ""
    phone: str = ""


class TaxIdKind(StrEnum):
    """Which of the schema's ways identifies a party."""

    NIP = "nip"
    EU_VAT = "eu_vat"
    OTHER = "other"
    NONE = "none"
    """BrakID: no identifier, e.g. a private person."""


@dataclass(frozen=True, slots=True)
class TaxId:
    """NIP, KodUE with NrVatUE, KodKraju with NrID, or BrakID.

    Attributes:
        kind: which of them.
        value: digits and letters without a country prefix; empty for ``NONE``.
        country: KodUE or KodKraju; empty where the kind has none.
    """

    kind: TaxIdKind
    value: str = ""
    country: str = ""

    @classmethod
    def nip(cls, value: str) -> TaxId:
        """A Polish NIP of ten digits."""
        return cls(TaxIdKind.NIP, value)

    @classmethod
    def eu_vat(cls, country: str, value: str) -> TaxId:
        """A VAT number of another EU country, prefix apart."""
        return cls(TaxIdKind.EU_VAT, value, country)

    @classmethod
    def none(cls) -> TaxId:
        """No identifier (BrakID)."""
        return cls(TaxIdKind.NONE)


@dataclass(frozen=True, slots=True)
class Seller:
    """Podmiot1.

    Attributes:
        nip: ten digits. name: full name. address: seat.
        contact: shown to buyers; place: city of issue (P_1M); empty when not stated.
        krs, regon, bdo, footer: Stopka; empty when not stated.
    """

    nip: str
    name: str
    address: Address
    contact: Contact = field(default_factory=Contact)
    place: str = ""
    krs: str = ""
    regon: str = ""
    bdo: str = ""
    footer: str = ""


@dataclass(frozen=True, slots=True)
class Buyer:
    """Podmiot2.

    Attributes:
        tax_id: how the buyer is identified.
        name: company or person. address: ``None`` when not stated.
        contact, customer_number: optional.
        is_local_government_unit: JST of FA(3); is_vat_group_member: GV of FA(3).
    """

    tax_id: TaxId
    name: str
    address: Address | None = None
    contact: Contact = field(default_factory=Contact)
    customer_number: str = ""
    is_local_government_unit: bool = False
    is_vat_group_member: bool = False


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """FaWiersz.

    Attributes:
        number: NrWierszaFa, from 1.
        line_id: UU_ID, stable over the invoice and its corrections, at most 50 characters.
        name: P_7. quantity: P_8B. unit: P_8A.
        unit_price: P_9A in net pricing, P_9B in gross pricing, before the discount.
        discount: P_10 for the whole line, positive, in the same pricing; zero when there is none.
        amount: P_11 (net pricing) or P_11A (gross pricing).
        vat: P_11Vat, only when the tax is counted line by line (art. 106e ust. 10).
        category: P_12. sku: Indeks. gtin: GTIN.
        exchange_rate: KursWaluty in PLN for one unit of the currency.
    """

    number: int
    line_id: str
    name: str
    quantity: Decimal
    unit: str
    unit_price: Decimal
    amount: Decimal
    category: VatCategory
    discount: Decimal = Decimal(0)
    vat: Decimal | None = None
    sku: str = ""
    gtin: str = ""
    exchange_rate: Decimal | None = None


@dataclass(frozen=True, slots=True)
class RateSummary:
    """One row of the VAT table: P_13_x, P_14_x and P_14_xW.

    Attributes:
        category: which rate. net: P_13_x. vat: P_14_x (zero where the category has none).
        vat_pln: P_14_xW, tax in PLN on an invoice in another currency.
    """

    category: VatCategory
    net: Decimal
    vat: Decimal
    vat_pln: Decimal | None = None

    @property
    def gross(self) -> Decimal:
        """Net and tax together."""
        return self.net + self.vat


@dataclass(frozen=True, slots=True)
class BankAccount:
    """RachunekBankowy: number without spaces, optional SWIFT and name of the bank."""

    number: str
    swift: str = ""
    bank: str = ""


@dataclass(frozen=True, slots=True)
class PaymentTerms:
    """Platnosc.

    Attributes:
        paid_on: DataZaplaty (Warsaw day) of the whole amount, ``None`` while unpaid.
        due_on: Termin; ``None`` when not stated.
        form: FormaPlatnosci; ``None`` with ``description`` means PlatnoscInna.
        description: OpisPlatnosci.
        account: where to pay.
    """

    paid_on: date | None = None
    due_on: date | None = None
    form: PaymentForm | None = None
    description: str = ""
    account: BankAccount | None = None


@dataclass(frozen=True, slots=True)
class Annotations:
    """Adnotacje; the defaults say that none applies.

    Attributes:
        cash_method: P_16. self_billing: P_17. reverse_charge: P_18. split_payment: P_18A.
        exemption_law: P_19A, basis in the VAT act or its regulation.
        exemption_directive: P_19B, basis in directive 2006/112. exemption_other: P_19C.
        simplified_triangular: P_23.
    """

    cash_method: bool = False
    self_billing: bool = False
    reverse_charge: bool = False
    split_payment: bool = False
    exemption_law: str = ""
    exemption_directive: str = ""
    exemption_other: str = ""
    simplified_triangular: bool = False


@dataclass(frozen=True, slots=True)
class OrderReference:
    """Zamowienia: number and Warsaw day of the order; either may be missing."""

    number: str = ""
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Description:
    """DodatkowyOpis: a key and a value, for one line (its number) or the whole invoice."""

    key: str
    value: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Invoice:
    """A whole invoice, complete and ready to be written.

    Attributes:
        kind: RodzajFaktury. number: P_2.
        issued_on: P_1, the Warsaw day of sending. sold_on: P_6, only when it differs from P_1.
        created_at: DataWytworzeniaFa, aware UTC, whole seconds.
        currency: KodWaluty. pricing: how amounts were counted.
        rates: rows of the VAT table in the schema's order. total: P_15.
        system: SystemInfo, the program's name.
    """

    kind: InvoiceKind
    number: str
    issued_on: date
    created_at: datetime
    currency: str
    pricing: Pricing
    seller: Seller
    buyer: Buyer
    lines: tuple[InvoiceLine, ...]
    rates: tuple[RateSummary, ...]
    total: Decimal
    sold_on: date | None = None
    annotations: Annotations = field(default_factory=Annotations)
    payment: PaymentTerms | None = None
    orders: tuple[OrderReference, ...] = ()
    descriptions: tuple[Description, ...] = ()
    system: str = ""
