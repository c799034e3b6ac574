"""Lines of invoices and of advance orders."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from core.invoices.model.codes import Pricing, VatCategory
from core.invoices.model.extra import Extra


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """FaWiersz.

    Attributes:
        number: NrWierszaFa, from 1.
        line_id: UU_ID, stable over the invoice and its corrections, at most 50 characters.
        name: P_7. quantity: P_8B. unit: P_8A. delivered_on: P_6A (Warsaw day).
        net_price: P_9A. gross_price: P_9B; before the discount.
        discount: P_10 for the whole line, in the pricing of the line.
        net_amount: P_11. gross_amount: P_11A.
        vat: P_11Vat, only when the tax is counted line by line (art. 106e ust. 10).
        category: P_12; ``None`` on simplified, margin and OSS lines.
        oss_rate: P_12_XII, percentage of the country of consumption.
        annex_15: P_12_Zal_15, goods of annex 15. excise: KwotaAkcyzy.
        sku: Indeks. gtin: GTIN. pkwiu, cn, pkob: PKWiU, CN, PKOB. gtu: GTU. procedure: Procedura.
        exchange_rate: KursWaluty in PLN for one unit of the currency.
        before: StanPrzed, the line shows the state before a correction.
    """

    number: int
    name: str = ""
    quantity: Decimal | None = None
    unit: str = ""
    net_price: Decimal | None = None
    gross_price: Decimal | None = None
    discount: Decimal | None = None
    net_amount: Decimal | None = None
    gross_amount: Decimal | None = None
    vat: Decimal | None = None
    category: VatCategory | None = None
    oss_rate: Decimal | None = None
    line_id: str = ""
    delivered_on: date | None = None
    sku: str = ""
    gtin: str = ""
    pkwiu: str = ""
    cn: str = ""
    pkob: str = ""
    annex_15: bool = False
    excise: Decimal | None = None
    gtu: str = ""
    procedure: str = ""
    exchange_rate: Decimal | None = None
    before: bool = False
    extra: tuple[Extra, ...] = ()

    @property
    def pricing(self) -> Pricing | None:
        """Net or gross, by the amount that the line states; ``None`` when it states none."""
        if self.net_amount is not None:
            return Pricing.NET
        return Pricing.GROSS if self.gross_amount is not None else None

    @property
    def amount(self) -> Decimal | None:
        """The line's amount in its own pricing."""
        return self.net_amount if self.net_amount is not None else self.gross_amount

    @property
    def unit_price(self) -> Decimal | None:
        """The line's unit price in its own pricing, before the discount."""
        if self.net_amount is None and self.gross_amount is not None:
            return self.gross_price
        return self.net_price


@dataclass(frozen=True, slots=True)
class AdvanceOrderLine:
    """ZamowienieWiersz: a line of the order or contract that an advance was paid for.

    Attributes as in :class:`InvoiceLine`; ``net_amount`` is P_11NettoZ and ``vat`` P_11VatZ.
    """

    number: int
    name: str = ""
    quantity: Decimal | None = None
    unit: str = ""
    net_price: Decimal | None = None
    net_amount: Decimal | None = None
    vat: Decimal | None = None
    category: VatCategory | None = None
    oss_rate: Decimal | None = None
    line_id: str = ""
    sku: str = ""
    gtin: str = ""
    pkwiu: str = ""
    cn: str = ""
    pkob: str = ""
    annex_15: bool = False
    gtu: str = ""
    procedure: str = ""
    excise: Decimal | None = None
    before: bool = False
    extra: tuple[Extra, ...] = ()


@dataclass(frozen=True, slots=True)
class AdvanceOrder:
    """Zamowienie: value with tax of the order, and its lines."""

    total: Decimal
    lines: tuple[AdvanceOrderLine, ...]
    extra: tuple[Extra, ...] = ()
