"""410 Gone: whatever KSeF keeps for a time only ends with one error, in words that say how to begin anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from core.ksef import auth, certificates, exports, status, tokens
from core.ksef.auth import Tokens
from core.ksef.client import KsefClient
from core.ksef.environments import custom
from core.ksef.errors import Expired, KsefRefused
from core.ksef.expiry import explain_expired
from core.signing.keys import self_signed
from sandbox.ksef import KsefSandbox

NIP = "5265877635"
SESSION = "20250625-SO-2C3E6C8000-B675CF5D68-07"
OTHER = "20250625-EE-319D7EE000-B67F415CDC-2C"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[KsefSandbox]:
    """A running sandbox."""
    with KsefSandbox(processing_seconds=0) as running:
        yield running


@pytest.fixture(scope="module")
def client(sandbox: KsefSandbox) -> KsefClient:
    """A client of it."""
    return KsefClient(custom(sandbox.api_url, sandbox.qr_url)).for_context(NIP)


@pytest.fixture(scope="module")
def signed_in(client: KsefClient) -> Tokens:
    """The seller's tokens."""
    return auth.sign_in_with_certificate(client, NIP, self_signed(NIP, now=datetime.now(UTC)))


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda client, access: client.sign_in_status(SESSION, access), "zaloguj się ponownie"),
        (lambda client, access: exports.status(client, access, OTHER), "ksef-connector recover"),
        (lambda client, access: certificates.enrollment_status(client, access, OTHER), "certificates list"),
        (lambda client, access: status.session(client, access, SESSION), "wyniku tej sesji"),
        (lambda client, access: status.document(client, access, SESSION, OTHER), "documents retry"),
        (lambda client, access: list(status.documents(client, access, SESSION)), "documents retry"),
        (lambda client, access: tokens.status(client, access, OTHER), "od nowa"),
    ],
)
def test_what_is_no_longer_kept_says_how_to_begin_anew(
    sandbox: KsefSandbox,
    client: KsefClient,
    signed_in: Tokens,
    ask: Callable[[KsefClient, str], object],
    words: str,
) -> None:
    """Asked once, not repeated, typed, with a hint in both languages."""
    sandbox.state.faults.add("http_410", "GET /v2/", times=2)
    with pytest.raises(Expired) as caught:
        ask(client, signed_in.access)
    (left,) = sandbox.state.faults.waiting()
    sandbox.state.faults.clear()
    assert left.times == 1
    assert isinstance(caught.value, KsefRefused)
    assert caught.value.http_status == 410
    assert words in caught.value.hint.pl
    assert caught.value.hint.en
    assert caught.value.hint.pl != caught.value.hint.en


def test_a_sign_in_that_ksef_has_forgotten_ends_at_once(sandbox: KsefSandbox, client: KsefClient) -> None:
    """While its result is waited for: the waiting ends with the first 410."""
    sandbox.state.faults.add("http_410", "GET /v2/auth/", times=5)
    with pytest.raises(Expired):
        auth.sign_in_with_certificate(client, NIP, self_signed(NIP, now=datetime.now(UTC)))
    assert sandbox.state.faults.waiting()[0].times == 4
    sandbox.state.faults.clear()


def test_changes_of_permissions_have_words_too() -> None:
    """The contract gives 410 there as well; another program's answer may be explained with it."""
    assert "uprawnienia" in explain_expired("GET /permissions/operations/{referenceNumber}").pl
