"""Finding a seller by its NIP, and saying which there are when it is not there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from connector_app.commands.app import App, BadInput
from connector_app.commands.bilingual import option
from connector_app.store.models import Seller

_Decorated = TypeVar("_Decorated", bound=Callable[..., Any])


def seller_option(command: _Decorated) -> _Decorated:
    """The option ``--seller``, argument ``nip`` of the command; an only seller needs no naming."""
    return option(
        "--seller",
        "nip",
        default=None,
        metavar="NIP",
        pl="NIP sprzedawcy; zbędny, gdy jest tylko jeden.",
        en="NIP of the seller; not needed when there is only one.",
    )(command)


def named_seller_option(command: _Decorated) -> _Decorated:
    """The option ``--seller``, argument ``nip`` of a command that wants it said whose work it does."""
    return option(
        "--seller", "nip", required=True, metavar="NIP", pl="NIP sprzedawcy.", en="NIP of the seller."
    )(command)


def find_seller(app: App, session: Session, nip: str | None) -> Seller:
    """A seller by its NIP, or the only one there is.

    Args:
        app: screen language.
        session: to read with.
        nip: as typed, spaces and hyphens do not matter; ``None`` for the only one.

    Raises:
        BadInput: there is no such seller, or it has to be named; the ones that exist are told.
    """
    sellers = list(session.scalars(select(Seller).order_by(Seller.id)))
    if nip is None and len(sellers) == 1:
        return sellers[0]
    digits = (nip or "").replace("-", "").replace(" ", "")
    for seller in sellers:
        if seller.nip == digits:
            return seller
    known = ", ".join(seller.nip for seller in sellers)
    there_are = app.text(f"Są: {known}.", f"There are: {known}.")
    add = "ksef-connector seller add SELLER.toml ..."
    if nip is None and known:
        message = app.text("Którego sprzedawcy to dotyczy?", "Which seller is meant?")
        raise BadInput(message, f"--seller NIP. {there_are}")
    if nip is None:
        raise BadInput(app.text("Nie ma jeszcze sprzedawców.", "There are no sellers yet."), add)
    raise BadInput(
        app.text(f"Nie ma sprzedawcy z NIP {nip}.", f"There is no seller with NIP {nip}."),
        f"{there_are} {app.text('Nowego dodaje', 'A new one is added by')}: {add}" if known else add,
    )
