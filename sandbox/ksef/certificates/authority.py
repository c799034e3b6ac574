"""The sandbox's certificate authority: one EC key made at first use and kept with the state."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from sandbox.ksef.state import SandboxState

AUTHENTICATION = "Authentication"
"""Kind of certificate that signs in: keyUsage digitalSignature."""
OFFLINE = "Offline"
"""Kind of certificate that signs QR code II: keyUsage nonRepudiation."""
LIFE = timedelta(days=730)
"""Life of an issued certificate: two years."""

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey
_LIFE_OF_AUTHORITY = timedelta(days=20 * 365)
_SERIAL_BYTES = 7


@dataclass(frozen=True, slots=True)
class Authority:
    """The authority.

    Attributes:
        private_key: signs what it issues; kept out of the representation.
        certificate: its self-signed certificate.
    """

    private_key: ec.EllipticCurvePrivateKey = field(repr=False)
    certificate: x509.Certificate

    def issue(
        self,
        *,
        subject: x509.Name,
        public_key: PublicKey,
        kind: str,
        serial: int,
        valid_from: datetime,
        valid_to: datetime,
    ) -> x509.Certificate:
        """Issue a certificate.

        Args:
            subject: whom it names.
            public_key: the key that it certifies.
            kind: AUTHENTICATION or OFFLINE, which decides keyUsage.
            serial: serial number of the certificate.
            valid_from: aware UTC start of its life.
            valid_to: aware UTC end of its life.
        """
        own_key = self.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.certificate.subject)
            .public_key(public_key)
            .serial_number(serial)
            .not_valid_before(valid_from)
            .not_valid_after(valid_to)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(
                _usage(signs_in=kind == AUTHENTICATION, signs_codes=kind == OFFLINE), critical=True
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own_key), critical=False
            )
            .sign(self.private_key, hashes.SHA256())
        )


def of(state: SandboxState) -> Authority:
    """The authority of a sandbox; made and stored at first use."""
    with state.transaction():
        row = state.one("SELECT private_key, certificate FROM authority")
        if row is not None:
            key = serialization.load_der_private_key(row["private_key"], password=None)
            assert isinstance(key, ec.EllipticCurvePrivateKey)
            return Authority(key, x509.load_der_x509_certificate(row["certificate"]))
        authority = _make(state.now())
        state.insert(
            "authority",
            private_key=authority.private_key.private_bytes(
                serialization.Encoding.DER,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
            certificate=authority.certificate.public_bytes(serialization.Encoding.DER),
        )
        return authority


def new_serial(state: SandboxState) -> int:
    """A serial number whose hexadecimal form has the contract's sixteen digits."""
    return int.from_bytes(b"\x01" + state.random_bytes(_SERIAL_BYTES), "big")


def _make(moment: datetime) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "PL"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Piaskownica KSeF"),
            x509.NameAttribute(NameOID.COMMON_NAME, "Piaskownica KSeF CA"),
        ]
    )
    since = moment.replace(microsecond=0)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(since + _LIFE_OF_AUTHORITY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(issues=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Authority(key, certificate)


def _usage(*, signs_in: bool = False, signs_codes: bool = False, issues: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signs_in,
        content_commitment=signs_codes,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=issues,
        crl_sign=issues,
        encipher_only=False,
        decipher_only=False,
    )
