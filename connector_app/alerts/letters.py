"""Letters about alerts: one to a person and round, sent at most once, like e-mails to buyers.

A letter's row says ``sending`` before the mail server is given the text. Whoever finds it so later does not
know whether it arrived, and does not send it again: a reminder comes anyhow. A server that does not take it
leaves it on the list, where what is new meanwhile joins it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from connector_app.alerts.server import Servers
from connector_app.alerts.telling import What
from connector_app.alerts.wording import Entry, body_of, subject_of
from connector_app.hooks.happenings import Links
from connector_app.log_events import Said
from connector_app.logs import Log, bound, reason
from connector_app.mail.compose import compose, message_id, usable_address
from connector_app.mail.settings import MailSettings
from connector_app.mail.transport import MailError, MailInDoubt, MailRefused, MailUnavailable, Transport
from connector_app.measures import MAILS
from connector_app.pipeline import life
from connector_app.pipeline.services import Services, load_text
from connector_app.store.models import Seller
from connector_app.store.people import User
from connector_app.store.watching import Alert, AlertLetter, LetterState

_log = Log(__name__)

_AT_ONCE = 50
"""Letters of one round."""


def send_due(services: Services, links: Links) -> int:
    """Send the letters that are due.

    Args:
        services: the installation.
        links: where the reader finds more.

    Returns:
        How many were touched.

    Raises:
        SQLAlchemyError: the database cannot be used.
    """
    now = services.clock()
    due = (AlertLetter.state == LetterState.DUE.value) & or_(
        AlertLetter.next_attempt_at.is_(None), AlertLetter.next_attempt_at <= now
    )
    with services.database() as session:
        ids = session.scalars(
            select(AlertLetter.id)
            .where(or_(due, AlertLetter.state == LetterState.SENDING.value))
            .order_by(AlertLetter.id)
            .limit(_AT_ONCE)
        ).all()
    if not ids:
        return 0
    transports: dict[MailSettings, Transport] = {}
    try:
        for letter_id in ids:
            with bound(task="alerts", letter_id=letter_id):
                _send(services, letter_id, links, transports)
    finally:
        for one in transports.values():
            one.close()
    return len(ids)


@dataclass(frozen=True, slots=True)
class _Ready:
    """A letter ready to go.

    Attributes:
        settings: by which server. recipient: whom it goes to. message: what goes.
    """

    settings: MailSettings
    recipient: str = field(repr=False)
    message: EmailMessage = field(repr=False)


def _send(
    services: Services, letter_id: int, links: Links, transports: dict[MailSettings, Transport]
) -> None:
    ready = _prepare(services, letter_id, links)
    if not isinstance(ready, _Ready):
        _settle(services, letter_id, ready)
        return
    transport = transports.setdefault(ready.settings, Transport(ready.settings))

    def before_text() -> None:
        with services.database.begin() as session:
            row = session.get_one(AlertLetter, letter_id)
            row.state, row.message_id = LetterState.SENDING.value, str(ready.message["Message-ID"])

    try:
        transport.send(ready.message, ready.recipient, before_text)
    except MailUnavailable as error:
        _later(services, letter_id, error)
    except MailRefused as error:
        _settle(services, letter_id, LetterState.REFUSED, error)
    except MailInDoubt as error:
        _settle(services, letter_id, LetterState.UNKNOWN, error)
    else:
        _settle(services, letter_id, LetterState.SENT)


def _prepare(services: Services, letter_id: int, links: Links) -> _Ready | LetterState:
    """The letter, or the state in which it ends instead."""
    with services.database() as session:
        row = session.get_one(AlertLetter, letter_id)
        if row.state == LetterState.SENDING:
            return LetterState.UNKNOWN
        person = session.get_one(User, row.user_id)
        settings = Servers(services, session).of_person(person)
        recipient = usable_address(person.email)
        entries = entries_of(session, row.items)
    if person.disabled_at is not None or settings is None or not recipient or not entries:
        return LetterState.DROPPED
    return _Ready(
        settings,
        recipient,
        compose(
            settings,
            recipient,
            subject_of(entries, person.language),
            body_of(entries, person.language, links),
            message_id(settings, f"alert-letter {letter_id} {row.created_at.isoformat()}"),
            services.clock(),
        ),
    )


def entries_of(session: Session, items: Sequence[dict[str, object]]) -> list[Entry]:
    """What a letter says, by its list: alerts as they stand now."""
    found = []
    for item in items:
        alert = session.get(Alert, item["alert"])
        if alert is None:
            continue
        seller = session.get(Seller, alert.seller_id) if alert.seller_id is not None else None
        found.append(
            Entry(
                What(str(item["what"])),
                f"{seller.name} (NIP {seller.nip})" if seller else "",
                load_text(alert.said),
                load_text(alert.hint),
                alert.severity,
                alert.since,
                alert.closed_at,
            )
        )
    return found


def _settle(services: Services, letter_id: int, state: LetterState, error: MailError | None = None) -> None:
    services.measures.count(MAILS, "alerts", state.value)
    if error is not None:
        _log.warning(Said.MAIL_FAILED, error, letter_id=letter_id)
    with services.database.begin() as session:
        row = session.get_one(AlertLetter, letter_id)
        row.state, row.next_attempt_at = state.value, None
        row.failure = str(reason(error)["error"]) if error is not None else None
        if state is LetterState.SENT:
            row.sent_at = services.clock()


def _later(services: Services, letter_id: int, error: MailUnavailable) -> None:
    services.measures.count(MAILS, "alerts", "later")
    _log.warning(Said.MAIL_FAILED, error, letter_id=letter_id)
    with services.database.begin() as session:
        row = session.get_one(AlertLetter, letter_id)
        row.state = LetterState.DUE.value
        row.failure = type(error).__name__
        row.next_attempt_at = services.clock() + life.pause_after(row.attempts)
        row.attempts += 1
