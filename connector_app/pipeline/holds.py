"""Holds: while KSeF does not let a seller in, the whole lane waits instead of every document for itself.

One hold asks KSeF once per pause, however many documents wait; otherwise a wrong credential would be tried
again with every new order. A hold names the credential it was made under: another credential ends it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, update

from connector_app.pipeline import life
from connector_app.pipeline.services import Services, dump_text, load_text
from connector_app.store.models import Document, Seller
from connector_app.store.sessions import Lane
from core.findings import Text

UNFINISHED_RECOVERY = Text(
    "Odzyskiwanie dokumentów z KSeF nie jest skończone: dokończ je (ksef-connector recover), zanim powstaną "
    "nowe faktury.",
    "The recovery from KSeF is not finished: finish it (ksef-connector recover) before new invoices are "
    "issued.",
)
UNFINISHED_SETUP = Text(
    "Konfiguracja nie jest skończona: nic nie zostanie wystawione, dopóki nie włączysz wysyłania.",
    "The setup is not finished: nothing is issued until you start sending.",
)
_UNFINISHED_PAUSE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Hold:
    """Why and how long a lane waits.

    Attributes:
        until: aware UTC. why: for a person. failures: tries in a row that failed.
        since: when the first of them failed; ``None`` for what waits on purpose.
        refused: KSeF answers and does not let the seller in, or a setting is wrong: only a person helps.
    """

    until: datetime
    why: Text
    failures: int
    since: datetime | None = None
    refused: bool = False


def hold_of(seller: Seller, now: datetime) -> Hold | None:
    """The hold on a seller's lane that is in force at a moment."""
    if seller.recovery is not None:
        return Hold(now + _UNFINISHED_PAUSE, UNFINISHED_RECOVERY, 0)
    if seller.setup is not None:
        return Hold(now + _UNFINISHED_PAUSE, UNFINISHED_SETUP, 0)
    stored = seller.hold
    if stored is None or stored["credential"] != _fingerprint(seller):
        return None
    hold = Hold(
        datetime.fromisoformat(stored["until"]),
        load_text(stored["why"]),
        stored["failures"],
        datetime.fromisoformat(stored["since"]) if "since" in stored else None,
        bool(stored.get("refused")),
    )
    return hold if hold.until > now else None


def may_issue_offline(seller: Seller) -> bool:
    """Whether documents may be issued without KSeF: a recovery or a setup that is not finished forbids it.

    While a recovery is not finished, KSeF may have what would be issued here; while a setup is not, nobody
    has said yet that anything may go out.
    """
    return seller.recovery is None and seller.setup is None


def hold(
    services: Services,
    seller_id: int,
    why: Text,
    waiting: ColumnElement[bool],
    *,
    at_least: float = 0.0,
    refused: bool = False,
) -> Hold:
    """Make a seller's lane wait; pauses grow with every failure in a row.

    Args:
        services: the outside world.
        seller_id: the lane.
        why: for a person; each waiting document says it, too.
        waiting: which documents wait.
        at_least: seconds to wait at the least.
        refused: only a person helps, see :class:`Hold`.
    """
    now = services.clock()
    with services.database.begin(seller_id) as session:
        seller = session.get_one(Seller, seller_id)
        known = seller.hold if seller.hold and seller.hold["credential"] == _fingerprint(seller) else None
        failures = known["failures"] if known else 0
        since = known.get("since", now.isoformat()) if known else now.isoformat()
        until = now + life.pause_after(failures, at_least=at_least)
        made = Hold(until, why, failures + 1, datetime.fromisoformat(since), refused)
        seller.hold = {
            "until": made.until.isoformat(),
            "why": dump_text(why),
            "failures": made.failures,
            "since": since,
            "refused": refused,
            "credential": _fingerprint(seller),
        }
        session.execute(
            update(Document)
            .where(Document.seller_id == seller_id, waiting)
            .values(waiting_for=dump_text(why))
            .execution_options(synchronize_session=False)
        )
    return made


def lift(services: Services, seller_id: int) -> None:
    """KSeF let the seller in: the next failure begins with the shortest pause."""
    with services.database.begin(seller_id) as session:
        session.get_one(Seller, seller_id).hold = None


def put_off(services: Services, lane: Lane, which: ColumnElement[bool], why: Text, pause: timedelta) -> None:
    """Put documents off without counting a failure against them.

    Args:
        services: the outside world.
        lane: of their seller.
        which: the documents; those that wait longer already keep their time.
        why: for a person.
        pause: how long.
    """
    moment = services.clock() + pause
    with services.database.begin(lane) as session:
        session.execute(
            update(Document)
            .where(which, or_(Document.next_attempt_at.is_(None), Document.next_attempt_at < moment))
            .values(next_attempt_at=moment, waiting_for=dump_text(why))
            .execution_options(synchronize_session=False)
        )


def _fingerprint(seller: Seller) -> str:
    return hashlib.sha256(f"{seller.credential} {seller.environment}".encode()).hexdigest()
