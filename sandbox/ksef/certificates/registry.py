"""Certificates that were issued: find one by its serial number, know its state and its key."""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from sandbox.ksef.certificates.authority import AUTHENTICATION, OFFLINE, PublicKey
from sandbox.ksef.identities import Identity
from sandbox.ksef.state import SandboxState, stamp

__all__ = [
    "ACTIVE",
    "AUTHENTICATION",
    "BLOCKED",
    "EXPIRED",
    "OFFLINE",
    "REVOKED",
    "STATUSES",
    "Issued",
    "add",
    "find",
    "key_owner",
    "matching",
    "note_use",
    "of",
    "revoke",
    "shorten",
]

ACTIVE = "Active"
BLOCKED = "Blocked"
REVOKED = "Revoked"
EXPIRED = "Expired"
STATUSES = frozenset({ACTIVE, BLOCKED, REVOKED, EXPIRED})
"""CertificateListItemStatus of the contract."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate of the sandbox's authority.

    Attributes:
        serial: sixteen hexadecimal digits, upper case.
        name: name that its holder gave it.
        kind: AUTHENTICATION or OFFLINE.
        subject: whom it was issued to.
        common_name: CN of its subject.
        requested: aware UTC time of the request.
        valid_from: aware UTC start of its life.
        valid_to: aware UTC end of its life; may be earlier than in the certificate itself, since
            PUT /testdata/certificates/{serialNumber} shortens it.
        blocked_at: aware UTC time at which revoking was asked, None otherwise.
        revoked_at: aware UTC time at which revoking is done, None otherwise.
        last_used: aware UTC time of the last sign-in, None without one.
        certificate: the certificate.
    """

    serial: str
    name: str
    kind: str
    subject: Identity
    common_name: str
    requested: datetime
    valid_from: datetime
    valid_to: datetime
    blocked_at: datetime | None
    revoked_at: datetime | None
    last_used: datetime | None
    certificate: x509.Certificate

    @property
    def public_key(self) -> PublicKey:
        """The certified key: verify signatures with it."""
        key = self.certificate.public_key()
        assert isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey)
        return key

    @property
    def der(self) -> bytes:
        """The certificate in DER."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def status(self, moment: datetime) -> str:
        """ACTIVE, BLOCKED, REVOKED or EXPIRED at a moment (CertificateListItemStatus of the contract).

        BLOCKED is the contract's passing state between the call that revokes and its effect.
        """
        if self.revoked_at is not None:
            return REVOKED if self.revoked_at <= moment else BLOCKED
        return EXPIRED if self.valid_to <= moment else ACTIVE

    def is_valid(self, moment: datetime) -> bool:
        """Whether it may be used at a moment: active, and its life has begun."""
        return self.status(moment) == ACTIVE and self.valid_from <= moment


def find(state: SandboxState, serial: str) -> Issued | None:
    """The certificate with this serial number (sixteen hexadecimal digits, upper case), or None."""
    row = state.one("SELECT * FROM certificates WHERE serial = ?", (serial,))
    return None if row is None else _read(row)


def matching(state: SandboxState, certificate: x509.Certificate) -> Issued | None:
    """The issued certificate that equals a given one byte for byte, or None."""
    issued = find(state, f"{certificate.serial_number:016X}")
    return issued if issued is not None and issued.certificate == certificate else None


def of(state: SandboxState, subjects: list[Identity]) -> list[Issued]:
    """Every certificate of some subjects, latest request first."""
    found: list[Issued] = []
    for kind, value in subjects:
        rows = state.all(
            "SELECT * FROM certificates WHERE subject_type = ? AND subject_value = ?", (kind, value)
        )
        found += [_read(row) for row in rows]
    return sorted(found, key=lambda issued: (issued.requested, issued.serial), reverse=True)


def key_owner(state: SandboxState, public_key: PublicKey) -> Identity | None:
    """Whom a key was certified for earlier, or None."""
    row = state.one(
        "SELECT subject_type, subject_value FROM certificates WHERE public_key = ?", (_digest(public_key),)
    )
    return None if row is None else (row["subject_type"], row["subject_value"])


def add(state: SandboxState, issued: Issued) -> None:
    """Store a certificate that was just issued."""
    state.insert(
        "certificates",
        serial=issued.serial,
        name=issued.name,
        kind=issued.kind,
        subject_type=issued.subject[0],
        subject_value=issued.subject[1],
        common_name=issued.common_name,
        requested=stamp(issued.requested),
        valid_from=stamp(issued.valid_from),
        valid_to=stamp(issued.valid_to),
        certificate=issued.der,
        public_key=_digest(issued.public_key),
    )


def revoke(state: SandboxState, serial: str, reason: str) -> None:
    """Begin to revoke: blocked at once, revoked after the sandbox's processing time."""
    now = state.now()
    done = now + timedelta(seconds=state.settings.processing_seconds)
    state.run(
        "UPDATE certificates SET blocked = ?, revoked = ?, reason = ? WHERE serial = ?",
        (stamp(now), stamp(done), reason, serial),
    )


def shorten(state: SandboxState, serial: str, valid_to: datetime) -> None:
    """Let a certificate's life end earlier than it says itself."""
    state.run("UPDATE certificates SET valid_to = ? WHERE serial = ?", (stamp(valid_to), serial))


def note_use(state: SandboxState, serial: str) -> None:
    """Remember that a certificate has just signed in."""
    state.run("UPDATE certificates SET last_used = ? WHERE serial = ?", (stamp(state.now()), serial))


def _digest(public_key: PublicKey) -> str:
    der = public_key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def _read(row: sqlite3.Row) -> Issued:
    return Issued(
        serial=row["serial"],
        name=row["name"],
        kind=row["kind"],
        subject=(row["subject_type"], row["subject_value"]),
        common_name=row["common_name"],
        requested=datetime.fromisoformat(row["requested"]),
        valid_from=datetime.fromisoformat(row["valid_from"]),
        valid_to=datetime.fromisoformat(row["valid_to"]),
        blocked_at=_moment(row["blocked"]),
        revoked_at=_moment(row["revoked"]),
        last_used=_moment(row["last_used"]),
        certificate=x509.load_der_x509_certificate(row["certificate"]),
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
