"""Numbers of an installation for ``/metrics``, read from the database with few and cheap queries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from connector_app import outages
from connector_app.pipeline.services import Services
from connector_app.renewals import held_by
from connector_app.running import turns, workers
from connector_app.store.machines import Hook, HookDelivery
from connector_app.store.models import (
    UNPROVEN,
    Document,
    DocumentState,
    KsefRequest,
    Mail,
    MailState,
    Seller,
    ShopOrder,
    Store,
    WebhookEvent,
)
from connector_app.store.recovered import IS_OPEN, IS_SHOP
from connector_app.vault import VaultLocked
from core.ksef.latarnia import Availability
from core.ksef.limits import PUBLISHED, Group
from core.signing.keys import KeyMaterialError

_UNDER_WAY = (DocumentState.READY, DocumentState.ISSUED, DocumentState.SENT, DocumentState.ACCEPTED)
_DAY = 86_400.0
_HOUR = timedelta(seconds=3605)
"""As long as KSeF's hour is counted, see :mod:`core.ksef.limits`."""


def database(services: Services) -> Iterator[Metric]:
    """Everything that is counted in the database.

    Raises:
        SQLAlchemyError: it cannot be used.
    """
    now = services.clock()
    with services.database() as session:
        yield from _documents(session, now)
        yield from _queues(session)
        yield from _stores(session, now)
        yield from _ksef(session, now)
        yield from _ends(services, session, now)
        yield from _boards(session)
        yield from _hooks(session, now)
        yield from _running(services, session)


def _documents(session: Session, now: datetime) -> Iterator[Metric]:
    counts = GaugeMetricFamily(
        "ksef_connector_documents", "Documents by store and state.", labels=["store", "state"]
    )
    for store_id, code in session.execute(
        select(Store.id, Store.code).where(IS_SHOP).order_by(Store.id)
    ).all():
        # one store at a time: so both tables answer from indexes alone (migration 0020), and rows, which hold
        # whole files, are not read
        orders = select(ShopOrder.id).where(ShopOrder.store_id == store_id)
        rows = session.execute(
            select(Document.state, func.count()).where(Document.order_id.in_(orders)).group_by(Document.state)
        )
        for state, count in rows:
            counts.add_metric([code, state], count)
    yield counts
    oldest = GaugeMetricFamily(
        "ksef_connector_oldest_seconds",
        "How long the document that moved longest ago stands in a state on its way.",
        labels=["state"],
    )
    for state in _UNDER_WAY:
        # named with its seller, so that the index of work finds the few rows
        of_state = (Document.seller_id == Seller.id) & (Document.state == state.value)
        moment = session.scalar(
            select(func.min(Document.updated_at)).select_from(Seller).join(Document, of_state)
        )
        oldest.add_metric([state.value], (now - moment).total_seconds() if moment else 0)
    yield oldest


def _queues(session: Session) -> Iterator[Metric]:
    queues = GaugeMetricFamily("ksef_connector_queue", "What waits to be done, by kind.", labels=["queue"])
    waiting = {
        "webhook_events": select(func.count())
        .select_from(WebhookEvent)
        .where(WebhookEvent.done_at.is_(None)),
        "mails": select(func.count()).select_from(Mail).where(Mail.state == MailState.DUE.value),
        "hook_messages": select(func.count()).select_from(HookDelivery).where(HookDelivery.done_at.is_(None)),
    }
    for name, query in waiting.items():
        queues.add_metric([name], session.scalar(query) or 0)
    # by seller, because so SQLite reads the small index that is there for it
    unproven = select(func.count()).select_from(Document).where(text(UNPROVEN)).group_by(Document.seller_id)
    queues.add_metric(["upos"], sum(session.scalars(unproven)))
    yield queues


def _stores(session: Session, now: datetime) -> Iterator[Metric]:
    age = GaugeMetricFamily(
        "ksef_connector_store_look_age_seconds", "Time since a store's changes were read.", labels=["store"]
    )
    trouble = GaugeMetricFamily(
        "ksef_connector_store_webhook_trouble", "Whether a store's webhooks do not come.", labels=["store"]
    )
    for code, looked, said in session.execute(
        select(Store.code, Store.looked_at, Store.webhook_trouble).where(IS_OPEN)
    ):
        if looked is not None:
            age.add_metric([code], (now - looked).total_seconds())
        trouble.add_metric([code], 1 if said else 0)
    yield age
    yield trouble


def _ksef(session: Session, now: datetime) -> Iterator[Metric]:
    """Requests of the last hour; what is left is of the seller that has used most."""
    used = GaugeMetricFamily(
        "ksef_connector_ksef_requests_hour",
        "Requests to KSeF in the last hour, by group of operations.",
        labels=["environment", "group"],
    )
    left = GaugeMetricFamily(
        "ksef_connector_ksef_requests_left",
        "What the hour's limit still allows the seller that used most of it.",
        labels=["environment", "group"],
    )
    rows = session.execute(
        select(KsefRequest.environment, KsefRequest.context, KsefRequest.group, func.count())
        .where(KsefRequest.at > now - _HOUR, KsefRequest.at <= now)
        .group_by(KsefRequest.environment, KsefRequest.context, KsefRequest.group)
    )
    sums: dict[tuple[str, str], int] = {}
    most: dict[tuple[str, str], int] = {}
    for environment, _context, group, count in rows:
        key = (urlsplit(environment).netloc, group)
        sums[key] = sums.get(key, 0) + count
        most[key] = max(most.get(key, 0), count)
    for key, count in sorted(sums.items()):
        used.add_metric(list(key), count)
        allowed = PUBLISHED[Group(key[1])].per_hour
        if allowed is not None:
            left.add_metric(list(key), max(0, allowed - most[key]))
    yield used
    yield left


def _ends(services: Services, session: Session, now: datetime) -> Iterator[Metric]:
    days = GaugeMetricFamily(
        "ksef_connector_credential_days_left",
        "Days until a credential of a store's seller ends, negative after its end.",
        labels=["store", "kind"],
    )
    codes: dict[int, list[str]] = {}
    for seller_id, code in session.execute(select(Store.seller_id, Store.code).where(IS_OPEN)):
        codes.setdefault(seller_id, []).append(code)
    for seller in session.scalars(select(Seller).where(Seller.id.in_(codes))):
        try:
            held = held_by(session, services.vault, seller)
        except (VaultLocked, KeyMaterialError):
            continue  # the lane says so
        ends = {one.kind.value: one.until for one in held if one.until is not None}
        for code in codes[seller.id]:
            for kind, until in ends.items():
                days.add_metric([code, kind], round((until - now).total_seconds() / _DAY, 2))
    yield days


def _boards(session: Session) -> Iterator[Metric]:
    boards = GaugeMetricFamily(
        "ksef_connector_latarnia", "What Latarnia says: 1 for the state in force.", labels=["board", "state"]
    )
    for url, seen in outages.boards_in_use(session).items():
        for state in Availability:
            boards.add_metric([urlsplit(url).netloc, state.value], 1 if state is seen.availability else 0)
    yield boards


def _running(services: Services, session: Session) -> Iterator[Metric]:
    """Who works, and what waits for a worker; nothing waits in the embedded application."""
    working = GaugeMetricFamily("ksef_connector_workers", "Processes that work, by role.", labels=["role"])
    for role, count in sorted(Counter(one.role for one in workers.alive(services)).items()):
        working.add_metric([role], count)
    yield working
    waiting = GaugeMetricFamily(
        "ksef_connector_turns_waiting", "Turns that are due and not begun.", labels=["kind"]
    )
    oldest = GaugeMetricFamily(
        "ksef_connector_turn_oldest_seconds", "How long the oldest of them waits.", labels=["kind"]
    )
    for kind, (count, seconds) in sorted(turns.queue(session, services.clock()).items()):
        waiting.add_metric([kind], count)
        oldest.add_metric([kind], seconds)
    yield waiting
    yield oldest


def _hooks(session: Session, now: datetime) -> Iterator[Metric]:
    hooks = GaugeMetricFamily("ksef_connector_hooks", "Hooks by whether they are on.", labels=["state"])
    on = session.scalar(select(func.count()).select_from(Hook).where(Hook.disabled_at.is_(None))) or 0
    off = session.scalar(select(func.count()).select_from(Hook).where(Hook.disabled_at.is_not(None))) or 0
    hooks.add_metric(["on"], on)
    hooks.add_metric(["off"], off)
    yield hooks
    oldest = session.scalar(
        select(func.min(HookDelivery.created_at))
        .join(Hook, Hook.id == HookDelivery.hook_id)
        .where(HookDelivery.done_at.is_(None), Hook.disabled_at.is_(None))
    )
    yield GaugeMetricFamily(
        "ksef_connector_hook_oldest_seconds",
        "Age of the oldest message that no hook took yet.",
        (now - oldest).total_seconds() if oldest else 0,
    )
