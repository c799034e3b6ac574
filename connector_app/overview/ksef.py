"""How KSeF is: what its board of availability says, and what sellers may still send this hour."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from connector_app import outages
from connector_app.ksef_access import SEND, environment_of
from connector_app.outages import Announced
from connector_app.pipeline.holds import hold_of
from connector_app.pipeline.services import Services
from connector_app.store.models import Seller
from core.calendar import WARSAW
from core.findings import Text
from core.ksef.latarnia import Availability
from core.ksef.limits import PUBLISHED, group_of
from core.ksef.offline import OfflinePolicy, choose

_AVAILABILITY = {
    Availability.AVAILABLE: Text("KSeF jest dostępny.", "KSeF is available."),
    Availability.MAINTENANCE: Text(
        "KSeF jest niedostępny (prace planowane).", "KSeF is unavailable (planned maintenance)."
    ),
    Availability.FAILURE: Text("awaria KSeF.", "KSeF has failed."),
    Availability.TOTAL_FAILURE: Text("awaria całkowita KSeF.", "KSeF has failed totally."),
    Availability.UNKNOWN: Text("stan KSeF nieznany.", "the state of KSeF is unknown."),
}


def boards(session: Session, now: datetime) -> list[Text]:
    """What each Latarnia in use says, one sentence each."""
    return [board_text(url, seen, now) for url, seen in outages.boards_in_use(session).items()]


def board_text(url: str, seen: Announced, now: datetime) -> Text:
    """What a Latarnia says.

    Args:
        url: its address.
        seen: what is known of it.
        now: aware UTC.
    """
    if seen.asked_at is None:
        return Text(f"Latarnia ({url}): jeszcze nie pytano.", f"Latarnia ({url}): not asked yet.")
    asked = f"{seen.asked_at.astimezone(WARSAW):%d.%m.%Y %H:%M}"
    if seen.failure:
        return Text(
            f"Latarnia ({url}) nie odpowiada (pytano {asked}); obowiązuje to, co mówiła wcześniej.",
            f"Latarnia ({url}) does not answer (asked {asked}); what it said before holds.",
        )
    choice = choose(seen.in_force, now, OfflinePolicy.AUTOMATIC)
    said = choice.rule if choice.outage else _AVAILABILITY[seen.availability]
    return Text(f"Latarnia ({url}), {asked}: {said.pl}", f"Latarnia ({url}), {asked}: {said.en}")


@dataclass(frozen=True, slots=True)
class Lane:
    """A seller's way to KSeF.

    Attributes:
        nip, name: of the seller. environment: where it sends.
        left, allowed: single documents that this hour still takes, of how many; ``None`` when nobody counts.
        held: why its documents wait; ``None`` when they do not.
    """

    nip: str
    name: str
    environment: str
    left: int | None
    allowed: int | None
    held: Text | None


def lanes(services: Services, session: Session, sellers: Collection[int], limit: int) -> list[Lane]:
    """The ways of some sellers to KSeF, by name.

    Args:
        services: the installation.
        session: for reading.
        sellers: ids of the sellers to look at.
        limit: how many at the most.
    """
    rows = session.scalars(select(Seller).where(Seller.id.in_(sellers)).order_by(Seller.name).limit(limit))
    now = services.clock()
    found = []
    for seller in rows:
        left = services.connections.sendings_left(seller)
        hold = hold_of(seller, now)
        found.append(
            Lane(
                nip=seller.nip,
                name=seller.name,
                environment=environment_of(seller).name,
                left=left,
                allowed=None if left is None else PUBLISHED[group_of(SEND)].per_hour,
                held=hold.why if hold else None,
            )
        )
    return found
