"""An installation loses its database: KSeF and the shop give all of it back, and nothing is issued twice."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from connector_app.keeping import backup
from connector_app.keeping.backup import Wanted
from connector_app.keeping.package import SUFFIX
from connector_app.keeping.reopening import examine
from connector_app.keeping.restore import Target, restore
from connector_app.keeping.verify import Scope, verify
from connector_app.recovery.proofs import find_sessions
from connector_app.recovery.run import Watch, recover
from connector_app.store.models import Document, DocumentState, Seller
from core.ksef.offline import OfflinePolicy
from tests.pipeline.refunds import ONE_MUG, SHIPPING, refund
from tests.pipeline.world import World, recorded, world

PASSPHRASE = "zupełnie inne hasło"


def orders(first: int, count: int) -> list[dict[str, Any]]:
    return [recorded("order_full", id=one, number=str(one)) for one in range(first, first + count)]


def facts(made: World) -> dict[str, tuple[str, ...]]:
    """What an auditor compares, by KSeF number."""
    return {
        str(one.ksef_number): tuple(
            map(str, (one.order.remote_id, one.purpose, one.number, one.issued_on, one.xml_sha256, one.total))
        )
        for one in made.documents()
        if one.ksef_number is not None
    }


def all_agree(made: World) -> None:
    """KSeF, the shop and the database tell the same story, and the archive is whole."""
    in_ksef = {one["ksefNumber"] for one in made.in_ksef()}
    ours = {one.ksef_number for one in made.documents() if one.ksef_number}
    assert in_ksef == ours
    assert len(made.in_ksef()) == len(ours)
    numbers = [one.number for one in made.documents() if one.number]
    assert len(numbers) == len(set(numbers))
    invoices = [one.order.remote_id for one in made.documents() if one.purpose == "invoice"]
    assert len(invoices) == len(set(invoices))
    assert {one.state for one in made.documents()} == {DocumentState.PUBLISHED}
    assert verify(made.services(), Scope()).faults == []


def bring_back(made: World, since: date) -> None:
    services = made.services()
    with services.database() as session:
        seller = session.scalars(select(Seller.id)).one()
    report = recover(services, seller, since)
    find_sessions(services, seller, report, Watch())


def lead_a_life(made: World) -> None:
    """Invoices, an offline one, refunds and their corrections."""
    made.prepare(offline=OfflinePolicy.AUTOMATIC)
    made.run()
    made.clock.sleep(60)
    refund(made, ONE_MUG)
    made.run()


def go_on(made: World) -> None:
    """What happens after the backup: new orders, one more refund, an order issued offline."""
    made.clock.sleep(3600)
    made.shop.state.add_orders(orders(30, 2), {})
    for one in (30, 31):
        made.shop.state.touch(one)
    made.run()
    refund(made, SHIPPING)
    made.run()
    made.shop.state.add_orders(orders(40, 1), {})
    made.shop.state.touch(40)
    services = made.services()
    with services.database.begin() as session:
        session.scalars(select(Seller)).one().hold = None
    made.run()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "copies"
    place.mkdir(mode=0o700)
    return place


def test_the_file_is_gone_and_no_backup_was_made(tmp_path: Path) -> None:
    """Everything from KSeF: the same documents under the same orders; what is new goes on after them."""
    with world(tmp_path, orders(15, 3)) as made:
        lead_a_life(made)
        go_on(made)
        before = facts(made)
        assert len(before) >= 7
        (tmp_path / "new").mkdir()
        other = World(tmp_path / "new", made.ksef, made.shop, made.clock)
        other.prepare(offline=OfflinePolicy.AUTOMATIC)
        bring_back(other, date(2026, 1, 1))
        other.run()
        assert facts(other) == before
        made.shop.state.add_orders(orders(50, 1), {})
        made.shop.state.touch(50)
        other.run()
        assert len(other.in_ksef()) == len(before) + 1
        all_agree(other)


def test_an_older_backup_is_restored(tmp_path: Path, folder: Path) -> None:
    """Documents, refunds and corrections of after the backup come from KSeF; until then nothing is issued."""
    with world(tmp_path, orders(15, 3)) as made:
        lead_a_life(made)
        file = folder / f"old{SUFFIX}"
        backup.back_up(made.services(), Wanted(file, PASSPHRASE))
        go_on(made)
        before, count = facts(made), len(made.in_ksef())
        home = tmp_path / "new"
        result = restore(examine(file, PASSPHRASE), Target(home), datetime.now(UTC))
        other = World(home, made.ksef, made.shop, made.clock)
        # the shop shows everything again, and the lane waits
        said = other.run(timedelta(minutes=5))
        assert any("recover" in one.en for one in said.problems)
        assert len(other.in_ksef()) == count
        ((nip, since),) = result.filled.sellers
        assert nip == "5265877635"
        bring_back(other, since)
        other.run()
        assert facts(other) == before
        assert len(other.in_ksef()) == count
        made.shop.state.add_orders(orders(50, 1), {})
        made.shop.state.touch(50)
        other.run()
        assert len(other.in_ksef()) == count + 1
        all_agree(other)


def test_a_backup_made_while_documents_are_on_their_way(tmp_path: Path, folder: Path) -> None:
    """Issued and sent in the backup, accepted since: adopted, not sent a second time under another number."""
    with world(tmp_path, orders(15, 2)) as made:
        made.prepare()
        files: list[Path] = []

        def copy(row: Document) -> None:
            if row.state in {DocumentState.ISSUED, DocumentState.SENT} and len(files) < 3:
                files.append(folder / f"{len(files)}{SUFFIX}")
                backup.back_up(made.services(), Wanted(files[-1]))

        made.watch = copy
        made.run()
        made.watch = lambda _row: None
        before = facts(made)
        assert len(files) == 3
        key = (made.home / "secret.key").read_bytes()
        for number, file in enumerate(files):
            home = tmp_path / f"new-{number}"
            result = restore(examine(file, None), Target(home), datetime.now(UTC))
            (home / "secret.key").write_bytes(key)
            other = World(home, made.ksef, made.shop, made.clock)
            bring_back(other, result.filled.sellers[0][1])
            other.run()
            assert facts(other) == before
            all_agree(other)
