"""Restoring an installation: all of it, or nothing.

The backup is verified as a whole before anything is touched. A new database is made beside the old one, read
again and compared; then one rename (of a folder, :data:`READY`) says that it counts. What is left is moving
files into place, and whoever opens the installation after a kill does that first (:func:`finish`). The old
files stay in a folder of their own.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine, NullPool, create_engine, inspect, select
from sqlalchemy.exc import SQLAlchemyError

from connector_app.keeping.backup import KEY, RATES
from connector_app.keeping.filling import Filled, fill
from connector_app.keeping.reopening import Contents
from connector_app.keeping.tables import FORM_TABLE
from connector_app.nbp.cache import FILE_NAME as RATES_FILE
from connector_app.running.alone import RUNNER
from connector_app.store.engines import address, make_engine
from connector_app.store.locks import LockHeld, lock
from connector_app.store.models import Seller
from connector_app.store.sessions import Sessions
from core.findings import SaidError, Text

READY = ".restored"
"""Folder of what is whole and only has to be moved into place."""
_STAGE = ".restoring"
_PLAN = "plan.json"
_DATABASE = "connector.sqlite3"
_WORK = "work"


class NotRestored(SaidError):
    """A restore that cannot be done; nothing was touched.

    Attributes:
        text: why. hint: what to do.
    """

    def __init__(self, text: Text, hint: Text) -> None:
        super().__init__(text)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Target:
    """Where to restore to.

    Attributes:
        home: the installation's folder. url: of its database; empty: SQLite in the folder.
        key_file: where its key lies; ``None``: in the folder.
    """

    home: Path
    url: str = ""
    key_file: Path | None = None

    @property
    def key(self) -> Path:
        """The file of its key."""
        return self.key_file or self.home / "secret.key"


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored.

    Attributes:
        filled: what stands in the database.
        aside: where the old files are; ``None`` when there were none. schema: the old tables of PostgreSQL.
        has_key: secrets can be read: the key was in the backup, or one was in the folder.
    """

    filled: Filled
    aside: Path | None
    schema: str
    has_key: bool


def restore(
    contents: Contents,
    target: Target,
    now: datetime,
    *,
    replace: bool = False,
    keep_tokens: bool = False,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    between: Callable[[], None] = lambda: None,
) -> Restored:
    """Put an examined backup in the place of an installation.

    Args:
        contents: see :func:`~connector_app.keeping.reopening.examine`.
        target: where to.
        now: aware UTC.
        replace: an installation that is there goes aside.
        keep_tokens: leave tokens of programs valid.
        progress: told how many rows of how many are in.
        between: called between the steps that move files.

    Raises:
        NotRestored: it cannot be done; nothing was touched.
        Unopenable: the file changed since it was examined; nothing was touched.
        SQLAlchemyError, OSError: the database or disk does not take it; nothing was touched.
    """
    home = target.home
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    finish(home)
    engine = _engine(target.url or f"sqlite:///{home / _DATABASE}")
    name = f"replaced-{now:%Y%m%dT%H%M%S}"
    try:
        with _alone(engine):
            known = _has_installation(engine)
            if known and not replace:
                raise NotRestored(_THERE, _REPLACE)
            made = _stage(contents, engine, target, now, name, keep_tokens=keep_tokens, progress=progress)
            between()
            if engine.dialect.name == "sqlite":
                _quiet(Path(engine.url.database or ""))
            (home / _STAGE).rename(home / READY)
            _sync(home)
            between()
            finish(home, between)
    finally:
        engine.dispose()
    aside = home / name
    schema = name if engine.dialect.name == "postgresql" and known else ""
    return Restored(made, aside if aside.exists() else None, schema, target.key.exists())


def finish(home: Path, between: Callable[[], None] = lambda: None) -> None:
    """Move into place what an interrupted restore has made ready; usually there is nothing to do.

    Args:
        home: the installation's folder; nobody has it open.
        between: called between the steps.
    """
    if not (home / READY).is_dir():
        return
    with (home / ".restored.lock").open("a") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        # another process may have finished it meanwhile
        if (home / READY).is_dir():
            _finish(home, between)


def _finish(home: Path, between: Callable[[], None]) -> None:
    ready = home / READY
    plan = json.loads((ready / _PLAN).read_text("utf-8"))
    aside = home / plan["aside"]
    for name, place in plan["files"]:
        new, old = ready / name, Path(place)
        if not new.exists():
            continue
        _put_aside(old, aside)
        between()
        _move(new, old)
        between()
    work = home / _WORK
    if work.exists() and not (aside / _WORK).exists():
        aside.mkdir(mode=0o700, exist_ok=True)
        work.rename(aside / _WORK)
    _sync(home)
    shutil.rmtree(ready)


def _engine(url: str) -> Engine:
    """An engine of the database that is there or will be; a file of SQLite is neither made nor held open."""
    where = address(url)
    if where.get_backend_name() == "sqlite":
        return create_engine(where, poolclass=NullPool, hide_parameters=True)
    return make_engine(where)


@contextmanager
def _alone(engine: Engine) -> Iterator[None]:
    try:
        with lock(Sessions(engine), RUNNER, wait=False):
            yield
    except LockHeld:
        raise NotRestored(_AT_WORK, _STOP) from None


def _has_installation(engine: Engine) -> bool:
    """Whether there is something that must not be lost; a damaged database counts."""
    file = engine.url.database
    if engine.dialect.name == "sqlite" and not (file and Path(file).exists()):
        return False
    try:
        with engine.connect() as connection:
            names = inspect(connection).get_table_names()
            if not names:
                return False
            if FORM_TABLE not in names or Seller.__tablename__ not in names:
                raise NotRestored(_FOREIGN, _OTHER)
            return connection.execute(select(Seller.id).limit(1)).first() is not None
    except SQLAlchemyError:
        if engine.dialect.name == "sqlite":
            return True
        raise


def _stage(
    contents: Contents,
    engine: Engine,
    target: Target,
    now: datetime,
    aside: str,
    *,
    keep_tokens: bool,
    progress: Callable[[int, int], None],
) -> Filled:
    """Make everything new beside the old; of PostgreSQL the tables are in place when this returns."""
    home = target.home
    stage = home / _STAGE
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir(mode=0o700)
    try:
        files = []
        for name, place in ((KEY, target.key), (RATES, home / RATES_FILE)):
            if name in contents.files and not _is_same(place, contents.files[name]):
                _write(stage / Path(name).name, contents.files[name])
                files.append([Path(name).name, str(place.absolute())])
        if engine.dialect.name == "sqlite":
            database = engine.url.database or str(home / _DATABASE)
            files.append([_DATABASE, str(Path(database).absolute())])
        plan = {"aside": aside, "files": files}
        _write(stage / _PLAN, json.dumps(plan).encode())
        if engine.dialect.name != "sqlite":
            return fill(engine, contents, now, aside=aside, keep_tokens=keep_tokens, progress=progress)
        new = make_engine(f"sqlite:///{stage / _DATABASE}")
        try:
            made = fill(new, contents, now, keep_tokens=keep_tokens, progress=progress)
        finally:
            new.dispose()
        _quiet(stage / _DATABASE)
        _sync(stage)
    except BaseException:
        shutil.rmtree(stage, ignore_errors=True)
        raise
    return made


def _quiet(file: Path) -> None:
    """Bring all of an SQLite database into its one file, and see that nobody has it open."""
    if not file.exists():
        return
    try:
        with closing(sqlite3.connect(file, timeout=1)) as plain:
            # refused while another connection is open
            plain.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise NotRestored(_AT_WORK, _STOP) from None
    except sqlite3.DatabaseError:
        pass  # damaged: its files go aside as they are


def _put_aside(old: Path, aside: Path) -> None:
    """Keep a file under a second name; its own name is taken over in the next step."""
    if old.exists():
        aside.mkdir(mode=0o700, exist_ok=True)
    if old.exists() and not (aside / old.name).exists():
        try:
            os.link(old, aside / old.name)
        except OSError:  # another disk, or one without links
            shutil.copy2(old, aside / f"{old.name}.part")
            (aside / f"{old.name}.part").replace(aside / old.name)
    for ending in ("-wal", "-shm", "-journal"):
        log = old.with_name(old.name + ending)
        if log.exists():
            aside.mkdir(mode=0o700, exist_ok=True)
            # a log of the old file must never meet the new one
            shutil.move(log, aside / log.name)


def _move(new: Path, old: Path) -> None:
    try:
        new.replace(old)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        near = old.with_name(f".{old.name}.restoring")
        shutil.copy2(new, near)
        near.replace(old)
        new.unlink()


def _is_same(file: Path, data: bytes) -> bool:
    with suppress(FileNotFoundError):
        return file.read_bytes() == data
    return False


def _write(file: Path, data: bytes) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


_THERE = Text("Tam jest już instalacja.", "There is an installation already.")
_REPLACE = Text(
    "Żeby zastąpić ją kopią: --replace (stara zostanie w osobnym folderze).",
    "To replace it by the backup: --replace (the old one is kept in a folder of its own).",
)
_AT_WORK = Text("Na tej instalacji pracuje program.", "A program is at work on this installation.")
_STOP = Text(
    "Zatrzymaj serve i inne polecenia, potem ponów.", "Stop serve and other commands, then try again."
)
_FOREIGN = Text("W tej bazie są tabele innego programu.", "This database has tables of another program.")
_OTHER = Text("Podaj pustą bazę (--to).", "Name an empty database (--to).")
