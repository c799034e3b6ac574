"""Symmetric encryption as KSeF defines it: AES-256-CBC with PKCS#7, the key wrapped with RSA-OAEP.

Source: ``EncryptionInfo`` of open-api.json. The vector travels in ``initializationVector``; the
encrypted bytes carry no prefix.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from sandbox.ksef import keys
from sandbox.ksef.call import Body
from sandbox.ksef.state import SandboxState

KEY_BYTES = 32
VECTOR_BYTES = 16
BLOCK_BYTES = 16
"""Padding adds between one byte and a whole block."""
_BLOCK_BITS = 8 * BLOCK_BYTES


class CipherError(ValueError):
    """Bytes that the key does not open: broken blocks or padding."""


@dataclass(frozen=True, slots=True)
class Encryption:
    """What a caller encrypts with, or wants us to encrypt with.

    Attributes:
        key: 32 bytes; None when the wrapped key could not be opened.
        vector: 16 bytes.
    """

    key: bytes | None = field(repr=False)
    vector: bytes = field(repr=False)


def read(state: SandboxState, body: Body) -> Encryption:
    """Read EncryptionInfo.

    Args:
        state: has the keys that open the wrapped key.
        body: the EncryptionInfo object.

    Raises:
        BadRequest: 21405 for a wrong member, 21470 for an unknown or withdrawn key.
    """
    wrapped = body.base64("encryptedSymmetricKey")
    vector = body.base64("initializationVector", length=VECTOR_BYTES)
    public_key_id = body.text("publicKeyId", shortest=44, longest=44, required=False)
    pairs = keys.choose(state, keys.SYMMETRIC_KEYS, public_key_id)
    try:
        key = keys.decrypt(pairs, wrapped)
    except keys.DecryptionError:
        return Encryption(None, vector)
    return Encryption(key if len(key) == KEY_BYTES else None, vector)


def decrypt(key: bytes, vector: bytes, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Open encrypted bytes piece by piece.

    Raises:
        CipherError: the blocks or the padding are broken; seen only at the end of the bytes.
    """
    decryptor = Cipher(algorithms.AES(key), modes.CBC(vector)).decryptor()
    unpadder = padding.PKCS7(_BLOCK_BITS).unpadder()
    for chunk in chunks:
        yield unpadder.update(decryptor.update(chunk))
    try:
        yield unpadder.update(decryptor.finalize()) + unpadder.finalize()
    except ValueError as error:
        raise CipherError(str(error)) from None


def encrypt(key: bytes, vector: bytes, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Encrypt bytes piece by piece."""
    encryptor = Cipher(algorithms.AES(key), modes.CBC(vector)).encryptor()
    padder = padding.PKCS7(_BLOCK_BITS).padder()
    for chunk in chunks:
        yield encryptor.update(padder.update(chunk))
    yield encryptor.update(padder.finalize()) + encryptor.finalize()
