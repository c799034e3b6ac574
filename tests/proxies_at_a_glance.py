"""The same proxies as ever, found without reading the whole environment three times for each request.

``requests`` asks for them at every call, which on localhost takes as long as the call.
"""

from __future__ import annotations

import os
import urllib.request
from typing import Any

from requests import utils

_read = urllib.request.getproxies_environment


def share() -> None:
    """Let this process look at the names before it reads everything."""
    vars(urllib.request)["getproxies_environment"] = _proxies
    for name in ("getproxies", "getproxies_environment"):
        vars(utils)[name] = _proxies


def _proxies() -> dict[str, str]:
    # the mapping under os.environ is bytes already; os.environ itself decodes each name and value
    known: Any = vars(os.environ)["_data"]
    return _read() if any(name[-6:].lower() == b"_proxy" for name in known) else {}
