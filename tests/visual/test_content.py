"""What a document says stands in the picture, all of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from core.visual.codes import CODES, STATEMENTS
from core.visual.extract import extract
from core.visual.model import Picture, as_json
from core.visual.nodes import read
from core.visual.text import Language, Tongue, account

TECHNICAL = {"KodFormularza", "WariantFormularza"}
"""Only say which schema this is; the picture names the form as a whole, e.g. FA (3)."""
# fmt: off
MARKERS = {
    "P_16", "P_17", "P_18", "P_18A", "P_19", "P_19N", "P_22", "P_22N", "P_42_5", "P_23", "P_PMarzy",
    "P_PMarzyN", "JST", "GV", "BrakID", "NrKSeF", "NrKSeFN", "NrKSeFZN", "Zaplacono", "PlatnoscInna",
    "ZnacznikZaplatyCzesciowej", "RolaInna", "TransportInny", "LadunekInny", "P_12_Zal_15", "P_12Z_Zal_15",
    "StanPrzed", "StanPrzedZ", *STATEMENTS,
}
# fmt: on
"""Yes/no fields: shown as words when they say yes, not at all when they say no."""
XSD = "{http://www.w3.org/2001/XMLSchema}"
_GROUPS = [f"{XSD}{name}" for name in ("sequence", "choice", "complexType", "complexContent", "extension")]


def squeeze(text: str) -> str:
    return "".join(text.split()).casefold()


def picture(xml: bytes, language: Language = "pl") -> Picture:
    return extract(read(xml), url="https://example.invalid/", language=language)


def leaves(xml: bytes) -> list[tuple[str, str]]:
    """Name and text of every element that has text."""
    return [
        (etree.QName(element).localname, element.text.strip())
        for element in etree.fromstring(xml).iter("{*}*")
        if element.text and element.text.strip()
    ]


def shown(name: str, value: str) -> str:
    """What a reader is expected to see for a value, without white space."""
    return squeeze(account(value) if name == "NrRB" else Tongue("pl").show(name, value))


def test_every_value_of_the_examples_is_extracted_and_drawn(
    examples: list[Path], draw: Callable[..., Any]
) -> None:
    """Each text of the thirteen official examples is in the data for the template and in the PDF's text."""
    for path in examples:
        xml = path.read_bytes()
        data, text = squeeze(as_json(picture(xml))), draw(xml).squeezed
        for name, value in leaves(xml):
            if name in TECHNICAL or (name in MARKERS and value in ("1", "2")):
                continue
            expected = shown(name, value)
            expected = expected if expected in data else Tongue("pl").amount(value).replace("\u00a0", "")
            assert expected in data, (path.name, name, value)
            assert expected in text, (path.name, name, value)


def test_nothing_of_the_examples_is_left_over(examples: list[Path]) -> None:
    """Every element of the official examples has a part of the picture that knows it."""
    for path in examples:
        assert picture(path.read_bytes()).rest is None, path.name


@pytest.mark.parametrize("form", ["2", "3"])
def test_every_element_of_the_schema_has_a_place(official_ksef: Path, form: str) -> None:
    """A document with every element of the official schema, exclusive choices included, has no rest."""
    xml, values = Everything(official_ksef / "schemas", form).document()
    drawn = picture(xml)
    assert drawn.rest is None, drawn.rest
    data = squeeze(as_json(drawn))
    missing = [
        (n, v) for n, v in values if squeeze(v) not in data and squeeze(v.replace(".", ",")) not in data
    ]
    assert not missing


@pytest.mark.parametrize("form", ["2", "3"])
def test_every_code_of_the_schema_has_words(official_ksef: Path, form: str) -> None:
    """Each enumerated value of the official schema is shown in words, in both languages."""
    enumerations = Everything(official_ksef / "schemas", form).enumerations()
    for field, codes in CODES.items():
        offered = enumerations[field]
        plain = {code for code in offered if field == "P_12" and code.isdigit() and code != "0"}
        assert offered - plain <= codes.keys(), field
        assert all(text.pl and text.en for text in codes.values())


def test_unknown_elements_and_attributes_are_listed(make: Callable[..., bytes]) -> None:
    """What no part knows stands under "Pozostałe dane" with its schema path, and nothing is dropped."""
    xml = make(in_fa='<Nowe x="atrybut">wartość</Nowe>', in_line="<P_99>7</P_99><P_12>8</P_12>")
    rest = picture(xml).rest
    assert rest is not None
    assert rest.title == "Pozostałe dane"
    assert [(field.label, field.value) for field in rest.facts] == [
        ("Fa/Nowe", "wartość"),
        ("Fa/Nowe/@x", "atrybut"),
        ("Fa/FaWiersz/P_99", "7"),
        ("Fa/FaWiersz/P_12", "8"),
    ]


def test_text_between_elements_and_odd_markers_are_listed(make: Callable[..., bytes]) -> None:
    """Text where the schema has none, and a yes/no field with another value, are not lost either."""
    xml = make(in_fa="<!-- komentarz -->luzem<Adnotacje><P_16>3</P_16></Adnotacje>")
    rest = picture(xml).rest
    assert rest is not None
    assert [(f.label, f.value) for f in rest.facts] == [("Fa", "luzem"), ("Fa/Adnotacje/P_16", "3")]


def test_statements_only_when_set(make: Callable[..., bytes]) -> None:
    """Annotations stand in words where they say yes; a "no" leaves no trace."""
    node = (
        "<Adnotacje><P_16>2</P_16><P_17>2</P_17><P_18>1</P_18><P_18A>1</P_18A><Zwolnienie><P_19>1</P_19>"
        "<P_19A>art. 43 ust. 1 pkt 37</P_19A></Zwolnienie><P_23>2</P_23><PMarzy><P_PMarzy>1</P_PMarzy>"
        "<P_PMarzy_3_1>1</P_PMarzy_3_1></PMarzy></Adnotacje>"
    )
    drawn = picture(make(in_fa=node))
    assert drawn.annotations is not None
    assert drawn.annotations.paragraphs == (
        "Mechanizm podzielonej płatności",
        "Odwrotne obciążenie",
        "Procedura marży – towary używane",
    )
    assert drawn.annotations.facts[0].value == "art. 43 ust. 1 pkt 37 (przepis ustawy)"
    assert picture(make(in_fa="<Adnotacje><P_16>2</P_16></Adnotacje>")).annotations is None


def test_states_before_and_after_a_correction_are_marked(make: Callable[..., bytes]) -> None:
    """Lines of the state before (StanPrzed) and the lines that replace them carry their marks."""
    before = "<FaWiersz><NrWierszaFa>1</NrWierszaFa><P_7>x</P_7><StanPrzed>1</StanPrzed></FaWiersz>"
    other = "<FaWiersz><NrWierszaFa>2</NrWierszaFa><P_7>y</P_7></FaWiersz>"
    rows = picture(make(kind="KOR", in_fa=before, after_lines=other)).lines[0].rows
    assert [(row.mark, row.mark_label) for row in rows] == [
        ("before", "przed korektą"),
        ("after", "po korekcie"),
        ("", ""),
    ]


def test_vat_summary_adds_up_and_names_the_rate(make: Callable[..., bytes]) -> None:
    """The summary takes the sums of the document, names the rate as the lines do, and shows VAT in PLN."""
    sums = (
        "<P_13_1>1000</P_13_1><P_14_1>230</P_14_1><P_14_1W>989.5</P_14_1W><P_13_7>50</P_13_7>"
        "<P_13_11>20</P_13_11>"
    )
    table = picture(make(in_fa=sums)).vat
    assert table is not None
    assert [row.cells for row in table.rows] == [
        ("23%", "1\u00a0000,00", "230,00", "1\u00a0230,00", "989,50"),
        ("zwolniona (zw.)", "50,00", "–", "50,00", "–"),
        ("procedura marży", "–", "–", "20,00", "–"),
    ]
    assert table.footer == ("Razem", "1\u00a0050,00", "230,00", "1\u00a0300,00", "989,50")
    assert picture(make(in_fa="")).vat is None


@pytest.mark.parametrize(
    ("kind", "payment", "label", "amount"),
    [
        ("VAT", "", "Do zapłaty", "123,00 PLN"),
        ("VAT", "<Platnosc><Zaplacono>1</Zaplacono></Platnosc>", "Zapłacono", "123,00 PLN"),
        (
            "VAT",
            "<Platnosc><ZnacznikZaplatyCzesciowej>2</ZnacznikZaplatyCzesciowej></Platnosc>",
            "Zapłacono",
            "123,00 PLN",
        ),
        ("ZAL", "", "Otrzymana zapłata", "123,00 PLN"),
        ("ROZ", "", "Pozostaje do zapłaty", "123,00 PLN"),
        ("KOR", "", "Zmiana należności", "123,00 PLN"),
        ("VAT", "<Rozliczenie><DoZaplaty>130</DoZaplaty></Rozliczenie>", "Do zapłaty", "130,00 PLN"),
        (
            "VAT",
            "<Rozliczenie><DoRozliczenia>7</DoRozliczenia></Rozliczenie>",
            "Nadpłata do rozliczenia",
            "7,00 PLN",
        ),
    ],
)
def test_the_prominent_amount(
    make: Callable[..., bytes], kind: str, payment: str, label: str, amount: str
) -> None:
    """The prominent amount says what P_15 or the settlement means for this kind of document."""
    drawn = picture(make(kind=kind, after_lines=payment)).totals
    assert (drawn.label, drawn.amount) == (label, amount)


def test_part_payments_leave_a_rest_to_pay(make: Callable[..., bytes]) -> None:
    """After part payments the picture tells what was paid and what is left."""
    part = "<ZaplataCzesciowa><KwotaZaplatyCzesciowej>{}</KwotaZaplatyCzesciowej></ZaplataCzesciowa>"
    node = (
        "<Platnosc><ZnacznikZaplatyCzesciowej>1</ZnacznikZaplatyCzesciowej>"
        f"{part.format('23.5')}{part.format('50')}</Platnosc>"
    )
    drawn = picture(make(after_lines=node)).totals
    assert [field.value for field in drawn.details] == ["73,50 PLN", "49,50 PLN"]
    assert drawn.label == "Należność ogółem"


def test_only_web_links_can_be_followed(make: Callable[..., bytes]) -> None:
    """A payment link is a link only with http or https; anything else stays text."""
    for link, url in (("https://example.pl/?IPKSeF=1", True), ("javascript:alert(1)", False)):
        node = f"<Platnosc><LinkDoPlatnosci>{link}</LinkDoPlatnosci></Platnosc>"
        section = picture(make(after_lines=node)).payment
        assert section is not None
        assert section.facts[0].value == link
        assert bool(section.facts[0].url) is url


@pytest.mark.parametrize(
    ("value", "pl", "en"),
    [
        ("1234.56", "1\u00a0234,56", "1,234.56"),
        ("-1234567.5", "-1\u00a0234\u00a0567,50", "-1,234,567.50"),
        ("0.12345678", "0,12345678", "0.12345678"),
        ("9.9000", "9,90", "9.90"),
        ("2051", "2\u00a0051,00", "2,051.00"),
        ("-0", "-0,00", "-0.00"),
        ("dużo", "dużo", "dużo"),
        ("", "", ""),
    ],
)
def test_amounts(value: str, pl: str, en: str) -> None:
    """Amounts have at least two decimals in each language's form; what is no number stays untouched."""
    assert Tongue("pl").amount(value) == pl
    assert Tongue("en").amount(value) == en


def test_accounts_are_grouped() -> None:
    """Polish account numbers and IBANs are printed in groups, other numbers as they are."""
    assert account("73111111111111111111111111") == "73 1111 1111 1111 1111 1111 1111"
    assert account("DE89370400440532013000") == "DE89 3704 0044 0532 0130 00"
    assert account("12/34") == "12/34"


class Everything:
    """Builds a document that has every element of an official schema at once.

    Such a document is not valid (choices are all taken), but if each of its values has a place in the
    picture, then each value of every valid document has.
    """

    def __init__(self, folder: Path, form: str) -> None:
        self.root = etree.parse(folder / f"schemat_FA({form})_v1-0E.xsd").getroot()
        self.types = {node.get("name"): node for node in self.root if node.tag != f"{XSD}element"}
        self.values: list[tuple[str, str]] = []
        self.form = form

    def document(self) -> tuple[bytes, list[tuple[str, str]]]:
        """The document, and name and text of its unique values."""
        faktura = etree.Element(f"{{{self.root.get('targetNamespace')}}}Faktura")
        top = self.root.find(f"{XSD}element[@name='Faktura']")
        assert top is not None
        self._fill(top, faktura)
        return etree.tostring(faktura, encoding="UTF-8"), self.values

    def enumerations(self) -> dict[str, set[str]]:
        """The codes that the schema offers, by element name."""
        found: dict[str, set[str]] = {}
        for element in self.root.iter(f"{XSD}element"):
            kind = self.types.get((element.get("type") or "").removeprefix("tns:"))
            codes = (
                {str(e.get("value")) for e in kind.iter(f"{XSD}enumeration")} if kind is not None else set()
            )
            if codes:
                found.setdefault(str(element.get("name")), set()).update(codes)
        return found

    def _fill(self, schema: etree._Element, target: etree._Element) -> None:
        for node in schema:
            if node.tag == f"{XSD}element":
                repeats = 1 if node.get("maxOccurs", "1") == "1" else 2
                for _ in range(repeats):
                    self._add(node, target)
            elif node.tag in _GROUPS:
                self._fill(node, target)
        named = self.types.get((schema.get("type") or schema.get("base") or "").removeprefix("tns:"))
        if named is not None and named.tag == f"{XSD}complexType":
            self._fill(named, target)

    def _add(self, schema: etree._Element, target: etree._Element) -> None:
        name, kind = str(schema.get("name")), schema.get("type") or ""
        if name in [etree.QName(child).localname for child in target] and schema.get("maxOccurs", "1") == "1":
            return
        child = etree.SubElement(target, f"{{{self.root.get('targetNamespace')}}}{name}")
        self._fill(schema, child)
        if len(child) or name in TECHNICAL:
            return
        child.text = self._value(name, kind)

    def _value(self, name: str, kind: str) -> str:
        enumerated = self.types.get(kind.removeprefix("tns:"))
        codes = list(enumerated.iter(f"{XSD}enumeration")) if enumerated is not None else []
        if "TWybor1" in kind or name in MARKERS:
            return "1"
        if codes:
            return str(codes[0].get("value"))
        n = len(self.values) + 100
        number = any(word in kind for word in ("TKwotowy", "TIlosci", "TProcentowy"))
        value = f"{n}.25" if number else f"2026-02-{n}" if name == "DataWytworzeniaFa" else f"w{n}"
        self.values.append((name, value))
        return value
