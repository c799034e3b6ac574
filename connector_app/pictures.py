"""The PDF picture of a stored document."""

from __future__ import annotations

from connector_app import ksef_access
from connector_app.store.models import Document


def picture(row: Document, language: str) -> bytes:
    """The PDF of an issued document, drawn from its stored bytes.

    Args:
        row: with its XML and seller.
        language: ``pl`` or ``en``.
    """
    from core.visual.renderer import Renderer  # noqa: PLC0415  loads fonts

    return Renderer().render(
        row.xml or b"",
        qr_base_url=ksef_access.environment_of(row.seller).qr_url,
        ksef_number=row.ksef_number,
        certificate_url=row.certificate_link,
        language="en" if language == "en" else "pl",
    )
