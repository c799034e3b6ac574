"""One seller's lane: everything that is due for a seller, in the order in which it makes sense.

Numbering and sending of a seller are serial. Nothing is issued before KSeF has let us in, says that the
session is open, and the budget takes another document, so that P_1 is the day on which the document really
goes out (principle 8), and an outage leaves orders ``ready`` instead of using up numbers.

In an announced outage documents are issued offline before that, where the store's policy says so; they go out
when KSeF is back, the earliest deadline first.

What goes wrong is kept where it belongs: one document's trouble postpones that document, a used-up limit
postpones one kind of work, and only KSeF itself (down, or not letting us in) holds the lane.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import InstrumentedAttribute

from connector_app.ksef_access import SellerAccess
from connector_app.log_events import Said
from connector_app.logs import Log, bound
from connector_app.mail import post
from connector_app.pipeline import deciding, holds, life, offline, session_upos
from connector_app.pipeline.alone import alone, ids_of
from connector_app.pipeline.batches.turn import turn, waits
from connector_app.pipeline.corrections import issue_due
from connector_app.pipeline.due import ISSUED, LACKS_PROOF, READY, SENT, SINGLY, WITH_KSEF, Due, Work, look
from connector_app.pipeline.offline import OfflinePlan
from connector_app.pipeline.proof import StorageSilent, collect_upo, keep_upos, postpone_proof
from connector_app.pipeline.recheck import Recheck
from connector_app.pipeline.services import Services, dump_text, load_text
from connector_app.pipeline.shopwork import publish_all
from connector_app.pipeline.slices import ENDLESS, Slice
from connector_app.pipeline.submit import LaneBlocked, submit
from connector_app.pipeline.track import track
from connector_app.profiles import BadProfile
from connector_app.store.models import Document, DocumentState, Seller
from connector_app.vault import VaultLocked
from core.fa import registry
from core.findings import Text
from core.ksef.errors import KsefBusy, KsefError, KsefRefused, KsefUnavailable
from core.signing.keys import KeyMaterialError

_log = Log(__name__)

_REFUSED_PAUSE = 900.0
"""Seconds between tries while KSeF refuses the credential: only a person can change that."""

_ONLY_A_PERSON = (KsefRefused, KeyMaterialError, VaultLocked, BadProfile)
"""Errors that waiting does not heal."""

_MOST_PROBLEMS = 5
"""Different reasons for waiting that one pass tells of."""

_MOST_PROOFS = 100
"""UPOs that one pass fetches."""
_KEPT_TOGETHER = 10
"""UPOs that are kept in one transaction, for each waits for the disk."""

_LANE_FAILED = Text(
    "Błąd wewnętrzny programu przy tym sprzedawcy; szczegóły są w dzienniku. Program ponowi próbę.",
    "An internal error of the program at this seller; the log has details. It will be tried again.",
)

# asked for by a person, or a technical correction
_OFFLINE = Document.offline_asked | Document.offline_mode.is_not(None)


@dataclass(slots=True)
class LaneResult:
    """What one pass over a lane did.

    Attributes:
        worked: documents that were touched.
        problems: sentences about what held the lane or a store up.
    """

    worked: int = 0
    problems: list[Text] = field(default_factory=list)

    def tell(self, problem: Text | None) -> None:
        """Keep a sentence, once."""
        if problem is not None and problem not in self.problems:
            self.problems.append(problem)


def run_lane(services: Services, seller_id: int, time: Slice = ENDLESS) -> LaneResult:
    """Do everything that is due for one seller now.

    Args:
        services: the outside world.
        seller_id: the seller; whoever calls holds the seller's lane.
        time: when it is over, the rest is left for the next pass; KSeF gets half of it, shops the rest.

    Errors of KSeF and of shops end up as what documents wait for; nothing of them is raised.

    Raises:
        SQLAlchemyError: the database cannot be used; nothing can be done for anybody.
    """
    with bound(task="lane", seller_id=seller_id):
        result = _run_lane(services, seller_id, time)
    services.measures.mark("lane", services.clock())
    services.measures.keep_now_and_then(services.database)
    return result


def _run_lane(services: Services, seller_id: int, time: Slice) -> LaneResult:
    result = LaneResult()
    with services.database() as session:
        seller = session.get_one(Seller, seller_id)
    due = look(services, seller_id)
    if due.is_now(Work.DECIDE):
        result.worked += deciding.settle_due(services, seller_id)
        due = look(services, seller_id)
    if due.is_now(Work.KSEF) and holds.may_issue_offline(seller):
        _work_offline(services, seller, result, time.half())
    held = holds.hold_of(seller, services.clock())
    if held is not None and (due.is_now(Work.KSEF) or due.has(Work.BATCH)):
        result.tell(held.why)
    if held is None and due.is_now(*WITH_KSEF):
        _work_with_ksef(services, seller, result, time.half())
    if due.is_now(*WITH_KSEF):
        due = look(services, seller_id)
    _bring_back(services, seller_id, due, result, time)
    if held is None and due.is_now(Work.UPO):
        session_upos.collect(services, seller_id)
    return result


def _bring_back(services: Services, seller_id: int, due: Due, result: LaneResult, time: Slice) -> None:
    """Write to shops and buyers what is due, and say what the rest waits for."""
    if due.is_now(Work.PUBLISH, Work.TELL):
        worked, problems = publish_all(services, seller_id, time)
        result.worked += worked
        for problem in problems:
            result.tell(problem)
        due = look(services, seller_id)
    if due.is_now(Work.MAIL):
        posted, unposted = post.post_all(services, seller_id)
        result.worked += posted
        for problem in unposted:
            result.tell(problem)
    if due.has(Work.KSEF, Work.BATCH, Work.PUBLISH):
        for problem in (*_put_off(services, seller_id), *waits(services, seller_id)):
            result.tell(problem)


def _work_offline(services: Services, seller: Seller, result: LaneResult, time: Slice) -> None:
    """Issue offline what may be issued so now, and say of the others what they wait for."""
    now = services.clock()
    with services.database() as session:
        announced = offline.may_apply(session, seller, now)
    due = _due(services, seller.id, READY if announced else READY & _OFFLINE)
    if not due:
        return
    recheck = Recheck(services)

    def step(document_id: int) -> None:
        found = offline.plan(services, document_id)
        if isinstance(found, OfflinePlan):
            recheck(document_id)
            issue_due(services, document_id, recheck.shop_of, found)
            result.worked += 1
        elif found is not None:
            offline.wait(services, document_id, found)

    try:
        known = ids_of(services, due)
        for document_id in due:
            if time.is_over():
                break
            result.tell(alone(services, document_id, step, known))
    except SQLAlchemyError:
        raise
    except Exception as error:
        # the seller's settings or secrets; the lane's work with KSeF says so and waits
        result.tell(_explain(error)[0])
    finally:
        recheck.close()


def _put_off(services: Services, seller_id: int) -> list[Text]:
    """What documents wait for that are not due yet; KSeF at work on them is no trouble."""
    states = (DocumentState.READY, DocumentState.ISSUED, DocumentState.ACCEPTED)
    with services.database() as session:
        waits = session.scalars(
            select(Document.waiting_for)
            .where(
                Document.seller_id == seller_id,
                Document.state.in_(states),
                Document.next_attempt_at > services.clock(),
                Document.waiting_for.is_not(None),
            )
            .distinct()
            .limit(_MOST_PROBLEMS)
        )
        return [load_text(one) for one in waits if one is not None]


def _work_with_ksef(services: Services, seller: Seller, result: LaneResult, time: Slice) -> None:
    recheck = Recheck(services)
    before = result.worked
    try:
        access = services.access(seller)
        schema = registry.schema_for(seller.schema_version)
        services.profile(seller)

        def send_new(document_id: int) -> None:
            access.ready_to_send(schema)
            recheck(document_id)
            issue_due(services, document_id, recheck.shop_of)
            submit(services, document_id, access)

        stage = _Stage(services, seller.id, result, time)
        stage.run(SENT, lambda one: track(services, one, access))
        if not time.is_over():
            worked, problems = turn(services, seller, access, recheck, time)
            result.worked += worked
            for problem in problems:
                result.tell(problem)
        stage.run(ISSUED, lambda one: submit(services, one, access))
        stage.run(READY, send_new)
        stage.run_proofs(access)
        if seller.hold is not None and result.worked > before:
            holds.lift(services, seller.id)
    except SQLAlchemyError:
        raise
    except Exception as error:
        why, at_least = _explain(error)
        if why is not _LANE_FAILED:
            _log.warning(Said.LANE_HELD, error)
        result.tell(why)
        now = services.clock()
        # what waits for something else keeps its own reason
        waiting = SINGLY & or_(Document.next_attempt_at.is_(None), Document.next_attempt_at <= now)
        holds.hold(
            services, seller.id, why, waiting, at_least=at_least, refused=isinstance(error, _ONLY_A_PERSON)
        )
    finally:
        recheck.close()


@dataclass(frozen=True, slots=True)
class _Stage:
    """Runs one step over the documents of a lane that are due for it."""

    services: Services
    seller_id: int
    result: LaneResult
    time: Slice

    def run(self, what: ColumnElement[bool], step: Callable[[int], object]) -> None:
        """Do a step for each document.

        Raises:
            KsefError: the lane has to wait.
            SQLAlchemyError: the database cannot be used.
        """
        due = _due(self.services, self.seller_id, what)
        known = ids_of(self.services, due)
        for document_id in due:
            if self.time.is_over():
                return
            try:
                self.result.tell(alone(self.services, document_id, step, known))
            except (LaneBlocked, KsefError) as error:
                cause = error.cause if isinstance(error, LaneBlocked) else error
                if isinstance(cause, KsefBusy):
                    self._wait(what, cause)
                    return
                if isinstance(error, LaneBlocked) and isinstance(cause, KsefUnavailable):
                    # perhaps KSeF fails at this document only: the others must not stand behind it for ever
                    life.postpone_one(self.services, document_id, _explain(cause)[0])
                raise cause from error
            self.result.worked += 1

    def run_proofs(self, access: SellerAccess) -> None:
        """Fetch what UPOs are due; waiting for them never holds anything else up.

        Many are left to the next pass: their documents' numbers go to the shop first.
        """
        due = _unproven(self.services, self.seller_id)
        for begin in range(0, len(due), _KEPT_TOGETHER):
            if self.time.is_over():
                return
            collected: dict[int, life.Change] = {}
            try:
                go_on = self._collect(due[begin : begin + _KEPT_TOGETHER], access, collected)
            finally:
                # what was fetched before something went wrong
                keep_upos(self.services, self.seller_id, collected)
            if not go_on:
                return

    def _collect(self, due: Sequence[int], access: SellerAccess, collected: dict[int, life.Change]) -> bool:
        """Fetch some UPOs; whether there is any use in fetching more now."""
        for document_id in due:
            try:
                collected[document_id] = collect_upo(self.services, document_id, access)
            except StorageSilent as silent:
                until = postpone_proof(self.services, document_id, silent.cause).proof_next_at
                self._wait_for_proofs(_explain(silent.cause)[0], until, Document.upo_address.is_not(None))
                return False
            except LaneBlocked as blocked:
                if isinstance(blocked.cause, KsefBusy):
                    until = self.services.clock() + _asked(blocked.cause)
                    self._wait_for_proofs(blocked.cause.hint, until)
                    return False
                postpone_proof(self.services, document_id, blocked.cause)
                raise blocked.cause from blocked
            self.result.worked += 1
        return True

    def _wait(self, what: ColumnElement[bool], busy: KsefBusy) -> None:
        """A limit is used up: this kind of work waits, and no failure is counted."""
        _log.warning(Said.LIMIT_REACHED, busy, own_budget=busy.own_budget)
        self.result.tell(busy.hint)
        of_seller = what & (Document.seller_id == self.seller_id)
        holds.put_off(self.services, self.seller_id, of_seller, busy.hint, _asked(busy))

    def _wait_for_proofs(self, why: Text, until: datetime | None, *which: ColumnElement[bool]) -> None:
        with self.services.database.begin(self.seller_id) as session:
            session.execute(
                update(Document)
                .where(Document.seller_id == self.seller_id, LACKS_PROOF, *which)
                .values(proof_next_at=until, proof_waits_for=dump_text(why))
                .execution_options(synchronize_session=False)
            )


def _asked(busy: KsefBusy) -> timedelta:
    return timedelta(seconds=min(busy.retry_after, 86_400.0))


def _explain(error: Exception) -> tuple[Text, float]:
    """What to tell a person, and how many seconds to wait at the least."""
    if isinstance(error, KsefBusy):
        return error.hint, error.retry_after
    if isinstance(error, KsefError):
        said = Text(f"KSeF: {error}. {error.hint.pl}".strip(), f"KSeF: {error}. {error.hint.en}".strip())
        if isinstance(error, KsefUnavailable):
            return said, error.retry_after or 0.0
        return said, _REFUSED_PAUSE if isinstance(error, KsefRefused) else 0.0
    if isinstance(error, KeyMaterialError | VaultLocked):
        return Text(f"Logowanie do KSeF: {error}", f"Signing in to KSeF: {error}"), _REFUSED_PAUSE
    if isinstance(error, BadProfile):
        said = Text(
            f"Ustawienia sprzedawcy są błędne: {'; '.join(one.pl for one in error.faults)}",
            f"The seller's settings are wrong: {'; '.join(one.en for one in error.faults)}",
        )
        return said, _REFUSED_PAUSE
    _log.failed(Said.LANE_FAILED, error)
    return _LANE_FAILED, 60.0


def _due(services: Services, seller_id: int, what: ColumnElement[bool]) -> list[int]:
    return _ids(services, seller_id, what, Document.next_attempt_at)


def _unproven(services: Services, seller_id: int) -> list[int]:
    return _ids(services, seller_id, LACKS_PROOF, Document.proof_next_at, most=_MOST_PROOFS)


def _ids(
    services: Services,
    seller_id: int,
    what: ColumnElement[bool],
    due_at: InstrumentedAttribute[datetime | None],
    most: int | None = None,
) -> list[int]:
    now = services.clock()
    with services.database() as session:
        return list(
            session.scalars(
                select(Document.id)
                .where(Document.seller_id == seller_id, what, or_(due_at.is_(None), due_at <= now))
                .order_by(Document.send_by.is_(None), Document.send_by, Document.id)
                .limit(most)
            )
        )
