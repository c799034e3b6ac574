"""The Ministry's keys, played by the sandbox: real RSA keys with self-made certificates.

Two encryption keys (one for KSeF tokens, one for symmetric keys), as GET /security/public-key-certificates
publishes them, and the seal that signs UPO documents. All are kept with the state.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from sandbox.ksef.errors import BadRequest, Json
from sandbox.ksef.state import SandboxState, stamp

TOKENS = "KsefTokenEncryption"
SYMMETRIC_KEYS = "SymmetricKeyEncryption"
SEAL = "Seal"
_LIFE = timedelta(days=730)
_OAEP = padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)


class DecryptionError(ValueError):
    """Bytes that none of the keys opens."""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """One key with its certificate.

    Attributes:
        public_key_id: SHA-256 of the public key (SubjectPublicKeyInfo, DER) in Base64.
        usage: TOKENS, SYMMETRIC_KEYS or SEAL.
        private_key: the secret half, kept out of the representation.
        certificate: self-made certificate of the public half.
    """

    public_key_id: str
    usage: str
    private_key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    def __repr__(self) -> str:
        return f"KeyPair({self.public_key_id!r}, {self.usage!r})"

    def as_json(self) -> Json:
        """PublicKeyCertificate of the contract."""
        der = self.certificate.public_bytes(serialization.Encoding.DER)
        return {
            "certificate": base64.b64encode(der).decode(),
            "certificateId": base64.b64encode(hashlib.sha256(der).digest()).decode(),
            "publicKeyId": self.public_key_id,
            "validFrom": self.certificate.not_valid_before_utc.isoformat(),
            "validTo": self.certificate.not_valid_after_utc.isoformat(),
            "usage": [self.usage],
        }


def current(state: SandboxState, usage: str) -> list[KeyPair]:
    """The keys of a usage that are not withdrawn, newest first; made at first use."""
    rows = state.all(
        "SELECT * FROM key_pairs WHERE usage = ? AND withdrawn = 0 ORDER BY valid_from DESC, rowid DESC",
        (usage,),
    )
    if not rows:
        return [add(state, usage)]
    return [
        KeyPair(
            row["public_key_id"],
            row["usage"],
            _load(row["private_key"]),
            x509.load_der_x509_certificate(row["certificate"]),
        )
        for row in rows
    ]


def add(state: SandboxState, usage: str) -> KeyPair:
    """Make one more key of a usage, valid from now on; earlier ones stay valid."""
    private_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pair = KeyPair(
        _public_key_id(private_key), usage, private_key, _certificate(private_key, usage, state.now())
    )
    with state.transaction():
        state.insert(
            "key_pairs",
            public_key_id=pair.public_key_id,
            usage=usage,
            private_key=private_key.private_bytes(
                serialization.Encoding.DER,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
            certificate=pair.certificate.public_bytes(serialization.Encoding.DER),
            valid_from=stamp(pair.certificate.not_valid_before_utc),
            valid_to=stamp(pair.certificate.not_valid_after_utc),
        )
    return pair


def rotate(state: SandboxState) -> None:
    """Withdraw both encryption keys at once and publish new ones, as in an emergency."""
    with state.transaction():
        state.run("UPDATE key_pairs SET withdrawn = 1 WHERE usage <> ?", (SEAL,))
        for usage in (TOKENS, SYMMETRIC_KEYS):
            add(state, usage)


def published(state: SandboxState) -> list[Json]:
    """The answer of GET /security/public-key-certificates."""
    return [pair.as_json() for usage in (TOKENS, SYMMETRIC_KEYS) for pair in current(state, usage)]


def seal(state: SandboxState) -> KeyPair:
    """The key that signs UPO documents."""
    return current(state, SEAL)[0]


def choose(state: SandboxState, usage: str, public_key_id: str | None) -> list[KeyPair]:
    """The keys that may open what a caller encrypted.

    Args:
        state: has the keys.
        usage: TOKENS or SYMMETRIC_KEYS.
        public_key_id: which key the caller says to have used; None means any that is valid.

    Raises:
        BadRequest: 21470, the named key is unknown, withdrawn or of another usage.
    """
    pairs = current(state, usage)
    if public_key_id is None:
        return pairs
    chosen = [pair for pair in pairs if pair.public_key_id == public_key_id]
    if not chosen:
        raise BadRequest(21470, f"Klucz o identyfikatorze {public_key_id} nie jest wspierany.")
    return chosen


def decrypt(pairs: list[KeyPair], content: bytes) -> bytes:
    """Open RSA-OAEP (SHA-256, MGF1 SHA-256).

    Raises:
        DecryptionError: none of the keys opens it.
    """
    for pair in pairs:
        try:
            return pair.private_key.decrypt(content, _OAEP)
        except ValueError:
            continue
    raise DecryptionError("no key opens these bytes")


def _load(der: bytes) -> rsa.RSAPrivateKey:
    key = serialization.load_der_private_key(der, password=None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


def _public_key_id(private_key: rsa.RSAPrivateKey) -> str:
    public = private_key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return base64.b64encode(hashlib.sha256(public).digest()).decode()


def _certificate(private_key: rsa.RSAPrivateKey, usage: str, moment: datetime) -> x509.Certificate:
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "PL"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Piaskownica KSeF"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Piaskownica KSeF {usage}"),
        ]
    )
    signs = usage == SEAL
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment.replace(microsecond=0))
        .not_valid_after(moment.replace(microsecond=0) + _LIFE)
        .add_extension(
            x509.KeyUsage(
                digital_signature=signs,
                content_commitment=signs,
                key_encipherment=not signs,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=False,
                crl_sign=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .sign(private_key, hashes.SHA256())
    )
