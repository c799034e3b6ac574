"""FA(2) and FA(3) documents back into the model.

Every element is taken from its parent by name; what is not taken is reported, so that nothing a
document holds is dropped in silence.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal

from lxml import etree

from core.fa import registry
from core.fa.dialects import DIALECTS
from core.fa.fields import PAYMENT_CODES, RATE_FIELDS
from core.invoices.model import (
    Address,
    Annotations,
    BankAccount,
    Buyer,
    Contact,
    Description,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    OrderReference,
    PaymentTerms,
    Pricing,
    RateSummary,
    Seller,
    TaxId,
    TaxIdKind,
)
from core.money import ZERO

_FORMS = {code: form for form, code in PAYMENT_CODES.items()}


class UnreadableDocument(ValueError):
    """A document that lacks what its schema asks for, so that the model cannot hold it."""


@dataclass(frozen=True, slots=True)
class ReadResult:
    """What reading gave.

    Attributes:
        invoice: the model.
        schema: the version the document declares.
        unread: paths of elements that the model has no place for yet.
    """

    invoice: Invoice
    schema: registry.FaSchema
    unread: tuple[str, ...]


class _Node:
    """An element whose children are taken by name; what stays behind is known."""

    def __init__(self, element: etree._Element, path: str, unread: list[str]) -> None:
        self.element = element
        self.path = path
        self._unread = unread
        self._children: dict[str, list[etree._Element]] = {}
        for child in element.iterchildren(tag=etree.Element):
            self._children.setdefault(etree.QName(child).localname, []).append(child)

    def __enter__(self) -> _Node:
        return self

    def __exit__(self, *_: object) -> None:
        self._unread.extend(f"{self.path}/{name}" for name, rest in self._children.items() if rest)

    def text(self, name: str) -> str:
        """Text of an optional child, empty when absent."""
        found = self._children.get(name)
        return (found.pop(0).text or "").strip() if found else ""

    def need(self, name: str) -> str:
        """Text of a child that must be there."""
        text = self.text(name)
        if not text:
            raise UnreadableDocument(f"{self.path}/{name} is missing or empty")
        return text

    def amount(self, name: str) -> Decimal | None:
        """A number, ``None`` when absent."""
        text = self.text(name)
        return Decimal(text) if text else None

    def day(self, name: str) -> date | None:
        """A day, ``None`` when absent."""
        text = self.text(name)
        return date.fromisoformat(text) if text else None

    def child(self, name: str) -> _Node | None:
        """An optional child with children of its own."""
        found = self._children.get(name)
        return _Node(found.pop(0), f"{self.path}/{name}", self._unread) if found else None

    def need_child(self, name: str) -> _Node:
        """A child with children of its own that must be there."""
        node = self.child(name)
        if node is None:
            raise UnreadableDocument(f"{self.path}/{name} is missing")
        return node

    def children(self, name: str) -> Iterator[_Node]:
        """All children of one name, in order."""
        for number, element in enumerate(self._children.pop(name, []), 1):
            yield _Node(element, f"{self.path}/{name}[{number}]", self._unread)


def read(tree: etree._ElementTree) -> ReadResult:
    """Read a parsed document.

    Args:
        tree: result of :func:`core.fa.schema.parse`; it should have passed the schema check.

    Raises:
        UnknownSchema: the document is neither FA(2) nor FA(3).
        UnreadableDocument: something that every invoice has is missing or broken.
    """
    root = tree.getroot()
    name = etree.QName(root)
    schema = registry.by_namespace(name.namespace or "")
    unread: list[str] = []
    try:
        with _Node(root, name.localname, unread) as top:
            invoice = _invoice(top, schema)
    except (ArithmeticError, ValueError, KeyError) as error:
        if isinstance(error, UnreadableDocument):
            raise
        raise UnreadableDocument(f"a value cannot be read: {error}") from error
    return ReadResult(invoice, schema, tuple(unread))


def _invoice(top: _Node, schema: registry.FaSchema) -> Invoice:
    with top.need_child("Naglowek") as head:
        for name in ("KodFormularza", "WariantFormularza"):
            head.text(name)
        created = _moment(head.need("DataWytworzeniaFa"))
        system = head.text("SystemInfo")
    with top.need_child("Podmiot1") as node:
        seller = _seller(node)
    with top.need_child("Podmiot2") as node:
        buyer = _buyer(node)
    with top.need_child("Fa") as fa:
        invoice = _fa(fa, schema, seller, buyer, created)
    footer = top.child("Stopka")
    seller = _with_footer(invoice.seller, footer) if footer else invoice.seller
    return replace(invoice, seller=seller, system=system)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _fa(fa: _Node, schema: registry.FaSchema, seller: Seller, buyer: Buyer, created: datetime) -> Invoice:
    currency = fa.need("KodWaluty")
    issued = fa.day("P_1")
    if issued is None:
        raise UnreadableDocument(f"{fa.path}/P_1 is missing")
    place, number, sold = fa.text("P_1M"), fa.need("P_2"), fa.day("P_6")
    lines, pricing = _lines(fa, schema)
    rates = _rates(fa, lines)
    total = Decimal(fa.need("P_15"))
    with fa.need_child("Adnotacje") as node:
        annotations = _annotations(node)
    kind = InvoiceKind(fa.need("RodzajFaktury"))
    return Invoice(
        kind=kind,
        number=number,
        issued_on=issued,
        created_at=created,
        currency=currency,
        pricing=pricing,
        seller=replace(seller, place=place),
        buyer=buyer,
        lines=lines,
        rates=rates,
        total=total,
        sold_on=sold,
        annotations=annotations,
        payment=_payment(fa),
        orders=_orders(fa),
        descriptions=_descriptions(fa),
    )


def _seller(node: _Node) -> Seller:
    with node.need_child("DaneIdentyfikacyjne") as identity:
        nip, name = identity.need("NIP"), identity.need("Nazwa")
    address = _address(node, "Adres")
    if address is None:
        raise UnreadableDocument(f"{node.path}/Adres is missing")
    return Seller(nip, name, address, _contact(node))


def _buyer(node: _Node) -> Buyer:
    with node.need_child("DaneIdentyfikacyjne") as identity:
        tax_id = _tax_id(identity)
        name = identity.text("Nazwa")
    return Buyer(
        tax_id=tax_id,
        name=name,
        address=_address(node, "Adres"),
        contact=_contact(node),
        customer_number=node.text("NrKlienta"),
        is_local_government_unit=node.text("JST") == "1",
        is_vat_group_member=node.text("GV") == "1",
    )


def _tax_id(identity: _Node) -> TaxId:
    nip, eu_country, eu_number = identity.text("NIP"), identity.text("KodUE"), identity.text("NrVatUE")
    country, other = identity.text("KodKraju"), identity.text("NrID")
    identity.text("BrakID")
    if nip:
        return TaxId.nip(nip)
    if eu_number:
        return TaxId.eu_vat(eu_country, eu_number)
    if other:
        return TaxId(TaxIdKind.OTHER, other, country)
    return TaxId.none()


def _address(node: _Node, name: str) -> Address | None:
    found = node.child(name)
    if found is None:
        return None
    with found as address:
        return Address(
            address.need("KodKraju"), address.need("AdresL1"), address.text("AdresL2"), address.text("GLN")
        )


def _contact(node: _Node) -> Contact:
    found = node.child("DaneKontaktowe")
    if found is None:
        return Contact()
    with found as contact:
        return Contact(contact.text("Email"), contact.text("Telefon"))


def _lines(fa: _Node, schema: registry.FaSchema) -> tuple[tuple[InvoiceLine, ...], Pricing]:
    codes = {code: category for category, code in reversed(DIALECTS[schema.version].rate_codes.items())}
    lines: list[InvoiceLine] = []
    pricing = Pricing.NET
    for node in fa.children("FaWiersz"):
        with node as row:
            net_price, gross_price = row.amount("P_9A"), row.amount("P_9B")
            net, gross = row.amount("P_11"), row.amount("P_11A")
            if net is None and gross is not None:
                pricing = Pricing.GROSS
            amount = gross if pricing is Pricing.GROSS else net
            price = gross_price if pricing is Pricing.GROSS else net_price
            quantity = row.amount("P_8B")
            lines.append(
                InvoiceLine(
                    number=int(row.need("NrWierszaFa")),
                    line_id=row.text("UU_ID"),
                    name=row.text("P_7"),
                    quantity=quantity if quantity is not None else Decimal(1),
                    unit=row.text("P_8A"),
                    unit_price=price if price is not None else amount or ZERO,
                    amount=amount or ZERO,
                    category=codes[row.need("P_12")],
                    discount=row.amount("P_10") or Decimal(0),
                    vat=row.amount("P_11Vat"),
                    sku=row.text("Indeks"),
                    gtin=row.text("GTIN"),
                    exchange_rate=row.amount("KursWaluty"),
                )
            )
    return tuple(lines), pricing


def _rates(fa: _Node, lines: tuple[InvoiceLine, ...]) -> tuple[RateSummary, ...]:
    used = {line.category for line in lines}
    rates = []
    for row in RATE_FIELDS:
        net = fa.amount(row.net)
        if net is None:
            continue
        vat = fa.amount(row.vat) if row.vat else None
        vat_pln = fa.amount(row.vat_pln) if row.vat_pln else None
        # a row may stand for two rates; the lines tell which
        category = next((one for one in row.categories if one in used), row.categories[0])
        rates.append(RateSummary(category, net, vat or ZERO, vat_pln))
    return tuple(rates)


def _annotations(node: _Node) -> Annotations:
    law = directive = other = ""
    with node.need_child("Zwolnienie") as exemption:
        exemption.text("P_19")
        exemption.text("P_19N")
        law, directive, other = exemption.text("P_19A"), exemption.text("P_19B"), exemption.text("P_19C")
    with node.need_child("NoweSrodkiTransportu") as transport:
        transport.text("P_22N")
    with node.need_child("PMarzy") as margin:
        margin.text("P_PMarzyN")
    return Annotations(
        cash_method=node.text("P_16") == "1",
        self_billing=node.text("P_17") == "1",
        reverse_charge=node.text("P_18") == "1",
        split_payment=node.text("P_18A") == "1",
        exemption_law=law,
        exemption_directive=directive,
        exemption_other=other,
        simplified_triangular=node.text("P_23") == "1",
    )


def _payment(fa: _Node) -> PaymentTerms | None:
    found = fa.child("Platnosc")
    if found is None:
        return None
    with found as node:
        node.text("Zaplacono")
        node.text("PlatnoscInna")
        due_on = None
        due = node.child("TerminPlatnosci")
        if due is not None:
            with due as term:
                due_on = term.day("Termin")
        account = None
        bank = node.child("RachunekBankowy")
        if bank is not None:
            with bank as row:
                account = BankAccount(row.need("NrRB"), row.text("SWIFT"), row.text("NazwaBanku"))
        code = node.text("FormaPlatnosci")
        return PaymentTerms(
            paid_on=node.day("DataZaplaty"),
            due_on=due_on,
            form=_FORMS[code] if code else None,
            description=node.text("OpisPlatnosci"),
            account=account,
        )


def _orders(fa: _Node) -> tuple[OrderReference, ...]:
    found = fa.child("WarunkiTransakcji")
    if found is None:
        return ()
    orders = []
    with found as terms:
        for node in terms.children("Zamowienia"):
            with node as order:
                orders.append(OrderReference(order.text("NrZamowienia"), order.day("DataZamowienia")))
    return tuple(orders)


def _descriptions(fa: _Node) -> tuple[Description, ...]:
    descriptions = []
    for node in fa.children("DodatkowyOpis"):
        with node as row:
            line = row.text("NrWiersza")
            descriptions.append(
                Description(row.need("Klucz"), row.need("Wartosc"), int(line) if line else None)
            )
    return tuple(descriptions)


def _with_footer(seller: Seller, footer: _Node) -> Seller:
    text = krs = regon = bdo = ""
    with footer:
        information = footer.child("Informacje")
        if information is not None:
            with information as node:
                text = node.text("StopkaFaktury")
        registers = footer.child("Rejestry")
        if registers is not None:
            with registers as node:
                krs, regon, bdo = node.text("KRS"), node.text("REGON"), node.text("BDO")
    return replace(seller, krs=krs, regon=regon, bdo=bdo, footer=text)
