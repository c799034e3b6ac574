"""Encryption of a backup: a passphrase, and a stream that can be neither changed nor cut unnoticed.

Form of a sealed file: :data:`MAGIC`, one line of JSON with the parameters, then chunks. The key comes from
the passphrase by scrypt (RFC 7914) with a salt of its own for each file. Each chunk is AES-256-GCM; its nonce
is a random beginning, the chunk's place, and whether it is the last one (the STREAM construction of Hoang,
Reyhanitabar, Rogaway and Vizár), and the parameters are authenticated with it. So chunks that are changed,
moved, left out or missing at the end are all noticed.
"""

from __future__ import annotations

import base64
import io
import json
import os
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from core.findings import SaidError, Text

MAGIC = b"KSEFBACKUP1\n"
CHUNK = 1 << 20
"""Bytes of a chunk before it is encrypted."""
SHORTEST = 12
"""Characters of a passphrase."""

_TAG = 16
_COST, _BLOCK, _PARALLEL = 1 << 15, 8, 3
"""scrypt with 32 MB of memory; some 0.3 s, and as much for each guess of whoever found the file."""
_MOST_COST = 1 << 20
_LONGEST_HEAD = 4096


class Unopenable(SaidError):
    """A backup that cannot be read.

    Attributes:
        text: why, for a person.
    """


class SealingFile(io.RawIOBase):
    """Encrypts what is written to it.

    Args:
        out: gets the sealed bytes; stays open.
        passphrase: of at least :data:`SHORTEST` characters.
    """

    def __init__(self, out: IO[bytes], passphrase: str) -> None:
        salt, self._prefix = os.urandom(16), os.urandom(7)
        head = {
            "kdf": "scrypt",
            "n": _COST,
            "r": _BLOCK,
            "p": _PARALLEL,
            "salt": base64.b64encode(salt).decode(),
            "nonce": base64.b64encode(self._prefix).decode(),
        }
        self._head = MAGIC + json.dumps(head).encode() + b"\n"
        key = _key(passphrase, salt, _COST, _BLOCK, _PARALLEL)
        self._out, self._cipher, self._number = out, AESGCM(key), 0
        self._waiting = bytearray()
        out.write(self._head)

    def writable(self) -> bool:
        """It is written to only."""
        return True

    def write(self, data: object) -> int:
        """Take bytes; a chunk goes out when it is full and more follows."""
        taken = bytes(data)  # type: ignore[call-overload]  # the base class takes any buffer
        self._waiting += taken
        while len(self._waiting) > CHUNK:
            self._put(bytes(self._waiting[:CHUNK]), last=False)
            del self._waiting[:CHUNK]
        return len(taken)

    def finish(self) -> None:
        """Write the last chunk; without it the file counts as cut."""
        self._put(bytes(self._waiting), last=True)
        self._waiting.clear()

    def _put(self, data: bytes, *, last: bool) -> None:
        nonce = _nonce(self._prefix, self._number, last=last)
        self._out.write(self._cipher.encrypt(nonce, data, self._head))
        self._number += 1


class SealedFile(io.RawIOBase):
    """Decrypts a sealed file while it is read.

    Args:
        file: at its beginning.
        passphrase: it was sealed with.

    Raises:
        Unopenable: it is no sealed file, or the passphrase is another one.
    """

    def __init__(self, file: IO[bytes], passphrase: str) -> None:
        self._file, self._number, self._over = file, 0, False
        line = file.readline(_LONGEST_HEAD)
        values = file.readline(_LONGEST_HEAD) if line == MAGIC else b""
        self._head = line + values
        try:
            head = json.loads(values)
            cost, block, parallel = int(head["n"]), int(head["r"]), int(head["p"])
            salt, self._prefix = base64.b64decode(head["salt"]), base64.b64decode(head["nonce"])
            # parameters of a stranger must not cost gigabytes
            sane = 1 < cost <= _MOST_COST and 0 < block <= 8 and 0 < parallel <= 16 and len(self._prefix) == 7
        except (ValueError, KeyError, TypeError):
            raise Unopenable(NOT_A_BACKUP) from None
        if not sane:
            raise Unopenable(NOT_A_BACKUP)
        self._cipher = AESGCM(_key(passphrase, salt, cost, block, parallel))
        self._next = self._file.read(CHUNK + _TAG)
        self._ready = memoryview(b"")
        self._fill()

    def readable(self) -> bool:
        """It is read only."""
        return True

    def readinto(self, buffer: object) -> int:
        """Give decrypted bytes; every one of them was authenticated."""
        target = memoryview(buffer).cast("B")  # type: ignore[arg-type]  # any writable buffer
        while not self._ready and not self._over:
            self._fill()
        count = min(len(target), len(self._ready))
        target[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def _fill(self) -> None:
        sealed, self._next = self._next, self._file.read(CHUNK + _TAG)
        last = not self._next
        try:
            opened = self._cipher.decrypt(_nonce(self._prefix, self._number, last=last), sealed, self._head)
        except InvalidTag:
            raise Unopenable(WRONG_PASSPHRASE if self._number == 0 else TAMPERED) from None
        self._ready, self._over = memoryview(opened), last
        self._number += 1


def is_sealed(file: IO[bytes]) -> bool:
    """Whether a file at its beginning is sealed; it is put back there."""
    found = file.read(len(MAGIC)) == MAGIC
    file.seek(0)
    return found


def _key(passphrase: str, salt: bytes, cost: int, block: int, parallel: int) -> bytes:
    return Scrypt(salt=salt, length=32, n=cost, r=block, p=parallel).derive(passphrase.encode())


def _nonce(prefix: bytes, number: int, *, last: bool) -> bytes:
    return prefix + number.to_bytes(4) + bytes([last])


NOT_A_BACKUP = Text("To nie jest kopia zapasowa tego programu.", "This is no backup of this program.")
WRONG_PASSPHRASE = Text(
    "Hasło kopii zapasowej jest inne albo jej początek jest uszkodzony.",
    "The passphrase of the backup is another one, or its beginning is damaged.",
)
TAMPERED = Text(
    "Kopia zapasowa jest ucięta lub zmieniona. Użyj innej kopii.",
    "The backup is cut or was changed. Use another one.",
)
