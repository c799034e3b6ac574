"""UPO documents: valid by the official schema, signed, the same at every look."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import requests
import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from sandbox.ksef import keys
from tests.sandbox_ksef.conftest import Client, MovingClock, codes
from tests.sandbox_ksef.material import NIP, invoice, sha256

SPACE = "{http://upo.schematy.mf.gov.pl/KSeF/v4-3}"
SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"


@pytest.fixture(scope="session")
def upo_schema(official_ksef: Path) -> etree.XMLSchema:
    """The official schema of UPO 4-3."""
    return etree.XMLSchema(etree.parse(official_ksef / "upo" / "upo-v4-3.xsd"))


def verify(content: bytes, certificate: x509.Certificate) -> None:
    """Verify an enveloped signature with a second implementation; raises when it does not hold."""
    root = etree.fromstring(content)
    xmlsec.tree.add_ids(root, ["Id"])
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(
        certificate.public_bytes(Encoding.PEM), xmlsec.constants.KeyDataFormatCertPem
    )
    signature = root.find(SIGNATURE)
    assert signature is not None
    context.verify(signature)


def without_signature(content: bytes) -> etree._Element:
    """The confirmation as the schema describes it: the schema knows no signature inside."""
    root = etree.fromstring(content)
    signature = root.find(SIGNATURE)
    assert signature is not None
    root.remove(signature)
    return root


def texts(root: etree._Element, *path: str) -> list[str]:
    """Texts of the elements at a path."""
    return [element.text or "" for element in root.findall("/".join(f"{SPACE}{step}" for step in path))]


def test_upo_of_one_document(signed: Client, upo_schema: etree.XMLSchema) -> None:
    """By reference, by KSeF number and by download address one and the same signed confirmation comes."""
    session, reference, number = signed.accept("FV/7")
    by_reference = signed.http.call(
        "GET", f"/sessions/{session}/invoices/{reference}/upo", token=signed.access
    )
    by_number = signed.http.call(
        "GET", f"/sessions/{session}/invoices/ksef/{number}/upo", token=signed.access
    )
    download = requests.get(str(signed.status(session, reference)["upoDownloadUrl"]), timeout=5)
    content = by_reference.content
    assert content == by_number.content == download.content
    for answer in (by_reference, by_number, download):
        assert answer.headers["x-ms-meta-hash"] == sha256(content)
    verify(content, keys.seal(signed.sandbox.state).certificate)
    root = without_signature(content)
    upo_schema.assertValid(root)
    assert texts(root, "NumerReferencyjnySesji") == [session]
    assert texts(root, "Uwierzytelnienie", "IdKontekstu", "Nip") == [NIP]
    assert texts(root, "KodFormularza") == ["FA (3)"]
    assert texts(root, "Dokument", "NumerKSeFDokumentu") == [number]
    assert texts(root, "Dokument", "NumerFaktury") == ["FV/7"]
    assert texts(root, "Dokument", "SkrotDokumentu") == [sha256(invoice("FV/7"))]
    assert texts(root, "Dokument", "TrybWysylki") == ["Online"]


def test_collective_upo(signed: Client, upo_schema: etree.XMLSchema) -> None:
    """The confirmation of a closed session lists its accepted documents only, in order, with its pages."""
    session = signed.open()
    for index in range(3):
        signed.send(session, invoice(f"FV/{index}"))
    signed.send(session, b"<a/>")
    signed.close(session)
    upo = signed.get(f"/sessions/{session}")["upo"]
    assert isinstance(upo, dict)
    page = upo["pages"][0]
    answer = signed.http.call(
        "GET", f"/sessions/{session}/upo/{page['referenceNumber']}", token=signed.access
    )
    assert requests.get(page["downloadUrl"], timeout=5).content == answer.content
    verify(answer.content, keys.seal(signed.sandbox.state).certificate)
    root = without_signature(answer.content)
    upo_schema.assertValid(root)
    assert texts(root, "Dokument", "NumerFaktury") == ["FV/0", "FV/1", "FV/2"]
    assert texts(root, "OpisPotwierdzenia", "CalkowitaLiczbaDokumentow") == ["3"]
    again = signed.get(f"/sessions/{session}")["upo"]
    assert isinstance(again, dict)
    assert again["pages"][0]["referenceNumber"] == page["referenceNumber"]


def test_upo_after_signing_in_by_token(client: Client, upo_schema: etree.XMLSchema) -> None:
    """After a sign-in by KSeF token the confirmation names the token instead of the signed request."""
    client.sign_in_quickly()
    session, reference, _ = client.accept()
    answer = client.http.call("GET", f"/sessions/{session}/invoices/{reference}/upo", token=client.access)
    root = without_signature(answer.content)
    upo_schema.assertValid(root)
    assert len(texts(root, "Uwierzytelnienie", "NumerReferencyjnyTokenaKSeF")) == 1


def test_changed_upo_does_not_verify(signed: Client) -> None:
    """A confirmation whose hash of the document was changed does not verify."""
    session, reference, _ = signed.accept()
    answer = signed.http.call("GET", f"/sessions/{session}/invoices/{reference}/upo", token=signed.access)
    changed = answer.content.replace(sha256(invoice("FV/1")).encode(), sha256(b"x").encode())
    assert changed != answer.content
    with pytest.raises(xmlsec.Error):
        verify(changed, keys.seal(signed.sandbox.state).certificate)


def test_download_address_is_guarded(signed: Client, clock: MovingClock) -> None:
    """A download address refuses a token, a changed signature, and expires."""
    session, reference, _ = signed.accept()
    link = str(signed.status(session, reference)["upoDownloadUrl"])
    headers = {"Authorization": f"Bearer {signed.access}"}
    assert requests.get(link, headers=headers, timeout=5).status_code == 403
    assert requests.get(f"{link[:-1]}x", timeout=5).status_code == 403
    assert requests.get(link.replace("se=20", "se=30"), timeout=5).status_code == 403
    assert requests.get(link, timeout=5).status_code == 200
    clock.moment += timedelta(days=4)
    assert requests.get(link, timeout=5).status_code == 403


def test_no_upo(signed: Client) -> None:
    """A refused document, another session's document and an unknown page have no confirmation: 21178."""
    session, _, number = signed.accept()
    other = signed.open()
    refused = signed.send(other, b"<a/>")
    page = "20260101-EU-0000000000-0000000000-00"
    for path in (
        f"/sessions/{other}/invoices/{refused}/upo",
        f"/sessions/{other}/invoices/ksef/{number}/upo",
        f"/sessions/{session}/upo/{page}",
    ):
        assert codes(signed.http.call("GET", path, token=signed.access).json()) == [21178]
