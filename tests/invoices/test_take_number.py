"""Taking numbers from the database: no gap and no double, also when many take at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from connector_app.numbering import take_number
from connector_app.store.database import Sessions, open_database
from connector_app.store.models import INVOICE, Document, DocumentState, Seller, ShopOrder, Store
from core.invoices.model import InvoiceKind
from core.invoices.numbering import Numbering, NumberPattern, Series, SeriesKind, StartNumber

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
DAY = date(2026, 11, 24)
SERIES = Series(NumberPattern("FV/{yyyy}/{mm}/{n:04}"), DAY)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Sessions]:
    """A new installation's database with two sellers."""
    sessions = open_database(f"sqlite:///{tmp_path / 'test.sqlite3'}")
    with sessions.begin() as session:
        for nip in ("5260250274", "5265877635"):
            session.add(
                Seller(
                    nip=nip,
                    name="Ministerstwo",
                    profile={},
                    environment={},
                    schema_version="FA3",
                    credential="",
                    created_at=NOW,
                )
            )
    yield sessions
    sessions._writer.dispose()


def _take(database: Sessions, series: Series = SERIES, seller: int = 1) -> str:
    with database.begin() as session:
        return take_number(session, seller, series)


def test_each_seller_and_period_counts_on_its_own(database: Sessions) -> None:
    """A new month begins at 1, and one seller's numbers move no other's."""
    december = Series(SERIES.pattern, date(2026, 12, 1))
    taken = [_take(database), _take(database), _take(database, december), _take(database, SERIES, 2)]
    assert taken == ["FV/2026/11/0001", "FV/2026/11/0002", "FV/2026/12/0001", "FV/2026/11/0001"]
    assert _take(database) == "FV/2026/11/0003"


def test_two_numbers_in_one_transaction_differ(database: Sessions) -> None:
    """A batch that issues many documents at once sees its own numbers."""
    with database.begin() as session:
        assert [take_number(session, 1, SERIES)[-1] for _ in range(3)] == ["1", "2", "3"]
    assert _take(database) == "FV/2026/11/0004"


def test_undoing_gives_the_number_back(database: Sessions) -> None:
    """A document that is refused after its number was taken leaves no gap, also inside a savepoint."""
    session = database()
    assert take_number(session, 1, SERIES) == "FV/2026/11/0001"
    session.rollback()
    session.close()
    with database.begin() as session:
        inner = session.begin_nested()
        assert take_number(session, 1, SERIES) == "FV/2026/11/0001"
        inner.rollback()
        assert take_number(session, 1, SERIES) == "FV/2026/11/0001"


def test_a_start_number_is_where_counting_begins(database: Sessions) -> None:
    """Only in its period, only once, and not undone by numbers taken before it was entered."""
    assert _take(database) == "FV/2026/11/0001"
    numbering = Numbering.of({}, [StartNumber(SeriesKind.INVOICE, "2026-11", 118)])
    november = numbering.series(InvoiceKind.VAT, DAY)
    assert [_take(database, november) for _ in range(2)] == ["FV/2026/11/0118", "FV/2026/11/0119"]
    assert _take(database, numbering.series(InvoiceKind.VAT, date(2026, 12, 1))) == "FV/2026/12/0001"


def test_stores_with_their_code_in_the_number_count_apart(database: Sessions) -> None:
    """Neither has gaps because of the other."""
    pattern = NumberPattern("{store}/{n}/{yyyy}")
    taken = [_take(database, Series(pattern, DAY, store)) for store in ("A", "B", "A", "B")]
    assert taken == ["A/1/2026", "B/1/2026", "A/2/2026", "B/2/2026"]


def test_a_number_that_another_pattern_made_is_passed_over(database: Sessions) -> None:
    """After a change of the pattern no number comes twice."""
    with database.begin() as session:
        store = Store(
            seller_id=1, code="A", platform="woocommerce", url="", config="", policy={}, created_at=NOW
        )
        order = ShopOrder(
            store=store, remote_id="1", number="1", modified_at=NOW, content_hash="", seen_at=NOW
        )
        session.add(
            Document(
                seller_id=1,
                order=order,
                purpose=INVOICE,
                kind="VAT",
                state=DocumentState.ISSUED,
                number="FV/2026/11/0001",
                created_at=NOW,
                updated_at=NOW,
            )
        )
    assert _take(database) == "FV/2026/11/0002"
    assert _take(database, SERIES, 2) == "FV/2026/11/0001"


def test_many_at_once_take_every_number_once(database: Sessions) -> None:
    """Threads race from the very first number; some of them give theirs back, and nothing is missing."""
    taken: list[str] = []
    gate = threading.Barrier(6)

    def work(worker: int) -> None:
        gate.wait()
        for turn in range(8):
            try:
                with database.begin() as session:
                    number = take_number(session, 1, SERIES)
                    if (turn + worker) % 4 == 0:
                        raise RuntimeError
                taken.append(number)
            except RuntimeError:
                continue

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 36
    assert sorted(taken) == [f"FV/2026/11/{n:04}" for n in range(1, 37)]
