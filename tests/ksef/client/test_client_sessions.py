"""Interactive sessions, statuses and keys, as a caller sees them."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from core.ksef import interactive, status
from core.ksef.client import KsefClient
from core.ksef.clock import ClockReading
from core.ksef.encryption import SessionKey, sha256_base64
from core.ksef.errors import (
    Forbidden,
    InvalidSession,
    KeyRejected,
    KsefError,
    KsefUnavailable,
    SessionClosed,
    SessionFull,
    UnreadableAnswer,
)
from core.ksef.interactive import FA_2, FA_3, FormCode, OpenSession, StoredSessionError
from core.ksef.public_keys import PublicKeys, Usage
from core.ksef.status import DocumentState
from core.ksef.transport import Request, TransportFailure

if TYPE_CHECKING:
    from tests.ksef.client.conftest import Clock, FakeKsef, MinistryKey, Reply

OPEN = "POST /sessions/online"
SEND = "POST /sessions/online/{referenceNumber}/invoices"
STATUS = "GET /sessions/{referenceNumber}/invoices/{invoiceReferenceNumber}"
LIST = "GET /sessions/{referenceNumber}/invoices"
SESSION = "20250625-SO-2C3E6C8000-B675CF5D68-07"
DOCUMENT = "20250625-EE-319D7EE000-B67F415CDC-2C"
NUMBER = "5265877635-20250826-0100001AF629-AF"
XML = "<Faktura>zażółć</Faktura>".encode()


@pytest.fixture
def session(client: KsefClient, public_keys: PublicKeys) -> OpenSession:
    """An open session."""
    return interactive.open_session(client, "access-secret", FA_3, public_keys)


@pytest.mark.parametrize("form", [FA_2, FA_3])
def test_document_arrives_as_it_was(
    ksef: FakeKsef, client: KsefClient, public_keys: PublicKeys, no_secrets: None, form: FormCode
) -> None:
    """What KSeF decrypts is byte for byte what was sent, with right hashes and sizes, in the right schema."""
    session = interactive.open_session(client, "access-secret", form, public_keys)
    reference = interactive.send(client, "access-secret", session, XML)
    interactive.close(client, "access-secret", session)
    assert reference == DOCUMENT
    assert ksef.received == [XML]
    assert ksef.body(OPEN)["formCode"] == form.as_json()
    assert ksef.body(SEND)["offlineMode"] is False
    assert ksef.operations()[-1] == "POST /sessions/online/{referenceNumber}/close"


def test_offline_and_technical_correction_are_declared(
    ksef: FakeKsef, client: KsefClient, session: OpenSession
) -> None:
    """An offline document says so, and a technical correction names the refused document's hash."""
    refused = sha256_base64(b"refused")
    interactive.send(client, "access-secret", session, XML, offline=True, corrected_hash=refused)
    assert ksef.body(SEND)["offlineMode"] is True
    assert ksef.body(SEND)["hashOfCorrectedInvoice"] == refused


def test_each_session_has_its_own_key(client: KsefClient, public_keys: PublicKeys) -> None:
    """Two sessions never share a key or an IV."""
    one = interactive.open_session(client, "a", FA_3, public_keys)
    two = interactive.open_session(client, "a", FA_3, public_keys)
    assert one.key.key != two.key.key
    assert one.key.iv != two.key.iv


def test_session_is_stored_and_taken_up_again(
    ksef: FakeKsef, client: KsefClient, session: OpenSession, clock: Clock
) -> None:
    """A session survives as texts, sends on with the same key, and knows when its time is over."""
    stored = json.loads(json.dumps(session.as_dict()))
    again = OpenSession.from_dict(stored)
    assert again == session
    interactive.send(client, "access-secret", again, XML)
    assert ksef.received == [XML]
    assert again.is_usable(clock.now)
    assert not again.is_usable(clock.now + timedelta(hours=12))


@pytest.mark.parametrize("change", [{"key": "AAAA"}, {"iv": "?"}, {"valid_until": "soon"}])
def test_damaged_stored_session_is_told(session: OpenSession, change: dict[str, str]) -> None:
    """Damaged or missing fields are told without showing the key."""
    stored = session.as_dict() | change
    with pytest.raises(StoredSessionError) as caught:
        OpenSession.from_dict(stored)
    assert session.as_dict()["key"] not in str(caught.value)
    with pytest.raises(StoredSessionError, match="lacks iv"):
        OpenSession.from_dict({name: value for name, value in stored.items() if name != "iv"})


def test_keys_are_not_shown(session: OpenSession) -> None:
    """Neither the session nor its key shows secret bytes."""
    text = repr(session) + repr(session.key)
    assert str(session.key.key) not in text
    assert session.as_dict()["key"] not in text


def test_withdrawn_key_is_replaced_once_when_opening(
    ksef: FakeKsef, client: KsefClient, public_keys: PublicKeys
) -> None:
    """After 21470 the session is opened with a freshly published key; a second 21470 is an error."""
    public_keys.key(Usage.SYMMETRIC_KEY)
    ksef.keys = [_newer_key(ksef)]
    session = interactive.open_session(client, "access-secret", FA_3, public_keys)
    assert ksef.session_key is not None
    assert session.key.key == ksef.session_key.key
    assert ksef.operations().count(OPEN) == 2
    refused = ksef.problem(21470, "Klucz jest nieznany.")
    ksef.script(OPEN, refused, refused)
    with pytest.raises(KeyRejected):
        interactive.open_session(client, "access-secret", FA_3, public_keys)


def _newer_key(ksef: FakeKsef) -> MinistryKey:
    return ksef.new_key("key-two", ksef.clock.now - timedelta(days=1))


def test_newest_valid_key_is_chosen(ksef: FakeKsef, public_keys: PublicKeys) -> None:
    """Of several keys the one with the latest start counts, but not one that starts tomorrow."""
    newer = _newer_key(ksef)
    coming = ksef.new_key("key-three", ksef.clock.now + timedelta(days=1))
    ksef.keys = [coming, *ksef.keys, newer]
    assert public_keys.key(Usage.SYMMETRIC_KEY).key_id == newer.key_id


def test_keys_are_cached_for_an_hour(ksef: FakeKsef, public_keys: PublicKeys, clock: Clock) -> None:
    """The list is fetched once, again after an hour, and again when the clock jumps back."""
    public_keys.key(Usage.SYMMETRIC_KEY)
    clock.now += timedelta(minutes=59)
    public_keys.key(Usage.KSEF_TOKEN)
    assert len(ksef.requests) == 1
    clock.now += timedelta(minutes=1)
    public_keys.key(Usage.KSEF_TOKEN)
    assert len(ksef.requests) == 2
    clock.now -= timedelta(hours=3)
    public_keys.key(Usage.KSEF_TOKEN)
    assert len(ksef.requests) == 3


def test_no_valid_key_is_unavailability(ksef: FakeKsef, public_keys: PublicKeys) -> None:
    """When nothing valid is published, it is tried again later."""
    ksef.keys = []
    with pytest.raises(KsefUnavailable, match="no valid key"):
        public_keys.key(Usage.SYMMETRIC_KEY)


@pytest.mark.parametrize(
    ("code", "expected"),
    [(21155, SessionFull), (21173, InvalidSession), (21180, SessionClosed), (21184, KsefUnavailable)],
)
def test_session_that_takes_nothing_is_told(
    ksef: FakeKsef, client: KsefClient, session: OpenSession, code: int, expected: type[KsefError]
) -> None:
    """Full, unknown, closed and serviced sessions are told apart; none of them is ambiguous."""
    ksef.script(SEND, ksef.problem(code, "Opis.", "Szczegół."))
    with pytest.raises(expected) as caught:
        interactive.send(client, "access-secret", session, XML)
    assert not getattr(caught.value, "outcome_ambiguous", False)
    assert "Szczegół." in str(caught.value)
    assert caught.value.hint.pl


def test_missing_permission_is_told(ksef: FakeKsef, client: KsefClient, session: OpenSession) -> None:
    """A 403 says which permissions are needed, which are there, and what to do."""
    body = {
        "title": "Forbidden",
        "status": 403,
        "detail": "Brak wymaganych uprawnień.",
        "reasonCode": "missing-permissions",
        "security": {"requiredAnyOfPermissions": ["InvoiceWrite"], "presentPermissions": ["InvoiceRead"]},
        "traceId": "673843e023c432286660bc0501a3af44",
    }
    ksef.script(SEND, ksef.reply(403, body, content_type="application/problem+json"))
    with pytest.raises(Forbidden) as caught:
        interactive.send(client, "access-secret", session, XML)
    assert caught.value.needed == ("InvoiceWrite",)
    assert caught.value.present == ("InvoiceRead",)
    assert "InvoiceWrite" in caught.value.hint.pl
    assert caught.value.trace_id == "673843e023c432286660bc0501a3af44"


def test_lost_sending_is_ambiguous(ksef: FakeKsef, client: KsefClient, session: OpenSession) -> None:
    """A connection that broke after sending leaves the outcome open; one never made does not."""
    ksef.script(SEND, TransportFailure("broke", sent=True), TransportFailure("no connection", sent=False))
    with pytest.raises(KsefUnavailable) as caught:
        interactive.send(client, "access-secret", session, XML)
    assert caught.value.outcome_ambiguous
    with pytest.raises(KsefUnavailable) as caught:
        interactive.send(client, "access-secret", session, XML)
    assert not caught.value.outcome_ambiguous
    assert ksef.operations().count(SEND) == 2


@pytest.mark.parametrize(
    ("code", "state"),
    [
        (100, DocumentState.PROCESSING),
        (150, DocumentState.PROCESSING),
        (160, DocumentState.PROCESSING),
        (405, DocumentState.RETRY),
        (410, DocumentState.REJECTED),
        (415, DocumentState.REJECTED),
        (430, DocumentState.REJECTED),
        (435, DocumentState.REJECTED),
        (450, DocumentState.REJECTED),
        (500, DocumentState.REJECTED),
        (550, DocumentState.RETRY),
        (499, DocumentState.UNKNOWN),
        (210, DocumentState.UNKNOWN),
    ],
)
def test_code_becomes_state(ksef: FakeKsef, client: KsefClient, code: int, state: DocumentState) -> None:
    """Each status code has one meaning for the sender; unknown ones are for a person."""
    ksef.script(STATUS, ksef.reply(200, ksef.document(code)))
    found = status.document(client, "access-secret", SESSION, DOCUMENT)
    assert (found.code, found.state) == (code, state)
    assert found.explanation.title.pl


def test_accepted_document_has_its_number_and_dates(ksef: FakeKsef, client: KsefClient, clock: Clock) -> None:
    """An accepted document gives a checked number, its dates, mode and the address of its UPO."""
    ksef.script(
        STATUS,
        ksef.reply(
            200,
            ksef.document(
                200,
                ksefNumber=NUMBER,
                acquisitionDate="2025-09-18T12:24:16.0154302+00:00",
                permanentStorageDate="2025-09-18T12:24:17+00:00",
                invoiceNumber="FV/1",
                invoicingMode="Online",
                upoDownloadUrl="https://example.com/upo.xml?sig=signature-secret",
                upoDownloadUrlExpirationDate="2025-09-21T14:54:20+00:00",
            ),
        ),
    )
    found = status.document(client, "access-secret", SESSION, DOCUMENT)
    assert found.state is DocumentState.ACCEPTED
    assert found.ksef_number == NUMBER
    assert found.acquisition_date is not None
    assert found.acquisition_date.microsecond == 15430
    assert found.mode == "Online"
    assert found.upo_url is not None
    assert "signature-secret" not in repr(found)


@pytest.mark.parametrize("number", [{}, {"ksefNumber": "5265877635-20250826-0100001AF629-AE"}])
def test_accepted_without_good_number_is_no_acceptance(
    ksef: FakeKsef, client: KsefClient, number: dict[str, object]
) -> None:
    """A success without a number, or with one whose check sum is wrong, is never believed."""
    ksef.script(STATUS, *[ksef.reply(200, ksef.document(200, **number))] * 3)
    with pytest.raises(UnreadableAnswer, match="ksefNumber"):
        status.document(client, "access-secret", SESSION, DOCUMENT)


def test_duplicate_names_the_original(ksef: FakeKsef, client: KsefClient) -> None:
    """A 440 gives the original's number and session, to compare with."""
    info = {
        "code": 440,
        "description": "Duplikat faktury",
        "details": ["Duplikat faktury."],
        "extensions": {"originalSessionReferenceNumber": SESSION, "originalKsefNumber": NUMBER},
    }
    ksef.script(STATUS, ksef.reply(200, ksef.document(440, status=info)))
    found = status.document(client, "access-secret", SESSION, DOCUMENT)
    assert found.state is DocumentState.DUPLICATE
    assert found.original_ksef_number == NUMBER
    assert found.original_session_reference == SESSION


def test_documents_come_page_by_page(ksef: FakeKsef, client: KsefClient) -> None:
    """All pages are followed by their continuation tokens, the next only when asked for."""

    def page(continuation: str | None) -> Reply:
        return ksef.reply(200, {"invoices": [ksef.document(150)], "continuationToken": continuation})

    ksef.script(LIST, page("one"), page("two"), page(""))
    found = status.documents(client, "access-secret", SESSION)
    next(found)
    assert len(ksef.requests) == 1
    assert len(list(found)) == 2
    tokens = [request.headers.get("x-continuation-token") for _, request in ksef.requests]
    assert tokens == [None, "one", "two"]


def test_lost_sending_is_found_by_its_hash(ksef: FakeKsef, client: KsefClient) -> None:
    """After a lost answer the session's list tells whether our bytes are there."""
    other = ksef.document(150, invoiceHash=sha256_base64(b"other"))
    ours = ksef.document(150, ordinalNumber=2, invoiceHash=sha256_base64(XML))
    page = ksef.reply(200, {"invoices": [other, ours]})
    ksef.script(LIST, page, page)
    assert [d.ordinal for d in status.find(client, "access-secret", SESSION, sha256_base64(XML))] == [2]
    assert status.find(client, "access-secret", SESSION, sha256_base64(b"lost")) == ()


def test_pages_in_a_circle_end(ksef: FakeKsef, client: KsefClient) -> None:
    """A continuation token that comes back ends the walk with an error."""
    page = ksef.reply(200, {"invoices": [ksef.document(150)], "continuationToken": "one"})
    ksef.script("GET /sessions/{referenceNumber}/invoices/failed", page, page)
    with pytest.raises(UnreadableAnswer, match="twice"):
        list(status.documents(client, "access-secret", SESSION, failed_only=True))


def test_session_status_tells_counts_and_upo(ksef: FakeKsef, client: KsefClient) -> None:
    """A finished session gives its counts and the pages of its collective UPO."""
    body = {
        "status": {"code": 200, "description": "Sesja interaktywna przetworzona pomyślnie"},
        "dateCreated": "2025-09-18T15:00:30+00:00",
        "dateUpdated": "2025-09-18T15:01:20+00:00",
        "upo": {
            "pages": [
                {
                    "referenceNumber": "20250918-EU-2EBD6FA000-242EB9B66D-43",
                    "downloadUrl": "https://example.com/upo_00.xml?sig=signature-secret",
                    "downloadUrlExpirationDate": "2025-09-21T15:00:50+00:00",
                }
            ]
        },
        "invoiceCount": 10,
        "successfulInvoiceCount": 8,
        "failedInvoiceCount": 2,
    }
    ksef.script("GET /sessions/{referenceNumber}", ksef.reply(200, body))
    found = status.session(client, "access-secret", SESSION)
    assert (found.invoice_count, found.successful_count, found.failed_count) == (10, 8, 2)
    assert found.upo_pages[0].reference == "20250918-EU-2EBD6FA000-242EB9B66D-43"
    assert not found.is_open
    assert not found.is_processing
    assert "signature-secret" not in repr(found)


@pytest.mark.parametrize(
    "change",
    [
        {"referenceNumber": None},
        {"status": None},
        {"status": {"code": "200", "description": "x"}},
        {"status": {"code": True, "description": "x"}},
        {"invoicingDate": "yesterday"},
        {"invoicingDate": "2025-09-18T12:24:16"},
        {"status": {"code": 150, "description": "x", "details": "text"}},
    ],
)
def test_answer_against_the_contract_is_unreadable(
    ksef: FakeKsef, client: KsefClient, change: dict[str, object]
) -> None:
    """An answer whose fields are missing or of a wrong type is never half believed."""
    ksef.script(STATUS, *[ksef.reply(200, ksef.document(150, **change), contract=False)] * 3)
    with pytest.raises(UnreadableAnswer, match="contract"):
        status.document(client, "access-secret", SESSION, DOCUMENT)


def test_system_warnings_reach_the_caller(ksef: FakeKsef, client: KsefClient) -> None:
    """X-System-Warning of a good answer is handed over, each entry by itself."""
    seen: list[tuple[str, str, str]] = []
    listening = KsefClient(
        client.environment, ksef, on_warning=lambda w: seen.append((w.code, w.message, w.operation))
    )

    def warned(_: Request) -> Reply:
        header = {"X-System-Warning": "[W1]: Stary schemat | [W2]: Inny"}
        return ksef.reply(200, ksef.challenge(), header)

    ksef.script("POST /auth/challenge", warned)
    listening.challenge()
    assert seen == [
        ("W1", "Stary schemat", "POST /auth/challenge"),
        ("W2", "Inny", "POST /auth/challenge"),
    ]


def test_the_challenge_tells_how_our_clock_stands(ksef: FakeKsef, client: KsefClient, clock: Clock) -> None:
    """The challenge's own time is compared with ours: what is signed depends on it."""
    readings: list[ClockReading] = []
    listening = client.telling(lambda _: None, readings.append)
    listening.challenge()
    late = {**ksef.challenge(), "timestamp": (clock.now - timedelta(minutes=3)).isoformat()}
    ksef.script("POST /auth/challenge", ksef.reply(200, late))
    listening.challenge()
    assert [one.is_off for one in readings] == [False, True]
    assert 178 <= readings[1].ahead.total_seconds() <= 180


def test_session_key_has_its_sizes() -> None:
    """AES-256 and a 128-bit IV, nothing else; padding makes whole blocks."""
    with pytest.raises(ValueError, match="32 bytes"):
        SessionKey(b"short", b"x" * 16)
    key = SessionKey.generate(lambda size: b"k" * size)
    assert key.encrypt(b"x" * 16).encrypted_size == 32
    assert key.encrypt(b"").encrypted_size == 16
    assert key.decrypt(key.encrypt(XML).content) == XML
