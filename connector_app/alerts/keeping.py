"""Alerts as they are kept: opened, brought up to date, closed, snoozed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, delete, or_, select
from sqlalchemy.orm import Session

from connector_app.alerts.condition import Condition
from connector_app.alerts.kinds import PUBLIC, Kind
from connector_app.alerts.rules import Found
from connector_app.log_events import Said
from connector_app.logs import Log
from connector_app.pipeline.services import dump_text
from connector_app.store.sessions import after_commit
from connector_app.store.watching import Alert, AlertLetter, LetterState

_log = Log(__name__)

PATIENCE: Final = timedelta(minutes=5)
"""How long something has to be gone before it is over: what flickers is told once."""
KEPT: Final = timedelta(days=90)
"""How long alerts that are over, and letters that went, are kept."""
FOR_EVER: Final = datetime(9999, 1, 1, tzinfo=UTC)
"""Snoozed until it is over by itself."""


@dataclass(slots=True)
class Changes:
    """What a round changed.

    Attributes:
        open: alerts that are open now and not about to close. closed: those that ended in this round.
    """

    open: list[Alert] = field(default_factory=list)
    closed: list[Alert] = field(default_factory=list)


def reconcile(session: Session, found: Found, now: datetime, off: Collection[Kind] = frozenset()) -> Changes:
    """Bring the alerts in line with what is wrong now.

    Args:
        session: of a writing transaction.
        found: what the rules said.
        now: aware UTC.
        off: kinds that are switched off: their alerts end without a word.
    """
    changes = Changes()
    known = {one.key: one for one in session.scalars(select(Alert).where(Alert.closed_at.is_(None)))}
    for condition in found.conditions:
        row = known.pop(condition.key, None)
        if row is None:
            row = _opened(session, condition, now)
        else:
            _brought_up_to_date(row, condition)
        changes.open.append(row)
    for row in known.values():
        if row.kind in found.unknown:
            continue
        if row.kind in off:
            row.closed_at = now
            continue
        row.gone_at = row.gone_at or now
        if now - row.gone_at >= PATIENCE:
            row.closed_at = now
            changes.closed.append(row)
            _say(session, Said.ALERT_CLOSED, row)
    session.flush()
    return changes


def _opened(session: Session, condition: Condition, now: datetime) -> Alert:
    row = Alert(
        key=condition.key,
        kind=condition.kind.value,
        severity=condition.severity.value,
        seller_id=condition.seller_id,
        store_id=condition.store_id,
        said=dump_text(condition.said),
        hint=dump_text(condition.hint),
        step=condition.step,
        since=min(condition.since, now),
        opened_at=now,
    )
    session.add(row)
    session.flush()
    _say(session, Said.ALERT_OPENED, row)
    return row


def _brought_up_to_date(row: Alert, condition: Condition) -> None:
    row.gone_at = None
    row.severity = condition.severity.value
    row.said, row.hint = dump_text(condition.said), dump_text(condition.hint)
    if condition.step > row.step:
        # it went further: told anew, also to whoever wanted quiet
        row.mailed_at = row.hooked_at = row.snoozed_until = row.snoozed_by = None
    row.step = condition.step


def _say(session: Session, event: Said, row: Alert) -> None:
    alert_id, kind, seller_id, store_id = row.id, row.kind, row.seller_id, row.store_id
    after_commit(
        session,
        lambda: _log.info(event, alert_id=alert_id, kind=kind, seller_id=seller_id, store_id=store_id),
    )


def snooze(row: Alert, until: datetime, user_id: int | None) -> None:
    """Want no reminder of an alert until a moment; that it is over is told all the same."""
    row.snoozed_until, row.snoozed_by = until, user_id


def visible(sellers: Collection[int], *, whole: bool) -> ColumnElement[bool]:
    """Which alerts somebody may see: of some sellers, what is everybody's business, and the installation's.

    Args:
        sellers: ids.
        whole: as an owner of the installation.
    """
    own = Alert.seller_id.in_(sellers)
    of_all = Alert.seller_id.is_(None)
    return or_(own, of_all if whole else of_all & Alert.kind.in_([one.value for one in PUBLIC]))


def open_alerts(session: Session, which: ColumnElement[bool]) -> Sequence[Alert]:
    """Open alerts, the gravest first, then the oldest."""
    rows = session.scalars(select(Alert).where(Alert.closed_at.is_(None), which).order_by(Alert.id))
    return sorted(rows, key=lambda one: (one.severity != "error", one.since))


def closed_alerts(session: Session, which: ColumnElement[bool], limit: int) -> Sequence[Alert]:
    """Alerts that are over, the newest first."""
    rows = select(Alert).where(Alert.closed_at.is_not(None), which)
    return session.scalars(rows.order_by(Alert.closed_at.desc()).limit(limit)).all()


def kind_of(row: Alert) -> Kind | None:
    """The kind of an alert; ``None`` for one that this version does not know."""
    return Kind(row.kind) if row.kind in set(Kind) else None


def prune(session: Session, now: datetime) -> None:
    """Forget what was over long ago."""
    session.execute(delete(Alert).where(Alert.closed_at < now - KEPT))
    waiting = (LetterState.DUE.value, LetterState.SENDING.value)
    session.execute(
        delete(AlertLetter).where(AlertLetter.created_at < now - KEPT, AlertLetter.state.not_in(waiting))
    )
