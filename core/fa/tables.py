"""The elements of FA(2) and FA(3): which attribute stands in which element, in the schema's order.

One table per part of a document. Where the versions differ, :mod:`core.fa.dialects` says how.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from core.fa import parts
from core.fa.binding import Entry, Flag, Inline, Kept, Leaf, Leaves, Nested, NestedMany, Spread, Table, YesNo
from core.fa.codecs import (
    DAY,
    INTEGER,
    MOMENT,
    NUMBER,
    STRING,
    TOKEN,
    code,
    integer_code,
    short_token,
    vat_category,
)
from core.fa.dialects import DIALECTS, Dialect
from core.fa.registry import SchemaVersion
from core.invoices import model as m


@dataclass(frozen=True, slots=True)
class Document:
    """The tables of one schema version.

    Attributes:
        header: Naglowek without its fixed elements. seller: Podmiot1. buyer: Podmiot2.
        third: Podmiot3. authorized: PodmiotUpowazniony. fa: Fa. footer: Stopka.
    """

    header: Table
    seller: Table
    buyer: Table
    third: Table
    authorized: Table
    fa: Table
    footer: Table


def _as_dict(**values: object) -> dict[str, object]:
    return values


@functools.cache
def document(version: SchemaVersion) -> Document:
    """The tables of a version, made once."""
    dialect = DIALECTS[version]
    header = (
        Leaf("DataWytworzeniaFa", "created_at", MOMENT, required=True),
        Leaf("SystemInfo", "system", TOKEN),
    )
    return Document(
        header=Table(_as_dict, header, extra="header_extra"),
        seller=_SELLER,
        buyer=_buyer(dialect),
        third=_THIRD,
        authorized=_AUTHORIZED,
        fa=Table(_as_dict, _fa(dialect), extra="fa_extra"),
        footer=_FOOTER,
    )


_ADDRESS = Table(
    m.Address,
    (
        Leaf("KodKraju", "country", TOKEN, required=True),
        Leaf("AdresL1", "line1", TOKEN, required=True),
        Leaf("AdresL2", "line2", TOKEN),
        Leaf("GLN", "gln", TOKEN),
    ),
)
_CONTACT = Table(m.Contact, (Leaf("Email", "email", TOKEN), Leaf("Telefon", "phone", TOKEN)))
_AUTHORIZED_CONTACT = Table(m.Contact, (Leaf("EmailPU", "email", TOKEN), Leaf("TelefonPU", "phone", TOKEN)))
_SELLER = Table(
    m.Seller,
    (
        Leaf("PrefiksPodatnika", "vat_prefix", TOKEN),
        Leaf("NrEORI", "eori", TOKEN),
        parts.seller_identity(),
        Nested("Adres", "address", _ADDRESS, required=True),
        Nested("AdresKoresp", "mail_address", _ADDRESS),
        NestedMany("DaneKontaktowe", "contacts", _CONTACT),
        Leaf("StatusInfoPodatnika", "status", TOKEN),
    ),
)


def _buyer(dialect: Dialect) -> Table:
    flags: tuple[Entry, ...] = ()
    if dialect.states_buyer_flags:
        flags = (YesNo("JST", "is_local_government_unit"), YesNo("GV", "is_vat_group_member"))
    return Table(
        m.Buyer,
        (
            Leaf("NrEORI", "eori", TOKEN),
            parts.identity(),
            Nested("Adres", "address", _ADDRESS),
            Nested("AdresKoresp", "mail_address", _ADDRESS),
            NestedMany("DaneKontaktowe", "contacts", _CONTACT),
            Leaf("NrKlienta", "customer_number", TOKEN),
            Leaf("IDNabywcy", "key", TOKEN),
            *flags,
        ),
    )


_THIRD = Table(
    m.ThirdParty,
    (
        Leaf("IDNabywcy", "key", TOKEN),
        Leaf("NrEORI", "eori", TOKEN),
        parts.identity(),
        Nested("Adres", "address", _ADDRESS),
        Nested("AdresKoresp", "mail_address", _ADDRESS),
        NestedMany("DaneKontaktowe", "contacts", _CONTACT),
        parts.role(),
        Leaf("Udzial", "share", NUMBER),
        Leaf("NrKlienta", "customer_number", TOKEN),
    ),
)
_AUTHORIZED = Table(
    m.AuthorizedParty,
    (
        Leaf("NrEORI", "eori", TOKEN),
        parts.seller_identity(),
        Nested("Adres", "address", _ADDRESS, required=True),
        Nested("AdresKoresp", "mail_address", _ADDRESS),
        NestedMany("DaneKontaktowe", "contacts", _AUTHORIZED_CONTACT),
        Leaf("RolaPU", "role", TOKEN, required=True),
    ),
)
_FOOTER = Table(
    m.Footer,
    (
        parts.footer_texts(),
        NestedMany(
            "Rejestry",
            "registers",
            Table(
                m.Register,
                (
                    Leaf("PelnaNazwa", "full_name", TOKEN),
                    Leaf("KRS", "krs", STRING),
                    Leaf("REGON", "regon", STRING),
                    Leaf("BDO", "bdo", TOKEN),
                ),
            ),
        ),
    ),
)
_ANNOTATIONS = Table(
    m.Annotations,
    (
        YesNo("P_16", "cash_method"),
        YesNo("P_17", "self_billing"),
        YesNo("P_18", "reverse_charge"),
        YesNo("P_18A", "split_payment"),
        parts.exemption(),
        parts.new_transport(),
        YesNo("P_23", "simplified_triangular"),
        parts.margin(),
    ),
)
_PERIOD = Table(
    m.Period, (Leaf("P_6_Od", "first", DAY, required=True), Leaf("P_6_Do", "last", DAY, required=True))
)
_CORRECTED = Table(
    m.CorrectedInvoice,
    (
        Leaf("DataWystFaKorygowanej", "issued_on", DAY, required=True),
        Leaf("NrFaKorygowanej", "number", TOKEN, required=True),
        parts.corrected_number(),
    ),
)
_PREVIOUS_SELLER = Table(
    m.PreviousSeller,
    (
        Leaf("PrefiksPodatnika", "vat_prefix", TOKEN),
        parts.seller_identity(),
        Nested("Adres", "address", _ADDRESS, required=True),
    ),
)
_PREVIOUS_BUYER = Table(
    m.PreviousBuyer,
    (parts.identity(), Nested("Adres", "address", _ADDRESS), Leaf("IDNabywcy", "key", TOKEN)),
)
_CORRECTION = Table(
    m.Correction,
    (
        Leaf("PrzyczynaKorekty", "reason", TOKEN),
        Leaf("TypKorekty", "type", integer_code(m.CorrectionType)),
        NestedMany("DaneFaKorygowanej", "originals", _CORRECTED),
        Leaf("OkresFaKorygowanej", "period", TOKEN),
        Leaf("NrFaKorygowany", "right_number", TOKEN),
        Nested("Podmiot1K", "previous_seller", _PREVIOUS_SELLER),
        NestedMany("Podmiot2K", "previous_buyers", _PREVIOUS_BUYER),
        Leaf("P_15ZK", "paid_before", NUMBER),
        Leaf("KursWalutyZK", "exchange_rate_before", NUMBER),
    ),
    extra="",
)
_ADVANCE_PART = Table(
    m.AdvancePart,
    (
        Leaf("P_6Z", "received_on", DAY, required=True),
        Leaf("P_15Z", "amount", NUMBER, required=True),
        Leaf("KursWalutyZW", "exchange_rate", NUMBER),
    ),
)
_DESCRIPTION = Table(
    m.Description,
    (
        Leaf("NrWiersza", "line", INTEGER),
        Leaf("Klucz", "key", TOKEN, required=True),
        Leaf("Wartosc", "value", TOKEN, required=True),
    ),
)
_CHARGE = Table(
    m.Charge,
    (Leaf("Kwota", "amount", NUMBER, required=True), Leaf("Powod", "reason", TOKEN, required=True)),
)
_SETTLEMENT = Table(
    m.Settlement,
    (
        NestedMany("Obciazenia", "charges", _CHARGE),
        Leaf("SumaObciazen", "charges_total", NUMBER),
        NestedMany("Odliczenia", "deductions", _CHARGE),
        Leaf("SumaOdliczen", "deductions_total", NUMBER),
        Leaf("DoZaplaty", "to_pay", NUMBER),
        Leaf("DoRozliczenia", "to_settle", NUMBER),
    ),
)
_ACCOUNT = Table(
    m.BankAccount,
    (
        Leaf("NrRB", "number", STRING, required=True),
        Leaf("SWIFT", "swift", STRING),
        Leaf("RachunekWlasnyBanku", "own_account", TOKEN),
        Leaf("NazwaBanku", "bank", TOKEN),
        Leaf("OpisRachunku", "description", TOKEN),
    ),
)
_TERMS = Table(
    m.TransactionTerms,
    (
        NestedMany(
            "Umowy",
            "contracts",
            Table(m.Contract, (Leaf("DataUmowy", "day", DAY), Leaf("NrUmowy", "number", TOKEN))),
        ),
        NestedMany(
            "Zamowienia",
            "orders",
            Table(
                m.OrderReference, (Leaf("DataZamowienia", "day", DAY), Leaf("NrZamowienia", "number", TOKEN))
            ),
        ),
        Leaves("NrPartiiTowaru", "batches", TOKEN),
        Leaf("WarunkiDostawy", "delivery_terms", TOKEN),
        Leaf("KursUmowny", "agreed_rate", NUMBER),
        Leaf("WalutaUmowna", "agreed_currency", TOKEN),
        Kept("Transport"),
        Flag("PodmiotPosredniczacy", "intermediary"),
    ),
)


def _payment(dialect: Dialect) -> Table:
    part: tuple[Entry, ...] = (
        Leaf("KwotaZaplatyCzesciowej", "amount", NUMBER, required=True),
        Leaf("DataZaplatyCzesciowej", "paid_on", DAY, required=True),
    )
    due_text: Entry = Leaf("TerminOpis", "text", TOKEN)
    links: tuple[Entry, ...] = ()
    if dialect.is_structured:
        part = (*part, parts.payment_form())
        due_text = parts.structured_due()
        links = (Leaf("LinkDoPlatnosci", "link", TOKEN), Leaf("IPKSeF", "ksef_payment_id", TOKEN))
    discount = Table(
        m.Discount,
        (
            Leaf("WarunkiSkonta", "conditions", TOKEN, required=True),
            Leaf("WysokoscSkonta", "size", TOKEN, required=True),
        ),
    )
    return Table(
        m.PaymentTerms,
        (
            parts.paid(),
            parts.parts_mark(tells_all=dialect.is_structured),
            NestedMany("ZaplataCzesciowa", "part_payments", Table(m.PartPayment, part)),
            NestedMany("TerminPlatnosci", "due", Table(m.DueTerm, (Leaf("Termin", "due_on", DAY), due_text))),
            parts.payment_form(),
            NestedMany("RachunekBankowy", "accounts", _ACCOUNT),
            NestedMany("RachunekBankowyFaktora", "factor_accounts", _ACCOUNT),
            Nested("Skonto", "discount", discount),
            *links,
        ),
    )


def _line(dialect: Dialect) -> Table:
    return Table(
        m.InvoiceLine,
        (
            Leaf("NrWierszaFa", "number", INTEGER, required=True),
            Leaf("UU_ID", "line_id", TOKEN),
            Leaf("P_6A", "delivered_on", DAY),
            Leaf("P_7", "name", short_token(dialect.name_limit)),
            Leaf("Indeks", "sku", TOKEN),
            Leaf("GTIN", "gtin", TOKEN),
            Leaf("PKWiU", "pkwiu", TOKEN),
            Leaf("CN", "cn", TOKEN),
            Leaf("PKOB", "pkob", TOKEN),
            Leaf("P_8A", "unit", TOKEN),
            Leaf("P_8B", "quantity", NUMBER),
            Leaf("P_9A", "net_price", NUMBER),
            Leaf("P_9B", "gross_price", NUMBER),
            Leaf("P_10", "discount", NUMBER),
            Leaf("P_11", "net_amount", NUMBER),
            Leaf("P_11A", "gross_amount", NUMBER),
            Leaf("P_11Vat", "vat", NUMBER),
            Leaf("P_12", "category", vat_category(dialect.rate_codes)),
            Leaf("P_12_XII", "oss_rate", NUMBER),
            Flag("P_12_Zal_15", "annex_15"),
            Leaf("KwotaAkcyzy", "excise", NUMBER),
            Leaf("GTU", "gtu", TOKEN),
            Leaf("Procedura", "procedure", TOKEN),
            Leaf("KursWaluty", "exchange_rate", NUMBER),
            Flag("StanPrzed", "before"),
        ),
    )


def _advance_order(dialect: Dialect) -> Table:
    line = Table(
        m.AdvanceOrderLine,
        (
            Leaf("NrWierszaZam", "number", INTEGER, required=True),
            Leaf("UU_IDZ", "line_id", TOKEN),
            Leaf("P_7Z", "name", short_token(dialect.name_limit)),
            Leaf("IndeksZ", "sku", TOKEN),
            Leaf("GTINZ", "gtin", TOKEN),
            Leaf("PKWiUZ", "pkwiu", TOKEN),
            Leaf("CNZ", "cn", TOKEN),
            Leaf("PKOBZ", "pkob", TOKEN),
            Leaf("P_8AZ", "unit", TOKEN),
            Leaf("P_8BZ", "quantity", NUMBER),
            Leaf("P_9AZ", "net_price", NUMBER),
            Leaf("P_11NettoZ", "net_amount", NUMBER),
            Leaf("P_11VatZ", "vat", NUMBER),
            Leaf("P_12Z", "category", vat_category(dialect.rate_codes)),
            Leaf("P_12Z_XII", "oss_rate", NUMBER),
            Flag("P_12Z_Zal_15", "annex_15"),
            Leaf("GTUZ", "gtu", TOKEN),
            Leaf("ProceduraZ", "procedure", TOKEN),
            Leaf("KwotaAkcyzyZ", "excise", NUMBER),
            Flag("StanPrzedZ", "before"),
        ),
    )
    return Table(
        m.AdvanceOrder,
        (
            Leaf("WartoscZamowienia", "total", NUMBER, required=True),
            NestedMany("ZamowienieWiersz", "lines", line),
        ),
    )


def _fa(dialect: Dialect) -> tuple[Entry, ...]:
    advance: Spread = parts.advance_number()
    return (
        Leaf("KodWaluty", "currency", TOKEN, required=True),
        Leaf("P_1", "issued_on", DAY, required=True),
        Leaf("P_1M", "place", TOKEN),
        Leaf("P_2", "number", TOKEN, required=True),
        Leaves("WZ", "warehouse_documents", TOKEN),
        Leaf("P_6", "sold_on", DAY),
        Nested("OkresFa", "period", _PERIOD),
        parts.rates(),
        Leaf("P_15", "total", NUMBER, required=True),
        Leaf("KursWalutyZ", "advance_exchange_rate", NUMBER),
        Nested("Adnotacje", "annotations", _ANNOTATIONS, required=True),
        Leaf("RodzajFaktury", "kind", code(m.InvoiceKind), required=True),
        Inline("correction", _CORRECTION),
        NestedMany("ZaliczkaCzesciowa", "advance_parts", _ADVANCE_PART),
        Flag("FP", "from_receipt"),
        Flag("TP", "related_parties"),
        NestedMany("DodatkowyOpis", "descriptions", _DESCRIPTION),
        NestedMany("FakturaZaliczkowa", "advances", Table(m.AdvanceReference, (advance,))),
        Flag("ZwrotAkcyzy", "excise_refund"),
        NestedMany("FaWiersz", "lines", _line(dialect)),
        Nested("Rozliczenie", "settlement", _SETTLEMENT),
        Nested("Platnosc", "payment", _payment(dialect)),
        Nested("WarunkiTransakcji", "terms", _TERMS),
        Nested("Zamowienie", "order", _advance_order(dialect)),
    )
