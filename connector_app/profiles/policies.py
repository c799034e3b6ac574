"""What the seller decided about invoices and corrections."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from connector_app.profiles.marks import buyers, products
from connector_app.profiles.reader import Reader
from core.findings import Text
from core.invoices.corrections.policy import AmountOnly, CorrectionPolicy, RowStyle
from core.invoices.model import BankAccount, CorrectionType, VatCategory
from core.invoices.numbering import BadPattern, BadStart, Numbering, NumberPattern, SeriesKind, StartNumber
from core.invoices.policy import CompanyWithoutNip, ExchangeRate, InvoicePolicy
from core.ksef.planning import Batching, SendingPolicy
from core.orders import PaymentForm

_PATTERNS = {
    SeriesKind.INVOICE: "number_pattern",
    SeriesKind.CORRECTION: "correction_pattern",
    SeriesKind.ADVANCE: "advance_pattern",
    SeriesKind.SETTLEMENT: "settlement_pattern",
}
_FLAGS = ("simplified", "allow_missing_address", "recipient_as_third_party", "receipts")
_TEXTS = ("exemption_law", "unit", "service_unit")


def invoice_policy(reader: Reader, values: Mapping[str, Any]) -> InvoicePolicy:
    """Tables ``invoices``, ``treatments``, ``tax_classes``, ``payment_forms``, ``bank_account``,
    ``exchange_rates``, ``products`` and ``buyers``.
    """  # noqa: D205  the list of tables is the summary
    table = reader.table(values, "invoices")
    known = {*_PATTERNS.values(), *_FLAGS, *_TEXTS, "company_without_nip", "paid_on_delivery"}
    reader.only(table, "invoices", known)
    treatments = reader.table(values, "treatments")
    reader.only(treatments, "treatments", {"eu_goods", "export", "oss"})
    default = InvoicePolicy()
    texts = {name: reader.text(table, "invoices", name) for name in _TEXTS}
    flags = {name: reader.flag(table, "invoices", name) for name in _FLAGS}
    company = reader.choice(table, "invoices", "company_without_nip", CompanyWithoutNip)
    return InvoicePolicy(
        tax_classes=reader.choices(values, "tax_classes", VatCategory),
        exemption_law=texts["exemption_law"],
        company_without_nip=company or default.company_without_nip,
        payment_forms=reader.choices(values, "payment_forms", PaymentForm),
        account=_account(reader, values),
        unit=texts["unit"] or default.unit,
        service_unit=texts["service_unit"] or default.service_unit,
        exchange_rates=_exchange_rates(reader, values),
        products=products(reader, values),
        buyers=buyers(reader, values),
        eu_goods=reader.choice(treatments, "treatments", "eu_goods", VatCategory),
        export=reader.choice(treatments, "treatments", "export", VatCategory),
        oss=reader.flag(treatments, "treatments", "oss"),
        recipient_as_third_party=flags["recipient_as_third_party"],
        simplified=flags["simplified"],
        receipts=flags["receipts"],
        allow_missing_address=flags["allow_missing_address"],
        paid_on_delivery=frozenset(reader.texts(table, "invoices", "paid_on_delivery")),
    )


def correction_policy(reader: Reader, values: Mapping[str, Any]) -> CorrectionPolicy:
    """Table ``corrections``."""
    table = reader.table(values, "corrections")
    reader.only(table, "corrections", {"style", "amount_only", "type", "reason"})
    default = CorrectionPolicy()
    return CorrectionPolicy(
        style=reader.choice(table, "corrections", "style", RowStyle) or default.style,
        amount_only=reader.choice(table, "corrections", "amount_only", AmountOnly) or default.amount_only,
        type=reader.named(table, "corrections", "type", CorrectionType) or default.type,
        reason=reader.text(table, "corrections", "reason") or default.reason,
    )


def sending_policy(reader: Reader, values: Mapping[str, Any]) -> SendingPolicy:
    """Table ``sending``."""
    table = reader.table(values, "sending")
    reader.only(table, "sending", {"batching", "batch_from", "gather_minutes"})
    default = SendingPolicy()
    minutes = reader.whole(table, "sending", "gather_minutes", least=1, most=60)
    return SendingPolicy(
        batching=reader.choice(table, "sending", "batching", Batching) or default.batching,
        batch_from=reader.whole(table, "sending", "batch_from", least=1, most=180) or default.batch_from,
        gather_for=timedelta(minutes=minutes) if minutes else default.gather_for,
    )


def numbering(reader: Reader, values: Mapping[str, Any]) -> Numbering:
    """Patterns in table ``invoices`` and start numbers in ``numbering.start``."""
    table = reader.table(values, "invoices")
    patterns: dict[SeriesKind, NumberPattern] = {}
    for kind, name in _PATTERNS.items():
        text = reader.text(table, "invoices", name)
        if not text:
            continue
        try:
            patterns[kind] = NumberPattern(text)
        except BadPattern as error:
            reader.fault(f"invoices.{name}", error.text)
    try:
        return Numbering(patterns, _starts(reader, values))
    except (BadPattern, BadStart) as error:
        reader.fault("invoices", error.text)
        return Numbering()


def _starts(reader: Reader, values: Mapping[str, Any]) -> tuple[StartNumber, ...]:
    whole = reader.table(values, "numbering")
    reader.only(whole, "numbering", {"start"})
    starts = []
    for place, table in enumerate(reader.rows(whole, "start", "numbering.start"), start=1):
        where = f"numbering.start[{place}]"
        reader.only(table, where, {"kind", "period", "next", "store"})
        kind = reader.choice(table, where, "kind", SeriesKind)
        following = table.get("next")
        if kind is None and "kind" not in table:
            reader.fault(f"{where}.kind", Text("brakuje tego wpisu", "is missing"))
        if not isinstance(following, int) or isinstance(following, bool):
            reader.fault(f"{where}.next", Text("musi być liczbą całkowitą", "must be a whole number"))
        elif kind is not None:
            period, store = reader.text(table, where, "period"), reader.text(table, where, "store")
            starts.append(StartNumber(kind, period, following, store))
    return tuple(starts)


def _account(reader: Reader, values: Mapping[str, Any]) -> BankAccount | None:
    table = reader.table(values, "bank_account")
    reader.only(table, "bank_account", {"number", "swift", "bank"})
    if not table:
        return None
    number = reader.text(table, "bank_account", "number", need=True).replace(" ", "").upper()
    swift, bank = (reader.text(table, "bank_account", name) for name in ("swift", "bank"))
    return BankAccount(number, swift, bank)


def _exchange_rates(reader: Reader, values: Mapping[str, Any]) -> dict[str, ExchangeRate]:
    rates: dict[str, ExchangeRate] = {}
    for currency, table in reader.tables(values, "exchange_rates").items():
        where = f"exchange_rates.{currency}"
        reader.only(table, where, {"rate", "table", "day"})
        try:
            # a TOML float would lose digits, so a rate is a text
            rate = Decimal(reader.text(table, where, "rate", need=True) or "0")
        except InvalidOperation:
            rate = Decimal(0)
        if not rate.is_finite() or rate <= 0:
            what = Text(
                'musi być liczbą dodatnią w cudzysłowie, np. "4.2617"',
                'must be a positive number in quotes, e.g. "4.2617"',
            )
            reader.fault(f"{where}.rate", what)
        day = reader.day(table, where, "day")
        if day is None and "day" not in table:
            # nobody could tell whether a rate without its day is stale
            reader.fault(
                f"{where}.day", Text("brakuje dnia tabeli NBP", "the day of the NBP table is missing")
            )
        rates[currency] = ExchangeRate(currency, rate, reader.text(table, where, "table"), day)
    return rates
