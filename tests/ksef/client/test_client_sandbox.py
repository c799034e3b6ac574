"""The whole way over real HTTP: client and sandbox, from signing in to the proof, with nothing in between."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest

from core.calendar import warsaw_day
from core.ksef import auth, interactive, status, upo
from core.ksef.auth import CertificateCredential, Tokens
from core.ksef.budget import WindowBudget
from core.ksef.client import KsefClient
from core.ksef.encryption import sha256_base64
from core.ksef.environments import custom
from core.ksef.errors import AuthenticationFailed, KsefBusy, KsefUnavailable, SessionClosed, Unauthorized
from core.ksef.interactive import FA_3, OpenSession
from core.ksef.public_keys import PublicKeys
from core.ksef.status import DocumentState, DocumentStatus
from core.signing.keys import KeyMaterial, self_signed
from sandbox.ksef import KsefSandbox, tokens

NIP = "5265877635"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[KsefSandbox]:
    """A running sandbox."""
    with KsefSandbox(processing_seconds=0.05) as running:
        yield running


@pytest.fixture(scope="module")
def key() -> KeyMaterial:
    """The seller's seal."""
    return self_signed(NIP, now=datetime.now(UTC))


@pytest.fixture
def client(sandbox: KsefSandbox) -> KsefClient:
    """A client with the published limits as budget."""
    environment = custom(sandbox.api_url, sandbox.qr_url)
    return KsefClient(environment, budget=WindowBudget()).for_context(NIP)


@pytest.fixture
def signed_in(client: KsefClient, key: KeyMaterial) -> Tokens:
    """Tokens of the seller."""
    return auth.sign_in_with_certificate(client, NIP, key)


@pytest.fixture
def session(client: KsefClient, signed_in: Tokens) -> OpenSession:
    """An open session."""
    return interactive.open_session(client, signed_in.access, FA_3, PublicKeys(client))


@pytest.fixture
def invoice(official_ksef: Path) -> Callable[[str], bytes]:
    """Makes the Ministry's first example into an invoice of our seller, of today, with a number."""
    text = (official_ksef / "fa3-examples" / "FA_3_Przykład_1.xml").read_text(encoding="utf-8-sig")
    today = warsaw_day(datetime.now(UTC)).isoformat()

    def make(number: str) -> bytes:
        made = _replaced(text, "NIP", NIP)
        made = _replaced(made, "P_1", today)
        return _replaced(made, "P_2", number).encode()

    return make


def _replaced(text: str, element: str, value: str) -> str:
    """The text with the first such element's content replaced."""
    start = text.index(f"<{element}>") + len(element) + 2
    return text[:start] + value + text[text.index(f"</{element}>", start) :]


def _result(client: KsefClient, access: str, session: OpenSession, reference: str) -> DocumentStatus:
    for _ in range(200):
        found = status.document(client, access, session.reference, reference)
        if found.state is not DocumentState.PROCESSING:
            return found
        time.sleep(0.02)
    raise AssertionError("no result")


@pytest.mark.parametrize("version", ["2.0", "2.1"])
@pytest.mark.parametrize("kind", ["seal", "person"])
@pytest.mark.parametrize("algorithm", ["ec", "ec-384", "rsa"])
def test_every_kind_of_certificate_signs_in(
    client: KsefClient,
    kind: Literal["seal", "person"],
    algorithm: Literal["ec", "ec-384", "rsa"],
    version: Literal["2.0", "2.1"],
) -> None:
    """Seals and persons with RSA and EC keys and both request versions pass a strict server."""
    material = self_signed(NIP, kind=kind, key=algorithm, now=datetime.now(UTC))
    given = auth.sign_in_with_certificate(client, NIP, material, version=version)
    assert given.refresh_valid_until > given.access_valid_until > datetime.now(UTC)


def test_token_signs_in_and_is_refused_when_wrong(sandbox: KsefSandbox, client: KsefClient) -> None:
    """A KSeF token signs in; a wrong one is refused with 450."""
    text = tokens.issue(sandbox.state, NIP)
    given = auth.sign_in_with_token(client, NIP, text, PublicKeys(client))
    assert auth.refresh(client, given).access != given.access
    with pytest.raises(AuthenticationFailed) as caught:
        auth.sign_in_with_token(client, NIP, text[:-4] + "0000", PublicKeys(client))
    assert caught.value.code == 450


def test_certificate_of_another_is_refused(client: KsefClient, key: KeyMaterial) -> None:
    """Somebody else's context is refused with 415 and what to do."""
    with pytest.raises(AuthenticationFailed) as caught:
        auth.sign_in_with_certificate(client, "5260250274", key)
    assert caught.value.code == 415
    assert "InvoiceWrite" in caught.value.hint.pl


def test_document_is_sent_accepted_and_proven(
    client: KsefClient, signed_in: Tokens, session: OpenSession, invoice: Callable[[str], bytes]
) -> None:
    """An invoice gets its number, and its UPO, fetched each way, proves exactly our bytes."""
    xml = invoice("FV/2026/11/0001")
    reference = interactive.send(client, signed_in.access, session, xml)
    found = _result(client, signed_in.access, session, reference)
    assert (found.state, found.details) == (DocumentState.ACCEPTED, ())
    assert found.ksef_number is not None
    assert found.upo_url is not None
    for proof in (
        upo.fetch(client, signed_in.access, session.reference, reference),
        upo.fetch_by_number(client, signed_in.access, session.reference, found.ksef_number),
        upo.fetch_url(client, found.upo_url),
    ):
        entry = upo.check_upo(upo.parse_upo(proof), sha256_base64(xml), found.ksef_number)
        assert entry.invoice_number == "FV/2026/11/0001"


def test_document_sent_twice_names_the_original(
    client: KsefClient, signed_in: Tokens, session: OpenSession, invoice: Callable[[str], bytes]
) -> None:
    """Sending the same bytes again gives 440 with the first one's number; the list shows both."""
    xml = invoice("FV/2026/11/0002")
    first = _result(
        client, signed_in.access, session, interactive.send(client, signed_in.access, session, xml)
    )
    again = _result(
        client, signed_in.access, session, interactive.send(client, signed_in.access, session, xml)
    )
    assert again.state is DocumentState.DUPLICATE
    assert again.original_ksef_number == first.ksef_number
    assert again.original_session_reference == session.reference
    found = status.find(client, signed_in.access, session.reference, sha256_base64(xml))
    assert [item.state for item in found] == [DocumentState.ACCEPTED, DocumentState.DUPLICATE]


def test_closed_session_takes_nothing_and_proves_all(
    client: KsefClient, signed_in: Tokens, session: OpenSession, invoice: Callable[[str], bytes]
) -> None:
    """After closing, sending is refused, and the collective UPO names the accepted documents."""
    xml = invoice("FV/2026/11/0003")
    interactive.send(client, signed_in.access, session, xml)
    interactive.send(client, signed_in.access, session, b"<a/>")
    interactive.close(client, signed_in.access, session)
    with pytest.raises(SessionClosed):
        interactive.send(client, signed_in.access, session, xml)
    for _ in range(200):
        found = status.session(client, signed_in.access, session.reference)
        if not found.is_processing:
            break
        time.sleep(0.02)
    assert (found.successful_count, found.failed_count) == (1, 1)
    page = client.session_upo(signed_in.access, session.reference, found.upo_pages[0].reference)
    assert upo.check_upo(upo.parse_upo(page.content), sha256_base64(xml)).invoice_number == "FV/2026/11/0003"
    failed = list(status.documents(client, signed_in.access, session.reference, failed_only=True))
    assert [item.state for item in failed] == [DocumentState.REJECTED]


SEND = "POST /v2/sessions/online/[^/]+/invoices$"


@pytest.mark.parametrize("kind", ["drop_after", "truncate"])
def test_document_whose_answer_was_lost_is_found_and_not_doubled(
    sandbox: KsefSandbox,
    client: KsefClient,
    signed_in: Tokens,
    session: OpenSession,
    invoice: Callable[[str], bytes],
    kind: str,
) -> None:
    """When the document arrived but the answer did not, its hash finds it in the session."""
    xml = invoice(f"FV/{kind}")
    sandbox.state.faults.add(kind, SEND)
    with pytest.raises(KsefUnavailable) as caught:
        interactive.send(client, signed_in.access, session, xml)
    assert caught.value.outcome_ambiguous
    (found,) = status.find(client, signed_in.access, session.reference, sha256_base64(xml))
    assert _result(client, signed_in.access, session, found.reference).state is DocumentState.ACCEPTED


@pytest.mark.parametrize("kind", ["drop_before", "http_500", "html"])
def test_document_that_did_not_arrive_is_not_found(
    sandbox: KsefSandbox,
    client: KsefClient,
    signed_in: Tokens,
    session: OpenSession,
    invoice: Callable[[str], bytes],
    kind: str,
) -> None:
    """When the document did not arrive, the outcome is unknown at first, and the list clears it up."""
    xml = invoice(f"FV/{kind}")
    sandbox.state.faults.add(kind, SEND)
    with pytest.raises(KsefUnavailable) as caught:
        interactive.send(client, signed_in.access, session, xml)
    assert caught.value.outcome_ambiguous
    assert status.find(client, signed_in.access, session.reference, sha256_base64(xml)) == ()


def test_document_that_ksef_cancelled_is_sent_again(
    sandbox: KsefSandbox,
    client: KsefClient,
    signed_in: Tokens,
    session: OpenSession,
    invoice: Callable[[str], bytes],
) -> None:
    """After 550 the same bytes are accepted when sent again."""
    xml = invoice("FV/550")
    sandbox.state.faults.add("status_550", SEND)
    reference = interactive.send(client, signed_in.access, session, xml)
    assert _result(client, signed_in.access, session, reference).state is DocumentState.RETRY
    reference = interactive.send(client, signed_in.access, session, xml)
    assert _result(client, signed_in.access, session, reference).state is DocumentState.ACCEPTED


def test_busy_ksef_closes_the_budget(
    sandbox: KsefSandbox, client: KsefClient, signed_in: Tokens, session: OpenSession
) -> None:
    """After a 429 the client does not even ask before the pause is over."""
    sandbox.state.faults.add("http_429", SEND, value=30)
    with pytest.raises(KsefBusy) as caught:
        interactive.send(client, signed_in.access, session, b"<a/>")
    assert (caught.value.retry_after, caught.value.own_budget) == (30, False)
    with pytest.raises(KsefBusy) as caught:
        interactive.send(client, signed_in.access, session, b"<a/>")
    assert caught.value.own_budget
    assert 25 < caught.value.retry_after <= 30


def test_withdrawn_key_costs_one_more_try(
    sandbox: KsefSandbox, client: KsefClient, signed_in: Tokens
) -> None:
    """A 21470 when opening is answered by fresh keys and a second try."""
    sandbox.state.faults.add("refuse_code", "POST /v2/sessions/online$", value=21470)
    opened = interactive.open_session(client, signed_in.access, FA_3, PublicKeys(client))
    assert status.session(client, signed_in.access, opened.reference).is_open


def test_questions_survive_a_short_outage(
    sandbox: KsefSandbox, client: KsefClient, signed_in: Tokens, session: OpenSession
) -> None:
    """Two broken answers to a question are made good by asking again."""
    sandbox.state.faults.add("truncate", f"GET /v2/sessions/{session.reference}$")
    sandbox.state.faults.add("html", f"GET /v2/sessions/{session.reference}$", value=503)
    assert status.session(client, signed_in.access, session.reference).is_open


def test_wrong_access_token_is_told(client: KsefClient, session: OpenSession) -> None:
    """A token that KSeF does not know means: sign in again."""
    with pytest.raises(Unauthorized):
        status.session(client, "nonsense", session.reference)


def test_whole_run_leaves_no_secret_in_the_log(
    sandbox: KsefSandbox,
    client: KsefClient,
    key: KeyMaterial,
    invoice: Callable[[str], bytes],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A debug log of everything from signing in to the proof holds no token, key, query or document."""
    caplog.set_level(logging.DEBUG)
    public_keys = PublicKeys(client)
    text = tokens.issue(sandbox.state, NIP)
    by_token = auth.sign_in_with_token(client, NIP, text, public_keys)
    given = auth.valid_access(client, NIP, lambda: CertificateCredential(key), public_keys)
    session = interactive.open_session(client, given.access, FA_3, public_keys)
    reference = interactive.send(client, given.access, session, invoice("FV/2026/11/0004"))
    found = _result(client, given.access, session, reference)
    assert found.upo_url is not None
    upo.fetch_url(client, found.upo_url)
    stored = session.as_dict()
    secrets = {
        text,
        given.access,
        given.refresh,
        by_token.access,
        by_token.refresh,
        stored["key"],
        stored["iv"],
        found.upo_url.partition("?")[2],
    }
    assert "POST /v2/sessions/online -> 201" in caplog.text
    assert not [secret for secret in secrets if secret in caplog.text]
    # the sandbox signs its UPO in this process, and its signer logs what it signs
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("signxml")]
    assert not [message for message in ours if "FV/2026/11/0004" in message]
    shown = repr((client, given, session, found, CertificateCredential(key), auth.TokenCredential(text)))
    assert not [secret for secret in secrets if secret in shown]
