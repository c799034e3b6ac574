"""Hooks, from a document's life to the receiver: nothing lost, no news twice, and an end to trying."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, func, select

from connector_app import measures, outbound
from connector_app.hooks import keeping, sending, signing
from connector_app.hooks.courier import Courier
from connector_app.hooks.happenings import Happening, Links, collect, delivery, message
from connector_app.keeping.pruning import prune
from connector_app.pipeline import life
from connector_app.pipeline.services import Services, load_text
from connector_app.store.machines import Hook, HookDelivery
from connector_app.store.models import Document, DocumentState, Event
from core.findings import Text
from tests.hooks.receiver import Receiver, receiver
from tests.pipeline.test_serve import wait_for
from tests.pipeline.world import World, recorded, world

pytestmark = pytest.mark.both_databases

BASE = "https://ksef.example"
EVERYTHING = tuple(Happening)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[World]:
    """An installation with one order that can be invoiced and one that needs a person."""
    with world(tmp_path, [recorded("order_full"), recorded("order_eur_no_matching_rate")]) as one:
        one.prepare()
        yield one


def add(made: World, url: str, *events: Happening) -> tuple[int, str]:
    """A hook's id and secret."""
    services = made.services()
    with services.database.begin() as session:
        row, secret = keeping.add(session, services.vault, 1, url, events or EVERYTHING, services.clock())
        return row.id, secret


def send(made: World, hook_id: int = 1) -> list[sending.Outcome]:
    return sending.send_due(made.services(), hook_id, allow_private=True)


def messages(made: World) -> list[HookDelivery]:
    with made.services().database() as session:
        return list(session.scalars(select(HookDelivery).order_by(HookDelivery.id)))


def hook(made: World, hook_id: int = 1) -> Hook:
    with made.services().database() as session:
        return session.get_one(Hook, hook_id)


def told(one: Receiver) -> list[tuple[str, Any]]:
    bodies = [json.loads(got.body) for got in one.got]
    return [(body["type"], body["data"]["document"]["number"]) for body in bodies]


def one_message(made: World, url: str) -> None:
    """A hook of one event, and what happened collected for it."""
    add(made, url, Happening.ACCEPTED)
    made.run()
    assert collect(made.services(), Links(BASE)) == 1


def test_a_hook_is_told_what_happened_signed_and_without_the_buyer(made: World) -> None:
    """Each state once, with numbers and links; what the shop knows of the buyer is not in it."""
    with receiver() as there:
        _, secret = add(made, there.url)
        made.run()
        assert collect(made.services(), Links(BASE)) == 4
        assert [one.status for one in send(made)] == [204] * 4
        number = made.by_order()["15"].number
        assert sorted(told(there), key=str) == sorted(
            [
                ("document.accepted", number),
                ("document.attention", None),
                ("document.issued", number),
                ("document.published", number),
            ],
            key=str,
        )
        now = made.clock()
        for one in there.got:
            assert signing.is_genuine(one.headers, one.body, secret, now)
            assert one.headers["content-type"] == "application/json"
        accepted = next(json.loads(one.body) for one in there.got if b'"document.accepted"' in one.body)
    document = made.by_order()["15"]
    assert accepted["data"]["document"] == {
        "id": document.id,
        "state": "accepted",
        "kind": "VAT",
        "number": number,
        "ksef_number": document.ksef_number,
        "issued_on": "2026-11-24",
        "store": "test",
        "order": {"number": "15", "remote_id": "15"},
        "links": {
            "api": f"{BASE}/api/v1/documents/{document.id}",
            "page": f"{BASE}/documents/{document.id}",
        },
    }
    everything = b"".join(one.body for one in there.got).decode()
    assert document.buyer_name
    assert document.buyer_name not in everything
    assert send(made) == []
    assert collect(made.services(), Links(BASE)) == 0


def test_a_hook_is_told_only_of_what_it_asked_for_and_of_what_comes_after_it(made: World) -> None:
    add(made, "https://erp.example/a", Happening.REJECTED)
    made.run()
    add(made, "https://erp.example/b")
    assert collect(made.services(), Links()) == 0


def test_notes_are_no_news_and_ksef_accepts_once(made: World) -> None:
    """A note tells nothing; a way back to ``accepted`` (for the shop's sake) is told no second time."""
    add(made, "https://erp.example/a", Happening.ACCEPTED, Happening.ATTENTION)
    made.run()
    services = made.services()
    assert collect(services, Links()) == 2
    said = Text("Zapisek.", "A note.")
    document = made.by_order()["15"]
    for state in (None, DocumentState.ATTENTION, DocumentState.ACCEPTED):

        def apply(row: Document, state: DocumentState | None = state) -> None:
            if state is None:
                life.note(row, said, services.clock())
            else:
                life.move(row, state, said, services.clock())

        life.change(services, document.id, apply)
    assert collect(services, Links()) == 1
    assert messages(made)[-1].event == "document.attention"


def test_nothing_is_lost_when_the_process_ends_while_collecting(
    made: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Either the mark moved and the messages are there, or neither."""
    add(made, "https://erp.example/a", Happening.ACCEPTED)
    made.run()
    real = delivery

    def cut(*_: Any) -> HookDelivery:
        raise KeyboardInterrupt

    monkeypatch.setattr("connector_app.hooks.happenings.delivery", cut)
    with pytest.raises(KeyboardInterrupt):
        collect(made.services(), Links())
    assert (messages(made), hook(made).mark) == ([], 0)
    monkeypatch.setattr("connector_app.hooks.happenings.delivery", real)
    assert collect(made.services(), Links()) == 1


def test_an_entry_number_is_never_used_twice(made: World) -> None:
    """A mark would step over an entry that got the number of one that was deleted."""
    made.run()
    services = made.services()
    with services.database.begin() as session:
        last = session.scalar(select(func.max(Event.id)))
        session.execute(delete(Event).where(Event.id == last))
    life.change(services, 1, lambda row: life.note(row, Text("a", "a"), services.clock()))
    with services.database() as session:
        assert session.scalar(select(func.max(Event.id))) == (last or 0) + 1


def test_a_failed_message_comes_again_with_its_id_and_growing_pauses(made: World) -> None:
    """The receiver can tell the copy; others of the hook wait a little too; then all arrive."""
    with receiver(500, 500) as there:
        add(made, there.url, Happening.ISSUED, Happening.ACCEPTED)
        made.run()
        collect(made.services(), Links())
        (failed,) = send(made)
        assert failed.status == 500
        first, second = messages(made)
        assert load_text(first.failure or "").pl == "Odpowiedź 500."
        assert first.next_attempt_at == second.next_attempt_at
        assert send(made) == []  # nothing is due
        made.clock.sleep(5)
        assert [one.status for one in send(made)] == [500]
        made.clock.sleep(10)
        assert send(made) == []  # the second pause is longer
        made.clock.sleep(25)
        assert [one.status for one in send(made)] == [204, 204]
        ids = [one.headers["webhook-id"] for one in there.got]
    assert ids[0] == ids[1] == ids[2] != ids[3]
    assert there.got[0].headers["webhook-timestamp"] != there.got[2].headers["webhook-timestamp"]
    assert all(one.done_at and not one.failure for one in messages(made))


def test_after_three_days_a_hook_is_switched_off_and_goes_on_where_it_stopped(made: World) -> None:
    """It says why; what happens meanwhile is kept; switched on, the message that was given up arrives too."""
    with receiver() as there:
        there.judge = lambda _got: 503
        one_message(made, there.url)
        began = made.clock()
        while hook(made).disabled_at is None:
            send(made)
            waiting = messages(made)[0].next_attempt_at
            if waiting is not None:
                made.clock.now = max(made.clock.now, waiting)
        assert timedelta(days=3) < made.clock() - began < timedelta(days=4)
        assert len(there.got) == len(sending.PAUSES) + 1
        assert "503" in load_text(hook(made).failure or "").en
        assert sending.due_hooks(made.services()) == []
        life.change(
            made.services(),
            2,
            lambda row: life.move(row, DocumentState.ACCEPTED, Text("x", "x"), made.clock()),
        )
        assert collect(made.services(), Links()) == 0
        there.judge = None
        services = made.services()
        with services.database.begin() as session:
            keeping.switch_on(session, session.get_one(Hook, 1), services.clock())
        assert collect(services, Links()) == 1
        assert [one.status for one in send(made)] == [204, 204]


def test_one_message_that_is_not_taken_ends_no_hook_that_takes_others(made: World) -> None:
    with receiver() as there:
        there.judge = lambda got: 500 if b"document.issued" in got.body else 204
        add(made, there.url, Happening.ISSUED, Happening.ACCEPTED)
        made.run()
        collect(made.services(), Links())
        services = made.services()
        for _ in range(60):
            send(made)
            with services.database.begin() as session:
                now = services.clock()
                body = message("document.accepted", now, {})
                session.add(delivery(session.get_one(Hook, 1), "document.accepted", body, now))
            made.clock.sleep(7_300)
        issued = next(one for one in messages(made) if one.event == "document.issued")
        assert (issued.done_at is not None, issued.failure is not None) == (True, True)
        assert hook(made).disabled_at is None


def test_a_receiver_that_is_gone_is_switched_off_at_once(made: World) -> None:
    with receiver(410) as there:
        one_message(made, there.url)
        send(made)
    assert "410" in load_text(hook(made).failure or "").en


def test_redirects_are_not_followed(made: World) -> None:
    """An answer could lead the message, with its signature, to somebody else or into the network."""
    with receiver() as elsewhere, receiver(307, location="http://127.0.0.1:1/") as there:
        there.extra["location"] = elsewhere.url
        one_message(made, there.url)
        (outcome,) = send(made)
        assert outcome.failure is not None
        assert "307" in outcome.failure.en
        assert elsewhere.got == []


def test_a_receiver_that_asks_to_wait_is_waited_for(made: World) -> None:
    with receiver(429, retry_after="600") as there:
        one_message(made, there.url)
        send(made)
        due = messages(made)[0].next_attempt_at
    assert due is not None
    assert timedelta(seconds=590) < due - made.clock() <= timedelta(seconds=600)


def test_private_addresses_are_refused_when_saved_and_when_sent(made: World) -> None:
    """A name may come to lead elsewhere after it was checked."""
    with pytest.raises(outbound.ForbiddenAddress):
        keeping.checked_url("http://127.0.0.1:8080/x", allow_private=False)
    with pytest.raises(outbound.ForbiddenAddress):
        keeping.checked_url("https://169.254.169.254/latest", allow_private=True)
    with receiver() as there:
        one_message(made, there.url)
        (outcome,) = sending.send_due(made.services(), 1, allow_private=False)
        assert (outcome.status, there.got) == (None, [])
        assert outcome.failure is not None
        assert "internal network" in outcome.failure.en


def test_a_trial_is_sent_once_and_not_tried_again(made: World) -> None:
    with receiver(500) as there:
        add(made, there.url)
        services = made.services()
        with services.database.begin() as session:
            keeping.try_out(session, session.get_one(Hook, 1), services.clock())
        assert [one.status for one in send(made)] == [500]
        made.clock.sleep(100_000)
        assert send(made) == []
        assert json.loads(there.got[0].body)["type"] == "test"
    assert hook(made).disabled_at is None


def test_messages_that_arrived_long_ago_are_forgotten(made: World) -> None:
    with receiver() as there:
        one_message(made, there.url)
        send(made)
        assert "hook_deliveries" not in prune(made.services())
        made.clock.sleep(timedelta(days=31).total_seconds())
        assert prune(made.services())["hook_deliveries"] == 1


def test_the_courier_tells_while_the_rest_goes_on(made: World) -> None:
    """Its thread collects and sends by itself, counts tries, and ends when asked."""
    with receiver(500) as bad, receiver() as good:
        add(made, bad.url, Happening.ACCEPTED)
        add(made, good.url, Happening.ACCEPTED)
        services = made.services()

        def tries() -> dict[str, int]:
            services.measures.keep(services.database)
            with services.database() as session:
                return {
                    one.labels: one.count for one in measures.read(session) if one.name == measures.HOOKS.name
                }

        courier = Courier(services, Links(BASE), allow_private=True)
        courier.start()
        try:
            made.run()
            courier.wake()
            wait_for(lambda: tries() == {"delivered": 1, "failed": 1})
        finally:
            courier.stop()
    assert (len(bad.got), len(good.got)) == (1, 1)


def test_the_secret_is_sealed_in_the_database(made: World) -> None:
    """It opens with the installation's key only."""
    _, secret = add(made, "https://erp.example/a")
    services: Services = made.services()
    stored = hook(made).secret
    assert secret not in stored
    assert signing.Secrets.unseal(services.vault, stored).now == secret
