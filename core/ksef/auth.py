"""Signing in to KSeF: by certificate or signature, by KSeF token, and keeping the tokens fresh.

Source: the integrators' documentation of KSeF 2.0 (authentication), ``/auth/*`` of the API contract and the
schemas of AuthTokenRequest 2.0 and 2.1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from html import escape
from typing import TYPE_CHECKING, Literal

from core.ksef.answers import SignIn, Status
from core.ksef.client import KsefClient
from core.ksef.errors import AuthenticationFailed, KsefRefused, KsefUnavailable
from core.ksef.explanations import CodeKind, explain
from core.ksef.public_keys import PublicKey, PublicKeys, Usage
from core.ksef.waiting import DEFAULT_PATIENCE, Patience, wait_for

if TYPE_CHECKING:
    from core.signing.keys import KeyMaterial

RequestVersion = Literal["2.0", "2.1"]

_STATUS_OPERATION = "GET /auth/{referenceNumber}"
DEFAULT_MARGIN = timedelta(seconds=60)
"""Life that an access token must have left to be used."""
# the sign-in failed for KSeF's own reasons: nothing is wrong with the credential
_TRY_AGAIN = frozenset({500, 550})


class SubjectType(StrEnum):
    """How KSeF reads who signs (``SubjectIdentifierType``)."""

    SUBJECT = "certificateSubject"
    """By the identifier in the certificate's subject."""
    FINGERPRINT = "certificateFingerprint"
    """By the certificate itself, when its subject names no NIP or PESEL; the fingerprint needs a grant."""


@dataclass(frozen=True, slots=True)
class AllowedIps:
    """From where the access tokens may be used (``AuthorizationPolicy/AllowedIps``), at most ten of each.

    Attributes:
        addresses: IPv4 addresses.
        ranges: ``10.0.0.1-10.0.0.254``.
        masks: ``172.16.0.0/16``.
    """

    addresses: tuple[str, ...] = ()
    ranges: tuple[str, ...] = ()
    masks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a sign-in gives; secrets are not shown.

    Attributes:
        access: access token, some minutes.
        access_valid_until: its end, UTC.
        refresh: refresh token, up to 7 days.
        refresh_valid_until: its end, UTC.
    """

    access: str = field(repr=False)
    access_valid_until: datetime
    refresh: str = field(repr=False)
    refresh_valid_until: datetime


@dataclass(frozen=True, slots=True)
class CertificateCredential:
    """Sign in with a certificate and its key (KSeF certificate, qualified seal or signature).

    Attributes:
        key: certificate and key.
        subject_type: how KSeF reads who signs.
        allowed_ips: from where the tokens may be used; None for anywhere.
        version: version of AuthTokenRequest.
    """

    key: KeyMaterial
    subject_type: SubjectType = SubjectType.SUBJECT
    allowed_ips: AllowedIps | None = None
    version: RequestVersion = "2.1"


@dataclass(frozen=True, slots=True)
class TokenCredential:
    """Sign in with a KSeF token; by the regulation in force (Dz.U. 2025 item 1815) until 2026-12-31.

    Attributes:
        token: the token; never shown.
    """

    token: str = field(repr=False)


Credential = CertificateCredential | TokenCredential


def auth_token_request(
    challenge: str,
    nip: str,
    *,
    subject_type: SubjectType = SubjectType.SUBJECT,
    allowed_ips: AllowedIps | None = None,
    version: RequestVersion = "2.1",
) -> bytes:
    """The unsigned AuthTokenRequest, to be signed as XAdES here or outside within the challenge's 10 minutes.

    Args:
        challenge: value of the challenge.
        nip: NIP of the context.
        subject_type: how KSeF reads who signs.
        allowed_ips: from where the tokens may be used; None for anywhere.
        version: version of the schema.

    Returns:
        XML in UTF-8.
    """
    parts = [
        '<?xml version="1.0" encoding="utf-8"?>\n',
        f'<AuthTokenRequest xmlns="http://ksef.mf.gov.pl/auth/token/{version}">',
        f"<Challenge>{escape(challenge)}</Challenge>",
        f"<ContextIdentifier><Nip>{escape(nip)}</Nip></ContextIdentifier>",
        f"<SubjectIdentifierType>{subject_type.value}</SubjectIdentifierType>",
    ]
    if allowed_ips is not None:
        parts.append("<AuthorizationPolicy><AllowedIps>")
        for name, values in (
            ("Ip4Address", allowed_ips.addresses),
            ("Ip4Range", allowed_ips.ranges),
            ("Ip4Mask", allowed_ips.masks),
        ):
            parts.extend(f"<{name}>{escape(value)}</{name}>" for value in values)
        parts.append("</AllowedIps></AuthorizationPolicy>")
    parts.append("</AuthTokenRequest>")
    return "".join(parts).encode()


def encrypted_token(token: str, timestamp_ms: int, public_key: PublicKey) -> str:
    """A KSeF token as ``POST /auth/ksef-token`` wants it: ``token|timestampMs``, RSA-OAEP, Base64."""
    return public_key.encrypt(f"{token}|{timestamp_ms}".encode())


def sign_in_with_certificate(
    client: KsefClient,
    nip: str,
    key: KeyMaterial,
    *,
    subject_type: SubjectType = SubjectType.SUBJECT,
    allowed_ips: AllowedIps | None = None,
    version: RequestVersion = "2.1",
    patience: Patience = DEFAULT_PATIENCE,
) -> Tokens:
    """Sign in with a certificate and its key.

    Args:
        client: the client.
        nip: NIP of the context.
        key: certificate and key.
        subject_type: how KSeF reads who signs.
        allowed_ips: from where the tokens may be used; None for anywhere.
        version: version of AuthTokenRequest.
        patience: how the result is waited for.

    Raises:
        CertificateNotValidError: the certificate is not valid now; nothing was sent.
        AuthenticationFailed: KSeF did not accept it.
        KsefError: whatever else went wrong.
    """
    # imported here: lxml and signxml are needed for this alone
    from core.signing.xades import sign_enveloped  # noqa: PLC0415

    key.check_validity(client.clock())
    challenge = client.challenge()
    request = auth_token_request(
        challenge.value, nip, subject_type=subject_type, allowed_ips=allowed_ips, version=version
    )
    signed = sign_enveloped(request, key, client.clock())
    return sign_in_with_signed_request(client, signed, patience=patience)


def sign_in_with_signed_request(
    client: KsefClient, signed_request: bytes, *, patience: Patience = DEFAULT_PATIENCE
) -> Tokens:
    """Sign in with an AuthTokenRequest that was signed elsewhere (Profil Zaufany, a provider's tool).

    Args:
        client: the client.
        signed_request: the signed file, byte for byte.
        patience: how the result is waited for.

    Raises:
        AuthenticationFailed: KSeF did not accept it.
        KsefError: whatever else went wrong.
    """
    return _finish(client, client.submit_signature(signed_request), patience)


def sign_in_with_token(
    client: KsefClient,
    nip: str,
    token: str,
    public_keys: PublicKeys,
    *,
    patience: Patience = DEFAULT_PATIENCE,
) -> Tokens:
    """Sign in with a KSeF token. A key of the Ministry that was withdrawn (21470) is replaced once.

    Args:
        client: the client.
        nip: NIP of the context.
        token: the KSeF token.
        public_keys: the Ministry's keys.
        patience: how the result is waited for.

    Raises:
        AuthenticationFailed: KSeF did not accept it.
        KsefError: whatever else went wrong.
    """

    def attempt(key: PublicKey) -> SignIn:
        challenge = client.challenge()
        encrypted = encrypted_token(token, challenge.timestamp_ms, key)
        return client.submit_token(challenge.value, nip, encrypted, key.key_id)

    return _finish(client, public_keys.use(Usage.KSEF_TOKEN, attempt), patience)


def sign_in(
    client: KsefClient,
    nip: str,
    credential: Credential,
    public_keys: PublicKeys,
    *,
    patience: Patience = DEFAULT_PATIENCE,
) -> Tokens:
    """Sign in with whichever credential there is; see the two functions above."""
    if isinstance(credential, TokenCredential):
        return sign_in_with_token(client, nip, credential.token, public_keys, patience=patience)
    return sign_in_with_certificate(
        client,
        nip,
        credential.key,
        subject_type=credential.subject_type,
        allowed_ips=credential.allowed_ips,
        version=credential.version,
        patience=patience,
    )


def refresh(client: KsefClient, tokens: Tokens) -> Tokens:
    """A fresh access token for a refresh token (``POST /auth/token/refresh``).

    Returns:
        The tokens with a new access token; the refresh token stays.

    Raises:
        KsefRefused: the sign-in has ended or was revoked; sign in anew.
        KsefError: whatever else went wrong.
    """
    access = client.refresh(tokens.refresh)
    return Tokens(access.value, access.valid_until, tokens.refresh, tokens.refresh_valid_until)


def _still_valid(client: KsefClient, tokens: Tokens | None, margin: timedelta) -> Tokens | None:
    """The given tokens, the refreshed ones, or None when only signing in helps."""
    if tokens is None:
        return None
    soon = client.clock() + margin
    if tokens.access_valid_until > soon:
        return tokens
    if tokens.refresh_valid_until <= soon:
        return None
    try:
        return refresh(client, tokens)
    except KsefRefused:
        # revoked meanwhile; the credential itself may still be good
        return None


def valid_access(
    client: KsefClient,
    nip: str,
    credential: Callable[[], Credential],
    public_keys: PublicKeys,
    tokens: Tokens | None = None,
    *,
    margin: timedelta = DEFAULT_MARGIN,
    patience: Patience = DEFAULT_PATIENCE,
) -> Tokens:
    """Tokens whose access token is usable for at least ``margin``: the given ones, refreshed, or new ones.

    Args:
        client: the client.
        nip: NIP of the context.
        credential: gives the credential when signing in anew is needed; it may raise instead.
        public_keys: the Ministry's keys.
        tokens: the ones at hand, if any.
        margin: life that the access token must have left.
        patience: how the result of a sign-in is waited for.

    Returns:
        The same object when nothing had to be done; otherwise store the new one.

    Raises:
        AuthenticationFailed: KSeF did not accept the credential.
        KsefError: whatever else went wrong.
    """
    found = _still_valid(client, tokens, margin)
    if found is not None:
        return found
    return sign_in(client, nip, credential(), public_keys, patience=patience)


def _finish(client: KsefClient, started: SignIn, patience: Patience) -> Tokens:
    """Wait for the result of a sign-in and redeem it."""
    _await(lambda: client.sign_in_status(started.reference, started.token.value), client.sleep, patience)
    access, refresh_token = client.redeem(started.token.value)
    return Tokens(access.value, access.valid_until, refresh_token.value, refresh_token.valid_until)


def _await(ask: Callable[[], Status], sleep: Callable[[float], None], patience: Patience) -> None:
    """Wait until the sign-in has succeeded.

    Raises:
        AuthenticationFailed: it has failed.
        KsefUnavailable: it failed for KSeF's own reasons, or there is no result in time.
    """
    status = wait_for(
        ask,
        lambda seen: 100 <= seen.code < 200,
        sleep=sleep,
        patience=patience,
        operation=_STATUS_OPERATION,
        what="the sign-in",
    )
    if status.code == 200:
        return
    kind = KsefUnavailable if status.code in _TRY_AGAIN else AuthenticationFailed
    raise kind(
        "the sign-in failed",
        operation=_STATUS_OPERATION,
        code=status.code,
        description=status.description,
        details=status.details,
        hint=explain(status.code, CodeKind.SIGN_IN).action,
    )
