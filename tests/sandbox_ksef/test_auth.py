"""Signing in to the sandbox."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from lxml import etree
from signxml.algorithms import SignatureConstructionMethod, SignatureMethod
from signxml.xades.xades import XAdESSigner

from sandbox.ksef import auth
from tests.sandbox_ksef.conftest import Client, MovingClock, bearer, code_of, codes, operation_status
from tests.sandbox_ksef.material import (
    NIP,
    OTHER_NIP,
    Credential,
    auth_request,
    credential,
    sign,
)

RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.mark.parametrize(
    ("by", "method", "expected"),
    [
        (credential(), None, "QualifiedSeal"),
        (credential(seal=False), None, "QualifiedSignature"),
        (credential(key=RSA_KEY), SignatureMethod.RSA_SHA256, "QualifiedSeal"),
        (credential(key=RSA_KEY), SignatureMethod.SHA256_RSA_MGF1, "QualifiedSeal"),
        (credential(key=RSA_KEY), SignatureMethod.RSA_SHA512, "QualifiedSeal"),
        (
            credential(key=ec.generate_private_key(ec.SECP384R1())),
            SignatureMethod.ECDSA_SHA384,
            "QualifiedSeal",
        ),
    ],
)
@pytest.mark.parametrize("version", ["2.0", "2.1"])
def test_signature_signs_in(
    client: Client, by: Credential, method: SignatureMethod | None, expected: str, version: str
) -> None:
    """RSA (both paddings) and ECDSA signatures of a seal or a person sign in, in both versions."""
    xml = sign(auth_request(client.challenge()["challenge"], version=version), by, method)
    answer = client.http.call("POST", "/auth/xades-signature", xml=xml)
    assert answer.status_code == 202
    status = operation_status(client, answer.json())
    assert code_of(status) == (200, [])
    assert status["authenticationMethod"] == expected
    assert status["isTokenRedeemed"] is False


def test_enveloping_signature_signs_in(client: Client, owner: Credential) -> None:
    """A signature that envelops the request is read from what it covers."""
    request = etree.fromstring(auth_request(client.challenge()["challenge"]))
    signer = XAdESSigner(
        method=SignatureConstructionMethod.enveloping,
        signature_algorithm=SignatureMethod.ECDSA_SHA256,
        digest_algorithm="sha256",
    )
    signed = signer.sign(request, key=owner.key, cert=[owner.certificate], always_add_key_value=False)
    answer = client.http.call("POST", "/auth/xades-signature", xml=etree.tostring(signed))
    assert answer.status_code == 202, answer.text
    assert code_of(operation_status(client, answer.json()))[0] == 200


def test_access_and_refresh_tokens(signed: Client, clock: MovingClock) -> None:
    """An access token opens protected operations until it expires; the refresh token gives another."""
    refresh = signed.sign_in()
    assert signed.http.call("GET", "/limits/context", token=signed.access).status_code == 200
    clock.moment += timedelta(seconds=901)
    expired = signed.http.call("GET", "/limits/context", token=signed.access)
    assert (expired.status_code, expired.json()["detail"]) == (401, "Token wygasł.")
    again = signed.http.call("POST", "/auth/token/refresh", token=refresh).json()
    assert signed.http.call("GET", "/rate-limits", token=bearer(again["accessToken"])).status_code == 200
    assert datetime.fromisoformat(again["accessToken"]["validUntil"]) > clock.moment


@pytest.mark.parametrize("token", ["", "a.b.c", "Zażółć"])
def test_wrong_bearer_token(client: Client, token: str) -> None:
    """A missing or broken token is 401 with problem details, whatever form of errors was asked for."""
    headers = {"Authorization": f"Bearer {token}".encode().decode("latin-1")} if token else {}
    answer = client.http.call("GET", "/rate-limits", headers=headers, valid=bool(token))
    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_tampered_token_and_wrong_kind(client: Client) -> None:
    """A token with a changed body is refused, and a refresh token is no access token."""
    refresh = client.sign_in()
    head, body, signature = client.access.split(".")
    forged = base64.urlsafe_b64encode(
        base64.urlsafe_b64decode(body + "==").replace(b"ksef-sandbox", b"ksef-sandbax")
    ).decode()
    for token in (f"{head}.{forged.rstrip('=')}.{signature}", refresh):
        assert client.http.call("GET", "/rate-limits", token=token).status_code == 401


def test_tokens_are_redeemed_once(client: Client) -> None:
    """The second redeem of one sign-in is refused with 21301."""
    operation = bearer(client.start()["authenticationToken"])
    assert client.http.call("POST", "/auth/token/redeem", token=operation).status_code == 200
    second = client.http.call("POST", "/auth/token/redeem", token=operation)
    assert (second.status_code, codes(second.json())) == (400, [21301])


def test_status_is_processing_first(client: Client, clock: MovingClock) -> None:
    """With a processing time a sign-in is 100 first, and its tokens cannot be redeemed yet."""
    client.sandbox.state.settings.processing_seconds = 2
    started = client.start()
    assert code_of(operation_status(client, started))[0] == 100
    operation = bearer(started["authenticationToken"])
    early = client.http.call("POST", "/auth/token/redeem", token=operation)
    assert codes(early.json()) == [21301]
    clock.moment += timedelta(seconds=2)
    assert code_of(operation_status(client, started))[0] == 200
    assert client.http.call("POST", "/auth/token/redeem", token=operation).status_code == 200


def test_status_after_seven_days_is_gone(client: Client, clock: MovingClock) -> None:
    """The status of a sign-in is 410 after seven days."""
    client.sandbox.state.settings.operation_token_seconds = 30 * 24 * 3600
    started = client.start()
    clock.moment += timedelta(days=8)
    token = bearer(started["authenticationToken"])
    assert client.http.call("GET", f"/auth/{started['referenceNumber']}", token=token).status_code == 410


def test_status_of_another_sign_in(client: Client) -> None:
    """One operation's token does not show another operation."""
    first, second = client.start(), client.start()
    answer = client.http.call(
        "GET", f"/auth/{first['referenceNumber']}", token=bearer(second["authenticationToken"])
    )
    assert (answer.status_code, codes(answer.json())) == (400, [21304])


def test_challenge_expires_and_is_used_once(client: Client, clock: MovingClock, owner: Credential) -> None:
    """A challenge of ten minutes ago, a spent one and an unknown one are refused with 21111."""
    old = client.challenge()["challenge"]
    clock.moment += timedelta(minutes=10, seconds=1)
    spent = client.challenge()["challenge"]
    request = sign(auth_request(spent), owner)
    assert client.http.call("POST", "/auth/xades-signature", xml=request).status_code == 202
    unknown = "20260101-CR-0000000000-0000000000-00"
    for xml in (sign(auth_request(old), owner), request, sign(auth_request(unknown), owner)):
        answer = client.http.call("POST", "/auth/xades-signature", xml=xml)
        assert (answer.status_code, codes(answer.json())) == (400, [21111])


def test_changed_after_signing(client: Client, owner: Credential) -> None:
    """A request whose context was changed after signing is refused with 9105."""
    xml = sign(auth_request(client.challenge()["challenge"]), owner)
    answer = client.http.call(
        "POST", "/auth/xades-signature", xml=xml.replace(NIP.encode(), OTHER_NIP.encode())
    )
    assert (answer.status_code, codes(answer.json())) == (400, [9105])


def test_signature_in_der_form_is_refused(client: Client, owner: Credential) -> None:
    """An ECDSA value that is not R||S is refused."""
    root = etree.fromstring(sign(auth_request(client.challenge()["challenge"]), owner))
    value = root.find(".//{http://www.w3.org/2000/09/xmldsig#}SignatureValue")
    assert value is not None
    value.text = base64.b64encode(base64.b64decode(value.text or "") + b"\0").decode()
    answer = client.http.call("POST", "/auth/xades-signature", xml=etree.tostring(root))
    assert codes(answer.json()) == [9105]


@pytest.mark.parametrize(
    ("by", "method", "code"),
    [
        (
            credential(key=rsa.generate_private_key(public_exponent=65537, key_size=1024)),
            SignatureMethod.RSA_SHA256,
            21115,
        ),
        (credential(key=ec.generate_private_key(ec.SECP224R1())), SignatureMethod.ECDSA_SHA256, 21115),
        (credential(key=RSA_KEY), SignatureMethod.RSA_SHA224, 9105),
    ],
)
def test_weak_signature(client: Client, by: Credential, method: SignatureMethod, code: int) -> None:
    """Short keys and hashes below SHA-256 are refused."""
    xml = sign(auth_request(client.challenge()["challenge"]), by, method)
    assert codes(client.http.call("POST", "/auth/xades-signature", xml=xml).json()) == [code]


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        (b"<ContextIdentifier>", b"<ContextIdentifier><Nip>1234567890</Nip>", 21401),
        (b"certificateSubject", b"certificateName", 21401),
        (b"auth/token/2.0", b"auth/token/1.0", 21401),
        (b"<Challenge>", b"<Challenge>X", 21401),
        (b"</SubjectIdentifierType>", b"</SubjectIdentifierType><More/>", 21401),
    ],
)
def test_request_off_schema(
    client: Client, owner: Credential, before: bytes, after: bytes, code: int
) -> None:
    """A signed request that breaks the schema of AuthTokenRequest is refused with 21401."""
    xml = sign(auth_request(client.challenge()["challenge"]).replace(before, after), owner)
    assert codes(client.http.call("POST", "/auth/xades-signature", xml=xml).json()) == [code]


def test_documents_that_are_no_signed_request(client: Client, owner: Credential) -> None:
    """No XML, a DOCTYPE, no signature, two signatures and broken UTF-8 have their own codes."""
    plain = auth_request(client.challenge()["challenge"])
    signed = sign(plain, owner)
    tail = b"</AuthTokenRequest>"
    signature = signed[signed.index(b"<ds:Signature") : signed.index(tail)]
    for xml, code in (
        (b"nothing", 9101),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]>" + plain, 9101),
        (plain, 9102),
        (signed.replace(tail, signature + tail), 9103),
        (plain.replace(NIP.encode(), b"\xff\xfe"), 21217),
    ):
        answer = client.http.call("POST", "/auth/xades-signature", xml=xml, valid=False)
        assert (answer.status_code, codes(answer.json())) == (400, [code])


def test_foreign_context_needs_a_grant(client: Client, owner: Credential) -> None:
    """Signing in to another company's context ends with 415 until a grant allows it."""
    assert code_of(operation_status(client, client.start(OTHER_NIP))) == (
        415,
        ["Brak przypisanych uprawnień"],
    )
    auth.grant(
        client.sandbox.state,
        subject_type="Nip",
        subject_value=NIP,
        context=OTHER_NIP,
        permissions=frozenset({"InvoiceRead"}),
    )
    assert code_of(operation_status(client, client.start(OTHER_NIP)))[0] == 200
    client.sign_in(OTHER_NIP)
    refused = client.http.call(
        "POST",
        "/sessions/online",
        token=client.access,
        body=client.key.open_request(client.public_key("SymmetricKeyEncryption"), {}),
        valid=False,
    )
    assert refused.status_code == 403
    assert refused.json()["reasonCode"] == "missing-permissions"
    assert refused.json()["security"]["presentPermissions"] == ["InvoiceRead"]


def test_certificate_out_of_its_life(client: Client) -> None:
    """An expired certificate ends the sign-in with status 460."""
    old = credential(since=datetime.now(UTC) - timedelta(days=400), days=30)
    assert code_of(operation_status(client, client.start(by=old))) == (460, ["Nieważny certyfikat"])


def test_chain_is_not_trusted(client: Client, owner: Credential) -> None:
    """With verifyCertificateChain a self-made certificate ends with status 460, as on TEST."""
    xml = sign(auth_request(client.challenge()["challenge"]), owner)
    started = client.http.call(
        "POST", "/auth/xades-signature", xml=xml, query={"verifyCertificateChain": "true"}
    ).json()
    assert code_of(operation_status(client, started))[0] == 460


def test_allowed_addresses(client: Client, owner: Credential) -> None:
    """A policy of allowed addresses is kept at every use of the access token."""
    for mask, expected in (("127.0.0.0/8", 200), ("10.0.0.0/8", 403)):
        policy = (
            f"<AuthorizationPolicy><AllowedIps><Ip4Mask>{mask}</Ip4Mask></AllowedIps></AuthorizationPolicy>"
        )
        xml = sign(auth_request(client.challenge()["challenge"], policy=policy), owner)
        started = client.http.call("POST", "/auth/xades-signature", xml=xml).json()
        token = bearer(started["authenticationToken"])
        path = f"/auth/{started['referenceNumber']}"
        answer = client.http.call("GET", path, token=token)
        assert answer.status_code == expected
        if expected == 403:
            assert answer.json()["reasonCode"] == "ip-not-allowed"


def test_person_and_fingerprint_need_a_grant(client: Client, owner: Credential) -> None:
    """A person by PESEL and a certificate by fingerprint sign in to a context that was granted to them."""
    person = credential(attribute=(NameOID.SERIAL_NUMBER, "PNOPL-90010112349"))
    assert code_of(operation_status(client, client.start(by=person)))[0] == 415
    request = auth_request(client.challenge()["challenge"])
    request = request.replace(b"certificateSubject", b"certificateFingerprint")
    started = client.http.call("POST", "/auth/xades-signature", xml=sign(request, owner)).json()
    assert code_of(operation_status(client, started))[0] == 415
    fingerprint = owner.certificate.fingerprint(hashes.SHA256()).hex().upper()
    for kind, value in (("Pesel", "90010112349"), ("Fingerprint", fingerprint)):
        auth.grant(
            client.sandbox.state,
            subject_type=kind,
            subject_value=value,
            context=NIP,
            permissions=frozenset({"InvoiceWrite"}),
        )
    assert code_of(operation_status(client, client.start(by=person)))[0] == 200
    request = auth_request(client.challenge()["challenge"])
    request = request.replace(b"certificateSubject", b"certificateFingerprint")
    started = client.http.call("POST", "/auth/xades-signature", xml=sign(request, owner)).json()
    assert code_of(operation_status(client, started))[0] == 200


def test_certificate_without_identity(client: Client) -> None:
    """A certificate that names neither NIP nor PESEL is refused with 21115."""
    nobody = credential(attribute=(NameOID.SERIAL_NUMBER, "12345"))
    xml = sign(auth_request(client.challenge()["challenge"]), nobody)
    assert codes(client.http.call("POST", "/auth/xades-signature", xml=xml).json()) == [21115]
