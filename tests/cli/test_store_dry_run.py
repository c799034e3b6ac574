"""``store dry-run`` against a shop on localhost: words, numbers, exit codes; nothing is stored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from connector_app.store.database import open_database
from connector_app.store.models import Document, NumberCounter
from sandbox.woocommerce.recordings import demo_orders
from sandbox.woocommerce.server import DEMO_CONSUMER_KEY, DEMO_CONSUMER_SECRET, WooSandbox
from tests.cli.conftest import Run
from tests.conftest import ROOT

NIP = "5265877635"
YEAR = ("--from", "2026-01-01", "--to", "2026-12-31")


@pytest.fixture
def shop(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WooSandbox]:
    """A shop that is connected as ``shop``, whose orders are older than its start day."""
    monkeypatch.setenv("KSEF_CONNECTOR_NBP_URL", "off")
    (tmp_path / "token").write_text(f"20261124-EC-0000000000-0000000000-00|nip-{NIP}|abc\n", "utf-8")
    (tmp_path / "shop.conf").write_text(
        f"consumer_key={DEMO_CONSUMER_KEY}\nconsumer_secret={DEMO_CONSUMER_SECRET}\n", "utf-8"
    )
    example = ROOT / "docs" / "examples" / "seller.toml"
    assert run("seller", "add", example, "--token-file", "token").exit_code == 0
    with WooSandbox(demo_orders()) as running:
        words = ("--seller", NIP, "--platform", "woocommerce", "--config-file", "shop.conf")
        assert run("store", "add", "shop", "--url", running.url, *words).exit_code == 0
        yield running


def test_it_says_what_would_happen_and_stores_nothing(run: Run, shop: WooSandbox, home: Path) -> None:
    """Exit code 2 because something would be asked; the same numbers as JSON."""
    said = run("store", "dry-run", "shop", *YEAR)
    assert said.exit_code == 2
    assert "wymaga decyzji" in said.output
    assert "Popraw" in said.output or "popraw" in said.output
    as_json = run("store", "dry-run", "shop", *YEAR, "--json", lang="en")
    result = json.loads(as_json.output)
    assert result["orders"] == len(demo_orders())
    assert sum(result["outcomes"].values()) == result["orders"]
    assert "needs a decision" in run("store", "dry-run", "shop", *YEAR, lang="en").output
    with open_database(f"sqlite:///{home / 'connector.sqlite3'}")() as session:
        for table in (Document, NumberCounter):
            assert session.scalar(select(func.count()).select_from(table)) == 0


def test_bad_periods_and_shops_that_are_down(run: Run, shop: WooSandbox) -> None:
    """Each in words, without a traceback."""
    assert run("store", "dry-run", "shop", "--from", "2026-05-02", "--to", "2026-05-01").exit_code == 2
    assert run("store", "dry-run", "shop", "--from", "2020-01-01", "--to", "2026-05-01").exit_code == 2
    assert run("store", "dry-run", "nobody").exit_code == 2
    shop.fault("redirect", times=10)
    failed = run("store", "dry-run", "shop", *YEAR)
    assert failed.exit_code == 1
    assert "✗" in failed.output
