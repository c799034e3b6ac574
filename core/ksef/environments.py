"""The KSeF environments and their addresses.

Source: the integrators' documentation of KSeF 2.0 (environments) and ``servers`` of the API contract.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit


class EnvironmentAddressError(ValueError):
    """An address that may not be used; the message shows it and says why."""


@dataclass(frozen=True, slots=True)
class Environment:
    """One KSeF system.

    Attributes:
        name: short name for people and for storage, e.g. ``TEST``.
        api_url: base of the API with its version, without a trailing slash.
        qr_url: base of the verification links in QR codes, without a trailing slash.
        latarnia_url: base of the status board; empty when there is none.
    """

    name: str
    api_url: str
    qr_url: str
    latarnia_url: str = ""


TEST = Environment(
    "TEST",
    "https://api-test.ksef.mf.gov.pl/v2",
    "https://qr-test.ksef.mf.gov.pl",
    "https://api-latarnia-test.ksef.mf.gov.pl",
)
# The status board has two systems only; DEMO runs beside PRODUCTION and is announced on its board.
DEMO = Environment(
    "DEMO",
    "https://api-demo.ksef.mf.gov.pl/v2",
    "https://qr-demo.ksef.mf.gov.pl",
    "https://api-latarnia.ksef.mf.gov.pl",
)
PRODUCTION = Environment(
    "PRODUCTION",
    "https://api.ksef.mf.gov.pl/v2",
    "https://qr.ksef.mf.gov.pl",
    "https://api-latarnia.ksef.mf.gov.pl",
)

_BY_NAME = {environment.name: environment for environment in (TEST, DEMO, PRODUCTION)}


def by_name(name: str) -> Environment:
    """The official environment with a name, upper or lower case.

    Raises:
        KeyError: no such environment.
    """
    return _BY_NAME[name.upper()]


def custom(api_url: str, qr_url: str, *, latarnia_url: str = "", name: str = "CUSTOM") -> Environment:
    """An environment at other addresses, such as a sandbox.

    Args:
        api_url: base of the API; ``http`` is allowed only on this machine (loopback).
        qr_url: base of the verification links, under the same rule.
        latarnia_url: base of the status board, under the same rule; empty when there is none.
        name: what people see.

    Raises:
        EnvironmentAddressError: an address without host, with a query, fragment or credentials, or with
            ``http`` to another machine.
    """
    return Environment(
        name, _checked(api_url), _checked(qr_url), _checked(latarnia_url) if latarnia_url else ""
    )


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_safe(url: str) -> bool:
    """Whether an address that KSeF gave may be called: https, or http on this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)))


def _checked(url: str) -> str:
    """The address without a trailing slash, or an error."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise EnvironmentAddressError(f"{url!r} is no address: {error}") from None
    if not host or parts.scheme not in {"https", "http"}:
        raise EnvironmentAddressError(f"{url!r} is no http(s) address")
    if parts.username is not None or parts.password is not None:
        # shown without the credentials
        raise EnvironmentAddressError(f"the address at {host!r} must not carry credentials")
    if parts.query or parts.fragment:
        raise EnvironmentAddressError(f"the address at {host!r} must not carry a query or fragment")
    if parts.scheme == "http" and not is_loopback(host):
        raise EnvironmentAddressError(f"{url!r} is not encrypted: http is allowed on this machine only")
    return url.rstrip("/")
