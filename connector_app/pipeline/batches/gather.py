"""Gather: which way the due documents go, and the documents of a new batch, issued and put together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from connector_app.ksef_access import SellerAccess
from connector_app.log_events import Said
from connector_app.logs import Log
from connector_app.pipeline import life
from connector_app.pipeline.alone import alone, ids_of
from connector_app.pipeline.corrections import issue_due
from connector_app.pipeline.intake import take_in
from connector_app.pipeline.offline import mark_late
from connector_app.pipeline.recheck import FRESH, Recheck
from connector_app.pipeline.services import Services, dump_text
from connector_app.pipeline.slices import ENDLESS, Slice
from connector_app.store.models import Batch, BatchState, Document, DocumentState, Seller, ShopOrder, Store
from core.calendar import warsaw_day
from core.findings import Text
from core.ksef import context
from core.ksef.planning import Batching, Plan, Queue, SendingPolicy, Way, plan

_log = Log(__name__)

GATHERING = Text(
    "Zbierane do wspólnej wysyłki (sesja wsadowa), bo czeka wiele dokumentów albo kończy się godzinny limit.",
    "Gathered to be sent together (batch session), as many documents wait or the hourly limit runs low.",
)
_BEFORE_MIDNIGHT = timedelta(minutes=5)
"""So long before midnight no batch is begun: KSeF takes the day of its opening for the day of issue."""

_TRUSTED = timedelta(hours=1)
"""An order that was read longer ago is asked for by itself."""
_LONGEST = timedelta(minutes=3)
"""A batch is closed to further documents after so long a time of issuing them."""
_FAILURES_IN_A_ROW = 2
"""After so many failed batches documents go singly, until a day has passed."""
_CHUNK = 500

UNSENT = (Document.state == DocumentState.ISSUED) & Document.session_reference.is_(None)
"""Issued, and no session has been tried for it."""


def due(services: Services, seller_id: int) -> ColumnElement[bool]:
    """Documents of a seller that are to be sent now, also those that are gathered."""
    now = services.clock()
    return (
        (Document.seller_id == seller_id)
        & ((Document.state == DocumentState.READY) | UNSENT)
        & Document.batch_id.is_(None)
        # a technical correction goes singly, and what is to be issued offline is not gathered
        & Document.corrected_sha256.is_(None)
        & ~((Document.state == DocumentState.READY) & Document.offline_asked)
        & or_(
            Document.next_attempt_at.is_(None),
            Document.next_attempt_at <= now,
            Document.waiting_for == dump_text(GATHERING),
        )
    )


def way(services: Services, seller: Seller) -> Plan:
    """How the due documents of a seller go out now; see :func:`core.ksef.planning.plan`."""
    now = services.clock()
    policy = services.profile(seller).sending if services.work_dir else SendingPolicy(Batching.NEVER)
    with services.database() as session:
        count, oldest = session.execute(
            select(func.count(), func.min(Document.updated_at)).where(due(services, seller.id))
        ).one()
        last = list(
            session.scalars(
                select(Batch).where(Batch.seller_id == seller.id).order_by(Batch.id.desc()).limit(2)
            )
        )
    failed = [one for one in last if one.state == BatchState.FAILED and now - one.created_at < timedelta(1)]
    if len(failed) == _FAILURES_IN_A_ROW:
        policy = SendingPolicy(Batching.NEVER)
    queue = Queue(
        documents=count,
        oldest=oldest,
        last_batch=last[0].created_at if last else None,
        single_left=services.connections.sendings_left(seller),
    )
    made = plan(queue, policy, now)
    if made.way is Way.BATCH and is_late(now):
        return Plan(Way.GATHER, now + _BEFORE_MIDNIGHT)
    return made


def is_late(now: datetime) -> bool:
    """Whether it is too near to midnight to begin a batch."""
    return warsaw_day(now + _BEFORE_MIDNIGHT) != warsaw_day(now)


def gather(
    services: Services, seller: Seller, access: SellerAccess, recheck: Recheck, time: Slice = ENDLESS
) -> int | None:
    """Issue what is due and put it into a new batch.

    Nothing is issued before KSeF has let us in and said how many documents a batch may have.

    Args:
        services: the outside world.
        seller: whose documents.
        access: the seller's sign-in.
        recheck: brings orders up to date that their store's last look did not.
        time: when it is over while there is more to issue, the next turn goes on issuing.

    Returns:
        Id of the batch, or ``None`` when there was nothing to send after all, or not yet.

    Raises:
        KsefError: KSeF does not answer or does not let us in; nothing was issued.
    """
    limits = access.call(lambda token: context.session_limits(access.client, token))
    fresh = _bring_up_to_date(services, seller.id)
    started = services.clock()

    def step(document_id: int) -> None:
        issue_due(services, document_id, recheck.shop_of)

    ready = _ready(services, seller.id, limits.batch_documents)
    known = ids_of(services, [one for one, _, _ in ready])
    for document_id, store_id, seen_at in ready:
        if services.clock() - started > _LONGEST:
            break
        if time.is_over():
            if not _waits_long(services, seller.id):
                return None
            break
        # a deleted order is no change that a look at the store would show
        is_fresh = store_id in fresh and started - seen_at < _TRUSTED
        if not is_fresh and alone(services, document_id, recheck, known) is not None:
            continue
        alone(services, document_id, step, known)
    return _put_together(services, seller, limits.batch_documents)


def _waits_long(services: Services, seller_id: int) -> bool:
    """Whether a document was issued so long ago that its batch is closed to further ones."""
    with services.database() as session:
        first = session.scalar(select(func.min(Document.issued_at)).where(due(services, seller_id), UNSENT))
    return first is not None and services.clock() - first > _LONGEST


def _bring_up_to_date(services: Services, seller_id: int) -> frozenset[int]:
    """Read the changes of every store with due documents, in few requests; gives those that answered."""
    with services.database() as session:
        of_due = select(ShopOrder.store_id).join(Document).where(due(services, seller_id))
        stores = list(session.scalars(select(Store).where(Store.id.in_(of_due))))
    fresh = set()
    for store in stores:
        is_fresh = store.looked_at is not None and services.clock() - store.looked_at < FRESH
        if is_fresh or _reads(services, store):
            fresh.add(store.id)
    return frozenset(fresh)


def _reads(services: Services, store: Store) -> bool:
    """Whether every change of a store was read; else each of its orders is asked for by itself."""
    try:
        return take_in(services, store.id).failure is None
    except SQLAlchemyError:
        raise
    except Exception as error:
        _log.failed(Said.STORE_FAILED, error, store_id=store.id)
        return False


def _ready(services: Services, seller_id: int, most: int) -> Sequence[tuple[int, int, datetime]]:
    """Ids of ready documents and of their stores, and when their orders were read."""
    with services.database() as session:
        rows = session.execute(
            select(Document.id, ShopOrder.store_id, ShopOrder.seen_at)
            .join(ShopOrder)
            .where(due(services, seller_id), Document.state == DocumentState.READY)
            .order_by(Document.id)
            .limit(most)
        )
        return [(document_id, store_id, seen_at) for document_id, store_id, seen_at in rows]


def _put_together(services: Services, seller: Seller, most: int) -> int | None:
    now = services.clock()
    with services.database.begin(seller.id) as session:
        _declare_late(session, services, seller)
        offline, ids = _chosen(session, services, seller, most)
        if not ids:
            return None
        batch = Batch(
            seller_id=seller.id,
            offline=offline,
            schema_version=seller.schema_version,
            state=BatchState.NEW,
            attempts=0,
            created_at=now,
            updated_at=now,
        )
        session.add(batch)
        session.flush()
        for begin in range(0, len(ids), _CHUNK):
            session.execute(
                update(Document)
                .where(Document.id.in_(ids[begin : begin + _CHUNK]))
                .values(batch_id=batch.id, next_attempt_at=None, waiting_for=None)
                .execution_options(synchronize_session=False)
            )
        return batch.id


def _declare_late(session: Session, services: Services, seller: Seller) -> None:
    """Documents that could not go on their day become offline ones where the store's policy says so."""
    now = services.clock()
    late = select(Document).where(
        due(services, seller.id),
        UNSENT,
        Document.offline_mode.is_(None),
        Document.issued_on < warsaw_day(now),
    )
    for document in session.scalars(late):
        said = mark_late(document, now)
        if said is not None:
            life.note(document, said, now)
    session.flush()


def _chosen(session: Session, services: Services, seller: Seller, most: int) -> tuple[bool, list[int]]:
    """Whether the batch is offline, and its documents: one mode, the seller's schema.

    The mode with the most documents; the fewer go singly, so that a few new orders after an outage do not
    take the batch from many with a deadline. At the same number those of today come first, as they are
    online only today; then those with a deadline, then those of an earlier day, which KSeF marks as offline
    by itself.
    """
    is_today = Document.issued_on == warsaw_day(services.clock())
    is_online = Document.offline_mode.is_(None)
    groups = ((False, is_online & is_today), (True, ~is_online), (False, is_online & ~is_today))
    found = [(offline, _of_group(session, services, seller, most, group)) for offline, group in groups]
    return max(found, key=lambda one: len(one[1]))


def _of_group(
    session: Session, services: Services, seller: Seller, most: int, group: ColumnElement[bool]
) -> list[int]:
    return list(
        session.scalars(
            select(Document.id)
            .where(due(services, seller.id), UNSENT, Document.schema_version == seller.schema_version, group)
            .order_by(Document.send_by, Document.id)
            .limit(most)
        )
    )
