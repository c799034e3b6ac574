"""One thing that is wrong now, and what rules look at to find such things."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from connector_app.alerts.kinds import Kind, Options
from connector_app.pipeline.services import Services
from connector_app.store.models import Seller
from core.calendar import WARSAW, warsaw_day
from core.findings import Severity, Text


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that is wrong now. Its sentences name no buyer and quote nobody.

    Attributes:
        key: the same as long as it is the same thing, such as ``attention:3``.
        kind: what it is. severity: a warning, or an error when something stands still or is late.
        said: what is wrong. hint: what to do.
        since: when it began, aware UTC.
        seller_id, store_id: whose; ``None``: the installation's.
        step: how far it went; a higher one is told anew.
    """

    key: str
    kind: Kind
    severity: Severity
    said: Text
    hint: Text
    since: datetime
    seller_id: int | None = None
    store_id: int | None = None
    step: int = 0


class Damaged(Protocol):
    """A stored file that is not what was stored."""

    @property
    def seller_id(self) -> int:
        """Whose."""
        ...

    @property
    def seen_at(self) -> datetime:
        """When that was found."""
        ...


@dataclass(frozen=True, slots=True)
class Backup:
    """How backups are.

    Attributes:
        wanted: the program makes them by itself.
        at: when the last good one was made, or else wished for; ``None``: neither.
        failed_at: when the last one failed; ``None``: it did not.
    """

    wanted: bool
    at: datetime | None = None
    failed_at: datetime | None = None

    def is_old(self, now: datetime, days: int) -> bool:
        """Whether the last good one is so many days old; of one that was never made nobody knows."""
        return self.at is not None and self.at <= now - timedelta(days=days)


@dataclass(frozen=True, slots=True)
class Archive:
    """What the keeping of the archive tells: the one place where it comes into alerts.

    Attributes:
        damaged: files that are damaged.
        backup: how backups are; ``None``: nobody knows.
    """

    damaged: Callable[[Services], Sequence[Damaged]] = lambda _services: ()
    backup: Callable[[Services], Backup | None] = lambda _services: None


@dataclass(frozen=True, slots=True)
class Look:
    """What a rule has before it.

    Attributes:
        services: the installation. session: for reading. options: what is set. now: aware UTC.
        archive: what the archive tells.
    """

    services: Services
    session: Session
    options: Options
    now: datetime
    archive: Archive

    @property
    def today(self) -> date:
        """The Warsaw day."""
        return warsaw_day(self.now)

    def before(self, *, hours: float) -> datetime:
        """So many hours ago."""
        return self.now - timedelta(hours=hours)

    def at_work(self) -> list[Seller]:
        """Sellers whose setup and recovery are finished: of the others everything waits on purpose."""
        rows = self.session.scalars(select(Seller).order_by(Seller.id))
        return [one for one in rows if one.setup is None and one.recovery is None]


Rule = Callable[[Look], Sequence[Condition]]
"""Finds conditions of some kinds."""


def moment(at: datetime) -> str:
    """A moment for a sentence, in Warsaw time."""
    return f"{at.astimezone(WARSAW):%d.%m.%Y %H:%M}"
