"""Secrets at rest: encrypted with a key that lives beside the database, readable by its owner only."""

from __future__ import annotations

import base64
import json
import os
import stat
from contextlib import suppress
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_OWNER_ONLY = 0o600


class VaultLocked(Exception):
    """A stored secret cannot be decrypted: the key file is another one than it was, or damaged."""


class Vault:
    """Encrypts and decrypts small JSON values with one installation's key.

    Raises:
        ValueError: the key is no key.
    """

    def __init__(self, key: bytes) -> None:
        self._fernet = Fernet(key)
        self._key = base64.urlsafe_b64decode(key)

    def __repr__(self) -> str:
        return "Vault()"

    @classmethod
    def open(cls, key_file: Path) -> Vault:
        """Open the installation's vault; the first call makes its key.

        Args:
            key_file: path of the key; made with mode 0600, and brought back to it when others could read.

        Raises:
            ValueError: the file holds no key.
            OSError: it cannot be read or made.
        """
        if not key_file.exists():
            _make(key_file)
        with suppress(
            OSError
        ):  # another owner's file, or a read-only secret: its mode is the owner's business
            if stat.S_IMODE(key_file.stat().st_mode) & 0o077:
                key_file.chmod(_OWNER_ONLY)
        return cls(key_file.read_bytes().strip())

    def seal(self, value: object) -> str:
        """Encrypt a JSON-ready value."""
        return self._fernet.encrypt(json.dumps(value).encode()).decode("ascii")

    def exported(self) -> bytes:
        """The key as its file holds it, for a backup."""
        return base64.urlsafe_b64encode(self._key)

    def derive(self, purpose: str) -> bytes:
        """A key of 32 bytes for one purpose, the same as long as the installation's key is (HKDF, RFC 5869).

        Args:
            purpose: names the use, so that no two uses share a key.
        """
        return HKDF(SHA256(), length=32, salt=None, info=purpose.encode()).derive(self._key)

    def unseal(self, sealed: str) -> object:
        """Decrypt what :meth:`seal` made.

        Raises:
            VaultLocked: the key does not fit.
        """
        try:
            return json.loads(self._fernet.decrypt(sealed.encode("ascii")))
        except (InvalidToken, UnicodeEncodeError):
            raise VaultLocked(
                "a stored secret cannot be decrypted: restore the installation's secret.key from its backup"
            ) from None


def _make(key_file: Path) -> None:
    """Make the key, whole and on the disk before anything can be sealed with it.

    Written aside and linked, so that a crash or a second process never leaves half a key.
    """
    aside = key_file.with_suffix(f".{os.getpid()}.new")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as file:
        file.write(Fernet.generate_key())
        file.flush()
        os.fsync(file.fileno())
    try:
        with suppress(FileExistsError):
            os.link(aside, key_file)
    finally:
        aside.unlink()
    folder = os.open(key_file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
