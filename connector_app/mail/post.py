"""Sending what is on the list, store by store; whatever goes wrong here holds nothing else up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import EmailMessage

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import joinedload, undefer

from connector_app import buyer_links
from connector_app.keeping import damage
from connector_app.keeping.reading import ArchiveDamaged
from connector_app.log_events import Said
from connector_app.logs import Log, bound
from connector_app.mail.compose import compose, message_id, usable_address
from connector_app.mail.settings import MailSettings
from connector_app.mail.transport import MailError, MailInDoubt, MailRefused, MailUnavailable, Transport
from connector_app.measures import MAILS
from connector_app.pictures import picture
from connector_app.pipeline import life
from connector_app.pipeline.messages import facts_of
from connector_app.pipeline.publish import language_of, transfer_on, verification_link
from connector_app.pipeline.services import Services
from connector_app.policies import StorePolicy
from connector_app.store.lanes import of_mail
from connector_app.store.models import Document, Mail, MailState, ShopOrder, Store
from connector_app.store.snapshots import from_json
from connector_app.texts import Occasion, Reader, Slot, effective, fill
from connector_app.vault import VaultLocked
from core.findings import Text

_log = Log(__name__)

_AT_ONCE = 20
"""Messages of a seller in one pass, so that a long list keeps no invoice waiting."""

_PATIENT_TRIES = 40
"""Tries of one message, over about a day and a half, before it counts as refused."""

_BROKEN_PAUSE = timedelta(minutes=15)
_OFFLINE = frozenset({Occasion.OFFLINE.value, Occasion.OFFLINE_CORRECTION.value})
_NO_ADDRESS = "the order has no usable e-mail address"
_SWITCHED_OFF = "the store no longer sends e-mails"
_NUMBER_CAME = "the KSeF number came first"
_DIED = "the program ended while it was sending"


def post_all(services: Services, seller_id: int) -> tuple[int, list[Text]]:
    """Send what is due of a seller's messages.

    Returns:
        How many were touched, and sentences about mail servers that cannot be used.

    Raises:
        SQLAlchemyError: the database cannot be used.
    """
    due = _due(services, seller_id)
    problems: list[Text] = []
    worked = 0
    for store_id in dict.fromkeys(due.values()):
        ids = [one for one, of_store in due.items() if of_store == store_id]
        worked += len(ids)
        problem = _post_store(services, store_id, ids)
        if problem is not None:
            problems.append(problem)
    return worked, problems


def _due(services: Services, seller_id: int) -> dict[int, int]:
    """Ids of messages that are due, each with its store's."""
    waits = or_(Mail.next_attempt_at.is_(None), Mail.next_attempt_at <= services.clock())
    with services.database() as session:
        rows = session.execute(
            select(Mail.id, ShopOrder.store_id)
            .join(Document, Mail.document_id == Document.id)
            .join(ShopOrder, Document.order_id == ShopOrder.id)
            .where(
                Document.seller_id == seller_id,
                or_((Mail.state == MailState.DUE) & waits, Mail.state == MailState.SENDING),
            )
            .order_by(Mail.id)
            .limit(_AT_ONCE)
        )
        return {row.id: row.store_id for row in rows}


def _post_store(services: Services, store_id: int, ids: list[int]) -> Text | None:
    with services.database() as session:
        store = session.get_one(Store, store_id)
    try:
        settings = settings_of(services, store)
    except VaultLocked as error:
        return _put_off(services, store, str(error), _BROKEN_PAUSE)
    if settings is None:
        return _put_off(
            services, store, f"no mail server: ksef-connector mail set {store.code}", _BROKEN_PAUSE
        )
    transport = Transport(settings)
    try:
        for mail_id in ids:
            try:
                with bound(mail_id=mail_id, store_id=store_id):
                    _post(services, mail_id, settings, transport)
            except MailUnavailable as error:
                _log.warning(Said.MAIL_FAILED, error, mail_id=mail_id)
                attempts = _failed(services, mail_id, error)
                if error.of_server:
                    return _put_off(services, store, str(error), life.pause_after(attempts))
            except SQLAlchemyError:
                raise
            except ArchiveDamaged as error:
                damage.note(services, error)
                _wait_for_repair(services, mail_id, error)
            except Exception as error:
                _log.failed(Said.MAIL_FAILED, error, mail_id=mail_id)
                _failed(services, mail_id, MailInDoubt("an internal error; the log has details"))
    finally:
        transport.close()
    return None


def settings_of(services: Services, store: Store) -> MailSettings | None:
    """A store's mail server; ``None`` when it has none.

    Raises:
        VaultLocked: they cannot be decrypted.
    """
    if store.mail is None:
        return None
    values = services.vault.unseal(store.mail)
    if not isinstance(values, dict):
        raise TypeError("a store's mail settings must be a table")
    return MailSettings.from_json(values)


@dataclass(frozen=True, slots=True)
class _Letter:
    """A message ready to go.

    Attributes:
        recipient: whom it goes to. message: what goes.
    """

    recipient: str = field(repr=False)
    message: EmailMessage = field(repr=False)


def _post(services: Services, mail_id: int, settings: MailSettings, transport: Transport) -> None:
    """Send one message.

    Raises:
        MailUnavailable: nothing was sent; later.
    """
    letter = _prepare(services, mail_id, settings)
    if not isinstance(letter, _Letter):
        state, why = letter
        _settle(services, mail_id, state, why)
        return
    identity = str(letter.message["Message-ID"])

    def before_text() -> None:
        with services.database.begin(of_mail(mail_id)) as session:
            row = session.get_one(Mail, mail_id)
            row.state, row.message_id, row.failure = MailState.SENDING.value, identity, None

    try:
        transport.send(letter.message, letter.recipient, before_text)
    except MailRefused as error:
        _log.warning(Said.MAIL_FAILED, error)
        _settle(services, mail_id, MailState.REFUSED, str(error))
    except MailInDoubt as error:
        _log.warning(Said.MAIL_FAILED, error)
        _settle(services, mail_id, MailState.UNKNOWN, str(error))
    else:
        _settle(services, mail_id, MailState.SENT, None)


def _prepare(services: Services, mail_id: int, settings: MailSettings) -> _Letter | tuple[MailState, str]:
    """The message, or the state in which it ends instead, and why."""
    with services.database() as session:
        row = session.get_one(Mail, mail_id)
        if row.state == MailState.SENDING:
            return MailState.UNKNOWN, _DIED
        document = session.scalars(
            select(Document)
            .where(Document.id == row.document_id)
            .options(undefer(Document.xml), joinedload(Document.order).joinedload(ShopOrder.store))
        ).one()
        _ = document.seller
        store, snapshot, occasion = document.order.store, document.order.snapshot, row.occasion
    policy = StorePolicy.from_json(store.policy)
    if not policy.mail:
        return MailState.DROPPED, _SWITCHED_OFF
    if occasion in _OFFLINE and document.ksef_number is not None:
        return MailState.DROPPED, _NUMBER_CAME
    recipient = usable_address(from_json(snapshot).buyer.email) if snapshot else ""
    if not recipient:
        return MailState.DROPPED, _NO_ADDRESS
    language = language_of(document, policy)
    page = buyer_links.link(services, document)
    facts = facts_of(document, language, verification_link(document), transfer_on(services, document), page)
    subject, body = (
        fill(effective(store.texts, Slot(reader, Occasion(occasion)), language), facts)
        for reader in (Reader.MAIL_SUBJECT, Reader.MAIL_BODY)
    )
    identity = message_id(settings, f"{document.xml_sha256}:{occasion}")
    pdf = (facts.invoice_number, picture(document, language))
    return _Letter(recipient, compose(settings, recipient, subject, body, identity, services.clock(), pdf))


_ENDS = {
    MailState.SENT: Text("E-mail do nabywcy wysłano.", "The e-mail to the buyer was sent."),
    MailState.UNKNOWN: Text(
        "Nie wiadomo, czy e-mail do nabywcy wyszedł; łącznik go nie powtarza",
        "It is not known whether the e-mail to the buyer went out; it is not repeated",
    ),
    MailState.REFUSED: Text(
        "Serwer poczty nie przyjął e-maila do nabywcy", "The mail server did not take the e-mail to the buyer"
    ),
    MailState.DROPPED: Text("E-maila do nabywcy nie wysłano", "No e-mail was sent to the buyer"),
}


def _settle(services: Services, mail_id: int, state: MailState, why: str | None) -> None:
    said = _ENDS[state]
    text = said if why is None else Text(f"{said.pl}: {why}", f"{said.en}: {why}")

    services.measures.count(MAILS, "buyers", state.value)

    def end(row: Mail) -> None:
        now = services.clock()
        row.state, row.failure, row.next_attempt_at = state.value, why, None
        if state is MailState.SENT:
            row.sent_at = now
        life.note(row.document, text, now)

    _change(services, mail_id, end)


def _failed(services: Services, mail_id: int, error: MailError) -> int:
    """Put one message off, or give it up after many tries; returns the tries before this one."""
    with services.database() as session:
        row = session.get_one(Mail, mail_id)
        attempts, state = row.attempts, row.state
    if state == MailState.SENDING and isinstance(error, MailInDoubt):
        _settle(services, mail_id, MailState.UNKNOWN, str(error))
        return attempts
    if attempts + 1 >= _PATIENT_TRIES:
        _settle(services, mail_id, MailState.REFUSED, str(error))
        return attempts

    def later(row: Mail) -> None:
        row.state, row.failure = MailState.DUE.value, str(error)
        row.next_attempt_at = services.clock() + life.pause_after(row.attempts)
        row.attempts += 1

    _change(services, mail_id, later)
    return attempts


def _wait_for_repair(services: Services, mail_id: int, error: ArchiveDamaged) -> None:
    """Nothing was sent: a damaged document is shown to nobody. Once it is whole the message goes out."""

    def later(row: Mail) -> None:
        row.failure, row.next_attempt_at = str(error), services.clock() + _BROKEN_PAUSE

    _change(services, mail_id, later)


def _change(services: Services, mail_id: int, apply: Callable[[Mail], None]) -> None:
    with services.database.begin(of_mail(mail_id)) as session:
        apply(session.get_one(Mail, mail_id, options=[joinedload(Mail.document)]))


def _put_off(services: Services, store: Store, why: str, pause: timedelta) -> Text:
    """Leave a store's mail server alone for some time."""
    of_store: ColumnElement[bool] = Mail.document_id.in_(
        select(Document.id).join(ShopOrder).where(ShopOrder.store_id == store.id)
    )
    until = services.clock() + pause
    with services.database.begin(store.seller_id) as session:
        session.execute(
            update(Mail)
            .where(
                of_store,
                Mail.state == MailState.DUE,
                or_(Mail.next_attempt_at.is_(None), Mail.next_attempt_at < until),
            )
            .values(next_attempt_at=until)
            .execution_options(synchronize_session=False)
        )
    return Text(f"Poczta sklepu {store.code}: {why}", f"Mail of store {store.code}: {why}")
