"""Verdicts on documents."""

from __future__ import annotations

import base64
from datetime import timedelta
from pathlib import Path

import pytest

from core.calendar import warsaw_day
from sandbox.ksef import documents
from tests.sandbox_ksef.conftest import Client, MovingClock, codes
from tests.sandbox_ksef.material import FA2, OTHER_NIP, SessionKey, invoice, sha256


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (b"\xef\xbb\xbf" + invoice(), 430, "BOM"),
        (invoice().replace(b'encoding="UTF-8"', b'encoding="ISO-8859-2"'), 430, "ISO-8859-2"),
        (invoice().decode().encode("utf-16"), 430, "UTF-8"),
        (invoice("a\u0085b\u0080"), 430, "U+0080"),
        (invoice().replace(b"<Fa>", b"<?app x?><Fa>"), 430, "instrukcji"),
        (invoice().replace(b"</Fa>", b""), 430, "XML"),
        (b"<!DOCTYPE a><a/>", 430, "XML"),
        (invoice().replace(b"<P_2>", b"<P_99>").replace(b"</P_2>", b"</P_99>"), 450, "P_99"),
        (invoice().replace(b"12648", b"0").replace(b"13775", b"0"), 450, ""),
        (invoice(nip="5260250275"), 450, "5260250275"),
        (invoice(buyer="5265877636"), 450, "5265877636"),
        (invoice(nip=OTHER_NIP), 410, OTHER_NIP),
    ],
)
def test_refused_documents(signed: Client, content: bytes, code: int, words: str) -> None:
    """Each kind of unacceptable document has its status, with a sentence that names the trouble."""
    given, details = signed.verdict(content)
    assert (given, bool(details)) == (code, True)
    assert words in " ".join(details)


@pytest.mark.parametrize(
    ("change", "code"),
    [({"invoiceHash": sha256(b"other")}, 430), ({"invoiceSize": 1}, 430)],
)
def test_declared_hash_and_size(signed: Client, change: dict[str, object], code: int) -> None:
    """The decrypted file is compared with the declared hash and size."""
    assert signed.verdict(invoice(), **change)[0] == code


def test_broken_padding(signed: Client) -> None:
    """Bytes that do not decrypt to a padded file are 435."""
    session = signed.open()
    encrypted = b"\1" * 32
    body = {
        **signed.key.send_request(invoice()),
        "encryptedInvoiceHash": sha256(encrypted),
        "encryptedInvoiceSize": 32,
        "encryptedInvoiceContent": base64.b64encode(encrypted).decode(),
    }
    answer = signed.http.call("POST", f"/sessions/online/{session}/invoices", token=signed.access, body=body)
    status = signed.status(session, answer.json()["referenceNumber"])["status"]
    assert status == {"code": 435, "description": "Błąd odszyfrowania pliku"}


def test_wrong_vector(signed: Client) -> None:
    """A document encrypted with another vector does not match its hash."""
    session = signed.open()
    other = SessionKey(signed.key.key)
    answer = signed.http.call(
        "POST",
        f"/sessions/online/{session}/invoices",
        token=signed.access,
        body=other.send_request(invoice()),
    )
    status = signed.status(session, answer.json()["referenceNumber"])["status"]
    assert isinstance(status, dict)
    assert status["code"] == 430


def test_too_large(signed: Client) -> None:
    """A document of more than 1 000 000 bytes without attachment is 430."""
    padded = invoice().replace(b"</Faktura>", b" " * 1_000_000 + b"</Faktura>")
    code, details = signed.verdict(padded)
    assert (code, "1000000" in details[0]) == (430, True)


def test_schema_of_the_session_decides(signed: Client) -> None:
    """An FA(3) document in a session opened for FA(2) is 450."""
    session = signed.open(FA2)
    status = signed.status(session, signed.send(session, invoice()))["status"]
    assert isinstance(status, dict)
    assert status["code"] == 450


def test_issue_day_and_mode(signed: Client, clock: MovingClock) -> None:
    """P_1 after the Warsaw day of acceptance is 450; P_1 before the day of sending makes mode Offline."""
    today = warsaw_day(clock.moment)
    code, details = signed.verdict(invoice(day=today + timedelta(days=1)))
    assert (code, "późniejsza" in details[0]) == (450, True)
    session = signed.open()
    for number, day, offline, mode in (
        ("A", today, False, "Online"),
        ("B", today - timedelta(days=1), False, "Offline"),
        ("C", today, True, "Offline"),
    ):
        reference = signed.send(session, invoice(number, day=day), offlineMode=offline)
        assert signed.status(session, reference)["invoicingMode"] == mode


def test_warsaw_midnight(signed: Client, clock: MovingClock) -> None:
    """A minute after midnight in Warsaw it is the next day, though not yet in UTC."""
    clock.moment = clock.moment.replace(month=7, day=1, hour=22, minute=1)
    signed.sign_in_quickly()
    day = clock.moment.date() + timedelta(days=1)
    session = signed.open()
    status = signed.status(session, signed.send(session, invoice(day=day)))
    assert status["invoicingMode"] == "Online"
    assert f"-{day:%Y%m%d}-" in str(status["ksefNumber"])


def test_duplicate_names_the_original(signed: Client) -> None:
    """Same seller, kind and number is 440 with the original session and number, also in other bytes."""
    session, _, number = signed.accept("FV/1")
    for content in (invoice("FV/1"), invoice("FV/1").replace("Książka".encode(), b"Gra")):
        second = signed.open()
        status = signed.status(second, signed.send(second, content))["status"]
        assert isinstance(status, dict)
        assert status["code"] == 440
        assert status["extensions"] == {
            "originalSessionReferenceNumber": session,
            "originalKsefNumber": number,
        }
    assert signed.verdict(invoice("FV/2"))[0] == 200


def test_same_number_twice_while_both_wait(signed: Client, clock: MovingClock) -> None:
    """Of two equal documents under way, the first sent gets the number, the second is its duplicate."""
    signed.sandbox.state.settings.processing_seconds = 1
    session = signed.open()
    first, second = (signed.send(session, invoice("FV/1")) for _ in range(2))
    clock.moment += timedelta(seconds=5)
    late = signed.status(session, second)["status"]
    early = signed.status(session, first)
    assert isinstance(late, dict)
    assert late["code"] == 440
    assert late["extensions"]["originalKsefNumber"] == early["ksefNumber"]


def test_refused_number_may_be_used_again(signed: Client) -> None:
    """A refused document does not occupy its number."""
    assert signed.verdict(invoice("FV/1", buyer="1234567890"))[0] == 450
    assert signed.verdict(invoice("FV/1"))[0] == 200


def test_technical_correction(signed: Client) -> None:
    """A refused offline document is corrected once; an accepted one cannot be."""
    broken = invoice("FV/1").replace(b"<P_8B>1</P_8B>", b"<P_8B>one</P_8B>")
    assert signed.verdict(broken, offlineMode=True)[0] == 450
    correction = {"offlineMode": True, "hashOfCorrectedInvoice": sha256(broken)}
    assert signed.verdict(invoice("FV/1"), **correction)[0] == 200

    def refusal(content: bytes, corrects: bytes) -> list[int]:
        session = signed.open()
        body = {
            **signed.key.send_request(content),
            "offlineMode": True,
            "hashOfCorrectedInvoice": sha256(corrects),
        }
        return codes(
            signed.http.call(
                "POST", f"/sessions/online/{session}/invoices", token=signed.access, body=body
            ).json()
        )

    assert refusal(invoice("FV/1"), broken) == [21166]
    assert refusal(invoice("FV/2"), invoice("FV/1")) == [21167]


@pytest.mark.parametrize("nip", ["5260250274", "5265877635", "1111111111"])
def test_nip_check_digit(nip: str) -> None:
    """Right NIPs pass; the same with another last digit do not."""
    assert documents.nip_is_valid(nip)
    assert not documents.nip_is_valid(f"{nip[:9]}{(int(nip[9]) + 1) % 10}")


def test_official_examples_are_read(official_ksef: Path) -> None:
    """The facts of every example of the Ministry are read, and it satisfies the schema in use."""
    examples = sorted((official_ksef / "fa3-examples").glob("*.xml"))
    assert len(examples) == 13
    for example in examples:
        tree = documents.parse(example.read_bytes())
        assert documents.check_schema("FA (3)", "1-0E", tree) == []
        facts = documents.read(tree)
        assert facts.seller_nip == "9999999999"
        assert facts.number
        assert facts.buyer_type in {"Nip", "VatUe", "Other", "None"}
