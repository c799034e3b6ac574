"""The whole invoice."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from core.invoices.model.codes import InvoiceKind, MarginScheme, Pricing, RateRow
from core.invoices.model.corrections import Correction
from core.invoices.model.extra import Extra
from core.invoices.model.lines import AdvanceOrder, InvoiceLine
from core.invoices.model.parties import AuthorizedParty, Buyer, Register, Seller, ThirdParty
from core.invoices.model.terms import PaymentTerms, Settlement, TransactionTerms


@dataclass(frozen=True, slots=True)
class RateSummary:
    """One row of the VAT table: P_13_x, P_14_x and P_14_xW.

    Attributes:
        row: which row. net: P_13_x (with tax in the margin row).
        vat: P_14_x; ``None`` where the row states none. vat_pln: P_14_xW, the tax in PLN.
    """

    row: RateRow
    net: Decimal
    vat: Decimal | None = None
    vat_pln: Decimal | None = None

    @property
    def gross(self) -> Decimal:
        """Net and tax together."""
        return self.net if self.vat is None else self.net + self.vat


@dataclass(frozen=True, slots=True)
class Annotations:
    """Adnotacje; the defaults say that none applies.

    Attributes:
        cash_method: P_16. self_billing: P_17. reverse_charge: P_18. split_payment: P_18A.
        exemption_law: P_19A, basis in the VAT act or its regulation.
        exemption_directive: P_19B, basis in directive 2006/112. exemption_other: P_19C.
        simplified_triangular: P_23. margin: PMarzy.
    """

    cash_method: bool = False
    self_billing: bool = False
    reverse_charge: bool = False
    split_payment: bool = False
    exemption_law: str = ""
    exemption_directive: str = ""
    exemption_other: str = ""
    simplified_triangular: bool = False
    margin: MarginScheme | None = None
    extra: tuple[Extra, ...] = ()


@dataclass(frozen=True, slots=True)
class Period:
    """OkresFa: first and last day of the period that the invoice is for."""

    first: date
    last: date
    extra: tuple[Extra, ...] = ()


@dataclass(frozen=True, slots=True)
class AdvancePart:
    """ZaliczkaCzesciowa: one of several advances on one invoice."""

    received_on: date
    amount: Decimal
    exchange_rate: Decimal | None = None
    extra: tuple[Extra, ...] = ()


@dataclass(frozen=True, slots=True)
class AdvanceReference:
    """FakturaZaliczkowa: the advance invoice that is settled.

    Attributes:
        ksef_number: NrKSeFFaZaliczkowej. number: NrFaZaliczkowej of one issued outside KSeF.
    """

    ksef_number: str = ""
    number: str = ""
    extra: tuple[Extra, ...] = ()


@dataclass(frozen=True, slots=True)
class Description:
    """DodatkowyOpis: a key and a value, for one line (its number) or the whole invoice."""

    key: str
    value: str
    line: int | None = None
    extra: tuple[Extra, ...] = ()


@dataclass(frozen=True, slots=True)
class Footer:
    """Stopka: texts (StopkaFaktury) and registers."""

    texts: tuple[str, ...] = ()
    registers: tuple[Register, ...] = ()
    extra: tuple[Extra, ...] = ()


@dataclass(frozen=True, slots=True)
class Invoice:
    """A whole invoice, complete and ready to be written.

    Attributes:
        kind: RodzajFaktury. number: P_2.
        issued_on: P_1, the Warsaw day of sending. sold_on: P_6, only when it differs from P_1.
        period: OkresFa instead of P_6.
        created_at: DataWytworzeniaFa, aware UTC. system: SystemInfo, the program's name.
        currency: KodWaluty. rates: rows of the VAT table. total: P_15.
        third_parties: Podmiot3. authorized: PodmiotUpowazniony. place: P_1M.
        warehouse_documents: WZ. advance_exchange_rate: KursWalutyZ.
        correction: what a correcting invoice adds. advance_parts: ZaliczkaCzesciowa.
        from_receipt: FP. related_parties: TP. excise_refund: ZwrotAkcyzy.
        advances: FakturaZaliczkowa. order: Zamowienie. attachment and the like stay in ``extra`` of the
        document, further elements of Fa in ``fa_extra``, of the header in ``header_extra``.
    """

    kind: InvoiceKind
    number: str
    issued_on: date
    created_at: datetime
    currency: str
    seller: Seller
    buyer: Buyer
    total: Decimal
    lines: tuple[InvoiceLine, ...] = ()
    rates: tuple[RateSummary, ...] = ()
    sold_on: date | None = None
    period: Period | None = None
    place: str = ""
    warehouse_documents: tuple[str, ...] = ()
    third_parties: tuple[ThirdParty, ...] = ()
    authorized: AuthorizedParty | None = None
    advance_exchange_rate: Decimal | None = None
    annotations: Annotations = field(default_factory=Annotations)
    correction: Correction | None = None
    advance_parts: tuple[AdvancePart, ...] = ()
    from_receipt: bool = False
    related_parties: bool = False
    descriptions: tuple[Description, ...] = ()
    advances: tuple[AdvanceReference, ...] = ()
    excise_refund: bool = False
    settlement: Settlement | None = None
    payment: PaymentTerms | None = None
    terms: TransactionTerms | None = None
    order: AdvanceOrder | None = None
    footer: Footer | None = None
    system: str = ""
    header_extra: tuple[Extra, ...] = ()
    fa_extra: tuple[Extra, ...] = ()
    extra: tuple[Extra, ...] = ()

    @property
    def pricing(self) -> Pricing:
        """Net or gross prices, by the first line that states an amount."""
        for line in self.lines:
            pricing = line.pricing
            if pricing is not None:
                return pricing
        return Pricing.NET
