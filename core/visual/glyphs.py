"""Characters that the embedded typefaces can draw.

PDF/A forbids text that no font can show (ISO 19005-3, 6.2.11.8), so such characters are replaced by
U+FFFD, and the picture says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from unicodedata import normalize

from core.visual.labels import WORDS
from core.visual.model import Picture

# measured on the fonts in typst 0.15 (Libertinus Serif, New Computer Modern, DejaVu Sans Mono); only
# scripts that are written from left to right in simple shapes: Latin, Greek, Cyrillic, signs
_DRAWABLE = (
    "\\n\\t\x20-\x7e\xa0-\xac\xae-\u02ff\u0300-\u034e\u0370-\u0377\u037a-\u037f\u0384-\u038a\u038c"
    "\u038e-\u03a1\u03a3-\u0482\u048a-\u04ff\u0510-\u0513\u1d00-\u1dbf\u1e00-\u1eff\u2009\u2010-\u2015"
    "\u2016-\u2027\u202f-\u2040\u2042\u2044-\u2052\u2054-\u205e\u2070\u2071\u2074-\u208e\u20a0-\u20bf\u2100-\u211e\u2120\u2122\u2126"
    "\u212a-\u212e\u2150-\u2151\u2153-\u2184\u2190-\u21ff\u2200-\u22ff\u2300-\u23ce\u2460-\u249b"
    "\u2500-\u25ff\u2605\u2606\u2610-\u2612\u2639-\u263c\u2660-\u266f\u2713\u2714\u2717-\u2726\ufb00-\ufb06"
    "\ufffd"
)
UNDRAWABLE = re.compile(f"[^{_DRAWABLE}]+")
"""A run of characters that no embedded typeface is known to draw."""
_SPACES = re.compile("[\x85\u1680\u2000-\u2008\u200a\u2028\u2029\u205f\u3000]")
_INVISIBLE = re.compile("[\xad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]+")
REPLACEMENT = "\ufffd"
"""What is drawn in place of such a run."""


def drawable(picture: Picture, as_text: Callable[[Picture], str]) -> str:
    """The picture as text with only characters that can be drawn, and a note when some were replaced.

    Letters and their accents are joined (NFC), unusual spaces become plain ones, invisible signs go.

    Args:
        picture: what is drawn.
        as_text: how it becomes text.
    """
    text = normalize("NFC", as_text(picture))
    if not UNDRAWABLE.search(text):
        return text
    text = _tidy(text)
    if not UNDRAWABLE.search(text):
        return text
    note = WORDS["replaced"].in_language(picture.language)
    return UNDRAWABLE.sub(REPLACEMENT, _tidy(normalize("NFC", as_text(replace(picture, replaced=note)))))


def _tidy(text: str) -> str:
    return _INVISIBLE.sub("", _SPACES.sub(" ", text))
