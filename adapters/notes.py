"""Finding a text again that a shop stores as HTML.

Shops filter what they are given (``&`` becomes ``&amp;``, tags are dropped, addresses are wrapped in links),
so the stored text and the marker are brought to one plain form first.
"""

from __future__ import annotations

import html
import re
import unicodedata

from adapters.contract import Message

_TAG = re.compile(r"<[^<>]*>")


def marker_pattern(message: Message) -> re.Pattern[str]:
    """Matches a message's marker as a whole, so that FV/1 is not found in FV/12 or KOR/FV/1.

    Raises:
        ValueError: the message could never be found again: the marker is empty or not in the text.
    """
    marker, text = plain_text(html.escape(message.marker)), plain_text(html.escape(message.text))
    if not marker or marker not in text:
        raise ValueError("a note must contain its marker")
    whole = re.compile(rf"(?<!\w)(?<!\w[/-]){re.escape(marker)}(?!\w)(?![/-]\w)")
    # a text that carries the marker only inside an address is compared by containment
    return whole if whole.search(text) else re.compile(re.escape(marker))


def plain_text(stored: str) -> str:
    """A note as a shop stores it, as plain text: no tags, no entities, single spaces.

    Args:
        stored: HTML of a note.
    """
    # twice, because a shop that escapes an escaped text has been seen to store &amp;amp;
    text = html.unescape(html.unescape(_TAG.sub("", stored)))
    return " ".join(unicodedata.normalize("NFC", text).split())
