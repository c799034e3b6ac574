"""What commands that talk to KSeF for one seller share."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import click

from connector_app.commands.app import App, BadInput
from connector_app.commands.bilingual import option
from connector_app.commands.find_seller import find_seller
from connector_app.ksef_access import SellerAccess
from connector_app.pipeline.services import Services
from connector_app.store.models import Seller
from core.calendar import WARSAW
from core.ksef.auth import AllowedIps, SubjectType

SUBJECTS = {"subject": SubjectType.SUBJECT, "fingerprint": SubjectType.FINGERPRINT}
"""How KSeF reads who signs, by the words of ``--subject``."""
_MOST_ADDRESSES = 10

_Decorated = TypeVar("_Decorated", bound=Callable[..., Any])


def json_option(command: _Decorated) -> _Decorated:
    """The option ``--json``, argument ``as_json`` of the command."""
    return option("--json", "as_json", is_flag=True, pl="Odpowiedź jako JSON.", en="The answer as JSON.")(
        command
    )


def subject_option(command: _Decorated) -> _Decorated:
    """The option ``--subject``, argument ``subject_type`` of the command; see :data:`SUBJECTS`."""
    return option(
        "--subject",
        "subject_type",
        type=click.Choice(list(SUBJECTS)),
        default="subject",
        show_default=True,
        pl="Po czym KSeF rozpoznaje podpisującego; fingerprint dla certyfikatu bez NIP i PESEL.",
        en="By what KSeF knows who signs; fingerprint for a certificate without NIP and PESEL.",
    )(command)


def address_option(command: _Decorated) -> _Decorated:
    """The option ``--allow-ip``, argument ``addresses`` of the command; read by :func:`allowed_ips`."""
    return option(
        "--allow-ip",
        "addresses",
        multiple=True,
        metavar="IP|IP-IP|IP/N",
        pl="Skąd wolno używać logowania: adres, zakres lub sieć IPv4; można powtórzyć.",
        en="From where the sign-in may be used: IPv4 address, range or network; may be repeated.",
    )(command)


def allowed_ips(app: App, addresses: Sequence[str]) -> AllowedIps | None:
    """The addresses that were typed, by their kinds.

    Raises:
        BadInput: one is no address, range or network of IPv4, or there are more than ten of a kind.
    """
    singles, ranges, masks = [], [], []
    for text in addresses:
        first, dash, last = text.partition("-")
        try:
            if dash:
                if ipaddress.IPv4Address(first) > ipaddress.IPv4Address(last):
                    raise ValueError
                ranges.append(text)
            elif "/" in text:
                ipaddress.IPv4Network(text, strict=False)
                masks.append(text)
            else:
                ipaddress.IPv4Address(text)
                singles.append(text)
        except ValueError:
            raise BadInput(
                app.text(f"--allow-ip: {text} to nie jest IPv4.", f"--allow-ip: {text} is no IPv4."),
                "10.0.0.1 | 10.0.0.1-10.0.0.9 | 10.0.0.0/24",
            ) from None
    if max(len(singles), len(ranges), len(masks)) > _MOST_ADDRESSES:
        raise BadInput(
            app.text("--allow-ip: najwyżej 10 każdego rodzaju.", "--allow-ip: at most 10 of each kind.")
        )
    return AllowedIps(tuple(singles), tuple(ranges), tuple(masks)) if addresses else None


@dataclass(frozen=True, slots=True)
class Desk:
    """One seller and its way into KSeF.

    Attributes:
        services: the installation.
        seller: its row.
        access: its sign-in.
    """

    services: Services
    seller: Seller
    access: SellerAccess


def open_desk(app: App, nip: str | None) -> Desk:
    """Open the installation for one seller.

    Args:
        app: the running command line.
        nip: as typed; None for the only seller there is.

    Raises:
        BadInput: there is no such seller, or it has to be named.
    """
    services = app.open()
    with services.database() as session:
        seller = find_seller(app, session, nip)
    return Desk(services, seller, services.access(seller))


def local(moment: datetime | None) -> str:
    """A moment in Polish time for people; empty for none."""
    return f"{moment.astimezone(WARSAW):%Y-%m-%d %H:%M}" if moment else ""


def iso(moment: datetime | None) -> str | None:
    """A moment for scripts."""
    return moment.isoformat() if moment else None
