"""The guarantees, broken where they are thinnest: between an effect outside and the commit that knows of it.

The package says which other tests break which guarantee.
"""

from __future__ import annotations

import random
import threading
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from connector_app.numbering import take_number
from connector_app.store.database import open_database
from connector_app.store.models import Seller
from core.invoices.model import InvoiceKind
from core.invoices.numbering import Numbering
from tests.databases import url_of
from tests.faults.conftest import Story

WORKERS, EACH = 10, 6


@pytest.mark.parametrize(
    ("mode", "at", "kept"),
    [
        # a number is taken and nothing is stored; then everything is stored and nothing sent
        ("before", "pipeline/issue.py:freeze", "guarantee 2"),
        ("after", "pipeline/issue.py:freeze", "guarantees 2 and 6"),
        # the session is written down and nothing sent; then KSeF has the document and nobody knows
        ("after", "pipeline/submit.py:_send_in", "guarantee 3"),
        ("before", "pipeline/submit.py:submit", "guarantees 1 and 3"),
        # KSeF said that it accepted, and it was not written down
        ("before", "pipeline/track.py:track", "guarantee 3"),
        # the shop has a note, the metadata, or all of it, and it was not written down
        ("before", "pipeline/publish.py", "guarantee 5"),
        # the e-mail is gone, and it was not written down: it may not go again
        ("before", "mail/post.py:_change", "guarantee 5"),
        # the UPO was fetched
        ("before", "pipeline/proof.py", "guarantee 4"),
        # an order was read
        ("before", "pipeline/intake.py", "guarantee 6"),
        ("after", "pipeline/intake.py", "guarantee 6"),
    ],
)
def test_killed_between_an_effect_and_the_commit_that_knows_of_it(
    story: Story, mode: str, at: str, kept: str
) -> None:
    """The next process finds out what happened and does nothing twice."""
    ended = story.live(mode, at=at)
    assert ended.codes == [-9], (kept, ended.problems, ended.errors, ended.passed)
    assert ended.killed_at[0].startswith(f"{mode} {at}")
    # a refund comes while the invoice is in between
    for shop in story.place.shops:
        if shop.is_told(shop.sold[0]):
            shop.give_back(shop.sold[0])
    story.ends_well()
    assert len({one.number for one in story.place.stories(9).ksef}) >= len(story.place.shops) * 2


@pytest.mark.both_databases
def test_ten_workers_take_numbers_without_gap_and_double(tmp_path: Path) -> None:
    """Guarantee 2: some of their transactions fail after the number was taken, and give it back."""
    database = open_database(url_of(tmp_path))
    with database.begin() as session:
        seller = Seller(
            nip="5265877635",
            name="x",
            profile={},
            environment={},
            schema_version="FA3",
            credential="",
            created_at=datetime(2026, 11, 24, tzinfo=UTC),
        )
        session.add(seller)
        session.flush()
        seller_id = seller.id
    series = Numbering().series(InvoiceKind.VAT, date(2026, 11, 24), "")
    taken: list[str] = []

    def work(place: int) -> None:
        chance = random.Random(place)
        done = 0
        while done < EACH:
            try:
                with database.begin() as session:
                    number = take_number(session, seller_id, series)
                    if chance.random() < 0.4:
                        raise _Crash
            except _Crash:
                continue
            taken.append(number)
            done += 1

    threads = [threading.Thread(target=work, args=(place,)) for place in range(WORKERS)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert sorted(taken) == [f"FV/2026/11/{n:04}" for n in range(1, WORKERS * EACH + 1)]


class _Crash(Exception):
    """The work behind a number failed."""
