"""Many documents go as a batch: each exactly once, whatever happens on the way."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from lxml import etree
from sqlalchemy import select

from connector_app.pipeline.alone import INTERNAL
from connector_app.pipeline.batches.gather import GATHERING
from connector_app.pipeline.batches.send import tidy
from connector_app.pipeline.runner import Runner
from connector_app.pipeline.services import load_text
from connector_app.policies import Recipients, StorePolicy
from connector_app.store.models import Batch, Seller, ShopOrder
from core.ksef.offline import OfflinePolicy
from tests.pipeline.refunds import retry, set_policy
from tests.pipeline.test_guarantees import many
from tests.pipeline.test_offline import add_certificate, begin, end, orders
from tests.pipeline.world import World, recorded, world

OPEN = "POST /v2/sessions/batch$"
CLOSE = "POST .*/sessions/batch/.*/close"
UPLOAD = "PUT /storage"
RESULTS = "GET /v2/sessions/[^/]*/invoices$"
STATUS = "GET /v2/sessions/[^/]*$"
FEW = 6


def small_batches(made: World, batch_from: int = 5) -> None:
    """Batches from a handful of documents on."""
    with made.services().database.begin() as session:
        seller = session.get_one(Seller, 1)
        seller.profile = {**seller.profile, "sending": {"batch_from": batch_from}}


def batches(made: World) -> list[Batch]:
    with made.services().database() as session:
        return list(session.scalars(select(Batch).order_by(Batch.id)))


def assert_each_once(made: World, orders: int) -> None:
    """One accepted document for each order, the same here and there, and nothing left behind."""
    documents = made.documents()
    assert {one.state for one in documents} == {"published"}
    assert len(documents) == orders
    known = {one["ksefNumber"]: one["invoiceHash"] for one in made.in_ksef()}
    assert sorted(one.ksef_number or "" for one in documents) == sorted(known)
    assert all(one.upo for one in documents)
    assert len({one.number for one in documents}) == orders
    assert not any((made.home / "work").rglob("*.*"))
    assert {one.state for one in batches(made)} <= {"done", "failed"}


def test_many_documents_go_as_one_batch(tmp_path: Path) -> None:
    with world(tmp_path, many(FEW)) as made:
        made.prepare()
        small_batches(made)
        made.run()
        assert_each_once(made, FEW)
        (batch,) = batches(made)
        assert {one["sessionReferenceNumber"] for one in made.in_ksef()} == {batch.reference}
        assert {one["invoicingMode"] for one in made.in_ksef()} == {"Online"}
        assert batch.package is None


def test_few_documents_go_singly(tmp_path: Path) -> None:
    with world(tmp_path, many(4)) as made:
        made.prepare()
        small_batches(made)
        made.run()
        assert batches(made) == []
        assert len(made.in_ksef()) == 4


def test_production_limits_are_never_exceeded_with_many_documents(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """60 orders, which singly take two minutes of sending alone, are there sooner, and no 429 is earned."""
    with world(tmp_path, many(60)) as made:
        made.counts_requests = True
        made.ksef.state.settings.rate_limits = True
        made.prepare()
        refused: list[object] = []
        count = made.ksef.state.limiter.count

        def counted(*args: object, **named: object) -> None:
            try:
                count(*args, **named)  # type: ignore[arg-type]
            except Exception as error:
                refused.append(error)
                raise

        monkeypatch.setattr(type(made.ksef.state.limiter), "count", lambda _self, *a, **k: counted(*a, **k))
        began = made.clock.now
        made.run(timedelta(minutes=2))
        assert refused == []
        assert_each_once(made, 60)
        assert made.clock.now - began < timedelta(minutes=2)


def test_a_second_batch_waits_five_minutes_and_says_so(tmp_path: Path) -> None:
    with world(tmp_path, many(FEW)) as made:
        made.prepare()
        small_batches(made)
        made.run()
        made.shop.state.add_orders(
            [recorded("order_full", id=one, number=str(one)) for one in range(1, 7)], {}
        )
        for one in range(1, 7):
            made.shop.state.touch(one)
        made.clock.sleep(60)
        made.run(timedelta(seconds=1))
        waiting = [one for one in made.documents() if one.state == "ready"]
        assert len(waiting) == 6
        assert {load_text(one.waiting_for or "").pl for one in waiting} == {GATHERING.pl}
        made.run()
        assert_each_once(made, 12)
        first, second = batches(made)
        assert second.created_at - first.created_at >= timedelta(minutes=5)


FAULTS = [
    pytest.param("drop_before", OPEN, {}, id="open not arrived"),
    pytest.param("drop_after", OPEN, {}, id="answer to open lost"),
    pytest.param("http_503", OPEN, {"value": 5}, id="open 503"),
    pytest.param("http_429", OPEN, {"value": 30}, id="open 429"),
    pytest.param("drop_before", UPLOAD, {}, id="upload dropped"),
    pytest.param("drop_after", UPLOAD, {}, id="answer to upload lost"),
    pytest.param("http_500", UPLOAD, {"times": 20}, id="upload fails for long"),
    pytest.param("drop_before", CLOSE, {}, id="close not arrived"),
    pytest.param("drop_after", CLOSE, {}, id="answer to close lost"),
    pytest.param("http_500", STATUS, {"times": 5}, id="status fails"),
    pytest.param("truncate", RESULTS, {"times": 5}, id="results cut"),
    pytest.param("http_401", RESULTS, {}, id="token ended at the results"),
]


@pytest.mark.parametrize(("kind", "operation", "options"), FAULTS)
def test_a_fault_on_the_way_loses_and_doubles_nothing(
    tmp_path: Path, kind: str, operation: str, options: dict[str, int]
) -> None:
    with world(tmp_path, many(FEW)) as made:
        made.prepare()
        small_batches(made)
        made.ksef.state.faults.add(kind, operation, **options)
        made.run()
        assert_each_once(made, FEW)


class Killed(BaseException):
    """Stands in for the end of the process."""


@pytest.mark.parametrize("machine", ["the same machine", "another machine"])
@pytest.mark.parametrize("commits", range(1, 7))
def test_a_crash_between_any_two_steps_goes_on(
    tmp_path: Path, commits: int, machine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process ends after each step of the batch that was stored; another machine has no package of it."""
    from connector_app.pipeline.batches import send  # noqa: PLC0415

    steps = 0

    def dying(original: Callable[..., object]) -> Callable[..., object]:
        def act(*args: object, **named: object) -> object:
            nonlocal steps
            done = original(*args, **named)
            steps += 1
            if steps == commits:
                raise Killed
            return done

        return act

    with world(tmp_path, many(FEW)) as made:
        made.prepare()
        small_batches(made)
        with monkeypatch.context() as patched:
            for name in ("pack", "_open", "upload", "_note_sent", "follow"):
                patched.setattr(send, name, dying(getattr(send, name)))
            with suppress(Killed):
                made.run()
        if machine == "another machine":
            shutil.rmtree(made.home / "work", ignore_errors=True)
        made.run()
        assert_each_once(made, FEW)


@pytest.mark.parametrize(
    ("operation", "sessions"), [pytest.param(UPLOAD, 2, id="parts"), pytest.param(CLOSE, 1, id="close")]
)
def test_an_open_session_whose_package_is_lost_is_closed_or_replaced(
    tmp_path: Path, operation: str, sessions: int
) -> None:
    """With all parts at KSeF the session is closed; without them the documents go in another one."""
    with world(tmp_path, many(FEW)) as made:
        made.prepare()
        small_batches(made)
        made.ksef.state.faults.add("http_500", operation, times=20)
        made.run(timedelta(seconds=5))
        (batch,) = batches(made)
        assert batch.state == "open"
        made.ksef.state.faults.clear()
        shutil.rmtree(made.home / "work")
        made.run()
        assert_each_once(made, FEW)
        found = {one["sessionReferenceNumber"] for one in made.in_ksef()}
        tried = {reference for one in made.documents() for reference in one.tried_sessions or []}
        assert len(found) == 1
        assert len(tried) == sessions
        assert found <= tried
        assert (batch.reference in found) is (sessions == 1)


def test_packages_that_no_batch_needs_are_deleted(tmp_path: Path) -> None:
    with world(tmp_path, many(FEW)) as made:
        made.prepare()
        small_batches(made)
        made.run()
        left = made.home / "work" / "batches"
        for name in ("1", "77", "not-ours"):
            (left / name).mkdir(parents=True)
        assert tidy(made.services()) == 2
        assert [one.name for one in left.iterdir()] == ["not-ours"]


def test_documents_that_ksef_refuses_stand_alone(tmp_path: Path) -> None:
    """One of the batch is refused for its content; the others are accepted."""
    with world(tmp_path, many(FEW)) as made:
        made.prepare()
        small_batches(made)
        made.ksef.state.check_schema = _all_but("FV/2026/11/0003")
        made.run()
        states = sorted(one.state for one in made.documents())
        assert states == ["published"] * (FEW - 1) + ["rejected"]
        (refused,) = [one for one in made.documents() if one.state == "rejected"]
        assert refused.refusal_code == 450


def _all_but(number: str) -> Callable[[str, str, etree._ElementTree], list[str]]:
    """A KSeF that finds a fault in one document."""

    def check(_system: str, _version: str, tree: etree._ElementTree) -> list[str]:
        return ["P_2: zły numer."] if tree.findtext(".//{*}P_2") == number else []

    return check


def test_a_batch_that_ksef_refuses_as_a_whole_goes_again(tmp_path: Path) -> None:
    with world(tmp_path, many(FEW)) as made:
        made.prepare()
        small_batches(made)
        made.ksef.state.faults.add("refuse_code", CLOSE, value=430)
        made.run()
        assert_each_once(made, FEW)


@pytest.mark.parametrize("operation", [OPEN, CLOSE, STATUS])
def test_a_batch_that_ksef_refuses_for_ever_goes_singly_and_holds_nothing_up(
    tmp_path: Path, operation: str
) -> None:
    """A refusal that repeating does not change ends the batch; after two of them documents go singly."""
    with world(tmp_path, many(FEW)) as made:
        made.prepare()
        small_batches(made)
        made.ksef.state.faults.add("refuse_code", operation, value=21161, times=2)
        made.run()
        assert_each_once(made, FEW)


def test_a_batch_that_waits_says_why_in_every_pass(tmp_path: Path) -> None:
    """All documents are in the batch: the held lane, and later the batch alone, still tell what they lack."""
    with world(tmp_path, many(FEW)) as made:
        made.prepare()
        small_batches(made)
        made.ksef.state.faults.add("http_503", CLOSE, times=1000, value=300)
        at_once = timedelta(seconds=1)
        assert made.run(at_once).problems
        assert "503" in made.run(at_once).problems[0].en
        with made.services().database.begin() as session:
            session.get_one(Seller, 1).hold = None
        assert "503" in made.run(at_once).problems[0].en
        made.ksef.state.faults.clear()
        assert made.run().problems == []
        assert_each_once(made, FEW)


def test_a_storage_of_upos_that_is_down_holds_nothing_up(tmp_path: Path) -> None:
    """The addresses of a batch's UPOs do not answer: the UPOs wait, and a new order goes at once."""
    with world(tmp_path, many(FEW)) as made:
        made.prepare()
        small_batches(made)
        made.ksef.state.faults.add("http_503", "GET /storage", times=1000)
        made.run(timedelta(minutes=30))
        assert {(one.state, one.upo) for one in made.documents()} == {("published", None)}
        made.shop.state.add_orders([recorded("order_full")], {})
        made.shop.state.touch(15)
        made.run(timedelta(minutes=1))
        assert made.by_order()["15"].state == "published"
        assert made.by_order()["15"].upo is not None
        made.ksef.state.faults.clear()
        made.run()
        assert_each_once(made, FEW + 1)


def test_no_batch_begins_just_before_midnight(tmp_path: Path) -> None:
    """KSeF takes the day of opening for the day of issue: it is begun on the next day."""
    late = datetime(2026, 11, 24, 22, 57, tzinfo=UTC)
    with world(tmp_path, many(FEW), now=late) as made:
        made.prepare()
        small_batches(made)
        made.run()
        assert_each_once(made, FEW)
        assert {one.issued_on.isoformat() for one in made.documents() if one.issued_on} == {"2026-11-25"}
        assert {one["invoicingMode"] for one in made.in_ksef()} == {"Online"}


@pytest.mark.parametrize("policy", [OfflinePolicy.ASK, OfflinePolicy.AUTOMATIC])
def test_a_batch_that_misses_its_day_goes_on_the_next_one(tmp_path: Path, policy: OfflinePolicy) -> None:
    """Issued, then KSeF was silent over midnight: the same bytes go as offline documents, once."""
    late = datetime(2026, 11, 24, 22, 30, tzinfo=UTC)
    with world(tmp_path, many(FEW), now=late) as made:
        made.prepare()
        small_batches(made)
        set_policy(made, StorePolicy(recipients=Recipients.EVERYONE, offline=policy))
        made.ksef.state.faults.add("http_503", OPEN, times=1, value=7200)
        made.run(timedelta(seconds=1))
        (batch,) = batches(made)
        frozen = {one.id: one.xml_sha256 for one in made.documents()}
        assert batch.state == "packed"
        assert None not in frozen.values()
        made.run()
        assert_each_once(made, FEW)
        assert {one.id: one.xml_sha256 for one in made.documents()} == frozen
        assert {one["invoicingMode"] for one in made.in_ksef()} == {"Offline"}
        assert [one.offline for one in batches(made)] == [False, policy is OfflinePolicy.AUTOMATIC]


def test_after_an_outage_a_new_order_does_not_take_the_batch_from_offline_documents(tmp_path: Path) -> None:
    """Eight documents with a deadline, and one order that came in after the end."""
    with world(tmp_path, orders(8)) as made:
        made.prepare(offline=OfflinePolicy.AUTOMATIC)
        small_batches(made)
        add_certificate(made)
        event = begin(made)
        made.run(timedelta(minutes=2))
        made.shop.state.add_orders(many(1), {})
        made.shop.state.touch(1000)
        end(made, event)
        made.run()
        assert_each_once(made, 9)
        assert [one.offline for one in batches(made)] == [True]
        assert made.by_order()["1000"].offline_mode is None


def test_a_damaged_document_is_left_out(tmp_path: Path) -> None:
    """Its stored bytes differ from their hash: a person is asked, the others go."""
    with world(tmp_path, many(FEW)) as made:
        made.prepare()
        small_batches(made)
        made.ksef.state.faults.add("http_503", OPEN, value=600)
        made.run(timedelta(seconds=1))
        (batch,) = batches(made)
        with made.services().database.begin() as session:
            row = session.get_one(Batch, batch.id)
            row.state = "new"
            session.connection().exec_driver_sql("UPDATE documents SET xml = x'78' WHERE id = 1")
        made.run()
        states = {one.id: one.state for one in made.documents()}
        assert states.pop(1) == "attention"
        assert set(states.values()) == {"published"}


def test_a_document_that_cannot_be_issued_holds_no_batch_up(tmp_path: Path) -> None:
    """An order whose stored form the program cannot read: it is put off and says so, the others go."""
    with world(tmp_path, many(FEW)) as made:
        made.prepare()
        small_batches(made)
        Runner(made.services()).take_in()
        with made.services().database.begin() as session:
            row = session.scalars(select(ShopOrder).where(ShopOrder.number == "1002")).one()
            row.snapshot = {"id": "1002"}
        result = made.run(timedelta(minutes=20))
        assert sorted(one.state for one in made.documents()) == ["published"] * (FEW - 1) + ["ready"]
        assert INTERNAL in result.problems


def test_an_order_deleted_long_ago_is_not_issued_with_a_batch(tmp_path: Path) -> None:
    """It waited for hours and is gone: a person is asked; the others go."""
    with world(tmp_path, many(FEW)) as made:
        made.prepare()
        small_batches(made)
        made.ksef.state.faults.add("http_503", "/v2/", times=1, value=3 * 3600)
        made.run(timedelta(seconds=1))
        assert {one.state for one in made.documents()} == {"ready"}
        made.clock.sleep(3 * 3600)
        del made.shop.state.orders[1000]
        made.run()
        states = {one.order.number: one.state for one in made.documents()}
        assert states.pop("1000") == "attention"
        assert set(states.values()) == {"published"}


def test_a_retry_of_a_document_wakes_its_batch(tmp_path: Path) -> None:
    with world(tmp_path, many(FEW)) as made:
        made.prepare()
        small_batches(made)
        made.ksef.state.faults.add("http_503", OPEN, times=1, value=6 * 3600)
        made.run(timedelta(seconds=1))
        assert batches(made)[0].next_attempt_at is not None
        retry(made, made.documents()[0].id)
        made.run(timedelta(minutes=2))
        assert {one.state for one in made.documents()} == {"published"}
