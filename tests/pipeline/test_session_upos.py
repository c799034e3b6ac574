"""Proofs of acceptance: each document's UPO and each session's, their signatures, and whom to trust."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from alembic import command
from click.testing import CliRunner, Result
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import create_engine, select, text
from sqlalchemy.orm import undefer

from connector_app.commands.root import root
from connector_app.pipeline.runner import Runner
from connector_app.pipeline.services import load_text
from connector_app.store import database
from connector_app.store.models import Document
from connector_app.store.proofs import SessionUpo, SessionUpoPage, UpoCertificate
from core.ksef import upo
from core.signing.keys import self_signed
from sandbox.ksef import keys
from tests.pipeline.kept_world import invoiced_world
from tests.pipeline.test_batches import small_batches
from tests.pipeline.test_guarantees import many
from tests.pipeline.world import START, World, recorded, world

LATER = 600.0
"""Seconds after which everything that is due can be there."""


def sessions(made: World) -> list[SessionUpo]:
    with made.services().database() as session:
        return list(session.scalars(select(SessionUpo).order_by(SessionUpo.reference)))


def pages(made: World) -> list[SessionUpoPage]:
    with made.services().database() as session:
        query = select(SessionUpoPage).options(undefer(SessionUpoPage.content))
        return list(session.scalars(query.order_by(SessionUpoPage.session_reference)))


def again(made: World) -> None:
    """Another process, some minutes later."""
    made.clock.sleep(LATER)
    made.run()


def seal(made: World) -> x509.Certificate:
    return keys.seal(made.ksef.state).certificate


def assert_proven(made: World, *, documents: int) -> None:
    """One stored UPO of one session, byte for byte KSeF's, that names all documents and is done with."""
    (row,) = sessions(made)
    (page,) = pages(made)
    assert (row.ended_at is not None, row.waits_for, row.next_at) == (True, None, None)
    stored = made.ksef.state.one("SELECT xml FROM upos WHERE reference = ?", (page.reference,))
    assert stored is not None
    assert page.content == stored["xml"]
    named = {one.ksef_number: one.document_hash for one in upo.parse_upo(page.content).documents}
    assert len(named) == documents
    assert named == {one["ksefNumber"]: one["invoiceHash"] for one in made.in_ksef()}
    assert page.certificate == seal(made).fingerprint(hashes.SHA256()).hex()


def test_a_closed_session_gives_its_upo(tmp_path: Path) -> None:
    """The first run closes the session, a later one stores the UPO, and no further one asks again."""
    with world(tmp_path, many(3)) as made:
        made.prepare()
        made.run()
        (row,) = sessions(made)
        assert (row.ended_at, pages(made)) == (None, [])
        again(made)
        assert_proven(made, documents=3)
        made.ksef.state.faults.add("http_500", "", times=1000)
        again(made)
        assert len(made.ksef.state.faults.waiting()) == 1
        assert made.ksef.state.faults.waiting()[0].times == 1000


def test_a_batch_gives_its_upo(tmp_path: Path) -> None:
    with world(tmp_path, many(6)) as made:
        made.prepare()
        small_batches(made)
        made.run()
        again(made)
        assert_proven(made, documents=6)


def test_an_open_session_is_left_alone(tmp_path: Path) -> None:
    """While documents still go to it nobody asks for its UPO; once it is closed it comes."""
    with world(tmp_path, many(2)) as made:
        made.prepare()

        def work() -> None:
            services = made.services()
            runner = Runner(
                services, sleep=made.clock.sleep, monotonic=made.clock.seconds, keep_sessions=True
            )
            runner.take_in()
            runner.work_until_idle(timedelta(minutes=2))

        work()
        made.clock.sleep(60)
        work()
        (row,) = sessions(made)
        assert (row.attempts, row.ended_at) == (0, None)
        again(made)
        again(made)
        assert_proven(made, documents=2)


def test_a_session_without_an_accepted_document_is_not_asked_for(tmp_path: Path) -> None:
    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare()
        made.ksef.state.faults.add("refuse_code", "POST .*/online/[^/]*/invoices$", value=450)
        made.run()
        again(made)
        assert {one.state for one in made.documents()} == {"rejected"}
        assert sessions(made) == []


@pytest.mark.parametrize("kind", ["http_500", "drop_after", "html", "truncate"])
def test_trouble_on_the_way_holds_nothing_up_and_ends(tmp_path: Path, kind: str) -> None:
    """The session's status and both ways to the page fail: documents are published, the UPO comes later."""
    with world(tmp_path, many(2)) as made:
        made.prepare()
        made.run()
        for operation in ("GET /v2/sessions/[^/]*$", "GET /storage/upo", "GET /v2/sessions/[^/]*/upo/"):
            made.ksef.state.faults.add(kind, operation, times=4)
        for _ in range(6):
            again(made)
            assert {one.state for one in made.documents()} == {"published"}
            made.clock.sleep(3600)
        assert_proven(made, documents=2)


@pytest.mark.parametrize(("kind", "value"), [("refuse_code", 21173), ("http_410", None)])
def test_a_session_that_ksef_no_longer_knows_is_given_up(
    tmp_path: Path, kind: str, value: int | None
) -> None:
    """Asked for some hours, then never again, and the reason is told in words."""
    with invoiced_world(tmp_path) as made:
        made.ksef.state.faults.add(kind, "GET /v2/sessions/[^/]*$", times=1000, value=value)
        for _ in range(15):
            made.clock.sleep(7200)
            made.run()
        (row,) = sessions(made)
        assert row.ended_at is not None
        assert row.waits_for is not None
        assert "sesj" in load_text(row.waits_for).pl.lower()
        left = made.ksef.state.faults.waiting()[0].times
        again(made)
        assert made.ksef.state.faults.waiting()[0].times == left > 980
        assert {one.state for one in made.documents()} == {"published"}


@pytest.fixture
def proven(tmp_path: Path) -> Iterator[World]:
    """Two documents with their UPO; the session's is still to come."""
    with world(tmp_path, many(2)) as made:
        made.prepare()
        made.run()
        yield made


def _replace_upos(made: World, old: bytes, new: bytes) -> None:
    """KSeF's UPOs are changed on their way, hash of the file included; made anew, they are whole again."""
    state = made.ksef.state
    with state.transaction():
        for row in state.all("SELECT * FROM upos"):
            xml = bytes(row["xml"]).replace(old, new)
            digest = base64.b64encode(hashlib.sha256(xml).digest()).decode()
            state.run(
                "UPDATE upos SET xml = ?, hash = ? WHERE reference = ?", (xml, digest, row["reference"])
            )


def _lose_upos(made: World) -> None:
    with made.services().database.begin() as session:
        for row in session.scalars(select(Document)):
            row.upo = row.upo_certificate = None


def test_the_signer_of_each_upo_is_kept(proven: World) -> None:
    """Every document names the certificate of the seal, which is stored once, and its life says so."""
    fingerprint = seal(proven).fingerprint(hashes.SHA256()).hex()
    documents = proven.documents()
    assert {one.upo_certificate for one in documents} == {fingerprint}
    assert all("podpis jest nienaruszony" in "\n".join(e.text for e in one.events) for one in documents)
    with proven.services().database() as session:
        (row,) = session.scalars(select(UpoCertificate))
    assert row.fingerprint == fingerprint
    assert x509.load_der_x509_certificate(row.certificate) == seal(proven)
    assert "Piaskownica KSeF Seal" in row.subject


def test_a_upo_with_a_broken_signature_is_not_kept(proven: World) -> None:
    """Its hash of the document and of the file are right, its signature is not: told, and asked for again."""
    _lose_upos(proven)
    _replace_upos(proven, b"<TrybWysylki>Online<", b"<TrybWysylki>Offline<")
    proven.run(timedelta(minutes=1))
    for document in proven.documents():
        assert (document.upo, document.state) == (None, "published")
        assert document.proof_waits_for is not None
        assert "signature does not hold" in load_text(document.proof_waits_for).en
    _replace_upos(proven, b"<TrybWysylki>Offline<", b"<TrybWysylki>Online<")
    proven.run()
    assert all(one.upo for one in proven.documents())


def test_a_session_upo_that_proves_something_else_is_not_kept(proven: World) -> None:
    """KSeF's own seal on the hash of another document of ours: no proof, told, and asked for again."""
    state = proven.ksef.state
    row = state.one("SELECT * FROM invoices WHERE code = 200 ORDER BY ordinal")
    assert row is not None
    state.run("UPDATE invoices SET hash = ? WHERE reference = ?", ("A" * 43 + "=", row["reference"]))
    again(proven)
    (waiting,) = sessions(proven)
    assert (waiting.ended_at, pages(proven)) == (None, [])
    assert waiting.waits_for is not None
    assert "another hash" in load_text(waiting.waits_for).en


def test_only_trusted_certificates_may_sign_when_an_operator_says_so(proven: World) -> None:
    """With another trusted certificate nothing is taken; with the seal's everything is."""

    def run(trusted: x509.Certificate) -> None:
        services = replace(proven.services(), upo_trust=(trusted,))
        Runner(services, sleep=proven.clock.sleep, monotonic=proven.clock.seconds).work_until_idle(
            timedelta(seconds=1)
        )
        proven.clock.sleep(LATER)

    _lose_upos(proven)
    proven.clock.sleep(LATER)
    run(self_signed("5265877635", now=START).certificate)
    assert not any(one.upo for one in proven.documents())
    assert pages(proven) == []
    assert "not trusted" in load_text(proven.documents()[0].proof_waits_for or "").en
    run(seal(proven))
    assert all(one.upo for one in proven.documents())
    assert_proven(proven, documents=2)


def cli(*words: object) -> Result:
    return CliRunner().invoke(root, [*map(str, words)])


def test_a_person_writes_the_sessions_upo_out(proven: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reference stands in the document; before the UPO is there the command says what it waits for."""
    monkeypatch.setenv("KSEF_CONNECTOR_HOME", str(proven.home))
    shown = cli("documents", "show", 1)
    reference = sessions(proven)[0].reference
    assert reference in shown.output
    assert "Podpis UPO: nienaruszony" in shown.output
    file = proven.home / "out" / "upo.xml"
    early = cli("documents", "session-upo", reference, "-o", file)
    assert (early.exit_code, file.exists()) == (1, False)
    assert "store sync" in early.output
    again(proven)
    done = cli("--lang", "en", "documents", "session-upo", reference, "-o", file)
    assert done.exit_code == 0
    assert file.read_bytes() == pages(proven)[0].content
    assert "holds, certificate" in done.output
    assert cli("documents", "session-upo", reference, "-o", "-", "--page", 2).exit_code == 2
    assert cli("documents", "session-upo", "20250625-SO-0000000000-0000000000-00", "-o", file).exit_code == 2


def test_the_trusted_certificates_of_the_settings(proven: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file or a folder, PEM or DER; what is no certificate, or nothing at all, is said before any work."""
    monkeypatch.setenv("KSEF_CONNECTOR_HOME", str(proven.home))
    place = proven.home / "trusted"
    place.mkdir()
    for path, content, code in (
        (place, None, 2),
        (place / "readme.txt", b"text", 2),
        (place / "seal.der", seal(proven).public_bytes(Encoding.DER), 0),
        (place / "chain.pem", seal(proven).public_bytes(Encoding.PEM) * 2, 0),
        (place, None, 0),
        (place / "none.pem", b"text", 2),
        (place, None, 2),
        (place / "missing.pem", None, 2),
    ):
        if content is not None:
            path.write_bytes(content)
        monkeypatch.setenv("KSEF_UPO_CERTIFICATES", str(path))
        result = cli("documents", "list")
        assert result.exit_code == code, result.output
        assert ("KSEF_UPO_CERTIFICATES" in result.output) == (code == 2)


def test_sessions_of_an_older_installation_are_asked_for_too(proven: World) -> None:
    """The migration finds them in the documents that KSeF has."""
    engine = create_engine(f"sqlite:///{proven.home / 'connector.sqlite3'}")
    config = database._alembic_config()
    for move, target in ((command.downgrade, "0008"), (command.upgrade, "head")):
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            move(config, target)
    with engine.begin() as connection:
        assert connection.execute(text("SELECT COUNT(*) FROM session_upos")).scalar() == 1
    engine.dispose()
    again(proven)
    assert_proven(proven, documents=2)
