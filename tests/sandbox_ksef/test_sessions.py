"""Interactive sessions and what is read of them."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
import requests

from core.ksef import number as ksef_number
from sandbox.ksef import keys
from tests.sandbox_ksef.conftest import Client, MovingClock, codes
from tests.sandbox_ksef.material import FA3, NIP, SessionKey, credential, invoice, sha256, wrap


def test_document_gets_a_number(signed: Client) -> None:
    """An accepted document has a KSeF number with the right check sum, dates in order, and mode Online."""
    session = signed.open()
    content = invoice("FV/2026/1")
    reference = signed.send(session, content)
    status = signed.status(session, reference)
    assert status["status"] == {"code": 200, "description": "Sukces"}
    number = ksef_number.parse(str(status["ksefNumber"]))
    assert number.seller_nip == NIP
    assert status["invoiceNumber"] == "FV/2026/1"
    assert status["invoiceHash"] == sha256(content)
    assert status["invoicingMode"] == "Online"
    assert (
        str(status["invoicingDate"]) <= str(status["acquisitionDate"]) < str(status["permanentStorageDate"])
    )


def test_processing_takes_time(signed: Client, clock: MovingClock) -> None:
    """A document is 150 until its time has passed, then the verdict is dated with that time."""
    signed.sandbox.state.settings.processing_seconds = 3
    session = signed.open()
    reference = signed.send(session, invoice())
    assert signed.status(session, reference)["status"] == {"code": 150, "description": "Trwa przetwarzanie"}
    sent = clock.moment
    clock.moment += timedelta(seconds=60)
    status = signed.status(session, reference)
    assert datetime.fromisoformat(str(status["acquisitionDate"])) == sent + timedelta(seconds=3)


def test_session_from_open_to_collective_upo(signed: Client, clock: MovingClock) -> None:
    """A session is 100, after closing 170, then 200 with counts and a page of UPO; it closes once."""
    session = signed.open()
    signed.send(session, invoice("A"))
    signed.send(session, invoice("B", nip="1111111112"))
    assert signed.get(f"/sessions/{session}")["status"] == {
        "code": 100,
        "description": "Sesja interaktywna otwarta",
        "details": None,
    }
    signed.sandbox.state.settings.processing_seconds = 2
    signed.close(session)
    closed = signed.get(f"/sessions/{session}")
    assert isinstance(closed["status"], dict)
    assert closed["status"]["code"] == 170
    clock.moment += timedelta(seconds=3)
    done = signed.get(f"/sessions/{session}")
    assert isinstance(done["status"], dict)
    assert done["status"]["code"] == 200
    assert (done["invoiceCount"], done["successfulInvoiceCount"], done["failedInvoiceCount"]) == (2, 1, 1)
    assert isinstance(done["upo"], dict)
    assert len(done["upo"]["pages"]) == 1
    again = signed.http.call("POST", f"/sessions/online/{session}/close", token=signed.access)
    assert codes(again.json()) == [21180]
    late = signed.http.call(
        "POST",
        f"/sessions/online/{session}/invoices",
        token=signed.access,
        body=signed.key.send_request(invoice("C")),
    )
    assert codes(late.json()) == [21180]


def test_empty_and_failed_sessions(signed: Client) -> None:
    """Closing without documents is 440; closing with refused documents only is 445."""
    empty = signed.open()
    signed.close(empty)
    failed = signed.open()
    signed.send(failed, b"<a/>")
    signed.close(failed)
    for session, code in ((empty, 440), (failed, 445)):
        status = signed.get(f"/sessions/{session}")["status"]
        assert isinstance(status, dict)
        assert status["code"] == code


def test_session_ends_after_twelve_hours(signed: Client, clock: MovingClock) -> None:
    """A session past its life takes no documents and is judged as closed."""
    signed.sandbox.state.settings.access_token_seconds = 24 * 3600
    signed.sign_in()
    session = signed.open()
    signed.send(session, invoice())
    clock.moment += timedelta(hours=12, seconds=1)
    status = signed.get(f"/sessions/{session}")["status"]
    assert isinstance(status, dict)
    assert status["code"] == 200


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("formCode.systemCode", "FA (1)", "kod formularza"),
        ("formCode.value", "PEF", "kod formularza"),
        ("encryption.initializationVector", base64.b64encode(b"x" * 12).decode(), "16 bajtów"),
        ("encryption.encryptedSymmetricKey", "!", "Base64"),
        ("encryption", None, "wymagane"),
    ],
)
def test_open_off_contract(signed: Client, path: str, value: object, words: str) -> None:
    """Unsupported form codes, a vector that is not 16 bytes and missing fields are refused with 21405."""
    body = signed.key.open_request(signed.public_key("SymmetricKeyEncryption"), dict(FA3))
    target: dict[str, object] = body
    *outer, last = path.split(".")
    for step in outer:
        inner = target[step]
        assert isinstance(inner, dict)
        target = inner
    target[last] = value
    answer = signed.http.call("POST", "/sessions/online", token=signed.access, body=body, valid=False)
    assert codes(answer.json()) == [21405]
    assert words in answer.text


def test_open_with_withdrawn_key(signed: Client) -> None:
    """A key that was withdrawn is refused with 21470 that names it."""
    body = signed.key.open_request(signed.public_key("SymmetricKeyEncryption"), FA3)
    keys.rotate(signed.sandbox.state)
    answer = signed.http.call("POST", "/sessions/online", token=signed.access, body=body)
    assert codes(answer.json()) == [21470]
    encryption = body["encryption"]
    assert isinstance(encryption, dict)
    assert encryption["publicKeyId"] in answer.text


def test_symmetric_key_that_cannot_be_opened(signed: Client) -> None:
    """A key of the wrong length, or wrapped for another key, makes a session of status 415."""
    published = signed.public_key("SymmetricKeyEncryption")
    wrong = signed.public_key("KsefTokenEncryption")
    for certificate, key in ((published, b"short"), (wrong, signed.key.key)):
        body = signed.key.open_request(published, FA3)
        assert isinstance(body["encryption"], dict)
        body["encryption"]["encryptedSymmetricKey"] = wrap(certificate["certificate"], key)
        session = signed.http.call("POST", "/sessions/online", token=signed.access, body=body).json()
        status = signed.get(f"/sessions/{session['referenceNumber']}")["status"]
        assert isinstance(status, dict)
        assert status["code"] == 415
        answer = signed.http.call(
            "POST",
            f"/sessions/online/{session['referenceNumber']}/invoices",
            token=signed.access,
            body=signed.key.send_request(invoice()),
        )
        assert codes(answer.json()) == [21180]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"encryptedInvoiceSize": 17}, 21402),
        ({"encryptedInvoiceHash": sha256(b"other")}, 21403),
        ({"encryptedInvoiceContent": "%"}, 21405),
        ({"invoiceHash": "short"}, 21405),
        ({"invoiceSize": 0}, 21405),
        ({"invoiceSize": None}, 21405),
        ({"offlineMode": "yes"}, 21405),
        ({"hashOfCorrectedInvoice": sha256(b"other")}, 21405),
    ],
)
def test_send_refused_at_once(signed: Client, change: dict[str, object], code: int) -> None:
    """What can be checked without decrypting is refused in the answer itself, with its own code."""
    session = signed.open()
    body = {**signed.key.send_request(invoice()), **change}
    answer = signed.http.call(
        "POST", f"/sessions/online/{session}/invoices", token=signed.access, body=body, valid=False
    )
    assert (answer.status_code, codes(answer.json())) == (400, [code])
    assert signed.get(f"/sessions/{session}")["invoiceCount"] == 0


def test_too_many_invoices(signed: Client) -> None:
    """A session takes as many documents as its limit says, then refuses with 21155."""
    signed.sandbox.state.settings.max_invoices = 1
    session = signed.open()
    signed.send(session, invoice("A"))
    answer = signed.http.call(
        "POST",
        f"/sessions/online/{session}/invoices",
        token=signed.access,
        body=signed.key.send_request(invoice("B")),
    )
    assert codes(answer.json()) == [21155]


def test_another_context_sees_nothing(signed: Client, contract: object) -> None:
    """Sessions, documents and UPO of one seller do not exist for another."""
    session, _, number = signed.accept()
    signed.sign_in("1111111111", credential("1111111111"))
    for path, code in (
        (f"/sessions/{session}", 21173),
        (f"/sessions/{session}/invoices", 21173),
        (f"/invoices/ksef/{number}", 21164),
    ):
        assert codes(signed.http.call("GET", path, token=signed.access).json()) == [code]


def test_pages_of_documents(signed: Client) -> None:
    """Documents of a session come in pages in the order of sending; refused ones also by themselves."""
    session = signed.open()
    for index in range(12):
        signed.send(session, invoice(f"FV/{index}"))
    signed.send(session, b"<a/>")
    first = signed.get(f"/sessions/{session}/invoices")
    rest = signed.http.call(
        "GET",
        f"/sessions/{session}/invoices",
        token=signed.access,
        headers={"x-continuation-token": str(first["continuationToken"])},
    ).json()
    assert isinstance(first["invoices"], list)
    everything = first["invoices"] + rest["invoices"]
    assert [entry["ordinalNumber"] for entry in everything] == list(range(1, 14))
    assert rest["continuationToken"] is None
    failed = signed.get(f"/sessions/{session}/invoices/failed")["invoices"]
    assert isinstance(failed, list)
    assert [entry["ordinalNumber"] for entry in failed] == [13]
    bad = signed.http.call(
        "GET", f"/sessions/{session}/invoices", token=signed.access, query={"pageSize": 5}, valid=False
    )
    assert codes(bad.json()) == [21405]


def test_list_of_sessions(signed: Client, clock: MovingClock) -> None:
    """Sessions are listed newest first and filtered by status and by dates."""
    first = signed.open()
    signed.send(first, invoice())
    signed.close(first)
    clock.moment += timedelta(minutes=1)
    second = signed.open()

    def listed(**query: str) -> list[str]:
        answer = signed.http.call(
            "GET", "/sessions", token=signed.access, query={"sessionType": "Online", **query}
        )
        return [entry["referenceNumber"] for entry in answer.json()["sessions"]]

    assert listed() == [second, first]
    assert listed(statuses="Succeeded") == [first]
    assert listed(statuses="InProgress") == [second]
    assert listed(dateCreatedFrom=clock.moment.astimezone(UTC).isoformat()) == [second]
    assert listed(referenceNumber=first) == [first]
    missing = signed.http.call("GET", "/sessions", token=signed.access, valid=False)
    assert codes(missing.json()) == [21405]


def test_document_is_given_back_as_sent(signed: Client) -> None:
    """GET /invoices/ksef/{number} gives the very bytes, and their hash in a header."""
    content = invoice("ŻÓŁĆ/1")
    session = signed.open()
    status = signed.status(session, signed.send(session, content))
    answer = signed.http.call("GET", f"/invoices/ksef/{status['ksefNumber']}", token=signed.access)
    assert answer.content == content
    assert answer.headers["x-ms-meta-hash"] == sha256(content)


def test_keys_of_one_session_do_not_open_another(signed: Client) -> None:
    """A document encrypted with another session's key is refused."""
    session = signed.open()
    body = SessionKey().send_request(invoice())
    reference = signed.http.call(
        "POST", f"/sessions/online/{session}/invoices", token=signed.access, body=body
    ).json()["referenceNumber"]
    status = signed.status(session, reference)["status"]
    assert isinstance(status, dict)
    assert status["code"] in (430, 435)


def test_unknown_addresses(signed: Client) -> None:
    """A path that is not there is 404 with problem details."""
    answer = requests.get(f"{signed.http.api_url}/nothing", timeout=5)
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")


def test_system_warning_is_echoed(client: Client) -> None:
    """The header X-Test-System-Warning comes back as X-System-Warning, as on TEST."""
    answer = client.http.call("POST", "/auth/challenge", headers={"X-Test-System-Warning": "[A]: soon"})
    assert answer.headers["X-System-Warning"] == "[A]: soon"
