"""Send: the documents of a batch are packed, a session is opened, the parts go, the session is closed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import func, insert, literal, select, update
from sqlalchemy.orm import Session, undefer

from connector_app.keeping import damage
from connector_app.keeping.reading import ArchiveDamaged, xml_of
from connector_app.ksef_access import SellerAccess
from connector_app.log_events import Said
from connector_app.logs import Log
from connector_app.pipeline import life
from connector_app.pipeline.batches.follow import end, follow, stored_in
from connector_app.pipeline.services import Services, dump_text
from connector_app.pipeline.submit import DAMAGED
from connector_app.store.lanes import of_batch
from connector_app.store.models import Batch, BatchState, Document, DocumentState, Event
from connector_app.store.sessions import after_commit
from connector_app.store.types import UtcDateTime
from core.calendar import warsaw_day
from core.fa import registry
from core.findings import Text
from core.ksef.batch import session as sessions
from core.ksef.batch.errors import PackageFull, PartDamaged
from core.ksef.batch.package import Package
from core.ksef.batch.packing import BatchDocument, pack
from core.ksef.batch.session import OpenBatch
from core.ksef.batch.upload import upload
from core.ksef.errors import InvalidSession, PartMissing, SessionClosed, UploadRefused

_log = Log(__name__)

_PAGE = 200

_AGAIN = Text(
    "Części paczki nie dotarły w czasie; paczka idzie w nowej sesji.",
    "The parts of the batch did not arrive in time; it goes in a new session.",
)


def advance(services: Services, batch_id: int, access: SellerAccess) -> Batch:
    """Take a batch as many steps on as can be done now.

    Args:
        services: the outside world; with a folder for packages.
        batch_id: a batch.
        access: the seller's sign-in.

    Returns:
        The batch as committed.

    Raises:
        KsefError: KSeF does not answer or does not let us in; the batch is where it was, and the same call
            goes on later.
    """
    while True:
        with services.database() as session:
            batch = session.get_one(Batch, batch_id)
        before = batch.state
        match batch.state:
            case BatchState.NEW:
                batch = _pack(services, batch)
            case BatchState.PACKED:
                batch = _open(services, batch, access)
            case BatchState.OPEN:
                batch = _bring(services, batch, access)
            case BatchState.CLOSED:
                batch = follow(services, batch, access)
        if batch.state in {before, BatchState.DONE, BatchState.FAILED} or batch.next_attempt_at is not None:
            return batch


def change(services: Services, batch_id: int, state: BatchState, **values: Any) -> Batch:
    """Put a batch into a state, in a transaction of its own."""
    with services.database.begin(of_batch(batch_id)) as session:
        batch = session.get_one(Batch, batch_id)
        batch.state, batch.updated_at = state.value, services.clock()
        batch.attempts, batch.next_attempt_at, batch.waiting_for = 0, None, None
        _tell(session, batch_id, None)
        for name, value in values.items():
            setattr(batch, name, value)
    return batch


def postpone(services: Services, batch_id: int, why: Text, *, at_least: float = 0.0) -> Batch:
    """Try a batch again later; pauses grow with every failure."""
    now = services.clock()
    with services.database.begin(of_batch(batch_id)) as session:
        batch = session.get_one(Batch, batch_id)
        batch.next_attempt_at = now + life.pause_after(batch.attempts, at_least=at_least)
        batch.attempts += 1
        batch.waiting_for = dump_text(why)
        batch.updated_at = now
        _tell(session, batch_id, why)
    return batch


def fail(services: Services, batch_id: int, why: Text) -> Batch:
    """End a batch that KSeF refuses: its documents go again, in another one or singly.

    Args:
        services: the outside world.
        batch_id: packed, open or closed.
        why: for a person.

    Returns:
        The batch as committed.
    """
    with services.database() as session:
        batch = session.get_one(Batch, batch_id)
    stored = stored_in(services, batch)
    is_packed = batch.state == BatchState.PACKED
    package = Package.from_dict(stored) if is_packed else OpenBatch.from_dict(stored).package
    return end(services, batch, package, BatchState.FAILED, why)


def _tell(session: Session, batch_id: int, why: Text | None) -> None:
    """Let each document of a batch say what it waits for."""
    session.execute(
        update(Document)
        .where(Document.batch_id == batch_id)
        .values(waiting_for=dump_text(why) if why else None)
        .execution_options(synchronize_session=False)
    )


def folder_of(services: Services, batch_id: int) -> Path:
    """Where the parts of a batch lie."""
    assert services.work_dir is not None, "batches are gathered only with a folder for them"
    return services.work_dir / "batches" / str(batch_id)


def _pack(services: Services, batch: Batch) -> Batch:
    """Write the encrypted parts; what a crash left of an earlier try is thrown away."""
    folder = folder_of(services, batch.id)
    shutil.rmtree(folder, ignore_errors=True)
    while True:
        try:
            with services.database() as session:
                if not session.scalar(select(func.count()).where(Document.batch_id == batch.id)):
                    return change(services, batch.id, BatchState.DONE)
                package = pack(_documents(session, batch.id), folder)
        except ArchiveDamaged as error:
            _leave_out(services, error)
        except PackageFull as full:
            _cut_off(services, batch.id, int(full.key))
        else:
            sealed = services.vault.seal(package.as_dict())
            return change(services, batch.id, BatchState.PACKED, package=sealed)


def _documents(session: Session, batch_id: int) -> Iterator[BatchDocument]:
    """The documents of a batch with their bytes, a page in memory at a time."""
    rows = session.scalars(
        select(Document)
        .options(undefer(Document.xml))
        .where(Document.batch_id == batch_id)
        .order_by(Document.id)
        .execution_options(yield_per=_PAGE)
    )
    for row in rows:
        yield BatchDocument(str(row.id), xml_of(row))
        session.expunge(row)


def _leave_out(services: Services, error: ArchiveDamaged) -> None:
    assert error.document_id is not None, "a document's XML is damaged"
    damage.note(services, error)

    def ask(row: Document) -> None:
        row.batch_id = None
        life.ask(row, [DAMAGED], services.clock())

    life.change(services, error.document_id, ask)


def _cut_off(services: Services, batch_id: int, first: int) -> None:
    """Let the documents from one on go with the next batch."""
    with services.database.begin(of_batch(batch_id)) as session:
        session.execute(
            update(Document)
            .where(Document.batch_id == batch_id, Document.id >= first)
            .values(batch_id=None)
            .execution_options(synchronize_session=False)
        )


def _open(services: Services, batch: Batch, access: SellerAccess) -> Batch:
    package = Package.from_dict(stored_in(services, batch))
    if not batch.offline and _is_late(services, batch):
        return _give_up(services, batch, package)
    if not _lies_here(package):
        # packed on another machine, or the folder was lost: nothing of it went out yet
        return change(services, batch.id, BatchState.NEW, package=None)
    opened = access.open_batch(registry.schema_for(batch.schema_version), package, offline=batch.offline)
    sealed = services.vault.seal(opened.as_dict())
    return change(services, batch.id, BatchState.OPEN, package=sealed, reference=opened.reference)


def _is_late(services: Services, batch: Batch) -> bool:
    """Whether the batch was put together on a day that is over: KSeF counts the day of opening."""
    return warsaw_day(batch.created_at) < warsaw_day(services.clock())


def _give_up(services: Services, batch: Batch, package: Package) -> Batch:
    """Let the documents go on by themselves: their mode is decided anew, see ``gather``."""
    with services.database.begin(batch.seller_id) as session:
        session.execute(
            update(Document)
            .where(Document.batch_id == batch.id)
            .values(batch_id=None, next_attempt_at=None, waiting_for=None)
            .execution_options(synchronize_session=False)
        )
    package.remove_files()
    return change(services, batch.id, BatchState.DONE, package=None)


def _bring(services: Services, batch: Batch, access: SellerAccess) -> Batch:
    """Send the parts and close the session; all of it may be repeated."""
    opened = OpenBatch.from_dict(stored_in(services, batch))
    try:
        upload(access.client, opened)
        access.call(lambda token: sessions.close(access.client, token, opened))
    except PartDamaged:
        return _go_on_without_parts(services, batch, opened, access)
    except PartMissing as error:
        return postpone(services, batch.id, error.hint)
    except (UploadRefused, InvalidSession):
        sealed = services.vault.seal(opened.package.as_dict())
        change(services, batch.id, BatchState.PACKED, package=sealed, reference=None)
        return postpone(services, batch.id, _AGAIN)
    except SessionClosed:
        pass  # an earlier try closed it, or KSeF cancelled it: its status tells
    return _note_sent(services, batch, opened)


def _lies_here(package: Package) -> bool:
    """Whether the parts of a package are on this machine; their content is checked before they go."""
    return all(
        path.is_file() and path.stat().st_size == part.size
        for part in package.parts
        for path in (package.path(part),)
    )


def _go_on_without_parts(services: Services, batch: Batch, opened: OpenBatch, access: SellerAccess) -> Batch:
    """The parts of an open session are gone: on a machine that died, or with its folder.

    KSeF closes a session that has all its parts, and then nothing is missing. Otherwise the session is left
    to end by itself, which brings nothing, and the documents are packed anew for another one. The old session
    is kept among those that each document was tried in: there the original is looked for, should KSeF answer
    one of them with 440 after all.
    """
    try:
        access.call(lambda token: sessions.close(access.client, token, opened))
    except SessionClosed:
        pass  # an earlier try closed it, or KSeF cancelled it: its status tells
    except (PartMissing, UploadRefused, InvalidSession):
        _remember_session(services, batch.id, opened.reference)
        return change(services, batch.id, BatchState.NEW, package=None, reference=None)
    return _note_sent(services, batch, opened)


def _remember_session(services: Services, batch_id: int, reference: str) -> None:
    with services.database.begin(of_batch(batch_id)) as session:
        for document in session.scalars(select(Document).where(Document.batch_id == batch_id)):
            document.tried_sessions = [*(document.tried_sessions or []), reference]


def tidy(services: Services) -> int:
    """Delete packages of batches that need none: what a crash or another machine's work left here.

    Returns:
        How many folders were deleted.
    """
    if services.work_dir is None:
        return 0
    folders = [one for one in services.work_dir.glob("batches/*") if one.name.isdigit()]
    with services.database() as session:
        needed = set(
            session.scalars(
                select(Batch.id).where(Batch.state.in_((BatchState.NEW, BatchState.PACKED, BatchState.OPEN)))
            )
        )
    left = [one for one in folders if int(one.name) not in needed]
    for folder in left:
        shutil.rmtree(folder, ignore_errors=True)
    return len(left)


def _note_sent(services: Services, batch: Batch, opened: OpenBatch) -> Batch:
    """The whole batch is at KSeF: its documents are sent, all in one transaction."""
    now = services.clock()
    text = Text(
        f"Wysłano do KSeF w sesji wsadowej {opened.reference}.",
        f"Sent to KSeF in batch session {opened.reference}.",
    )
    with services.database.begin(batch.seller_id) as session:
        session.execute(
            update(Document)
            .where(Document.batch_id == batch.id)
            .values(
                state=DocumentState.SENT.value,
                session_reference=opened.reference,
                document_reference=None,
                attempts=0,
                next_attempt_at=None,
                waiting_for=None,
                updated_at=now,
            )
            .execution_options(synchronize_session=False)
        )
        lines = select(
            Document.id,
            literal(now, UtcDateTime),
            literal(DocumentState.SENT.value),
            literal(dump_text(text)),
        ).where(Document.batch_id == batch.id)
        # by the database itself: nobody else writes while ten thousand rows are made
        session.execute(insert(Event).from_select(["document_id", "at", "state", "text"], lines))
        for one in session.scalars(select(Document.id).where(Document.batch_id == batch.id)):
            after_commit(
                session,
                partial(
                    _log.info,
                    Said.DOCUMENT_LIFE,
                    document_id=one,
                    state=DocumentState.SENT.value,
                    session=opened.reference,
                ),
            )
        row = session.get_one(Batch, batch.id)
        row.state, row.updated_at, row.attempts = BatchState.CLOSED.value, now, 0
        # KSeF needs a moment: nothing is asked at once
        row.next_attempt_at, row.waiting_for = now + timedelta(seconds=1), None
    return row
