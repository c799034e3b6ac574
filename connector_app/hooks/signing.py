"""Signatures of what goes out, by the rules of Standard Webhooks (https://www.standardwebhooks.com).

=======================  =================================================================================
``webhook-id``           of the message; the same at every try, so that copies can be told
``webhook-timestamp``    seconds since 1970 of this try
``webhook-signature``    ``v1,`` and the base64 of HMAC-SHA256 over ``id.timestamp.body``; for a day after
                         the secret was changed there are two, with a space between
=======================  =================================================================================
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from connector_app.vault import Vault

_PREFIX = "whsec_"
_KEY_BYTES = 32
OVERLAP = timedelta(days=1)
"""How long messages are signed with the secret before the newest one too."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """What a hook's messages are signed with.

    Attributes:
        now: the secret in force, as it was shown.
        before: the one before it; empty: none.
        until: until when the one before is used.
    """

    now: str = field(repr=False)
    before: str = field(default="", repr=False)
    until: datetime | None = None

    def renewed(self, at: datetime) -> Secrets:
        """A new secret; the one in force is used beside it for a day."""
        return Secrets(new_secret(), self.now, at + OVERLAP)

    def in_force(self, at: datetime) -> list[str]:
        """The secrets to sign with at a moment."""
        both = self.before and self.until is not None and at < self.until
        return [self.now, self.before] if both else [self.now]

    def seal(self, vault: Vault) -> str:
        """For the database."""
        return vault.seal(
            {
                "now": self.now,
                "before": self.before,
                "until": self.until.isoformat() if self.until else None,
            }
        )

    @classmethod
    def unseal(cls, vault: Vault, sealed: str) -> Secrets:
        """What :meth:`seal` made.

        Raises:
            VaultLocked: the key does not fit.
        """
        values = vault.unseal(sealed)
        assert isinstance(values, dict), "a hook's secrets are a table"
        until = values["until"]
        return cls(values["now"], values["before"], datetime.fromisoformat(until) if until else None)


def new_secret() -> str:
    """A fresh secret of 256 bits, in the form of Standard Webhooks."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode("ascii")


def headers(message_id: str, at: datetime, body: bytes, with_secrets: Sequence[str]) -> dict[str, str]:
    """The headers of one try.

    Args:
        message_id: of the message.
        at: of the try, aware.
        body: as it is sent.
        with_secrets: each gives a signature.
    """
    stamp = str(int(at.timestamp()))
    signed = " ".join(_sign(secret, message_id, stamp, body) for secret in with_secrets)
    return {"webhook-id": message_id, "webhook-timestamp": stamp, "webhook-signature": signed}


def is_genuine(
    given: Mapping[str, str],
    body: bytes,
    secret: str,
    now: datetime,
    tolerance: timedelta = timedelta(minutes=5),
) -> bool:
    """Whether a message was signed with a secret lately, as its receiver checks.

    Args:
        given: headers by their names in small letters.
        body: raw.
        secret: as it was shown.
        now: aware.
        tolerance: how old a try may be.
    """
    stamp = given.get("webhook-timestamp", "")
    if not (stamp.isascii() and stamp.isdigit()):
        return False
    if abs(int(now.timestamp()) - int(stamp)) > tolerance.total_seconds():
        return False
    expected = _sign(secret, given.get("webhook-id", ""), stamp, body)
    found = given.get("webhook-signature", "").split()
    return any(hmac.compare_digest(expected.encode(), one.encode()) for one in found)


def _sign(secret: str, message_id: str, stamp: str, body: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    digest = hmac.new(key, f"{message_id}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode('ascii')}"
