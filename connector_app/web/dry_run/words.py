"""Words of the dry run's pages."""

from __future__ import annotations

from connector_app.dry_run.outcomes import OUTCOME_WORDS, Cause
from connector_app.web.language import t
from core.findings import Text
from core.invoices.model import RateRow

OUTCOMES = {outcome.value: said for outcome, said in OUTCOME_WORDS.items()}
"""What would become of an order, by outcome."""

CAUSES = {
    Cause.NIP.value: Text("Numer NIP nabywcy", "The buyer's NIP"),
    Cause.TAX.value: Text("Podatki", "Taxes"),
    Cause.SCHEMA.value: Text("Odrzucone przez schemat lub reguły", "Refused by the schema or the rules"),
    Cause.OTHER.value: Text("Inne", "Other"),
}
"""Headings of findings, in the order in which they are shown."""

_ROWS = {
    RateRow.BASIC: Text("23%", "23 %"),
    RateRow.REDUCED: Text("8%", "8 %"),
    RateRow.LOWEST: Text("5%", "5 %"),
    RateRow.TAXI: Text("ryczałt taxi", "taxi flat rate"),
    RateRow.OSS: Text("OSS", "OSS"),
    RateRow.ZERO: Text("0% kraj", "0 % at home"),
    RateRow.ZERO_WDT: Text("0% WDT", "0 % inside the EU"),
    RateRow.ZERO_EXPORT: Text("0% eksport", "0 % export"),
    RateRow.EXEMPT: Text("zwolnione", "exempt"),
    RateRow.OUTSIDE: Text("poza VAT", "outside VAT"),
    RateRow.OUTSIDE_SERVICES: Text("usługi art. 100 (UE)", "services, art. 100 (EU)"),
    RateRow.REVERSE_CHARGE: Text("odwrotne obciążenie", "reverse charge"),
    RateRow.MARGIN: Text("marża", "margin"),
}


def rate_name(row: str) -> Text:
    """A row of the VAT table in words.

    Args:
        row: :class:`~core.invoices.model.RateRow`, as text.
    """
    return _ROWS[RateRow(row)]


def duration(seconds: int) -> str:
    """A time in words, rounded up to minutes."""
    minutes = -(-seconds // 60)
    if not minutes:
        return t("od razu", "at once")
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{minutes} min"
    return t(f"{hours} godz. {rest} min", f"{hours} h {rest} min")
