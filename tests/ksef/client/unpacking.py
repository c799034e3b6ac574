"""Reading packages as KSeF does, with nothing of the packer: cryptography, tarfile and zipfile only."""

from __future__ import annotations

import base64
import hashlib
import io
import tarfile
import zipfile
from collections.abc import Sequence

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7


def sha(data: bytes) -> str:
    """SHA-256 in Base64."""
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def decrypted(part: bytes, key: bytes, iv: bytes) -> bytes:
    """The plain bytes of one part."""
    decryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
    unpadder = PKCS7(128).unpadder()
    padded = decryptor.update(part) + decryptor.finalize()
    return unpadder.update(padded) + unpadder.finalize()


def unpacked(parts: Sequence[bytes], key: bytes, iv: bytes, kind: str) -> dict[str, bytes]:
    """Names and contents of an archive's files, in its order."""
    archive = io.BytesIO(b"".join(decrypted(part, key, iv) for part in parts))
    found: dict[str, bytes] = {}
    if kind == "TarGz":
        with tarfile.open(fileobj=archive, mode="r:gz") as tar:
            for member in tar:
                content = tar.extractfile(member)
                assert content is not None
                assert member.isreg()
                found[member.name] = content.read()
        return found
    with zipfile.ZipFile(archive) as zipped:
        assert zipped.testzip() is None
        for info in zipped.infolist():
            found[info.filename] = zipped.read(info)
    return found
