"""Guarantee 2: numbers of a series have no gap and no double, with ten workers of which some die."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from connector_app.numbering import take_number
from connector_app.store.database import open_database
from connector_app.store.models import Document, NumberCounter
from core.invoices.numbering import NumberPattern, Series
from tests import databases
from tests.store.rows import document, sellers

WORKERS, EACH = 10, 8
DAY = date(2026, 11, 24)


class Undone(Exception):
    """A transaction that fails after the number was taken."""


def work(url: str, worker: int) -> None:
    """Issue so many documents; some fail after the number was taken, two workers die with one in hand."""
    database, dice = open_database(url), random.Random(worker)
    series = Series(NumberPattern("FV/{n}/{mm}/{yyyy}"), DAY)
    for turn in range(EACH):
        with suppress(Undone), database.begin(1) as session:
            number = take_number(session, 1, series)
            document(session, 1, f"{worker}-{turn}", number=number, state="issued")
            if worker < 2 and turn == EACH // 2:
                os.kill(os.getpid(), signal.SIGKILL)
            if dice.random() < 0.25:
                raise Undone


@pytest.mark.both_databases
def test_ten_workers_leave_no_gap_and_no_double(tmp_path: Path) -> None:
    url = databases.url_of(tmp_path)
    database = open_database(url)
    with database.begin() as session:
        sellers(session)
    database.close()
    fork = multiprocessing.get_context("fork")
    workers = [fork.Process(target=work, args=(url, one), daemon=True) for one in range(WORKERS)]
    for one in workers:
        one.start()
    for one in workers:
        one.join(60)
    assert sorted(one.exitcode or 0 for one in workers) == [-signal.SIGKILL] * 2 + [0] * 8
    with database() as session:
        numbers = session.scalars(select(Document.number)).all()
        last = session.scalars(select(NumberCounter.last)).one()
    taken = sorted(int((one or "").split("/")[1]) for one in numbers)
    assert len(taken) > 30
    assert taken == list(range(1, len(taken) + 1))
    assert last == len(taken)
