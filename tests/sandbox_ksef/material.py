"""What a KSeF client needs, made by hand: certificates, signed requests, encrypted invoices.

Written without the product's client on purpose: the sandbox is judged by a second, independent hand.
"""

from __future__ import annotations

import base64
import hashlib
import os
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, padding, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric import padding as rsa_padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.x509.oid import NameOID
from lxml import etree
from signxml.algorithms import SignatureMethod
from signxml.xades.xades import XAdESSigner

NIP = "5260250274"
OTHER_NIP = "5265877635"
FA3 = {"systemCode": "FA (3)", "schemaVersion": "1-0E", "value": "FA"}
FA2 = {"systemCode": "FA (2)", "schemaVersion": "1-0E", "value": "FA"}
_OAEP = rsa_padding.OAEP(mgf=rsa_padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Credential:
    """A key with its self-made certificate."""

    key: PrivateKey
    certificate: x509.Certificate


def credential(
    nip: str = NIP,
    *,
    seal: bool = True,
    attribute: tuple[x509.ObjectIdentifier, str] | None = None,
    key: PrivateKey | None = None,
    since: datetime | None = None,
    days: int = 365,
) -> Credential:
    """A certificate as KSeF TEST takes it: VATPL-NIP of an organization, or TINPL-NIP of a person."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    if attribute is None:
        organization = (NameOID.ORGANIZATION_IDENTIFIER, f"VATPL-{nip}")
        attribute = organization if seal else (NameOID.SERIAL_NUMBER, f"TINPL-{nip}")
    name = x509.Name([x509.NameAttribute(*attribute), x509.NameAttribute(NameOID.COMMON_NAME, "Test")])
    since = since or datetime.now(UTC) - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(since + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    return Credential(key, certificate)


def auth_request(challenge: str, nip: str = NIP, *, version: str = "2.0", policy: str = "") -> bytes:
    """An unsigned AuthTokenRequest."""
    return (
        f'<AuthTokenRequest xmlns="http://ksef.mf.gov.pl/auth/token/{version}">'
        f"<Challenge>{challenge}</Challenge><ContextIdentifier><Nip>{nip}</Nip></ContextIdentifier>"
        f"<SubjectIdentifierType>certificateSubject</SubjectIdentifierType>{policy}</AuthTokenRequest>"
    ).encode()


def sign(xml: bytes, by: Credential, method: SignatureMethod | None = None) -> bytes:
    """Sign XAdES, enveloped."""
    if method is None:
        is_rsa = isinstance(by.key, rsa.RSAPrivateKey)
        method = SignatureMethod.RSA_SHA256 if is_rsa else SignatureMethod.ECDSA_SHA256
    signer = XAdESSigner(signature_algorithm=method, digest_algorithm="sha256")
    signed = signer.sign(etree.fromstring(xml), key=by.key, cert=[by.certificate], always_add_key_value=False)
    return etree.tostring(signed, xml_declaration=True, encoding="UTF-8")


def wrap(certificate: str, content: bytes) -> str:
    """RSA-OAEP with a published certificate (DER in Base64), as Base64."""
    key = x509.load_der_x509_certificate(base64.b64decode(certificate)).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    return base64.b64encode(key.encrypt(content, _OAEP)).decode()


def sha256(content: bytes) -> str:
    """SHA-256 in Base64."""
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


@dataclass(frozen=True)
class SessionKey:
    """Symmetric key and initialization vector of one session."""

    key: bytes = field(default_factory=lambda: os.urandom(32))
    vector: bytes = field(default_factory=lambda: os.urandom(16))

    def encrypt(self, content: bytes) -> bytes:
        """AES-256-CBC with PKCS#7."""
        padder = padding.PKCS7(128).padder()
        padded = padder.update(content) + padder.finalize()
        encryptor = Cipher(algorithms.AES(self.key), modes.CBC(self.vector)).encryptor()
        return encryptor.update(padded) + encryptor.finalize()

    def open_request(self, published: dict[str, str], form: dict[str, str]) -> dict[str, object]:
        """Body of POST /sessions/online."""
        return {
            "formCode": form,
            "encryption": {
                "encryptedSymmetricKey": wrap(published["certificate"], self.key),
                "initializationVector": base64.b64encode(self.vector).decode(),
                "publicKeyId": published["publicKeyId"],
            },
        }

    def send_request(self, content: bytes) -> dict[str, object]:
        """Body of POST /sessions/online/{ref}/invoices."""
        encrypted = self.encrypt(content)
        return {
            "invoiceHash": sha256(content),
            "invoiceSize": len(content),
            "encryptedInvoiceHash": sha256(encrypted),
            "encryptedInvoiceSize": len(encrypted),
            "encryptedInvoiceContent": base64.b64encode(encrypted).decode(),
            "offlineMode": False,
        }


def invoice(
    number: str = "FV/1",
    *,
    nip: str = NIP,
    day: date | None = None,
    buyer: str = OTHER_NIP,
    kind: str = "VAT",
) -> bytes:
    """A small valid FA(3): one line at 23 %."""
    day = day or datetime.now(UTC).date()
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Faktura xmlns="http://crd.gov.pl/wzor/2025/06/25/13775/">
<Naglowek><KodFormularza kodSystemowy="FA (3)" wersjaSchemy="1-0E">FA</KodFormularza>
<WariantFormularza>3</WariantFormularza><DataWytworzeniaFa>{day}T08:00:00Z</DataWytworzeniaFa></Naglowek>
<Podmiot1><DaneIdentyfikacyjne><NIP>{nip}</NIP><Nazwa>Sprzedawca</Nazwa></DaneIdentyfikacyjne>
<Adres><KodKraju>PL</KodKraju><AdresL1>ul. Świętokrzyska 12</AdresL1></Adres></Podmiot1>
<Podmiot2><DaneIdentyfikacyjne><NIP>{buyer}</NIP><Nazwa>Nabywca</Nazwa></DaneIdentyfikacyjne>
<Adres><KodKraju>PL</KodKraju><AdresL1>ul. Polna 1</AdresL1></Adres><JST>2</JST><GV>2</GV></Podmiot2>
<Fa><KodWaluty>PLN</KodWaluty><P_1>{day}</P_1><P_2>{number}</P_2><P_13_1>100.00</P_13_1>
<P_14_1>23.00</P_14_1><P_15>123.00</P_15>
<Adnotacje><P_16>2</P_16><P_17>2</P_17><P_18>2</P_18><P_18A>2</P_18A>
<Zwolnienie><P_19N>1</P_19N></Zwolnienie><NoweSrodkiTransportu><P_22N>1</P_22N></NoweSrodkiTransportu>
<P_23>2</P_23><PMarzy><P_PMarzyN>1</P_PMarzyN></PMarzy></Adnotacje>
<RodzajFaktury>{kind}</RodzajFaktury>
<FaWiersz><NrWierszaFa>1</NrWierszaFa><P_7>Książka</P_7><P_8A>szt.</P_8A><P_8B>1</P_8B>
<P_9A>100.00</P_9A><P_11>100.00</P_11><P_12>23</P_12></FaWiersz></Fa></Faktura>
""".encode()


def private_pem(by: Credential) -> bytes:
    """The key as PEM."""
    return by.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
