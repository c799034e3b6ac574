"""Certificates, tokens and sign-ins: what the client and the sandbox say satisfies the official contract."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest
from cryptography import x509

from core.ksef import auth, certificates, outside, permissions, sign_ins, tokens
from core.ksef.answers import Status
from core.ksef.auth import AllowedIps, SubjectType, Tokens
from core.ksef.certificates import CertificateKind, CertificateState, EnrollmentStatus, RevocationReason
from core.ksef.client import KsefClient
from core.ksef.environments import custom
from core.ksef.errors import (
    AuthenticationFailed,
    EnrollmentRefused,
    Forbidden,
    KsefRefused,
    KsefUnavailable,
    TokenNotIssued,
)
from core.ksef.outside import SignedRequestError, check_signed
from core.ksef.public_keys import PublicKeys
from core.ksef.tokens import TokenPermission, TokenState
from core.ksef.waiting import Patience
from core.signing.csr import SubjectAttributes, certification_request
from core.signing.keys import KeyKind, KeyMaterial, generate_key, self_signed
from core.signing.xades import sign_enveloped
from sandbox.ksef import KsefSandbox
from sandbox.ksef import auth as sandbox_auth
from sandbox.ksef import tokens as sandbox_tokens
from tests.ksef.test_contract_exchange import WatchedTransport, _seen
from tests.sandbox_ksef.contract import Contract

NIP = "5265877635"
OTHER_NIP = "5260250274"
NOTHING = "20261124-AA-0000000000-0000000000-00"


@pytest.fixture(scope="module")
def official(official_ksef: Path) -> Contract:
    """The official contract."""
    return Contract.load(official_ksef)


@pytest.fixture(scope="module")
def operations(official_ksef: Path) -> tuple[str, ...]:
    """The paths of the contract, those with fewer parameters first."""
    spec: dict[str, dict[str, object]] = json.loads((official_ksef / "open-api.json").read_text("utf-8"))
    return tuple(sorted(spec["paths"], key=lambda path: path.count("{")))


@pytest.fixture
def contract(official: Contract) -> Contract:
    """The same with an empty log."""
    return Contract(official.openapi)


@pytest.fixture
def sandbox() -> Iterator[KsefSandbox]:
    """A sandbox that takes a moment, so that "in progress" is seen too."""
    with KsefSandbox(processing_seconds=0.05) as running:
        yield running


@pytest.fixture(scope="module")
def key() -> KeyMaterial:
    """The seller's seal."""
    return self_signed(NIP, now=datetime.now(UTC))


@pytest.fixture
def client(sandbox: KsefSandbox, contract: Contract) -> KsefClient:
    """The real client, watched."""
    return KsefClient(custom(sandbox.api_url, sandbox.qr_url), WatchedTransport(contract)).for_context(NIP)


@pytest.fixture
def signed_in(client: KsefClient, key: KeyMaterial, contract: Contract) -> Tokens:
    """Tokens of the seller; the log begins after signing in."""
    given = auth.sign_in_with_certificate(client, NIP, key)
    contract.seen.clear()
    return given


Obtain = Callable[..., tuple[str, KeyMaterial]]


@pytest.fixture
def obtain(client: KsefClient, signed_in: Tokens) -> Obtain:
    """Gets a certificate; gives its number, and it with its key."""

    def get(
        kind: CertificateKind = CertificateKind.AUTHENTICATION,
        key_kind: KeyKind = "ec",
        name: str = "Sklep 1",
    ) -> tuple[str, KeyMaterial]:
        access = signed_in.access
        own = generate_key(key_kind)
        request = certification_request(certificates.enrollment_data(client, access), own)
        reference = certificates.enroll(client, access, name=name, kind=kind, request=request)
        serial = certificates.wait_for_certificate(
            lambda: certificates.enrollment_status(client, access, reference), sleep=client.sleep
        )
        (issued,) = certificates.retrieve(client, access, [serial])
        assert (issued.serial_number, issued.kind, issued.name) == (serial, kind, name)
        return serial, KeyMaterial(issued.certificate, own)

    return get


@pytest.mark.parametrize("key_kind", ["ec", "rsa"])
@pytest.mark.parametrize("kind", list(CertificateKind))
def test_a_certificate_from_limits_to_revocation(
    client: KsefClient,
    signed_in: Tokens,
    obtain: Obtain,
    contract: Contract,
    operations: tuple[str, ...],
    kind: CertificateKind,
    key_kind: Literal["ec", "rsa"],
) -> None:
    """Every operation of a certificate's life satisfies the contract, with either kind and key."""
    access = signed_in.access
    before = certificates.limits(client, access)
    serial, material = obtain(kind, key_kind)
    assert material.serial_number == serial
    usage = material.certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature is (kind is CertificateKind.AUTHENTICATION)
    after = certificates.limits(client, access)
    assert after.can_request
    assert after.certificates.remaining == before.certificates.remaining - 1
    (listed,) = certificates.listing(client, access, kind=kind)
    assert (listed.serial_number, listed.state, listed.last_used) == (serial, CertificateState.ACTIVE, None)
    certificates.revoke(client, access, serial, RevocationReason.SUPERSEDED)
    (ended,) = certificates.listing(client, access)
    assert ended.state in {CertificateState.BLOCKED, CertificateState.REVOKED}
    with pytest.raises(KsefRefused) as again:
        certificates.revoke(client, access, serial)
    assert again.value.code == 25009
    assert again.value.hint.pl
    assert _seen(contract, operations) == {
        "GET /certificates/limits 200",
        "GET /certificates/enrollments/data 200",
        "POST /certificates/enrollments 202",
        "GET /certificates/enrollments/{referenceNumber} 200",
        "POST /certificates/retrieve 200",
        "POST /certificates/query 200",
        "POST /certificates/{certificateSerialNumber}/revoke 204",
        "POST /certificates/{certificateSerialNumber}/revoke 400",
    }


def test_an_authentication_certificate_signs_in_and_an_offline_one_does_not(
    client: KsefClient, obtain: Obtain
) -> None:
    """The two kinds are never both."""
    _, material = obtain(CertificateKind.AUTHENTICATION)
    assert auth.sign_in_with_certificate(client, NIP, material).access
    _, offline = obtain(CertificateKind.OFFLINE)
    with pytest.raises(AuthenticationFailed):
        auth.sign_in_with_certificate(client, NIP, offline)


def test_certificates_come_in_pages(
    sandbox: KsefSandbox, client: KsefClient, signed_in: Tokens, contract: Contract
) -> None:
    """More certificates than a page are all listed, and retrieved ten at a time."""
    sandbox.state.settings.processing_seconds = 0.0
    access = signed_in.access
    subject = certificates.enrollment_data(client, access)
    found: list[str] = []
    for number in range(11):
        request = certification_request(subject, generate_key())
        reference = certificates.enroll(
            client, access, name=f"Sklep {number:02}", kind=CertificateKind.OFFLINE, request=request
        )
        serial = certificates.enrollment_status(client, access, reference).serial_number
        assert serial is not None
        found.append(serial)
        if len(found) < 11:
            # six may be active at once
            certificates.revoke(client, access, serial)
    contract.seen.clear()
    listed = [one.serial_number for one in certificates.listing(client, access, page_size=10)]
    assert listed == found[::-1]
    assert len(contract.seen) == 2
    assert {one.serial_number for one in certificates.retrieve(client, access, found)} == set(found)
    assert len(contract.seen) == 4
    (named,) = certificates.listing(client, access, name="lep 07")
    assert named.name == "Sklep 07"
    (active,) = certificates.listing(client, access, state=CertificateState.ACTIVE)
    assert active.serial_number == found[-1]


def test_a_token_sign_in_may_not_ask_for_certificates(
    sandbox: KsefSandbox, client: KsefClient, key: KeyMaterial
) -> None:
    """25001 and 25002 lead to signing in by a signature."""
    text = sandbox_tokens.issue(sandbox.state, NIP)
    access = auth.sign_in_with_token(client, NIP, text, PublicKeys(client)).access
    with pytest.raises(KsefRefused) as no_data:
        certificates.enrollment_data(client, access)
    assert no_data.value.code == 25001
    assert "auth request" in no_data.value.hint.pl
    request = certification_request(SubjectAttributes("x", "PL"), generate_key())
    with pytest.raises(KsefRefused) as refused:
        certificates.enroll(client, access, name="Sklep 1", kind=CertificateKind.OFFLINE, request=request)
    assert refused.value.code == 25002


def test_a_request_with_other_data_is_refused(client: KsefClient, signed_in: Tokens) -> None:
    """25003: the subject is exactly KSeF's."""
    subject = SubjectAttributes("x", "PL", organization_identifier=f"VATPL-{OTHER_NIP}")
    with pytest.raises(KsefRefused) as caught:
        certificates.enroll(
            client,
            signed_in.access,
            name="Sklep 1",
            kind=CertificateKind.OFFLINE,
            request=certification_request(subject, generate_key()),
            valid_from=datetime.now(UTC) + timedelta(days=1),
        )
    assert caught.value.code == 25003


@pytest.mark.parametrize("code", [400, 550])
def test_an_enrolment_that_fails_says_why(
    sandbox: KsefSandbox, client: KsefClient, obtain: Obtain, code: int
) -> None:
    """A refused and a cancelled enrolment end with their code, KSeF's words and what to do."""
    sandbox.state.faults.add("refuse_code", "POST /v2/certificates/enrollments$", value=code)
    with pytest.raises(EnrollmentRefused) as caught:
        obtain()
    assert caught.value.code == code
    assert caught.value.description
    assert caught.value.hint.pl


def test_patience_ends() -> None:
    """An enrolment without a result ends in words."""
    status = EnrollmentStatus(datetime.now(UTC), Status(100, "w toku"), None)
    slept: list[float] = []
    with pytest.raises(KsefUnavailable, match="no result of the enrolment"):
        certificates.wait_for_certificate(lambda: status, sleep=slept.append, patience=Patience(10))
    assert 10 <= sum(slept) < 16


def test_a_token_from_creation_to_revocation(
    client: KsefClient, signed_in: Tokens, contract: Contract, operations: tuple[str, ...]
) -> None:
    """Create, wait, sign in with it, list, revoke; the text is never shown."""
    access = signed_in.access
    made = tokens.create(
        client, access, {TokenPermission.INVOICE_WRITE, TokenPermission.INVOICE_READ}, "Sklep internetowy"
    )
    assert made.text not in repr(made)
    active = tokens.wait_until_active(client, access, made.reference)
    assert (active.state, active.permissions) == (TokenState.ACTIVE, ("InvoiceRead", "InvoiceWrite"))
    assert auth.sign_in_with_token(client, NIP, made.text, PublicKeys(client)).access
    assert [one.reference for one in tokens.listing(client, access)] == [made.reference]
    tokens.revoke(client, access, made.reference)
    (revoked,) = tokens.listing(client, access, state=TokenState.REVOKED)
    assert revoked.last_used is not None
    assert list(tokens.listing(client, access, state=TokenState.ACTIVE)) == []
    with pytest.raises(TokenNotIssued):
        tokens.wait_until_active(client, access, made.reference)
    assert {
        "POST /tokens 202",
        "GET /tokens/{referenceNumber} 200",
        "GET /tokens 200",
        "DELETE /tokens/{referenceNumber} 204",
    } <= _seen(contract, operations)


def test_tokens_come_in_pages(
    sandbox: KsefSandbox, client: KsefClient, signed_in: Tokens, contract: Contract
) -> None:
    """A second page is asked for by its continuation token."""
    for number in range(12):
        tokens.create(client, signed_in.access, {TokenPermission.INVOICE_READ}, f"Token {number:02}")
    contract.seen.clear()
    found = [one.description for one in tokens.listing(client, signed_in.access, page_size=10)]
    assert found == [f"Token {number:02}" for number in range(11, -1, -1)]
    assert len(contract.seen) == 2


def test_a_token_cannot_have_more_than_its_maker(client: KsefClient, signed_in: Tokens) -> None:
    """26001 tells what to do: a token of read only makes no token that writes."""
    read = tokens.create(client, signed_in.access, {TokenPermission.INVOICE_READ}, "Tylko odczyt")
    tokens.wait_until_active(client, signed_in.access, read.reference)
    access = auth.sign_in_with_token(client, NIP, read.text, PublicKeys(client)).access
    with pytest.raises((KsefRefused, Forbidden)) as caught:
        tokens.create(client, access, {TokenPermission.INVOICE_WRITE}, "Także zapis")
    assert caught.value.hint.pl


def test_an_owner_lacks_nothing(
    client: KsefClient, signed_in: Tokens, contract: Contract, operations: tuple[str, ...]
) -> None:
    """The taxpayer itself has everything without a grant."""
    found = permissions.personal(client, signed_in.access, NIP)
    assert {permissions.SEND, permissions.READ, permissions.COLLECTIVE} <= found.owner
    assert found.missing == ()
    assert _seen(contract, operations) == {"POST /permissions/query/personal/grants 200"}


@pytest.mark.parametrize(
    ("granted", "words"),
    [
        ({"InvoiceRead"}, ["InvoiceWrite", "CollectiveIdentifierManage"]),
        ({"InvoiceWrite"}, ["InvoiceRead", "CollectiveIdentifierManage"]),
        ({"InvoiceWrite", "InvoiceRead", "CollectiveIdentifierManage"}, []),
    ],
)
def test_what_somebody_else_lacks_is_told_in_words(
    sandbox: KsefSandbox, client: KsefClient, granted: set[str], words: list[str]
) -> None:
    """Who was granted some permissions learns which are missing, the one for sending first."""
    person = self_signed(OTHER_NIP, kind="person", now=client.clock())
    sandbox_auth.grant(
        sandbox.state,
        subject_type="Nip",
        subject_value=OTHER_NIP,
        context=NIP,
        permissions=frozenset(granted),
    )
    access = auth.sign_in_with_certificate(client, NIP, person).access
    found = permissions.personal(client, access, NIP)
    assert found.owner == set()
    assert found.held == granted
    assert [next(word for word in words if word in text.pl) for text in found.missing] == words
    assert [next(word for word in words if word in text.en) for text in found.missing] == words


def test_permissions_come_in_pages_and_ended_ones_do_not_count(
    sandbox: KsefSandbox, client: KsefClient, contract: Contract
) -> None:
    """Grants made again and again fill a second page; those that were taken back are no permissions."""
    person = self_signed(OTHER_NIP, kind="person", now=client.clock())

    def grant(*names: str) -> None:
        sandbox_auth.grant(
            sandbox.state,
            subject_type="Nip",
            subject_value=OTHER_NIP,
            context=NIP,
            permissions=frozenset(names),
        )

    everything = sorted(permissions.NAMES.keys() - {"VatUeManage"})
    grant(*everything, "VatUeManage")
    grant("InvoiceRead", "Introspection")
    access = auth.sign_in_with_certificate(client, NIP, person).access
    contract.seen.clear()
    found = permissions.personal(client, access, NIP, page_size=10)
    assert found.held == {"InvoiceRead", "Introspection"}
    assert len(found.grants) in {2, 11}
    assert len(contract.seen) == (1 if len(found.grants) == 2 else 2)


def test_a_permission_in_another_company_is_none_here() -> None:
    """An owner sees what others granted to its company; that does not count in its own context."""
    since = datetime.now(UTC)
    elsewhere = permissions.Grant("InvoiceWrite", "Biuro", True, since, OTHER_NIP)
    here = permissions.Grant("InvoiceRead", "Biuro", True, since, NIP)
    ended = permissions.Grant("CollectiveIdentifierManage", "Biuro", False, since)
    assert permissions.Permissions(NIP, frozenset(), (elsewhere, here, ended)).held == {"InvoiceRead"}


def test_sign_ins_are_listed_in_pages_and_ended(
    client: KsefClient, signed_in: Tokens, key: KeyMaterial, contract: Contract, operations: tuple[str, ...]
) -> None:
    """The list marks ours; another one and our own are ended, and their refresh tokens with them."""
    others = [auth.sign_in_with_certificate(client, NIP, key) for _ in range(11)]
    contract.seen.clear()
    access = signed_in.access
    listed = list(sign_ins.listing(client, access, page_size=10))
    assert (len(listed), len(contract.seen)) == (12, 2)
    assert [one.is_current for one in listed].count(True) == 1
    assert all(one.method and one.status.code == 200 for one in listed)
    newest = listed[0]
    assert newest.refresh_valid_until is not None
    sign_ins.revoke(client, access, newest.reference)
    with pytest.raises(KsefRefused):
        auth.refresh(client, others[-1])
    auth.refresh(client, others[0])
    sign_ins.revoke_current(client, access)
    with pytest.raises(KsefRefused):
        auth.refresh(client, signed_in)
    sign_ins.revoke_current(client, others[0].refresh)
    with pytest.raises(KsefRefused):
        sign_ins.revoke(client, others[1].access, NOTHING)
    assert {
        "GET /auth/sessions 200",
        "DELETE /auth/sessions/{referenceNumber} 204",
        "DELETE /auth/sessions/{referenceNumber} 400",
        "DELETE /auth/sessions/current 204",
    } <= _seen(contract, operations)


@pytest.mark.parametrize("version", ["2.0", "2.1"])
@pytest.mark.parametrize("kind", ["seal", "person"])
def test_a_request_signed_outside_signs_in(
    client: KsefClient, version: Literal["2.0", "2.1"], kind: Literal["seal", "person"]
) -> None:
    """What is written, signed elsewhere and handed in gives tokens, with an address policy too."""
    made = outside.unsigned_request(
        client, NIP, version=version, allowed_ips=AllowedIps(ranges=("127.0.0.1-127.0.0.9",))
    )
    assert timedelta(minutes=9) < made.sign_until - client.clock() < timedelta(minutes=11)
    assert f"auth/token/{version}".encode() in made.xml
    with pytest.raises(SignedRequestError) as unsigned:
        check_signed(made.xml, NIP)
    assert "nie jest podpisany" in unsigned.value.text.pl
    person = self_signed(NIP, kind=kind, now=client.clock())
    signed = sign_enveloped(made.xml, person, client.clock())
    check_signed(signed, NIP)
    with pytest.raises(SignedRequestError) as other:
        check_signed(signed, OTHER_NIP)
    assert OTHER_NIP in other.value.text.pl
    given = auth.sign_in_with_signed_request(client, signed)
    assert list(sign_ins.listing(client, given.access))
    with pytest.raises(AuthenticationFailed) as twice:
        auth.sign_in_with_signed_request(client, signed)
    assert twice.value.code == 21111


def test_the_fingerprint_may_say_who_signs(client: KsefClient) -> None:
    """The other kind of subject is written as the contract wants it."""
    made = outside.unsigned_request(client, NIP, subject_type=SubjectType.FINGERPRINT)
    assert b"<SubjectIdentifierType>certificateFingerprint</SubjectIdentifierType>" in made.xml


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"%PDF-1.7", "XAdES"),
        (b"", "XAdES"),
        (b"\x30\x82\x01\x00", "XAdES"),
        (b"<Faktura/>", "auth request"),
        (b"<Signature xmlns='http://www.w3.org/2000/09/xmldsig#'/>", "zewnętrzny"),
        (b"<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/hostname'>]><x>&e;</x>", "auth request"),
    ],
)
def test_files_that_are_no_signed_request_are_told_apart(data: bytes, sentence: str) -> None:
    """The usual mistakes are told before KSeF is asked, in words."""
    with pytest.raises(SignedRequestError) as caught:
        check_signed(data, NIP)
    assert sentence in caught.value.text.pl
    assert caught.value.text.en
