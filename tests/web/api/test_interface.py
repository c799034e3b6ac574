"""What machines read and do: pages lose nothing, files are as stored, repeats are safe, sellers apart."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import select

from connector_app.pipeline import life
from connector_app.store.machines import ApiReply, ApiToken
from connector_app.store.models import Document, Event
from connector_app.store.people import AuditEntry
from connector_app.web.api import tokens
from connector_app.web.api.operation import OPERATIONS
from connector_app.web.here import WebOptions
from core.findings import Text
from tests.pipeline.world import World, recorded, world
from tests.web.api.conftest import Machine, second_seller, token
from tests.web.site import Site, site

RECEIVER = "https://1.1.1.1"
"""A public address that needs no look-up; nothing is sent to it."""
OTHERS = ("INNY", "inny", "5260250274")


def ids(page: Any) -> list[int]:
    return [one["id"] for one in page["items"]]


def walk(machine: Machine, path: str) -> list[int]:
    """Ids of all pages."""
    found: list[int] = []
    page = machine.get(path)
    found += ids(page)
    while page["next"] is not None:
        page = machine.get(f"{path}&cursor={page['next']}")
        found += ids(page)
    return found


@pytest.fixture
def own(tmp_path: Path) -> Iterator[World]:
    """A world of a test's own: one order that goes all the way and one that needs a person."""
    with world(tmp_path, [recorded("order_full"), recorded("order_eur_no_matching_rate")]) as one:
        one.prepare()
        one.run()
        yield one


def test_pages_give_every_document_once_in_a_stable_order(machine: Machine) -> None:
    whole = ids(machine.get("/documents"))
    assert whole == sorted(whole, reverse=True)
    assert len(whole) == 5
    assert walk(machine, "/documents?limit=2") == whole
    assert walk(machine, "/documents?limit=2&updated_since=2026-01-01T00:00:00Z") != whole
    assert sorted(walk(machine, "/documents?limit=2&updated_since=2026-01-01T00:00:00Z")) == sorted(whole)
    assert walk(machine, "/orders?limit=2") == ids(machine.get("/orders"))


def test_a_document_that_changes_while_pages_are_read_is_seen_again_and_hides_none(own: World) -> None:
    """Reading by change: whoever goes on after the last moment misses nothing."""
    machine = Machine(site(own.services()), token(own.services()))
    since = "/documents?limit=1&updated_since=2026-01-01T00:00:00Z"
    first = machine.get(since)
    services = own.services()
    life.change(
        services, first["items"][0]["id"], lambda row: life.note(row, Text("a", "a"), services.clock())
    )
    rest: list[int] = []
    page = first
    while page["next"] is not None:
        page = machine.get(f"{since}&cursor={page['next']}")
        rest += ids(page)
    assert sorted(rest) == [1, 2]
    assert rest[-1] == first["items"][0]["id"]


@pytest.mark.parametrize(
    ("query", "choose"),
    [
        ("state=attention", lambda one: one["state"] == "attention"),
        ("state=published&kind=VAT", lambda one: one["state"] == "published"),
        ("month=2026-11", lambda one: one["issued_on"] is not None),
        ("store=test", lambda _one: True),
        ("q=28", lambda one: one["order"]["number"] == "28"),
        ("q=FV/2026/11/", lambda one: one["number"] is not None),
        ("kind=KOR", None),
        ("month=2026-10", None),
        ("store=nie-ma", None),
        ("q=%25", None),
        ("updated_since=2027-01-01T00:00:00%2B01:00", None),
    ],
)
def test_filters(machine: Machine, query: str, choose: Callable[[Any], bool] | None) -> None:
    """Each leaves what it names and nothing else; ``None``: nothing at all."""
    whole = machine.get("/documents")["items"]
    expected = [one["id"] for one in whole if choose is not None and choose(one)]
    assert bool(expected) is (choose is not None)
    assert ids(machine.get(f"/documents?{query}")) == expected


def test_a_ksef_number_is_found_by_its_beginning(machine: Machine) -> None:
    published = machine.get("/documents?state=published")["items"]
    for one in published:
        assert ids(machine.get(f"/documents?q={one['ksef_number']}")) == [one["id"]]
        assert ids(machine.get(f"/documents?q={quote(one['number'], safe='')}")) == [one["id"]]


def test_a_cursor_of_another_query_is_refused(machine: Machine) -> None:
    """It would silently skip documents."""
    following = machine.get("/documents?limit=1")["next"]
    for path in (
        f"/documents?updated_since=2026-01-01T00:00:00Z&cursor={following}",
        f"/orders?cursor={following}",
        "/documents?cursor=abc",
        "/documents?cursor=WyJuZXdlc3QiLC0xXQ",
    ):
        assert machine.get(path, 400)["code"] == "invalid-cursor"


def test_files_are_the_stored_bytes(machine: Machine, made: World) -> None:
    document = made.by_order()["15"]
    answer = machine.ask("GET", f"/documents/{document.id}/xml", 200)
    assert answer.data == document.xml
    shown = machine.get(f"/documents/{document.id}")
    assert shown["sha256"] == hashlib.sha256(answer.data).hexdigest()
    assert shown["document"]["files"] == ["xml", "pdf", "upo"]
    assert (shown["document"]["total"], shown["document"]["ksef_number"]) == ("246.55", document.ksef_number)
    assert [one["state"] for one in shown["life"]][-1] == "published"
    upo = machine.ask("GET", f"/documents/{document.id}/upo", 200)
    assert (upo.data, upo.mimetype) == (document.upo, "application/xml")
    assert document.ksef_number is not None
    assert document.ksef_number in upo.headers["Content-Disposition"]
    assert machine.ask("GET", f"/documents/{document.id}/pdf?lang=en", 200).data.startswith(b"%PDF")
    waiting = machine.get("/documents?state=attention")["items"][0]
    assert machine.get(f"/documents/{waiting['id']}/xml", 404)["code"] == "no-such-file"
    assert machine.get(f"/documents/{waiting['id']}/upo", 404)["code"] == "no-such-file"


def test_a_damaged_file_is_never_given_out(own: World) -> None:
    machine = Machine(site(own.services()), token(own.services()))
    with own.services().database.begin() as session:
        session.get_one(Document, 1).xml = b"<other/>"
    assert machine.get("/documents/1/xml", 500)["code"] == "damaged-file"
    assert machine.get("/documents/1/pdf", 500)["code"] == "damaged-file"


def test_orders_stores_and_the_seller(machine: Machine) -> None:
    order = machine.get("/orders?number=15")["items"][0]
    whole = machine.get(f"/orders/{order['id']}")
    assert (whole["snapshot"]["number"], len(whole["documents"])) == ("15", 1)
    assert [one["code"] for one in machine.get("/stores")["items"]] == ["test"]
    mine = machine.get("/sellers/self")
    assert (mine["nip"], mine["token"]) == ("5265877635", {"name": "erp", "writes": True})


def test_entries_after_a_cursor_come_once_and_in_order(machine: Machine) -> None:
    after, found = 0, []
    while True:
        page = machine.get(f"/events?after={after}&limit=7")
        found += ids(page)
        after = page["next"]
        if not page["more"]:
            break
    assert found == sorted(set(found))
    assert found == ids(machine.get("/events?limit=200"))
    assert machine.get(f"/events?after={after}") == {"items": [], "next": after, "more": False}


def test_a_quiet_seller_moves_on_over_the_entries_of_others(
    other: Machine, made: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer looks at so many entries; an empty one leads on, and the own one is found in the end."""
    monkeypatch.setattr("connector_app.web.api.events._WINDOW", 5)
    with made.services().database.begin() as session:
        document = session.scalar(select(Document).where(Document.seller_id == 2))
        assert document is not None
        document_id = document.id
    services = made.services()
    life.change(services, document_id, lambda row: life.note(row, Text("b", "b"), services.clock()))
    after, found, rounds = 0, [], 0
    while True:
        page = other.get(f"/events?after={after}")
        found += page["items"]
        after, rounds = page["next"], rounds + 1
        if not page["more"]:
            break
    assert [one["text"]["en"] for one in found] == ["b"]
    assert rounds > 2


def test_no_seller_sees_or_touches_another(machine: Machine, other: Machine, made: World) -> None:
    """Every operation with an id answers 404 for what is another's; lists hold no word of it."""
    theirs = other.get("/documents")["items"][0]
    hook = other.post("/hooks", 201, {"url": f"{RECEIVER}/x", "events": ["document.accepted"]})
    their_ids = {
        "document_id": theirs["id"],
        "order_id": theirs["order"]["id"],
        "hook_id": hook["hook"]["id"],
    }
    bodies: dict[str, Any] = {"PATCH": {"enabled": False}}
    for one in OPERATIONS:
        if one.ids:
            path = one.path.format(**their_ids)
            answer = machine.ask(one.method, path, 404, json=bodies.get(one.method))
            assert answer.get_json(force=True)["code"] == "not-found", path
        elif one.method == "GET":
            text = machine.ask("GET", one.path, 200).text
            assert not any(word in text for word in OTHERS), one.path
    assert machine.get("/documents?store=inny")["items"] == []
    assert machine.get("/documents?q=INNY")["items"] == []
    assert machine.get("/orders?store=inny")["items"] == []
    assert other.get(f"/hooks/{hook['hook']['id']}")["enabled"] is True


def test_without_a_valid_token_there_is_nothing(pages: Site) -> None:
    """Not by a cookie of an owner either, nor by another scheme, nor once it is revoked."""
    signed_in = pages.user("ciasteczko@sklep.example")
    good = token(pages.services, name="koniec")
    for one in OPERATIONS:
        path = (
            f"/api/v1{one.path}".replace("{document_id}", "1")
            .replace("{order_id}", "1")
            .replace("{hook_id}", "1")
        )
        answer = signed_in.client.open(path, method=one.method)
        assert (answer.status_code, answer.get_json(force=True)["code"]) == (401, "unauthorized"), path
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    for header in (f"Basic {good}", good, "Bearer", f"Bearer {good}x", "Bearer " + "a" * 5000):
        answer = signed_in.client.get("/api/v1/stores", headers={"Authorization": header})
        assert answer.status_code == 401
    machine = Machine(pages, good)
    assert machine.get("/stores")["items"]
    with pages.services.database.begin() as session:
        row = session.scalar(select(ApiToken).where(ApiToken.name == "koniec"))
        assert row is not None
        assert row.used_at is not None
        assert good not in row.token_sha256
        tokens.revoke(row, pages.services.clock())
    machine.get("/stores", 401)


def test_a_token_for_reading_changes_nothing(pages: Site, made: World) -> None:
    reader = Machine(pages, token(made.services(), writes=False))
    bodies: dict[str, Any] = {"POST": {"url": "https://erp.example", "events": ["document.issued"]}}
    for one in OPERATIONS:
        if one.method == "GET":
            continue
        path = one.path.replace("{document_id}", "1").replace("{hook_id}", "1")
        answer = reader.ask(one.method, path, 403, json=bodies.get(one.method, {}))
        assert answer.get_json(force=True)["code"] == "read-only-token"


def test_retry_is_written_down_and_wakes_the_work(own: World) -> None:
    pages = site(own.services())
    machine = Machine(pages, token(own.services(), name="automat"))
    (waiting,) = machine.get("/documents?state=attention")["items"]
    shown = machine.post(f"/documents/{waiting['id']}/retry")
    assert shown["document"]["state"] == "ready"
    assert pages.woken == [True]
    with own.services().database() as session:
        (entry,) = session.scalars(select(AuditEntry))
    assert (entry.actor, entry.action, entry.subject) == (
        "api:automat",
        "document.retry",
        f"document:{waiting['id']}",
    )
    published = own.by_order()["15"].id
    for action in ("retry", "close", "offline"):
        answer = machine.post(f"/documents/{published}/{action}", 409)
        assert answer["code"].startswith("nothing-to-")
    with own.services().database() as session:
        assert len(session.scalars(select(AuditEntry)).all()) == 1


def test_a_repeated_request_is_answered_as_before_and_done_once(own: World) -> None:
    """The secret is in the answer again, sealed in the database; another body under the key is refused."""
    machine = Machine(site(own.services()), token(own.services()))
    body = {"url": f"{RECEIVER}/x", "events": ["document.accepted"]}
    first = machine.post("/hooks", 201, body, Idempotency_Key="klucz-1")
    again = machine.ask("POST", "/hooks", 201, json=body, headers={"Idempotency-Key": "klucz-1"})
    assert again.get_json() == first
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(machine.get("/hooks")["items"]) == 1
    with own.services().database() as session:
        (kept,) = session.scalars(select(ApiReply))
    assert kept.body is not None
    assert first["secret"] not in kept.body
    changed = body | {"url": f"{RECEIVER}/y"}
    assert machine.post("/hooks", 422, changed, Idempotency_Key="klucz-1")["code"] == "idempotency-key-reused"
    refused = machine.post("/documents/1/retry", 409, Idempotency_Key="klucz-2")
    assert machine.post("/documents/1/retry", 409, Idempotency_Key="klucz-2") == refused
    assert machine.post("/hooks", 400, body, Idempotency_Key="ze spacją")["code"] == "invalid-request"
    stranger = Machine(machine.pages, token(own.services(), second_seller(own.services()) and 2))
    assert stranger.post("/hooks", 201, body, Idempotency_Key="klucz-1") != first
    own.clock.sleep(timedelta(hours=25).total_seconds())
    assert (
        machine.post("/hooks", 201, changed, Idempotency_Key="klucz-1")["hook"]["id"] != first["hook"]["id"]
    )


def test_a_request_that_is_at_work_is_not_begun_again_until_it_must_have_died(own: World) -> None:
    machine = Machine(site(own.services()), token(own.services()))
    body = {"url": f"{RECEIVER}/x", "events": ["document.accepted"]}
    machine.post("/hooks", 201, body, Idempotency_Key="k")
    with own.services().database.begin() as session:
        (kept,) = session.scalars(select(ApiReply))
        kept.status = kept.body = None
    assert machine.post("/hooks", 409, body, Idempotency_Key="k")["code"] == "request-in-progress"
    own.clock.sleep(61)
    machine.post("/hooks", 201, body, Idempotency_Key="k")


def test_a_hook_from_its_making_to_its_end(own: World) -> None:
    """Its secret is shown once; wrong ones are refused in words."""
    machine = Machine(site(own.services()), token(own.services()))
    made = machine.post("/hooks", 201, {"url": RECEIVER, "events": ["document.accepted"] * 2})
    hook = f"/hooks/{made['hook']['id']}"
    assert made["secret"].startswith("whsec_")
    assert made["secret"] not in json.dumps(machine.get("/hooks"))
    assert machine.post(f"{hook}/secret")["secret"] != made["secret"]
    assert machine.post(f"{hook}/test", 202)["event"] == "test"
    assert [one["event"] for one in machine.get(f"{hook}/deliveries")["items"]] == ["test"]
    changed = machine.ask(
        "PATCH", hook, 200, json={"enabled": False, "events": ["document.rejected"]}
    ).get_json()
    assert (changed["enabled"], changed["events"]) == (False, ["document.rejected"])
    assert changed["failure"]["en"] == "Switched off by a person."
    assert machine.post(f"{hook}/test", 409)["code"] == "hook-is-off"
    assert machine.ask("PATCH", hook, 200, json={"enabled": True}).get_json()["failure"] is None
    for url in ("http://127.0.0.1/x", "https://127.0.0.1/x", "http://1.1.1.1/", "ftp://1.1.1.1", "x"):
        answer = machine.post("/hooks", 422, {"url": url, "events": ["document.accepted"]})
        assert (answer["code"], answer["errors"][0]["field"]) == ("forbidden-address", "url"), url
    assert machine.post("/hooks", 400, {"url": RECEIVER, "events": []})["code"] == "invalid-request"
    machine.ask("DELETE", hook, 204)
    machine.get(hook, 404)


def test_errors_have_one_shape_and_both_languages(machine: Machine) -> None:
    client = machine.pages.app.test_client()
    headers = {"Authorization": f"Bearer {machine.token}", "Accept-Language": "en"}
    for method, path, status in (
        ("GET", "/documents/abc", 404),
        ("GET", "/documents/9999999999999999999999", 404),
        ("GET", "/nie-ma", 404),
        ("PUT", "/documents", 405),
        ("GET", "/documents?nieznany=1", 400),
        ("GET", "/documents?limit=0", 400),
        ("GET", "/documents?limit=1&limit=2", 400),
        ("GET", "/documents?updated_since=wczoraj", 400),
        ("POST", "/hooks", 415),
    ):
        answer = client.open(f"/api/v1{path}", method=method, headers=headers)
        found = answer.get_json(force=True)
        assert (answer.status_code, answer.mimetype) == (status, "application/problem+json"), path
        assert found["status"] == status
        assert found["detail"] == found["message"]["en"] != found["message"]["pl"]
        assert "set-cookie" not in {name.lower() for name, _ in answer.headers}
    assert client.put("/api/v1/documents", headers=headers).headers["Allow"]
    large = client.post(
        "/api/v1/hooks", headers=headers, data=b" " * 3_000_000, content_type="application/json"
    )
    assert (large.status_code, large.get_json(force=True)["code"]) == (413, "too-large")
    broken = client.post("/api/v1/hooks", headers=headers, data=b"{", content_type="application/json")
    assert (broken.status_code, broken.get_json(force=True)["code"]) == (400, "invalid-request")


def test_too_many_requests_of_one_token_are_put_off(made: World) -> None:
    """Another token goes on; the answer says how long to wait."""
    pages = site(made.services(), WebOptions(limits=True))
    busy, calm = Machine(pages, token(made.services())), Machine(pages, token(made.services()))
    client = pages.app.test_client()
    headers = {"Authorization": f"Bearer {busy.token}"}
    statuses = {client.get("/api/v1/nie-ma-tokena", headers=headers).status_code}
    for _ in range(601):
        answer = client.get("/api/v1/documents/x", headers=headers)
        statuses.add(answer.status_code)
    assert statuses == {404, 429}
    assert answer.get_json(force=True)["code"] == "too-many-requests"
    assert int(answer.headers["Retry-After"]) > 0
    calm.get("/stores")


def test_deleted_entries_do_not_stop_the_reading(own: World) -> None:
    machine = Machine(site(own.services()), token(own.services()))
    with own.services().database.begin() as session:
        for row in session.scalars(select(Event).where(Event.document_id == 1)):
            session.delete(row)
    assert all(one["document_id"] != 1 for one in machine.get("/events")["items"])


def test_ready_xml_is_taken_as_it_came_and_sent_once(own: World) -> None:
    """Checked without being kept, then kept byte for byte, known the second time, and sent to KSeF."""
    pages = site(own.services())
    machine = Machine(pages, token(own.services()))
    given = next(one for one in own.documents() if one.xml)
    same_order = (given.xml or b"").replace(str(given.number).encode(), b"ERP/2026/77")
    order = f"<NrZamowienia>{given.order.number}</NrZamowienia>".encode()
    xml = same_order.replace(order, b"<NrZamowienia>ERP-77</NrZamowienia>")
    assert xml != same_order

    def send(status: int, data: bytes, query: str = "", media: str = "application/xml") -> Any:
        answer = machine.ask("POST", f"/documents{query}", status, data=data, headers={"Content-Type": media})
        return answer.get_json(force=True)

    checked = send(200, xml, "?store=false")
    assert (checked["outcome"], checked["document_id"], checked["number"]) == ("good", None, "ERP/2026/77")
    stored = send(200, xml, "?name=erp.xml")
    assert stored["outcome"] == "stored"
    assert send(200, xml)["document_id"] == stored["document_id"]
    assert pages.woken == [True]
    assert machine.ask("GET", f"/documents/{stored['document_id']}/xml", 200).data == xml
    own.run()
    assert machine.get(f"/documents/{stored['document_id']}")["document"]["ksef_number"]
    assert [one["invoiceNumber"] for one in own.in_ksef()].count("ERP/2026/77") == 1
    assert "podwójna" in str(send(422, same_order.replace(b"ERP/2026/77", b"ERP/2026/78")))
    refused = send(422, b"<Faktura/>")
    assert refused["code"] == "document-refused"
    assert refused["errors"]
    send(415, xml, media="application/json")
    assert send(422, xml.replace(b"5265877635", b"5213017228"))["code"] == "document-refused"
