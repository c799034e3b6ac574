"""Secrets at rest: encrypted with a key that lives beside the database, readable by its owner only."""

from __future__ import annotations

import json
import os
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken


class VaultLocked(Exception):
    """A stored secret cannot be decrypted: the key file is another one than it was."""


class Vault:
    """Encrypts and decrypts small JSON values with one installation's key."""

    def __init__(self, key: bytes) -> None:
        self._fernet = Fernet(key)

    def __repr__(self) -> str:
        return "Vault()"

    @classmethod
    def open(cls, key_file: Path) -> Vault:
        """Open the installation's vault; the first call makes its key.

        Args:
            key_file: path of the key; created with mode 0600.
        """
        if not key_file.exists():
            # written aside and linked, so that a crash or a second process never leaves half a key
            aside = key_file.with_suffix(f".{os.getpid()}.new")
            descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(Fernet.generate_key())
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(aside, key_file)
            except FileExistsError:
                pass
            finally:
                aside.unlink()
        return cls(key_file.read_bytes().strip())

    def seal(self, value: object) -> str:
        """Encrypt a JSON-ready value."""
        return self._fernet.encrypt(json.dumps(value).encode()).decode("ascii")

    def unseal(self, sealed: str) -> object:
        """Decrypt what :meth:`seal` made.

        Raises:
            VaultLocked: the key does not fit.
        """
        try:
            return json.loads(self._fernet.decrypt(sealed.encode("ascii")))
        except InvalidToken:
            raise VaultLocked(
                "a stored secret cannot be decrypted: restore the installation's secret.key from its backup"
            ) from None
