"""Bearer tokens in the form of JSON Web Tokens (HS256), and who is behind one.

Three kinds, as in KSeF: ``OperationToken`` of a sign-in that is under way, ``ContextToken`` (access token)
and ``RefreshToken``. The end of a token's life is checked against the sandbox's clock at every call.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast

from sandbox.ksef.errors import Json, Unauthorized
from sandbox.ksef.state import SandboxState

OPERATION = "OperationToken"
ACCESS = "ContextToken"
REFRESH = "RefreshToken"
_ISSUER = "ksef-sandbox"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls.

    Attributes:
        authentication: reference number of the sign-in.
        kind: kind of the token used.
        context_type: Nip, InternalId, NipVatUe or PeppolId.
        context_value: value of the context identifier.
        subject_type: Nip, Pesel or Fingerprint.
        subject_value: who signed in.
        permissions: what the subject may do in the context.
        token_reference: reference number of the KSeF token used to sign in, None for a signature.
    """

    authentication: str
    kind: str
    context_type: str
    context_value: str
    subject_type: str
    subject_value: str
    permissions: frozenset[str]
    token_reference: str | None


@dataclass(frozen=True, slots=True)
class Issued:
    """A token that was just made.

    Attributes:
        token: the token: a secret, kept out of the representation.
        valid_until: aware UTC end of its life.
    """

    token: str
    valid_until: datetime

    def __repr__(self) -> str:
        return f"Issued(token=..., valid_until={self.valid_until!r})"

    def as_json(self) -> Json:
        """TokenInfo of the contract."""
        return {"token": self.token, "validUntil": self.valid_until.isoformat()}


def issue(
    state: SandboxState,
    kind: str,
    authentication: str,
    seconds: int,
    permissions: frozenset[str] = frozenset(),
) -> Issued:
    """Make a token.

    Args:
        state: gives the time and the signing secret.
        kind: OPERATION, ACCESS or REFRESH.
        authentication: reference number of the sign-in it belongs to.
        seconds: its life.
        permissions: what its bearer may do for all its life, also when some of it is withdrawn meanwhile.
    """
    now = state.now()
    until = (now + timedelta(seconds=seconds)).replace(microsecond=0)
    claims: Json = {
        "token-type": kind,
        "operation-reference-number": authentication,
        "per": sorted(permissions),
        "jti": state.random_bytes(8).hex(),
        "iat": int(now.timestamp()),
        "exp": int(until.timestamp()),
        "iss": _ISSUER,
        "aud": _ISSUER,
    }
    head = f"{_encode({'alg': 'HS256', 'typ': 'JWT'})}.{_encode(claims)}"
    return Issued(f"{head}.{_signature(state, head)}", until)


def read(state: SandboxState, authorization: str, kinds: frozenset[str]) -> Principal:
    """Find who calls.

    Args:
        state: gives the time, the signing secret and the sign-ins.
        authorization: value of the Authorization header, empty when absent.
        kinds: kinds of token that the operation takes.

    Raises:
        Unauthorized: no token, a broken, foreign or expired one, or one of another kind.
    """
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthorized
    head, _, signature = token.strip().rpartition(".")
    if not hmac.compare_digest(_signature(state, head).encode(), signature.encode()):
        raise Unauthorized("Token jest nieprawidłowy.")
    claims = _decode(head.partition(".")[2])
    if datetime.fromtimestamp(int(str(claims["exp"])), UTC) <= state.now():
        raise Unauthorized("Token wygasł.")
    kind = str(claims["token-type"])
    if kind not in kinds:
        raise Unauthorized("Token tego rodzaju nie jest dozwolony dla tej operacji.")
    row = state.one(
        "SELECT * FROM authentications WHERE reference = ?", (str(claims["operation-reference-number"]),)
    )
    if row is None:
        raise Unauthorized("Token jest nieznany.")
    return Principal(
        authentication=row["reference"],
        kind=kind,
        context_type=row["context_type"],
        context_value=row["context_value"],
        subject_type=row["subject_type"],
        subject_value=row["subject_value"],
        permissions=frozenset(cast("list[str]", claims["per"])),
        token_reference=row["token_reference"],
    )


def _signature(state: SandboxState, head: str) -> str:
    digest = hmac.new(state.secret("bearer"), head.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _encode(value: Json) -> str:
    text = json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def _decode(part: str) -> Json:
    value: Json = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return value
