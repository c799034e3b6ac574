"""What can go wrong while a picture is drawn.

VisualError
├── NotRenderable     the bytes are no FA document that a picture could be drawn from
└── TemplateError    the template does not compile
"""

from __future__ import annotations


class VisualError(Exception):
    """Base of the errors of :mod:`core.visual`; its text is fit for a person."""


class NotRenderable(VisualError):
    """The bytes are not a document that can be drawn: no XML, not FA(2)/FA(3), or without NIP or P_1."""


class TemplateError(VisualError):
    """The template is missing or does not compile.

    Attributes:
        diagnostic: the compiler's own report with the place in the template; may be empty.
    """

    def __init__(self, message: str, diagnostic: str = "") -> None:
        super().__init__(message)
        self.diagnostic = diagnostic
