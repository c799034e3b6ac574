"""Trouble on the way: nothing is lost, nothing is doubled, and the state says what waits for what."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from connector_app.pipeline import life
from connector_app.store.models import Document, DocumentState
from tests.pipeline.kept_world import invoiced_world
from tests.pipeline.world import World, recorded, world

KSEF_OPERATIONS = {
    "sign-in": "POST /v2/auth/xades-signature",
    "sign-in status": "GET /v2/auth/",
    "redeem": "POST /v2/auth/token/redeem",
    "keys": "GET /v2/security/public-key-certificates",
    "open": "POST /v2/sessions/online$",
    "send": "POST /v2/sessions/online/[^/]+/invoices$",
    "status": "GET /v2/sessions/[^/]+/invoices/[^/]+$",
    "proof": "GET /v2/sessions/.+/upo$",
    "close": "POST /v2/sessions/online/[^/]+/close$",
}
KSEF_FAULTS = ["drop_before", "drop_after", "http_500", "http_503", "http_429", "html", "truncate"]
SHOP_FAULTS = ["drop_before", "drop_after", "http_500", "http_503", "http_429", "html", "truncate"]
SHOP_CALLS = {
    "read orders": ("GET", "/orders$"),
    "look for notes": ("GET", "/notes$"),
    "write a note": ("POST", "/notes$"),
    "write metadata": ("PUT", "/orders/15$"),
}


def assert_one_of_each(made: World) -> None:
    """One document in KSeF, published, one note of each kind, one e-mail."""
    document = made.by_order()["15"]
    assert document.state == "published", (document.state, document.waiting_for, document.refusal_text)
    assert document.upo is not None
    (accepted,) = made.in_ksef()
    assert accepted["ksefNumber"] == document.ksef_number
    seen = made.in_shop(15)
    notes = [note for note in seen["notes"] if document.ksef_number in note["note"]]
    assert [note["customer_note"] for note in notes] == [False, True]
    assert len(seen["emails"]) == 1


@pytest.mark.parametrize("operation", KSEF_OPERATIONS.values(), ids=KSEF_OPERATIONS.keys())
@pytest.mark.parametrize("kind", KSEF_FAULTS)
def test_ksef_fails_twice_at_each_operation(tmp_path: Path, kind: str, operation: str) -> None:
    """Whatever operation fails in whatever way, the document arrives exactly once."""
    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare()
        made.ksef.state.faults.add(kind, operation, times=2)
        made.run()
        assert_one_of_each(made)


@pytest.mark.parametrize(("method", "path"), SHOP_CALLS.values(), ids=SHOP_CALLS.keys())
@pytest.mark.parametrize("kind", SHOP_FAULTS)
def test_the_shop_fails_at_each_call(tmp_path: Path, kind: str, method: str, path: str) -> None:
    """A note that was stored although its answer was lost is not written again."""
    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare()
        made.shop.fault(kind, method=method, path=path, times=5)
        for _ in range(6):
            made.run()
            made.clock.sleep(60)
        assert_one_of_each(made)


def test_a_document_cancelled_by_ksef_is_sent_again(tmp_path: Path) -> None:
    """550 means: send the same bytes again; the number stays."""
    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare()
        made.ksef.state.faults.add("status_550", KSEF_OPERATIONS["send"], times=2)
        made.run()
        assert_one_of_each(made)
        assert made.by_order()["15"].number == "FV/2026/11/0001"


def test_a_refusal_carries_the_code_and_our_explanation(tmp_path: Path) -> None:
    """450 ends as rejected, with KSeF's words kept; the corrected order takes the same number."""
    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare()
        made.ksef.state.faults.add("refuse_code", KSEF_OPERATIONS["send"], value=450)
        made.run()
        refused = made.by_order()["15"]
        assert (refused.state, refused.refusal_code) == ("rejected", 450)
        assert "450" in refused.events[-1].text
        assert made.in_ksef() == []
        billing = recorded("order_full")["billing"] | {"company": "Poprawiona Sp. z o.o."}
        made.clock.sleep(60)
        made.shop.state.change(15, billing=billing)
        services = made.services()
        life.change(services, refused.id, lambda row: life.again(row, services.clock()))
        made.run()
        assert_one_of_each(made)
        accepted = made.by_order()["15"]
        assert accepted.number == refused.number == "FV/2026/11/0001"
        assert accepted.buyer_name == "Poprawiona Sp. z o.o."
        assert any(str(refused.xml_sha256) in event.text for event in accepted.events)


def test_a_lost_answer_and_a_lost_reference_end_in_the_original_number(tmp_path: Path) -> None:
    """Sent a second time, 440 names the first document; its bytes are ours, so its number is ours."""
    with invoiced_world(tmp_path) as made:
        first = made.by_order()["15"]
        services = made.services()
        with services.database.begin() as session:
            row = session.get_one(Document, first.id)
            row.state = DocumentState.ISSUED.value
            row.session_reference = row.document_reference = row.ksef_number = row.upo = None
        made.run()
        again = made.by_order()["15"]
        assert again.ksef_number == first.ksef_number
        assert_one_of_each(made)


def test_a_number_used_by_another_document_asks_a_person(tmp_path: Path) -> None:
    """440 with other bytes: a second installation used the same number; nothing is adopted."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with invoiced_world(tmp_path / "a") as made:
        first = made.by_order()["15"]
        other = World(tmp_path / "b", made.ksef, made.shop, made.clock)
        other.prepare()
        made.clock.sleep(5)
        other.run()
        document = other.by_order()["15"]
        assert document.state == "attention"
        assert document.ksef_number is None
        (reason,) = document.attention or []
        assert reason["code"] == "number-used-by-another-document"
        assert str(first.ksef_number) in reason["message"]["pl"]


def test_an_expired_session_is_replaced(tmp_path: Path) -> None:
    """A day later the stored session and tokens are of no use; the next order goes through a new one."""
    with invoiced_world(tmp_path) as made:
        made.clock.sleep(24 * 3600)
        made.shop.state.add_orders([recorded("order_net_prices_round_per_line")], {})
        made.shop.state.change(27, status="processing")
        made.run()
        assert made.by_order()["27"].state == "published"


def test_a_refused_credential_leaves_orders_waiting_without_numbers(tmp_path: Path) -> None:
    """A wrong token: nothing is issued, and each order says that signing in failed."""
    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare(token="20261124-EC-0000000000-0000000000-00|nip-5265877635|" + "0" * 64)
        result = made.run(timedelta(minutes=5))
        waiting = made.by_order()["15"]
        assert (waiting.state, waiting.number) == ("ready", None)
        assert waiting.waiting_for
        assert result.problems


@pytest.mark.parametrize("step", range(1, 9))
def test_a_process_killed_after_any_commit_goes_on_where_it_was(tmp_path: Path, step: int) -> None:
    """The process ends right after the n-th committed change of a document; the next one ends the same."""

    class Killed(BaseException):
        pass

    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare()
        left = step

        def die(_document: Document) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise Killed

        made.watch = die
        try:
            made.run()
        except Killed:
            made.watch = lambda _document: None
            made.clock.sleep(30)
            made.run()
        assert_one_of_each(made)
