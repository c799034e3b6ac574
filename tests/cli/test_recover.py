"""``recover``, ``documents link`` and ``collective`` as commands, against sandboxes over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from connector_app.pipeline.runner import Runner
from connector_app.pipeline.services import Services
from connector_app.running.alone import RUNNER
from connector_app.settings import Settings
from connector_app.store.database import open_database
from connector_app.store.locks import lock
from connector_app.store.models import Seller
from connector_app.vault import Vault
from sandbox.ksef import KsefSandbox
from sandbox.woocommerce.server import WooSandbox
from tests.cli.conftest import Run
from tests.pipeline.world import NIP, install, recorded

SINCE = ("--since", "2026-01-01")


@pytest.fixture
def issued(home: Path) -> Iterator[Path]:
    """An installation whose two orders are invoiced; KSeF and the shop run on."""
    orders = [recorded("order_full", id=one, number=str(one)) for one in (15, 16)]
    with KsefSandbox(processing_seconds=0) as ksef, WooSandbox(orders) as shop:
        home.mkdir(mode=0o700)
        (home.parent / "addresses").write_text(f"{ksef.api_url} {ksef.qr_url} {shop.url}", "utf-8")
        _begin(home)
        runner = Runner(_services(home))
        assert runner.take_in().problems == []
        assert runner.work_until_idle(timedelta(seconds=20)).problems == []
        yield home


def _services(home: Path) -> Services:
    settings = Settings(home=home)
    return Services(database=open_database(settings.database), vault=Vault.open(settings.key_file))


def _begin(home: Path) -> None:
    """A new installation with the seller and the store."""
    api_url, qr_url, shop_url = (home.parent / "addresses").read_text("utf-8").split()
    install(_services(home), api_url=api_url, qr_url=qr_url, shop_url=shop_url)


def _lose(home: Path) -> None:
    """The disk is lost: database, key and all."""
    for file in home.iterdir():
        file.unlink()
    _begin(home)


def test_recover_tells_what_it_found(run: Run, issued: Path) -> None:
    """A table for people, the same for scripts; the second time nothing is new; then no second invoice."""
    _lose(issued)
    result = run("recover", "--seller", NIP, *SINCE, lang="en")
    assert result.exit_code == 0, result.output
    rows = [line.split() for line in result.output.splitlines()]
    assert ["Found", "in", "KSeF", "2"] in rows
    assert ["New", "here", "2"] in rows
    again = json.loads(run("recover", "--seller", NIP, *SINCE, "--json", "--no-upo").stdout)
    assert (again["found"], again["new"], again["known"], again["foreign"]) == (2, 0, 2, 0)
    listed = json.loads(run("documents", "list", "--json").stdout)
    assert [one["order"] for one in listed] == ["15", "16"]
    retried = run("documents", "retry", listed[0]["id"])
    assert retried.exit_code == 1
    assert "nie ma czego ponowić" in retried.output
    assert run("store", "sync").exit_code == 0
    assert {one["state"] for one in json.loads(run("documents", "list", "--json").stdout)} == {"published"}
    assert [line.split()[0] for line in run("store", "list").output.splitlines()] == ["Kod", "test"]
    assert run("documents", "link", listed[0]["id"], listed[1]["id"]).exit_code == 1


def test_recover_needs_a_seller_and_the_runner(run: Run, issued: Path) -> None:
    """An unknown NIP and another process at work are told, and what to do."""
    unknown = run("recover", "--seller", "5260250274", *SINCE)
    assert unknown.exit_code == 2
    assert "seller add" in unknown.output
    with lock(open_database(Settings(home=issued).database), RUNNER):
        busy = run("recover", "--seller", NIP, *SINCE)
    assert busy.exit_code == 1
    assert "Inny proces" in busy.output


def test_a_recovery_without_ksef_can_go_on(run: Run, issued: Path) -> None:
    """KSeF does not answer: the reason is told, and that the same command goes on."""
    database = open_database(Settings(home=issued).database)
    with database.begin() as session:
        seller = session.scalars(select(Seller)).one()
        seller.environment = {**seller.environment, "api_url": "http://127.0.0.1:9/v2"}
        seller.tokens = None
    result = run("recover", "--seller", NIP, *SINCE)
    assert result.exit_code == 1
    assert "Uruchom ponownie z tą samą datą" in result.output


def test_a_transfer_title_for_several_invoices(run: Run, issued: Path) -> None:
    """Made by ids or KSeF numbers, listed, looked up from both sides; what is wrong is told."""
    assert issued
    documents = json.loads(run("documents", "list", "--json").stdout)
    first, second = (one["ksef_number"] for one in documents)
    made = json.loads(
        run("collective", "create", documents[0]["id"], second, "--seller", NIP, "--json").stdout
    )
    title = made["identifier"]
    assert made["invoices"] == [first, second]
    assert title in run("collective", "list", "--seller", NIP).output
    shown = json.loads(run("collective", "show", title, "--seller", NIP, "--json").stdout)
    assert {one["ksef_number"]: one["amount"] for one in shown} == {
        one["ksef_number"]: one["total"] for one in documents
    }
    assert first in run("collective", "show", title, "--seller", NIP).output
    assert title in run("collective", "show", first, "--seller", NIP).output
    said = run("collective", "create", first, second, "--seller", NIP, lang="en").output
    assert "Transfer title: " in said
    for words in (
        ("create", first),
        ("create", first, "nonsense"),
        ("show", "nonsense"),
        ("show", f"{title[:-2]}00"),
    ):
        assert run("collective", *words, "--seller", NIP).exit_code == 2
    refused = run("collective", "create", first, first, "--seller", NIP)
    assert refused.exit_code == 1
    assert "71005" in refused.output
