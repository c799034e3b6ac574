"""``export``: files for the accountant from a real installation, and what stops them."""

from __future__ import annotations

import csv
import io
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from connector_app.accounting.exports.order_map import COLUMNS, VERSION
from core.fa import schema
from core.fa.read import read
from core.invoices.model import RateRow
from tests.cli.conftest import Run
from tests.pipeline.refunds import ONE_MUG, refund
from tests.pipeline.world import World, recorded, world


@pytest.fixture
def sold(home: Path) -> Iterator[World]:
    """Two orders with invoices and a refund with its correction, all in KSeF."""
    home.mkdir(mode=0o700)
    orders = [recorded("order_full"), recorded("order_net_prices_round_per_line")]
    with world(home, orders) as made:
        made.prepare()
        made.run()
        refund(made, ONE_MUG)
        made.run()
        yield made


def rows_of(file: Path) -> list[dict[str, str]]:
    """The file as a spreadsheet reads it."""
    data = file.read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=";"))


def number(cell: str) -> Decimal:
    """An amount of a cell; zero when it is empty."""
    return Decimal(cell.replace(",", ".") or "0")


def spoil(home: Path, statement: str) -> None:
    """Change the database past the program."""
    with closing(sqlite3.connect(home / "connector.sqlite3", timeout=10)) as plain, plain:
        assert plain.execute(statement).rowcount > 0


def test_the_map_has_every_document_to_the_grosz(run: Run, sold: World, tmp_path: Path) -> None:
    """One row for each document, in the order of issue; sums per rate are those of the stored files."""
    file = tmp_path / "books" / "map.csv"
    result = run("export", "map", "--month", "2026-11", "-o", file)
    assert result.exit_code == 0, result.output
    assert "dokumentów 3 (NrKSeF 3)" in result.output
    rows, documents = rows_of(file), sold.documents()
    assert tuple(rows[0]) == COLUMNS
    assert {row["wersja"] for row in rows} == {VERSION}
    assert [row["numer"] for row in rows] == [one.number for one in documents]
    assert [row["nr_ksef"] for row in rows] == [one.ksef_number for one in documents]
    assert [row["sha256_xml"] for row in rows] == [one.xml_sha256 for one in documents]
    assert {(row["znacznik_jpk"], row["upo"], row["miesiac"]) for row in rows} == {("NrKSeF", "1", "2026-11")}
    tables = [read(schema.parse(one.xml or b"")).invoice.rates for one in documents]
    for row, column in ((RateRow.BASIC, "23"), (RateRow.REDUCED, "8")):
        stored = [rate for table in tables for rate in table if rate.row is row]
        assert sum(number(one[f"netto_{column}"]) for one in rows) == sum(rate.net for rate in stored)
        assert sum(number(one[f"vat_{column}"]) for one in rows) == sum(rate.vat or 0 for rate in stored)
    correction = rows[-1]
    assert (correction["rodzaj"], correction["koryguje_numer"]) == ("KOR", rows[0]["numer"])
    assert correction["koryguje_nr_ksef"] == rows[0]["nr_ksef"]
    assert number(correction["razem"]) < 0
    assert not list(file.parent.glob(".*"))


def test_what_ksef_has_can_be_left_out(run: Run, sold: World, tmp_path: Path) -> None:
    """For a program that fetches it by itself: nothing is booked twice."""
    file = tmp_path / "map.csv"
    spoil(sold.home, "UPDATE documents SET ksef_number = NULL, offline_mode = 'offline24' WHERE id = 1")
    result = run("export", "map", "--month", "2026-11", "--scope", "outside-ksef", "-o", file, lang="en")
    assert result.exit_code == 0, result.output
    assert [row["znacznik_jpk"] for row in rows_of(file)] == ["DI"]
    assert "1 documents (DI 1)" in result.output
    assert "correct JPK_V7M of the month" in result.output


def test_another_month_has_a_header_only(run: Run, sold: World, tmp_path: Path) -> None:
    """Nothing was sold in October."""
    file = tmp_path / "map.csv"
    result = run("export", "map", "--month", "2026-10", "-o", file)
    assert (result.exit_code, rows_of(file)) == (0, [])
    assert sold.documents()


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE documents SET xml = CAST(xml || ' ' AS BLOB) WHERE id = 1", "różni się od swojego skrótu"),
        (
            "UPDATE documents SET ksef_number = NULL, state = 'sent' WHERE id = 1",
            "nie wiadomo, jak go oznaczyć",
        ),
        (
            "UPDATE documents SET ksef_number = NULL, state = 'rejected', offline_mode = 'offline24' "
            "WHERE id = 1",
            "nie wiadomo, jak go oznaczyć",
        ),
    ],
)
def test_one_bad_document_stops_the_file(
    run: Run, sold: World, tmp_path: Path, statement: str, said: str
) -> None:
    """It is named with what to do; the file of before stays as it was, and no half is left beside it."""
    file = tmp_path / "map.csv"
    file.write_text("of before", "utf-8")
    spoil(sold.home, statement)
    result = run("export", "map", "--month", "2026-11", "-o", file)
    assert result.exit_code == 2
    assert said in result.output
    assert "→" in result.output
    assert file.read_text("utf-8") == "of before"
    assert [one.name for one in tmp_path.iterdir() if one.is_file()] == ["map.csv"]


def test_a_pipe_is_written_and_stays_a_pipe(run: Run, sold: World, tmp_path: Path) -> None:
    """Replaced by a file, what reads it would wait for ever; so would a device be lost."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    assert run("export", "map", "--month", "2026-11", "-o", pipe).exit_code == 0
    reader.join(10)
    assert pipe.is_fifo()
    assert read[0].count(b"\r\n") == 1 + len(sold.documents())


@pytest.mark.parametrize("month", ["2026", "2026-13", "11.2026", "2026-11-24"])
def test_a_month_is_a_month(run: Run, sold: World, tmp_path: Path, month: str) -> None:
    """Years and days are other questions."""
    assert sold.home.exists()
    result = run("export", "map", "--month", month, "-o", tmp_path / "map.csv")
    assert result.exit_code == 2
    assert not (tmp_path / "map.csv").exists()
