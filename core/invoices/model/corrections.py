"""What a correcting invoice says about what it corrects."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from core.invoices.model.codes import CorrectionType
from core.invoices.model.extra import Extra
from core.invoices.model.parties import Address, TaxId


@dataclass(frozen=True, slots=True)
class CorrectedInvoice:
    """DaneFaKorygowanej.

    Attributes:
        issued_on: DataWystFaKorygowanej. number: NrFaKorygowanej.
        ksef_number: NrKSeFFaKorygowanej; empty means NrKSeFN, the original was issued outside KSeF.
    """

    issued_on: date
    number: str
    ksef_number: str = ""
    extra: tuple[Extra, ...] = ()


@dataclass(frozen=True, slots=True)
class PreviousSeller:
    """Podmiot1K: the seller as the corrected invoice named it."""

    nip: str
    name: str
    address: Address
    vat_prefix: str = ""
    extra: tuple[Extra, ...] = ()


@dataclass(frozen=True, slots=True)
class PreviousBuyer:
    """Podmiot2K: the buyer, or additional buyer, as the corrected invoice named it.

    Attributes:
        key: IDNabywcy of the party that replaces it.
    """

    tax_id: TaxId
    name: str = ""
    address: Address | None = None
    key: str = ""
    extra: tuple[Extra, ...] = ()


@dataclass(frozen=True, slots=True)
class Correction:
    """What KOR, KOR_ZAL and KOR_ROZ add.

    Attributes:
        originals: DaneFaKorygowanej, one for each corrected invoice.
        reason: PrzyczynaKorekty. type: TypKorekty.
        period: OkresFaKorygowanej, for a discount on a period.
        right_number: NrFaKorygowany, the right number when the number itself was wrong.
        previous_seller: Podmiot1K. previous_buyers: Podmiot2K.
        paid_before: P_15ZK, the payment before the correction (advance and settlement corrections).
        exchange_rate_before: KursWalutyZK.
    """

    originals: tuple[CorrectedInvoice, ...]
    reason: str = ""
    type: CorrectionType | None = None
    period: str = ""
    right_number: str = ""
    previous_seller: PreviousSeller | None = None
    previous_buyers: tuple[PreviousBuyer, ...] = ()
    paid_before: Decimal | None = None
    exchange_rate_before: Decimal | None = None
