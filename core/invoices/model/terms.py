"""Payment, settlement and the terms of a transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from core.invoices.model.extra import Extra
from core.orders import PaymentForm


@dataclass(frozen=True, slots=True)
class BankAccount:
    """RachunekBankowy and RachunekBankowyFaktora.

    Attributes:
        number: NrRB without spaces. swift: SWIFT. bank: NazwaBanku. description: OpisRachunku.
        own_account: RachunekWlasnyBanku (1 to 3), the bank's own account; empty when it is the seller's.
    """

    number: str
    swift: str = ""
    bank: str = ""
    description: str = ""
    own_account: str = ""
    extra: tuple[Extra, ...] = ()


@dataclass(frozen=True, slots=True)
class PartPayment:
    """ZaplataCzesciowa; form and description exist in FA(3) only."""

    amount: Decimal
    paid_on: date
    form: PaymentForm | None = None
    description: str = ""
    extra: tuple[Extra, ...] = ()


@dataclass(frozen=True, slots=True)
class DueTerm:
    """TerminPlatnosci.

    Attributes:
        due_on: Termin. count, unit, event: TerminOpis of FA(3), e.g. 14, ``dni``, ``dostawa``.
        text: TerminOpis of FA(2).
    """

    due_on: date | None = None
    count: str = ""
    unit: str = ""
    event: str = ""
    text: str = ""
    extra: tuple[Extra, ...] = ()


@dataclass(frozen=True, slots=True)
class Discount:
    """Skonto: conditions and size of a discount for early payment."""

    conditions: str
    size: str
    extra: tuple[Extra, ...] = ()


@dataclass(frozen=True, slots=True)
class PaymentTerms:
    """Platnosc.

    Attributes:
        paid_on: DataZaplaty (Warsaw day) of the whole amount, ``None`` while unpaid.
        part_payments: ZaplataCzesciowa. paid_in_parts: ZnacznikZaplatyCzesciowej is 2, the parts are all.
        due: TerminPlatnosci. form: FormaPlatnosci; ``None`` with ``description`` means PlatnoscInna.
        description: OpisPlatnosci. accounts: where to pay. factor_accounts: RachunekBankowyFaktora.
        discount: Skonto. link: LinkDoPlatnosci. ksef_payment_id: IPKSeF.
    """

    paid_on: date | None = None
    form: PaymentForm | None = None
    description: str = ""
    part_payments: tuple[PartPayment, ...] = ()
    paid_in_parts: bool = False
    due: tuple[DueTerm, ...] = ()
    accounts: tuple[BankAccount, ...] = ()
    factor_accounts: tuple[BankAccount, ...] = ()
    discount: Discount | None = None
    link: str = ""
    ksef_payment_id: str = ""
    extra: tuple[Extra, ...] = ()


@dataclass(frozen=True, slots=True)
class Charge:
    """Obciazenia or Odliczenia: an amount and its reason."""

    amount: Decimal
    reason: str
    extra: tuple[Extra, ...] = ()


@dataclass(frozen=True, slots=True)
class Settlement:
    """Rozliczenie: further charges and deductions beside P_15.

    Attributes:
        charges: Obciazenia. charges_total: SumaObciazen.
        deductions: Odliczenia. deductions_total: SumaOdliczen.
        to_pay: DoZaplaty. to_settle: DoRozliczenia.
    """

    charges: tuple[Charge, ...] = ()
    charges_total: Decimal | None = None
    deductions: tuple[Charge, ...] = ()
    deductions_total: Decimal | None = None
    to_pay: Decimal | None = None
    to_settle: Decimal | None = None
    extra: tuple[Extra, ...] = ()


@dataclass(frozen=True, slots=True)
class Contract:
    """Umowy: number and day of a contract; either may be missing."""

    day: date | None = None
    number: str = ""
    extra: tuple[Extra, ...] = ()


@dataclass(frozen=True, slots=True)
class OrderReference:
    """Zamowienia: number and Warsaw day of the order; either may be missing."""

    number: str = ""
    day: date | None = None
    extra: tuple[Extra, ...] = ()


@dataclass(frozen=True, slots=True)
class TransactionTerms:
    """WarunkiTransakcji; transports are kept in ``extra``.

    Attributes:
        contracts: Umowy. orders: Zamowienia. batches: NrPartiiTowaru.
        delivery_terms: WarunkiDostawy. agreed_rate: KursUmowny. agreed_currency: WalutaUmowna.
        intermediary: PodmiotPosredniczacy.
    """

    contracts: tuple[Contract, ...] = ()
    orders: tuple[OrderReference, ...] = ()
    batches: tuple[str, ...] = ()
    delivery_terms: str = ""
    agreed_rate: Decimal | None = None
    agreed_currency: str = ""
    intermediary: bool = False
    extra: tuple[Extra, ...] = ()
