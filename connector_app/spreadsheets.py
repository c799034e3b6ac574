"""What becomes of a text in a table that a spreadsheet opens."""

from __future__ import annotations

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def plain(text: str | None) -> str:
    """A text that no spreadsheet takes for a formula: buyers type their own names. Empty for None."""
    text = text or ""
    return f"'{text}" if text.startswith(_FORMULA) else text
