"""The main job: recorded orders go to KSeF, and their numbers come back to the shop, once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import requests
from lxml import etree

from connector_app.ksef_access import hash_text
from connector_app.pipeline import issue
from core.fa import registry, schema, validate
from core.findings import Finding, Severity, Text
from core.ksef import upo
from core.ksef.number import parse
from sandbox.ksef import tokens
from tests.pipeline.kept_world import invoiced_world
from tests.pipeline.world import NIP, World, recorded, world

pytestmark = pytest.mark.both_databases

INVOICED = {"15": "246.55", "26": "1.07", "27": "1.08"}


def test_orders_are_published_or_wait_for_a_person(ready_world: World) -> None:
    """Three orders end with a KSeF number in the shop; a broken NIP and a missing rate ask a person."""
    result = ready_world.run()
    assert result.problems == []
    found = ready_world.by_order()
    assert {number: one.state for number, one in found.items()} == {
        "15": "published",
        "23": "attention",
        "26": "published",
        "27": "published",
        "28": "attention",
    }
    assert [reason["code"] for reason in found["23"].attention or []] == ["buyer-tax-id-invalid"]
    assert [reason["code"] for reason in found["28"].attention or []] == ["currency-rate-unavailable"]


def test_numbers_have_no_gap_where_a_person_was_asked(ready_world: World) -> None:
    """Orders that need a person take no number."""
    ready_world.run()
    numbers = sorted(one.number for one in ready_world.documents() if one.number)
    assert numbers == ["FV/2026/11/0001", "FV/2026/11/0002", "FV/2026/11/0003"]


@pytest.mark.parametrize("version", ["FA2", "FA3"])
def test_documents_pass_the_official_schema_and_keep_the_buyers_total(
    tmp_path: Path, official_ksef: Path, version: str
) -> None:
    """Each stored XML is valid by the Ministry's XSD, and P_15 is the order's total to the grosz."""
    with world(tmp_path) as made:
        made.prepare(schema=version)
        made.run()
        invoiced = {number: one for number, one in made.by_order().items() if one.xml}
    assert set(invoiced) == set(INVOICED)
    declared = registry.schema_for(version)
    for number, one in invoiced.items():
        tree = schema.parse(one.xml or b"")
        assert schema.check(tree, declared, official_ksef / "schemas") == []
        total = tree.findtext(f".//{{{declared.namespace}}}P_15")
        assert Decimal(total or "0") == Decimal(INVOICED[number])


def test_three_runs_change_nothing(ready_world: World) -> None:
    """After three runs KSeF has one document per order, the shop one note of each kind, all the same."""
    ready_world.run()
    first = [(one.id, one.state, one.number, one.ksef_number, one.xml) for one in ready_world.documents()]
    for _ in range(2):
        ready_world.clock.sleep(3600)
        assert ready_world.run().worked == 0
    again = [(one.id, one.state, one.number, one.ksef_number, one.xml) for one in ready_world.documents()]
    assert again == first
    assert len(ready_world.in_ksef()) == 3
    for order_id in (15, 26, 27):
        seen = ready_world.in_shop(order_id)
        ours = [note for note in seen["notes"] if "KSeF" in note["note"]]
        assert [note["customer_note"] for note in ours] == [False, True]
        assert len(seen["emails"]) == 1


def test_what_comes_back_is_what_ksef_said(ready_world: World) -> None:
    """Notes and metadata carry the invoice's number, its KSeF number and a link that finds it."""
    ready_world.run()
    document = ready_world.by_order()["15"]
    assert document.ksef_number is not None
    assert parse(document.ksef_number).seller_nip == document.seller.nip
    seen = ready_world.in_shop(15)
    texts = [note["note"] for note in seen["notes"]]
    assert all(document.ksef_number in text and str(document.number) in text for text in texts[-2:])
    metadata = {one["key"]: one["value"] for one in seen["meta_data"]}
    assert metadata["_ksef_number"] == document.ksef_number
    assert metadata["_ksef_invoice_number"] == document.number
    page = requests.get(metadata["_ksef_verification_url"], timeout=10)
    assert page.status_code == 200
    assert document.ksef_number in page.text


def test_the_upo_proves_our_bytes(ready_world: World, official_ksef: Path) -> None:
    """Each accepted document keeps a UPO that satisfies the official XSD and names its hash and number."""
    ready_world.run()
    official = etree.XMLSchema(etree.parse(official_ksef / "upo" / "upo-v4-3.xsd"))
    accepted = [one for one in ready_world.documents() if one.ksef_number]
    assert len(accepted) == 3
    for one in accepted:
        assert one.upo is not None
        root = etree.fromstring(one.upo)
        # the official XSD has no place for the seal's signature that stands inside the file
        (signature,) = root.findall("{http://www.w3.org/2000/09/xmldsig#}Signature")
        root.remove(signature)
        official.assertValid(root.getroottree())
        upo.check_upo(upo.parse_upo(one.upo), hash_text(one.xml_sha256 or ""), one.ksef_number)


def test_an_order_waits_until_it_is_paid(tmp_path: Path) -> None:
    """A pending order says what it waits for; once paid it is invoiced."""
    with world(tmp_path, [recorded("order_full", status="pending", date_paid_gmt=None)]) as made:
        made.prepare()
        made.run()
        assert made.by_order()["15"].state == "waiting"
        assert made.in_ksef() == []
        made.clock.sleep(60)
        made.shop.state.change(15, status="processing")
        made.run()
        assert made.by_order()["15"].state == "published"


def test_a_refund_after_the_invoice_is_shown_to_a_person(tmp_path: Path) -> None:
    """A refund never disappears: it asks for a correction, once."""
    with invoiced_world(tmp_path) as made:
        made.clock.sleep(60)
        refund = recorded("refund_amount_only")
        made.shop.state.add_refund(15, refund)
        made.run()
        made.clock.sleep(60)
        made.run()
        corrections = [one for one in made.documents() if one.purpose != "invoice"]
        assert [(one.state, one.kind, one.total) for one in corrections] == [
            ("attention", "KOR", -Decimal(refund["amount"]))
        ]
        assert len(made.in_ksef()) == 1


def test_an_order_that_cannot_be_read_does_not_hide_the_others(tmp_path: Path) -> None:
    """One broken order asks a person; its neighbour is invoiced."""
    broken = recorded("order_full", id=99, number="99", total="dwadzieścia")
    with world(tmp_path, [broken, recorded("order_net_prices_round_per_line")]) as made:
        made.prepare()
        made.run()
        found = made.by_order()
        assert found["27"].state == "published"
        assert [reason["code"] for reason in found["99"].attention or []] == ["order-unreadable"]


def test_a_document_that_fails_its_checks_takes_no_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the built file's checks refuse asks a person, and the next invoice has number 1."""
    real = validate.check_built
    fault = Finding("xsd", Severity.ERROR, "Faktura/Fa/P_2", Text("Błąd schematu.", "Schema fault."))
    calls = iter([[fault]])
    monkeypatch.setattr(issue, "check_built", lambda *given: next(calls, None) or real(*given))
    with world(tmp_path, [recorded("order_full"), recorded("order_net_prices_round_per_line")]) as made:
        made.prepare()
        made.run()
        states = sorted((one.state, one.number) for one in made.documents() if one.number)
        assert states == [("published", "FV/2026/11/0001")]
        (asked,) = [one for one in made.documents() if one.state == "attention"]
        assert [reason["code"] for reason in asked.attention or []] == ["xsd"]


def test_the_issue_day_is_the_warsaw_day_of_sending(tmp_path: Path) -> None:
    """KSeF is down in the evening and back after midnight: nothing was issued before, P_1 is the new day."""
    evening = datetime(2026, 11, 24, 22, 30, tzinfo=UTC)
    with world(tmp_path, [recorded("order_full")], now=evening) as made:
        made.prepare()
        made.ksef.state.faults.add("http_503", "POST /v2/auth/challenge", times=1000)
        made.run(timedelta(minutes=20))
        waiting = made.by_order()["15"]
        assert (waiting.state, waiting.number) == ("ready", None)
        assert "KSeF" in (waiting.waiting_for or "")
        made.ksef.state.faults.clear()
        made.clock.now = datetime(2026, 11, 24, 23, 30, tzinfo=UTC)
        made.run()
        document = made.by_order()["15"]
        assert (document.state, str(document.issued_on)) == ("published", "2026-11-25")
        assert made.in_ksef()[0]["invoicingMode"] == "Online"


def test_a_token_signs_in_too(tmp_path: Path) -> None:
    """The same job with a KSeF token instead of a certificate."""
    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare(token=tokens.issue(made.ksef.state, NIP))
        made.run()
        assert made.by_order()["15"].state == "published"
