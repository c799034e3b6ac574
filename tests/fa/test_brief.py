"""The brief reader of registers says what the full one says, about every element of both structures."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from core.fa import brief, registry, schema
from core.fa.binding import UnreadableDocument
from core.fa.brief import Brief
from core.fa.read import read
from core.invoices.model import Invoice
from core.orders import PaymentForm
from tests.fa import structures
from tests.fa.test_round_trip import NAMES


def assert_same(data: bytes) -> None:
    """Both readers agree."""
    assert_agree(brief.read(data), read(schema.parse(data)).invoice)


def assert_agree(found: Brief, whole: Invoice) -> None:
    """Field by field."""
    assert (found.kind, found.number, found.issued_on) == (whole.kind, whole.number, whole.issued_on)
    assert (found.currency, found.total, found.rates) == (whole.currency, whole.total, whole.rates)
    assert (found.seller_nip, found.seller_name) == (whole.seller.nip, whole.seller.name)
    assert (found.buyer.tax_id, found.buyer.name) == (whole.buyer.tax_id, whole.buyer.name)
    address = whole.buyer.address
    assert found.buyer.country == (address.country if address else "")
    assert found.buyer.address == (
        ", ".join(one for one in (address.line1, address.line2) if one) if address else ""
    )
    assert found.sold_on == (whole.sold_on or (whole.period.last if whole.period else None))
    rates = [line.exchange_rate for line in whole.lines] + [whole.advance_exchange_rate]
    assert set(found.exchange_rates) == {rate for rate in rates if rate is not None}
    assert set(found.oss_rates) == {line.oss_rate for line in whole.lines if line.oss_rate is not None}
    assert set(found.gtu) == {line.gtu for line in whole.lines if line.gtu}
    assert set(found.procedures) == {line.procedure for line in whole.lines if line.procedure}
    assert len(found.line_rates) <= len(whole.lines)
    correction = whole.correction
    assert [(one.number, one.issued_on, one.ksef_number) for one in found.originals] == [
        (one.number, one.issued_on, one.ksef_number) for one in (correction.originals if correction else ())
    ]
    assert found.reason == (correction.reason if correction else "")
    assert found.correction_type == (correction.type if correction else None)
    assert (found.from_receipt, found.related_parties) == (whole.from_receipt, whole.related_parties)
    assert found.margin == (whole.annotations.margin is not None)
    assert set(found.orders) == {
        one.number for one in (whole.terms.orders if whole.terms else ()) if one.number
    }
    assert_payment_agrees(found, whole)


def assert_payment_agrees(found: Brief, whole: Invoice) -> None:
    """Form, day and due day."""
    payment = whole.payment
    form = payment.form if payment else None
    assert bool(found.payment_form) == isinstance(form, PaymentForm)
    assert found.due_on == next((one.due_on for one in (payment.due if payment else ())), None)


@pytest.mark.parametrize("name", NAMES)
def test_official_examples(official_ksef: Path, name: str) -> None:
    """The Ministry's own."""
    assert_same((official_ksef / "fa3-examples" / f"{name}.xml").read_bytes())


@pytest.mark.parametrize("declared", registry.SCHEMAS, ids=lambda one: one.version)
@pytest.mark.parametrize("turn", range(8))
def test_documents_with_every_element(declared: registry.FaSchema, turn: int) -> None:
    """Generated documents that together hold every element and every branch of the schema."""
    root = structures.sample(structures.load(declared, None), turn, full=True)
    assert_same(etree.tostring(root, encoding="utf-8", xml_declaration=True))


@pytest.mark.parametrize("declared", registry.SCHEMAS, ids=lambda one: one.version)
def test_the_smallest_document(declared: registry.FaSchema) -> None:
    """What is absent is absent."""
    root = structures.sample(structures.load(declared, None), 0, full=False)
    assert_same(etree.tostring(root, encoding="utf-8", xml_declaration=True))


def test_what_is_no_document_is_said() -> None:
    """Another structure, and one without what every invoice has."""
    with pytest.raises(registry.UnknownSchema):
        brief.read(b"<Faktura xmlns='http://example.com/'/>")
    root = structures.sample(structures.load(registry.FA3, None), 0, full=False)
    number = next(root.iter("{*}P_2"))
    parent = number.getparent()
    assert parent is not None
    parent.remove(number)
    with pytest.raises(UnreadableDocument, match="P_2"):
        brief.read(etree.tostring(root))
