"""Where FA(2) and FA(3) differ in what is written and read: the one visible place.

The shape is the same. FA(3) adds Podmiot2/JST and GV, splits the codes of 0 % and of sales outside
Poland, gives P_7 twice the room, structures the description of a payment term, names the form of each
part payment and adds payment links (official schemas FA (2) 1-0E and FA (3) 1-0E). What FA(2) has no
place for is not written there.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.fa.registry import SchemaVersion
from core.invoices.model import VatCategory


@dataclass(frozen=True, slots=True)
class Dialect:
    """What one schema version writes differently.

    Attributes:
        name_limit: characters of P_7.
        states_buyer_flags: whether Podmiot2 ends with JST and GV.
        is_structured: whether payment terms are structured as in FA(3).
        rate_codes: VAT category to the text of P_12.
    """

    name_limit: int
    states_buyer_flags: bool
    is_structured: bool
    rate_codes: dict[VatCategory, str]


_FA3_CODES = {category: category.value for category in VatCategory}
_FA2_CODES = _FA3_CODES | {
    VatCategory.ZERO: "0",
    VatCategory.ZERO_WDT: "0",
    VatCategory.ZERO_EXPORT: "0",
    VatCategory.OUTSIDE: "np",
    VatCategory.OUTSIDE_SERVICES: "np",
}

DIALECTS = {
    SchemaVersion.FA2: Dialect(
        name_limit=256, states_buyer_flags=False, is_structured=False, rate_codes=_FA2_CODES
    ),
    SchemaVersion.FA3: Dialect(
        name_limit=512, states_buyer_flags=True, is_structured=True, rate_codes=_FA3_CODES
    ),
}
