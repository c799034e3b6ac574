"""Who is told of what: letters and messages to hooks are listed in one transaction with the alert.

A crash leaves both or neither, so nobody is told twice and nothing is forgotten. Letters to one person wait
together: what is new goes into a letter that did not leave yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from connector_app.alerts.keeping import Changes
from connector_app.alerts.kinds import PUBLIC, REMIND, Options
from connector_app.alerts.server import Servers
from connector_app.hooks.happenings import Happening, Links, delivery, message
from connector_app.pipeline.services import load_text
from connector_app.store.machines import Hook
from connector_app.store.models import Seller, Store
from connector_app.store.people import Membership, Role, User
from connector_app.store.watching import Alert, AlertLetter, LetterState

_PUBLIC = frozenset(one.value for one in PUBLIC)


class What(StrEnum):
    """What a letter says of an alert."""

    OPENED = "opened"
    REMINDER = "reminder"
    CLOSED = "closed"


def tell(
    session: Session, changes: Changes, options: Options, servers: Servers, links: Links, now: datetime
) -> None:
    """Put on the lists what has to be told now.

    Args:
        session: of the transaction that changed the alerts.
        changes: what it changed.
        options: who is told.
        servers: who can be written to.
        links: where receivers find more.
        now: aware UTC.
    """
    news = [(one, _news(one, options, now)) for one in changes.open]
    news += [(one, What.CLOSED) for one in changes.closed if one.mailed_at is not None]
    people = People(session, options)
    for alert, what in news:
        if what is None:
            continue
        reached = [one for one in people.of(alert) if servers.of_person(one) is not None]
        for person in reached:
            _write(session, person, alert, what, now)
        if reached and what is not What.CLOSED:
            alert.mailed_at = now
    for alert in changes.open:
        if alert.hooked_at is None:
            _tell_hooks(session, alert, Happening.ALERT_OPENED, links, now)
            alert.hooked_at = now
    for alert in changes.closed:
        if alert.hooked_at is not None:
            _tell_hooks(session, alert, Happening.ALERT_CLOSED, links, now)


def _news(alert: Alert, options: Options, now: datetime) -> What | None:
    if alert.mailed_at is None:
        return What.OPENED
    if alert.snoozed_until is not None and now < alert.snoozed_until:
        return None
    pause = timedelta(hours=options.number(REMIND.name))
    return What.REMINDER if now - alert.mailed_at >= pause else None


class People:
    """Who gets letters about which alerts.

    Args:
        session: for reading.
        options: who is told.
    """

    def __init__(self, session: Session, options: Options) -> None:
        self._options = options
        users = session.scalars(select(User).where(User.disabled_at.is_(None)).order_by(User.id))
        self._users = {one.id: one for one in users if one.id not in options.muted}
        rows = session.execute(select(Membership.user_id, Membership.seller_id, Membership.role))
        self._roles: dict[int, dict[int, Role]] = {}
        for user_id, seller_id, role in rows:
            self._roles.setdefault(user_id, {})[seller_id] = Role(role)

    def written_to(self) -> list[User]:
        """Everybody who may get letters at all."""
        return [
            one
            for one in self._users.values()
            if one.is_admin or self._options.roles.intersection(self._roles.get(one.id, {}).values())
        ]

    def of(self, alert: Alert) -> list[User]:
        """The people who are told of an alert: those of its seller, or the owners of the installation."""
        return [one for one in self._users.values() if self._concerns(one, alert)]

    def _concerns(self, user: User, alert: Alert) -> bool:
        roles = self._roles.get(user.id, {})
        if alert.seller_id is not None:
            if roles.get(alert.seller_id) in self._options.roles:
                return True
            return user.is_admin and self._options.admins
        is_public = alert.kind in _PUBLIC
        return user.is_admin or (is_public and any(one in self._options.roles for one in roles.values()))


def _write(session: Session, person: User, alert: Alert, what: What, now: datetime) -> None:
    """Put an alert into the letter that waits for a person, or into a new one."""
    item = {"alert": alert.id, "what": what.value}
    letter = session.scalar(
        select(AlertLetter)
        .where(AlertLetter.user_id == person.id, AlertLetter.state == LetterState.DUE.value)
        .order_by(AlertLetter.id)
        .limit(1)
    )
    if letter is None:
        session.add(
            AlertLetter(
                user_id=person.id, items=[item], state=LetterState.DUE.value, attempts=0, created_at=now
            )
        )
        session.flush()
    elif item not in letter.items:
        letter.items = [*letter.items, item]


def _tell_hooks(session: Session, alert: Alert, happening: Happening, links: Links, now: datetime) -> None:
    hooks = [one for one in _hooks_of(session, alert) if happening.value in one.events]
    if not hooks:
        return
    data: dict[str, object] = {"alert": _body(session, alert, links)}
    for hook in hooks:
        session.add(delivery(hook, happening.value, message(happening.value, now, data), now))


def _hooks_of(session: Session, alert: Alert) -> Sequence[Hook]:
    """Hooks of the alert's seller.

    What is everybody's business goes to all; what is the installation's, only where it has one seller:
    others' receivers must not learn of it.
    """
    query = select(Hook).where(Hook.disabled_at.is_(None)).order_by(Hook.id)
    if alert.seller_id is not None:
        query = query.where(Hook.seller_id == alert.seller_id)
    elif alert.kind not in _PUBLIC and session.scalar(select(func.count()).select_from(Seller)) != 1:
        return []
    return session.scalars(query).all()


def _body(session: Session, alert: Alert, links: Links) -> Mapping[str, object]:
    """What a receiver learns: the kind, ids, and a sentence that names nobody."""
    store = session.get(Store, alert.store_id) if alert.store_id is not None else None
    said, hint = load_text(alert.said), load_text(alert.hint)
    return {
        "id": alert.id,
        "kind": alert.kind,
        "severity": alert.severity,
        "since": alert.since.isoformat(),
        "closed_at": alert.closed_at.isoformat() if alert.closed_at else None,
        "store": store.code if store else None,
        "message": {"pl": said.pl, "en": said.en},
        "hint": {"pl": hint.pl, "en": hint.en},
        "links": {"page": f"{links.base}/alerts"},
    }
