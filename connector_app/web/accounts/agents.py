"""What a browser calls itself, in two words."""

from __future__ import annotations

_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def agent_words(agent: str) -> str:
    """Such as ``Firefox · Windows``; the beginning of what it says when that is not known.

    Args:
        agent: the ``User-Agent`` header.
    """
    # the first that fits: each names the ones after it too
    found = [next((name for key, name in table if key in agent), "") for table in (_BROWSERS, _SYSTEMS)]
    return " · ".join(one for one in found if one) or agent[:40] or "?"
