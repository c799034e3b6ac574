"""The PDF itself: readable, verifiable, archivable, safe, always the same."""

from __future__ import annotations

import hashlib
import io
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pikepdf
import pypdfium2
import pytest
import zxingcpp

from core.ksef.verification import certificate_link
from core.signing.keys import self_signed
from core.visual import TEMPLATE, NotRenderable, Renderer, TemplateError, render
from core.visual.glyphs import UNDRAWABLE

QR = "https://qr-test.ksef.mf.gov.pl"
NUMBER = "5265877635-20250826-0100001AF629-AF"
PANGRAM = "Zażółć gęślą jaźń ŻÓŁĆ ĄĘŚŹŃ € § „” – …"


def expected_link(xml: bytes) -> str:
    digest = urlsafe_b64encode(hashlib.sha256(xml).digest()).decode().rstrip("=")
    return f"{QR}/invoice/5260250274/15-02-2026/{digest}"


def test_the_qr_code_reads_back_as_the_link(make: Callable[..., bytes], draw: Callable[..., Any]) -> None:
    """A scanner reads from the drawn page exactly code I of the document, and the page shows it as text."""
    xml = make()
    for number in (NUMBER, None):
        drawing = draw(xml, ksef_number=number)
        page = pypdfium2.PdfDocument(drawing.pdf)[0].render(scale=150 / 72).to_pil()
        codes = zxingcpp.read_barcodes(page)
        assert [code.text for code in codes] == [expected_link(xml)]
        assert "".join(expected_link(xml).split()).casefold() in drawing.squeezed


def test_the_ksef_number_or_offline_stands_under_the_code(
    make: Callable[..., bytes], draw: Callable[..., Any]
) -> None:
    """With a number it is shown at the top and under the code; without one the code says OFFLINE."""
    assert draw(make(), ksef_number=NUMBER).text.count(NUMBER) == 2
    without = draw(make()).text
    assert "OFFLINE" in without
    assert "jeszcze nienadany" in without


@pytest.mark.parametrize("key", ["ec", "rsa"])
def test_both_codes_of_an_offline_document_read_back(
    make: Callable[..., bytes], draw: Callable[..., Any], key: Literal["ec", "rsa"]
) -> None:
    """Code II over CERTYFIKAT, with the long signature of RSA too, before and after the KSeF number."""
    xml = make()
    signer = self_signed("5260250274", key=key, offline=True, now=datetime(2026, 2, 15, tzinfo=UTC))
    digest = b64encode(hashlib.sha256(xml).digest()).decode()
    link = certificate_link(QR, "5260250274", digest, signer)
    for number, label in ((None, "OFFLINE"), (NUMBER, NUMBER)):
        drawing = draw(xml, ksef_number=number, certificate_url=link)
        page = pypdfium2.PdfDocument(drawing.pdf)[0].render(scale=150 / 72).to_pil()
        codes = sorted(zxingcpp.read_barcodes(page), key=lambda code: code.position.top_left.y)
        assert [code.text for code in codes] == [expected_link(xml), link]
        assert drawing.text.index(label) < drawing.text.index("CERTYFIKAT")
        assert ("OFFLINE" in drawing.text) == (number is None)
    assert "CERTYFIKAT" not in draw(xml).text


def test_a_known_hash_is_used(make: Callable[..., bytes], draw: Callable[..., Any]) -> None:
    """A hash that the caller has already gives the same picture as one computed here."""
    xml = make()
    assert draw(xml, document_hash=hashlib.sha256(xml).digest()).pdf == draw(xml).pdf


def test_it_is_a_tagged_pdf_a_with_the_xml_attached(
    make: Callable[..., bytes], draw: Callable[..., Any]
) -> None:
    """The file declares PDF/A-3a and PDF/UA-1, is tagged, says its language, and carries the exact XML."""
    xml = make(name=PANGRAM).replace(b"<Fa>", b"\r\n<Fa>")
    with pikepdf.open(io.BytesIO(draw(xml).pdf)) as pdf:
        metadata = pdf.Root.Metadata.read_bytes().decode()
        assert re.search(r"pdfaid:part>\s*3\s*<", metadata)
        assert re.search(r"pdfaid:conformance>\s*A\s*<", metadata)
        assert re.search(r"pdfuaid:part>\s*1\s*<", metadata)
        assert len(pdf.Root.OutputIntents) == 1
        assert pdf.Root.StructTreeRoot is not None
        assert pdf.Root.Lang == "pl"
        assert pdf.docinfo["/Title"] == "Faktura VAT FV/2026/02/0001"
        assert pdf.attachments["faktura.xml"].get_file().read_bytes() == xml
        (embedded,) = pdf.Root.AF
        assert embedded.AFRelationship == "/Source"


def test_the_same_document_gives_the_same_bytes(make: Callable[..., bytes]) -> None:
    """Two renderers draw the same bytes into the same PDF; the date in it is the document's own."""
    xml = make(lines=3)
    first = render(xml, qr_base_url=QR, ksef_number=NUMBER)
    assert first == render(xml, qr_base_url=QR, ksef_number=NUMBER)
    with pikepdf.open(io.BytesIO(first)) as pdf:
        assert str(pdf.docinfo["/CreationDate"]).startswith("D:20260215100000")


@pytest.mark.parametrize(
    "text",
    [
        '#read("/etc/passwd")',
        "*bold* _italic_ `raw`",
        "$x$ <etykieta> @odnośnik",
        '"; #panic("x") //',
        "\\u{1F600} \\ \\n {{ }} [ ]",
        "= Nagłówek",
        "](javascript:x)",
    ],
)
def test_markup_is_inert(make: Callable[..., bytes], draw: Callable[..., Any], text: str) -> None:
    """Whatever a name contains is printed letter by letter and never run."""
    drawn = draw(make(name=text, seller=text)).squeezed
    assert drawn.count("".join(text.split()).casefold()) == 2


def test_polish_letters_and_signs(make: Callable[..., bytes], draw: Callable[..., Any]) -> None:
    """Polish letters, quotation marks, dashes and the euro sign come through; decomposed letters too."""
    text = draw(make(name=PANGRAM, seller="Z\u0307o\u0301l\u0328")).text
    assert PANGRAM in text
    assert "Żól̨".casefold() in text.casefold() or "Żól" in text


def test_characters_without_a_glyph_are_replaced_and_said_so(
    make: Callable[..., bytes], draw: Callable[..., Any]
) -> None:
    """Emoji and foreign scripts, which the typefaces lack, are replaced, and the picture says so."""
    text = draw(make(name="Kubek 😀 中文\u200bשלום")).text
    assert "Kubek" in text
    assert "zastępuje znaki" in text
    assert "zastępuje znaki" not in draw(make(name="Kubek\ufeff z\u00ad kotem")).text


def test_every_character_called_drawable_can_be_drawn(make: Callable[..., bytes], renderer: Renderer) -> None:
    """The table of drawable characters agrees with the fonts of the installed compiler."""
    every = [chr(n) for n in range(0x21, 0x10000) if not 0xD800 <= n < 0xE000 and n not in (0xFFFE, 0xFFFF)]
    drawable = [character for character in every if not UNDRAWABLE.match(character)]
    assert len(drawable) > 2500
    for start in range(0, len(drawable), 1000):
        renderer.render(make(name=" ".join(drawable[start : start + 1000])), qr_base_url=QR)


def test_english(make: Callable[..., bytes], draw: Callable[..., Any]) -> None:
    """In English labels and amounts are English and the document's own words stay."""
    drawing = draw(make(), language="en")
    assert "VAT invoice" in drawing.text
    assert "123.00 PLN" in drawing.text
    assert "Koszulka" in drawing.text
    with pikepdf.open(io.BytesIO(drawing.pdf)) as pdf:
        assert pdf.Root.Lang == "en"


def test_an_fa2_document(make: Callable[..., bytes], draw: Callable[..., Any]) -> None:
    """Documents of the older schema are drawn as well, and name their form."""
    text = draw(make(form="2")).text
    assert "FA (2)" in text
    assert "brak identyfikatora" in text


def test_long_documents(make: Callable[..., bytes], draw: Callable[..., Any]) -> None:
    """A thousand lines run over many pages, each with the table's heading and its page number."""
    drawing = draw(make(lines=1000))
    text = drawing.text
    assert drawing.pages > 10
    assert f"Strona {drawing.pages} z {drawing.pages}" in text
    assert text.count("Nazwa towaru lub usługi") >= drawing.pages - 1


def test_long_texts_wrap(make: Callable[..., bytes], draw: Callable[..., Any]) -> None:
    """Names of 512 characters and descriptions of 10 000, even without a space, stay inside the page."""
    note = "<DodatkowyOpis><Klucz>k</Klucz><Wartosc>{}</Wartosc></DodatkowyOpis>"
    drawing = draw(make(name="W" * 512, in_fa=note.format("m" * 5000 + " słowo" * 800)))
    assert drawing.squeezed.count("w" * 512) == 1
    with pypdfium2.PdfDocument(drawing.pdf) as document:
        for page in document:
            words = page.get_textpage()
            for index in range(words.count_rects()):
                left, _, right, _ = words.get_rect(index)
                assert left >= 0
                assert right <= page.get_width() - 30


def test_attachment_rows_wider_than_their_heading(
    make: Callable[..., bytes], draw: Callable[..., Any]
) -> None:
    """Cells of an attached table beyond its heading are drawn, not cut off."""
    block = (
        "<Zalacznik><BlokDanych><MetaDane><ZKlucz>a</ZKlucz><ZWartosc>b</ZWartosc></MetaDane><Tabela>"
        '<TNaglowek><Kol Typ="txt"><NKom>jedna</NKom></Kol></TNaglowek>'
        "<Wiersz><WKom>x</WKom><WKom>nadmiarowa</WKom></Wiersz></Tabela></BlokDanych></Zalacznik>"
    )
    assert "nadmiarowa" in draw(make(after_fa=block)).text


@pytest.mark.parametrize(
    "xml",
    [
        b"",
        b"to nie jest XML",
        b"<Faktura",
        b'<Faktura xmlns="http://crd.gov.pl/wzor/2021/11/29/11089/"/>',
        b"<Faktura/>",
        b'<Inny xmlns="http://crd.gov.pl/wzor/2025/06/25/13775/"/>',
        b'<Faktura xmlns="http://crd.gov.pl/wzor/2025/06/25/13775/"/>',
        b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
        b'<Faktura xmlns="http://crd.gov.pl/wzor/2025/06/25/13775/">&e;</Faktura>',
        b'<?xml version="1.0" encoding="ISO-8859-2"?>'
        b'<Faktura xmlns="http://crd.gov.pl/wzor/2025/06/25/13775/">\xb1</Faktura>',
    ],
)
def test_what_cannot_be_drawn_is_refused(renderer: Renderer, xml: bytes) -> None:
    """Bytes that are no FA(2) or FA(3) document give one typed error with a sentence."""
    with pytest.raises(NotRenderable) as caught:
        renderer.render(xml, qr_base_url=QR)
    assert str(caught.value)


def test_a_document_without_a_day_cannot_have_a_link(make: Callable[..., bytes], renderer: Renderer) -> None:
    """Without P_1 there is no verification link, so there is no picture."""
    with pytest.raises(NotRenderable, match="verification link"):
        renderer.render(make().replace(b"<P_1>2026-02-15</P_1>", b""), qr_base_url=QR)


def test_a_document_with_next_to_nothing(make: Callable[..., bytes], draw: Callable[..., Any]) -> None:
    """Whatever else is missing, a picture is drawn: names, lines, sums, even the time of creation."""
    bare = re.sub(rb"<DataWytworzeniaFa>.*?</DataWytworzeniaFa>", b"", make(lines=0, in_fa=""))
    for pattern in (
        rb"<Podmiot2>.*?</Podmiot2>",
        rb"<P_15>.*?</P_15>",
        rb"<Adres>.*?</Adres>",
        rb"<P_2>.*?</P_2>",
    ):
        bare = re.sub(pattern, b"", bare)
    assert "Sprzedawca".casefold() in draw(bare).squeezed


def test_a_merchants_own_template(make: Callable[..., bytes], renderer: Renderer, tmp_path: Path) -> None:
    """A template of one's own is used in place of the default one."""
    own = tmp_path / "moja.typ"
    own.write_text(
        '#set document(title: "Moja")\n#let d = json(bytes(sys.inputs.data))\n'
        "Moja faktura #d.number\n"
        '#image(bytes(sys.inputs.qr), format: "svg", alt: d.verification.alternative)',
        encoding="utf-8",
    )
    pdf = renderer.render(make(), qr_base_url=QR, template=own)
    assert "Moja faktura FV/2026/02/0001" in pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_range()


def test_a_changed_template_is_read_again(
    make: Callable[..., bytes], renderer: Renderer, tmp_path: Path
) -> None:
    """A merchant who edits the template sees the change without a restart."""
    own = tmp_path / "moja.typ"
    for words in ("pierwsza", "druga"):
        own.write_text(f'#set document(title: "Moja")\nWersja {words}', encoding="utf-8")
        pdf = renderer.render(make(), qr_base_url=QR, template=own)
        assert words in pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_range()


def test_a_broken_or_missing_template(make: Callable[..., bytes], renderer: Renderer, tmp_path: Path) -> None:
    """A template that does not compile, reaches outside its folder or is missing gives one typed error."""
    for content in ("#let x = ", '#read("/etc/passwd")', '#read("../../secret")'):
        broken = tmp_path / "broken.typ"
        broken.write_text(content, encoding="utf-8")
        with pytest.raises(TemplateError, match=r"broken\.typ"):
            Renderer().render(make(), qr_base_url=QR, template=broken)
    with pytest.raises(TemplateError, match=r"no template missing\.typ"):
        renderer.render(make(), qr_base_url=QR, template=tmp_path / "missing.typ")
    assert TEMPLATE.is_file()


def test_one_renderer_serves_many_threads(make: Callable[..., bytes], renderer: Renderer) -> None:
    """Documents drawn at the same time do not mix, and each comes out as when drawn alone."""
    documents = [make(name=f"Towar {n}", lines=n % 4 + 1) for n in range(24)]
    alone = [renderer.render(xml, qr_base_url=QR) for xml in documents]
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(lambda xml: renderer.render(xml, qr_base_url=QR), documents))
    assert together == alone
