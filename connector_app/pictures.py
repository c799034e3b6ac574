"""The picture of a stored document: as PDF, and as images of its pages."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from connector_app import ksef_access
from connector_app.keeping.reading import xml_of
from connector_app.store.models import Document

if TYPE_CHECKING:
    from core.visual.renderer import Renderer

_KEPT = 32
"""Documents whose page images are kept, some ten kilobytes each."""


def picture(row: Document, language: str) -> bytes:
    """The PDF of an issued document, drawn from its stored bytes.

    Args:
        row: with its XML and seller.
        language: ``pl`` or ``en``.

    Raises:
        VisualError: it cannot be drawn.
        ArchiveDamaged: its bytes are not those that were issued.
    """
    return _renderer().render(
        xml_of(row),
        qr_base_url=ksef_access.environment_of(row.seller).qr_url,
        ksef_number=row.ksef_number,
        certificate_url=row.certificate_link,
        language="en" if language == "en" else "pl",
    )


def page_images(row: Document, language: str) -> tuple[bytes, ...]:
    """The same picture as PNG images, one for each page; drawn once, as the bytes never change.

    Args:
        row: with its XML and seller.
        language: ``pl`` or ``en``.

    Raises:
        VisualError: it cannot be drawn.
        ArchiveDamaged: its bytes are not those that were issued.
    """
    qr_url = ksef_access.environment_of(row.seller).qr_url
    return _images(xml_of(row), qr_url, row.ksef_number, row.certificate_link, language)


@functools.cache
def _renderer() -> Renderer:
    from core.visual.renderer import Renderer  # noqa: PLC0415  loads fonts

    return Renderer()


@functools.lru_cache(_KEPT)
def _images(
    xml: bytes, qr_url: str, ksef_number: str | None, certificate_url: str | None, language: str
) -> tuple[bytes, ...]:
    return _renderer().render_images(
        xml,
        qr_base_url=qr_url,
        ksef_number=ksef_number,
        certificate_url=certificate_url,
        language="en" if language == "en" else "pl",
    )
