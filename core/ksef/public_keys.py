"""The Ministry's public keys: which one to encrypt with, and what to do when it was withdrawn.

Source: ``GET /security/public-key-certificates`` of the API contract. Of several valid keys for a usage the
one with the latest start of validity is taken. The list is cached, never for ever: keys are rotated in
emergencies, and error 21470 says so.
"""

from __future__ import annotations

import base64
import binascii
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from core.ksef.answers import PublicKeyCertificate
from core.ksef.client import KsefClient
from core.ksef.errors import KeyRejected, KsefUnavailable, UnreadableAnswer

Value = TypeVar("Value")

_OPERATION = "GET /security/public-key-certificates"


class Usage(StrEnum):
    """What a key encrypts (``PublicKeyCertificateUsage``)."""

    KSEF_TOKEN = "KsefTokenEncryption"  # noqa: S105 - a name of the contract, no secret
    SYMMETRIC_KEY = "SymmetricKeyEncryption"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """One key of the Ministry, ready to encrypt.

    Attributes:
        key_id: publicKeyId, sent with what it encrypts.
        valid_from: start of validity.
        valid_to: end of validity.
        rsa_key: the key.
    """

    key_id: str
    valid_from: datetime
    valid_to: datetime
    rsa_key: rsa.RSAPublicKey = field(repr=False)

    def encrypt(self, secret: bytes) -> str:
        """Encrypt by RSA-OAEP with SHA-256 (MGF1 with SHA-256), to Base64."""
        oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), label=None)
        return base64.b64encode(self.rsa_key.encrypt(secret, oaep)).decode("ascii")


def choose(certificates: Iterable[PublicKeyCertificate], usage: Usage, now: datetime) -> PublicKey:
    """The key to encrypt with: valid now, for the usage, with the latest start of validity.

    Raises:
        KsefUnavailable: there is none.
        UnreadableAnswer: its certificate cannot be read or holds no RSA key.
    """
    valid = [item for item in certificates if usage in item.usages and item.valid_from <= now < item.valid_to]
    if not valid:
        raise KsefUnavailable(f"KSeF publishes no valid key for {usage.value}", operation=_OPERATION)
    newest = max(valid, key=lambda item: item.valid_from)
    return PublicKey(newest.key_id, newest.valid_from, newest.valid_to, _rsa_key(newest.certificate))


class PublicKeys:
    """The keys of one environment, cached; shared by all sellers and threads.

    Args:
        client: fetches them.
        max_age: how long a fetched list is used.
    """

    def __init__(self, client: KsefClient, *, max_age: timedelta = timedelta(hours=1)) -> None:
        self._client = client
        self._max_age = max_age
        self._lock = threading.Lock()
        self._list: tuple[PublicKeyCertificate, ...] = ()
        self._fetched: datetime | None = None

    def key(self, usage: Usage) -> PublicKey:
        """The key to use now; fetches the list when there is none or it is too old.

        Raises:
            KsefError: the list could not be fetched, or holds no valid key.
        """
        now = self._client.clock()
        with self._lock:
            # a clock that jumped back makes the age negative: fetch then, too
            if self._fetched is None or not timedelta(0) <= now - self._fetched < self._max_age:
                self._list = self._client.public_keys()
                self._fetched = now
            return choose(self._list, usage, now)

    def forget(self) -> None:
        """Drop the cached list, so that the next use fetches it."""
        with self._lock:
            self._fetched = None

    def use(self, usage: Usage, attempt: Callable[[PublicKey], Value]) -> Value:
        """Do something with the right key; when KSeF refuses the key (21470), once more with fresh keys.

        Args:
            usage: what the key encrypts.
            attempt: encrypts with the key it is given and calls KSeF.

        Raises:
            KeyRejected: refused with fresh keys, too.
            KsefError: whatever ``attempt`` or fetching raises.
        """
        try:
            return attempt(self.key(usage))
        except KeyRejected:
            self.forget()
        return attempt(self.key(usage))


def _rsa_key(certificate: str) -> rsa.RSAPublicKey:
    from cryptography import x509  # noqa: PLC0415  20 ms that only signing in and sending need

    try:
        loaded = x509.load_der_x509_certificate(base64.b64decode(certificate, validate=True))
        key = loaded.public_key()
    except (binascii.Error, ValueError):
        key = None
    if not isinstance(key, rsa.RSAPublicKey):
        raise UnreadableAnswer("a published certificate holds no RSA key", operation=_OPERATION)
    return key
