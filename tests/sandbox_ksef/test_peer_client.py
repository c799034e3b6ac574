"""Another client against the sandbox: ``ksef-client`` from PyPI over real HTTP, given nothing but addresses.

Its own code signs, encrypts, packs and reads the answers, so that what we misread the same way on both sides
shows here. Two of its documented options let it upload to this machine; see "Using another client" in
``docs/sandbox.md``, whose example is run as it stands.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from base64 import b64decode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import cast

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from ksef_client import KsefApiError, KsefClient, KsefHttpError, KsefRateLimitError
from ksef_client import models as m
from ksef_client.documents.fa3 import Address, FA3Invoice, Party, VatClass
from ksef_client.services import (
    BatchSessionState,
    BatchSessionWorkflow,
    BatchUploadHelper,
    CsrResult,
    ExportWorkflow,
    OnlineSessionWorkflow,
    VerificationLinkService,
    build_encryption_data,
    encrypt_batch_parts,
    generate_csr_ec,
    generate_csr_rsa,
)
from ksef_client.utils import build_tar_gz, build_zip

from sandbox.ksef import KsefSandbox
from tests.conftest import ROOT
from tests.sandbox_ksef.conftest import MovingClock
from tests.sandbox_ksef.material import NIP, OTHER_NIP, Credential, credential, invoice
from tests.sandbox_ksef.peer import FA3_FORM, encryption_key, options_for, send, sign_in, sign_in_with_token

DOCUMENTED_NIP = "5265877635"
ARCHIVES = {m.CompressionType.ZIP: build_zip, m.CompressionType.TARGZ: build_tar_gz}
EC_KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def peer(sandbox: KsefSandbox) -> Iterator[KsefClient]:
    """The other client."""
    client = KsefClient(options_for(sandbox))
    yield client
    client.close()


@pytest.fixture
def access(peer: KsefClient) -> str:
    """An access token of the owner of the NIP, who signed in with a certificate."""
    return sign_in(peer, credential(key=EC_KEY)).access_token


@pytest.mark.parametrize("schema", ["2.0", "2.1"])
@pytest.mark.parametrize("key", [EC_KEY, RSA_KEY], ids=["EC", "RSA"])
@pytest.mark.parametrize("seal", [True, False], ids=["seal", "person"])
def test_signs_in_with_a_certificate(
    peer: KsefClient, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, seal: bool, schema: str
) -> None:
    """Seals and persons sign in with EC and RSA keys by both versions of the request, and refresh."""
    signed = sign_in(peer, credential(seal=seal, key=key), schema=schema)
    fresh = peer.auth.refresh_access_token(signed.refresh_token).access_token.token
    (listed,) = peer.auth.get_active_sessions(access_token=fresh).items
    assert (listed.reference_number, listed.is_current) == (signed.reference_number, True)
    peer.auth.revoke_session(signed.reference_number, fresh)
    with pytest.raises(KsefApiError) as refused:
        peer.auth.refresh_access_token(signed.refresh_token)
    assert refused.value.status_code in (400, 401)


def test_a_stranger_is_told_why(peer: KsefClient) -> None:
    """A certificate of another NIP without permissions ends with KSeF's code for that."""
    with pytest.raises(RuntimeError, match="Authentication failed: 415"):
        sign_in(peer, credential(OTHER_NIP, key=EC_KEY))


def test_tokens_sign_in_until_revoked(peer: KsefClient, access: str) -> None:
    """A token that the peer made is listed, signs in and sends, and is worth nothing once revoked."""
    made = peer.tokens.generate_token(
        m.GenerateTokenRequest(description="Sklep", permissions=[m.TokenPermissionType.INVOICEWRITE]),
        access_token=access,
    )
    status = peer.tokens.get_token_status(made.reference_number, access_token=access)
    assert status.status is m.AuthenticationTokenStatus.ACTIVE
    (listed,) = peer.tokens.list_tokens(statuses=["Active"], page_size=10, access_token=access).tokens
    assert (listed.reference_number, listed.description) == (made.reference_number, "Sklep")
    by_token = sign_in_with_token(peer, made.token).access_token
    assert send(peer, by_token, invoice("FV/T/1"))[0] == 200
    peer.tokens.revoke_token(made.reference_number, access_token=access)
    with pytest.raises(RuntimeError, match="Authentication failed: 450"):
        sign_in_with_token(peer, made.token)


def test_sends_interactively(peer: KsefClient, access: str, sandbox: KsefSandbox) -> None:
    """Documents become numbers, a repeated one is refused with the original's, and UPOs can be fetched."""
    published = encryption_key(peer)
    session = OnlineSessionWorkflow(peer.sessions).open_session(
        form_code=FA3_FORM,
        public_certificate=published.certificate,
        public_key_id=published.public_key_id,
        access_token=access,
        upo_v43=True,
    )
    content = invoice("FV/1")
    sent = [session.send_invoice(one).reference_number for one in (content, invoice("FV/2"), content)]
    one, two, again = (session.get_invoice_status(reference) for reference in sent)
    assert [one.status.code, two.status.code, again.status.code] == [200, 200, 440]
    assert one.ksef_number is not None
    assert one.invoice_hash is not None
    assert again.status.extensions is not None
    assert again.status.extensions["originalKsefNumber"] == one.ksef_number
    assert [e.reference_number for e in session.list_invoices(page_size=10).invoices] == sent
    assert [e.reference_number for e in session.list_failed_invoices().invoices] == [again.reference_number]

    session.close()
    closed = session.get_status()
    assert (closed.status.code, closed.successful_invoice_count, closed.failed_invoice_count) == (200, 2, 1)
    assert closed.upo is not None
    (page,) = closed.upo.pages
    for upo in (
        session.get_invoice_upo_by_ref(sent[0]),
        session.get_invoice_upo_by_ksef(one.ksef_number),
        session.get_upo(page.reference_number),
        httpx.get(page.download_url).content,
    ):
        assert one.ksef_number.encode() in upo

    assert peer.invoices.get_invoice_bytes(one.ksef_number, access_token=access).content == content
    (listed,) = peer.sessions.get_sessions(session_type="Online", access_token=access).sessions
    assert (listed.reference_number, listed.total_invoice_count) == (session.reference_number, 3)
    link = VerificationLinkService(options_for(sandbox)).build_invoice_verification_url(
        NIP, datetime.now(UTC).date(), one.invoice_hash
    )
    assert one.ksef_number in httpx.get(link).text


@pytest.mark.parametrize("kind", list(ARCHIVES), ids=lambda kind: kind.value)
def test_sends_in_batch(peer: KsefClient, access: str, kind: m.CompressionType) -> None:
    """A packed batch gets one verdict for each document, and one UPO."""
    documents = {f"{number}.xml": invoice(f"FV/{number}") for number in range(1, 6)}
    documents["broken.xml"] = invoice("FV/6", nip="1111111111")
    published = encryption_key(peer)
    session = BatchSessionWorkflow(peer.sessions, peer.http_client).open_session(
        form_code=FA3_FORM,
        archive_bytes=ARCHIVES[kind](documents),
        compression_type=kind,
        public_certificate=published.certificate,
        public_key_id=published.public_key_id,
        access_token=access,
    )
    session.upload_parts(parallelism=2)
    session.close()
    status = session.get_status()
    assert (status.status.code, status.successful_invoice_count, status.failed_invoice_count) == (200, 5, 1)
    listed = session.list_invoices(page_size=10).invoices
    assert {entry.invoice_file_name for entry in listed} == set(documents)
    (failed,) = session.list_failed_invoices().invoices
    assert failed.invoice_file_name == "broken.xml"
    assert status.upo is not None
    upo = session.get_upo(status.upo.pages[0].reference_number)
    assert all(one.ksef_number.encode() in upo for one in listed if one.ksef_number)


@pytest.mark.parametrize("kind", list(ARCHIVES), ids=lambda kind: kind.value)
def test_sends_a_batch_in_parts(peer: KsefClient, access: str, kind: m.CompressionType) -> None:
    """Parts are encrypted one by one, uploaded side by side and put together again."""
    archive = ARCHIVES[kind]({f"{number}.xml": invoice(f"FV/{number}") for number in range(1, 9)})
    published = encryption_key(peer)
    secret = build_encryption_data(published.certificate, public_key_id=published.public_key_id)
    assert secret.encryption_info is not None
    parts, described = encrypt_batch_parts(archive, secret.key, secret.iv, max_part_size=len(archive) // 3)
    opened = peer.sessions.open_batch_session(
        m.OpenBatchSessionRequest(
            form_code=FA3_FORM,
            batch_file=m.BatchFileInfo(
                described.file_hash, described.file_parts, described.file_size, compression_type=kind
            ),
            encryption=secret.encryption_info,
        ),
        access_token=access,
    )
    assert len(opened.part_upload_requests) == len(parts) > 2
    BatchUploadHelper(peer.http_client).upload_parts(opened.part_upload_requests, parts, parallelism=3)
    peer.sessions.close_batch_session(opened.reference_number, access)
    status = peer.sessions.get_session_status(opened.reference_number, access)
    assert (status.status.code, status.successful_invoice_count) == (200, 8)


def test_resumes_a_batch_after_a_broken_upload(peer: KsefClient, access: str, sandbox: KsefSandbox) -> None:
    """An upload whose connection broke is done again out of the peer's saved state."""
    archive = build_tar_gz({"1.xml": invoice("FV/1")})
    published = encryption_key(peer)
    workflow = BatchSessionWorkflow(peer.sessions, peer.http_client)
    session = workflow.open_session(
        form_code=FA3_FORM,
        archive_bytes=archive,
        compression_type=m.CompressionType.TARGZ,
        public_certificate=published.certificate,
        access_token=access,
    )
    sandbox.state.faults.add("drop_before", "PUT /storage")
    with pytest.raises(KsefHttpError, match="Network error"):
        session.upload_parts()
    resumed = workflow.resume_session(
        BatchSessionState.from_json(session.get_state().to_json()),
        archive_bytes=archive,
        compression_type=m.CompressionType.TARGZ,
        access_token=access,
    )
    resumed.upload_parts()
    resumed.close()
    assert resumed.get_status().successful_invoice_count == 1


@pytest.mark.parametrize("make", [generate_csr_ec, generate_csr_rsa], ids=["EC", "RSA"])
def test_enrols_a_certificate(
    peer: KsefClient, access: str, make: Callable[[dict[str, object]], CsrResult]
) -> None:
    """An enrolled certificate signs in with its chain verified, until it is revoked."""
    assert peer.certificates.get_limits(access).can_request
    wanted = make(peer.certificates.get_enrollment_data(access).to_dict())
    enrolled = peer.certificates.send_enrollment(
        m.EnrollCertificateRequest("Sklep", m.KsefCertificateType.AUTHENTICATION, wanted.csr_base64),
        access_token=access,
    )
    status = peer.certificates.get_enrollment_status(enrolled.reference_number, access_token=access)
    serial = status.certificate_serial_number
    assert status.status.code == 200
    assert serial is not None
    (issued,) = peer.certificates.retrieve_certificate(
        m.RetrieveCertificatesRequest([serial]), access_token=access
    ).certificates
    (listed,) = peer.certificates.query_certificates(
        m.QueryCertificatesRequest(type=m.KsefCertificateType.AUTHENTICATION), access_token=access
    ).certificates
    assert (listed.certificate_serial_number, listed.name) == (serial, issued.certificate_name)

    certificate = x509.load_der_x509_certificate(b64decode(issued.certificate))
    key = serialization.load_der_private_key(b64decode(wanted.private_key_base64), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey)
    signed = sign_in(peer, Credential(key, certificate), chain=True)
    assert send(peer, signed.access_token, invoice("FV/C/1"))[0] == 200

    peer.certificates.revoke_certificate(
        serial,
        m.RevokeCertificateRequest(m.CertificateRevocationReason.SUPERSEDED),
        access_token=access,
    )
    with pytest.raises(RuntimeError, match="Authentication failed: 460"):
        sign_in(peer, Credential(key, certificate), chain=True)


@pytest.mark.parametrize("kind", list(ARCHIVES), ids=lambda kind: kind.value)
def test_exports_documents(
    peer: KsefClient, access: str, clock: MovingClock, kind: m.CompressionType
) -> None:
    """What was sent is found by its metadata, and comes back in an encrypted package."""
    contents = {number: invoice(number) for number in ("FV/1", "FV/2")}
    numbers = [send(peer, access, content)[1] for content in contents.values()]
    # a document is stored a moment after it was accepted
    clock.moment += timedelta(seconds=1)
    filters = m.InvoiceQueryFilters(
        date_range=m.InvoiceQueryDateRange(
            m.InvoiceQueryDateType.PERMANENTSTORAGE, (datetime.now(UTC) - timedelta(days=1)).isoformat()
        ),
        subject_type=m.InvoiceQuerySubjectType.SUBJECT1,
    )
    found = peer.invoices.query_invoice_metadata(filters, access_token=access, page_size=10)
    assert [one.ksef_number for one in found.invoices] == numbers
    published = encryption_key(peer)
    secret = build_encryption_data(published.certificate, public_key_id=published.public_key_id)
    assert secret.encryption_info is not None
    started = peer.invoices.export_invoices(
        m.InvoiceExportRequest(secret.encryption_info, filters, compression_type=kind), access_token=access
    )
    status = peer.invoices.get_export_status(started.reference_number, access_token=access)
    assert status.status.code == 200
    assert status.package is not None
    got = ExportWorkflow(peer.invoices, peer.http_client).download_and_process_package(status.package, secret)
    assert [one["ksefNumber"] for one in got.metadata_summaries] == numbers
    assert sorted(got.invoice_xml_files.values()) == sorted(one.decode() for one in contents.values())


def test_accepts_the_document_that_the_peer_writes(peer: KsefClient, access: str) -> None:
    """The peer's own FA(3) passes the sandbox's checks."""
    document = (
        FA3Invoice.basic("FV/P/1")
        .issued_on(datetime.now(UTC).date())
        .seller(Party.polish_company(nip=NIP, name="Sprzedawca", address=Address.polish("ul. Polna 1")))
        .buyer(Party.polish_company(nip=OTHER_NIP, name="Nabywca", address=Address.polish("ul. Polna 2")))
        .add_line(
            "Książka",
            quantity=Decimal(1),
            unit="szt.",
            unit_net_price=Decimal("100.00"),
            tax=VatClass.from_vat_rate(Decimal(23)),
        )
    )
    assert send(peer, access, document.to_xml())[0] == 200


def test_grants_a_permission(peer: KsefClient, access: str) -> None:
    """A person who was granted InvoiceWrite may sign in to the context and send."""
    person = credential(OTHER_NIP, seal=False, key=RSA_KEY)
    started = peer.permissions.grant_person(
        m.PersonPermissionsGrantRequest.from_dict(
            {
                "subjectIdentifier": {"type": "Nip", "value": OTHER_NIP},
                "permissions": ["InvoiceWrite"],
                "description": "Księgowość",
                "subjectDetails": {
                    "subjectDetailsType": "PersonByIdentifier",
                    "personById": {"firstName": "Jan", "lastName": "Testowy"},
                },
            }
        ),
        access_token=access,
    )
    status = peer.permissions.get_operation_status(started.reference_number, access_token=access)
    assert status.status.code == 200
    assert send(peer, sign_in(peer, person).access_token, invoice("FV/G/1"))[0] == 200


def test_collects_documents_for_a_payment(peer: KsefClient, access: str) -> None:
    """Chosen documents get one identifier, which is found by each of their numbers."""
    numbers = [number for one in ("FV/1", "FV/2") if (number := send(peer, access, invoice(one))[1])]
    identifiers = peer.collective_identifiers
    made = identifiers.generate_for_ksef_numbers(numbers, access_token=access).collective_identifier_number
    for number in numbers:
        (found,) = identifiers.iter_by_ksef_number(number, access_token=access)
        assert found.collective_identifier_number == made
    listed = [one.ksef_number for one in identifiers.iter_invoices([made], access_token=access)]
    assert sorted(listed) == sorted(numbers)


def test_reads_limits_and_registers(peer: KsefClient, access: str) -> None:
    """Limits, rate limits, own permissions and Peppol providers are answered as the peer reads them."""
    assert peer.limits.get_context_limits(access).online_session.max_invoices == 10_000
    assert peer.limits.get_subject_limits(access).certificate is not None
    peer.testdata.restore_production_rate_limits(access_token=access)
    assert peer.rate_limits.get_rate_limits(access).invoice_send.per_minute > 0
    grants = peer.permissions.query_personal_grants(m.PersonalPermissionsQueryRequest(), access_token=access)
    assert grants.owner_permissions
    assert peer.peppol.list_providers(page_size=10).peppol_providers


def test_errors_arrive_typed(peer: KsefClient, access: str, sandbox: KsefSandbox) -> None:
    """Refusals, limits and outages are read by the peer as what they are."""
    with pytest.raises(KsefApiError) as refused:
        peer.sessions.close_online_session("20260101-SO-0000000000-0000000000-00", access)
    assert refused.value.status_code == 400
    admin = httpx.Client(base_url=sandbox.admin_url)
    with admin:
        admin.post("/faults", json={"kind": "http_429", "value": 7}).raise_for_status()
        with pytest.raises(KsefRateLimitError) as busy:
            peer.security.get_public_key_certificates()
        assert busy.value.retry_after == 7
        admin.post("/outages", json={"category": "FAILURE"}).raise_for_status()
    assert peer.lighthouse.get_status().status.value == "FAILURE"
    assert [one.category.value for one in peer.lighthouse.get_messages()] == ["FAILURE"]


def documented(language: str) -> str:
    """The one block of a language in "Using another client" of docs/sandbox.md."""
    text = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8")
    section = text.split("### Using another client\n", 1)[1].split("\n### ", 1)[0]
    blocks: list[str] = re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)
    return blocks[-1]


def test_the_documented_example_runs(sandbox: KsefSandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """The Python example signs in, sends and reads numbers as the document says."""
    address = "http://0.0.0.0:8090"
    example = documented("python").replace(address, f"http://0.0.0.0:{sandbox.port}")
    assert address not in example
    given: dict[str, object] = {"invoice": lambda number: invoice(number, nip=DOCUMENTED_NIP)}
    exec(compile(example, "docs/sandbox.md", "exec"), given)
    number = rf"{DOCUMENTED_NIP}-\d{{8}}-[0-9A-F]{{12}}-[0-9A-F]{{2}}"
    online, batch, *documents = capsys.readouterr().out.splitlines()
    assert re.fullmatch(f"200 {number}", online)
    assert batch == "200"
    assert [bool(re.fullmatch(rf"\d\.xml 200 {number}", one)) for one in documents] == [True] * 3
    assert b"Potwierdzenie" in cast("bytes", given["upo"])


@pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl command here")
@pytest.mark.parametrize("attribute", ["organizationIdentifier=VATPL-", "serialNumber=TINPL-"])
def test_the_documented_certificate_signs_in(
    peer: KsefClient, clock: MovingClock, tmp_path: Path, attribute: str
) -> None:
    """The openssl command gives certificates with which the company, or its owner in person, signs in."""
    text = documented("console").replace("organizationIdentifier=VATPL-", attribute)
    command = shlex.split(text.replace("\\\n", " "))
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    # openssl reads the real clock: the certificate may begin after the sandbox's time, which stands still
    clock.moment = datetime.now(UTC)
    certificate = x509.load_pem_x509_certificate((tmp_path / "test.crt").read_bytes())
    key = serialization.load_pem_private_key((tmp_path / "test.key").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert sign_in(peer, Credential(key, certificate), nip=DOCUMENTED_NIP).access_token
