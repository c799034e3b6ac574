"""Sums of a document: the VAT summary and the prominent amount."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from core.visual.codes import RATES
from core.visual.model import Column, Field, Row, Table, Totals
from core.visual.nodes import Node
from core.visual.rows import listing
from core.visual.text import Tongue

_SUM_COLUMNS = ("net", "tax", "gross", "tax-pln")


@dataclass(frozen=True, slots=True)
class _RateSum:
    """The sums of one rate as the document writes them; empty texts where it has none."""

    label: str
    net: str
    tax: str
    gross: str
    converted: str


def vat_table(fa: Node, tongue: Tongue) -> Table | None:
    """The sums P_13_x, P_14_x and P_14_xW per rate, with gross values and a total.

    Gross values and the total are added up from the sums of the document. A rate that the schema leaves
    open ("23% or 22%") is named as the lines name it.

    Returns:
        The table; None when the document has no sums.
    """
    sums = _rate_sums(fa, tongue)
    if not sums:
        return None
    columns = ["net", "tax", "gross"]
    if any(entry.converted for entry in sums):
        columns.append("tax-pln")
    rows = []
    for entry in sums:
        cells = dict(zip(_SUM_COLUMNS, (entry.net, entry.tax, entry.gross, entry.converted), strict=True))
        rows.append(Row((entry.label, *(tongue.amount(cells[key]) or "–" for key in columns))))
    total = {
        "net": _sum(entry.net for entry in sums),
        "tax": _sum(entry.tax for entry in sums),
        "gross": _sum(entry.gross for entry in sums),
        "tax-pln": _sum(entry.converted for entry in sums),
    }
    return Table(
        f"{tongue.word('vat')} ({fa.peek('KodWaluty')})",
        (Column(tongue.word("vat-rate")), *(Column(tongue.word(key), "right") for key in columns)),
        tuple(rows),
        (tongue.word("total"), *(tongue.amount(total[key]) for key in columns)),
    )


def _rate_sums(fa: Node, tongue: Tongue) -> list[_RateSum]:
    rates = _line_rates(fa)
    found = []
    for net_name, tax_name, codes, words in RATES:
        net, tax = fa.take(net_name), fa.take(tax_name) if tax_name else ""
        converted = fa.take(f"{tax_name}W") if tax_name else ""
        if not (net or tax or converted):
            continue
        named = sorted(rates.intersection(codes), reverse=True)
        label = " / ".join(f"{code}%" for code in named) or tongue.say(words)
        # under the margin scheme the sum is what the buyer pays, and VAT is not shown (art. 119-120)
        gross = net if net_name == "P_13_11" else _sum((net, tax))
        found.append(_RateSum(label, "" if net_name == "P_13_11" else net, tax, gross, converted))
    return found


def totals(fa: Node, tongue: Tongue) -> Totals:
    """The prominent amount: what is due, was paid, or changed, and the amounts around it.

    P_15 means different things by RodzajFaktury (FA(3), P_15): what is due, the payment of an advance
    invoice, the rest of a settlement invoice, or the change of a correction. DoZaplaty and DoRozliczenia
    of Rozliczenie, being the settled amounts, come before it.
    """
    currency = fa.peek("KodWaluty")
    total = fa.take("P_15")

    def money(value: str) -> str:
        return f"{tongue.amount(value)} {currency}".strip()

    settlement, payment = fa.first("Rozliczenie"), fa.first("Platnosc")
    details = [Field(tongue.label("P_15ZK"), money(value)) for value in fa.take_all("P_15ZK")]
    settled = [
        Field(tongue.word(word), money(value))
        for name, word in (("DoZaplaty", "due"), ("DoRozliczenia", "to-settle"))
        for value in settlement.take_all(name)
    ]
    if settled:
        details.append(Field(tongue.word("total-due"), money(total)))
    for name in ("SumaObciazen", "SumaOdliczen"):
        details.extend(Field(tongue.label(name), money(value)) for value in settlement.take_all(name))
    details.extend(settled[1:])
    details.extend(_part_payments(payment, "" if settled else total, tongue, money))
    if settled:
        return Totals(settled[0].label, settled[0].value, tuple(details))
    word = _total_word(fa.peek("RodzajFaktury"), payment)
    return Totals(tongue.word(word), money(total), tuple(details))


def _part_payments(payment: Node, due: str, tongue: Tongue, money: Callable[[str], str]) -> tuple[Field, ...]:
    """What was paid in part, and what is left of ``due``.

    With a settlement (Rozliczenie) nobody can tell whether its deductions hold the part payments already,
    so then ``due`` is empty and nothing is said to be left.
    """
    parts = [part.peek("KwotaZaplatyCzesciowej") for part in payment.all("ZaplataCzesciowa")]
    if not parts or payment.peek("ZnacznikZaplatyCzesciowej") != "1":
        return ()
    paid = _sum(parts)
    found = [Field(tongue.word("paid-part"), money(paid))]
    if due:
        left = _sum((due, f"-{paid}" if not paid.startswith("-") else paid[1:]))
        found.append(Field(tongue.word("left-to-pay"), money(left)))
    return tuple(found)


def settlement_tables(fa: Node, tongue: Tongue) -> tuple[Table, ...]:
    """Charges and deductions of Rozliczenie, with their reasons."""
    settlement = fa.first("Rozliczenie")
    columns = (("Powod", "left"), ("Kwota", "right"))
    tables = [
        listing(settlement.all(name), tongue, tongue.word(word), columns)
        for name, word in (("Obciazenia", "charges"), ("Odliczenia", "deductions"))
    ]
    return tuple(table for table in tables if table)


def _total_word(kind: str, payment: Node) -> str:
    if kind in ("KOR", "KOR_ROZ"):
        return "change"
    if kind in ("ZAL", "KOR_ZAL"):
        return "advance" if kind == "ZAL" else "change-advance"
    partly = payment.peek("ZnacznikZaplatyCzesciowej")
    if payment.peek("Zaplacono") == "1" or partly == "2":
        return "paid"
    if partly == "1":
        return "total-due"
    return "left-to-pay" if kind == "ROZ" else "due"


def _line_rates(fa: Node) -> set[str]:
    order = fa.first("Zamowienie")
    return {
        rate
        for nodes, name in ((fa.all("FaWiersz"), "P_12"), (order.all("ZamowienieWiersz"), "P_12Z"))
        for node in nodes
        if (rate := node.peek(name))
    }


def _sum(values: Iterable[str]) -> str:
    """The sum of schema amounts as text; texts that are no numbers count as nothing."""
    total = Decimal("0.00")
    for value in values:
        try:
            total += Decimal(value or "0")
        except InvalidOperation:
            continue
    return format(total, "f")
