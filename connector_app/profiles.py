"""SELLER.toml: who the seller is and what it decided, as a file a person can read and keep.

The same values are stored with the seller in the database. Every fault of a file is reported at once,
with the name of the entry.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TypeVar

from core.invoices.model import Address, BankAccount, Contact, Seller, VatCategory
from core.invoices.numbering import BadPattern, NumberPattern
from core.invoices.policy import CompanyWithoutNip, ExchangeRate, InvoicePolicy
from core.invoices.tax_ids import as_nip
from core.invoices.texts import NAME_LIMIT, clean
from core.orders import PaymentForm

_Choice = TypeVar("_Choice", VatCategory, PaymentForm)


class BadProfile(ValueError):
    """A seller file that cannot be used.

    Attributes:
        faults: one sentence per fault, each naming its entry.
    """

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class Profile:
    """A seller with its policy, and the plain values it was read from."""

    seller: Seller
    policy: InvoicePolicy
    values: dict[str, Any]

    @property
    def numbers(self) -> NumberPattern:
        """The seller's number pattern."""
        return NumberPattern(self.policy.number_pattern)


def load(path: Path) -> Profile:
    """Read a seller file.

    Raises:
        BadProfile: it is no TOML, or entries are missing or wrong.
        OSError: it cannot be read.
    """
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadProfile([f"{path.name} is not a TOML file: {error}"]) from None
    return parse(values)


def parse(values: Mapping[str, Any]) -> Profile:
    """Check the values of a seller file.

    Args:
        values: tables ``seller``, ``invoices``, ``tax_classes``, ``payment_forms``, ``bank_account``,
            ``exchange_rates``; see docs/seller.md.

    Raises:
        BadProfile: with every fault found.
    """
    reader = _Reader()
    known = {"seller", "invoices", "tax_classes", "payment_forms", "bank_account", "exchange_rates"}
    reader.faults += [f"[{name}]: unknown table" for name in values if name not in known]
    seller = _seller(reader, reader.table(values, "seller"))
    policy = _policy(reader, values)
    if reader.faults:
        raise BadProfile(reader.faults)
    return Profile(seller, policy, _plain(values))


class _Reader:
    """Collects faults while values are read."""

    def __init__(self) -> None:
        self.faults: list[str] = []

    def table(self, values: Mapping[str, Any], name: str) -> dict[str, Any]:
        table = values.get(name, {})
        if isinstance(table, dict):
            return dict(table)
        self.faults.append(f"[{name}] must be a table")
        return {}

    def text(self, table: Mapping[str, Any], where: str, name: str, *, need: bool = False) -> str:
        value = table.get(name, "")
        if not isinstance(value, str):
            self.faults.append(f"{where}.{name} must be a text")
            return ""
        if need and not value.strip():
            self.faults.append(f"{where}.{name} is missing")
        return clean(value, NAME_LIMIT)

    def only(self, table: Mapping[str, Any], where: str, names: set[str]) -> None:
        self.faults += [f"{where}.{name}: unknown entry" for name in table if name not in names]


def _seller(reader: _Reader, table: dict[str, Any]) -> Seller:
    text_names = {"email", "phone", "place", "krs", "regon", "bdo", "footer"}
    reader.only(table, "seller", {"nip", "name", "address", *text_names})
    raw_nip = reader.text(table, "seller", "nip", need=True)
    nip = as_nip(raw_nip)
    if raw_nip and nip is None:
        reader.faults.append(f"seller.nip {raw_nip!r} is no NIP: its check digit or form is wrong")
    name = reader.text(table, "seller", "name", need=True)
    address = reader.table(table, "address")
    reader.only(address, "seller.address", {"country", "line1", "line2"})
    texts = {one: reader.text(table, "seller", one) for one in text_names}
    return Seller(
        nip=nip or "",
        name=name,
        address=Address(
            reader.text(address, "seller.address", "country") or "PL",
            reader.text(address, "seller.address", "line1", need=True),
            reader.text(address, "seller.address", "line2"),
        ),
        contact=Contact(texts["email"], texts["phone"]),
        place=texts["place"],
        krs=texts["krs"],
        regon=texts["regon"],
        bdo=texts["bdo"],
        footer=texts["footer"],
    )


def _policy(reader: _Reader, values: Mapping[str, Any]) -> InvoicePolicy:
    table = reader.table(values, "invoices")
    reader.only(
        table,
        "invoices",
        {"number_pattern", "exemption_law", "company_without_nip", "unit", "service_unit"},
    )
    default = InvoicePolicy()
    pattern = reader.text(table, "invoices", "number_pattern") or default.number_pattern
    try:
        NumberPattern(pattern)
    except BadPattern as error:
        reader.faults.append(f"invoices.number_pattern: {error}")
    company = reader.text(table, "invoices", "company_without_nip") or default.company_without_nip.value
    if company not in set(CompanyWithoutNip):
        reader.faults.append(f"invoices.company_without_nip: {company!r} is not attention or consumer")
        company = default.company_without_nip.value
    return InvoicePolicy(
        number_pattern=pattern,
        tax_classes=_choices(reader, values, "tax_classes", VatCategory),
        exemption_law=reader.text(table, "invoices", "exemption_law"),
        company_without_nip=CompanyWithoutNip(company),
        payment_forms=_choices(reader, values, "payment_forms", PaymentForm),
        account=_account(reader, values),
        unit=reader.text(table, "invoices", "unit") or default.unit,
        service_unit=reader.text(table, "invoices", "service_unit") or default.service_unit,
        exchange_rates=_exchange_rates(reader, values),
    )


def _choices(
    reader: _Reader, values: Mapping[str, Any], name: str, kind: type[_Choice]
) -> dict[str, _Choice]:
    chosen: dict[str, _Choice] = {}
    for key, value in reader.table(values, name).items():
        try:
            chosen[key] = kind(value)
        except ValueError:
            allowed = ", ".join(kind)
            reader.faults.append(f"{name}.{key}: {value!r} is none of {allowed}")
    return chosen


def _account(reader: _Reader, values: Mapping[str, Any]) -> BankAccount | None:
    table = reader.table(values, "bank_account")
    reader.only(table, "bank_account", {"number", "swift", "bank"})
    if not table:
        return None
    number = reader.text(table, "bank_account", "number", need=True).replace(" ", "").upper()
    return BankAccount(
        number, reader.text(table, "bank_account", "swift"), reader.text(table, "bank_account", "bank")
    )


def _exchange_rates(reader: _Reader, values: Mapping[str, Any]) -> dict[str, ExchangeRate]:
    rates: dict[str, ExchangeRate] = {}
    for currency, table in reader.table(values, "exchange_rates").items():
        where = f"exchange_rates.{currency}"
        if not isinstance(table, dict):
            reader.faults.append(f"[{where}] must be a table")
            continue
        reader.only(table, where, {"rate", "table", "day"})
        try:
            # a TOML float would lose digits, so a rate is a text
            rate = Decimal(reader.text(table, where, "rate", need=True) or "0")
        except InvalidOperation:
            rate = Decimal(0)
        if not rate.is_finite() or rate <= 0:
            reader.faults.append(f'{where}.rate must be a positive number in quotes, e.g. "4.2617"')
        day = _day(reader, where, table.get("day"))
        rates[currency] = ExchangeRate(currency, rate, reader.text(table, where, "table"), day)
    return rates


def _day(reader: _Reader, where: str, value: object) -> date | None:
    if value is None or isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))  # stored as JSON
    except ValueError:
        reader.faults.append(f"{where}.day must be a day, e.g. 2026-11-23")
        return None


def _plain(value: Any) -> Any:
    """The same values with days as texts, so that they can be kept as JSON."""
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    return value.isoformat() if isinstance(value, date) else value
