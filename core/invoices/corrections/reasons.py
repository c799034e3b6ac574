"""Why a refund cannot become a correction by itself, in words."""

from __future__ import annotations

from decimal import Decimal

from core.findings import Finding, Severity, Text


def _reason(code: str, path: str, message: Text, hint: Text, source: str = "art. 106j VAT act") -> Finding:
    return Finding(code, Severity.ERROR, path, message, hint, source)


def amount_only(amount: Decimal, currency: str) -> Finding:
    """The shop tells an amount and no lines, and the policy allows no split."""
    return _reason(
        "refund-without-lines",
        "refund.lines",
        Text(
            f"Zwrot {amount} {currency} nie wskazuje pozycji, więc nie wiadomo, jakich stawek VAT dotyczy.",
            f"The refund of {amount} {currency} names no lines, so its VAT rates are unknown.",
        ),
        Text(
            "Wskaż pozycje w sklepie albo pozwól w ustawieniach na podział według stawek: "
            '[corrections] amount_only = "spread".',
            "Name the lines in the shop, or allow a split by rate in the settings: "
            '[corrections] amount_only = "spread".',
        ),
    )


def exceeds(amount: Decimal, left: Decimal, currency: str) -> Finding:
    """More was given back than is left of the invoice."""
    return _reason(
        "refund-exceeds-invoice",
        "refund.amount",
        Text(
            f"Zwrot {amount} {currency} przekracza to, co zostało z faktury ({left} {currency}).",
            f"The refund of {amount} {currency} exceeds what is left of the invoice ({left} {currency}).",
        ),
        Text(
            "Sprawdź, czy zwrot dotyczy tego zamówienia i czy nie został już skorygowany.",
            "Check that the refund belongs to this order and was not corrected before.",
        ),
    )


def row_exceeded(row: str, amount: Decimal, left: Decimal) -> Finding:
    """A refund takes more from one VAT rate than is left of it."""
    return _reason(
        "refund-exceeds-rate",
        "refund.lines",
        Text(
            f"Zwrot zmniejsza {row} o {amount}, a zostało w niej {left}.",
            f"The refund takes {amount} from {row}, of which {left} is left.",
        ),
        Text("Podziel zwrot inaczej na pozycje.", "Split the refund over the lines in another way."),
    )


def unknown_line(name: str) -> Finding:
    """A refunded line is not on the invoice."""
    return _reason(
        "refund-line-not-invoiced",
        "refund.lines",
        Text(
            f"Pozycji „{name}” ze zwrotu nie ma na fakturze.",
            f'Line "{name}" of the refund is not on the invoice.',
        ),
        Text(
            "Pozycję dodano do zamówienia po wystawieniu faktury; wystaw korektę ręcznie.",
            "It was added to the order after the invoice; issue the correction by hand.",
        ),
    )


def sums_differ(amount: Decimal, counted: Decimal, currency: str) -> Finding:
    """A refund's lines do not add up to its amount."""
    return _reason(
        "refund-sums-differ",
        "refund.amount",
        Text(
            f"Zwrócono {amount} {currency}, a pozycje zwrotu dają {counted} {currency}.",
            f"{amount} {currency} was given back, the refund's lines add up to {counted} {currency}.",
        ),
        Text("Popraw zwrot w sklepie.", "Correct the refund in the shop."),
    )


def tax_differs(row: str, refunded: Decimal, expected: Decimal) -> Finding:
    """A refund's tax is not what the rate gives."""
    return _reason(
        "refund-tax-differs",
        "refund.lines",
        Text(
            f"Zwrot: sklep oddał {refunded} podatku ({row}), a ze stawki wynika {expected}.",
            f"Refund: the shop gave back {refunded} of tax ({row}), the rate gives {expected}.",
        ),
        Text("Popraw podatek w zwrocie w sklepie.", "Correct the refund's tax in the shop."),
    )


def nothing() -> Finding:
    """A refund without money changes no amount."""
    return _reason(
        "refund-of-nothing",
        "refund.amount",
        Text("Zwrot nie zmienia żadnej kwoty.", "The refund changes no amount."),
        Text(
            "Jeśli zwrócono towar bez pieniędzy, zdecyduj, czy korygować ilość.",
            "If goods came back without money, decide whether to correct the quantity.",
        ),
    )
