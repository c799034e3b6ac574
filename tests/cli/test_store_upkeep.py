"""``store webhooks``, ``store backfill`` and ``store remove``, against a shop on localhost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector_app.running.alone import RUNNER
from connector_app.settings import Settings
from connector_app.store.database import open_database
from connector_app.store.locks import lock
from connector_app.store.models import Document, Store
from connector_app.vault import Vault
from sandbox.woocommerce.recordings import demo_orders
from sandbox.woocommerce.server import DEMO_CONSUMER_KEY, DEMO_CONSUMER_SECRET, WooSandbox
from tests.cli.conftest import Run
from tests.conftest import ROOT

NIP = "5265877635"
HERE = "http://127.0.0.1:9"


@pytest.fixture
def shop(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WooSandbox]:
    """A shop that is connected as ``shop``; nothing was read from it."""
    monkeypatch.delenv("KSEF_CONNECTOR_PUBLIC_URL", raising=False)
    (tmp_path / "token").write_text(f"20261124-EC-0000000000-0000000000-00|nip-{NIP}|abc\n", "utf-8")
    (tmp_path / "shop.conf").write_text(
        f"consumer_key={DEMO_CONSUMER_KEY}\nconsumer_secret={DEMO_CONSUMER_SECRET}\n", "utf-8"
    )
    example = ROOT / "docs" / "examples" / "seller.toml"
    assert run("seller", "add", example, "--token-file", "token").exit_code == 0
    with WooSandbox(demo_orders()) as running:
        connect(run, running)
        yield running


def connect(run: Run, shop: WooSandbox) -> None:
    # the recorded orders are never invoiced
    words = (
        *("--seller", NIP, "--platform", "woocommerce", "--config-file", "shop.conf"),
        *("--start", "2999-01-01"),
    )
    assert run("store", "add", "shop", "--url", shop.url, *words).exit_code == 0


def row(home: Path) -> Store:
    with open_database(f"sqlite:///{home / 'connector.sqlite3'}")() as session:
        return session.get_one(Store, 1)


def test_webhooks_are_registered_shown_and_deleted(run: Run, shop: WooSandbox) -> None:
    """The words, the exit codes and what the shop has agree; no secret and no address is printed."""
    none = run("store", "webhooks", "shop", lang="en")
    assert (none.exit_code, "not registered" in none.output) == (1, True)
    made = run("store", "webhooks", "shop", "--register", "--public-url", HERE, "--json")
    assert made.exit_code == 0
    assert [one["active"] for one in json.loads(made.output)] == [True] * 6
    for hook in shop.state.webhooks.hooks.values():
        assert hook["secret"] not in made.output
    checked = run("store", "check", "shop", lang="en").output
    assert "✓ webhooks: all 6 are active" in checked
    next(iter(shop.state.webhooks.hooks.values()))["status"] = "disabled"
    bad = run("store", "webhooks", "shop", lang="en")
    assert (bad.exit_code, "five failed deliveries" in bad.output) == (1, True)
    assert "✗ webhooks: order.created" in run("store", "check", "shop", lang="en").output
    gone = run("store", "webhooks", "shop", "--unregister", lang="en")
    assert (gone.exit_code, shop.state.webhooks.hooks) == (0, {})


@pytest.mark.parametrize(
    "url", ["http://ksef.shop.example", "ftp://127.0.0.1", "https://", "https://a:b@c", "https://a/?q", "x"]
)
def test_a_public_address_must_be_https(run: Run, shop: WooSandbox, url: str) -> None:
    """Plain http is for this machine only."""
    result = run("store", "webhooks", "shop", "--register", "--public-url", url, lang="en")
    assert (result.exit_code, "https://" in result.output) == (2, True)
    assert shop.state.webhooks.hooks == {}


def test_the_public_address_comes_from_the_environment(
    run: Run, shop: WooSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without any the command says how to give it; a bad one is refused before anything runs."""
    missing = run("store", "webhooks", "shop", "--register", lang="en")
    assert (missing.exit_code, "KSEF_CONNECTOR_PUBLIC_URL" in missing.output) == (2, True)
    monkeypatch.setenv("KSEF_CONNECTOR_PUBLIC_URL", f"{HERE}/")
    assert run("store", "webhooks", "shop", "--register").exit_code == 0
    urls = {hook["delivery_url"] for hook in shop.state.webhooks.hooks.values()}
    assert all(url.startswith(f"{HERE}/webhooks/shop/") for url in urls)
    monkeypatch.setenv("KSEF_CONNECTOR_PUBLIC_URL", "http://shop.example")
    assert run("store", "list", lang="en").exit_code != 0


def test_backfill_reads_and_says_what_it_did(run: Run, shop: WooSandbox) -> None:
    """The recorded orders are read, decided by the store's rules, and counted."""
    result = run("store", "backfill", "shop", "--since", "2026-11-01", lang="en")
    assert result.exit_code == 0
    assert "Orders read: 5, changed: 5" in result.output
    documents = json.loads(run("documents", "list", "--json").output)
    assert len(documents) == 5
    assert run("store", "backfill", "shop", "--since", "2999-01-01").exit_code == 2
    shop.fault("http_500", times=3)
    failed = run("store", "backfill", "shop", "--since", "2026-11-01", lang="en")
    assert (failed.exit_code, "it goes on" in failed.output) == (1, True)


def test_backfill_is_left_to_a_running_application(run: Run, shop: WooSandbox, home: Path) -> None:
    """The wish is kept in the store's row for the process that holds the lock."""
    with lock(open_database(Settings(home=home).database), RUNNER):
        result = run("store", "backfill", "shop", "--since", "2026-11-01", lang="en")
    assert (result.exit_code, "Another process" in result.output) == (0, True)
    kept = row(home).backfill
    assert kept is not None
    assert kept["since"] == "2026-10-31T23:00:00+00:00"
    assert shop.url


def test_a_removed_store_keeps_its_documents(run: Run, shop: WooSandbox, home: Path) -> None:
    """Webhooks and keys go, documents stay, nothing is asked of it, and adding it again opens it."""
    run("store", "webhooks", "shop", "--register", "--public-url", HERE)
    run("store", "backfill", "shop", "--since", "2026-11-01")
    removed = run("store", "remove", "shop", "--yes", lang="en")
    assert (removed.exit_code, shop.state.webhooks.hooks) == (0, {})
    closed = row(home)
    assert closed.webhook is None
    assert Vault.open(home / "secret.key").unseal(closed.config) == {"url": shop.url}
    assert len(json.loads(run("documents", "list", "--json").output)) == 5
    assert json.loads(run("store", "list", "--json").output)[0]["closed_at"] is not None
    assert run("store", "check", "shop").exit_code == 2
    assert run("store", "sync", lang="en").exit_code == 0
    connect(run, shop)
    assert json.loads(run("store", "list", "--json").output)[0]["closed_at"] is None


def test_a_store_with_documents_under_way_is_not_removed(run: Run, shop: WooSandbox, home: Path) -> None:
    """What is due must reach KSeF and the shop first."""
    run("store", "backfill", "shop", "--since", "2026-11-01")
    with open_database(f"sqlite:///{home / 'connector.sqlite3'}").begin() as session:
        session.get_one(Document, 1).state = "accepted"
    refused = run("store", "remove", "shop", "--yes", lang="en")
    assert (refused.exit_code, "under way: 1" in refused.output) == (2, True)
    with open_database(f"sqlite:///{home / 'connector.sqlite3'}").begin() as session:
        session.get_one(Document, 1).state = "waiting"
    assert run("store", "remove", "shop", stdin="n\n").exit_code != 0
    assert row(home).closed_at is None
    assert run("store", "remove", "shop", stdin="y\n").exit_code == 0
    assert shop.url


def test_a_silent_shop_is_removed_by_force(run: Run, shop: WooSandbox, home: Path) -> None:
    """Its webhooks cannot be deleted; what still comes is answered 404."""
    run("store", "webhooks", "shop", "--register", "--public-url", HERE)
    shop.fault("http_500", times=6)
    assert run("store", "remove", "shop", "--yes").exit_code == 1
    assert row(home).closed_at is None
    assert run("store", "remove", "shop", "--yes", "--force").exit_code == 0
    assert row(home).closed_at is not None
