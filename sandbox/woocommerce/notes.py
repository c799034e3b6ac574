"""What WordPress keeps of a note's HTML: a few tags stay, scripts lose their tags, ``&`` is encoded."""

from __future__ import annotations

import re

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)([^<>]*)>")
_KEPT = frozenset({"a", "b", "strong", "em", "i", "p", "br", "ul", "ol", "li", "blockquote", "code", "del"})
_LONELY_AMPERSAND = re.compile(r"&(?!(#[0-9]+|#x[0-9a-fA-F]+|[a-zA-Z][a-zA-Z0-9]*);)")
_LONELY_BRACKET = re.compile(r"<(?![a-zA-Z/])")
_EVENT = re.compile(r"\son[a-z]+\s*=\s*(\"[^\"]*\"|'[^']*'|\S+)", re.IGNORECASE)


def filtered(note: str) -> str:
    """A note as the shop stores it.

    Args:
        note: HTML as it was sent.
    """
    text = _TAG.sub(_keep_or_drop, note)
    text = _LONELY_BRACKET.sub("&lt;", text)
    return _LONELY_AMPERSAND.sub("&amp;", text).strip()


def _keep_or_drop(tag: re.Match[str]) -> str:
    if tag[2].lower() not in _KEPT:
        return ""
    return f"<{tag[1]}{tag[2].lower()}{_EVENT.sub('', tag[3])}>"
