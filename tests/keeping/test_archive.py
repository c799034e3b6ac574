"""A changed byte in the archive is noticed, told, kept away from everybody, and fetched again from KSeF."""

from __future__ import annotations

import ast
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from connector_app import buyer_links
from connector_app.keeping import damage, watching
from connector_app.keeping.reading import Part
from connector_app.keeping.repair import NotRepairable, access_of, repair
from connector_app.keeping.verify import Scope, Tally, verify
from connector_app.policies import StorePolicy
from connector_app.store.models import Document, DocumentState, Event, Store
from connector_app.store.proofs import SessionUpoPage
from core.calendar import warsaw_day
from tests.pipeline.refunds import ONE_MUG, corrections, refund
from tests.pipeline.world import World, recorded, world
from tests.web.site import site

MAY_READ = {
    "keeping/reading.py",  # the door
    # look at the files themselves and compare them
    "checks/stored_files.py",
    "checks/installation/archive.py",
    "store/listing.py",  # derives columns from bytes that were set in the same flush
}
"""Modules that may touch the stored bytes of a document themselves."""
_OTHER_XML = {"made.xml", "seen.xml", "buyer.xml", "form.xml"}
"""Attributes of the same name that are no stored document's: a request to sign, a preview, an address."""


def change(made: World, which: int, column: str, sql: str) -> None:
    """What a failing disk does: bytes change and nobody is told."""
    with made.services().database.begin() as session:
        session.execute(text(f"UPDATE documents SET {column} = {sql} WHERE id = :id"), {"id": which})


def spoil(made: World, which: int = 1, column: str = "xml") -> None:
    """One byte more."""
    change(made, which, column, f"CAST({column} || ' ' AS BLOB)")


def looked_at(made: World, *, with_schema: bool = False) -> Tally:
    services = made.services()
    return verify(services, Scope(with_schema=with_schema, today=warsaw_day(services.clock())))


def test_a_whole_archive_is_whole(kept: World) -> None:
    """Everything is read, with the schema too, and nothing is wrong."""
    kept.clock.sleep(3600)
    kept.run()
    seen = looked_at(kept, with_schema=True)
    assert (seen.documents, seen.upos, seen.faults) == (2, 2, [])
    assert seen.pages == 1
    assert damage.damaged(kept.services()) == []


@pytest.mark.parametrize(
    ("column", "sql", "part", "says"),
    [
        ("xml", "CAST(xml || ' ' AS BLOB)", Part.XML, "hash"),
        ("xml", "NULL", Part.XML, "hash"),
        ("upo", "CAST(upo || ' ' AS BLOB)", Part.UPO, "hash"),
        ("upo", "NULL", Part.UPO, "hash"),
        ("total", "'1.00'", Part.ROW, "P_15"),
        ("number", "'1/2/3'", Part.ROW, "P_2"),
        ("issued_on", "'2026-01-01'", Part.ROW, "P_1"),
        ("ksef_number", "'5265877635-20261124-0000000000AA-11'", Part.UPO, "prove"),
    ],
)
def test_every_kind_of_damage_is_found(kept: World, column: str, sql: str, part: Part, says: str) -> None:
    """Bytes, missing files, and columns that say something else than the XML or the UPO."""
    change(kept, 1, column, sql)
    (fault,) = looked_at(kept).faults
    assert (fault.document_id, fault.part) == (1, part)
    assert says in fault.text.en
    (noted,) = damage.damaged(kept.services())
    assert (noted.document_id, noted.part) == (1, part.value)


def test_damage_is_repaired_from_ksef(kept: World) -> None:
    """XML and UPO come back byte for byte, the notes go, and the life line tells."""
    before = {one.id: (one.xml, one.upo) for one in kept.documents()}
    spoil(kept, 1, "xml")
    spoil(kept, 2, "upo")
    services = kept.services()
    for fault in looked_at(kept).faults:
        repair(services, fault, access_of(services, fault.seller_id))
    assert {one.id: (one.xml, one.upo) for one in kept.documents()} == before
    assert damage.damaged(services) == []
    assert looked_at(kept).faults == []
    with services.database() as session:
        assert any("pobranym z KSeF" in one for one in session.scalars(select(Event.text)))


def test_only_the_same_bytes_are_taken_from_ksef(kept: World) -> None:
    """What KSeF has under the number is another file than was issued: nothing is put in its place."""
    services = kept.services()
    with services.database.begin() as session:
        session.get_one(Document, 1).xml_sha256 = "0" * 64
    (fault,) = [one for one in looked_at(kept).faults if one.part is Part.XML]
    with pytest.raises(NotRepairable, match="hash differs"):
        repair(services, fault, access_of(services, fault.seller_id))
    assert len(damage.damaged(services)) == 2


def test_a_collective_upo_is_verified_and_fetched_again(kept: World) -> None:
    """A changed byte in a session's UPO is found; the ordinary work puts it right."""
    kept.clock.sleep(3600)
    kept.run()
    services = kept.services()
    with services.database.begin() as session:
        session.execute(text("UPDATE session_upo_pages SET content = CAST(content || ' ' AS BLOB)"))
    (fault,) = looked_at(kept).faults
    assert fault.part is Part.SESSION_UPO
    repair(services, fault, access_of(services, fault.seller_id))
    kept.clock.sleep(60)
    kept.run()
    assert looked_at(kept).faults == []
    assert damage.damaged(services) == []
    with services.database() as session:
        assert session.scalar(select(SessionUpoPage.sha256)) != ""


def test_damaged_bytes_are_never_sent(tmp_path: Path) -> None:
    """A document that waits for KSeF and is damaged meanwhile asks a person; KSeF never sees it."""
    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare()
        made.watch = lambda one: spoil(made) if one.state == DocumentState.ISSUED else None
        made.run(timedelta(minutes=5))
        (document,) = made.documents()
        assert document.state == DocumentState.ATTENTION
        assert made.in_ksef() == []
        assert [one.part for one in damage.damaged(made.services())] == ["xml"]


def test_a_damaged_invoice_is_not_corrected(tmp_path: Path) -> None:
    """A refund of an invoice whose bytes are damaged waits and says why; repaired, it is corrected."""
    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare()
        made.run()
        made.clock.sleep(60)
        whole = made.documents()[0].xml
        spoil(made)
        refund(made, ONE_MUG)
        made.run(timedelta(minutes=20))
        (waiting,) = corrections(made)
        assert waiting.state == DocumentState.READY
        assert "różni się od swojego skrótu" in (waiting.waiting_for or "")
        assert len(damage.damaged(made.services())) == 1
        with made.services().database.begin() as session:
            session.get_one(Document, 1).xml = whole
        made.run()
        (done,) = corrections(made)
        assert done.ksef_number is not None


def test_a_buyer_is_never_shown_a_damaged_invoice(kept: World) -> None:
    """Page, PDF, XML and UPO say that they are not available; the merchant's list has it."""
    services = kept.services()
    with services.database.begin() as session:
        session.scalars(select(Store)).one().policy = StorePolicy(buyer_upo=True).as_json()
    spoil(kept)
    spoil(kept, column="upo")
    with services.database() as session:
        key = buyer_links.key_of(services.vault, session.get_one(Document, 1))
    browser = site(services).browser()
    for address in ("", "/pdf", "/xml", "/upo"):
        browser.get(f"/f/{key}{address}", 503)
    assert {one.part for one in damage.damaged(services)} == {"xml", "upo"}


def test_the_archive_looks_at_itself(kept: World) -> None:
    """All of it once in thirty days, in portions; damage is noted without anybody asking."""
    services = kept.services()
    kept.clock.sleep(3600)
    kept.run()

    def whole_round() -> int:
        seen = 0
        for _ in range(10):
            tally = watching.look(services)
            seen += tally.documents
        return seen

    assert whole_round() == 2
    ended = watching.last_round(services)
    assert ended is not None
    spoil(kept)
    assert whole_round() == 0
    kept.clock.sleep(31 * 86_400)
    assert whole_round() == 2
    assert [one.document_id for one in damage.damaged(services)] == [1]
    assert watching.last_round(services) != ended


def test_damage_is_told_by_the_interface_for_machines(kept: World) -> None:
    """See tests/web/api; here: the stored UPO, too, is compared when it is read."""
    spoil(kept, column="upo")
    pages = site(kept.services()).user()
    pages.get("/documents/1/upo", 409)
    assert [one.part for one in damage.damaged(kept.services())] == ["upo"]


def test_there_is_one_door() -> None:
    """No module but the door reads the stored bytes of a document or of a session's UPO."""
    source = Path(__file__).resolve().parents[2] / "connector_app"
    found = []
    for path in sorted(source.rglob("*.py")):
        name = path.relative_to(source).as_posix()
        if name in MAY_READ or "migrations" in name:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Attribute) or node.attr not in {"xml", "upo"}:
                continue
            said = ast.unparse(node)
            is_column = isinstance(node.value, ast.Name) and node.value.id == "Document"
            if isinstance(node.ctx, ast.Load) and not is_column and said not in _OTHER_XML:
                found.append(f"{name}:{node.lineno} {said}")
    assert found == []
