"""``invoice build --platform prestashop``: a file of webservice answers becomes a document."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.fa import registry, schema
from tests.cli.conftest import Run
from tests.conftest import DATA, ROOT
from tests.prestashop.bundles import order_file

SELLER = ROOT / "docs" / "examples" / "seller.toml"
BUILD = ("invoice", "build", "--platform", "prestashop", "--seller", SELLER)
ANSWERS = sorted(DATA.glob("prestashop/*.xml"))


@pytest.mark.parametrize("version", ["FA3", "FA2"])
@pytest.mark.parametrize("name", ["o1", "o2", "o3", "o4"])
def test_a_recorded_order_becomes_a_valid_document(
    run: Run, tmp_path: Path, official_ksef: Path, name: str, version: str
) -> None:
    """The document passes the Ministry's schema and our own check."""
    (tmp_path / "order.xml").write_bytes(order_file(name))
    result = run(*BUILD, "--order", "order.xml", "--schema", version, "-o", "out.xml")
    assert result.exit_code == 0, result.output
    tree = schema.parse((tmp_path / "out.xml").read_bytes())
    assert schema.check(tree, registry.schema_for(version), official_ksef / "schemas") == []
    assert run("invoice", "validate", "out.xml").exit_code == 0


def test_what_was_given_back_is_a_question(run: Run) -> None:
    """A file with credit slips is not invoiced by itself."""
    result = run(*BUILD, "--order", "-", stdin=order_file("o1", slips=True))
    assert result.exit_code == 2
    assert "refunded-before-invoice" in result.output


def test_options_of_the_shop(run: Run, tmp_path: Path) -> None:
    """--config-file takes the same entries as a store's; a wrong one is said by its line."""
    options = tmp_path / "shop.conf"
    words = (*BUILD, "--order", "-", "--config-file", options)
    options.write_text("# sklep\nprices = net\nrefunded_states = 7\n")
    assert b"<P_11>" in run(*words, stdin=order_file("o1")).stdout_bytes
    assert "refunded-before-invoice" in run(*words, stdin=order_file("o3")).output
    for entry, sentence in (
        ("price=net", "wiersz 1: nieznany wpis"),
        ("prices=both", "neither gross nor net"),
        ("time_zone=Mars", "no time zone"),
    ):
        options.write_text(entry)
        result = run(*words, stdin=order_file("o1"))
        assert result.exit_code == 2
        assert sentence in result.output


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda path: path.stem)
def test_one_answer_alone_is_no_order(run: Run, answer: Path) -> None:
    """Exit code 2 and a hint: an order alone lacks its lines, and everything else is no order."""
    result = run(*BUILD, "--order", answer, "-o", "out.xml")
    assert result.exit_code == 2
    assert "nie jest zamówieniem" in result.output
    assert "docs/prestashop" in result.output


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "nie jest plikiem XML"),
        (b"{}", "nie jest plikiem XML"),
        (b"<prestashop>", "nie jest plikiem XML"),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><prestashop>&b;</prestashop>", "nie jest plikiem XML"),
        (b"<html/>", "nie jest zamówieniem"),
        (b"<prestashop/>", "nie jest zamówieniem"),
    ],
)
def test_a_file_that_is_no_order(run: Run, content: bytes, sentence: str) -> None:
    """Whatever the bytes are, the answer is a sentence, a hint and exit code 2."""
    result = run(*BUILD, "--order", "-", stdin=content)
    assert result.exit_code == 2
    assert sentence in result.output
    assert "docs/prestashop.pl.md" in result.output
