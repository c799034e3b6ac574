"""Encrypting documents for KSeF.

Source: the integrators' documentation of KSeF 2.0 and ``EncryptionInfo``, ``SendInvoiceRequest`` of the API
contract: AES-256-CBC with PKCS#7 padding and a fresh key and IV per session; the ciphertext goes without the
IV in front, as the official clients send it; hashes are SHA-256 in Base64.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from core.ksef.public_keys import PublicKey

_KEY_BYTES = 32
_IV_BYTES = 16
_BLOCK_BITS = 128


class Digest(Protocol):
    """A hash of :mod:`hashlib`."""

    def digest(self) -> bytes:
        """Its bytes."""
        ...


@dataclass(frozen=True, slots=True)
class EncryptedDocument:
    """A document as it goes to KSeF.

    Attributes:
        content: the ciphertext.
        hash: SHA-256 of the plain bytes, Base64.
        size: plain bytes.
        encrypted_hash: SHA-256 of the ciphertext, Base64.
        encrypted_size: bytes of the ciphertext.
    """

    content: bytes = field(repr=False)
    hash: str
    size: int
    encrypted_hash: str
    encrypted_size: int


@dataclass(frozen=True, slots=True)
class SessionKey:
    """The symmetric key of one session; never shown.

    Attributes:
        key: 32 bytes.
        iv: 16 bytes.
    """

    key: bytes = field(repr=False)
    iv: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.key) != _KEY_BYTES or len(self.iv) != _IV_BYTES:
            raise ValueError(f"a session key has {_KEY_BYTES} bytes and an IV of {_IV_BYTES}")

    @classmethod
    def generate(cls, random: Callable[[int], bytes] = os.urandom) -> SessionKey:
        """A fresh key.

        Args:
            random: gives so many secret random bytes.
        """
        return cls(random(_KEY_BYTES), random(_IV_BYTES))

    def info(self, public_key: PublicKey) -> dict[str, str]:
        """``EncryptionInfo`` of the contract: this key, encrypted for the Ministry."""
        return {
            "encryptedSymmetricKey": public_key.encrypt(self.key),
            "initializationVector": base64.b64encode(self.iv).decode("ascii"),
            "publicKeyId": public_key.key_id,
        }

    def encryptor(self) -> StreamEncryptor:
        """Encrypts one stream of bytes piece by piece."""
        return StreamEncryptor(self._cipher())

    def encrypt(self, document: bytes) -> EncryptedDocument:
        """Encrypt one document (plain bytes)."""
        stream = self.encryptor()
        content = stream.update(document) + stream.finish()
        return EncryptedDocument(
            content, sha256_base64(document), len(document), sha256_base64(content), len(content)
        )

    def decrypt(self, content: bytes) -> bytes:
        """Decrypt what :meth:`encrypt` made.

        Raises:
            ValueError: not encrypted with this key, or damaged.
        """
        cipher = self._cipher().decryptor()
        unpadder = PKCS7(_BLOCK_BITS).unpadder()
        return unpadder.update(cipher.update(content) + cipher.finalize()) + unpadder.finalize()

    def decrypted(self, pieces: Iterable[bytes | memoryview]) -> Iterator[bytes]:
        """Decrypt a file piece by piece, so that it is never whole in memory twice.

        Args:
            pieces: the ciphertext, in any sizes.

        Yields:
            The plain bytes, in pieces.

        Raises:
            ValueError: not encrypted with this key, or damaged; only found out at the end.
        """
        cipher = self._cipher().decryptor()
        unpadder = PKCS7(_BLOCK_BITS).unpadder()
        for piece in pieces:
            yield unpadder.update(cipher.update(piece))
        yield unpadder.update(cipher.finalize()) + unpadder.finalize()

    def _cipher(self) -> Cipher[modes.CBC]:
        return Cipher(algorithms.AES256(self.key), modes.CBC(self.iv))


class StreamEncryptor:
    """Encrypts bytes that come in pieces; all pieces together are one padded ciphertext.

    Args:
        cipher: with its key and IV.
    """

    def __init__(self, cipher: Cipher[modes.CBC]) -> None:
        self._padder = PKCS7(_BLOCK_BITS).padder()
        self._encryptor = cipher.encryptor()

    def update(self, data: bytes | memoryview) -> bytes:
        """Take plain bytes; gives what is ready of the ciphertext."""
        return self._encryptor.update(self._padder.update(data))

    def finish(self) -> bytes:
        """The rest of the ciphertext, with the padding."""
        return self._encryptor.update(self._padder.finalize()) + self._encryptor.finalize()


def hash_base64(digest: Digest) -> str:
    """A finished hash in Base64, as KSeF writes hashes (``Sha256HashBase64``)."""
    return base64.b64encode(digest.digest()).decode("ascii")


def sha256_base64(data: bytes) -> str:
    """SHA-256 in Base64, as KSeF writes hashes (``Sha256HashBase64``)."""
    return hash_base64(hashlib.sha256(data))
