"""Moving a database: copied, compared row by row and hash by hash, and only then closed.

The copy is one transaction of the new database, compared before it is committed: a copy that was killed
half-way leaves nothing behind, and one that is there is whole. The old database takes no writes from the
beginning of the copy to its end, and none afterwards, because it is closed in that same transaction. A
process killed between the two commits leaves a whole copy beside an open database; begun again, it is
compared once more and the old one is closed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, func, select

from connector_app.moving.comparing import Comparison, Tell, compare
from connector_app.moving.copying import copy, go_on_counting
from connector_app.moving.rows import RawTable, tables
from connector_app.store import moved
from connector_app.store.database import form_of, migrate, newest_form, without_foreign_keys
from connector_app.store.engines import make_engine, shown
from connector_app.store.locks import lock
from connector_app.store.sessions import Sessions

RUNNER = "runner"
"""Name of the lock of whoever works on an installation."""


class NotMoved(Exception):
    """A move that was not made; nothing was changed."""


class SamePlace(NotMoved):
    """Both addresses mean one database."""


class TargetInUse(NotMoved):
    """The new database is not empty.

    Attributes:
        tables: with rows.
    """

    def __init__(self, names: list[str]) -> None:
        super().__init__(", ".join(names))
        self.tables = names


class OtherForm(NotMoved):
    """The new database has tables of another version of the program."""


class NotTheSame(NotMoved):
    """The sides differ; see the comparison.

    Attributes:
        comparison: what differs.
    """

    def __init__(self, comparison: Comparison) -> None:
        super().__init__(f"{len(comparison.differences)} differences")
        self.comparison = comparison


class Damaged(NotMoved):
    """Stored files do not have the hash that was kept with them.

    Attributes:
        comparison: which.
    """

    def __init__(self, comparison: Comparison) -> None:
        super().__init__(", ".join(comparison.damaged))
        self.comparison = comparison


@dataclass(frozen=True, slots=True)
class Steps:
    """Whom to tell.

    Attributes:
        begin: a step begins (``copy`` or ``compare``) over so many rows.
        tell: of rows that are done.
        before_commit: called when the copy is compared and not yet committed, and
        before_closing: when it is committed and the old database is still open.
    """

    begin: Callable[[str, int], None] = lambda _step, _rows: None
    tell: Tell = lambda _table, _rows: None
    before_commit: Callable[[], None] = lambda: None
    before_closing: Callable[[], None] = lambda: None


def move(source: Sessions, to: str, steps: Steps = Steps(), *, with_damage: bool = False) -> Comparison:
    """Copy a database to another one, compare them, and close the old one.

    Args:
        source: the old database, of the newest form.
        to: address of the new one: empty, or without any table.
        steps: whom to tell.
        with_damage: copy stored files that are damaged as they are.

    Returns:
        What was copied and compared.

    Raises:
        NotMoved: see its kinds; nothing was changed.
        LockHeld: a runner is at work on either.
        RowRefused: the new database does not take a row.
        UnknownTables: the old database has tables that the program does not know.
        SQLAlchemyError: a database cannot be used.
    """
    with _opened(source, to) as (target, place), _both_locked(source, target):
        _prepare(target.engine)
        with source.begin() as session:
            here = session.connection()
            known = tables(here)
            if not _is_our_copy(target.engine, known):
                _copy(known, here, target.engine, place, steps, with_damage=with_damage)
            steps.before_closing()
            steps.begin("compare", _count_all(known, here))
            with target.engine.connect() as there:
                found = _the_same(compare(known, here, there, steps.tell), with_damage=with_damage)
            moved.close(here, place.new)
    return found


def undo(source: Sessions, to: str, steps: Steps = Steps()) -> Comparison:
    """Go back to the old database while nothing has happened on the new one: open one, close the other.

    Args:
        source: the old database, closed by :func:`move`.
        to: address of the new one.
        steps: whom to tell.

    Raises:
        NotTheSame: the new one has changed; going back would forget it.
        LockHeld, SQLAlchemyError: as :func:`move`.
    """
    with _opened(source, to) as (target, place), _both_locked(source, target):
        # its tables refuse changes, so this transaction waits for writers only
        with target.begin() as session, source() as reading:
            there, here = session.connection(), reading.connection()
            known = tables(here)
            steps.begin("compare", _count_all(known, here))
            found = _the_same(compare(known, here, there, steps.tell), with_damage=True)
            if moved.marked(there, moved.MOVED) is None:
                moved.close(there, place.old)
        with source.begin() as session:
            moved.reopen(session.connection())
    return found


@dataclass(frozen=True, slots=True)
class _Places:
    """Addresses without passwords."""

    old: str
    new: str


@contextmanager
def _opened(source: Sessions, to: str) -> Iterator[tuple[Sessions, _Places]]:
    target = Sessions(make_engine(to))
    try:
        old, new = (one.url.render_as_string(hide_password=False) for one in (source.engine, target.engine))
        if old == new:
            raise SamePlace(to)
        yield target, _Places(shown(source.engine.url), shown(target.engine.url))
    finally:
        target.close()


@contextmanager
def _both_locked(source: Sessions, target: Sessions) -> Iterator[None]:
    with lock(source, RUNNER, wait=False), lock(target, RUNNER, wait=False):
        yield


def _prepare(engine: Engine) -> None:
    """Make the new database's tables; refuse those of another version."""
    form = form_of(engine)
    if form not in {None, newest_form()}:
        raise OtherForm(str(form))
    migrate(engine)


def _is_our_copy(engine: Engine, known: list[RawTable]) -> bool:
    """Whether a copy is there, which is compared then; nothing else may be."""
    with engine.connect() as connection:
        tables(connection)
        if moved.marked(connection, moved.COPIED) is not None:
            return True
        used = [one.name for one in known if _count(one, connection)]
    if used:
        raise TargetInUse(used)
    return False


def _copy(
    known: list[RawTable],
    here: Connection,
    engine: Engine,
    place: _Places,
    steps: Steps,
    *,
    with_damage: bool,
) -> None:
    total = _count_all(known, here)
    with without_foreign_keys(engine) as there:
        steps.begin("copy", total)
        for table in known:
            copy(table, here, there, steps.tell)
            go_on_counting(table, here, there)
        steps.begin("compare", total)
        _the_same(compare(known, here, there, steps.tell), with_damage=with_damage)
        moved.mark(there, moved.COPIED, place.old)
        steps.before_commit()


def _the_same(found: Comparison, *, with_damage: bool) -> Comparison:
    if not found.is_same:
        raise NotTheSame(found)
    if found.damaged and not with_damage:
        raise Damaged(found)
    return found


def _count(table: RawTable, connection: Connection) -> int:
    return connection.scalar(select(func.count()).select_from(table.table)) or 0


def _count_all(known: list[RawTable], connection: Connection) -> int:
    return sum(_count(table, connection) for table in known)
