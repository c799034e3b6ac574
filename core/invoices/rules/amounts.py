"""Arithmetic of one line: price, quantity, discount, amount, tax and their signs."""

from __future__ import annotations

from decimal import Decimal

from core.invoices.model import InvoiceLine
from core.invoices.rules.rule import SUM_TOLERANCE, Subject, error, warning
from core.money import ZERO, grosz

DIFFERS = warning(
    "line-amount-differs",
    "P_8B, P_9A, P_9B, P_10, P_11, P_11A",
    "Pozycja {number}: cena × ilość − opust = {counted}, a wartość to {amount}.",
    "Line {number}: price × quantity − discount = {counted}, its amount is {amount}.",
    "Sprawdź cenę, ilość i opust.",
    "Check price, quantity and discount.",
)
DISCOUNT_LARGE = warning(
    "line-discount-exceeds-value",
    "P_10",
    "Pozycja {number}: opust {discount} jest większy niż cena × ilość.",
    "Line {number}: the discount {discount} exceeds price × quantity.",
    "Podaj opust dla całej pozycji, nie dla sztuki.",
    "State the discount of the whole line, not of a piece.",
)
DISCOUNT_NEGATIVE = warning(
    "line-discount-negative",
    "P_10",
    "Pozycja {number} ma ujemny opust {discount}, czyli dopłatę.",
    "Line {number} has a negative discount {discount}, that is a surcharge.",
    "Uwzględnij dopłatę w cenie.",
    "Put the surcharge into the price.",
)
NEGATIVE = error(
    "negative-outside-correction",
    "P_8B, P_9A, P_9B, P_11, P_11A",
    "Pozycja {number} ma ujemną ilość, cenę lub wartość, a dokument nie jest korektą.",
    "Line {number} has a negative quantity, price or amount, but the document is no correction.",
    "Zmniejszenie sprzedaży wykazuje się fakturą korygującą.",
    "A decrease of a sale takes a correcting invoice.",
)
QUANTITY_ZERO = warning(
    "line-quantity-zero",
    "P_8B",
    "Pozycja {number} ma ilość 0.",
    "Line {number} has a quantity of 0.",
    "Usuń pozycję albo popraw ilość.",
    "Remove the line or correct its quantity.",
)
VAT_DIFFERS = warning(
    "line-tax-differs",
    "art. 106e ust. 10 VAT act, P_11Vat",
    "Pozycja {number}: podatek {vat}, a ze stawki wynika {counted}.",
    "Line {number}: tax {vat}, the rate gives {counted}.",
    "Sprawdź podatek pozycji.",
    "Check the line's tax.",
)
VAT_UNTAXED = error(
    "line-tax-on-untaxed",
    "P_11Vat, P_12",
    "Pozycja {number} ma podatek {vat}, choć jej stawka go nie przewiduje.",
    "Line {number} has a tax of {vat}, but its rate bears none.",
    "Popraw stawkę albo podatek.",
    "Correct the rate or the tax.",
)
NET_GROSS = warning(
    "line-net-and-gross-disagree",
    "P_11, P_11A, P_12",
    "Pozycja {number}: wartość netto {net} i brutto {gross} nie odpowiadają stawce {percent} %.",
    "Line {number}: the net amount {net} and the gross {gross} do not fit the rate of {percent} %.",
    "Sprawdź obie wartości.",
    "Check both amounts.",
)
DECIMALS = error(
    "amount-decimals",
    "TKwotowy: two decimals",
    "Kwota {amount} ma więcej niż dwa miejsca po przecinku.",
    "The amount {amount} has more than two decimals.",
    "Zaokrąglij kwotę do groszy.",
    "Round the amount to the grosz.",
)

# one half of a grosz beside the tolerance: the product is compared without rounding it
_TOLERANCE = SUM_TOLERANCE + Decimal("0.005")


def check_amounts(subject: Subject, index: int, line: InvoiceLine, percent: Decimal | None) -> None:
    """Check a line's own arithmetic.

    Args:
        subject: takes the findings.
        index: place of the line, from 1.
        line: the line.
        percent: its rate, ``None`` when it has none.
    """
    quantity, net, gross, discount = line.quantity, line.net_amount, line.gross_amount, line.discount
    if net is not None:
        amount, price, name = net, line.net_price, "P_11"
        if gross is not None:
            _both(subject, index, line, percent)
    elif gross is not None:
        amount, price, name = gross, line.gross_price, "P_11A"
    else:
        amount, price, name = None, line.net_price, "P_11"
    if not subject.is_correction:
        _signs(subject, index, line, amount, price)
    if amount is not None and price is not None and quantity is not None:
        counted = price * quantity
        if discount is not None:
            if discount > counted and not subject.is_correction:
                path = f"Faktura/Fa/FaWiersz[{index}]/P_10"
                subject.report(DISCOUNT_LARGE, path, number=line.number, discount=discount)
            counted -= discount
        if counted != amount and abs(counted - amount) > _TOLERANCE:
            path = f"Faktura/Fa/FaWiersz[{index}]/{name}"
            counted = counted.normalize() + ZERO
            subject.report(DIFFERS, path, number=line.number, counted=counted, amount=amount)
    if line.vat is not None and percent is not None and amount is not None:
        _tax(subject, index, line, percent, amount)


def _signs(
    subject: Subject, index: int, line: InvoiceLine, amount: Decimal | None, price: Decimal | None
) -> None:
    quantity = line.quantity
    if (
        (quantity is not None and quantity < 0)
        or (amount is not None and amount < 0)
        or (price is not None and price < 0)
    ):
        subject.report(NEGATIVE, f"Faktura/Fa/FaWiersz[{index}]", number=line.number)
    elif quantity is not None and not quantity:
        subject.report(QUANTITY_ZERO, f"Faktura/Fa/FaWiersz[{index}]/P_8B", number=line.number)
    if line.discount is not None and line.discount < 0:
        path = f"Faktura/Fa/FaWiersz[{index}]/P_10"
        subject.report(DISCOUNT_NEGATIVE, path, number=line.number, discount=line.discount)


def _both(subject: Subject, index: int, line: InvoiceLine, percent: Decimal | None) -> None:
    net, gross = line.net_amount, line.gross_amount
    if percent is None or net is None or gross is None:
        return
    if abs(net * (100 + percent) / 100 - gross) > _TOLERANCE:
        subject.report(
            NET_GROSS,
            f"Faktura/Fa/FaWiersz[{index}]/P_11A",
            number=line.number,
            net=net,
            gross=gross,
            percent=percent,
        )


def _tax(subject: Subject, index: int, line: InvoiceLine, percent: Decimal, amount: Decimal) -> None:
    vat = line.vat
    assert vat is not None
    path = f"Faktura/Fa/FaWiersz[{index}]/P_11Vat"
    if not percent:
        if vat:
            subject.report(VAT_UNTAXED, path, number=line.number, vat=vat)
        return
    base = 100 if line.net_amount is not None else 100 + percent
    counted = amount * percent / base
    if abs(vat - counted) > _TOLERANCE:
        counted = grosz(counted)
        subject.report(VAT_DIFFERS, path, number=line.number, vat=vat, counted=counted)


def check_decimals(subject: Subject) -> None:
    """Amounts have two decimals; only when a sum shows more are the lines looked at one by one."""
    invoice = subject.invoice
    for rate in invoice.rates:
        if _has_more(rate.net):
            subject.report(DECIMALS, f"Faktura/Fa/{rate.row.value}", amount=rate.net)
        if rate.vat is not None and _has_more(rate.vat):
            subject.report(DECIMALS, f"Faktura/Fa/{rate.row.value}", amount=rate.vat)
    if _has_more(invoice.total):
        subject.report(DECIMALS, "Faktura/Fa/P_15", amount=invoice.total)
    for group in subject.groups:
        if _is_fine(group.net) or _is_fine(group.gross) or _is_fine(group.vat):
            _line_decimals(subject)
            break


def _line_decimals(subject: Subject) -> None:
    for index, line in enumerate(subject.invoice.lines, 1):
        amounts = (("P_11", line.net_amount), ("P_11A", line.gross_amount), ("P_11Vat", line.vat))
        for name, value in amounts:
            if value is not None and _has_more(value):
                subject.report(DECIMALS, f"Faktura/Fa/FaWiersz[{index}]/{name}", amount=value)


def _has_more(amount: Decimal) -> bool:
    """Whether an amount has a value below the grosz; zeros behind the second decimal are none."""
    return _is_fine(amount) and amount != grosz(amount)


def _is_fine(amount: Decimal) -> bool:
    """Whether an amount is written with more than two decimals; a sum keeps its longest fraction."""
    if amount.same_quantum(ZERO):
        return False
    exponent = amount.as_tuple().exponent
    return isinstance(exponent, int) and exponent < -2
