"""The rows of a register: a document, and its amounts by VAT rate."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from connector_app.accounting.register.markers import Marker
from core.fa.brief import Brief
from core.invoices.model import RateRow


class Scope(StrEnum):
    """Which documents an export has."""

    EVERYTHING = "everything"
    OUTSIDE_KSEF = "outside-ksef"
    """Without a KSeF number: for a program that fetches the others from KSeF by itself."""


@dataclass(frozen=True, slots=True)
class Amount:
    """One row of a document's VAT table; of a correction the difference.

    Attributes:
        row: of the table. rate: percentage as a text such as ``23``, else ``0``, ``zw``, ``oo``, ``np``,
            ``marża`` or ``OSS``.
        net, vat: in the document's currency; of the margin row, ``net`` is with tax.
        net_pln, vat_pln: in PLN.
    """

    row: RateRow
    rate: str
    net: Decimal
    vat: Decimal
    net_pln: Decimal
    vat_pln: Decimal


@dataclass(frozen=True, slots=True)
class RegisterDocument:
    """A document of a register.

    Attributes:
        id: of the stored document. store, order_number: where it comes from.
        brief: what its XML says. amounts: its VAT table in both currencies.
        exchange_rate: PLN for one unit of the currency; ``None`` for PLN.
        day: Warsaw day that puts it into its month, see :func:`day_of`.
        marker: in JPK_V7M(3); ``None`` when it cannot be decided yet.
        ksef_number, accepted_at, offline_mode: as stored; times aware UTC.
        xml_sha256: hexadecimal. has_upo: whether its UPO is kept.
    """

    id: int
    store: str
    order_number: str
    brief: Brief
    amounts: tuple[Amount, ...]
    exchange_rate: Decimal | None
    day: date
    marker: Marker | None
    ksef_number: str
    accepted_at: datetime | None
    offline_mode: str
    xml_sha256: str
    has_upo: bool


def day_of(brief: Brief) -> date:
    """The day by which a document belongs to a month.

    An invoice belongs to the day of sale (P_6, else the end of OkresFa, else P_1), for that is when the tax
    falls due (art. 19a ust. 1 of the VAT act). A correction belongs to its own day of issue (P_1): whether it
    counts earlier is the accountant's decision, who finds its reason beside it.
    """
    if brief.kind.is_correction:
        return brief.issued_on
    return brief.sold_on or brief.issued_on
