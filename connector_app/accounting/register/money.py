"""A document's VAT table in PLN.

FA(3) states the tax in PLN (P_14_xW), never the net amount: that is counted by the rate that the document
states (KursWaluty). Where there is none, or several, nothing is guessed.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from connector_app.accounting.register.rows import Amount
from core.fa.brief import Brief
from core.findings import SaidError, Text
from core.invoices.model import RateRow

_CENT: Final = Decimal("0.01")
_ZERO: Final = Decimal("0.00")
_PLN: Final = "PLN"
_USUAL: Final = {
    RateRow.BASIC: "23",
    RateRow.REDUCED: "8",
    RateRow.LOWEST: "5",
    RateRow.TAXI: "4",
    RateRow.OSS: "OSS",
    RateRow.ZERO: "0",
    RateRow.ZERO_WDT: "0",
    RateRow.ZERO_EXPORT: "0",
    RateRow.EXEMPT: "zw",
    RateRow.OUTSIDE: "np",
    RateRow.OUTSIDE_SERVICES: "np",
    RateRow.REVERSE_CHARGE: "oo",
    RateRow.MARGIN: "marża",
}
_OLDER: Final = {RateRow.BASIC: "22", RateRow.REDUCED: "7", RateRow.TAXI: "3"}


class NoRate(SaidError):
    """A document in a foreign currency does not tell one rate by which to state it in PLN."""


def rate_of(brief: Brief) -> Decimal | None:
    """The exchange rate of a document in PLN for one unit; ``None`` for PLN.

    Raises:
        NoRate: it states none, or several.
    """
    if brief.currency == _PLN:
        return None
    if len(brief.exchange_rates) == 1:
        return brief.exchange_rates[0]
    if brief.exchange_rates:
        rates = ", ".join(map(str, brief.exchange_rates))
        raise NoRate(
            Text(
                f"Dokument {brief.number} ma kilka kursów {brief.currency}: {rates}.",
                f"Document {brief.number} has several rates of {brief.currency}: {rates}.",
            )
        )
    raise NoRate(
        Text(
            f"Dokument {brief.number} nie podaje kursu {brief.currency}.",
            f"Document {brief.number} states no rate of {brief.currency}.",
        )
    )


def amounts_of(brief: Brief, rate: Decimal | None) -> tuple[Amount, ...]:
    """The VAT table of a document.

    Args:
        brief: the document.
        rate: see :func:`rate_of`.
    """
    found = []
    for one in brief.rates:
        vat = one.vat if one.vat is not None else _ZERO
        if rate is None:
            net_pln, vat_pln = one.net, vat
        else:
            net_pln = _in_pln(one.net, rate)
            vat_pln = one.vat_pln if one.vat_pln is not None else _in_pln(vat, rate)
        found.append(Amount(one.row, _rate_text(one.row, brief), one.net, vat, net_pln, vat_pln))
    return tuple(found)


def _in_pln(amount: Decimal, rate: Decimal) -> Decimal:
    return (amount * rate).quantize(_CENT, ROUND_HALF_UP)


def _rate_text(row: RateRow, brief: Brief) -> str:
    """Two rates share some rows of the table; the lines tell which is meant."""
    older = _OLDER.get(row)
    usual = _USUAL[row]
    return older if older in brief.line_rates and usual not in brief.line_rates else usual
