"""Checks of a PKCS#10 certificate request.

Source: POST /certificates/enrollments of open-api.json: RSA of exactly 2048 bits or EC on P-256; signed by
RSA PKCS#1 v1.5, RSA PSS or ECDSA with SHA-1, SHA-256, SHA-384 or SHA-512.
"""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import SignatureAlgorithmOID

from sandbox.ksef.certificates.authority import PublicKey
from sandbox.ksef.errors import BadRequest

_RSA_BITS = 2048
_HASHES = (hashes.SHA1, hashes.SHA256, hashes.SHA384, hashes.SHA512)
_ALGORITHMS = frozenset(
    {
        SignatureAlgorithmOID.RSA_WITH_SHA1,
        SignatureAlgorithmOID.RSA_WITH_SHA256,
        SignatureAlgorithmOID.RSA_WITH_SHA384,
        SignatureAlgorithmOID.RSA_WITH_SHA512,
        SignatureAlgorithmOID.RSASSA_PSS,
        SignatureAlgorithmOID.ECDSA_WITH_SHA1,
        SignatureAlgorithmOID.ECDSA_WITH_SHA256,
        SignatureAlgorithmOID.ECDSA_WITH_SHA384,
        SignatureAlgorithmOID.ECDSA_WITH_SHA512,
    }
)


def read(der: bytes) -> tuple[x509.CertificateSigningRequest, PublicKey]:
    """Read a request and check its form, its key and its signature.

    Args:
        der: PKCS#10 in DER.

    Returns:
        The request, and the key that it asks to certify.

    Raises:
        BadRequest: 25004 form or signature, 25010 key, 25011 signature algorithm.
    """
    try:
        request = x509.load_der_x509_csr(der)
    except ValueError as error:
        raise BadRequest(25004, f"Nie można odczytać wniosku: {error}") from None
    _check_algorithm(request)
    key = _key(request)
    if not request.is_signature_valid:
        raise BadRequest(25004, "Podpis wniosku jest niepoprawny.")
    return request, key


def _check_algorithm(request: x509.CertificateSigningRequest) -> None:
    oid = request.signature_algorithm_oid
    try:
        used = request.signature_hash_algorithm
    except (UnsupportedAlgorithm, ValueError):
        used = None
    if oid not in _ALGORITHMS or not isinstance(used, _HASHES):
        raise BadRequest(25011, f"Algorytm {oid.dotted_string} nie jest dozwolony.")


def _key(request: x509.CertificateSigningRequest) -> PublicKey:
    try:
        key = request.public_key()
    except (UnsupportedAlgorithm, ValueError) as error:
        raise BadRequest(25010, f"Nie można odczytać klucza: {error}") from None
    if isinstance(key, rsa.RSAPublicKey) and key.key_size == _RSA_BITS:
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    raise BadRequest(25010, "Dozwolone są klucze RSA 2048 bitów i EC P-256.")
