"""KSeF certificates of the sandbox: asking, issuing, signing in, revoking."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from sandbox.ksef import auth
from sandbox.ksef.certificates import authority, registry
from tests.sandbox_ksef.conftest import Client, MovingClock, bearer, code_of, codes, operation_status
from tests.sandbox_ksef.enrolling import (
    RSA_KEY,
    Algorithm,
    enroll,
    obtain,
    query,
    request,
    revoke,
    serials_of,
    shorten,
    status_of,
)
from tests.sandbox_ksef.material import NIP, Credential, PrivateKey, auth_request, credential, sign


@pytest.mark.parametrize("kind", ["Authentication", "Offline"])
@pytest.mark.parametrize("make", [lambda: ec.generate_private_key(ec.SECP256R1()), lambda: RSA_KEY])
def test_certificate_is_issued(signed: Client, kind: str, make: Callable[[], PrivateKey]) -> None:
    """The issued certificate carries the asked key and subject, the right usage, and the authority's name."""
    key = make()
    serial, issued = obtain(signed, kind, key)
    certificate = issued.certificate
    assert f"{certificate.serial_number:016X}" == serial
    assert certificate.public_key() == key.public_key()
    certificate.verify_directly_issued_by(authority.of(signed.sandbox.state).certificate)
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature is (kind == "Authentication")
    assert usage.content_commitment is (kind == "Offline")
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    assert life == timedelta(days=730)
    assert (
        certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_IDENTIFIER)[0].value == f"VATPL-{NIP}"
    )


def test_data_comes_from_the_certificate(client: Client) -> None:
    """The attributes to ask with are those of the certificate that signed in."""
    client.sign_in(by=credential(seal=False))
    assert client.get("/certificates/enrollments/data") == {
        "commonName": "Test",
        "countryName": "PL",
        "serialNumber": f"TINPL-{NIP}",
    }


def test_issued_certificate_signs_in(signed: Client) -> None:
    """An Authentication certificate signs in as its holder, with a verified chain too, and may renew."""
    serial, issued = obtain(signed)
    started = signed.start(by=issued)
    status = operation_status(signed, started)
    assert code_of(status)[0] == 200
    assert status["authenticationMethod"] == "InternalCertificate"
    xml = sign(auth_request(signed.challenge()["challenge"]), issued)
    checked = signed.http.call(
        "POST", "/auth/xades-signature", xml=xml, query={"verifyCertificateChain": "true"}
    ).json()
    assert code_of(operation_status(signed, checked))[0] == 200
    signed.sign_in(by=issued)
    listed = query(signed, {"certificateSerialNumber": serial})["certificates"]
    assert isinstance(listed, list)
    assert listed[0]["lastUseDate"] is not None
    renewed, _ = obtain(signed)
    assert renewed != serial


def test_fingerprint_holder(client: Client, owner: Credential) -> None:
    """A subject known by fingerprint asks with it as uniqueIdentifier, and signs in as that subject later."""
    fingerprint = owner.certificate.fingerprint(hashes.SHA256()).hex().upper()
    auth.grant(
        client.sandbox.state,
        subject_type="Fingerprint",
        subject_value=fingerprint,
        context=NIP,
        permissions=frozenset({"InvoiceRead"}),
    )

    def sign_in(by: Credential) -> None:
        text = auth_request(client.challenge()["challenge"])
        xml = sign(text.replace(b"certificateSubject", b"certificateFingerprint"), by)
        started = client.http.call("POST", "/auth/xades-signature", xml=xml).json()
        token = bearer(started["authenticationToken"])
        pair = client.http.call("POST", "/auth/token/redeem", token=token).json()
        client.access = bearer(pair["accessToken"])

    sign_in(owner)
    assert client.get("/certificates/enrollments/data")["uniqueIdentifier"] == fingerprint
    _, issued = obtain(client)
    sign_in(issued)
    listed = query(client)["certificates"]
    assert isinstance(listed, list)
    assert listed[0]["subjectIdentifier"] == {"type": "Fingerprint", "value": fingerprint}
    assert listed[0]["lastUseDate"] is not None


@pytest.mark.parametrize(
    ("ruin", "detail"),
    [
        (lambda client, serial, clock: revoke(client, serial), "Certyfikat odwołany"),
        (lambda client, serial, clock: shorten(client, serial, clock.moment), "Nieważny certyfikat"),
    ],
)
def test_unusable_certificate(
    signed: Client, clock: MovingClock, ruin: Callable[[Client, str, MovingClock], object], detail: str
) -> None:
    """A revoked certificate and one whose life was shortened end the sign-in with status 460."""
    serial, issued = obtain(signed)
    ruin(signed, serial, clock)
    assert code_of(operation_status(signed, signed.start(by=issued))) == (460, [detail])


def test_offline_certificate_does_not_sign_in(signed: Client) -> None:
    """An Offline certificate is refused at sign-in; its key is found for QR code II."""
    serial, issued = obtain(signed, "Offline")
    assert code_of(operation_status(signed, signed.start(by=issued))) == (460, ["Niepoprawny certyfikat"])
    found = registry.find(signed.sandbox.state, serial)
    assert found is not None
    assert (found.kind, found.status(signed.sandbox.state.now())) == (registry.OFFLINE, registry.ACTIVE)
    assert isinstance(issued.key, ec.EllipticCurvePrivateKey)
    assert isinstance(found.public_key, ec.EllipticCurvePublicKey)
    found.public_key.verify(issued.key.sign(b"x", ec.ECDSA(hashes.SHA256())), b"x", ec.ECDSA(hashes.SHA256()))


def test_future_certificate(signed: Client, clock: MovingClock) -> None:
    """A certificate with validFrom in the future signs in only from then on."""
    key = ec.generate_private_key(ec.SECP256R1())
    start = clock.moment + timedelta(days=1)
    reference = enroll(signed, key, validFrom=start.isoformat())
    serial = str(signed.get(f"/certificates/enrollments/{reference}")["certificateSerialNumber"])
    found = registry.find(signed.sandbox.state, serial)
    assert found is not None
    issued = Credential(key, found.certificate)
    assert code_of(operation_status(signed, signed.start(by=issued)))[0] == 460
    clock.moment += timedelta(days=2)
    assert code_of(operation_status(signed, signed.start(by=issued)))[0] == 200


def test_token_may_not_ask(client: Client) -> None:
    """A sign-in by KSeF token gets neither data nor a certificate, and may not revoke one."""
    client.sign_in()
    serial, _ = obtain(client)
    client.sign_in_quickly()
    data = client.http.call("GET", "/certificates/enrollments/data", token=client.access)
    assert codes(data.json()) == [25001]
    body = {"certificateName": "Nazwa", "certificateType": "Offline", "csr": request({"commonName": "Test"})}
    asked = client.http.call("POST", "/certificates/enrollments", token=client.access, body=body)
    assert codes(asked.json()) == [25002]
    assert client.get("/certificates/limits")["canRequest"] is False
    refused = client.http.call("POST", f"/certificates/{serial}/revoke", token=client.access)
    assert (refused.status_code, refused.json()["reasonCode"]) == (403, "auth-method-not-allowed")


def test_wrong_requests(signed: Client) -> None:
    """Wrong form, signature, key, hash and subject of a request have their own codes."""
    good = signed.get("/certificates/enrollments/data")
    der = base64.b64decode(request(good))
    broken = base64.b64encode(der[:-4] + bytes([der[-4] ^ 1]) + der[-3:]).decode()
    for csr, code in (
        (base64.b64encode(b"nothing").decode(), 25004),
        (broken, 25004),
        (base64.b64encode(der + b"\0").decode(), 25004),
        (request(good, ec.generate_private_key(ec.SECP384R1())), 25010),
        (request(good, rsa.generate_private_key(public_exponent=65537, key_size=1024)), 25010),
        (request(good, RSA_KEY, algorithm=hashes.SHA224()), 25011),
        (request({**good, "commonName": "Inna nazwa"}), 25003),
        (request({**good, "surname": "Nadmiar"}), 25003),
        (request({"commonName": "Test"}), 25003),
    ):
        body = {"certificateName": "Certyfikat", "certificateType": "Offline", "csr": csr}
        answer = signed.http.call("POST", "/certificates/enrollments", token=signed.access, body=body)
        assert (answer.status_code, codes(answer.json())) == (400, [code]), code


@pytest.mark.parametrize("algorithm", [hashes.SHA256(), hashes.SHA384(), hashes.SHA512()])
@pytest.mark.parametrize("pss", [False, True])
def test_rsa_signatures(signed: Client, algorithm: Algorithm, pss: bool) -> None:
    """Requests signed with either RSA padding and each allowed hash are taken."""
    csr = request(signed.get("/certificates/enrollments/data"), RSA_KEY, algorithm=algorithm, pss=pss)
    reference = enroll(signed, RSA_KEY, csr=csr)
    assert code_of({"status": {"details": None, **status_of(signed, reference)}})[0] == 200


@pytest.mark.parametrize(
    "change",
    [
        {"certificateName": "abcd"},
        {"certificateName": "Nazwa z $"},
        {"certificateType": "Other"},
        {"csr": "not base64!"},
        {"validFrom": "yesterday"},
        {"validFrom": "2020-01-01T00:00:00Z"},
    ],
)
def test_request_off_contract(signed: Client, change: dict[str, str]) -> None:
    """A body that breaks the contract is refused with 21405 that names the field."""
    body = {"certificateName": "Nazwa", "certificateType": "Offline", "csr": "AAAA", **change}
    answer = signed.http.call(
        "POST", "/certificates/enrollments", token=signed.access, body=body, valid=False
    )
    assert codes(answer.json()) == [21405]
    assert next(iter(change)) in answer.text


def test_waiting_and_end_of_retention(signed: Client, clock: MovingClock) -> None:
    """A request is 100 first, then 200, and after thirty days 410; an unknown one is 25005."""
    signed.sandbox.state.settings.access_token_seconds = 40 * 24 * 3600
    signed.sign_in()
    signed.sandbox.state.settings.processing_seconds = 2
    reference = enroll(signed, ec.generate_private_key(ec.SECP256R1()))
    assert status_of(signed, reference)["code"] == 100
    clock.moment += timedelta(seconds=2)
    assert status_of(signed, reference)["code"] == 200
    clock.moment += timedelta(days=31)
    path = f"/certificates/enrollments/{reference}"
    assert signed.http.call("GET", path, token=signed.access).status_code == 410
    unknown = signed.http.call("GET", f"/certificates/enrollments/{'X' * 36}", token=signed.access)
    assert codes(unknown.json()) == [25005]


def test_limits(signed: Client) -> None:
    """The seventh active certificate is refused with 25007; after twelve requests it is 25006."""
    assert signed.get("/certificates/limits") == {
        "canRequest": True,
        "enrollment": {"remaining": 12, "limit": 12},
        "certificate": {"remaining": 6, "limit": 6},
    }
    serials = [obtain(signed)[0] for _ in range(6)]
    attributes = signed.get("/certificates/enrollments/data")
    body = {"certificateName": "Nazwa", "certificateType": "Offline", "csr": request(attributes)}

    def refused() -> list[int]:
        return codes(
            signed.http.call("POST", "/certificates/enrollments", token=signed.access, body=body).json()
        )

    assert refused() == [25007]
    assert signed.get("/certificates/limits")["canRequest"] is False
    for serial in serials:
        assert revoke(signed, serial) == (204, [])
    for _ in range(6):
        obtain(signed)
    assert refused() == [25006]


def test_key_of_another_subject(client: Client) -> None:
    """A key that was certified for another subject ends the request with status 400."""
    key = ec.generate_private_key(ec.SECP256R1())
    client.sign_in()
    obtain(client, key=key)
    person = credential("1111111111", seal=False)
    client.sign_in("1111111111", person)
    assert status_of(client, enroll(client, key)) == {
        "code": 400,
        "description": "Wniosek odrzucony",
        "details": ["Klucz publiczny został już certyfikowany przez inny podmiot."],
    }


def test_revoking(signed: Client, clock: MovingClock) -> None:
    """Revoking blocks at once and revokes after the processing time; a second call is refused with 25009."""
    serial, issued = obtain(signed)
    signed.sandbox.state.settings.processing_seconds = 2
    assert revoke(signed, serial, {"revocationReason": "KeyCompromise"}) == (204, [])
    blocked = query(signed, {"status": "Blocked"})["certificates"]
    assert isinstance(blocked, list)
    assert [entry["certificateSerialNumber"] for entry in blocked] == [serial]
    started = signed.start(by=issued)
    clock.moment += timedelta(seconds=2)
    assert code_of(operation_status(signed, started)) == (460, ["Certyfikat zawieszony"])
    assert revoke(signed, serial) == (400, [25009])
    assert revoke(signed, "0123456789ABCDEF") == (400, [25008])


def test_query_filters_and_pages(signed: Client) -> None:
    """Certificates are listed latest first, in pages, and every criterion narrows the list."""
    signed.http.call(
        "POST",
        "/testdata/limits/subject/certificate",
        token=signed.access,
        body={"enrollment": {"maxEnrollments": 50}, "certificate": {"maxCertificates": 50}},
    )
    serials = [obtain(signed)[0] for _ in range(10)] + [obtain(signed, "Offline")[0]]
    first, second = query(signed), query(signed, pageOffset=1)
    found = [*serials_of(first), *serials_of(second)]
    assert (first["hasMore"], second["hasMore"]) == (True, False)
    assert sorted(found) == sorted(serials)
    assert serials_of(query(signed, {"type": "Offline"})) == serials[-1:]
    assert serials_of(query(signed, {"name": "nic takiego"})) == []
    assert len(serials_of(query(signed, {"name": "testowy"}, pageSize=50))) == 11
    assert serials_of(query(signed, {"expiresAfter": "2100-01-01T00:00:00Z"})) == []
    assert serials_of(query(signed, {"certificateSerialNumber": serials[3]})) == [serials[3]]


def test_shortening(signed: Client, clock: MovingClock) -> None:
    """A life may be shortened, never lengthened; the list then shows the certificate as expired."""
    serial, _ = obtain(signed)
    assert shorten(signed, serial, clock.moment + timedelta(days=3650)) == 400
    assert shorten(signed, "0123456789ABCDEF", clock.moment) == 400
    assert shorten(signed, serial, clock.moment) == 200
    assert serials_of(query(signed, {"status": "Expired"})) == [serial]


def test_forced_end(signed: Client) -> None:
    """A planned fault ends a request with status 550."""
    signed.sandbox.state.faults.add("status_550", "POST /v2/certificates/enrollments$")
    reference = enroll(signed, ec.generate_private_key(ec.SECP256R1()))
    assert status_of(signed, reference)["code"] == 550


def test_foreign_holder_is_not_served(client: Client) -> None:
    """Another subject neither retrieves, lists nor revokes a certificate."""
    client.sign_in()
    serial, _ = obtain(client)
    client.sign_in("1111111111", credential("1111111111"))
    answer = client.http.call(
        "POST", "/certificates/retrieve", token=client.access, body={"certificateSerialNumbers": [serial]}
    )
    assert answer.json() == {"certificates": []}
    assert serials_of(query(client)) == []
    assert revoke(client, serial) == (400, [25008])
