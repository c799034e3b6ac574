"""What the sandbox reads from an invoice file, and its comparison with the declared schema.

This is the only module of the sandbox that touches the project's schemas, so that the sandbox stays an
independent judge of everything else the product does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from lxml import etree

from core.fa import registry, schema
from core.findings import Severity

SchemaCheck = Callable[[str, str, etree._ElementTree], list[str]]
"""(systemCode, schemaVersion, document) -> sentences about what breaks the schema, empty when valid."""

FORM_CODES: Mapping[tuple[str, str, str], str] = {
    ("FA (2)", "1-0E", "FA"): "Schemat_FA(2)_v1-0E.xsd",
    ("FA (3)", "1-0E", "FA"): "Schemat_FA(3)_v1-0E.xsd",
}
"""(systemCode, schemaVersion, value) that sessions take -> NazwaStrukturyLogicznej of the UPO."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_PROLOG_ENCODING = re.compile(rb"<\?xml[^>]*?encoding\s*=\s*[\"']([^\"']+)[\"']")
_DISCOURAGED = re.compile(
    "[\u007f-\u0084\u0086-\u009f\ufdd0-\ufdef"
    + "".join(f"{chr(plane * 0x10000 + 0xFFFE)}{chr(plane * 0x10000 + 0xFFFF)}" for plane in range(1, 17))
    + "]"
)
_NIP_WEIGHTS = (6, 5, 7, 2, 3, 4, 5, 6, 7)


class DocumentError(ValueError):
    """A file from which no invoice can be read; the message, in Polish, says why."""


@dataclass(frozen=True, slots=True)
class ThirdParty:
    """One Podmiot3.

    Attributes:
        type: Nip, InternalId, VatUe, Other or None.
        value: its identifier, None without one.
        name: DaneIdentyfikacyjne/Nazwa, may be empty.
        role: Rola; 0 for a role in words (RolaInna).
    """

    type: str
    value: str | None
    name: str
    role: int


@dataclass(frozen=True, slots=True)
class InvoiceFacts:
    """What KSeF itself reads from an invoice.

    Attributes:
        seller_nip: Podmiot1/DaneIdentyfikacyjne/NIP.
        seller_name: Podmiot1/DaneIdentyfikacyjne/Nazwa, may be empty.
        buyer_type: Nip, VatUe, Other or None.
        buyer_value: the buyer's identifier, None without one.
        buyer_name: Podmiot2/DaneIdentyfikacyjne/Nazwa, may be empty.
        number: P_2.
        kind: RodzajFaktury.
        issued: P_1.
        currency: KodWaluty.
        gross: P_15 in the invoice's currency.
        net: sum of P_13_*, in the invoice's currency.
        vat: sum of P_14_*, in PLN where the document states it (P_14_*W), else as stated.
        self_invoicing: P_17 is 1.
        attachment: whether there is a Zalacznik.
        third_parties: every Podmiot3.
        authorized: nip, name and role of PodmiotUpowazniony; None without one.
        other_nips: every other NIP of a party, for the check of check digits.
    """

    seller_nip: str
    seller_name: str
    buyer_type: str
    buyer_value: str | None
    buyer_name: str
    number: str
    kind: str
    issued: date
    currency: str
    gross: Decimal
    net: Decimal
    vat: Decimal
    self_invoicing: bool
    attachment: bool
    third_parties: tuple[ThirdParty, ...]
    authorized: Mapping[str, object] | None
    other_nips: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        """The facts as JSON-ready values, amounts and days as text."""
        return {
            key: str(value) if isinstance(value, Decimal | date) else value
            for key, value in asdict(self).items()
        }


def check_schema(system_code: str, schema_version: str, tree: etree._ElementTree) -> list[str]:
    """Compare a document with the schema of a form code by the project's own schema files.

    Args:
        system_code: e.g. ``FA (3)``.
        schema_version: e.g. ``1-0E``.
        tree: the parsed document.

    Returns:
        Polish sentences with the place of each violation; empty when the document is valid.
    """
    definition = registry.by_form_code(system_code, schema_version)
    findings = schema.check(tree, definition)
    return [
        f"{finding.path}: {finding.message.pl}" if finding.path else finding.message.pl
        for finding in findings
        if finding.severity is Severity.ERROR
    ]


def file_problems(content: bytes) -> list[str]:
    """What makes a file unacceptable before its content is looked at: encoding and characters.

    Source: the Ministry's page on the verification of invoices (UTF-8 without BOM, no other encoding in the
    prolog, no processing instructions, no discouraged characters of XML 1.0 section 2.2).
    """
    if content.startswith(_BYTE_ORDER_MARK):
        return ["Plik zaczyna się znacznikiem BOM."]
    prolog = _PROLOG_ENCODING.match(content)
    if prolog is not None and prolog[1].decode("ascii", "replace").lower() != "utf-8":
        return [f"Prolog deklaruje kodowanie {prolog[1].decode('ascii', 'replace')}, dozwolone jest UTF-8."]
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        return [f"Plik nie jest tekstem UTF-8 (bajt {error.start})."]
    found = _DISCOURAGED.search(text)
    if found is not None:
        return [f"Plik zawiera niedozwolony znak U+{ord(found[0]):04X}."]
    return []


def parse_xml(content: bytes) -> etree._ElementTree:
    """Parse XML from outside without following anything in it.

    Raises:
        DocumentError: not well-formed, or with a document type.
    """
    try:
        return schema.parse(content)
    except schema.MalformedXml as error:
        raise DocumentError(error.as_finding().message.pl) from None


def parse(content: bytes) -> etree._ElementTree:
    """Parse an invoice file.

    Raises:
        DocumentError: not well-formed, with a document type, or with processing instructions.
    """
    tree = parse_xml(content)
    if tree.xpath("boolean(//processing-instruction())"):
        raise DocumentError("Dokument nie może zawierać instrukcji przetwarzania.")
    return tree


def read(tree: etree._ElementTree) -> InvoiceFacts:
    """Read the facts of a document that satisfies its schema.

    Raises:
        DocumentError: a part is missing or unreadable.
    """
    root = tree.getroot()
    space = etree.QName(root).namespace or ""
    reader = _Reader(root, space)
    buyer_type, buyer_value = reader.buyer()
    fields = {etree.QName(child).localname: (child.text or "") for child in reader.children("Fa")}
    try:
        return InvoiceFacts(
            seller_nip=reader.required("Podmiot1/DaneIdentyfikacyjne/NIP"),
            seller_name=reader.text("Podmiot1/DaneIdentyfikacyjne/Nazwa"),
            buyer_type=buyer_type,
            buyer_value=buyer_value,
            buyer_name=reader.text("Podmiot2/DaneIdentyfikacyjne/Nazwa"),
            number=reader.required("Fa/P_2"),
            kind=reader.required("Fa/RodzajFaktury"),
            issued=date.fromisoformat(reader.required("Fa/P_1")),
            currency=reader.required("Fa/KodWaluty"),
            gross=Decimal(reader.required("Fa/P_15")),
            net=_total(fields, r"P_13_\d+(_\d+)?"),
            vat=_tax(fields),
            self_invoicing=reader.text("Fa/Adnotacje/P_17") == "1",
            attachment=bool(reader.children("Zalacznik")),
            third_parties=tuple(reader.third_parties()),
            authorized=reader.authorized(),
            other_nips=tuple(
                nip
                for party in ("Podmiot2", "Podmiot3", "PodmiotUpowazniony")
                for nip in reader.every(f"{party}/DaneIdentyfikacyjne/NIP")
            ),
        )
    except (ValueError, InvalidOperation) as error:
        raise DocumentError(f"Nie można odczytać danych faktury: {error}") from None


def nip_is_valid(nip: str) -> bool:
    """Whether ten digits are a NIP with the right check digit (weights 6 5 7 2 3 4 5 6 7, modulo 11)."""
    if len(nip) != 10 or not (nip.isascii() and nip.isdecimal()):
        return False
    total = sum(weight * int(digit) for weight, digit in zip(_NIP_WEIGHTS, nip, strict=False))
    return total % 11 == int(nip[9])


def _total(fields: Mapping[str, str], pattern: str) -> Decimal:
    chosen = (value for name, value in fields.items() if re.fullmatch(pattern, name))
    return sum((Decimal(value) for value in chosen), Decimal(0))


def _tax(fields: Mapping[str, str]) -> Decimal:
    in_zloty = _total(fields, r"P_14_\d+W")
    return in_zloty if in_zloty else _total(fields, r"P_14_\d+")


@dataclass(frozen=True, slots=True)
class _Reader:
    """Finds text by plain paths of element names."""

    root: etree._Element
    space: str

    def _path(self, path: str) -> str:
        return "/".join(f"{{{self.space}}}{step}" for step in path.split("/"))

    def text(self, path: str) -> str:
        return (self.root.findtext(self._path(path)) or "").strip()

    def required(self, path: str) -> str:
        value = self.text(path)
        if not value:
            raise DocumentError(f"Brak wartości {path}.")
        return value

    def every(self, path: str) -> list[str]:
        return [(element.text or "").strip() for element in self.root.findall(self._path(path))]

    def children(self, path: str) -> list[etree._Element]:
        element = self.root.find(self._path(path))
        return [] if element is None else [child for child in element if isinstance(child.tag, str)]

    def buyer(self) -> tuple[str, str | None]:
        return self._identity(self.root.find(self._path("Podmiot2")))

    def third_parties(self) -> list[ThirdParty]:
        found = []
        for party in self.root.findall(self._path("Podmiot3")):
            kind, value = self._identity(party)
            name = party.findtext(self._path("DaneIdentyfikacyjne/Nazwa")) or ""
            role = party.findtext(self._path("Rola")) or "0"
            found.append(ThirdParty(kind, value, name.strip(), int(role)))
        return found

    def authorized(self) -> dict[str, object] | None:
        nip = self.text("PodmiotUpowazniony/DaneIdentyfikacyjne/NIP")
        if not nip:
            return None
        name = self.text("PodmiotUpowazniony/DaneIdentyfikacyjne/Nazwa")
        return {"nip": nip, "name": name or None, "role": int(self.required("PodmiotUpowazniony/RolaPU"))}

    def _identity(self, party: etree._Element | None) -> tuple[str, str | None]:
        for kind, path in (("Nip", "NIP"), ("InternalId", "IDWew"), ("VatUe", "NrVatUE"), ("Other", "NrID")):
            value = None if party is None else party.findtext(self._path(f"DaneIdentyfikacyjne/{path}"))
            if party is not None and value:
                country = party.findtext(self._path("DaneIdentyfikacyjne/KodUE")) or ""
                return kind, country.strip() + value.strip() if kind == "VatUe" else value.strip()
        return "None", None
