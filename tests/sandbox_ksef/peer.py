"""Steps of ``ksef-client``, another KSeF client, against the sandbox; its own code does all of the work."""

from __future__ import annotations

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12
from ksef_client import KsefClient, KsefClientOptions
from ksef_client import models as m
from ksef_client.services import AuthCoordinator, AuthResult, OnlineSessionWorkflow, XadesKeyPair

from sandbox.ksef import KsefSandbox
from tests.sandbox_ksef.material import NIP, Credential

FA3_FORM = m.FormCode(system_code="FA (3)", schema_version="1-0E", value="FA")


def options_for(sandbox: KsefSandbox) -> KsefClientOptions:
    """The address, and the two options without which the peer uploads to https on the internet only."""
    origin = f"http://0.0.0.0:{sandbox.port}"
    return KsefClientOptions(
        base_url=origin,
        base_qr_url=f"{origin}/qr",
        base_lighthouse_url=f"{origin}/latarnia",
        strict_presigned_url_validation=False,
        allow_private_network_presigned_urls=True,
    )


def key_pair(by: Credential) -> XadesKeyPair:
    """What the peer signs with, out of a PKCS#12 file."""
    packed = pkcs12.serialize_key_and_certificates(
        b"seal",
        by.key,
        by.certificate,
        None,
        serialization.BestAvailableEncryption(b"secret"),
    )
    return XadesKeyPair.from_pkcs12_bytes(pkcs12_bytes=packed, pkcs12_password="secret")


def sign_in(
    peer: KsefClient, by: Credential, *, nip: str = NIP, schema: str = "2.1", chain: bool = False
) -> AuthResult:
    """Sign in with a certificate."""
    return AuthCoordinator(peer.auth).authenticate_with_xades_key_pair(
        key_pair=key_pair(by),
        context_identifier_type="nip",
        context_identifier_value=nip,
        subject_identifier_type="certificateSubject",
        verify_certificate_chain=chain,
        enforce_xades_compliance=True,
        auth_request_schema_version=schema,
        poll_interval_seconds=0.01,
    )


def sign_in_with_token(peer: KsefClient, token: str) -> AuthResult:
    """Sign in with a KSeF token."""
    published = peer.security.get_public_key_certificate("KsefTokenEncryption")
    return AuthCoordinator(peer.auth).authenticate_with_ksef_token(
        token=token,
        public_certificate=published.certificate,
        public_key_id=published.public_key_id,
        context_identifier_type="nip",
        context_identifier_value=NIP,
        poll_interval_seconds=0.01,
    )


def encryption_key(peer: KsefClient) -> m.PublicKeyCertificate:
    """The key that session keys are encrypted for."""
    return peer.security.get_public_key_certificate("SymmetricKeyEncryption")


def send(peer: KsefClient, access: str, content: bytes) -> tuple[int, str | None]:
    """(code, KSeF number) of a document in a session of its own."""
    published = encryption_key(peer)
    session = OnlineSessionWorkflow(peer.sessions).open_session(
        form_code=FA3_FORM,
        public_certificate=published.certificate,
        public_key_id=published.public_key_id,
        access_token=access,
    )
    status = session.get_invoice_status(session.send_invoice(content).reference_number)
    session.close()
    return status.status.code, status.ksef_number
