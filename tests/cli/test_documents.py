"""``documents list`` of an installation with ten thousand documents."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from connector_app.store.database import open_database
from connector_app.store.models import Document, Publication, Seller, ShopOrder, Store
from tests.cli.conftest import Run

MANY = 10_000
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose database holds ten thousand published documents."""
    home = tmp_path_factory.mktemp("many")
    database = open_database(f"sqlite:///{home / 'connector.sqlite3'}")
    snapshot = {"lines": [{"name": "x" * 60, "net": "1.00"}] * 20}
    with database.begin() as session:
        common = {"created_at": NOW}
        session.add(
            Seller(
                id=1, nip="5265877635", name="S", profile={}, environment={"name": "TEST"},
                schema_version="FA3", credential="", **common,
            )
        )  # fmt: skip
        session.flush()
        session.add(
            Store(id=1, seller_id=1, code="s", platform="woocommerce", url="", config="", policy={}, **common)
        )
        session.flush()
        numbers = range(1, MANY + 1)
        session.add_all(
            ShopOrder(
                id=n, store_id=1, remote_id=str(n), number=str(n), modified_at=NOW, content_hash="0" * 64,
                snapshot=snapshot, seen_at=NOW,
            )
            for n in numbers
        )  # fmt: skip
        session.flush()
        session.add_all(
            Document(
                id=n, seller_id=1, order_id=n, purpose="invoice", kind="VAT", state="published",
                number=f"FV/{n}", total=Decimal("1.23"), currency="PLN", buyer_name="Nabywca",
                ksef_number=f"{n:035}", created_at=NOW, updated_at=NOW + timedelta(seconds=n),
            )
            for n in numbers
        )  # fmt: skip
        session.flush()
        session.add_all(
            Publication(document_id=n, channel="private_note", remote_id=str(n), done_at=NOW) for n in numbers
        )
    database.kw["bind"].dispose()
    return home


def test_the_newest_page_of_ten_thousand_is_quick(
    run: Run, many: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list shows the newest fifty, the way to older ones, and takes well under a second."""
    monkeypatch.setenv("KSEF_CONNECTOR_HOME", str(many))
    # of this process's own work: how long it takes beside others says nothing about it
    started = time.process_time()
    result = run("documents", "list")
    took = time.process_time() - started
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[1].startswith("9951")
    assert lines[50].startswith("10000")
    assert lines[-1] == "Starszych: 9950; następna strona: --before 9951"
    assert took < 1
    older = run("documents", "list", "--before", "9951", "--limit", "10").output.splitlines()
    assert older[1].startswith("9941")
    assert older[-1] == "Starszych: 9940; następna strona: --before 9941"


def test_all_of_ten_thousand_as_json(run: Run, many: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For scripts the list is whole unless --limit asks for less."""
    monkeypatch.setenv("KSEF_CONNECTOR_HOME", str(many))
    started = time.perf_counter()
    rows = json.loads(run("documents", "list", "--json").output)
    assert time.perf_counter() - started < 10
    assert [row["id"] for row in rows] == list(range(1, MANY + 1))
    assert rows[0]["publications"] == {"private_note": "1"}
    assert len(json.loads(run("documents", "list", "--json", "--limit", "5").output)) == 5
    assert json.loads(run("documents", "list", "--json", "--state", "ready").output) == []
