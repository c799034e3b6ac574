"""Drawing a document: XML bytes in, PDF bytes out.

The PDF is PDF/A-3a (ISO 19005-3, for archives) and PDF/UA-1 (ISO 14289-1, for screen readers), with the
XML attached. The same bytes, number, language and template give the same PDF bytes.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import typst

from core.visual import qr
from core.visual.errors import NotRenderable, TemplateError
from core.visual.extract import extract
from core.visual.glyphs import drawable
from core.visual.model import as_json
from core.visual.nodes import Node, read
from core.visual.text import Language

TEMPLATE = Path(__file__).with_name("invoice.typ")
"""The template that is used where a merchant has no own one."""

_STANDARDS: list[typst.PDFStandard] = ["a-3a", "ua-1"]


class Renderer:
    """Draws documents and keeps the compilers warm: one per template, one render at a time on each.

    May be shared between threads. Fonts are the ones that the compiler brings along, so that a picture
    is the same on every machine; a template's own fonts lie in the folder ``fonts`` beside it. A template
    reads only files of its own folder, and is read again when it has changed.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._compilers: dict[Path, tuple[typst.Compiler, threading.Lock]] = {}

    def render(
        self,
        xml: bytes,
        *,
        qr_base_url: str,
        ksef_number: str | None = None,
        certificate_url: str | None = None,
        language: Language = "pl",
        template: Path | None = None,
        document_hash: bytes | None = None,
    ) -> bytes:
        """Draw a document.

        Args:
            xml: the stored bytes of an FA(2) or FA(3) document.
            qr_base_url: base of the environment's verification links, e.g. ``https://qr.ksef.mf.gov.pl``.
            ksef_number: its KSeF number; None while there is none.
            certificate_url: link of code II as it was signed; None unless it was issued offline.
            language: of the labels, ``pl`` or ``en``.
            template: a merchant's own template; the default one when None.
            document_hash: SHA-256 of ``xml``, 32 bytes, where it is known already.

        Returns:
            The PDF's bytes.

        Raises:
            NotRenderable: the bytes are no document that can be drawn.
            TemplateError: the template is missing or does not compile.
        """
        inputs, created = _inputs(xml, qr_base_url, ksef_number, certificate_url, language, document_hash)
        pdf = self._compile(
            template or TEMPLATE,
            lambda compiler: compiler.compile(
                format="pdf", sys_inputs=inputs, pdf_standards=_STANDARDS, timestamp=created
            ),
        )
        assert isinstance(pdf, bytes)
        return pdf

    def render_images(
        self,
        xml: bytes,
        *,
        qr_base_url: str,
        ksef_number: str | None = None,
        certificate_url: str | None = None,
        language: Language = "pl",
        template: Path | None = None,
        ppi: float = 96.0,
    ) -> tuple[bytes, ...]:
        """Draw a document as PNG images, one for each page.

        Args:
            xml: the stored bytes of an FA(2) or FA(3) document.
            qr_base_url: base of the environment's verification links.
            ksef_number: its KSeF number; None while there is none.
            certificate_url: link of code II as it was signed; None unless it was issued offline.
            language: of the labels, ``pl`` or ``en``.
            template: a merchant's own template; the default one when None.
            ppi: pixels per inch.

        Raises:
            NotRenderable: the bytes are no document that can be drawn.
            TemplateError: the template is missing or does not compile.
        """
        inputs, created = _inputs(xml, qr_base_url, ksef_number, certificate_url, language, None)
        made = self._compile(
            template or TEMPLATE,
            lambda compiler: compiler.compile(format="png", ppi=ppi, sys_inputs=inputs, timestamp=created),
        )
        return tuple(made) if isinstance(made, list) else (made,)

    def _compile(
        self, template: Path, work: Callable[[typst.Compiler], bytes | list[bytes] | None]
    ) -> bytes | list[bytes]:
        compiler, lock = self._compiler(template.resolve())
        try:
            with lock:
                made = work(compiler)
        except typst.TypstError as error:
            raise TemplateError(f"{template.name}: {error.message}", error.diagnostic) from None
        except BaseException as error:
            # a panic of the compiler arrives as pyo3's PanicException, which is no Exception and would
            # end a worker that only expects errors
            if type(error).__name__ != "PanicException":
                raise
            with self._guard:
                self._compilers.pop(template.resolve(), None)
            raise TemplateError(f"{template.name}: the compiler gave up: {error}") from None
        assert made is not None, "the compiler gives its result back unless it is told a file"
        return made

    def _compiler(self, template: Path) -> tuple[typst.Compiler, threading.Lock]:
        with self._guard:
            if template not in self._compilers:
                if not template.is_file():
                    raise TemplateError(f"there is no template {template.name}")
                folder = template.parent
                compiler = typst.Compiler(
                    template, root=folder, font_paths=[folder / "fonts"], ignore_system_fonts=True
                )
                self._compilers[template] = (compiler, threading.Lock())
            return self._compilers[template]


def render(
    xml: bytes,
    *,
    qr_base_url: str,
    ksef_number: str | None = None,
    certificate_url: str | None = None,
    language: Language = "pl",
    template: Path | None = None,
    document_hash: bytes | None = None,
) -> bytes:
    """Draw one document with a fresh :class:`Renderer`; see :meth:`Renderer.render`."""
    return Renderer().render(
        xml,
        qr_base_url=qr_base_url,
        ksef_number=ksef_number,
        certificate_url=certificate_url,
        language=language,
        template=template,
        document_hash=document_hash,
    )


def _inputs(
    xml: bytes,
    qr_base_url: str,
    ksef_number: str | None,
    certificate_url: str | None,
    language: Language,
    document_hash: bytes | None,
) -> tuple[dict[str, str], datetime]:
    """What the template reads, and the picture's own date."""
    root = read(xml)
    url = qr.link(root, qr_base_url, document_hash or hashlib.sha256(xml).digest())
    picture = extract(
        root, url=url, ksef_number=ksef_number, certificate_url=certificate_url, language=language
    )
    inputs = {
        "data": drawable(picture, as_json),
        "qr": qr.svg(url),
        "qr2": qr.svg(certificate_url) if certificate_url else "",
        "xml": xml.decode("utf-8"),
    }
    return inputs, _created(root)


def _created(root: Node) -> datetime:
    """The PDF's own date: DataWytworzeniaFa, or else P_1, so that it does not depend on when it is drawn."""
    for text in (root.first("Naglowek").peek("DataWytworzeniaFa"), root.first("Fa").peek("P_1")):
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            continue
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    raise NotRenderable("the document has neither a time of creation nor a day of issue (P_1)")
