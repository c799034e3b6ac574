"""The collective UPO of each session: fetched when the session has ended, checked, stored.

It begins with the first document that KSeF accepts in a session, in the same transaction, so that no crash
forgets it and no session without an accepted document is asked for. It has a clock of its own: nothing waits
for it, and its trouble holds up nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import object_session, undefer

from connector_app.keeping.reading import ArchiveDamaged, digest, page_of
from connector_app.ksef_access import SellerAccess, hash_text
from connector_app.log_events import Said
from connector_app.logs import Log
from connector_app.pipeline import life
from connector_app.pipeline.services import Services, dump_text
from connector_app.pipeline.signers import keep_signer
from connector_app.store.models import Document, Seller
from connector_app.store.proofs import SessionUpo, SessionUpoPage
from core.findings import Text
from core.ksef import status, upo
from core.ksef.answers import SessionStatus, UpoPage
from core.ksef.errors import (
    AuthenticationFailed,
    Forbidden,
    KsefBusy,
    KsefError,
    KsefRefused,
    KsefUnavailable,
    ProofMismatch,
    SignInNeeded,
    Unauthorized,
)
from core.ksef.upo_signature import check_signature

_log = Log(__name__)

_DONE = 200
_MOST = 20
"""Sessions that one pass looks at."""
_POLLS = (2, 5, 15, 60, 300, 900)
"""Seconds between looks at a session whose UPO KSeF is still making."""
_PATIENT_TRIES = 12
"""Tries, over some hours, before a refusal is believed."""
_AFTER_END = timedelta(minutes=1)

UNFINISHED: ColumnElement[bool] = SessionUpo.ended_at.is_(None)
"""Sessions whose UPO is still awaited."""

_OPEN = Text("Sesja w KSeF jest jeszcze otwarta.", "The session is still open at KSeF.")
_MAKING = Text("KSeF przygotowuje zbiorcze UPO sesji.", "KSeF is making the session's UPO.")
_INTERNAL = Text("Błąd wewnętrzny; szczegóły są w dzienniku.", "An internal error; the log has details.")


def expect(row: Document, now: datetime) -> None:
    """Note that the session of an accepted document will have a UPO.

    Args:
        row: accepted, inside the transaction that says so; without a session there is nothing to ask for.
        now: aware UTC; the first look is a moment later.
    """
    session = object_session(row)
    assert session is not None, "a document is changed inside a transaction"
    if row.session_reference is None:
        return
    key = (row.seller_id, row.session_reference)
    found = session.get(SessionUpo, key)
    if found is None:
        found = SessionUpo(
            seller_id=row.seller_id,
            reference=row.session_reference,
            attempts=0,
            next_at=now + timedelta(seconds=_POLLS[0]),
        )
        session.add(found)
        session.flush()
    # kept by the transaction, so that a batch's other documents do not ask the database again
    session.info[key] = found


def collect(services: Services, seller_id: int) -> None:
    """Look after the sessions of a seller whose UPO is due; raises nothing but a broken database.

    Raises:
        SQLAlchemyError: the database cannot be used.
    """
    with services.database() as session:
        seller = session.get_one(Seller, seller_id)
    due = _due(services, seller)
    if not due:
        return
    try:
        access = services.access(seller)
        for reference in due:
            _Session(services, access, seller_id, reference).advance()
    except SQLAlchemyError:
        raise
    except KsefBusy as busy:
        _put_off(services, seller_id, busy.hint, timedelta(seconds=min(busy.retry_after, 86_400.0)))
    except KsefError as error:
        _put_off(services, seller_id, _failure(error), life.pause_after(len(_POLLS) - 1))
    except Exception as error:
        # also a credential that cannot be used: the lane's work says so, where somebody waits for it
        _log.failed(Said.LANE_FAILED, error, seller_id=seller_id)
        _put_off(services, seller_id, _INTERNAL, life.pause_after(len(_POLLS)))


def _due(services: Services, seller: Seller) -> list[str]:
    """References of sessions to look at; the one that still takes documents is left alone."""
    now = services.clock()
    open_one = seller.session_reference or ""
    with services.database() as session:
        return list(
            session.scalars(
                select(SessionUpo.reference)
                .where(
                    _unfinished(seller.id),
                    SessionUpo.reference != open_one,
                    or_(SessionUpo.next_at.is_(None), SessionUpo.next_at <= now),
                )
                .order_by(SessionUpo.next_at, SessionUpo.reference)
                .limit(_MOST)
            )
        )


def _unfinished(seller_id: int) -> ColumnElement[bool]:
    return (SessionUpo.seller_id == seller_id) & UNFINISHED


def _put_off(services: Services, seller_id: int, why: Text, pause: timedelta) -> None:
    """All of a seller's sessions wait."""
    until = services.clock() + pause
    with services.database.begin(seller_id) as session:
        session.execute(
            update(SessionUpo)
            .where(_unfinished(seller_id), or_(SessionUpo.next_at.is_(None), SessionUpo.next_at < until))
            .values(next_at=until, waits_for=dump_text(why))
            .execution_options(synchronize_session=False)
        )


def _failure(error: KsefError) -> Text:
    return Text(f"{error} {error.hint.pl}".strip(), f"{error} {error.hint.en}".strip())


@dataclass(frozen=True, slots=True)
class _Session:
    """One session whose UPO is due."""

    services: Services
    access: SellerAccess
    seller_id: int
    reference: str

    def advance(self) -> None:
        """Ask for the session, and fetch the pages of its UPO once they are there.

        Raises:
            KsefError: KSeF does not answer or does not let us in; all sessions wait.
        """
        try:
            where = self.access.call(lambda token: status.session(self.access.client, token, self.reference))
            self._follow(where)
        except (KsefUnavailable, Unauthorized, AuthenticationFailed, Forbidden, SignInNeeded):
            raise
        except ProofMismatch as error:
            self._later(_failure(error))
        except KsefRefused as error:
            # no such session, or KSeF no longer keeps it: not asked for ever
            self._later(_failure(error), most=_PATIENT_TRIES)

    def _follow(self, where: SessionStatus) -> None:
        if where.is_open:
            end = where.valid_until
            self._change(lambda row, now: _wait(row, _OPEN, (end or now) + _AFTER_END, now))
        elif where.upo_pages:
            self._fetch(where.upo_pages)
        elif where.is_processing or where.code == _DONE:
            self._change(_poll)
        else:
            words = where.explanation.title
            self._end(
                Text(
                    f"Sesja nie ma zbiorczego UPO: {words.pl} ({where.code}).",
                    f"The session has no collective UPO: {words.en} ({where.code}).",
                )
            )

    def _fetch(self, pages: tuple[UpoPage, ...]) -> None:
        """Fetch what is missing, page by page, each kept at once; then see that nothing of ours is left out.

        Raises:
            ProofMismatch: a page does not prove what it should, or none names one of our documents.
        """
        ours = self._ours()
        proven: set[str] = set()
        for number, page in enumerate(pages, 1):
            content = self._stored(number, page)
            if content is None:
                content = self._download(page)
                signature = check_signature(content, self.services.upo_trust)
                proven |= upo.check_page(upo.parse_upo(content), self.reference, (number, len(pages)), ours)
                made = SessionUpoPage(
                    seller_id=self.seller_id,
                    session_reference=self.reference,
                    page=number,
                    reference=page.reference,
                    content=content,
                    sha256=digest(content),
                )
                with self.services.database.begin(self.seller_id) as session:
                    row = session.get_one(SessionUpo, (self.seller_id, self.reference))
                    made.certificate = keep_signer(row, signature, self.services.clock())
                    session.merge(made)
            else:
                found = upo.parse_upo(content)
                proven |= upo.check_page(found, self.reference, (number, len(pages)), ours)
        left = sorted(set(ours) - proven)
        if left:
            raise ProofMismatch(f"the session's UPO names {left[0]} and {len(left) - 1} others nowhere")
        self._end(None)

    def _ours(self) -> dict[str, str]:
        """KSeF numbers of our documents in the session to their hashes."""
        with self.services.database() as session:
            rows = session.execute(
                select(Document.ksef_number, Document.xml_sha256).where(
                    Document.session_reference == self.reference,
                    Document.seller_id == self.seller_id,
                    Document.ksef_number.is_not(None),
                    Document.xml_sha256.is_not(None),
                )
            )
            return {number: hash_text(digest) for number, digest in rows if number and digest}

    def _stored(self, number: int, page: UpoPage) -> bytes | None:
        with self.services.database() as session:
            row = session.get(
                SessionUpoPage,
                (self.seller_id, self.reference, number),
                options=[undefer(SessionUpoPage.content)],
            )
            try:
                return page_of(row) if row is not None and row.reference == page.reference else None
            except ArchiveDamaged:
                return None  # fetched again

    def _download(self, page: UpoPage) -> bytes:
        """By its address, which costs nothing of the limits; by its reference when that does not work."""
        client = self.access.client
        try:
            return upo.fetch_url(client, page.url)
        except (KsefRefused, KsefUnavailable):
            return self.access.call(
                lambda token: upo.fetch_page(client, token, self.reference, page.reference)
            )

    def _end(self, why: Text | None) -> None:
        def apply(row: SessionUpo, now: datetime) -> None:
            row.ended_at, row.next_at = now, None
            row.waits_for = dump_text(why) if why else None

        self._change(apply)

    def _later(self, why: Text, *, most: int | None = None) -> None:
        """Try again after a pause, or give up after so many tries."""

        def apply(row: SessionUpo, now: datetime) -> None:
            _wait(row, why, now + life.pause_for_proof(row.attempts), now)
            if most is not None and row.attempts >= most:
                row.ended_at, row.next_at = now, None

        self._change(apply)

    def _change(self, apply: Callable[[SessionUpo, datetime], None]) -> None:
        with self.services.database.begin(self.seller_id) as session:
            apply(session.get_one(SessionUpo, (self.seller_id, self.reference)), self.services.clock())


def _wait(row: SessionUpo, why: Text, until: datetime, now: datetime) -> None:
    row.next_at = max(until, now)
    row.attempts += 1
    row.waits_for = dump_text(why)


def _poll(row: SessionUpo, now: datetime) -> None:
    pause = _POLLS[min(row.attempts, len(_POLLS) - 1)]
    _wait(row, _MAKING, now + timedelta(seconds=pause), now)
