"""Finding documents: searches, orders, pages and counts, in a database of some hundred."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from connector_app.documents.queries import Filter, Kind, Page, Sort, counts, find, is_ascending
from connector_app.store import database as store_database
from connector_app.store.database import Sessions, open_database
from connector_app.store.models import Document, Seller, ShopOrder, Store

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ALL = Filter(sellers=[1, 2])
COUNT = 173
_DERIVED = ("store_id", "day", "sort_total", "buyer_key", "buyer_tax_id", "search")


def order(number: int, store_id: int = 1, nip: str = "") -> ShopOrder:
    buyer = {"tax_ids": [{"value": nip, "source": "nip", "free_text": False}] if nip else []}
    return ShopOrder(
        id=number, store_id=store_id, remote_id=str(number), number=f"Z-{number}", modified_at=NOW,
        content_hash="", snapshot={"buyer": buyer}, seen_at=NOW,
    )  # fmt: skip


def document(id_: int, seller_id: int = 1, **changes: object) -> Document:
    values: dict[str, object] = {
        "id": id_, "seller_id": seller_id, "order_id": id_, "purpose": "invoice", "kind": "VAT",
        "state": "published", "number": f"FV/{id_}", "issued_on": date(2026, 11, 24),
        "total": Decimal("10.00"), "currency": "PLN", "buyer_name": "Anna", "created_at": NOW,
        "updated_at": NOW,
    }  # fmt: skip
    return Document(**values | changes)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The file of :func:`many`."""
    file = tmp_path_factory.mktemp("filled") / "connector.sqlite3"
    sessions = open_database(f"sqlite:///{file}")
    dice = random.Random(7)
    with sessions.begin() as session:
        for one, nip in ((1, "5265877635"), (2, "7010002137")):
            session.add(
                Seller(
                    id=one, nip=nip, name=f"S{one}", profile={}, environment={"name": "TEST"},
                    schema_version="FA3", credential="", created_at=NOW,
                )
            )  # fmt: skip
        session.flush()
        for one in (1, 2, 3):
            session.add(
                Store(
                    id=one, seller_id=1 if one < 3 else 2, code=f"s{one}", platform="woocommerce", url="",
                    config="", policy={}, created_at=NOW,
                )
            )  # fmt: skip
        session.flush()
        for number in range(1, COUNT + 1):
            store = 1 + number % 3
            session.add(order(number, store))
            session.flush()
            issued = dice.random() < 0.8
            session.add(
                document(
                    number,
                    1 if store < 3 else 2,
                    state=dice.choice(["published", "attention", "ready"]),
                    kind=dice.choice(["VAT", "KOR"]),
                    number=f"FV/{number}" if issued else None,
                    issued_on=date(2026, dice.randint(9, 11), 3) if issued else None,
                    total=dice.choice(
                        [None, Decimal("9.99"), Decimal("100"), Decimal("-100.5"), Decimal("1000")]
                    ),
                    buyer_name=dice.choice([None, "Żółw", "Anna", "anna", "Łukasz"]),
                )
            )
    sessions.kw["bind"].dispose()
    with closing(sqlite3.connect(file)) as plain:
        plain.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return file.read_bytes()


@pytest.fixture
def many(filled: bytes, tmp_path: Path) -> Sessions:
    """Two sellers with three stores; many documents are equal in what they are ordered by."""
    file = tmp_path / "connector.sqlite3"
    file.write_bytes(filled)
    return open_database(f"sqlite:///{file}")


def walk(session: Session, chosen: Filter, sort: Sort, *, ascending: bool, size: int = 20) -> Iterator[Page]:
    place = ""
    while True:
        page = find(session, chosen, sort, ascending=ascending, place=place, size=size)
        yield page
        place = page.after
        if not place:
            return


def ids(pages: list[Page]) -> list[int]:
    return [row.id for page in pages for row in page.rows]


@pytest.mark.parametrize("ascending", [True, False])
@pytest.mark.parametrize("sort", list(Sort))
def test_pages_there_and_back_show_each_document_once(many: Sessions, sort: Sort, ascending: bool) -> None:
    """In every order, also where many are equal or have nothing to be ordered by."""
    with many() as session:
        there = list(walk(session, ALL, sort, ascending=ascending))
        assert sorted(ids(there)) == list(range(1, COUNT + 1))
        whole = find(session, ALL, sort, ascending=ascending, place="", size=COUNT)
        assert ids(there) == ids([whole])
        assert (whole.before, whole.after) == ("", "")
        back, place = [there[-1]], there[-1].before
        while place:
            back.insert(0, find(session, ALL, sort, ascending=ascending, place=place, size=20))
            place = back[0].before
        assert [page.rows for page in back] == [page.rows for page in there]


def test_what_comes_in_between_two_pages_moves_nothing(many: Sessions) -> None:
    """The second page begins where the first ended, however many are new."""
    with many() as session:
        first = find(session, ALL, Sort.NEWEST, ascending=False, place="")
    with many.begin() as session:
        session.add_all(order(1000 + number) for number in range(60))
        session.flush()
        session.add_all(document(1000 + number) for number in range(60))
    with many() as session:
        second = find(session, ALL, Sort.NEWEST, ascending=False, place=first.after)
        assert second.rows[0].id == first.rows[-1].id - 1
        assert len(find(session, ALL, Sort.NEWEST, ascending=False, place=second.before).rows) == 50


def test_amounts_are_ordered_as_amounts(many: Sessions) -> None:
    """-100.50 before 9.99 before 100 before 1000, although they are kept as text."""
    with many() as session:
        found = find(session, ALL, Sort.TOTAL, ascending=True, place="", size=COUNT)
    totals = [row.total or Decimal(0) for row in found.rows]
    assert totals == sorted(totals)
    assert totals[0] == Decimal("-100.5")
    assert is_ascending(Sort.BUYER, "")
    assert not is_ascending(Sort.TOTAL, "")


NAMES = [
    "FV/77/2026", "fv/77/", "z-2001", "5265877635-20261124-ABC", "Zolc", "żółć  anna", "526-587-76-35",
    "PL 5265877635", "50%_zniżki", "2026-11-0001",
]  # fmt: skip


@pytest.mark.parametrize("words", NAMES)
def test_a_document_is_found_by_any_of_its_names(many: Sessions, words: str) -> None:
    """Number, order, KSeF number, buyer without marks, NIP with hyphens; % is a letter like others."""
    with many.begin() as session:
        named = order(2001, nip="PL 526-58-77-635")
        named.number = "Z-2001 2026-11-0001"
        session.add(named)
        session.flush()
        session.add(
            document(
                2001, number="FV/77/2026", ksef_number="5265877635-20261124-ABCDEF",
                buyer_name="Anna Żółć 50%_zniżki",
            )
        )  # fmt: skip
    with many() as session:
        found = find(session, Filter([1, 2], text=words), Sort.NEWEST, ascending=False, place="")
        assert ids([found]) == [2001]
        nothing = find(session, Filter([2], text=words), Sort.NEWEST, ascending=False, place="")
        assert nothing.rows == []


def test_filters_narrow_and_counts_tell_of_the_other_states(many: Sessions) -> None:
    """State, store, kind and month; counts leave the state out, so that one can be changed for another."""
    chosen = Filter([1, 2], states=("attention",), store_id=2, kind=Kind.CORRECTION, month="2026-10")
    with many() as session:
        rows = session.scalars(select(Document).where(Document.store_id == 2)).all()
        fitting = [one for one in rows if one.kind == "KOR" and one.day and one.day.month == 10]
        found = find(session, chosen, Sort.DAY, ascending=True, place="")
        assert sorted(ids([found])) == [one.id for one in fitting if one.state == "attention"] != []
        assert counts(session, chosen) == {
            state: sum(one.state == state for one in fitting) for state in {one.state for one in fitting}
        }
        assert sum(counts(session, Filter([2])).values()) == len(range(2, COUNT + 1, 3))


@pytest.mark.parametrize(
    "place", ["x", "W10", "WyJhIiwgbnVsbCwgMV0=", "WyJhIiwgIngiLCAiMSJd", "a" * 500, "%00"]
)
def test_a_place_that_makes_no_sense_is_the_first_page(many: Sessions, place: str) -> None:
    """Addresses are typed by anybody."""
    with many() as session:
        for sort in (Sort.NUMBER, Sort.TOTAL, Sort.DAY):
            first = find(session, ALL, sort, ascending=True, place="")
            assert find(session, ALL, sort, ascending=True, place=place).rows == first.rows


def test_search_follows_the_document_and_its_order(many: Sessions) -> None:
    """A number given later, another buyer, an order renumbered in the shop."""
    with many.begin() as session:
        row = session.get_one(Document, 5)
        row.number, row.buyer_name, row.total = "NOWY/1", "Świeży", Decimal("7.77")
    with many.begin() as session:
        session.get_one(ShopOrder, 5).number = "INNE-9"
    with many() as session:
        for words in ("nowy/1", "swiezy", "inne-9"):
            found = find(session, Filter([1, 2], text=words), Sort.NEWEST, ascending=False, place="")
            assert ids([found]) == [5]
        assert session.get_one(Document, 5).sort_total == 777


def test_an_older_database_is_filled_as_if_it_had_been_written_so(many: Sessions, tmp_path: Path) -> None:
    """The migration derives for every document what the program derives when it writes one."""
    with many.begin() as session:
        row = session.get_one(Document, 9)
        row.xml, row.xml_sha256 = b"<a><Podmiot2><x><NIP>5252248481</NIP></x></Podmiot2></a>", "0" * 64

    def derived() -> list[tuple[object, ...]]:
        with many() as session:
            columns = [getattr(Document, name) for name in ("id", *_DERIVED)]
            return [tuple(one) for one in session.execute(select(*columns).order_by(Document.id))]

    before = derived()
    assert before[8][5] == "5252248481"
    config = store_database._alembic_config()
    engine = create_engine(f"sqlite:///{tmp_path / 'connector.sqlite3'}")
    with store_database.without_foreign_keys(engine) as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0015")
        command.upgrade(config, "head")
    assert derived() == before
