"""Reading and writing again loses nothing that a document holds."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from lxml import etree

from core.fa import registry, schema
from core.fa.read import UnreadableDocument, read
from core.fa.write import write
from tests.fa import structures

NAMES = [f"FA_3_Przykład_{number}" for number in (1, 3, 5, 7, 9, 11, 13, 15, 21, 23, 25)]
NAMES += [f"Fa_3_Przykład_{number}" for number in (17, 19)]
# these types keep white space (xsd:string); in all others it means nothing
LETTER_FOR_LETTER = {"StopkaFaktury", "NrRB", "NrVatUE", "NrID", "SWIFT", "KRS", "REGON", "KodFormularza"}


def canonical(data: bytes) -> bytes:
    """Exclusive C14N without comments, space between elements and meaningless space in texts."""
    parser = etree.XMLParser(remove_comments=True, resolve_entities=False)
    root = etree.fromstring(data, parser)
    for element in root.iter(tag=etree.Element):
        if len(element):
            element.text = None
        elif element.text and etree.QName(element).localname not in LETTER_FOR_LETTER:
            element.text = " ".join(element.text.split())
        element.tail = None
    return etree.tostring(root, method="c14n", exclusive=True)


def assert_survives(data: bytes) -> None:
    result = read(schema.parse(data))
    again = write(result.invoice, result.schema)
    assert canonical(again) == canonical(data)
    assert read(schema.parse(again)).invoice == result.invoice


@pytest.mark.parametrize("name", NAMES)
def test_each_official_example_survives(official_ksef: Path, name: str) -> None:
    """Read and written, the Ministry's example is the same document."""
    assert_survives((official_ksef / "fa3-examples" / f"{name}.xml").read_bytes())


@pytest.mark.parametrize("declared", registry.SCHEMAS, ids=lambda one: one.version)
@pytest.mark.parametrize("turn", range(8))
def test_documents_with_every_element_survive(declared: registry.FaSchema, turn: int) -> None:
    """Generated documents that together hold every element and every branch of the schema survive."""
    loaded = structures.load(declared, None)
    root = structures.sample(loaded, turn, full=True)
    data = etree.tostring(root, encoding="utf-8", xml_declaration=True)
    assert schema.check(schema.parse(data), declared) == []
    assert_survives(data)


@pytest.mark.parametrize("declared", registry.SCHEMAS, ids=lambda one: one.version)
def test_the_smallest_document_survives(declared: registry.FaSchema) -> None:
    """What is absent stays absent."""
    root = structures.sample(structures.load(declared, None), 0, full=False)
    assert_survives(etree.tostring(root, encoding="utf-8", xml_declaration=True))


@pytest.mark.parametrize(
    ("element", "text"),
    [
        ("NrWierszaFa", "01"),
        ("FormaPlatnosci", "+6"),
        ("P_16", "02"),
        ("P_19N", "+1"),
        ("JST", "02"),
        ("DataWytworzeniaFa", "2026-02-01T01:00:00.250+01:00"),
        ("DataWytworzeniaFa", "2026-02-01T24:00:00Z"),
        ("P_7", "lodówka  z   &amp; zamrażarką &lt;A+&gt;"),
        ("StopkaFaktury", " dwa\n wiersze\t z odstępami "),
        ("P_8B", "1.000000"),
        ("P_15", "-0"),
        ("Nazwa", "Łączna nazwa „ze znakami” 😀"),
    ],
)
def test_unusual_spellings_survive(official_ksef: Path, element: str, text: str) -> None:
    """A value that is written in another way than ours is kept as it was written."""
    data = (official_ksef / "fa3-examples" / "FA_3_Przykład_1.xml").read_text("utf-8")
    start = data.index(f"<{element}>") + len(element) + 2
    end = data.index(f"</{element}>", start)
    changed = (data[:start] + text + data[end:]).encode()
    assert schema.check(schema.parse(changed), registry.FA3) == []
    assert_survives(changed)


def test_comments_and_prefixes_do_not_matter(official_ksef: Path) -> None:
    """Comments inside texts and between elements go, texts stay whole."""
    data = (official_ksef / "fa3-examples" / "FA_3_Przykład_1.xml").read_text("utf-8")
    changed = data.replace("<P_7>lodówka", "<!-- a --><P_7>lod<!-- b -->ówka", 1).encode()
    assert_survives(changed)


def test_unknown_elements_are_kept_in_their_part(official_ksef: Path) -> None:
    """Even what no schema knows is not dropped; it goes to the end of its part."""
    data = (official_ksef / "fa3-examples" / "FA_3_Przykład_1.xml").read_text("utf-8")
    changed = data.replace("</Podmiot2>", "<Nowe><A>1</A></Nowe></Podmiot2>").encode()
    assert_survives(changed)


@pytest.mark.parametrize("seed", range(40))
def test_a_document_without_one_element_is_read_or_refused(official_ksef: Path, seed: int) -> None:
    """Whatever is taken out: a typed refusal that names the place, or a model; never another exception."""
    picker = random.Random(seed)
    data = (official_ksef / "fa3-examples" / f"{picker.choice(NAMES)}.xml").read_bytes()
    root = schema.parse(data).getroot()
    victims = [one for one in root.iter(tag=etree.Element) if one.getparent() is not None]
    victim = picker.choice(victims)
    parent = victim.getparent()
    assert parent is not None
    parent.remove(victim)
    refusal = ""
    try:
        read(schema.parse(etree.tostring(root)))
    except UnreadableDocument as error:
        refusal = str(error)
    assert not refusal or refusal.startswith("Faktura/")
