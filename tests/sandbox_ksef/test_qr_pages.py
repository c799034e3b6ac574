"""The page behind QR code II: who signed an offline invoice."""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from core.ksef.verification import certificate_link
from core.signing.keys import KeyMaterial, load_pem, self_signed
from sandbox.ksef import KsefSandbox
from sandbox.ksef.certificates import registry
from tests.sandbox_ksef.conftest import MovingClock
from tests.sandbox_ksef.material import NIP

HASH = base64.b64encode(hashlib.sha256(b"<Faktura/>").digest()).decode()


def given(sandbox: KsefSandbox, **body: str) -> KeyMaterial:
    """A certificate that the sandbox gives away, with its key."""
    answer = requests.post(f"{sandbox.admin_url}/certificates", json={"nip": NIP} | body, timeout=10)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    key = load_pem(made["certificate"].encode(), made["privateKey"].encode(), now=sandbox.state.now())
    assert key.serial_number == made["serialNumber"]
    return key


def page(link: str) -> tuple[int, str]:
    answer = requests.get(link, timeout=10)
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "<html lang=" in answer.text
    return answer.status_code, answer.text


@pytest.mark.parametrize("key", ["ec", "rsa"])
def test_a_code_signed_by_an_offline_certificate_is_confirmed(sandbox: KsefSandbox, key: str) -> None:
    """EC and RSA; the page names the holder, in Polish, without anything from elsewhere."""
    link = certificate_link(sandbox.qr_url, NIP, HASH, given(sandbox, key=key))
    status, text = page(link)
    assert status == 200
    assert "Certyfikat wystawcy faktury jest ważny" in text
    assert f"Firma {NIP}" in text
    assert "src=" not in text
    # a phone may know this machine by its other name
    assert page(link.replace("127.0.0.1", "localhost"))[0] == 200


def test_a_signature_in_der_is_accepted_too(sandbox: KsefSandbox) -> None:
    """The documentation prefers R||S and allows DER."""
    key = given(sandbox)
    address = certificate_link(sandbox.qr_url, NIP, HASH, key).rpartition("/")[0]
    assert isinstance(key.private_key, ec.EllipticCurvePrivateKey)
    der = key.private_key.sign(address.removeprefix("http://").encode(), ec.ECDSA(hashes.SHA256()))
    text = base64.urlsafe_b64encode(der).decode().rstrip("=")
    assert page(f"{address}/{text}")[0] == 200


def test_nothing_of_a_code_can_be_changed(sandbox: KsefSandbox) -> None:
    """Another hash, seller, context or signature is refused."""
    link = certificate_link(sandbox.qr_url, NIP, HASH, given(sandbox))
    address, _, signature = link.rpartition("/")
    other = base64.urlsafe_b64encode(hashlib.sha256(b"other").digest()).decode().rstrip("=")
    changed = [
        f"{address.rpartition('/')[0]}/{other}/{signature}",
        link.replace(f"/Nip/{NIP}/{NIP}/", f"/Nip/{NIP}/1111111111/"),
        link.replace("/certificate/Nip/", "/certificate/InternalId/"),
        f"{address}/{'A' * 86}",
        f"{address}/***",
    ]
    for one in changed:
        status, text = page(one)
        assert status == 404
        assert "Podpis kodu jest nieprawidłowy" in text


def test_other_certificates_do_not_confirm(sandbox: KsefSandbox, clock: MovingClock) -> None:
    """Unknown, of the Authentication kind, revoked, expired: each page says which."""
    unknown = self_signed(NIP, offline=True, now=clock.moment)
    assert "Nie znaleziono certyfikatu" in page(certificate_link(sandbox.qr_url, NIP, HASH, unknown))[1]
    signs_in = given(sandbox, kind="Authentication")
    path = f"/certificate/Nip/{NIP}/{NIP}/{signs_in.serial_number}/{'A' * 43}/{'A' * 86}"
    assert "nie jest certyfikat typu Offline" in page(sandbox.qr_url + path)[1]
    revoked = given(sandbox)
    link = certificate_link(sandbox.qr_url, NIP, HASH, revoked)
    assert page(link)[0] == 200
    registry.revoke(sandbox.state, revoked.serial_number, "Unspecified")
    clock.moment += timedelta(seconds=1)
    assert "Certyfikat nie jest ważny" in page(link)[1]
    expired = certificate_link(sandbox.qr_url, NIP, HASH, given(sandbox))
    clock.moment += timedelta(days=800)
    assert "Certyfikat nie jest ważny" in page(expired)[1]


def test_an_address_that_is_no_code_is_refused(sandbox: KsefSandbox) -> None:
    """An unknown kind of context, and what a page shows cannot inject anything."""
    path = f"/certificate/Pesel/%3Cb%3E/{NIP}/1/{'A' * 43}/{'A' * 86}"
    status, text = page(sandbox.qr_url + path)
    assert status == 404
    assert "Nieprawidłowy kod certyfikatu" in text
    assert "<b>" not in text


@pytest.mark.parametrize("body", [{"nip": "123"}, {"nip": NIP, "kind": "Seal"}, {"nip": NIP, "key": "dsa"}])
def test_a_gift_that_is_not_understood_is_refused(sandbox: KsefSandbox, body: dict[str, str]) -> None:
    """400 with the member that is wrong."""
    assert requests.post(f"{sandbox.admin_url}/certificates", json=body, timeout=10).status_code == 400
