"""What is only needed for a while: deleted by age, in small portions, so that no writer waits for long."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import InstrumentedAttribute

from connector_app.hooks.sending import KEPT
from connector_app.keeping import options
from connector_app.pipeline.services import Services
from connector_app.store.consents import PendingConsent
from connector_app.store.desk import Job, RegisterAnswer
from connector_app.store.machines import ApiReply, HookDelivery
from connector_app.store.models import Batch, BatchState, KsefPause, KsefRequest, WebhookEvent
from connector_app.store.notices import ClockSkew, StoredWarning
from connector_app.store.people import Invitation, WebSession

PORTION = 500
"""Rows of one transaction."""
_PORTIONS = 20
"""Transactions of one call."""
_EVERY = timedelta(hours=1)
_STATE = "pruning"
_UNDER_WAY = (BatchState.NEW, BatchState.PACKED, BatchState.OPEN, BatchState.CLOSED)


@dataclass(frozen=True, slots=True)
class Rule:
    """How long rows of a table are kept.

    Attributes:
        key: primary key of the table. at: from when their age counts; rows without it stay.
        kept: their age.
    """

    key: tuple[InstrumentedAttribute[Any], ...]
    at: InstrumentedAttribute[Any]
    kept: timedelta

    @property
    def name(self) -> str:
        """Of the table."""
        return str(self.key[0].class_.__tablename__)


RULES: Sequence[Rule] = (
    Rule((WebhookEvent.id,), WebhookEvent.done_at, timedelta(days=30)),
    Rule((HookDelivery.id,), HookDelivery.done_at, KEPT),
    Rule((KsefRequest.id,), KsefRequest.at, timedelta(days=2)),
    Rule((KsefPause.environment, KsefPause.context, KsefPause.group), KsefPause.until, timedelta(days=2)),
    Rule((ApiReply.id,), ApiReply.created_at, timedelta(days=2)),
    Rule((PendingConsent.id,), PendingConsent.expires_at, timedelta(days=7)),
    Rule((Job.id,), Job.ended_at, timedelta(days=90)),
    Rule((WebSession.id,), WebSession.expires_at, timedelta(days=90)),
    Rule((Invitation.id,), Invitation.expires_at, timedelta(days=90)),
    Rule((RegisterAnswer.id,), RegisterAnswer.asked_at, timedelta(days=90)),
    Rule((ClockSkew.environment,), ClockSkew.last_seen, timedelta(days=90)),
    Rule(
        (StoredWarning.environment, StoredWarning.code, StoredWarning.operation),
        StoredWarning.last_seen,
        timedelta(days=365),
    ),
)
"""All that is deleted by age; docs/keeping.md lists the same."""

DRY_RUNS = timedelta(days=30)
"""How long a dry run is kept: it holds buyers' data."""


def prune(services: Services) -> dict[str, int]:
    """Delete what is old, unless that was done within the last hour; the rest of much goes in the next call.

    Args:
        services: the installation.

    Returns:
        How many rows went, by table.
    """
    now = services.clock()
    with services.database() as session:
        ended = options.state(session, _STATE).get("ended")
    if ended is not None and now - datetime.fromisoformat(ended) < _EVERY:
        return {}
    gone: dict[str, int] = {}
    left = _PORTIONS
    for rule in RULES:
        while left:
            count = _portion(services, rule, now)
            if count:
                gone[rule.name] = gone.get(rule.name, 0) + count
                left -= 1
            if count < PORTION:
                break
    _clean_work(services)
    if left:
        with services.database.begin() as session:
            options.put_state(session, _STATE, {"ended": now.isoformat()})
    return gone


def _portion(services: Services, rule: Rule, now: datetime) -> int:
    """Delete some old rows of one table in a short transaction of their own."""
    with services.database() as session:
        rows = session.execute(select(*rule.key).where(rule.at < now - rule.kept).limit(PORTION)).all()
    if not rows:
        return 0
    # looked at again: a row may have been used since
    old: list[ColumnElement[bool]] = [rule.at < now - rule.kept]
    with services.database.begin() as session:
        if len(rule.key) == 1:
            old.append(rule.key[0].in_([row[0] for row in rows]))
        session.execute(delete(rule.key[0].class_).where(*old).execution_options(synchronize_session=False))
    return len(rows)


def _clean_work(services: Services) -> None:
    """Remove dry runs that are old, and packages of batches that are over."""
    work = services.work_dir
    if work is None:
        return
    for file in (work / "dry-run").glob("*.sqlite3"):
        if _is_older(file, DRY_RUNS):
            file.unlink(missing_ok=True)
    folders = {one.name: one for one in (work / "batches").glob("*") if one.is_dir()}
    old = {name: one for name, one in folders.items() if _is_older(one, timedelta(days=7))}
    if not old:
        return
    with services.database() as session:
        under_way = session.scalars(select(Batch.id).where(Batch.state.in_(_UNDER_WAY)))
        busy = {str(one) for one in under_way}
    for name, folder in old.items():
        if name not in busy:
            shutil.rmtree(folder, ignore_errors=True)


def _is_older(path: Path, age: timedelta) -> bool:
    with suppress(OSError):
        return time.time() - path.stat().st_mtime > age.total_seconds()
    return False
