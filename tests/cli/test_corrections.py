"""Corrections on the terminal: the proof sheet, another try, and closing what nobody needs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.pipeline.kept_world import invoiced_world
from tests.pipeline.world import NIP, World, recorded


@pytest.fixture
def invoiced(home: Path) -> Iterator[World]:
    """An installation whose only order is invoiced; its documents begin with number 1."""
    home.mkdir()
    with invoiced_world(home) as made:
        made.clock.sleep(60)
        yield made


def given_back(made: World, name: str) -> None:
    """A refund in the shop, and a run."""
    made.shop.state.add_refund(15, recorded(name))
    made.run()


def test_a_correction_shows_its_proof(invoiced: World, run: Run) -> None:
    """The sheet stands in the text and in the JSON: refund and correction are equal."""
    given_back(invoiced, "refund_partial_line_created")
    shown = run("documents", "show", 2).output
    assert "KOR/2026/11/0001" in shown
    assert "Zwrot 16 do zamówienia 15, faktura FV/2026/11/0001" in shown
    assert "43.62 PLN = 43.62 PLN; zostaje: 202.93" in shown
    proof = json.loads(run("documents", "show", 2, "--json").output)["proof"]
    assert (proof["holds"], proof["left"]) == (True, "202.93")


def test_an_amount_without_lines_is_closed_by_a_person(invoiced: World, run: Run) -> None:
    """The list gives the reason and the hint; closing ends it, and nothing was issued."""
    given_back(invoiced, "refund_amount_only")
    listed = run("documents", "list", "--state", "attention").output
    assert "10.00 PLN" in listed
    closed = run("documents", "close", 2)
    assert (closed.exit_code, closed.output) == (0, "✓ Dokument 2 zamknięto.\n")
    invoiced.clock.sleep(60)
    invoiced.shop.state.touch(15)
    invoiced.run()
    (row,) = json.loads(run("documents", "list", "--json", "--state", "cancelled").output)
    assert (row["purpose"], row["invoice_number"]) == ("refund:18", None)
    assert len(invoiced.in_ksef()) == 1


def test_what_cannot_be_closed_says_so(invoiced: World, run: Run) -> None:
    """An invoice stays; so does a correction that was issued."""
    given_back(invoiced, "refund_partial_line_created")
    for document_id in (1, 2):
        refused = run("documents", "close", document_id, lang="en")
        assert refused.exit_code == 1
        assert "cannot be closed" in refused.output


def test_a_changed_order_is_corrected_by_hand(invoiced: World, run: Run) -> None:
    """A retry explains why it cannot, and names the way out, which works."""
    invoiced.shop.state.change(15, total="300.00")
    invoiced.run()
    refused = run("documents", "retry", 2)
    assert refused.exit_code == 1
    assert "ksef-connector documents close 2" in refused.output
    assert run("documents", "close", 2).exit_code == 0


def test_a_cancelled_order_is_corrected_after_a_retry(invoiced: World, run: Run) -> None:
    """``documents retry`` is the person's yes."""
    invoiced.shop.state.change(15, status="cancelled")
    invoiced.run()
    assert run("documents", "retry", 2).exit_code == 0
    invoiced.run()
    rows = json.loads(run("documents", "list", "--json").output)
    assert [(row["state"], row["total"]) for row in rows] == [
        ("published", "246.55"),
        ("published", "-246.55"),
    ]


def test_a_seller_with_documents_stays_where_they_are(invoiced: World, run: Run, tmp_path: Path) -> None:
    """Numbers of one KSeF environment must not go on in another; the way out is named."""
    file = tmp_path / "seller.toml"
    file.write_text(
        f'[seller]\nnip = "{NIP}"\nname = "S"\n[seller.address]\nline1 = "ul. Przykładowa 1"\n', "utf-8"
    )
    refused = run("seller", "add", file, "--environment", "DEMO")
    assert refused.exit_code == 1
    assert "KSEF_CONNECTOR_HOME" in refused.output
    addresses = ("--api-url", invoiced.ksef.api_url, "--qr-url", invoiced.ksef.qr_url)
    assert run("seller", "add", file, *addresses).exit_code == 0
