"""410 Gone on the way: nobody asks for ever, nothing is lost or doubled, and a person is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector_app.store.models import DocumentState
from tests.pipeline.test_batches import assert_each_once, batches, small_batches
from tests.pipeline.test_guarantees import many, retry
from tests.pipeline.test_trouble import KSEF_OPERATIONS, assert_one_of_each
from tests.pipeline.world import World, recorded, world


def plan(made: World, operation: str, times: int) -> None:
    made.ksef.state.faults.add("http_410", operation, times=times)


def used(made: World, times: int) -> int:
    """How many calls met the planned fault."""
    return times - sum(one.times for one in made.ksef.state.faults.waiting())


def test_a_sign_in_whose_result_is_gone_is_made_anew(tmp_path: Path) -> None:
    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare()
        plan(made, KSEF_OPERATIONS["sign-in status"], 1)
        made.run()
        assert_one_of_each(made)


def test_a_sign_in_that_is_always_gone_waits_with_pauses_and_takes_no_number(tmp_path: Path) -> None:
    """In twelve hours it is tried a few dozen times, the order stays ready, and the reason is told."""
    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare()
        plan(made, KSEF_OPERATIONS["sign-in status"], 1000)
        result = made.run()
        (document,) = made.documents()
        assert (document.state, document.number) == ("ready", None)
        assert 1 < used(made, 1000) < 60
        assert any("zaloguj się ponownie" in problem.pl for problem in result.problems)


def test_a_document_whose_status_is_gone_ends_with_a_person_and_comes_back_by_440(tmp_path: Path) -> None:
    """A few questions, then Attention with what to do; sent again, KSeF names the number it has."""
    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare()
        plan(made, KSEF_OPERATIONS["status"], 1000)
        made.run()
        (document,) = made.documents()
        assert document.state == DocumentState.ATTENTION
        assert 1 < used(made, 1000) < 10
        assert "sent-document-unknown-to-ksef" in str(document.attention)
        made.ksef.state.faults.clear()
        retry(made, document)
        made.run()
        assert_one_of_each(made)


@pytest.mark.parametrize("operation", ["GET /v2/sessions/[^/]*$", "GET /v2/sessions/[^/]*/invoices$"])
def test_a_batch_whose_result_is_gone_goes_again_without_doubles(tmp_path: Path, operation: str) -> None:
    """KSeF has all of it; each document is sent again, answered with 440, and keeps its number."""
    with world(tmp_path, many(6)) as made:
        made.prepare()
        small_batches(made)
        plan(made, operation, 1)
        made.run()
        assert batches(made)[0].state == "failed"
        assert_each_once(made, 6)


def test_a_upo_that_is_gone_is_asked_for_rarely(tmp_path: Path) -> None:
    """In two weeks about one question a day after the first ones; the document is published all the same."""
    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare()
        plan(made, KSEF_OPERATIONS["proof"], 1000)
        for _ in range(14):
            made.run()
            made.clock.sleep(24 * 3600)
        (document,) = made.documents()
        assert (document.state, document.upo) == ("published", None)
        assert used(made, 1000) < 60
