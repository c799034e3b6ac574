"""All stores at a glance: state, queue, errors, what ends soon."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from connector_app.ksef_access import environment_of
from connector_app.overview.work import NEEDS_A_PERSON, UNDER_WAY
from connector_app.pipeline.holds import hold_of
from connector_app.pipeline.services import Services, load_text
from connector_app.renewals import due
from connector_app.store.models import Document, Seller, ShopOrder, Store, WebhookEvent
from connector_app.store.recovered import IS_OPEN
from core.findings import Finding, Severity, Text

_LATE = timedelta(minutes=65)
"""Longer than the longest pause between two looks at shops."""


class Health(StrEnum):
    """How a store is, in one word."""

    GOOD = "good"
    WARNING = "warning"
    """It works; somebody should look soon."""
    BAD = "bad"
    """Something stands still."""


@dataclass(frozen=True, slots=True)
class StoreLine:
    """One row of the board.

    Attributes:
        code, platform, url: of the store. seller, nip: whose it is. environment: the KSeF it sends to.
        health: see :class:`Health`. reasons: why it is not good.
        needs: documents that need a person. under_way: documents that the program is busy with.
        events: webhooks not worked on yet. looked_at: when its orders were read last, aware UTC.
        ends: what ends soon of the seller's certificates and tokens.
    """

    code: str
    platform: str
    url: str
    seller: str
    nip: str
    environment: str
    health: Health
    reasons: tuple[Text, ...]
    needs: int
    under_way: int
    events: int
    looked_at: datetime | None
    ends: tuple[Finding, ...]


def board(services: Services, session: Session, sellers: Collection[int]) -> list[StoreLine]:
    """The open stores of some sellers, by seller and code.

    Args:
        services: the installation.
        session: for reading.
        sellers: ids of the sellers to look at.
    """
    stores = session.scalars(
        select(Store)
        .where(IS_OPEN, Store.seller_id.in_(sellers))
        .options(joinedload(Store.seller))
        .join(Seller, Seller.id == Store.seller_id)
        .order_by(Seller.name, Store.code)
    ).all()
    needs = _count(session, sellers, NEEDS_A_PERSON)
    under_way = _count(session, sellers, UNDER_WAY)
    events = _events(session)
    ends: dict[str, list[Finding]] = defaultdict(list)
    for one in due(services):
        ends[one.path].append(one)
    now = services.clock()
    lines = []
    for store in stores:
        count = needs.get(store.id, 0)
        reasons = _reasons(store, ends[store.seller.nip], now)
        lines.append(
            StoreLine(
                code=store.code,
                platform=store.platform,
                url=store.url,
                seller=store.seller.name,
                nip=store.seller.nip,
                environment=environment_of(store.seller).name,
                health=_health(reasons, count),
                reasons=tuple(text for _, text in reasons),
                needs=count,
                under_way=under_way.get(store.id, 0),
                events=events.get(store.id, 0),
                looked_at=store.looked_at,
                ends=tuple(ends[store.seller.nip]),
            )
        )
    return lines


def _count(session: Session, sellers: Collection[int], states: tuple[str, ...]) -> dict[int, int]:
    """Documents in some states, by store; few are, so the join is cheap."""
    rows = session.execute(
        select(ShopOrder.store_id, func.count())
        .join(Document, Document.order_id == ShopOrder.id)
        .where(Document.seller_id.in_(sellers), Document.state.in_(states))
        .group_by(ShopOrder.store_id)
    )
    return {row[0]: row[1] for row in rows}


def _events(session: Session) -> dict[int, int]:
    rows = session.execute(
        select(WebhookEvent.store_id, func.count())
        .where(WebhookEvent.done_at.is_(None))
        .group_by(WebhookEvent.store_id)
    )
    return {row[0]: row[1] for row in rows}


def _reasons(store: Store, ends: list[Finding], now: datetime) -> list[tuple[Health, Text]]:
    found: list[tuple[Health, Text]] = []
    if store.looked_at is None:
        text = Text("Sklepu jeszcze nie odczytano.", "The shop was not read yet.")
        found.append((Health.WARNING, text))
    elif now - store.looked_at > _LATE:
        text = Text(
            "Sklep nie odpowiada: zamówień nie udało się odczytać od ponad godziny.",
            "The shop does not answer: its orders could not be read for more than an hour.",
        )
        found.append((Health.BAD, text))
    if store.webhook_trouble:
        found.append((Health.WARNING, load_text(store.webhook_trouble)))
    hold = hold_of(store.seller, now)
    if hold is not None:
        found.append((Health.BAD, hold.why))
    for one in ends:
        bad = one.severity is Severity.ERROR
        found.append((Health.BAD if bad else Health.WARNING, one.message))
    return found


def _health(reasons: list[tuple[Health, Text]], needs: int) -> Health:
    if any(health is Health.BAD for health, _ in reasons):
        return Health.BAD
    return Health.WARNING if reasons or needs else Health.GOOD
