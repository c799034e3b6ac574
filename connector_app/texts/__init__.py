"""What shops, merchants and buyers read about a document: templates that a merchant can change."""

from connector_app.texts.filling import Facts, fill
from connector_app.texts.reading import BadTexts, effective, parse
from connector_app.texts.templates import Occasion, Reader, Slot

__all__ = ["BadTexts", "Facts", "Occasion", "Reader", "Slot", "effective", "fill", "parse"]
