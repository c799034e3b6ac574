"""Which tables of a seller file are edited row by row, and their columns (docs/seller.md)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connector_app.web.settings.entries import Kind
from connector_app.web.settings.tables import Choices, Column, Table
from core.findings import Text
from core.invoices.model import MarginScheme, PartyRole, VatCategory
from core.invoices.tax_ids import as_nip
from core.orders import PaymentForm


def _same(values: Sequence[str]) -> Choices:
    return tuple((one, Text(one, one)) for one in values)


_FORMS = (
    (PaymentForm.TRANSFER, Text("przelew", "transfer")),
    (PaymentForm.CARD, Text("karta", "card")),
    (PaymentForm.CASH, Text("gotówka", "cash")),
    (PaymentForm.MOBILE, Text("płatność mobilna", "mobile")),
    (PaymentForm.VOUCHER, Text("bon", "voucher")),
    (PaymentForm.CREDIT, Text("kredyt", "credit")),
    (PaymentForm.CHEQUE, Text("czek", "cheque")),
)
_MARGINS = {
    MarginScheme.TOURISM: Text("turystyka", "tourism"),
    MarginScheme.USED_GOODS: Text("towary używane", "used goods"),
    MarginScheme.WORKS_OF_ART: Text("dzieła sztuki", "works of art"),
    MarginScheme.ANTIQUES: Text("antyki", "antiques"),
}

PRODUCTS = Table(
    "products",
    "products",
    Text("Oznaczenia produktów", "Product marks"),
    Text(
        "Czego sklep nie mówi o produkcie. Podstawa zwolnienia jest jedna dla firmy (strona „Faktury”).",
        "What the shop does not say about a product. The basis of an exemption is one for the company (page "
        '"Invoices").',
    ),
    Text("Numer artykułu (SKU)", "Article number (SKU)"),
    (
        Column(
            "category",
            Text("Stawka 0% znaczy", "A rate of 0 % means"),
            Kind.CHOICE,
            _same([one.value for one in VatCategory]),
        ),
        Column("gtu", Text("GTU", "GTU"), Kind.CHOICE, _same([f"GTU_{n:02}" for n in range(1, 14)])),
        Column("unit", Text("Jednostka", "Unit")),
        Column("pkwiu", Text("PKWiU", "PKWiU")),
        Column("cn", Text("CN", "CN")),
        Column("procedure", Text("Procedura", "Procedure")),
        Column(
            "margin",
            Text("Marża", "Margin"),
            Kind.CHOICE,
            tuple((one.name.lower(), text) for one, text in _MARGINS.items()),
        ),
        Column("annex_15", Text("Zał. 15", "Annex 15"), Kind.FLAG),
    ),
)
PAYMENTS = Table(
    "payment-forms",
    "payment_forms",
    Text("Formy płatności", "Forms of payment"),
    Text(
        "Co metoda płatności ze sklepu znaczy na fakturze. Bez wpisu obowiązuje to, co program wie o "
        "platformie.",
        "What the shop's payment method is on the invoice. Without an entry, what the program knows of the "
        "platform holds.",
    ),
    Text("Klucz metody w sklepie", "The method's key in the shop"),
    (
        Column(
            "value",
            Text("Na fakturze", "On the invoice"),
            Kind.CHOICE,
            tuple((one.value, text) for one, text in _FORMS),
        ),
    ),
    get=lambda stored: {"value": stored},
    put=lambda row, _before: row.get("value", ""),
)
RATES = Table(
    "exchange-rates",
    "exchange_rates",
    Text("Kursy walut", "Exchange rates"),
    Text(
        "Tylko jeżeli używasz innego kursu niż średni NBP; bez wpisu program pyta NBP sam.",
        "Only if you use another rate than the NBP's average; without an entry the program asks the NBP.",
    ),
    Text("Waluta", "Currency"),
    (
        Column("rate", Text("PLN za jednostkę", "PLN for one unit")),
        Column("day", Text("Dzień tabeli (RRRR-MM-DD)", "Day of the table (YYYY-MM-DD)")),
        Column("table", Text("Numer tabeli", "Number of the table")),
    ),
    key_of=lambda typed: typed.strip().upper(),
    put=lambda row, _before: {**row, "rate": row.get("rate", "").replace(",", ".")},
)


def _get_buyer(stored: Any) -> dict[str, Any]:
    parties = stored.get("third_parties", [])
    row = {name: stored.get(name, False) for name in ("local_government", "vat_group")}
    if len(parties) == 1:
        address = parties[0].get("address", {})
        row |= {f"party_{name}": parties[0].get(name, "") for name in ("name", "nip", "role")}
        row |= {f"party_{name}": address.get(name, "") for name in ("line1", "line2")}
    return row


def _put_buyer(row: dict[str, Any], before: Any) -> Any:
    """Marks of a buyer; several third parties, which only a file can describe, stay as they are."""
    parties = (before or {}).get("third_parties", [])
    made: dict[str, Any] = {name: True for name in ("local_government", "vat_group") if row.get(name)}
    party = {name: row[f"party_{name}"] for name in ("name", "nip", "role") if row.get(f"party_{name}")}
    lines = {name: row[f"party_{name}"] for name in ("line1", "line2") if row.get(f"party_{name}")}
    if lines:
        country = parties[0].get("address", {}).get("country") if len(parties) == 1 else None
        party["address"] = ({"country": country} if country else {}) | lines
    if len(parties) > 1 and not party:
        made["third_parties"] = parties
    elif party:
        made["third_parties"] = [party]
    return made


_ROLES = {
    PartyRole.LOCAL_GOVERNMENT_RECIPIENT: Text("JST – odbiorca", "local government, recipient"),
    PartyRole.VAT_GROUP_RECIPIENT: Text("członek grupy VAT – odbiorca", "VAT group member, recipient"),
    PartyRole.RECIPIENT: Text("odbiorca", "recipient"),
    PartyRole.PAYER: Text("płatnik", "payer"),
    PartyRole.ADDITIONAL_BUYER: Text("dodatkowy nabywca", "additional buyer"),
    PartyRole.FACTOR: Text("faktor", "factor"),
    PartyRole.EMPLOYEE: Text("pracownik", "employee"),
    PartyRole.ORIGINAL_ENTITY: Text("podmiot pierwotny", "original entity"),
    PartyRole.ISSUER: Text("wystawca", "issuer"),
    PartyRole.LOCAL_GOVERNMENT_ISSUER: Text("JST – wystawca", "local government, issuer"),
    PartyRole.VAT_GROUP_ISSUER: Text("członek grupy VAT – wystawca", "VAT group member, issuer"),
}
BUYERS = Table(
    "buyers",
    "buyers",
    Text("Oznaczenia nabywców", "Buyers' marks"),
    Text(
        "Czego sklep nie pyta: jednostki samorządu i członkowie grup VAT potrzebują na fakturze odbiorcy.",
        "What the shop does not ask: local government units and VAT group members need a recipient on the "
        "invoice.",
    ),
    Text("NIP nabywcy", "The buyer's NIP"),
    (
        Column("local_government", Text("Jednostka JST", "Local government unit"), Kind.FLAG),
        Column("vat_group", Text("Członek grupy VAT", "VAT group member"), Kind.FLAG),
        Column("party_name", Text("Odbiorca: nazwa", "Recipient: name")),
        Column("party_nip", Text("Odbiorca: NIP", "Recipient: NIP")),
        Column(
            "party_role",
            Text("Rola", "Role"),
            Kind.CHOICE,
            tuple((one.name.lower(), text) for one, text in _ROLES.items()),
        ),
        Column("party_line1", Text("Ulica i numer", "Street and number")),
        Column("party_line2", Text("Kod i miejscowość", "Postcode and town")),
    ),
    key_of=lambda typed: as_nip(typed) or typed.strip(),
    get=_get_buyer,
    put=_put_buyer,
)
TABLES = (PRODUCTS, BUYERS, PAYMENTS, RATES)
