"""The short form of the seeded runs: one small installation through every kind of fault and kill there is."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from sandbox.faults import KINDS as SHOP_KINDS
from tests.faults import faults, runs
from tests.faults.conftest import Story
from tests.faults.harness import Driver, Result, Size, run
from tests.faults.world import Layout

MINUTES = 300.0
_MOST_LIVES = 10
SEEN_ELSEWHERE = {"html", "redirect", "huge"}
"""What only a broken proxy says; see the tests of the adapters."""


def test_every_fault_of_the_world_once(story: Story) -> None:
    """Whatever KSeF, shops and the mail server can do wrong, one after another in few documents."""
    place = story.place
    for kind, where, value in faults.KSEF:
        place.plan.add(kind, where, value=value)
    for kind, where, value in faults.SHOP:
        for shop in place.shops:
            shop.fault(kind, where, times=1, value=value)
    place.box.answers["RCPT"].append("451 4.3.0 later")
    place.box.hang_up = True
    story.doubts += 1
    place.plan.soon(9, place.close_sessions)
    place.plan.soon(30, place.begin_outage)
    place.plan.soon(32, place.end_outage)
    place.plan.soon(45, lambda: place.jump(15 * 3600, "over midnight"))
    place.state.settings.document_seconds, place.state.settings.access_token_seconds = 900.0, 20
    kinds = {one[0] for one in faults.KSEF}
    for _ in range(_MOST_LIVES):
        # pauses after failures grow, so that each life is hours long
        story.live("clean", seconds=5 * 3600, every=3600)
        if kinds <= set(place.plan.played):
            break
    assert kinds <= set(place.plan.played)
    for shop in place.shops:
        assert {one[0] for one in faults.SHOP} <= set(shop.server._faults.played), shop.platform
    assert place.happened["ksef outage"] == place.happened["over midnight"] == 1
    assert {one for one, *_ in faults.SHOP} | SEEN_ELSEWHERE == SHOP_KINDS
    story.ends_well()


def test_every_fault_of_the_process_once(story: Story) -> None:
    """A full disk, files that cannot grow, no room for a batch, a locked database, a clock that is wrong."""
    chance = random.Random(11)
    seen = {"wrong_clock": "clock_"}
    for kind in faults.PROCESS:
        wanted = faults.process_fault(chance, kind) | {"pages": 0, "room": 0, "passes": 2, "holds": 0.3}
        for _ in range(_MOST_LIVES):
            for shop in story.place.shops:
                shop.sell(chance)
                shop.sell(chance)
            story.live("clean", breaking=wanted, seconds=2 * MINUTES, every=MINUTES)
            if any(one.startswith(seen.get(kind, kind)) for one in story.breakings):
                break
        else:
            pytest.fail(f"{kind} never happened")
    story.ends_well()


def test_every_way_of_dying(story: Story) -> None:
    """Before and after a commit, by place and by number, at a random instant, and two processes at once."""
    for mode in ("before", "after"):
        for share in (10, 25):
            story.live(mode, salt=f"{mode}{share}", share=share)
        story.live(mode, number=25)
    ended = story.live("timed", after=0.25)
    assert ended.codes == [-9]
    ended = story.live("before", number=4, pair=True)
    assert sorted(ended.codes) == [-9, 0]
    assert story.breakings["waited"] == 1
    assert {said.partition(" ")[0] for said in story.killed} == {"before", "after"}
    story.ends_well()


def test_a_run_is_decided_by_its_seed(lives: Driver, tmp_path: Path) -> None:
    """A whole small run: all sides agree, and its seed gives the same installation again."""
    size = Size(orders=6, refunds=2, waves=2)
    made = run(lives, tmp_path / "world", "5-1", size)
    assert not made.broken, made.broken
    assert (made.orders >= 6, made.refunds >= 2, made.documents > 0) == (True, True, True)
    assert made.layout == Layout.of(random.Random("run 5-1"), postgres=True) or made.layout == Layout.of(
        random.Random("run 5-1"), postgres=False
    )


def test_a_failed_run_says_how_to_repeat_it() -> None:
    """Seed and command stand before the differences, and the totals keep it."""
    totals = runs.Totals()
    totals.take(Result("4-17", broken="1 differences:"))
    (failed,) = totals.failed
    assert "make faults RUNS=1 SEED=4-17\n1 differences:" in runs.failure(failed)
    assert runs.seeds_of("4-17", 500) == ["4-17"]
    assert runs.seeds_of("4", 2) == ["4-1", "4-2"]
