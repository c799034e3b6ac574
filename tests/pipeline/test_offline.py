"""Outages of KSeF: what is announced decides the mode, the deadline, and when documents go."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
import requests
import zxingcpp
from sqlalchemy import select

from connector_app import offline_certificates
from connector_app.ksef_access import hash_text
from connector_app.pictures import picture
from connector_app.pipeline import life, offline
from connector_app.pipeline.runner import Runner
from connector_app.store.models import Certificate, Document, Seller, ShopOrder, Store
from core.findings import Text
from core.ksef.offline import OfflinePolicy
from core.signing.keys import load_pem
from tests.pipeline.test_trouble import KSEF_OPERATIONS
from tests.pipeline.world import NIP, Installation, World, recorded, world
from tests.web.site import site

SHORT = timedelta(minutes=2)
"""Patience that sees an outage begin, and not its end."""


def post(made: Installation, path: str, **body: object) -> Any:
    answer = requests.post(f"{made.ksef.admin_url}{path}", json=body, timeout=10)
    assert answer.status_code < 400, answer.text
    return answer.json()


def begin(made: Installation, category: str = "FAILURE", **times: object) -> int:
    event: int = post(made, "/outages", category=category, **times)["event"]
    return event


def end(made: Installation, event: int) -> None:
    post(made, f"/outages/{event}/end")
    made.clock.sleep(61)  # the board is asked once a minute


def add_certificate(made: Installation) -> None:
    """An Offline certificate that the sandbox knows."""
    given = post(made, "/certificates", nip=NIP, kind="Offline")
    services = made.services()
    now = services.clock()
    key = load_pem(given["certificate"].encode(), given["privateKey"].encode(), now=now)
    with services.database.begin() as session:
        seller = session.scalars(select(Seller)).one()
        offline_certificates.add(session, services.vault, seller, key, now)


def orders(count: int) -> list[dict[str, Any]]:
    return [recorded("order_full", id=100 + one, number=str(100 + one)) for one in range(count)]


@pytest.fixture
def outage_world(tmp_path: Path) -> Iterator[World]:
    """Two orders, policy automatic, an Offline certificate; KSeF works."""
    with world(tmp_path, orders(2)) as made:
        made.prepare(offline=OfflinePolicy.AUTOMATIC)
        add_certificate(made)
        yield made


def lives(document: Document) -> str:
    return "\n".join(event.text for event in document.events)


def test_in_a_failure_documents_are_issued_and_reach_the_buyer_and_go_when_ksef_is_back(
    outage_world: World,
) -> None:
    """Offline at once, a note to the buyer, an open deadline; then the end, the number, its note."""
    made = outage_world
    event = begin(made)
    made.run(SHORT)
    for document in made.documents():
        assert (document.state, document.offline_mode) == ("issued", "emergency")
        assert document.issued_on == date(2026, 11, 24)
        assert document.send_by is None
        assert document.ksef_number is None
        assert document.certificate_link is not None
        page = requests.get(document.certificate_link, timeout=10)
        assert "Certyfikat wystawcy faktury jest ważny" in page.text
    assert made.in_ksef() == []
    seen = made.in_shop(100)
    told = [note["note"] for note in seen["notes"] if "trybie offline" in note["note"]]
    assert len(told) == 2
    assert {one["key"]: one["value"] for one in seen["meta_data"]}["_ksef_status"] == "offline"
    before = {one.id: (one.number, one.xml, one.xml_sha256) for one in made.documents()}
    end(made, event)
    made.run()
    documents = made.documents()
    assert [one.state for one in documents] == ["published"] * 2
    assert {one.id: (one.number, one.xml, one.xml_sha256) for one in documents} == before
    # the failure ended on 24 November: 7 working days
    assert {one.send_by for one in documents} == {date(2026, 12, 3)}
    assert [one["invoicingMode"] for one in made.in_ksef()] == ["Offline"] * 2
    seen = made.in_shop(100)
    assert len([note for note in seen["notes"] if "trybie offline" in note["note"]]) == 2
    metadata = {one["key"]: one["value"] for one in seen["meta_data"]}
    assert (metadata["_ksef_status"], metadata["_ksef_number"]) == ("accepted", documents[0].ksef_number)
    assert made.run().worked == 0


def test_both_codes_are_on_the_picture_that_the_buyer_gets(outage_world: World) -> None:
    """OFFLINE and CERTYFIKAT while there is no number, the number once there is one."""
    made = outage_world
    event = begin(made)
    made.run(SHORT)
    for label in ("OFFLINE", None):
        document = made.documents()[0]
        pdf = pypdfium2.PdfDocument(picture(document, "pl"))
        codes = {
            code.text for page in pdf for code in zxingcpp.read_barcodes(page.render(scale=150 / 72).to_pil())
        }
        text = "".join(page.get_textpage().get_text_range() for page in pdf).replace("\u200b", "")
        assert document.certificate_link in codes
        assert len(codes) == 2
        assert "CERTYFIKAT" in text
        assert (label or document.ksef_number or "?") in text
        assert ("OFFLINE" in text) == (label is not None)
        if label:
            end(made, event)
            made.run()


def test_a_maintenance_counts_from_its_announced_end(tmp_path: Path) -> None:
    """Friday evening to Saturday: the deadline is Monday, known at once; documents go after the end."""
    friday = datetime(2026, 11, 27, 19, 30, tzinfo=UTC)
    with world(tmp_path, orders(1), now=friday) as made:
        made.prepare(offline=OfflinePolicy.AUTOMATIC)
        add_certificate(made)
        begin(made, "MAINTENANCE", start="2026-11-27T19:00:00Z", end="2026-11-28T05:00:00Z")
        made.run(SHORT)
        (document,) = made.documents()
        assert (document.state, document.offline_mode) == ("issued", "maintenance")
        assert document.send_by == date(2026, 11, 30)
        assert "30.11.2026" in lives(document)
        # nobody ends it: the clock does
        made.run()
        (document,) = made.documents()
        assert document.state == "published"
        assert made.clock.now > datetime(2026, 11, 28, 5, 0, tzinfo=UTC)
        assert made.in_ksef()[0]["invoicingMode"] == "Offline"


def test_the_earliest_deadline_goes_first(tmp_path: Path) -> None:
    """Not the oldest document: the one whose day comes first."""
    with world(tmp_path, orders(3)) as made:
        made.prepare(offline=OfflinePolicy.AUTOMATIC)
        add_certificate(made)
        event = begin(made)
        made.run(SHORT)
        made.ksef.state.faults.add("http_503", KSEF_OPERATIONS["open"], times=1000, value=60)
        end(made, event)
        made.run(SHORT)
        days = [date(2026, 12, 3), date(2026, 12, 1), date(2026, 12, 2)]
        with made.services().database.begin() as session:
            for row, day in zip(session.scalars(select(Document).order_by(Document.id)), days, strict=True):
                row.send_by, row.next_attempt_at = day, None
        made.ksef.state.faults.clear()
        sent: list[date | None] = []
        made.watch = lambda row: sent.append(row.send_by) if row.state == "sent" else None
        made.run()
        assert list(dict.fromkeys(sent)) == sorted(days)


def test_with_ask_a_document_waits_until_a_person_decides(tmp_path: Path) -> None:
    """It stays ready with a sentence that names the command; decided, it is issued offline at once."""
    with world(tmp_path, orders(2)) as made:
        made.prepare(offline=OfflinePolicy.ASK)
        add_certificate(made)
        event = begin(made)
        made.run(SHORT)
        first, second = made.documents()
        assert [one.state for one in (first, second)] == ["ready", "ready"]
        assert first.number is None
        assert "Latarnia ogłosiła awarię" in (first.waiting_for or "")
        assert f"documents offline {first.id}" in (first.waiting_for or "")
        services = made.services()
        life.change(services, first.id, lambda row: offline.ask_for(row, services.clock()))
        made.run(SHORT)
        first, second = made.documents()
        assert (first.state, first.offline_mode) == ("issued", "emergency")
        assert second.state == "ready"
        with pytest.raises(offline.NothingToIssue):
            life.change(services, first.id, lambda row: offline.ask_for(row, services.clock()))
        end(made, event)
        made.run()
        assert [one.state for one in made.documents()] == ["published"] * 2
        assert [one.offline_mode for one in made.documents()] == ["emergency", None]


def test_a_person_may_choose_offline24_at_any_time(outage_world: World) -> None:
    """Nothing is announced: the document is issued offline and goes at once, with offlineMode true."""
    made = outage_world
    post(made, "/settings", processing_seconds=0)
    made.ksef.state.faults.add("http_503", KSEF_OPERATIONS["open"], times=1000, value=60)
    made.run(SHORT)
    document = made.documents()[0]
    assert document.state == "ready"
    services = made.services()
    life.change(services, document.id, lambda row: offline.ask_for(row, services.clock()))
    made.run(SHORT)
    document, other = made.documents()
    assert (document.state, document.offline_mode) == ("issued", "offline24")
    assert document.send_by == date(2026, 11, 25)
    assert other.state == "ready"
    made.ksef.state.faults.clear()
    made.run()
    modes = {one["invoiceNumber"]: one["invoicingMode"] for one in made.in_ksef()}
    assert modes == {document.number: "Offline", made.documents()[1].number: "Online"}


def test_without_an_offline_certificate_documents_wait_and_say_so(tmp_path: Path) -> None:
    """No number is taken; a certificate that comes later is used in the next look."""
    with world(tmp_path, orders(1)) as made:
        made.prepare(offline=OfflinePolicy.AUTOMATIC)
        event = begin(made)
        result = made.run(SHORT)
        (document,) = made.documents()
        assert (document.state, document.number) == ("ready", None)
        assert "certyfikatu KSeF typu Offline" in (document.waiting_for or "")
        assert any("typu Offline" in problem.pl for problem in result.problems)
        add_certificate(made)
        made.clock.sleep(301)
        made.run(SHORT)
        assert made.documents()[0].offline_mode == "emergency"
        end(made, event)
        made.run()
        assert made.documents()[0].state == "published"


def test_with_never_the_order_of_things_is_as_without_latarnia(tmp_path: Path) -> None:
    """The document waits for KSeF, and goes online on the day on which KSeF is back."""
    with world(tmp_path, orders(1)) as made:
        made.prepare(offline=OfflinePolicy.NEVER)
        add_certificate(made)
        event = begin(made)
        made.run(SHORT)
        assert (made.documents()[0].state, made.documents()[0].number) == ("ready", None)
        made.clock.sleep(24 * 3600)
        end(made, event)
        made.run()
        (document,) = made.documents()
        assert (document.state, document.offline_mode) == ("published", None)
        assert document.issued_on == date(2026, 11, 25)
        assert made.in_ksef()[0]["invoicingMode"] == "Online"


def test_in_a_total_failure_nothing_is_issued(outage_world: World) -> None:
    """Its invoices take any form outside KSeF: the program waits and says so."""
    made = outage_world
    event = begin(made, "TOTAL_FAILURE")
    made.run(SHORT)
    documents = made.documents()
    assert [(one.state, one.number) for one in documents] == [("ready", None)] * 2
    assert "awarię całkowitą" in (documents[0].waiting_for or "")
    end(made, event)
    made.run()
    assert [one["invoicingMode"] for one in made.in_ksef()] == ["Online"] * 2


def test_an_unfinished_recovery_issues_nothing_offline_either(outage_world: World) -> None:
    """KSeF fails in the middle of a recovery: what it has could be issued a second time."""
    made = outage_world
    with made.services().database.begin() as session:
        session.scalars(select(Seller)).one().recovery = {
            "since": "2026-01-01",
            "next": "2026-01-01T00:00:00+00:00",
            "report": {},
        }
    begin(made)
    result = made.run(SHORT)
    assert {(one.state, one.number) for one in made.documents()} == {("ready", None)}
    assert any("recover" in problem.en for problem in result.problems)


def test_a_new_failure_moves_the_deadline_and_the_life_line_says_so(outage_world: World) -> None:
    """7 working days after the last end; KSeF stays closed to sending all the while."""
    made = outage_world
    first = begin(made)
    made.run(SHORT)
    made.ksef.state.faults.add("http_503", KSEF_OPERATIONS["open"], times=10_000, value=3600)
    end(made, first)
    made.run(SHORT)
    assert {one.send_by for one in made.documents()} == {date(2026, 12, 3)}
    made.clock.sleep(3 * 24 * 3600)
    second = begin(made)
    made.clock.sleep(61)
    made.run(SHORT)
    assert {one.send_by for one in made.documents()} == {None}
    end(made, second)
    made.run(SHORT)
    document = made.documents()[0]
    assert document.send_by == date(2026, 12, 8)
    assert lives(document).count("Termin przesłania") == 3
    made.ksef.state.faults.clear()
    made.clock.sleep(3600)
    made.run()
    assert [one.state for one in made.documents()] == ["published"] * 2


def test_an_answer_that_is_lost_leads_to_no_second_document(outage_world: World) -> None:
    """Dropped after storing, then dropped before: one document each, offline, under its number."""
    made = outage_world
    event = begin(made)
    made.run(SHORT)
    end(made, event)
    made.ksef.state.faults.add("drop_after", KSEF_OPERATIONS["send"])
    made.ksef.state.faults.add("drop_before", KSEF_OPERATIONS["send"])
    made.run()
    documents = made.documents()
    assert [one.state for one in documents] == ["published"] * 2
    assert sorted(one["invoiceNumber"] for one in made.in_ksef()) == sorted(
        str(one.number) for one in documents
    )
    assert {one["invoicingMode"] for one in made.in_ksef()} == {"Offline"}


@pytest.mark.parametrize(
    ("policy", "mode"), [(OfflinePolicy.AUTOMATIC, "offline24"), (OfflinePolicy.ASK, None)]
)
def test_a_document_that_missed_midnight_is_offline24_only_by_policy(
    tmp_path: Path, policy: OfflinePolicy, mode: str | None
) -> None:
    """Issued online at 23:59, sent the next day: declared and counted, or left for KSeF to mark."""
    late = datetime(2026, 11, 24, 22, 59, tzinfo=UTC)
    with world(tmp_path, orders(1), now=late) as made:
        made.prepare(offline=policy)
        made.ksef.state.faults.add("http_503", KSEF_OPERATIONS["send"], times=1, value=300)
        made.run()
        (document,) = made.documents()
        assert document.issued_on == date(2026, 11, 24)
        assert (document.state, document.offline_mode) == ("published", mode)
        assert document.send_by == (date(2026, 11, 25) if mode else None)
        assert made.in_ksef()[0]["invoicingMode"] == "Offline"


def refuse_once(made: World) -> Document:
    """An offline document that KSeF has refused for its file."""
    event = begin(made)
    made.run(SHORT)
    end(made, event)
    made.ksef.state.faults.add("refuse_code", KSEF_OPERATIONS["send"], value=430)
    made.run()
    refused = made.documents()[0]
    assert (refused.state, refused.refusal_code) == ("rejected", 430)
    return refused


def retry(made: World, document: Document) -> None:
    services = made.services()
    life.change(services, document.id, lambda row: life.again(row, services.clock()))


def test_a_refused_offline_document_is_corrected_technically(tmp_path: Path) -> None:
    """Same number, day, mode and amount, days later; the code that the buyer holds finds the accepted one."""
    with world(tmp_path, orders(1)) as made:
        made.prepare(offline=OfflinePolicy.AUTOMATIC)
        add_certificate(made)
        refused = refuse_once(made)
        given = picture(refused, "pl")
        made.clock.sleep(2 * 24 * 3600)
        retry(made, refused)
        made.run()
        (document,) = made.documents()
        assert document.state == "published"
        assert document.corrected_sha256 == refused.xml_sha256
        assert document.xml_sha256 != refused.xml_sha256
        assert (document.number, document.issued_on, document.offline_mode, document.total) == (
            refused.number,
            refused.issued_on,
            "emergency",
            refused.total,
        )
        (row,) = made.ksef.state.all("SELECT corrects, offline FROM invoices WHERE code = 200")
        assert (row["corrects"], row["offline"]) == (hash_text(refused.xml_sha256 or ""), 1)
        page = pypdfium2.PdfDocument(io.BytesIO(given))[0].render(scale=150 / 72).to_pil()
        (first,) = (one.text for one in zxingcpp.read_barcodes(page) if "/invoice/" in one.text)
        assert str(document.ksef_number) in requests.get(first, timeout=10).text
        # the buyer was told of the offline invoice once
        notes = made.in_shop(100)["notes"]
        assert sum("trybie offline" in note["note"] and note["customer_note"] for note in notes) == 1


def test_a_technical_correction_never_changes_what_the_buyer_was_given(tmp_path: Path) -> None:
    """The order changed meanwhile: a person is asked, and no other amount goes to KSeF."""
    with world(tmp_path, orders(1)) as made:
        made.prepare(offline=OfflinePolicy.AUTOMATIC)
        add_certificate(made)
        refused = refuse_once(made)
        made.clock.sleep(3600)
        changed = recorded("order_blocks_checkout_with_nip", id=100, number="100")
        made.shop.state.change(100, **{key: changed[key] for key in _AMOUNTS})
        made.run(SHORT)
        retry(made, refused)
        made.run(SHORT)
        document = next(one for one in made.documents() if one.purpose == "invoice")
        assert document.state == "attention"
        assert document.attention is not None
        assert document.attention[0]["code"] == "technical-correction-changes-content"
        assert document.number == refused.number
        assert made.in_ksef() == []


_AMOUNTS = (
    "total",
    "total_tax",
    "cart_tax",
    "shipping_total",
    "shipping_tax",
    "discount_total",
    "discount_tax",
    "line_items",
    "shipping_lines",
    "fee_lines",
    "coupon_lines",
    "tax_lines",
    "prices_include_tax",
    "currency",
)


def test_the_shop_being_down_holds_the_invoice_up_for_nobody(outage_world: World) -> None:
    """The note is tried again; KSeF gets the document in any case."""
    made = outage_world
    event = begin(made)
    made.shop.fault("http_503", method="POST", path="/notes$", times=50)
    made.run(SHORT)
    documents = made.documents()
    assert [(one.state, one.told_at) for one in documents] == [("issued", None)] * 2
    (failed,) = documents[0].publications
    assert (failed.channel, failed.done_at) == ("offline:private_note", None)
    assert failed.failure
    requests.delete(f"{made.shop.url}/sandbox/faults", timeout=10).raise_for_status()
    end(made, event)
    made.run()
    documents = made.documents()
    assert [one.state for one in documents] == ["published"] * 2


def test_a_note_that_the_program_cannot_write_ends_no_pass(outage_world: World) -> None:
    """The stored form of one order is damaged: the other order is told of, and the work goes on."""
    made = outage_world
    begin(made)

    def damage(document: Document) -> None:
        if document.id == 1 and document.state == "issued":
            with made.services().database.begin() as session:
                session.get_one(ShopOrder, document.order_id).snapshot = {"id": "100"}

    made.watch = damage
    made.run(SHORT)
    first, second = made.documents()
    assert first.told_at is None
    assert second.told_at is not None


def test_a_board_that_is_down_changes_nothing(outage_world: World) -> None:
    """What was known stays; KSeF itself is asked as ever."""
    made = outage_world
    made.ksef.state.faults.add("http_503", "GET /latarnia/", times=1000)
    made.run()
    assert [one.state for one in made.documents()] == ["published"] * 2
    services = made.services()
    app = site(services).user()
    assert "nie odpowiada" in app.get("/")
    (seen,) = json.loads(app.get("/health"))["latarnia"].values()
    assert "503" in seen["failure"]


def test_the_health_page_shows_what_latarnia_says(outage_world: World) -> None:
    """Available, then the failure with its beginning; the running application asks also when idle."""
    made = outage_world
    made.run()
    services = made.services()
    app = site(services).user()
    assert "KSeF jest dostępny" in app.get("/")
    begin(made)
    made.clock.sleep(61)
    Runner(services, made.clock.sleep, keep_sessions=True).work()
    assert "Latarnia ogłosiła awarię KSeF od 24.11.2026" in app.get("/")
    (seen,) = json.loads(app.get("/health"))["latarnia"].values()
    assert (seen["status"], seen["outage"]["category"]) == ("FAILURE", "FAILURE")


def test_the_offline_key_is_sealed(outage_world: World) -> None:
    """The stored certificate shows no key, and only its kind signs."""
    services = outage_world.services()
    with services.database() as session:
        (row,) = session.scalars(select(Certificate)).all()
        store = session.scalars(select(Store)).one()
    assert (row.kind, row.stage) == ("Offline", "issued")
    assert "PRIVATE" not in row.secret
    assert store.policy["offline"] == "automatic"


def test_plans_are_sentences_in_both_languages(outage_world: World) -> None:
    """What a person reads while waiting is there in Polish and in English."""
    made = outage_world
    begin(made, "TOTAL_FAILURE")
    made.run(SHORT)
    found = offline.plan(made.services(), made.documents()[0].id)
    assert isinstance(found, Text)
    assert "total failure" in found.en
