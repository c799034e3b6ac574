"""Pictures of a run's documents, drawn from the XML that the run built."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.visual.renderer import Renderer

_KEPT = 16
"""Documents whose page images are kept, some ten kilobytes each."""


def pdf(xml: bytes, qr_url: str, language: str) -> bytes:
    """A document as PDF.

    Args:
        xml: of the run.
        qr_url: base of the environment's verification links.
        language: ``pl`` or ``en``.

    Raises:
        VisualError: it cannot be drawn.
    """
    return _renderer().render(xml, qr_base_url=qr_url, language="en" if language == "en" else "pl")


@functools.lru_cache(_KEPT)
def page_images(xml: bytes, qr_url: str, language: str) -> tuple[bytes, ...]:
    """The same as PNG images, one for each page."""
    return _renderer().render_images(xml, qr_base_url=qr_url, language="en" if language == "en" else "pl")


@functools.cache
def _renderer() -> Renderer:
    from core.visual.renderer import Renderer  # noqa: PLC0415  loads fonts

    return Renderer()
