"""Addresses that somebody names in the browser (a shop, a hook): they must not lead into our own network.

Whoever may connect a shop could otherwise make this program ask machines that only it can reach: the
router, a database, the address at which a cloud hands out its keys (server-side request forgery).

What is covered:

* :func:`check` looks at an address when it is named: http or https, no credentials, a host all of whose
  addresses are public. Numbers in disguise (``http://2130706433/``, ``http://0x7f.1/``) and IPv4 inside
  IPv6 are seen through, because what counts is the address that the system's resolver gives. The returned
  address is put together anew with an ASCII host, so that no client reads it otherwise.
* A name may later lead elsewhere (DNS rebinding). :func:`guard` makes a ``requests`` session look at the
  peer of each new connection **before anything is sent**, TLS included, for redirects too. There is no gap
  between looking and connecting: the open socket itself is asked.

What is not: a session with an HTTP proxy talks to the proxy, and only the proxy knows where it connects;
a client that was not given to :func:`guard` is protected by :func:`check` alone.
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from core.findings import SaidError, Text

LONGEST_URL = 512
"""Characters; as many as the tables keep."""

_NAT64 = IPv6Network("64:ff9b::/96")
_V4_COMPATIBLE = IPv6Network("::/96")
_HOW = Text(
    "Podaj adres taki jak https://sklep.example, bez nazwy użytkownika i hasła.",
    "Give an address such as https://shop.example, without a user name and password.",
)
_INSIDE = Text(
    "Ten adres prowadzi do sieci wewnętrznej, a nie do internetu.",
    "This address leads into the internal network, not to the internet.",
)
_HOW_INSIDE = Text(
    "Jeżeli sklep naprawdę stoi w tej samej sieci, ustaw KSEF_CONNECTOR_PRIVATE_ADDRESSES=1 i uruchom "
    "program ponownie.",
    "If the shop really stands in the same network, set KSEF_CONNECTOR_PRIVATE_ADDRESSES=1 and start the "
    "program again.",
)


class ForbiddenAddress(SaidError, ValueError):
    """An address that this program does not connect to.

    Attributes:
        text: why, for a person. hint: what to do about it.
    """

    def __init__(self, text: Text, hint: Text = _HOW) -> None:
        super().__init__(text)
        self.hint = hint


def check(url: str, *, allow_private: bool) -> str:
    """Check and tidy an address that was named in the browser.

    Args:
        url: as typed.
        allow_private: addresses of this machine and of the local network are allowed; a name that cannot
            be looked up then passes too, because the connection itself will say so. Link-local addresses
            (where clouds hand out keys), multicast and ``0.0.0.0`` stay forbidden.

    Returns:
        The address with a small ASCII host, without a fragment, and without the slash of an empty path.

    Raises:
        ForbiddenAddress: it is no http(s) address, holds credentials, or leads where it must not.
    """
    scheme, host, port, rest = _parts(url.strip())
    _check_host(host, port or (443 if scheme == "https" else 80), allow_private=allow_private)
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}{f':{port}' if port is not None else ''}{rest}"


def is_allowed(address: str, *, allow_private: bool) -> bool:
    """Whether an IP address may be connected to.

    Args:
        address: as the resolver or a socket gives it; a zone (``%eth0``) is ignored.
        allow_private: see :func:`check`.
    """
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return all(_allowed(one, allow_private=allow_private) for one in _faces(found))


def guard(session: requests.Session, *, allow_private: bool) -> requests.Session:
    """Let a session connect to allowed addresses only, whatever a name leads to at that moment.

    Args:
        session: its adapters for http and https are replaced by ones that do not retry.
        allow_private: see :func:`check`.

    Returns:
        The same session. A forbidden peer makes its requests raise ``requests.ConnectionError``, whose
        cause chain holds :class:`ForbiddenAddress`; see :func:`forbidden_in`.
    """
    for prefix in ("http://", "https://"):
        session.mount(prefix, _GuardedAdapter(allow_private=allow_private))
    return session


def forbidden_in(error: BaseException) -> ForbiddenAddress | None:
    """The :class:`ForbiddenAddress` behind an error of a guarded session; ``None``: it failed otherwise."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop()
        if isinstance(one, ForbiddenAddress):
            return one
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
    return None


def _parts(text: str) -> tuple[str, str, int | None, str]:
    """Scheme, ASCII host, port and what follows."""
    bad = ForbiddenAddress(
        Text("To nie jest adres http ani https.", "This is no http or https address."), _HOW
    )
    # a backslash or a blank is read differently by different clients
    if not text or len(text) > LONGEST_URL or "\\" in text or any(ord(one) <= 32 for one in text):
        raise bad
    try:
        parts = urlsplit(text)
        host, port = (parts.hostname or "").encode("idna").decode("ascii").lower(), parts.port
    except (ValueError, UnicodeError):
        raise bad from None
    if "@" in parts.netloc:
        raise ForbiddenAddress(
            Text(
                "Adres zawiera nazwę użytkownika albo hasło.", "The address holds a user name or a password."
            ),
            _HOW,
        )
    if parts.scheme not in {"http", "https"} or not host or "%" in host:
        raise bad
    path = "" if parts.path == "/" and not parts.query else parts.path
    return parts.scheme, host, port, f"{path}{f'?{parts.query}' if parts.query else ''}"


def _check_host(host: str, port: int, *, allow_private: bool) -> None:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        if allow_private:
            return
        raise ForbiddenAddress(
            Text(f"Nie ma w sieci nazwy {host}.", f"There is no name {host} in the network."),
            Text(
                "Sprawdź pisownię adresu; otwórz go w przeglądarce.",
                "Check how the address is written; open it in a browser.",
            ),
        ) from None
    # one private address among public ones is enough: nobody knows which one a client takes
    if not all(is_allowed(str(one[4][0]), allow_private=allow_private) for one in found):
        raise _inside(allow_private=allow_private)


def _inside(*, allow_private: bool) -> ForbiddenAddress:
    return ForbiddenAddress(_INSIDE, _HOW if allow_private else _HOW_INSIDE)


def _faces(address: IPv4Address | IPv6Address) -> list[IPv4Address | IPv6Address]:
    """The address and the IPv4 addresses that it stands for."""
    if isinstance(address, IPv4Address):
        return [address]
    if address.ipv4_mapped:
        return [address.ipv4_mapped]
    inner: list[IPv4Address | IPv6Address] = [address]
    if address.sixtofour:
        inner.append(address.sixtofour)
    if address.teredo:
        inner += address.teredo
    if address in _NAT64 or (address in _V4_COMPATIBLE and int(address) > 1):
        inner.append(IPv4Address(int(address) & 0xFFFFFFFF))
    return inner


def _allowed(address: IPv4Address | IPv6Address, *, allow_private: bool) -> bool:
    if address.is_multicast or address.is_unspecified or address.is_link_local:
        return False
    if allow_private:
        return True
    site_local = isinstance(address, IPv6Address) and address.is_site_local
    return address.is_global and not address.is_reserved and not site_local


class _Peer:
    """What both kinds of connections do: look at the peer of a new socket, before a byte is sent."""

    allow_private = False

    def _new_conn(self) -> socket.socket:
        made: socket.socket = super()._new_conn()  # type: ignore[misc]
        try:
            peer = str(made.getpeername()[0])
        except OSError:
            peer = ""
        if not is_allowed(peer, allow_private=self.allow_private):
            made.close()
            raise _inside(allow_private=self.allow_private)
        return made


class _Http(_Peer, HTTPConnection):
    pass


class _Https(_Peer, HTTPSConnection):
    pass


class _HttpInside(_Http):
    allow_private = True


class _HttpsInside(_Https):
    allow_private = True


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _Https


class _HttpPoolInside(HTTPConnectionPool):
    ConnectionCls = _HttpInside


class _HttpsPoolInside(HTTPSConnectionPool):
    ConnectionCls = _HttpsInside


class _GuardedAdapter(HTTPAdapter):
    """Connects through pools whose connections look at their peer."""

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        super().__init__(max_retries=0)

    def init_poolmanager(self, *arguments: Any, **settings: Any) -> None:
        super().init_poolmanager(*arguments, **settings)
        inside = self._allow_private
        self.poolmanager.pool_classes_by_scheme = {
            "http": _HttpPoolInside if inside else _HttpPool,
            "https": _HttpsPoolInside if inside else _HttpsPool,
        }

    def send(self, *arguments: Any, **settings: Any) -> requests.Response:
        """Send a request.

        Raises:
            requests.ConnectionError: among others when the peer is forbidden.
        """
        try:
            return super().send(*arguments, **settings)
        except ForbiddenAddress as error:
            raise requests.ConnectionError(str(error)) from error
