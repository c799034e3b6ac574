"""The closed lists of the schema that decide how an invoice is read."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum


class InvoiceKind(StrEnum):
    """RodzajFaktury."""

    VAT = "VAT"
    CORRECTION = "KOR"
    ADVANCE = "ZAL"
    SETTLEMENT = "ROZ"
    SIMPLIFIED = "UPR"
    ADVANCE_CORRECTION = "KOR_ZAL"
    SETTLEMENT_CORRECTION = "KOR_ROZ"

    @property
    def is_correction(self) -> bool:
        """Whether the amounts of such a document are differences."""
        return self.value.startswith("KOR")


class RateRow(StrEnum):
    """A row of the VAT table, named by its net field."""

    BASIC = "P_13_1"
    """23 % or 22 %."""
    REDUCED = "P_13_2"
    """8 % or 7 %."""
    LOWEST = "P_13_3"
    """5 %."""
    TAXI = "P_13_4"
    """4 % or 3 %, flat rate of taxi drivers."""
    OSS = "P_13_5"
    """Taxed in another EU country (special procedure of section XII chapter 6a)."""
    ZERO = "P_13_6_1"
    ZERO_WDT = "P_13_6_2"
    ZERO_EXPORT = "P_13_6_3"
    EXEMPT = "P_13_7"
    OUTSIDE = "P_13_8"
    OUTSIDE_SERVICES = "P_13_9"
    REVERSE_CHARGE = "P_13_10"
    MARGIN = "P_13_11"
    """Margin schemes of art. 119 and 120."""


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

    @property
    def row(self) -> RateRow:
        """The row of the VAT table that the category belongs to."""
        return _ROWS[self]


_NO_TAX = Decimal(0)
_RATES = {category: Decimal(category.value) for category in VatCategory if category.value.isdigit()}
_ROWS = {
    VatCategory.R23: RateRow.BASIC,
    VatCategory.R22: RateRow.BASIC,
    VatCategory.R8: RateRow.REDUCED,
    VatCategory.R7: RateRow.REDUCED,
    VatCategory.R5: RateRow.LOWEST,
    VatCategory.R4: RateRow.TAXI,
    VatCategory.R3: RateRow.TAXI,
    VatCategory.ZERO: RateRow.ZERO,
    VatCategory.ZERO_WDT: RateRow.ZERO_WDT,
    VatCategory.ZERO_EXPORT: RateRow.ZERO_EXPORT,
    VatCategory.EXEMPT: RateRow.EXEMPT,
    VatCategory.OUTSIDE: RateRow.OUTSIDE,
    VatCategory.OUTSIDE_SERVICES: RateRow.OUTSIDE_SERVICES,
    VatCategory.REVERSE_CHARGE: RateRow.REVERSE_CHARGE,
}


class Pricing(StrEnum):
    """Whether an invoice is counted from net or from gross prices (art. 106e ust. 1 and ust. 7)."""

    NET = "net"
    GROSS = "gross"


class TaxIdKind(StrEnum):
    """Which of the schema's ways identifies a party."""

    NIP = "nip"
    EU_VAT = "eu_vat"
    OTHER = "other"
    INTERNAL = "internal"
    """IDWew: a NIP with a unit's number, only of a third party."""
    NONE = "none"
    """BrakID: no identifier, e.g. a private person."""


class CorrectionType(StrEnum):
    """TypKorekty: when the correction counts in the VAT records."""

    ORIGINAL_DAY = "1"
    CORRECTION_DAY = "2"
    OTHER_DAY = "3"


class PartyRole(StrEnum):
    """Rola of Podmiot3."""

    FACTOR = "1"
    RECIPIENT = "2"
    ORIGINAL_ENTITY = "3"
    ADDITIONAL_BUYER = "4"
    ISSUER = "5"
    PAYER = "6"
    LOCAL_GOVERNMENT_ISSUER = "7"
    LOCAL_GOVERNMENT_RECIPIENT = "8"
    VAT_GROUP_ISSUER = "9"
    VAT_GROUP_RECIPIENT = "10"
    EMPLOYEE = "11"


class MarginScheme(StrEnum):
    """Which margin scheme applies; the value is the name of its element in PMarzy."""

    TOURISM = "P_PMarzy_2"
    USED_GOODS = "P_PMarzy_3_1"
    WORKS_OF_ART = "P_PMarzy_3_2"
    ANTIQUES = "P_PMarzy_3_3"
