"""A certificate and its key from files that a person chose, in whatever form they come."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from cryptography import x509

from core.signing.keys import KeyMaterial, UnreadableKeyError, load_pem, load_pkcs12

LARGEST_FILE = 64 * 1024
"""Bytes of a certificate, key or PKCS#12 file; real ones have a few thousand."""
_PRIVATE = b"PRIVATE KEY-----"


class KeyMissing(UnreadableKeyError):
    """There is a certificate, and no key to it."""


def read_key(first: bytes, second: bytes | None, password: str | None, now: datetime) -> KeyMaterial:
    """The certificate and key in one file (PKCS#12, or both in PEM) or in two, in either order.

    Args:
        first: a file.
        second: the other one, if there are two.
        password: of the key; ``None`` for none.
        now: aware time; the certificate has to be valid then.

    Raises:
        KeyMissing: a certificate alone.
        KeyMaterialError: they cannot be used, see :mod:`core.signing.keys`.
    """
    if second is not None:
        if _PRIVATE in first and _PRIVATE not in second:
            first, second = second, first
        return load_pem(first, second, password=password, now=now)
    if b"-----BEGIN" in first:
        if _PRIVATE not in first:
            raise KeyMissing("there is a certificate without its private key")
        return load_pem(first, first, password=password, now=now)
    if _is_certificate(first):
        raise KeyMissing("there is a certificate without its private key")
    return load_pkcs12(first, password=password, now=now)


def _is_certificate(data: bytes) -> bool:
    with suppress(ValueError):
        x509.load_der_x509_certificate(data)
        return True
    return False
