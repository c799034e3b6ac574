"""Signing in, as a caller sees it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest
from lxml import etree

from core.ksef.auth import (
    AllowedIps,
    CertificateCredential,
    SubjectType,
    TokenCredential,
    Tokens,
    auth_token_request,
    sign_in_with_certificate,
    sign_in_with_token,
    valid_access,
)
from core.ksef.client import KsefClient
from core.ksef.errors import AuthenticationFailed, KeyRejected, KsefUnavailable
from core.ksef.public_keys import PublicKeys
from core.ksef.waiting import Patience
from core.signing.keys import CertificateNotValidError, self_signed

if TYPE_CHECKING:
    from tests.ksef.client.conftest import Clock, FakeKsef

NIP = "5265877635"
CHALLENGE = "20250514-CR-226FB7B000-3ACF9BE4C0-10"


@pytest.mark.parametrize("version", ["2.0", "2.1"])
@pytest.mark.parametrize("subject_type", list(SubjectType))
def test_request_is_valid_by_the_official_schema(
    official_ksef: Path, version: Literal["2.0", "2.1"], subject_type: SubjectType
) -> None:
    """The unsigned AuthTokenRequest of either version satisfies the Ministry's schema."""
    schema = _official_schema(official_ksef, version)
    xml = auth_token_request(CHALLENGE, NIP, subject_type=subject_type, version=version)
    schema.assertValid(etree.fromstring(xml))


def test_request_with_addresses_is_valid_by_the_official_schema(official_ksef: Path) -> None:
    """The policy of allowed addresses satisfies the Ministry's schema 2.1."""
    schema = _official_schema(official_ksef, "2.1")
    ips = AllowedIps(("192.168.0.10",), ("10.0.0.1-10.0.0.254",), ("172.16.0.0/16",))
    schema.assertValid(etree.fromstring(auth_token_request(CHALLENGE, NIP, allowed_ips=ips)))


def test_certificate_signs_in(ksef: FakeKsef, client: KsefClient, clock: Clock, no_secrets: None) -> None:
    """A certificate gives tokens in four operations, and the signed request holds the challenge."""
    tokens = sign_in_with_certificate(client, NIP, self_signed(NIP, now=clock.now))
    assert ksef.operations() == [
        "POST /auth/challenge",
        "POST /auth/xades-signature",
        "GET /auth/{referenceNumber}",
        "POST /auth/token/redeem",
    ]
    assert CHALLENGE.encode() in ksef.requests[1][1].body
    assert tokens.access == "access-secret"
    assert tokens.access_valid_until == clock.now + timedelta(minutes=15)
    assert "secret" not in repr(tokens)


def test_expired_certificate_is_not_sent(ksef: FakeKsef, client: KsefClient, clock: Clock) -> None:
    """With an expired certificate nothing is asked of KSeF."""
    key = self_signed(NIP, now=clock.now - timedelta(days=400))
    with pytest.raises(CertificateNotValidError, match="expired"):
        sign_in_with_certificate(client, NIP, key)
    assert not ksef.requests


def test_token_signs_in(
    ksef: FakeKsef, client: KsefClient, public_keys: PublicKeys, clock: Clock, no_secrets: None
) -> None:
    """A KSeF token goes out encrypted with the challenge's milliseconds and the key's id."""
    sign_in_with_token(client, NIP, "ksef-token-secret", public_keys)
    body = ksef.body("POST /auth/ksef-token")
    plain = ksef.keys[0].decrypt(str(body["encryptedToken"])).decode()
    assert plain == f"ksef-token-secret|{int(clock.now.timestamp() * 1000)}"
    assert body["publicKeyId"] == ksef.keys[0].key_id
    assert body["contextIdentifier"] == {"type": "Nip", "value": NIP}
    assert all(b"ksef-token-secret" not in request.body for _, request in ksef.requests)
    assert "secret" not in repr(TokenCredential("ksef-token-secret"))


def test_result_is_waited_for_with_growing_pauses(ksef: FakeKsef, client: KsefClient, clock: Clock) -> None:
    """While the sign-in is in progress the pauses grow up to their longest."""
    reply = ksef.sign_in_result(100)
    ksef.script("GET /auth/{referenceNumber}", *[reply] * 5)
    sign_in_with_certificate(client, NIP, self_signed(NIP, now=clock.now), patience=Patience(60, 0.2, 2, 1.0))
    assert clock.slept == [0.2, 0.4, 0.8, 1.0, 1.0]


def test_waiting_ends(ksef: FakeKsef, client: KsefClient, clock: Clock) -> None:
    """A sign-in without result is given up after the total patience, as something to try again."""
    ksef.script("GET /auth/{referenceNumber}", *[ksef.sign_in_result(100)] * 50)
    with pytest.raises(KsefUnavailable, match="no result"):
        sign_in_with_certificate(client, NIP, self_signed(NIP, now=clock.now), patience=Patience(10))
    assert 10 <= sum(clock.slept) < 16


@pytest.mark.parametrize("code", [415, 425, 450, 460, 470, 480, 499])
def test_failed_sign_in_says_why(ksef: FakeKsef, client: KsefClient, clock: Clock, code: int) -> None:
    """A refused credential carries KSeF's code, details and what to do, also for a code nobody knows."""
    ksef.script("GET /auth/{referenceNumber}", ksef.sign_in_result(code, "Nieprawidłowy token"))
    with pytest.raises(AuthenticationFailed) as caught:
        sign_in_with_certificate(client, NIP, self_signed(NIP, now=clock.now))
    assert caught.value.code == code
    assert caught.value.details == ("Nieprawidłowy token",)
    assert caught.value.hint.pl
    assert caught.value.hint.en
    assert "POST /auth/token/redeem" not in ksef.operations()


@pytest.mark.parametrize("code", [500, 550])
def test_sign_in_that_ksef_cancelled_is_tried_again_later(
    ksef: FakeKsef, client: KsefClient, clock: Clock, code: int
) -> None:
    """Failures of KSeF's own are unavailability, not a wrong credential."""
    ksef.script("GET /auth/{referenceNumber}", ksef.sign_in_result(code))
    with pytest.raises(KsefUnavailable) as caught:
        sign_in_with_certificate(client, NIP, self_signed(NIP, now=clock.now))
    assert caught.value.code == code


def test_withdrawn_key_is_replaced_once(ksef: FakeKsef, client: KsefClient, public_keys: PublicKeys) -> None:
    """After 21470 the keys are fetched again and the token is sent once more, with a new challenge."""
    ksef.script("POST /auth/ksef-token", ksef.problem(21470, "Klucz jest nieznany."))
    sign_in_with_token(client, NIP, "ksef-token-secret", public_keys)
    operations = ksef.operations()
    assert operations.count("GET /security/public-key-certificates") == 2
    assert operations.count("POST /auth/challenge") == 2


def test_key_withdrawn_twice_is_an_error(ksef: FakeKsef, client: KsefClient, public_keys: PublicKeys) -> None:
    """A second 21470 is not repeated for ever."""
    refused = ksef.problem(21470, "Klucz jest nieznany.")
    ksef.script("POST /auth/ksef-token", refused, refused)
    with pytest.raises(KeyRejected):
        sign_in_with_token(client, NIP, "ksef-token-secret", public_keys)
    assert ksef.operations().count("POST /auth/ksef-token") == 2


def test_usable_tokens_are_kept(
    ksef: FakeKsef, client: KsefClient, public_keys: PublicKeys, clock: Clock
) -> None:
    """Tokens with more than a minute left are given back without a request."""
    tokens = _tokens(clock)
    assert valid_access(client, NIP, lambda: TokenCredential("t"), public_keys, tokens) is tokens
    assert not ksef.requests


def test_old_access_token_is_refreshed(
    ksef: FakeKsef, client: KsefClient, public_keys: PublicKeys, clock: Clock, no_secrets: None
) -> None:
    """An access token with less than a minute left is replaced by means of the refresh token."""
    tokens = replace(_tokens(clock), access_valid_until=clock.now + timedelta(seconds=59))
    fresh = valid_access(client, NIP, lambda: TokenCredential("t"), public_keys, tokens)
    assert ksef.operations() == ["POST /auth/token/refresh"]
    assert ksef.requests[0][1].headers["Authorization"] == "Bearer refresh-secret"
    assert fresh.access == "access-secret-2"
    assert fresh.refresh == "refresh-secret"


def test_revoked_refresh_token_leads_to_a_new_sign_in(
    ksef: FakeKsef, client: KsefClient, public_keys: PublicKeys, clock: Clock
) -> None:
    """When refreshing is refused, the credential itself is used."""
    ksef.script("POST /auth/token/refresh", ksef.problem(21301, "Brak autoryzacji."))
    tokens = replace(_tokens(clock), access_valid_until=clock.now)
    credential = CertificateCredential(self_signed(NIP, now=clock.now))
    fresh = valid_access(client, NIP, lambda: credential, public_keys, tokens)
    assert fresh.access == "access-secret"
    assert "POST /auth/xades-signature" in ksef.operations()


def test_ended_refresh_token_leads_to_a_new_sign_in(
    ksef: FakeKsef, client: KsefClient, public_keys: PublicKeys, clock: Clock
) -> None:
    """With both tokens ended, refreshing is not even tried."""
    tokens = replace(_tokens(clock), access_valid_until=clock.now, refresh_valid_until=clock.now)
    valid_access(client, NIP, lambda: TokenCredential("t"), public_keys, tokens)
    assert "POST /auth/token/refresh" not in ksef.operations()


def _tokens(clock: Clock) -> Tokens:
    return Tokens(
        "access-secret",
        clock.now + timedelta(minutes=10),
        "refresh-secret",
        clock.now + timedelta(days=6),
    )


def _official_schema(official_ksef: Path, version: str) -> etree.XMLSchema:
    file = official_ksef / "auth" / f"schemat_auth_v{version.replace('.', '-')}.xsd"
    tree = etree.parse(file)
    if version == "2.0":
        # its patterns of addresses use ^, $ and \b, which are no XML Schema regular expressions
        for pattern in list(tree.iter("{http://www.w3.org/2001/XMLSchema}pattern")):
            parent = pattern.getparent()
            if parent is not None and r"\b" in (pattern.get("value") or ""):
                parent.remove(pattern)
    return etree.XMLSchema(tree)
