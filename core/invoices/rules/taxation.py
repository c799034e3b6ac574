"""Rates against the buyer: who may get which rate."""

from __future__ import annotations

from datetime import date

from core.invoices.model import RateRow, TaxIdKind, VatCategory
from core.invoices.rules.rule import Subject, error, warning
from core.invoices.tax_ids import EU_COUNTRIES

WDT_NUMBER = error(
    "wdt-without-eu-number",
    "art. 42 ust. 1 pkt 1 and art. 106e ust. 1 pkt 24 VAT act",
    "Stawka 0 % WDT wymaga numeru VAT UE nabywcy z innego kraju Unii.",
    "The rate 0 % WDT needs the buyer's VAT number of another EU country.",
    "Podaj numer VAT UE nabywcy albo zastosuj stawkę krajową.",
    "State the buyer's EU VAT number or use the domestic rate.",
)
SERVICES_NUMBER = error(
    "services-without-eu-number",
    "art. 100 ust. 1 pkt 4 and art. 106e ust. 1 pkt 24 VAT act",
    "Usługa np II wymaga numeru VAT UE nabywcy z innego kraju Unii.",
    "A service np II needs the buyer's VAT number of another EU country.",
    "Podaj numer VAT UE nabywcy albo użyj np I.",
    "State the buyer's EU VAT number or use np I.",
)
PREFIX = error(
    "seller-prefix-missing",
    "art. 97 ust. 10 VAT act, PrefiksPodatnika",
    "Przy WDT i usługach dla podatników UE sprzedawca podaje numer z przedrostkiem PL.",
    "With supplies and services to EU taxpayers the seller states its number with the prefix PL.",
    "Ustaw przedrostek PL w danych sprzedawcy.",
    "Set the prefix PL in the seller's data.",
)
EXPORT = warning(
    "export-to-eu-buyer",
    "art. 41 ust. 4 VAT act",
    "Eksport ze stawką 0 % ma nabywcę z adresem w Unii ({country}).",
    "An export at 0 % has a buyer with an address in the EU ({country}).",
    "Sprawdź, czy towar opuszcza Unię.",
    "Check that the goods leave the EU.",
)
REVERSE = error(
    "reverse-charge-without-nip",
    "art. 17 ust. 1 pkt 7 and 8 VAT act",
    "Krajowe odwrotne obciążenie (oo) wymaga NIP nabywcy.",
    "Domestic reverse charge (oo) needs the buyer's NIP.",
    "Podaj NIP nabywcy albo zastosuj zwykłą stawkę.",
    "State the buyer's NIP or use the ordinary rate.",
)
OSS_BUYER = warning(
    "oss-with-taxpayer",
    "art. 130a VAT act (section XII chapter 6a)",
    "Procedura OSS dotyczy konsumentów, a nabywca podał numer podatkowy.",
    "The OSS procedure is for consumers, but the buyer has a tax number.",
    "Sprawdź, czy nie jest to WDT lub usługa dla podatnika.",
    "Check whether it is a supply or service to a taxpayer.",
)
OSS_HOME = warning(
    "oss-buyer-in-poland",
    "art. 22a VAT act (section XII chapter 6a)",
    "Sprzedaż OSS ma nabywcę z adresem w Polsce.",
    "An OSS sale has a buyer with an address in Poland.",
    "Sprawdź adres dostawy i stawkę.",
    "Check the address of delivery and the rate.",
)
OSS_ROW = error(
    "oss-row-without-line",
    "P_12_XII, P_13_5",
    "Tabela VAT zawiera sprzedaż OSS (P_13_5), ale żadna pozycja nie ma stawki P_12_XII.",
    "The VAT table has an OSS sale (P_13_5), but no line has a rate P_12_XII.",
    "Podaj stawkę kraju konsumpcji przy pozycjach.",
    "State the rate of the country of consumption on the lines.",
)
OSS_LINE = error(
    "oss-line-without-row",
    "P_12_XII, P_13_5",
    "Pozycje mają stawkę OSS (P_12_XII), ale tabela VAT nie ma pola P_13_5.",
    "Lines have an OSS rate (P_12_XII), but the VAT table lacks P_13_5.",
    "Policz ponownie tabelę VAT.",
    "Count the VAT table again.",
)
OUTDATED = warning(
    "rate-not-in-force",
    "art. 41 and art. 146ef VAT act",
    "Stawka {rate} % nie obowiązuje w dniu sprzedaży {day}.",
    "The rate of {rate} % is not in force on the day of sale {day}.",
    "Zastosuj stawkę obowiązującą.",
    "Use the rate in force.",
)

_EU_ADDRESSES = EU_COUNTRIES - {"EL", "XI"} | {"GR", "PL"}
_OUTDATED = (VatCategory.R22, VatCategory.R7, VatCategory.R3)
_RAISED_ON = date(2011, 1, 1)


def check_taxation(subject: Subject) -> None:
    """Rates that depend on who buys and where, and on the day."""
    invoice = subject.invoice
    table, categories = subject.table, subject.categories
    kind = invoice.buyer.tax_id.kind
    address = invoice.buyer.address
    is_eu_buyer = kind is TaxIdKind.EU_VAT and invoice.buyer.tax_id.country != "PL"
    number = "Faktura/Podmiot2/DaneIdentyfikacyjne"
    if RateRow.ZERO_WDT in table or VatCategory.ZERO_WDT in categories:
        if not is_eu_buyer:
            subject.report(WDT_NUMBER, f"{number}/NrVatUE")
        elif invoice.seller.vat_prefix != "PL":
            subject.report(PREFIX, "Faktura/Podmiot1/PrefiksPodatnika")
    if RateRow.OUTSIDE_SERVICES in table or VatCategory.OUTSIDE_SERVICES in categories:
        if not is_eu_buyer:
            subject.report(SERVICES_NUMBER, f"{number}/NrVatUE")
        elif invoice.seller.vat_prefix != "PL":
            subject.report(PREFIX, "Faktura/Podmiot1/PrefiksPodatnika")
    if (
        (RateRow.ZERO_EXPORT in table or VatCategory.ZERO_EXPORT in categories)
        and address is not None
        and address.country in _EU_ADDRESSES
    ):
        subject.report(EXPORT, "Faktura/Podmiot2/Adres/KodKraju", country=address.country)
    if kind is not TaxIdKind.NIP and (
        RateRow.REVERSE_CHARGE in table or VatCategory.REVERSE_CHARGE in categories
    ):
        subject.report(REVERSE, f"{number}/NIP")
    if len(categories) != len(subject.groups) or RateRow.OSS in table:
        _oss(subject)
    if not subject.is_correction:
        for category in categories:
            if category in _OUTDATED:
                _outdated(subject, category)


def _oss(subject: Subject) -> None:
    buyer = subject.invoice.buyer
    in_lines = any(group.row is RateRow.OSS for group in subject.groups)
    in_table = RateRow.OSS in subject.table
    if in_lines and not in_table:
        subject.report(OSS_LINE, "Faktura/Fa/P_13_5")
    elif in_table and not in_lines and subject.groups:
        subject.report(OSS_ROW, "Faktura/Fa/P_13_5")
    if not in_table:
        return
    if buyer.tax_id.kind in (TaxIdKind.NIP, TaxIdKind.EU_VAT):
        subject.report(OSS_BUYER, "Faktura/Podmiot2/DaneIdentyfikacyjne")
    elif buyer.address is not None and buyer.address.country == "PL":
        subject.report(OSS_HOME, "Faktura/Podmiot2/Adres/KodKraju")


def _outdated(subject: Subject, category: VatCategory) -> None:
    invoice = subject.invoice
    day = invoice.sold_on or invoice.issued_on
    if day >= _RAISED_ON:
        index = next(i for i, line in enumerate(invoice.lines, 1) if line.category is category)
        subject.report(OUTDATED, f"Faktura/Fa/FaWiersz[{index}]/P_12", rate=category.value, day=day)
