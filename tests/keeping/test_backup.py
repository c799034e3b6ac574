"""A backup of a running installation, and its restore: whole or not at all, whatever file is given."""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from connector_app.keeping import backup, options, schedule
from connector_app.keeping.backup import Made, Wanted
from connector_app.keeping.options import BackupOptions
from connector_app.keeping.package import SUFFIX
from connector_app.keeping.places import BackupFailed, backups_in, keep_newest, needed_of
from connector_app.keeping.reopening import Contents, examine
from connector_app.keeping.restore import READY, NotRestored, Restored, Target, finish, restore
from connector_app.keeping.sealing import CHUNK, SealedFile, SealingFile, Unopenable
from connector_app.keeping.verify import Scope, verify
from connector_app.people.accounts import add_user
from connector_app.store.database import open_database
from connector_app.store.locks import lock
from connector_app.store.machines import ApiToken
from connector_app.store.models import Base, Document, Event, Mail, MailState, Seller, ShopOrder
from connector_app.store.people import WebSession
from connector_app.store.sessions import Sessions
from tests import databases
from tests.pipeline.world import World

PASSPHRASE = "zupełnie inne hasło"


@pytest.fixture
def private(tmp_path: Path) -> Path:
    """A folder that nobody else may look into."""
    folder = tmp_path / "copies"
    folder.mkdir(mode=0o700)
    return folder


def copy(made: World, folder: Path, passphrase: str | None = PASSPHRASE, *, with_key: bool = False) -> Made:
    return backup.back_up(made.services(), Wanted(folder, passphrase, with_key))


def back(path: Path, home: Path, *, replace: bool = False, url: str = "") -> Restored:
    contents = examine(path, PASSPHRASE)
    return restore(contents, Target(home, url), datetime.now(UTC), replace=replace)


def everything(database: Sessions) -> dict[str, list[tuple[str, ...]]]:
    """All rows of all tables, without what a restore changes on purpose."""
    skipped = {"settings", "audit", "web_sessions", "invitations", "api_tokens", "mails"}
    found = {}
    with database() as session:
        for table in Base.metadata.sorted_tables:
            if table.name not in skipped:
                columns = [one for one in table.columns if (table.name, one.name) != ("sellers", "recovery")]
                rows = session.execute(select(*columns).order_by(*table.primary_key.columns))
                found[table.name] = [tuple(map(repr, row)) for row in rows]
    return found


@pytest.mark.parametrize("passphrase", [None, PASSPHRASE])
def test_everything_comes_back(kept: World, private: Path, tmp_path: Path, passphrase: str | None) -> None:
    """Every row of every table, and the key where it belongs; the file is for its owner only."""
    before = everything(kept.services().database)
    made = copy(kept, private, passphrase)
    assert made.path.stat().st_mode & 0o777 == 0o600
    assert (made.documents, made.damaged, made.with_key) == (2, (), passphrase is not None)
    if passphrase:
        assert b"Sklep Testowy" not in made.path.read_bytes()
    home = tmp_path / "elsewhere"
    result = back(made.path, home)
    assert (result.aside, result.has_key) == (None, passphrase is not None)
    database = open_database(f"sqlite:///{home / 'connector.sqlite3'}")
    assert everything(database) == before
    if passphrase:
        assert (home / "secret.key").read_bytes() == (kept.home / "secret.key").read_bytes()
    with database() as session:
        recovery = session.scalars(select(Seller.recovery)).one()
    assert recovery is not None
    assert recovery["since"] == "2026-11-23"
    database.close()


def test_it_waits_for_nobody_and_shows_one_moment(kept: World, private: Path) -> None:
    """Orders and life lines are written while it is made: writers go on, and the copy has none of it."""
    services = kept.services()
    written: list[float] = []
    wanted = Wanted(private, PASSPHRASE)

    def write(_done: int, _total: int) -> None:
        def work() -> None:
            with services.database.begin() as session:
                session.add(Event(document_id=1, at=services.clock(), state="x", text="{}"))
            written.append(1)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join(5)

    with services.database() as session:
        before = session.scalar(select(func.count()).select_from(Event))
    made = backup.back_up(services, wanted, write)
    assert written
    assert examine(made.path, PASSPHRASE).rows["events"] == before


def test_a_backup_of_one_database_fills_the_other(kept: World, private: Path, tmp_path: Path) -> None:
    """SQLite to PostgreSQL and back: the same rows, and ids go on after those that were used."""
    made = copy(kept, private)
    before = everything(kept.services().database)
    with databases.empty() as url:
        back(made.path, tmp_path / "pg", url=url)
        database = open_database(url)
        assert everything(database) == before
        with database.begin() as session:
            event = Event(document_id=1, at=datetime.now(UTC), state="accepted", text="{}")
            session.add(event)
            session.flush()
            assert event.id > max(int(row[0]) for row in before["events"])
            session.delete(event)
        again = _services_on(kept, database, tmp_path / "pg")
        second = backup.back_up(again, Wanted(private / f"second{SUFFIX}", PASSPHRASE))
        # an installation that is there is not replaced unless somebody says so; then it goes aside
        with pytest.raises(NotRestored):
            back(second.path, tmp_path / "pg", url=url)
        replaced = back(second.path, tmp_path / "pg", url=url, replace=True)
        assert replaced.schema.startswith("replaced-")
        database.close()
    back(second.path, tmp_path / "third")
    third = open_database(f"sqlite:///{tmp_path / 'third' / 'connector.sqlite3'}")
    assert everything(third) == before
    third.close()


def _services_on(kept: World, database: Sessions, home: Path):  # type: ignore[no-untyped-def]  # Services
    from dataclasses import replace  # noqa: PLC0415

    return replace(kept.services(), database=database, work_dir=home / "work")


def spoilt(path: Path, change: Callable[[bytes], bytes]) -> Path:
    other = path.with_name(f"spoilt{SUFFIX}")
    other.write_bytes(change(path.read_bytes()))
    return other


BROKEN: list[Callable[[bytes], bytes]] = [
    lambda data: b"",
    lambda data: b"not a backup at all",
    lambda data: data[: len(data) // 2],
    lambda data: data[:-1],
    lambda data: data[:-200],
    lambda data: data + b"x",
    lambda data: data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1 :],
    lambda data: data[:-9] + bytes([data[-9] ^ 1]) + data[-8:],
]


@pytest.mark.parametrize("passphrase", [None, PASSPHRASE])
def test_a_broken_file_is_told_and_nothing_is_touched(
    kept: World, private: Path, tmp_path: Path, passphrase: str | None
) -> None:
    """Cut, changed, lengthened, empty or of another kind: words, and the installation is as it was."""
    made = copy(kept, private, passphrase)
    for change in BROKEN:
        with pytest.raises(Unopenable):
            examine(spoilt(made.path, change), passphrase)
    if passphrase:
        for wrong in (None, "", "another passphrase"):
            with pytest.raises(Unopenable, match="passphrase"):
                examine(made.path, wrong)


def test_chunks_of_a_sealed_file_cannot_be_moved_or_left_out(tmp_path: Path) -> None:
    """Every chunk knows its place and whether it is the last."""
    file = tmp_path / "sealed"
    data = os.urandom(3 * CHUNK + 5)
    with file.open("wb") as out:
        sealing = SealingFile(out, PASSPHRASE)
        sealing.write(data)
        sealing.finish()
    with file.open("rb") as opened:
        assert SealedFile(opened, PASSPHRASE).readall() == data
    whole, size = file.read_bytes(), CHUNK + 16
    head = whole.index(b"\n", whole.index(b"\n") + 1) + 1
    chunks = [whole[head + at : head + at + size] for at in range(0, len(whole) - head, size)]
    orders = ([1, 0, 2, 3], [0, 2, 3], [0, 1, 2], [0, 1, 3], [0, 1, 2, 3, 3], [0])
    for order in orders:
        file.write_bytes(whole[:head] + b"".join(chunks[one] for one in order))
        with file.open("rb") as opened, pytest.raises(Unopenable):
            SealedFile(opened, PASSPHRASE).readall()


def test_an_installation_is_replaced_only_when_asked_and_kept_aside(
    kept: World, private: Path, tmp_path: Path
) -> None:
    """Without --replace nothing happens; with it the old files lie in a folder of their own."""
    made = copy(kept, private)
    home = tmp_path / "other"
    back(made.path, home)
    digest = hashlib.sha256((home / "connector.sqlite3").read_bytes()).hexdigest()
    with pytest.raises(NotRestored):
        back(made.path, home)
    assert hashlib.sha256((home / "connector.sqlite3").read_bytes()).hexdigest() == digest
    result = back(made.path, home, replace=True)
    assert result.aside is not None
    old = (result.aside / "connector.sqlite3").read_bytes()
    assert hashlib.sha256(old).hexdigest() == digest


def test_a_working_installation_is_not_replaced(kept: World, private: Path, tmp_path: Path) -> None:
    """While a runner holds its lock, or any program has the database open."""
    made = copy(kept, private)
    home = tmp_path / "other"
    back(made.path, home)
    database = open_database(f"sqlite:///{home / 'connector.sqlite3'}")
    with lock(database, "runner"), pytest.raises(NotRestored):
        back(made.path, home, replace=True)
    with database() as session:
        session.scalar(select(Document.id))
        with pytest.raises(NotRestored):
            back(made.path, home, replace=True)
    database.close()
    assert not list(home.glob("replaced-*"))
    back(made.path, home, replace=True)


class _Killed(BaseException):
    """The end of a process in the middle of its work."""


@pytest.mark.parametrize(
    "chosen", [(0, 3, 99), pytest.param(tuple(range(12)), marks=pytest.mark.faults)], ids=["some", "all"]
)
def test_killed_at_any_step_it_is_the_old_or_the_new(
    kept: World, private: Path, tmp_path: Path, chosen: tuple[int, ...]
) -> None:
    """Between any two steps that touch files: whoever opens it next finds one whole installation."""
    made = copy(kept, private)
    contents = examine(made.path, PASSPHRASE)
    seen = set()
    back(made.path, tmp_path / "first")
    _mark_old(tmp_path / "first")
    for steps in chosen:
        home = tmp_path / f"home-{steps}"
        shutil.copytree(tmp_path / "first", home)
        ended = _restore_killed_after(contents, home, steps)
        finish(home)
        database = open_database(f"sqlite:///{home / 'connector.sqlite3'}")
        with database() as session:
            names = {one.name for one in session.scalars(select(Seller))}
            assert session.scalar(select(func.count()).select_from(Document)) == 2
        database.close()
        is_new = names == {"Sklep Testowy"}
        is_old_key = (home / "secret.key").read_bytes() == b"old key"
        assert is_new != is_old_key, "database and key belong together"
        assert not (home / READY).exists()
        seen.add(is_new)
        if ended:
            break
    assert ended
    assert seen == {True, False}


def _mark_old(home: Path) -> None:
    database = open_database(f"sqlite:///{home / 'connector.sqlite3'}")
    with database.begin() as session:
        session.scalars(select(Seller)).one().name = "Stara"
    database.close()
    (home / "secret.key").write_bytes(b"old key")


def _restore_killed_after(contents: Contents, home: Path, steps: int) -> bool:
    """Whether it ended before it was killed."""
    left = [steps]

    def between() -> None:
        if not left[0]:
            raise _Killed
        left[0] -= 1

    try:
        restore(contents, Target(home), datetime.now(UTC), replace=True, between=between)
    except _Killed:
        return False
    return True


def test_a_damaged_installation_can_be_replaced(kept: World, private: Path, tmp_path: Path) -> None:
    """The very reason for a restore: what is left of the old files is kept."""
    made = copy(kept, private)
    home = tmp_path / "other"
    home.mkdir()
    (home / "connector.sqlite3").write_bytes(b"SQLite format 3\0" + b"rubbish" * 1000)
    with pytest.raises(NotRestored):
        back(made.path, home)
    result = back(made.path, home, replace=True)
    assert result.aside is not None
    assert (result.aside / "connector.sqlite3").read_bytes().endswith(b"rubbish")


def test_nobody_is_let_in_by_an_old_state(kept: World, private: Path, tmp_path: Path) -> None:
    """Browsers are signed out, tokens revoked; e-mails that may have gone out do not go out again."""
    services = kept.services()
    now = services.clock()
    with services.database.begin() as session:
        user = add_user(session, "a@sklep.example", "bardzo długie hasło", now, is_admin=True)
        session.flush()
        session.add_all(
            [
                WebSession(
                    user_id=user.id, token_sha256="0" * 64, created_at=now, seen_at=now,
                    expires_at=now + timedelta(days=9), address="", agent="",
                ),
                ApiToken(seller_id=1, name="erp", token_sha256="1" * 64, created_at=now),
                Mail(document_id=1, occasion="number", state=MailState.DUE.value, created_at=now),
            ]
        )  # fmt: skip
    made = copy(kept, private)
    home = tmp_path / "other"
    result = back(made.path, home)
    assert (result.filled.tokens, result.filled.mails) == (1, 1)
    database = open_database(f"sqlite:///{home / 'connector.sqlite3'}")
    with database() as session:
        assert session.scalars(select(WebSession.ended_at)).one() is not None
        assert session.scalars(select(ApiToken.revoked_at)).one() is not None
        assert session.scalars(select(Mail.state)).one() == MailState.UNKNOWN
    database.close()


def test_a_backup_is_not_written_where_others_look(kept: World, tmp_path: Path) -> None:
    """An open folder is refused unless the backup is encrypted; one that everybody writes to, always."""
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o755)
    with pytest.raises(BackupFailed, match="chmod"):
        copy(kept, folder, None)
    copy(kept, folder)
    kept.clock.sleep(1)
    folder.chmod(0o777)
    with pytest.raises(BackupFailed, match="replace"):
        copy(kept, folder)
    folder.chmod(0o700)
    file = folder / f"mine{SUFFIX}"
    copy(kept, file)
    with pytest.raises(BackupFailed, match="exists"):
        copy(kept, file)
    with pytest.raises(BackupFailed, match="12"):
        copy(kept, folder, "too short")


def test_a_full_disk_leaves_nothing_and_is_told(kept: World) -> None:
    """/dev/full is a disk without space; here: a folder that cannot be made."""
    with pytest.raises(BackupFailed, match="cannot be written"):
        copy(kept, Path("/proc/nowhere"))


def test_which_backups_are_kept() -> None:
    """Seven days, four weeks, twelve months: of each the newest."""
    moments = [datetime(2026, 11, 24, 2, tzinfo=UTC) - timedelta(days=one) for one in range(400)]
    kept = needed_of(moments, BackupOptions("x", 3, 7, 4, 12))
    days = sorted({one.date() for one in kept}, reverse=True)
    assert days[:7] == [date(2026, 11, 24) - timedelta(days=one) for one in range(7)]
    assert days[7:10] == [date(2026, 11, 15), date(2026, 11, 8), date(2026, 10, 31)]
    assert days[-1] == date(2025, 12, 31)
    assert len(days) == 7 + 2 + 11
    assert needed_of(moments, BackupOptions("x", 3, 0, 0, 0)) == {moments[0]}


def test_backups_come_about_by_themselves(kept: World, private: Path) -> None:
    """Once a day from the hour on, encrypted when a passphrase is set; a failure is told and tried again."""
    services = kept.services()
    kept.clock.now = datetime(2026, 11, 25, 0, 0, tzinfo=UTC)
    assert schedule.make_due(services) is None
    with services.database.begin() as session:
        options.back_up_by(session, BackupOptions(str(private), 3, 2, 0, 0), kept.clock.now)
    assert schedule.make_due(services) is None
    for day in (25, 26, 27):
        kept.clock.now = datetime(2026, 11, day, 2, 30, tzinfo=UTC)
        assert schedule.make_due(services) is not None
        assert schedule.make_due(services) is None
    assert len(backups_in(private, services.vault)) == 2
    last = schedule.last_backup(services)
    assert last is not None
    assert (last.failure, last.documents, last.encrypted) == (None, 2, False)
    assert schedule.troubles(services) == []
    private.chmod(0o755)
    kept.clock.now = datetime(2026, 11, 28, 2, 30, tzinfo=UTC)
    assert schedule.make_due(services) is None
    assert "chmod" in schedule.troubles(services)[0].en
    assert not schedule.is_due(services)
    private.chmod(0o700)
    kept.clock.sleep(3700)
    assert schedule.make_due(services) is not None
    assert schedule.troubles(services) == []
    assert keep_newest(private, services.vault, 1)
    assert len(backups_in(private, services.vault)) == 1


def test_what_is_damaged_in_the_installation_is_named_in_the_backup(kept: World, private: Path) -> None:
    """The backup is made all the same: the rest of it is whole."""
    services = kept.services()
    with services.database.begin() as session:
        row = session.get_one(Document, 2)
        row.xml = (row.xml or b"") + b" "
    made = copy(kept, private)
    assert made.damaged == (2,)
    assert examine(made.path, PASSPHRASE).damaged == (2,)


def test_a_restored_archive_verifies(kept: World, private: Path, tmp_path: Path) -> None:
    """The archive that comes back is the one that was issued."""
    made = copy(kept, private)
    other = World(tmp_path / "other", kept.ksef, kept.shop, kept.clock)
    back(made.path, other.home)
    assert verify(other.services(), Scope()).faults == []
    with other.services().database() as session:
        assert session.scalar(select(func.count()).select_from(ShopOrder)) == 2
