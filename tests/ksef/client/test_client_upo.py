"""UPO: fetched, checked against its hash, read, and compared with our document."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.ksef import upo
from core.ksef.client import KsefClient
from core.ksef.encryption import sha256_base64
from core.ksef.errors import NotFound, ProofMismatch, UnreadableAnswer

if TYPE_CHECKING:
    from tests.ksef.client.conftest import FakeKsef

SESSION = "20250625-SO-2C3E6C8000-B675CF5D68-07"
DOCUMENT = "20250625-EE-319D7EE000-B67F415CDC-2C"
NUMBER = "5265877635-20250826-0100001AF629-AF"
HASH = sha256_base64(b"<Faktura/>")
BY_REFERENCE = "GET /sessions/{referenceNumber}/invoices/{invoiceReferenceNumber}/upo"
BY_NUMBER = "GET /sessions/{referenceNumber}/invoices/ksef/{ksefNumber}/upo"
PRESIGNED = "GET presigned address"


def _upo(**changes: str) -> bytes:
    fields = {
        "NipSprzedawcy": "5265877635",
        "NumerKSeFDokumentu": NUMBER,
        "NumerFaktury": "FV/2026/11/0001",
        "DataWystawieniaFaktury": "2026-11-24",
        "DataPrzeslaniaDokumentu": "2026-11-24T11:29:41.524+01:00",
        "DataNadaniaNumeruKSeF": "2026-11-24T11:29:42.824+01:00",
        "SkrotDokumentu": HASH,
        "TrybWysylki": "Online",
    } | changes
    document = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<Potwierdzenie xmlns="http://upo.schematy.mf.gov.pl/KSeF/v4-3">'
        "<NazwaPodmiotuPrzyjmujacego>Ministerstwo Finansów</NazwaPodmiotuPrzyjmujacego>"
        f"<NumerReferencyjnySesji>{SESSION}</NumerReferencyjnySesji>"
        "<Uwierzytelnienie><IdKontekstu><Nip>5265877635</Nip></IdKontekstu>"
        f"<SkrotDokumentuUwierzytelniajacego>{HASH}</SkrotDokumentuUwierzytelniajacego></Uwierzytelnienie>"
        "<NazwaStrukturyLogicznej>Schemat_FA(3)_v1-0E.xsd</NazwaStrukturyLogicznej>"
        f"<KodFormularza>FA (3)</KodFormularza><Dokument>{document}</Dokument></Potwierdzenie>"
    ).encode()


@pytest.mark.parametrize(
    ("name", "context", "documents", "page"),
    [
        ("kontekst-nip/upo-faktura-kontekst-id-nip.xml", "Nip", 1, None),
        ("kontekst-nip/upo-sesja-kontekst-id-nip.xml", "Nip", 2, (1, 1)),
        ("kontekst-internal-id/upo-faktura-internal-id.xml", "InternalId", 1, None),
        ("kontekst-internal-id/upo-sesja-internal-id.xml", "InternalId", 2, (1, 1)),
        ("kontekst-id-zlozony-vat-ue/upo-faktura-id-zlozony-vat-ue.xml", "NipVatUe", 1, None),
        ("kontekst-id-zlozony-vat-ue/upo-sesja-id-zlozony-vat-ue.xml", "NipVatUe", 2, (1, 1)),
    ],
)
def test_official_examples_are_read(
    official_ksef: Path, name: str, context: str, documents: int, page: tuple[int, int] | None
) -> None:
    """The Ministry's own examples of documents' and sessions' UPO give all fields."""
    found = upo.parse_upo((official_ksef / "upo" / "examples-v4-3" / name).read_bytes())
    assert found.context_type == context
    assert len(found.documents) == documents
    assert found.page == page
    for entry in found.documents:
        assert entry.ksef_number.startswith(entry.seller_nip)
        assert entry.accepted >= entry.sent
        assert upo.check_upo(found, entry.document_hash).document_hash == entry.document_hash


def test_our_document_is_found() -> None:
    """The entry with our hash and number is given back with its dates."""
    entry = upo.check_upo(upo.parse_upo(_upo()), HASH, NUMBER)
    assert entry.invoice_number == "FV/2026/11/0001"
    assert entry.issue_day == date(2026, 11, 24)
    assert entry.accepted.isoformat() == "2026-11-24T11:29:42.824000+01:00"


def test_upo_of_another_document_proves_nothing() -> None:
    """Another hash, or our hash with another number, is no proof."""
    found = upo.parse_upo(_upo())
    with pytest.raises(ProofMismatch, match="hash"):
        upo.check_upo(found, sha256_base64(b"other"), NUMBER)
    with pytest.raises(ProofMismatch, match="number"):
        upo.check_upo(found, HASH, "5265877635-20250916-020000583241-84")


@pytest.mark.parametrize(
    "xml",
    [
        b"",
        b"<html>Przerwa</html>",
        b'<Potwierdzenie xmlns="http://example.com/"/>',
        b'<Potwierdzenie xmlns="http://upo.schematy.mf.gov.pl/KSeF/v4-3"/>',
        _upo(NumerKSeFDokumentu="5265877635-20250826-0100001AF629-AE"),
        _upo(DataNadaniaNumeruKSeF="2026-11-24T11:29:42"),
        _upo(DataPrzeslaniaDokumentu="wczoraj"),
        _upo(DataWystawieniaFaktury="2026-02-30"),
        _upo(SkrotDokumentu=""),
        _upo()[:-20],
    ],
)
def test_what_is_no_upo_is_told(xml: bytes) -> None:
    """Files that are no UPO, or have wrong fields, are refused as proofs."""
    with pytest.raises(ProofMismatch):
        upo.parse_upo(xml)


def test_entities_are_not_expanded(tmp_path: Path) -> None:
    """A file that tries to read others or to grow without end gets nothing."""
    secret = tmp_path / "secret"
    secret.write_text("5265877635")
    evil = _upo(NipSprzedawcy="&x;").replace(
        b"<Potwierdzenie", f'<!DOCTYPE p [<!ENTITY x SYSTEM "{secret.as_uri()}">]><Potwierdzenie'.encode(), 1
    )
    with pytest.raises(ProofMismatch):
        upo.parse_upo(evil)


def test_upo_is_fetched_each_way(ksef: FakeKsef, client: KsefClient, no_secrets: None) -> None:
    """By reference, by number and by presigned address: the exact bytes, checked against their hash."""
    xml = _upo()
    good = ksef.reply(200, xml, {"x-ms-meta-hash": sha256_base64(xml)}, "application/xml")
    for operation in (BY_REFERENCE, BY_NUMBER, PRESIGNED):
        ksef.script(operation, good)
    assert upo.fetch(client, "access-secret", SESSION, DOCUMENT) == xml
    assert upo.fetch_by_number(client, "access-secret", SESSION, NUMBER) == xml
    assert upo.fetch_url(client, "https://example.com/upo.xml?sig=x") == xml
    assert "Authorization" not in ksef.requests[-1][1].headers


def test_damaged_upo_is_not_taken(ksef: FakeKsef, client: KsefClient) -> None:
    """A file that differs from the announced hash is refused."""
    damaged = ksef.reply(200, _upo()[:-1], {"x-ms-meta-hash": sha256_base64(_upo())}, "application/xml")
    ksef.script(BY_REFERENCE, damaged)
    with pytest.raises(ProofMismatch, match="announced"):
        upo.fetch(client, "access-secret", SESSION, DOCUMENT)


def test_page_in_place_of_upo_is_no_mismatch(ksef: FakeKsef, client: KsefClient) -> None:
    """A page of a proxy in place of the UPO means: ask again; it is not evidence against our document."""
    ksef.script(PRESIGNED, ksef.reply(200, b"<html>Przerwa techniczna</html>", content_type="text/html"))
    with pytest.raises(UnreadableAnswer):
        upo.fetch_url(client, "https://example.com/upo.xml")


def test_upo_that_is_not_there_yet_is_told(ksef: FakeKsef, client: KsefClient) -> None:
    """21178 is "not found", to be asked again later."""
    ksef.script(BY_REFERENCE, ksef.problem(21178, "Nie znaleziono UPO dla podanych kryteriów."))
    with pytest.raises(NotFound) as caught:
        upo.fetch(client, "access-secret", SESSION, DOCUMENT)
    assert caught.value.code == 21178
