"""What a seller signs in with, sealed at rest: certificate and key or KSeF token; the tokens of a sign-in."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from cryptography import x509

from connector_app.store.models import Seller
from connector_app.vault import Vault
from core.ksef.auth import (
    AllowedIps,
    CertificateCredential,
    Credential,
    SubjectType,
    TokenCredential,
    Tokens,
)
from core.ksef.errors import SignInNeeded
from core.signing.keys import (
    KeyMaterial,
    PrivateKey,
    UnreadableKeyError,
    key_pem,
    load_key,
    load_pem,
    serial_text,
)


class CredentialKind(StrEnum):
    """How a seller signs in."""

    CERTIFICATE = "certificate"
    TOKEN = "token"  # noqa: S105  the name of a kind, no secret
    OUTSIDE = "outside"
    """By a signature that a person makes outside the program."""


@dataclass(frozen=True, slots=True)
class CredentialInfo:
    """What may be shown of a seller's credential.

    Attributes:
        kind: how it signs in.
        serial_number: of the certificate, hexadecimal; empty for others.
        subject: of the certificate (RFC 4514); empty for others.
        valid_until: end of the certificate; None for others.
    """

    kind: CredentialKind
    serial_number: str = ""
    subject: str = ""
    valid_until: datetime | None = None


def seal_key(vault: Vault, key: PrivateKey) -> str:
    """A private key whose certificate is still to come, sealed."""
    return vault.seal({"kind": "key", **_key_entries(key)})


def seal_certificate(
    vault: Vault,
    key: KeyMaterial,
    *,
    subject_type: SubjectType = SubjectType.SUBJECT,
    allowed_ips: AllowedIps | None = None,
) -> str:
    """A certificate and its key, sealed.

    Args:
        vault: of the installation.
        key: the certificate and key.
        subject_type: how KSeF reads who signs.
        allowed_ips: from where a sign-in may be used; None for anywhere.
    """
    stored: dict[str, object] = {
        "kind": "certificate",
        "certificate": key.certificate_pem().decode("ascii"),
        "subject": subject_type.value,
        **_key_entries(key.private_key),
    }
    if allowed_ips is not None:
        stored["allowed_ips"] = asdict(allowed_ips)
    return vault.seal(stored)


def _key_entries(key: PrivateKey) -> dict[str, str]:
    password = secrets.token_urlsafe(24)
    return {"key": key_pem(key, password).decode("ascii"), "password": password}


def seal_token(vault: Vault, token: str) -> str:
    """A KSeF token, sealed."""
    return vault.seal({"kind": "token", "token": token})


def unseal_key(vault: Vault, sealed: str) -> PrivateKey:
    """The private key of :func:`seal_key` or :func:`seal_certificate`.

    Raises:
        VaultLocked: it cannot be decrypted.
        KeyMaterialError: it is no usable key.
    """
    stored = _table(vault, sealed)
    return load_key(stored["key"].encode(), stored["password"])


def unseal_certificate(vault: Vault, sealed: str, now: datetime) -> KeyMaterial:
    """The certificate and key of :func:`seal_certificate`.

    Raises:
        VaultLocked: it cannot be decrypted.
        KeyMaterialError: it is no longer usable.
    """
    stored = _table(vault, sealed)
    return load_pem(
        stored["certificate"].encode(), stored["key"].encode(), password=stored["password"], now=now
    )


def credential_of(vault: Vault, sealed: str, now: datetime) -> Credential:
    """A seller's credential.

    Args:
        vault: of the installation.
        sealed: the seller's ``credential``.
        now: aware time; a certificate has to be valid then.

    Raises:
        SignInNeeded: there is none, a person signs outside the program.
        VaultLocked: it cannot be decrypted.
        KeyMaterialError: the certificate is no longer usable.
    """
    if not sealed:
        raise SignInNeeded("there is nothing to sign in with")
    stored = _table(vault, sealed)
    if stored["kind"] == "token":
        return TokenCredential(stored["token"])
    allowed = stored.get("allowed_ips")
    return CertificateCredential(
        unseal_certificate(vault, sealed, now),
        subject_type=SubjectType(stored.get("subject", SubjectType.SUBJECT)),
        allowed_ips=AllowedIps(**{name: tuple(values) for name, values in allowed.items()})
        if allowed
        else None,
    )


def credential_info(vault: Vault, seller: Seller) -> CredentialInfo:
    """What may be shown of a seller's credential, however old it is.

    Raises:
        VaultLocked: it cannot be decrypted.
        KeyMaterialError: there is no certificate in it.
    """
    if not seller.credential:
        return CredentialInfo(CredentialKind.OUTSIDE)
    stored = _table(vault, seller.credential)
    if stored["kind"] == "token":
        return CredentialInfo(CredentialKind.TOKEN)
    try:
        found = x509.load_pem_x509_certificate(stored["certificate"].encode())
    except ValueError:
        raise UnreadableKeyError("the stored certificate is damaged") from None
    return CredentialInfo(
        CredentialKind.CERTIFICATE,
        serial_number=serial_text(found),
        subject=found.subject.rfc4514_string(),
        valid_until=found.not_valid_after_utc,
    )


def seal_tokens(vault: Vault, tokens: Tokens) -> str:
    """The tokens of a sign-in, sealed."""
    return vault.seal(
        {
            "access": tokens.access,
            "access_valid_until": tokens.access_valid_until.isoformat(),
            "refresh": tokens.refresh,
            "refresh_valid_until": tokens.refresh_valid_until.isoformat(),
        }
    )


def tokens_of(vault: Vault, sealed: str | None) -> Tokens | None:
    """The tokens of :func:`seal_tokens`; None when there are none.

    Raises:
        VaultLocked: they cannot be decrypted.
    """
    if sealed is None:
        return None
    stored = _table(vault, sealed)
    return Tokens(
        stored["access"],
        datetime.fromisoformat(stored["access_valid_until"]),
        stored["refresh"],
        datetime.fromisoformat(stored["refresh_valid_until"]),
    )


def _table(vault: Vault, sealed: str) -> dict[str, Any]:
    stored = vault.unseal(sealed)
    if not isinstance(stored, dict):
        raise TypeError("a stored credential must be a table")
    return stored
