"""What each page of settings asks: entries of the seller file with their words (docs/seller.md)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from core.findings import Text

_NOTHING = Text("", "")


class Kind(StrEnum):
    """How an entry is asked for."""

    TEXT = "text"
    AREA = "area"
    FLAG = "flag"
    CHOICE = "choice"
    NUMBER = "number"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry.

    Attributes:
        path: its name in the seller file, such as ``seller.address.line1``.
        label: for people.
        help: what it means, or an example.
        kind: how it is asked for.
        choices: values with their words, for a choice; the first one, empty, holds without an entry.
        default: value that means the same as no entry.
    """

    path: str
    label: Text
    help: Text = _NOTHING
    kind: Kind = Kind.TEXT
    choices: tuple[tuple[str, Text], ...] = ()
    default: str = ""

    @property
    def field(self) -> str:
        """Name of its field in a form."""
        return self.path.replace(".", "-")


@dataclass(frozen=True, slots=True)
class Section:
    """One page of entries.

    Attributes:
        name: in addresses.
        title: for people.
        intro: what it is about.
        entries: in their order.
    """

    name: str
    title: Text
    intro: Text
    entries: tuple[Entry, ...]


def value_at(values: dict[str, Any], path: str) -> Any:
    """The value of an entry; ``None`` where there is none."""
    found: Any = values
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def put_at(values: dict[str, Any], path: str, value: Any) -> None:
    """Set an entry; an empty value takes it out, and its table with it when that is empty then."""
    names = path.split(".")
    tables = [values]
    for name in names[:-1]:
        tables.append(tables[-1].setdefault(name, {}))
    if value in ("", None, False, []):
        tables[-1].pop(names[-1], None)
    else:
        tables[-1][names[-1]] = value
    for place in range(len(tables) - 1, 0, -1):
        if not tables[place]:
            tables[place - 1].pop(names[place - 1], None)


def _t(path: str, pl: str, en: str, help_pl: str = "", help_en: str = "", kind: Kind = Kind.TEXT) -> Entry:
    return Entry(path, Text(pl, en), Text(help_pl, help_en), kind)


_ZERO = (
    ("", Text("zapytaj mnie przy zamówieniu", "ask me at the order")),
    ("0 WDT", Text("0% WDT", "0 % WDT")),
    ("0 EX", Text("0% eksport", "0 % export")),
    ("np I", Text("np (poza terytorium kraju)", "np (outside Poland)")),
    ("np II", Text("np (usługi, art. 100 ust. 1 pkt 4)", "np (services, art. 100 ust. 1 pkt 4)")),
)

COMPANY = Section(
    "company",
    Text("Dane firmy", "Company data"),
    Text(
        "Tak firma stoi na fakturach, które dopiero powstaną. Wystawione faktury się nie zmieniają.",
        "The company as it stands on invoices to come. Issued invoices do not change.",
    ),
    (
        _t("seller.name", "Pełna nazwa", "Full name"),
        _t("seller.address.line1", "Ulica i numer", "Street and number"),
        _t("seller.address.line2", "Kod i miejscowość", "Postcode and town"),
        _t(
            "seller.address.country",
            "Kraj (dwie litery)",
            "Country (two letters)",
            "Bez wpisu: PL.",
            "Without an entry: PL.",
        ),
        _t("seller.email", "E-mail", "E-mail"),
        _t("seller.phone", "Telefon", "Phone"),
        _t(
            "seller.place",
            "Miejsce wystawienia",
            "Place of issue",
            "Na przykład Warszawa.",
            "For example Warszawa.",
        ),
        _t("seller.krs", "KRS", "KRS"),
        _t("seller.regon", "REGON", "REGON"),
        _t("seller.bdo", "BDO", "BDO"),
        _t("seller.eori", "EORI", "EORI", "Dla eksporterów.", "For exporters."),
        _t(
            "seller.footer",
            "Tekst w stopce",
            "Text at the foot",
            "Na przykład kapitał zakładowy.",
            "For example the share capital.",
            Kind.AREA,
        ),
    ),
)

INVOICES = Section(
    "invoices",
    Text("Faktury", "Invoices"),
    Text(
        "Co przyjmuje się, gdy zamówienie samo tego nie mówi.", "What holds where an order does not say it."
    ),
    (
        _t(
            "invoices.exemption_law",
            "Podstawa zwolnienia z VAT",
            "Basis of a VAT exemption",
            "Potrzebna, gdy cokolwiek jest zwolnione (zw), np. art. 43 ust. 1 pkt 29 lit. c ustawy o VAT.",
            "Needed as soon as anything is exempt (zw), e.g. art. 43 ust. 1 pkt 29 lit. c ustawy o VAT.",
        ),
        _t(
            "invoices.unit", "Jednostka towarów", "Unit of goods", "Bez wpisu: szt.", "Without an entry: szt."
        ),
        _t(
            "invoices.service_unit",
            "Jednostka dostawy i opłat",
            "Unit of delivery and fees",
            "Bez wpisu: usł.",
            "Without an entry: usł.",
        ),
        Entry(
            "invoices.company_without_nip",
            Text("Nazwa firmy bez NIP", "A company name without a NIP"),
            kind=Kind.CHOICE,
            default="attention",
            choices=(
                ("", Text("zapytaj mnie", "ask me")),
                ("consumer", Text("wystaw jak dla osoby prywatnej", "invoice it as a private person")),
            ),
        ),
        _t(
            "invoices.simplified",
            "Faktura uproszczona, gdy firma podała NIP bez adresu (do 450 zł)",
            "A simplified invoice where a company gives a NIP but no address (up to 450 PLN)",
            kind=Kind.FLAG,
        ),
        _t(
            "invoices.allow_missing_address",
            "Wystawiaj bez adresu nabywcy, gdy sklep o niego nie pyta",
            "Invoice buyers whose address the shop does not ask for",
            kind=Kind.FLAG,
        ),
        _t(
            "invoices.recipient_as_third_party",
            "Odbiorcę, który nie jest nabywcą, podawaj jako Podmiot3",
            "Name a recipient who is not the buyer as Podmiot3",
            kind=Kind.FLAG,
        ),
        _t(
            "invoices.receipts",
            "Sprzedaż bez NIP przechodzi przez kasę fiskalną (oznaczenie FP)",
            "Sales without a NIP go through a cash register (mark FP)",
            kind=Kind.FLAG,
        ),
        _t(
            "invoices.paid_on_delivery",
            "Metody płatności opłacane dopiero przy odbiorze",
            "Payment methods that are paid on delivery",
            "Klucze ze sklepu, po przecinku, np. cod.",
            "The shop's keys, separated by commas, e.g. cod.",
            Kind.LIST,
        ),
        Entry(
            "treatments.eu_goods",
            Text("Sprzedaż 0% firmom z UE", "Sales at 0 % to EU businesses"),
            kind=Kind.CHOICE,
            choices=_ZERO,
        ),
        Entry(
            "treatments.export",
            Text("Sprzedaż 0% poza UE", "Sales at 0 % outside the EU"),
            kind=Kind.CHOICE,
            choices=_ZERO,
        ),
        _t(
            "treatments.oss",
            "Konsumentom z UE wystawiaj faktury ze stawką ich kraju (OSS)",
            "Invoice consumers in the EU at their country's rate (OSS)",
            kind=Kind.FLAG,
        ),
    ),
)

BANK = Section(
    "bank",
    Text("Rachunek bankowy", "Bank account"),
    Text(
        "Stoi tylko na fakturach do przelewów, które nie są jeszcze opłacone.",
        "Stands only on invoices for transfers that are not paid yet.",
    ),
    (
        _t("bank_account.number", "Numer rachunku", "Account number"),
        _t("bank_account.bank", "Nazwa banku", "Name of the bank"),
        _t("bank_account.swift", "SWIFT", "SWIFT"),
    ),
)

CORRECTIONS = Section(
    "corrections",
    Text("Korekty", "Corrections"),
    Text("Jak wygląda korekta zwrotu.", "How a refund is corrected."),
    (
        Entry(
            "corrections.style",
            Text("Wiersze korekty", "Rows of a correction"),
            kind=Kind.CHOICE,
            default="pairs",
            choices=(
                ("", Text("stan przed i po każdej zmienionej pozycji", "each changed line before and after")),
                ("differences", Text("jeden wiersz z różnicą", "one line with the difference")),
            ),
        ),
        Entry(
            "corrections.amount_only",
            Text("Zwrot samej kwoty, bez pozycji", "A refund of an amount without lines"),
            kind=Kind.CHOICE,
            default="attention",
            choices=(
                ("", Text("zapytaj mnie", "ask me")),
                (
                    "spread",
                    Text("podziel według stawek, które zostały", "split by what is left of each rate"),
                ),
            ),
        ),
        Entry(
            "corrections.type",
            Text("Dzień ujęcia w ewidencji VAT", "Day that counts in VAT records"),
            kind=Kind.CHOICE,
            default="correction_day",
            choices=(
                ("", Text("dzień korekty", "day of the correction")),
                ("original_day", Text("dzień faktury pierwotnej", "day of the original invoice")),
                ("other_day", Text("inny dzień", "another day")),
            ),
        ),
        _t(
            "corrections.reason",
            "Przyczyna, gdy sklep jej nie podaje",
            "Reason where the shop gives none",
        ),
    ),
)

SENDING = Section(
    "sending",
    Text("Wysyłanie", "Sending"),
    Text(
        "KSeF przyjmuje 180 pojedynczych dokumentów na godzinę; większe liczby idą paczką.",
        "KSeF takes 180 single documents an hour; larger numbers go as a batch.",
    ),
    (
        Entry(
            "sending.batching",
            Text("Paczki", "Batches"),
            kind=Kind.CHOICE,
            default="auto",
            choices=(
                ("", Text("kiedy trzeba", "when needed")),
                ("never", Text("nigdy, zawsze pojedynczo", "never, always one by one")),
            ),
        ),
        _t(
            "sending.batch_from",
            "Paczka od tylu dokumentów naraz",
            "A batch from so many documents at once",
            "1 do 180; bez wpisu 31.",
            "1 to 180; without an entry 31.",
            Kind.NUMBER,
        ),
        _t(
            "sending.gather_minutes",
            "Najmniej minut między paczkami",
            "At the least so many minutes between batches",
            "1 do 60; bez wpisu 5.",
            "1 to 60; without an entry 5.",
            Kind.NUMBER,
        ),
    ),
)

NUMBERING = Section(
    "numbering",
    Text("Numeracja", "Numbering"),
    Text(
        "{n:04} to licznik z co najmniej czterema cyframi, {yyyy} {yy} {mm} rok i miesiąc, {store} kod "
        "sklepu. Z {mm} liczenie zaczyna się co miesiąc od nowa, z samym rokiem co rok.",
        "{n:04} is the counter with at least four digits, {yyyy} {yy} {mm} year and month, {store} the "
        "store's code. With {mm} counting starts anew each month, with a year alone each year.",
    ),
    (
        _t(
            "invoices.number_pattern",
            "Faktury",
            "Invoices",
            "Bez wpisu: FV/{yyyy}/{mm}/{n:04}",
            "Without an entry: FV/{yyyy}/{mm}/{n:04}",
        ),
        _t(
            "invoices.correction_pattern",
            "Korekty",
            "Corrections",
            "Bez wpisu: KOR/{yyyy}/{mm}/{n:04}",
            "Without an entry: KOR/{yyyy}/{mm}/{n:04}",
        ),
        _t(
            "invoices.advance_pattern",
            "Faktury zaliczkowe",
            "Advance invoices",
            "Bez wpisu: ZAL/{yyyy}/{mm}/{n:04}",
            "Without an entry: ZAL/{yyyy}/{mm}/{n:04}",
        ),
        _t(
            "invoices.settlement_pattern",
            "Faktury końcowe",
            "Settlement invoices",
            "Bez wpisu: ROZ/{yyyy}/{mm}/{n:04}",
            "Without an entry: ROZ/{yyyy}/{mm}/{n:04}",
        ),
    ),
)

PLAIN = (COMPANY, INVOICES, BANK, CORRECTIONS, SENDING)
"""Pages that are nothing but their entries."""
