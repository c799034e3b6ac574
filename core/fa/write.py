"""An invoice as FA(2) or FA(3) bytes.

Text is written in the schema's own order, without an element tree in between: that is what makes
building cheap next to checking. The result is UTF-8 with an XML prolog and no insignificant space, and is
the same bytes for the same invoice.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from core.fa.dialects import DIALECTS, Dialect
from core.fa.fields import PAYMENT_CODES, RATE_FIELDS
from core.fa.registry import FaSchema
from core.invoices.model import (
    Address,
    Annotations,
    BankAccount,
    Buyer,
    Contact,
    Description,
    Invoice,
    InvoiceLine,
    OrderReference,
    PaymentTerms,
    Pricing,
    RateSummary,
    Seller,
    TaxId,
    TaxIdKind,
)


def write(invoice: Invoice, schema: FaSchema) -> bytes:
    """Write an invoice.

    Args:
        invoice: complete, with texts already cleaned.
        schema: the version to write.

    Returns:
        The document's bytes; whether they satisfy the schema is for :mod:`core.fa.validate` to say.
    """
    dialect = DIALECTS[schema.version]
    parts = [
        '<?xml version="1.0" encoding="UTF-8"?>\n',
        f'<Faktura xmlns="{schema.namespace}"><Naglowek>'
        f'<KodFormularza kodSystemowy="{schema.system_code}" wersjaSchemy="{schema.schema_version}">FA'
        f"</KodFormularza><WariantFormularza>{schema.variant}</WariantFormularza>"
        f"<DataWytworzeniaFa>{invoice.created_at:%Y-%m-%dT%H:%M:%SZ}</DataWytworzeniaFa>",
        _opt("SystemInfo", invoice.system),
        "</Naglowek>",
        _seller(invoice.seller),
        _buyer(invoice.buyer, dialect),
        "<Fa>",
        _head(invoice),
        _rates(invoice.rates),
        f"<P_15>{_amount(invoice.total)}</P_15>",
        _annotations(invoice.annotations),
        f"<RodzajFaktury>{invoice.kind.value}</RodzajFaktury>",
        *(_description(description) for description in invoice.descriptions),
        *_lines(invoice.lines, invoice.pricing, dialect),
        _payment(invoice.payment),
        _terms(invoice.orders),
        "</Fa>",
        _footer(invoice.seller),
        "</Faktura>",
    ]
    return "".join(parts).encode("utf-8")


def _text(text: str) -> str:
    """Escape what XML asks to escape; the check keeps the common case cheap."""
    if "&" in text or "<" in text or ">" in text:
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text


def _opt(name: str, text: str) -> str:
    return f"<{name}>{_text(text)}</{name}>" if text else ""


def _amount(amount: Decimal) -> str:
    return f"{amount:.2f}"


def _number(number: Decimal) -> str:
    """A number without an exponent or trailing zeros after the point."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _price(price: Decimal) -> str:
    """A price with at least two decimals (TKwotowy2 allows eight)."""
    exponent = price.as_tuple().exponent
    return f"{price:.2f}" if isinstance(exponent, int) and exponent >= -2 else f"{price:f}"


def _address(address: Address) -> str:
    return (
        f"<Adres><KodKraju>{_text(address.country)}</KodKraju><AdresL1>{_text(address.line1)}</AdresL1>"
        f"{_opt('AdresL2', address.line2)}{_opt('GLN', address.gln)}</Adres>"
    )


def _contact(contact: Contact) -> str:
    inner = _opt("Email", contact.email) + _opt("Telefon", contact.phone)
    return f"<DaneKontaktowe>{inner}</DaneKontaktowe>" if inner else ""


def _seller(seller: Seller) -> str:
    return (
        f"<Podmiot1><DaneIdentyfikacyjne><NIP>{_text(seller.nip)}</NIP><Nazwa>{_text(seller.name)}</Nazwa>"
        f"</DaneIdentyfikacyjne>{_address(seller.address)}{_contact(seller.contact)}</Podmiot1>"
    )


def _tax_id(tax_id: TaxId) -> str:
    value = _text(tax_id.value)
    match tax_id.kind:
        case TaxIdKind.NIP:
            return f"<NIP>{value}</NIP>"
        case TaxIdKind.EU_VAT:
            return f"<KodUE>{_text(tax_id.country)}</KodUE><NrVatUE>{value}</NrVatUE>"
        case TaxIdKind.OTHER:
            return f"{_opt('KodKraju', tax_id.country)}<NrID>{value}</NrID>"
        case TaxIdKind.NONE:
            return "<BrakID>1</BrakID>"


def _buyer(buyer: Buyer, dialect: Dialect) -> str:
    flags = ""
    if dialect.states_buyer_flags:
        flags = (
            f"<JST>{_yes_no(buyer.is_local_government_unit)}</JST>"
            f"<GV>{_yes_no(buyer.is_vat_group_member)}</GV>"
        )
    return (
        f"<Podmiot2><DaneIdentyfikacyjne>{_tax_id(buyer.tax_id)}{_opt('Nazwa', buyer.name)}"
        f"</DaneIdentyfikacyjne>{_address(buyer.address) if buyer.address else ''}{_contact(buyer.contact)}"
        f"{_opt('NrKlienta', buyer.customer_number)}{flags}</Podmiot2>"
    )


def _head(invoice: Invoice) -> str:
    sold = f"<P_6>{invoice.sold_on:%Y-%m-%d}</P_6>" if invoice.sold_on else ""
    return (
        f"<KodWaluty>{_text(invoice.currency)}</KodWaluty><P_1>{invoice.issued_on:%Y-%m-%d}</P_1>"
        f"{_opt('P_1M', invoice.seller.place)}<P_2>{_text(invoice.number)}</P_2>{sold}"
    )


def _rates(rates: tuple[RateSummary, ...]) -> str:
    parts = []
    for row in RATE_FIELDS:
        found = [rate for rate in rates if rate.category in row.categories]
        if not found:
            continue
        net = sum((rate.net for rate in found), Decimal(0))
        parts.append(f"<{row.net}>{_amount(net)}</{row.net}>")
        if row.vat:
            vat = sum((rate.vat for rate in found), Decimal(0))
            parts.append(f"<{row.vat}>{_amount(vat)}</{row.vat}>")
            in_pln = [rate.vat_pln for rate in found if rate.vat_pln is not None]
            if in_pln:
                parts.append(f"<{row.vat_pln}>{_amount(sum(in_pln, Decimal(0)))}</{row.vat_pln}>")
    return "".join(parts)


def _yes_no(yes: bool) -> str:
    return "1" if yes else "2"


def _annotations(notes: Annotations) -> str:
    if notes.exemption_law:
        basis = f"<P_19>1</P_19><P_19A>{_text(notes.exemption_law)}</P_19A>"
    elif notes.exemption_directive:
        basis = f"<P_19>1</P_19><P_19B>{_text(notes.exemption_directive)}</P_19B>"
    elif notes.exemption_other:
        basis = f"<P_19>1</P_19><P_19C>{_text(notes.exemption_other)}</P_19C>"
    else:
        basis = "<P_19N>1</P_19N>"
    return (
        f"<Adnotacje><P_16>{_yes_no(notes.cash_method)}</P_16><P_17>{_yes_no(notes.self_billing)}</P_17>"
        f"<P_18>{_yes_no(notes.reverse_charge)}</P_18><P_18A>{_yes_no(notes.split_payment)}</P_18A>"
        f"<Zwolnienie>{basis}</Zwolnienie><NoweSrodkiTransportu><P_22N>1</P_22N></NoweSrodkiTransportu>"
        f"<P_23>{_yes_no(notes.simplified_triangular)}</P_23><PMarzy><P_PMarzyN>1</P_PMarzyN></PMarzy>"
        f"</Adnotacje>"
    )


def _description(description: Description) -> str:
    line = f"<NrWiersza>{description.line}</NrWiersza>" if description.line else ""
    return (
        f"<DodatkowyOpis>{line}<Klucz>{_text(description.key)}</Klucz>"
        f"<Wartosc>{_text(description.value)}</Wartosc></DodatkowyOpis>"
    )


def _lines(lines: tuple[InvoiceLine, ...], pricing: Pricing, dialect: Dialect) -> Iterable[str]:
    price, amount = ("P_9A", "P_11") if pricing is Pricing.NET else ("P_9B", "P_11A")
    codes = dialect.rate_codes
    for line in lines:
        discount = f"<P_10>{_price(line.discount)}</P_10>" if line.discount else ""
        vat = f"<P_11Vat>{_amount(line.vat)}</P_11Vat>" if line.vat is not None else ""
        exchange = f"<KursWaluty>{_number(line.exchange_rate)}</KursWaluty>" if line.exchange_rate else ""
        yield (
            f"<FaWiersz><NrWierszaFa>{line.number}</NrWierszaFa>{_opt('UU_ID', line.line_id)}"
            f"<P_7>{_text(_short(line.name, dialect.name_limit))}</P_7>{_opt('Indeks', line.sku)}"
            f"{_opt('GTIN', line.gtin)}{_opt('P_8A', line.unit)}<P_8B>{_number(line.quantity)}</P_8B>"
            f"<{price}>{_price(line.unit_price)}</{price}>{discount}"
            f"<{amount}>{_amount(line.amount)}</{amount}>{vat}<P_12>{codes[line.category]}</P_12>"
            f"{exchange}</FaWiersz>"
        )


def _short(name: str, limit: int) -> str:
    return name if len(name) <= limit else name[: limit - 1].rstrip() + "…"


def _account(account: BankAccount) -> str:
    return (
        f"<RachunekBankowy><NrRB>{_text(account.number)}</NrRB>{_opt('SWIFT', account.swift)}"
        f"{_opt('NazwaBanku', account.bank)}</RachunekBankowy>"
    )


def _payment(payment: PaymentTerms | None) -> str:
    if payment is None:
        return ""
    parts = []
    if payment.paid_on:
        parts.append(f"<Zaplacono>1</Zaplacono><DataZaplaty>{payment.paid_on:%Y-%m-%d}</DataZaplaty>")
    if payment.due_on:
        parts.append(f"<TerminPlatnosci><Termin>{payment.due_on:%Y-%m-%d}</Termin></TerminPlatnosci>")
    if payment.form:
        parts.append(f"<FormaPlatnosci>{PAYMENT_CODES[payment.form]}</FormaPlatnosci>")
    elif payment.description:
        parts.append(
            f"<PlatnoscInna>1</PlatnoscInna><OpisPlatnosci>{_text(payment.description)}</OpisPlatnosci>"
        )
    if payment.account:
        parts.append(_account(payment.account))
    return f"<Platnosc>{''.join(parts)}</Platnosc>" if parts else ""


def _terms(orders: tuple[OrderReference, ...]) -> str:
    if not orders:
        return ""
    parts = []
    for order in orders:
        day = f"<DataZamowienia>{order.day:%Y-%m-%d}</DataZamowienia>" if order.day else ""
        parts.append(f"<Zamowienia>{day}{_opt('NrZamowienia', order.number)}</Zamowienia>")
    return f"<WarunkiTransakcji>{''.join(parts)}</WarunkiTransakcji>"


def _footer(seller: Seller) -> str:
    registers = _opt("KRS", seller.krs) + _opt("REGON", seller.regon) + _opt("BDO", seller.bdo)
    inner = ""
    if seller.footer:
        inner += f"<Informacje><StopkaFaktury>{_text(seller.footer)}</StopkaFaktury></Informacje>"
    if registers:
        inner += f"<Rejestry>{registers}</Rejestry>"
    return f"<Stopka>{inner}</Stopka>" if inner else ""
