"""The picture of a document: a PDF drawn from its XML bytes and nothing else.

The XML is the invoice; the picture shows it to people. Use a :class:`Renderer` for many documents,
:func:`render` for one.
"""

from core.visual.errors import NotRenderable, TemplateError, VisualError
from core.visual.renderer import TEMPLATE, Renderer, render

__all__ = ["TEMPLATE", "NotRenderable", "Renderer", "TemplateError", "VisualError", "render"]
