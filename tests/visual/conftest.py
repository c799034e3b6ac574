"""Documents to draw, and ways to look at what was drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from xml.sax.saxutils import escape

import pypdfium2
import pytest

from core.visual import Renderer

QR = "https://qr-test.ksef.mf.gov.pl"

_NAMESPACES = {
    "3": "http://crd.gov.pl/wzor/2025/06/25/13775/",
    "2": "http://crd.gov.pl/wzor/2023/06/29/12648/",
}
_ADDRESS = "<Adres><KodKraju>PL</KodKraju><AdresL1>ul. Świętokrzyska 12</AdresL1></Adres>"


def build(
    *,
    form: str = "3",
    lines: int = 1,
    name: str = "Koszulka „Żółw”",
    kind: str = "VAT",
    in_fa: str = "<P_13_1>100.00</P_13_1><P_14_1>23.00</P_14_1>",
    in_line: str = "",
    after_lines: str = "",
    after_fa: str = "",
    seller: str = "Ministerstwo Finansów",
) -> bytes:
    """A small document; arguments that end up between elements are XML, ``name`` and ``seller`` are text."""
    rows = "".join(
        f"<FaWiersz><NrWierszaFa>{n}</NrWierszaFa><P_7>{escape(name)}</P_7><P_8A>szt.</P_8A><P_8B>1</P_8B>"
        f"<P_9A>100</P_9A><P_11>100</P_11><P_12>23</P_12>{in_line}</FaWiersz>"
        for n in range(1, lines + 1)
    )
    jst = "<JST>2</JST><GV>2</GV>" if form == "3" else ""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><Faktura xmlns="{_NAMESPACES[form]}"><Naglowek>'
        f'<KodFormularza kodSystemowy="FA ({form})" wersjaSchemy="1-0E">FA</KodFormularza>'
        f"<WariantFormularza>{form}</WariantFormularza>"
        "<DataWytworzeniaFa>2026-02-15T10:00:00Z</DataWytworzeniaFa></Naglowek>"
        f"<Podmiot1><DaneIdentyfikacyjne><NIP>5260250274</NIP><Nazwa>{escape(seller)}</Nazwa>"
        f"</DaneIdentyfikacyjne>{_ADDRESS}</Podmiot1>"
        f"<Podmiot2><DaneIdentyfikacyjne><BrakID>1</BrakID><Nazwa>Nabywca</Nazwa></DaneIdentyfikacyjne>{jst}"
        "</Podmiot2><Fa><KodWaluty>PLN</KodWaluty><P_1>2026-02-15</P_1><P_2>FV/2026/02/0001</P_2>"
        f"{in_fa}<P_15>123.00</P_15><RodzajFaktury>{kind}</RodzajFaktury>{rows}{after_lines}</Fa>"
        f"{after_fa}</Faktura>"
    ).encode()


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawn document, opened."""

    pdf: bytes

    @property
    def pages(self) -> int:
        """Number of pages."""
        return len(pypdfium2.PdfDocument(self.pdf))

    @property
    def text(self) -> str:
        """Text of all pages, without invisible break marks."""
        with pypdfium2.PdfDocument(self.pdf) as document:
            texts = [page.get_textpage().get_text_range() for page in document]
        return "\n".join(texts).replace("\u200b", "")

    @property
    def squeezed(self) -> str:
        """The text without any white space, in lower case: line breaks do not matter."""
        return squeeze(self.text)


def squeeze(text: str) -> str:
    """Text without white space, in lower case."""
    return "".join(text.split()).casefold()


@pytest.fixture(scope="session")
def renderer() -> Renderer:
    """One warm renderer for all tests."""
    return Renderer()


@pytest.fixture
def make() -> Callable[..., bytes]:
    """Builds small documents, see :func:`build`."""
    return build


@pytest.fixture
def draw(renderer: Renderer) -> Callable[..., Drawing]:
    """Draws a document and opens the PDF."""

    def drawn(xml: bytes, **options: object) -> Drawing:
        render = partial(renderer.render, xml, qr_base_url=QR)
        return Drawing(render(**options))  # type: ignore[arg-type]

    return drawn


@pytest.fixture
def examples(official_ksef: Path) -> list[Path]:
    """The Ministry's thirteen FA(3) examples."""
    found = sorted((official_ksef / "fa3-examples").glob("*.xml"))
    assert len(found) == 13
    return found
