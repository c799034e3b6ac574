"""Ready XML of another program: checked, stored as it came, sent once, tracked to its proof."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from connector_app.byhand.corrections import order_correction, state_for
from connector_app.byhand.plans import zero_plan
from connector_app.pipeline import life
from connector_app.recovery.linking import link_by_hand
from connector_app.store.models import Document, Store
from connector_app.store.recovered import IS_SHOP
from connector_app.uploads import Outcome, UploadResult, take
from core.fa.read import read
from core.fa.schema import parse
from core.invoices.model import CorrectionType
from core.ksef import environments
from tests.pipeline.kept_world import invoiced_world
from tests.pipeline.world import World, recorded, world
from tests.uploads import erp


def put(made: World, data: bytes, *, store: bool = True, name: str = "faktura.xml") -> UploadResult:
    """Upload one file for the only seller."""
    return take(made.services(), 1, data, name, store=store)


def codes(result: UploadResult) -> set[str]:
    """The codes of what was found."""
    return {one.code for one in result.findings}


def test_a_file_goes_to_ksef_byte_by_byte_and_comes_back_with_number_and_upo(made: World) -> None:
    """What KSeF has is what was uploaded; nothing is written to a shop, and nothing waits any more."""
    data = erp.xml()
    result = put(made, data)
    assert (result.outcome, result.number, str(result.total)) == (Outcome.STORED, "ERP/7/2026", "123.00")
    done = made.run()
    assert done.problems == []
    (document,) = made.documents()
    assert (document.id, document.state) == (result.document_id, "published")
    assert document.xml == data
    assert document.xml_sha256 == hashlib.sha256(data).hexdigest()
    assert document.ksef_number
    assert document.upo
    assert not document.publications
    (in_ksef,) = made.in_ksef()
    assert in_ksef["ksefNumber"] == document.ksef_number
    with made.services().database() as session:
        assert {one.platform for one in session.scalars(select(Store).where(IS_SHOP))} == {"woocommerce"}


def test_the_same_bytes_never_make_a_second_document(made: World) -> None:
    """Before and after KSeF has it."""
    first = put(made, erp.xml())
    again = put(made, erp.xml(), name="kopia.xml")
    made.run()
    later = put(made, erp.xml())
    made.run()
    assert {again.outcome, later.outcome} == {Outcome.KNOWN}
    assert {again.document_id, later.document_id} == {first.document_id}
    assert len(made.in_ksef()) == 1


def test_a_check_alone_stores_nothing(made: World) -> None:
    """The result is that of a real upload."""
    assert put(made, erp.xml(), store=False).outcome is Outcome.GOOD
    assert made.documents() == []


REFUSED = {
    "upload-no-xml": b"<Faktura",
    "upload-no-fa": b"<Faktura/>",
    "upload-other-seller": erp.xml(erp.invoice(nip="5260250274")),
    "upload-own-number": erp.xml(erp.invoice("FV/2026/11/0009")),
    "issue-date-in-future": erp.xml(erp.invoice(day=date(2026, 11, 25))),
    "total-differs-from-rates": erp.xml().replace(b"<P_15>123.00</P_15>", b"<P_15>124.00</P_15>"),
}


@pytest.mark.parametrize("code", REFUSED)
def test_a_file_that_must_not_go_is_refused_in_words(made: World, code: str) -> None:
    """Nothing is stored, and the reason is said in both languages."""
    result = put(made, REFUSED[code])
    assert result.outcome is Outcome.REFUSED
    found = [one for one in result.findings if one.code == code]
    assert found, codes(result)
    assert found[0].message.pl
    assert found[0].message.en
    assert made.documents() == []


def test_a_schema_fault_is_refused(made: World) -> None:
    """An element that the schema does not know."""
    result = put(made, erp.xml().replace(b"<P_2>", b"<P_2X>").replace(b"</P_2>", b"</P_2X>"))
    assert result.outcome is Outcome.REFUSED
    assert made.documents() == []


def test_a_number_is_used_once(made: World) -> None:
    """Another file with the number of a document is refused."""
    put(made, erp.xml())
    other = put(made, erp.xml(erp.invoice(day=date(2026, 11, 23))))
    assert "upload-number-taken" in codes(other)
    assert len(made.documents()) == 1


def test_a_day_before_today_is_told_of(made: World) -> None:
    """KSeF marks it as offline; after the deadline the sentence says so."""
    assert "upload-issued-before" in codes(put(made, erp.xml(erp.invoice(day=date(2026, 11, 23)))))
    long_ago = put(made, erp.xml(erp.invoice("ERP/8/2026", date(2026, 11, 2))))
    assert "upload-issued-long-before" in codes(long_ago)
    made.run()
    assert {one.state for one in made.documents()} == {"published"}


def test_fa2_is_refused_in_production_only(made: World) -> None:
    """The sandbox takes it as the TEST environment does."""
    assert put(made, erp.xml(version="FA2"), store=False).outcome is Outcome.GOOD
    with made.services().database.begin() as session:
        document = session.scalar(select(Store))
        assert document is not None
        document.seller.environment = {"name": environments.PRODUCTION.name}
    assert "upload-old-schema" in codes(put(made, erp.xml(version="FA2"), store=False))


def test_a_correction_of_an_uploaded_invoice_stands_beside_it(made: World) -> None:
    """It belongs to the same order, and goes to KSeF too."""
    put(made, erp.xml())
    made.run()
    (first,) = made.documents()
    correction = put(made, erp.correction("ERP/K/1", erp.invoice(), first.ksef_number or ""))
    assert correction.outcome is Outcome.STORED, correction.findings
    made.run()
    invoice, second = made.documents()
    assert second.order_id == invoice.order_id
    assert second.purpose.startswith("uploaded:")
    assert {one.state for one in (invoice, second)} == {"published"}
    assert second.ksef_number


def test_a_correction_of_our_own_invoice_is_published_and_later_refunds_ask(tmp_path: Path) -> None:
    """The chain knows that another program corrected: a refund after it goes to a person."""
    with invoiced_world(tmp_path) as made:
        (ours,) = made.documents()
        original = read(parse(ours.xml or b"")).invoice
        put(made, erp.correction("ERP/K/1", original, ours.ksef_number or ""))
        made.run()
        second = made.documents()[1]
        assert (second.state, second.order_id) == ("published", ours.order_id)
        assert any(second.ksef_number in note["note"] for note in made.in_shop(15)["notes"])


def test_an_order_that_the_file_names_is_not_invoiced_twice(tmp_path: Path) -> None:
    """Before the order is taken in, the upload makes it ask; after its invoice, the upload is refused."""
    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare()
        put(made, erp.xml(erp.invoice(names="15")))
        made.run()
        order = made.by_order()
        assert [one["code"] for one in made.documents()[1].attention or []] == ["order-perhaps-invoiced"]
        assert len(made.in_ksef()) == 1, order


def test_an_order_with_an_invoice_makes_a_file_for_it_be_refused(tmp_path: Path) -> None:
    """A second invoice of one order is never sent."""
    with invoiced_world(tmp_path) as made:
        assert "upload-order-invoiced" in codes(put(made, erp.xml(erp.invoice(names="15"))))


def test_a_corrected_file_takes_the_place_of_what_ksef_refused(made: World) -> None:
    """A retry cannot help; a new file under the same number can, in the same document."""
    result = put(made, erp.xml())
    with made.services().database.begin() as session:
        row = session.get_one(Document, result.document_id)
        row.state, row.refusal_code = "rejected", 450
    with pytest.raises(life.NothingToRetry):
        life.change(made.services(), row.id, lambda one: life.again(one, made.clock()))
    better = put(made, erp.xml(erp.invoice(day=date(2026, 11, 23))))
    assert (better.outcome, better.document_id) == (Outcome.STORED, result.document_id)
    made.run()
    (document,) = made.documents()
    assert document.state == "published"
    assert document.xml == erp.xml(erp.invoice(day=date(2026, 11, 23)))


def test_an_uploaded_invoice_is_corrected_by_hand(made: World) -> None:
    """It has no order of a shop, and its correction is numbered by the connector."""
    put(made, erp.xml())
    made.run()
    services = made.services()
    with services.database.begin() as session:
        invoice = session.scalars(select(Document)).one()
        state, _ = state_for(session, invoice)
        assert state is not None
        plan = zero_plan(state.total, "Anulowanie sprzedaży", CorrectionType.CORRECTION_DAY)
        order_correction(session, invoice, plan, -state.total, "ja@sklep.example", made.clock(), n=1)
    assert made.run().problems == []
    correction = made.documents()[1]
    assert (correction.state, correction.number) == ("published", "KOR/2026/11/0001")
    assert str(correction.total) == "-123.00"


def test_a_linked_upload_gives_its_number_to_the_shop(tmp_path: Path) -> None:
    """A person says that the uploaded file is the order's invoice: no other is issued."""
    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare()
        put(made, erp.xml(erp.invoice(names="15")))
        made.run()
        uploaded, asks = made.documents()
        link_by_hand(made.services(), uploaded.id, asks.order_id)
        made.run()
        linked = next(one for one in made.documents() if one.purpose == "invoice")
        assert (linked.id, linked.state, linked.order.number) == (uploaded.id, "published", "15")
        assert any(linked.ksef_number in note["note"] for note in made.in_shop(15)["notes"])
        assert len(made.in_ksef()) == 1
