"""``invoice``: documents from files alone."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.calendar import warsaw_day
from core.fa import registry, schema
from tests.cli.conftest import Run, execute
from tests.conftest import DATA, ROOT

SELLER = ROOT / "docs" / "examples" / "seller.toml"
ORDERS = DATA / "woocommerce"
FULL = ORDERS / "order_full.json"
BUILD = ("invoice", "build", "--platform", "woocommerce", "--seller", SELLER)

OUTCOMES = {
    "order_after_refunds": "refunded-before-invoice",
    "order_blocks_checkout_with_nip": "buyer-tax-id-invalid",
    "order_created_response": None,
    "order_dp6": None,
    "order_eur_no_matching_rate": None,  # the example file knows a rate
    "order_full": None,
    "order_full_refunded_by_amount": "refunded-before-invoice",
    "order_full_refunded_by_lines": "refunded-before-invoice",
    "order_meta_put": "refunded-before-invoice",
    "order_net_prices_round_at_subtotal": None,
    "order_net_prices_round_per_line": None,
}
"""Recorded order -> the reason why it needs a person, or ``None``."""
OTHERS = sorted(one.stem for one in ORDERS.glob("*.json") if one.stem not in OUTCOMES)


@pytest.mark.parametrize("version", ["FA3", "FA2"])
@pytest.mark.parametrize(("name", "reason"), OUTCOMES.items())
def test_every_recorded_order_becomes_a_valid_document_or_a_question(
    run: Run, tmp_path: Path, official_ksef: Path, name: str, reason: str | None, version: str
) -> None:
    """A recorded order passes the Ministry's schema, or exit code 2 says why and writes nothing."""
    out = tmp_path / "out.xml"
    result = run(*BUILD, "--order", ORDERS / f"{name}.json", "--schema", version, "-o", out)
    assert result.exit_code == (0 if reason is None else 2), result.output
    assert out.exists() == (reason is None)
    if reason is not None:
        assert reason in result.output
        assert "wymaga decyzji" in result.output
        return
    tree = schema.parse(out.read_bytes())
    assert schema.check(tree, registry.schema_for(version), official_ksef / "schemas") == []
    assert run("invoice", "validate", out).exit_code == 0


@pytest.mark.parametrize("name", OTHERS)
def test_every_other_recorded_answer_is_refused_as_no_order(run: Run, name: str) -> None:
    """Refunds, notes, settings and errors of the shop are no orders; exit code 2 and a hint say so."""
    result = run(*BUILD, "--order", ORDERS / f"{name}.json", "-o", "out.xml")
    assert result.exit_code == 2
    assert "nie jest zamówieniem" in result.output
    assert "→" in result.output


def test_pipes_from_order_to_picture(tmp_path: Path) -> None:
    """Order and document go through standard input and output of real processes, byte for byte."""
    built = execute(*BUILD, "--order", FULL, "--number", "FV/7", "-o", tmp_path / "a.xml", cwd=tmp_path)
    assert built.returncode == 0, built.stderr
    piped = execute(*BUILD, "--order", FULL, "--number", "FV/7", cwd=tmp_path)
    assert "<P_2>FV/7</P_2>" in piped.stdout
    assert piped.stderr == ""


def test_dashes_mean_standard_input_and_output(run: Run) -> None:
    """``-`` works for order, seller, validated file and picture."""
    made = run(*BUILD, "--order", "-", stdin=FULL.read_bytes())
    assert made.exit_code == 0
    xml = made.stdout_bytes
    from_seller = run(
        "invoice", "build", "--platform", "woocommerce", "--order", FULL, "--seller", "-", "-o", "-",
        stdin=SELLER.read_bytes(),
    )  # fmt: skip
    assert from_seller.exit_code == 0
    assert run("invoice", "validate", "-", stdin=xml).exit_code == 0
    assert run("invoice", "render", "-", "-o", "-", stdin=xml).stdout_bytes.startswith(b"%PDF")
    both = run("invoice", "build", "--platform", "woocommerce", "--order", "-", "--seller", "-")
    assert both.exit_code == 2


def test_number_and_date_are_taken_over(run: Run, tmp_path: Path) -> None:
    """--number and --date go into P_2 and P_1; without them the pattern and today do."""
    run(*BUILD, "--order", FULL, "--number", "A/1", "--date", "2026-11-02", "-o", "a.xml")
    assert b"<P_1>2026-11-02</P_1>" in (tmp_path / "a.xml").read_bytes()
    run(*BUILD, "--order", FULL, "-o", "b.xml")
    today = warsaw_day(datetime.now(UTC))
    expected = f"<P_2>FV/{today:%Y/%m}/0001</P_2>".encode()
    assert expected in (tmp_path / "b.xml").read_bytes()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "nie jest plikiem JSON"),
        (b"\xff\xfe\x00noise", "nie jest plikiem JSON"),
        (b"{", "nie jest plikiem JSON"),
        (b"[" * 100_000, "nie jest plikiem JSON"),
        (b"[]", "nie jest zamówieniem"),
        (b"{}", "nie jest zamówieniem"),
        (b'{"id": 1e999999}', "nie jest zamówieniem"),
        (b"null", "nie jest zamówieniem"),
    ],
)
def test_a_file_that_is_no_order(run: Run, content: bytes, sentence: str) -> None:
    """Whatever the bytes are, the answer is a sentence and exit code 2."""
    result = run(*BUILD, "--order", "-", stdin=content)
    assert result.exit_code == 2
    assert sentence in result.output


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("--order", "missing.json"), 2, "nie ma takiego pliku"),
        (("--order", "."), 2, "to jest folder"),
        (("--order", FULL, "--date", "2099-01-01"), 2, "issue-date-in-future"),
        (("--order", FULL, "--date", "24.11.2026"), 2, "nie ma postaci RRRR-MM-DD"),
        (("--order", FULL, "--number", "x" * 300), 2, "xsd-max-length"),
        (("--order", FULL, "-o", "/proc/nowhere/out.xml"), 1, "✗"),
        (("--order", FULL, "-o", "."), 1, "to jest folder"),
        (("--order", FULL, "--schema", "FA1"), 2, "nie jest jednym z"),
    ],
)
def test_bad_options_of_build(run: Run, words: tuple[object, ...], code: int, sentence: str) -> None:
    """Bad options end in their own sentence and exit code."""
    result = run(*BUILD, *words)
    assert result.exit_code == code
    assert sentence in result.output


def test_an_unknown_platform_is_answered_with_the_known_ones(run: Run) -> None:
    """A platform without an adapter is exit code 2, and the known ones are shown."""
    result = run("invoice", "build", "--platform", "x", "--order", FULL, "--seller", SELLER)
    assert result.exit_code == 2
    assert "Znane: woocommerce" in result.output


def test_nothing_is_left_beside_a_file_that_could_not_be_written(run: Run, tmp_path: Path) -> None:
    """A write that fails leaves neither the file nor its draft."""
    (tmp_path / "folder").mkdir()
    assert run(*BUILD, "--order", FULL, "-o", "folder").exit_code == 1
    assert sorted(one.name for one in tmp_path.iterdir()) == ["folder"]


def test_validate_tells_apart_errors_and_unreadable_files(run: Run, tmp_path: Path) -> None:
    """Exit code 1 for a document with errors, 2 when a file is no document; JSON holds both languages."""
    run(*BUILD, "--order", FULL, "-o", "good.xml")
    good = (tmp_path / "good.xml").read_bytes()
    (tmp_path / "bad.xml").write_bytes(good.replace(b"<KodWaluty>PLN", b"<KodWaluty>XXZ"))
    (tmp_path / "noise").write_bytes(b"\x00\x01")
    (tmp_path / "other.xml").write_text("<a/>")
    assert run("invoice", "validate", "good.xml").exit_code == 0
    assert run("invoice", "validate", "good.xml", "bad.xml").exit_code == 1
    result = run("invoice", "validate", "bad.xml", "noise", "other.xml", "missing", ".", "--json")
    assert result.exit_code == 2
    reports = json.loads(result.output)
    assert [one["ok"] for one in reports] == [False] * 5
    for report in reports:
        for finding in report["findings"]:
            assert finding["message"]["pl"]
            assert finding["message"]["en"]
    assert run("invoice", "validate", "noise").exit_code == 2


def test_schema_folder_that_is_none(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong KSEF_SCHEMA_DIR ends in a sentence that names the variable."""
    run(*BUILD, "--order", FULL, "-o", "good.xml")
    monkeypatch.setenv("KSEF_SCHEMA_DIR", "/nowhere")
    result = run("invoice", "validate", "good.xml")
    assert result.exit_code == 1
    assert "KSEF_SCHEMA_DIR" in result.output


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("good.xml", "-o", "good.pdf"), 0, "✓ good.pdf"),
        (("good.xml", "-o", "good.pdf", "--environment", "test"), 0, "✓ good.pdf"),
        (("good.xml", "-o", "x.pdf", "--ksef-number", "123"), 2, "To nie jest numer KSeF"),
        (("good.xml", "-o", "x.pdf", "--template", "missing"), 2, "nie ma takiego pliku"),
        (("good.xml", "-o", "x.pdf", "--template", "noise"), 2, "Szablon noise"),
        (("good.xml", "-o", "x.pdf", "--environment", "x"), 2, "nie jest jednym z"),
        (("noise", "-o", "x.pdf"), 2, "nie da się narysować"),
        (("other.xml", "-o", "x.pdf"), 2, "nie da się narysować"),
        (("missing", "-o", "x.pdf"), 2, "nie ma takiego pliku"),
        ((".", "-o", "x.pdf"), 2, "to jest folder"),
        (("good.xml", "-o", "."), 1, "to jest folder"),
    ],
)
def test_render(run: Run, tmp_path: Path, words: tuple[str, ...], code: int, sentence: str) -> None:
    """A document is drawn; whatever cannot be drawn is refused in words."""
    run(*BUILD, "--order", FULL, "-o", "good.xml")
    (tmp_path / "noise").write_bytes(b"\xff\xfe\x00\x01")
    (tmp_path / "other.xml").write_text("<a/>")
    result = run("invoice", "render", *words)
    assert result.exit_code == code, result.output
    assert sentence in result.output
    assert not (tmp_path / "x.pdf").exists()
