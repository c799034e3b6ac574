"""Steps of a client with KSeF certificates, made by hand."""

from __future__ import annotations

import base64
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from sandbox.ksef.certificates.subject import ATTRIBUTES
from tests.sandbox_ksef.conftest import Client, codes
from tests.sandbox_ksef.material import Credential, PrivateKey

RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
Algorithm = hashes.SHA224 | hashes.SHA256 | hashes.SHA384 | hashes.SHA512


def request(
    attributes: dict[str, object],
    key: PrivateKey | None = None,
    *,
    algorithm: Algorithm | None = None,
    pss: bool = False,
) -> str:
    """A PKCS#10 request in DER and Base64, made by hand."""
    name = x509.Name([x509.NameAttribute(ATTRIBUTES[part], str(value)) for part, value in attributes.items()])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    key = key or ec.generate_private_key(ec.SECP256R1())
    algorithm = algorithm or hashes.SHA256()
    rsa_padding = padding.PSS(padding.MGF1(algorithm), 32) if pss else None
    signed = builder.sign(key, algorithm, rsa_padding=rsa_padding)
    return base64.b64encode(signed.public_bytes(serialization.Encoding.DER)).decode()


def enroll(client: Client, key: PrivateKey, kind: str = "Authentication", **changes: object) -> str:
    """Ask for a certificate; returns the reference number."""
    body = {
        "certificateName": "Certyfikat testowy",
        "certificateType": kind,
        "csr": request(client.get("/certificates/enrollments/data"), key),
        **changes,
    }
    answer = client.http.call("POST", "/certificates/enrollments", token=client.access, body=body)
    assert answer.status_code == 202, answer.text
    reference: str = answer.json()["referenceNumber"]
    return reference


def obtain(
    client: Client, kind: str = "Authentication", key: PrivateKey | None = None
) -> tuple[str, Credential]:
    """(serial number, key and certificate) of a new certificate."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    serial = str(
        client.get(f"/certificates/enrollments/{enroll(client, key, kind)}")["certificateSerialNumber"]
    )
    answer = client.http.call(
        "POST", "/certificates/retrieve", token=client.access, body={"certificateSerialNumbers": [serial]}
    ).json()
    der = base64.b64decode(answer["certificates"][0]["certificate"])
    return serial, Credential(key, x509.load_der_x509_certificate(der))


def revoke(client: Client, serial: str, body: object = None) -> tuple[int, list[int]]:
    """(HTTP status, exception codes) of revoking."""
    answer = client.http.call("POST", f"/certificates/{serial}/revoke", token=client.access, body=body)
    return answer.status_code, codes(answer.json()) if answer.status_code == 400 else []


def query(client: Client, body: object = None, **page: str | int | list[str]) -> dict[str, object]:
    """The answer of POST /certificates/query."""
    answer = client.http.call(
        "POST", "/certificates/query", token=client.access, body=body, query=page or None
    )
    values: dict[str, object] = answer.json()
    return values


def shorten(client: Client, serial: str, moment: datetime) -> int:
    """End a certificate's life earlier; returns the HTTP status."""
    answer = client.http.call(
        "PUT", f"/testdata/certificates/{serial}", token=client.access, body={"validTo": moment.isoformat()}
    )
    return answer.status_code


def status_of(client: Client, reference: str) -> dict[str, object]:
    """The status of a request for a certificate."""
    inner = client.get(f"/certificates/enrollments/{reference}")["status"]
    assert isinstance(inner, dict)
    return inner


def serials_of(answer: dict[str, object]) -> list[str]:
    """Serial numbers of a listed answer, in its order."""
    listed = answer["certificates"]
    assert isinstance(listed, list)
    return [entry["certificateSerialNumber"] for entry in listed]
