"""Which addresses the program may be sent to by what a person entered (shops, hooks)."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from core.findings import Text


class ForbiddenAddress(ValueError):
    """An address that the program must not be sent to.

    Attributes:
        text: why, for a person.
    """

    def __init__(self, text: Text) -> None:
        super().__init__(text.en)
        self.text = text


_NONE = Text("To nie jest adres http ani https.", "This is no http or https address.")
_INSIDE = Text(
    "Ten adres leży w sieci wewnętrznej, a instalacja łączy się tylko z publicznymi "
    "(KSEF_CONNECTOR_PRIVATE_ADDRESSES).",
    "This address is inside the local network, and the installation connects to public ones only "
    "(KSEF_CONNECTOR_PRIVATE_ADDRESSES).",
)
_UNKNOWN = Text("Takiej nazwy nie ma w internecie (DNS).", "There is no such name on the internet (DNS).")


def check(url: str, *, allow_private: bool) -> str:
    """Make sure that an address is one of the public internet.

    Args:
        url: http or https.
        allow_private: addresses inside the local network will do too.

    Returns:
        The address.

    Raises:
        ForbiddenAddress: it is none, its name is not known, or it leads inside.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ForbiddenAddress(_NONE) from None
    if parts.scheme not in {"http", "https"} or not host:
        raise ForbiddenAddress(_NONE)
    if allow_private:
        return url
    try:
        found = {row[4][0] for row in socket.getaddrinfo(host, port or 443, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        raise ForbiddenAddress(_UNKNOWN) from None
    if not all(ipaddress.ip_address(str(one).partition("%")[0]).is_global for one in found):
        raise ForbiddenAddress(_INSIDE)
    return url
