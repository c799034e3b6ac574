"""Numbers of an installation for ``/metrics``, read from the database with few and cheap queries.

Sellers are labels by their id, which says nothing to whoever has no account here; where there would be a
series for each of them, only the most pressing ones are told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import accumulate
from urllib.parse import urlsplit

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from sqlalchemy import case, func, or_, select, text
from sqlalchemy.orm import Session

from connector_app import measures, outages
from connector_app.overview import work
from connector_app.pipeline.services import Services
from connector_app.renewals import held_by
from connector_app.running import turns, workers
from connector_app.store import room
from connector_app.store.machines import Hook, HookDelivery
from connector_app.store.models import (
    UNPROVEN,
    Document,
    DocumentState,
    KsefRequest,
    Mail,
    MailState,
    Seller,
    Store,
    WebhookEvent,
)
from connector_app.store.recovered import IS_OPEN, IS_SHOP
from connector_app.store.watching import Alert, AlertLetter, LetterState, Measured
from connector_app.vault import VaultLocked
from core.calendar import next_working_day, warsaw_day
from core.ksef.latarnia import Availability
from core.ksef.limits import PUBLISHED, Group
from core.signing.keys import KeyMaterialError

_UNDER_WAY = (DocumentState.READY, DocumentState.ISSUED, DocumentState.SENT, DocumentState.ACCEPTED)
_DAY = 86_400.0
_MOST_LIMITS = 50
_MOST_DEADLINES = 1_000
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
        yield from _deadlines(session, now)
        yield from _stores(session, now)
        yield from _ksef(session, now)
        yield from _ends(services, session, now)
        yield from _boards(session)
        yield from _hooks(session, now)
        yield from _running(services, session)
        yield from _alerts(session)
        yield from _room(session)


def sums(services: Services) -> Iterator[Metric]:
    """What all processes measured while they worked, and when each kind of work was done last.

    Raises:
        SQLAlchemyError: the database cannot be used.
    """
    now = services.clock().timestamp()
    with services.database() as session:
        rows = measures.read(session)
    by_name: dict[str, list[Measured]] = {}
    for row in rows:
        by_name.setdefault(row.name, []).append(row)
    for one in measures.ALL:
        yield _family(one, by_name.get(one.name, []))
    ages = GaugeMetricFamily(
        "ksef_connector_work_age_seconds", "Time since some work was done last, by anybody.", labels=["work"]
    )
    for row in by_name.get(measures.MARK, []):
        ages.add_metric([row.labels], max(0.0, now - row.total))
    yield ages


def _family(one: measures.Metric, rows: list[Measured]) -> Metric:
    if not one.steps:
        counter = CounterMetricFamily(one.name, one.about, labels=one.labels)
        for row in rows:
            counter.add_metric(row.labels.split("\t"), row.count)
        return counter
    times = HistogramMetricFamily(one.name, one.about, labels=one.labels)
    ends = [*(f"{step:g}" for step in one.steps), "+Inf"]
    for row in rows:
        if row.buckets is not None and len(row.buckets) == len(ends):
            steps = list(zip(ends, accumulate(row.buckets), strict=True))
            times.add_metric(row.labels.split("\t"), steps, row.total)
    return times


def _late(session: Session, now: datetime, documents: datetime | None) -> Iterator[Metric]:
    """How long the oldest work that could be done now waits; since when the oldest document does is known."""
    oldest = GaugeMetricFamily(
        "ksef_connector_due_oldest_seconds", "How long the oldest due work waits, by kind.", labels=["kind"]
    )
    queries = {
        "webhook_events": select(func.min(WebhookEvent.received_at)).where(WebhookEvent.done_at.is_(None)),
        "mails": select(func.min(Mail.created_at)).where(Mail.state == MailState.DUE.value),
        "hook_messages": select(func.min(HookDelivery.created_at))
        .join(Hook, Hook.id == HookDelivery.hook_id)
        .where(HookDelivery.done_at.is_(None), Hook.disabled_at.is_(None)),
        "alert_letters": select(func.min(AlertLetter.created_at)).where(
            AlertLetter.state == LetterState.DUE.value
        ),
    }
    moments = {kind: session.scalar(query) for kind, query in queries.items()} | {"documents": documents}
    for kind, moment in moments.items():
        oldest.add_metric([kind], max(0.0, (now - moment).total_seconds()) if moment else 0)
    yield oldest
    failing = GaugeMetricFamily(
        "ksef_connector_failing", "What failed at its last try and is tried again, by kind.", labels=["kind"]
    )
    tried_again = {
        "publications": select(func.count())
        .select_from(Seller)
        .join(Document, (Document.seller_id == Seller.id) & (Document.state == DocumentState.ACCEPTED))
        .where(Document.attempts > 0),
        "mails": select(func.count())
        .select_from(Mail)
        .where(Mail.state == MailState.DUE.value, Mail.attempts > 0),
        "hook_messages": select(func.count())
        .select_from(HookDelivery)
        .where(HookDelivery.done_at.is_(None), HookDelivery.attempts > 0),
        "alert_letters": select(func.count())
        .select_from(AlertLetter)
        .where(AlertLetter.state == LetterState.DUE.value, AlertLetter.attempts > 0),
    }
    for kind, counting in tried_again.items():
        failing.add_metric([kind], session.scalar(counting) or 0)
    yield failing


def _deadlines(session: Session, now: datetime) -> Iterator[Metric]:
    days = GaugeMetricFamily(
        "ksef_connector_deadlines",
        "Offline documents that KSeF does not have, by their last day: passed, today, next, later.",
        labels=["when"],
    )
    today = warsaw_day(now)
    following = next_working_day(today)
    counts = dict.fromkeys(("passed", "today", "next", "later"), 0)
    sellers = list(session.scalars(select(Seller.id)))
    for one in work.deadlines(session, sellers, today, _MOST_DEADLINES):
        left = "passed" if one.day < today else "today" if one.day == today else "later"
        counts["next" if today < one.day <= following else left] += 1
    for when, count in counts.items():
        days.add_metric([when], count)
    yield days


def _alerts(session: Session) -> Iterator[Metric]:
    alerts = GaugeMetricFamily(
        "ksef_connector_alerts", "Alerts that are open, by kind and severity.", labels=["kind", "severity"]
    )
    rows = session.execute(
        select(Alert.kind, Alert.severity, func.count())
        .where(Alert.closed_at.is_(None))
        .group_by(Alert.kind, Alert.severity)
    )
    for kind, severity, count in rows:
        alerts.add_metric([kind, severity], count)
    yield alerts


def _room(session: Session) -> Iterator[Metric]:
    size, free = room.of_database(session)
    if size is not None:
        yield GaugeMetricFamily("ksef_connector_database_bytes", "Size of the database.", size)
    if free is not None:
        yield GaugeMetricFamily(
            "ksef_connector_disk_free_ratio", "What is free of the disk that the database lies on.", free
        )


def _documents(session: Session, now: datetime) -> Iterator[Metric]:
    counts = GaugeMetricFamily(
        "ksef_connector_documents", "Documents by store and state.", labels=["store", "state"]
    )
    codes = {row[0]: row[1] for row in session.execute(select(Store.id, Store.code).where(IS_SHOP))}
    # answered from an index alone: rows hold whole files and are not read
    rows = session.execute(
        select(Document.store_id, Document.state, func.count()).group_by(Document.store_id, Document.state)
    )
    for store_id, state, count in rows:
        if store_id in codes:
            counts.add_metric([codes[store_id], state], count)
    yield counts
    oldest = GaugeMetricFamily(
        "ksef_connector_oldest_seconds",
        "How long the document that moved longest ago stands in a state.",
        labels=["state"],
    )
    ages = _ages(session, now)
    for state, (since, _) in ages.items():
        oldest.add_metric([state.value], (now - since).total_seconds() if since else 0)
    yield oldest
    yield from _late(session, now, min((due for _, due in ages.values() if due), default=None))


_Ages = dict[DocumentState, tuple[datetime | None, datetime | None]]


def _ages(session: Session, now: datetime) -> _Ages:
    """Of each state: when its oldest document came into it, and since when one of them could be worked on."""
    watched = (*_UNDER_WAY, DocumentState.ATTENTION, DocumentState.REJECTED)
    is_due = or_(Document.next_attempt_at.is_(None), Document.next_attempt_at <= now)
    # named with its seller, so that the index of work finds the few rows
    few = (Document.seller_id == Seller.id) & Document.state.in_([one.value for one in watched])
    rows = session.execute(
        select(
            Document.state,
            func.min(Document.updated_at),
            func.min(case((is_due, func.coalesce(Document.next_attempt_at, Document.updated_at)))),
        )
        .select_from(Seller)
        .join(Document, few)
        .group_by(Document.state)
    )
    found: _Ages = dict.fromkeys(watched, (None, None))
    for state, since, due in rows:
        one = DocumentState(state)
        found[one] = since, due if one in _UNDER_WAY else None
    return found


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
    sellers = {row[0]: row[1] for row in session.execute(select(Seller.nip, Seller.id))}
    of_sellers: list[tuple[int, list[str]]] = []
    for environment, context, group, count in rows:
        key = (urlsplit(environment).netloc, group)
        sums[key] = sums.get(key, 0) + count
        most[key] = max(most.get(key, 0), count)
        allowed = PUBLISHED[Group(group)].per_hour
        if allowed is not None and context in sellers:
            of_sellers.append((max(0, allowed - count), [str(sellers[context]), *key]))
    for key, count in sorted(sums.items()):
        used.add_metric(list(key), count)
        allowed = PUBLISHED[Group(key[1])].per_hour
        if allowed is not None:
            left.add_metric(list(key), max(0, allowed - most[key]))
    yield used
    yield left
    of_seller = GaugeMetricFamily(
        "ksef_connector_limit_left",
        f"What the hour's limit still allows a seller; the {_MOST_LIMITS} with the least left.",
        labels=["seller", "environment", "group"],
    )
    for rest, labels in sorted(of_sellers)[:_MOST_LIMITS]:
        of_seller.add_metric(labels, rest)
    yield of_seller


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
