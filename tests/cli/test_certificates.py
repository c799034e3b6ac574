"""``certificates``, ``tokens`` and ``permissions``: the whole way from a token to certificates."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from sqlalchemy import update

from connector_app.credentials import unseal_certificate, unseal_key
from connector_app.store.database import open_database
from connector_app.store.models import Certificate
from core.signing.keys import public_bytes, self_signed
from sandbox.ksef import KsefSandbox, auth, tokens
from tests.cli.conftest import Run
from tests.cli.ksef_sellers import NIP, add_seller, answer, key_files, seal, stored, stored_tokens
from tests.cli.test_auth import sign

AUTHENTICATION = ("certificates", "enroll", "--kind", "authentication")
OFFLINE = ("certificates", "enroll", "--kind", "offline")
ENROLL = "POST /v2/certificates/enrollments$"


@pytest.fixture
def sandbox() -> Iterator[KsefSandbox]:
    """KSeF, with a moment before its verdicts."""
    with KsefSandbox(processing_seconds=0.05) as running:
        yield running


@pytest.fixture
def seller(run: Run, sandbox: KsefSandbox, tmp_path: Path) -> None:
    """A seller that signs in with a seal."""
    add_seller(run, sandbox, *key_files(tmp_path, seal()))


@pytest.mark.usefixtures("seller")
def test_a_certificate_is_got_stored_and_used(run: Run, home: Path) -> None:
    """enroll --use makes, asks, waits, stores sealed and signs in with it; the list marks it."""
    done = run(*AUTHENTICATION, "--use", "--name", "Sklep główny")
    assert done.exit_code == 0, done.output
    for word in ("Klucz powstał", "Wniosek wysłany", "✓ Certyfikat", "loguje się tym certyfikatem"):
        assert word in done.output
    row, (certificate,), vault = stored(home)
    assert (certificate.stage, certificate.kind, certificate.name) == (
        "issued",
        "Authentication",
        "Sklep główny",
    )
    assert row.credential == certificate.secret
    material = unseal_certificate(vault, certificate.secret, datetime.now(UTC))
    assert material.algorithm == "EC secp256r1"
    assert material.serial_number == certificate.serial_number
    assert material.valid_until == certificate.valid_until
    assert b"PRIVATE KEY" not in (home / "connector.sqlite3").read_bytes()
    (listed,) = answer(run, "certificates", "list")
    assert (listed["serial_number"], listed["used"], listed["key_here"]) == (
        material.serial_number,
        True,
        True,
    )
    assert "loguje sprzedawcę" in run("certificates", "list").output
    assert answer(run, "auth", "status")["certificate"] == material.serial_number
    assert answer(run, "auth", "sessions")[0]["method"].startswith("Certyfikat")


@pytest.mark.usefixtures("seller")
@pytest.mark.parametrize(("words", "used"), [("t\n", True), ("tak\n", True), ("n\n", False), ("", False)])
def test_a_person_is_asked_before_the_credential_changes(
    run: Run, home: Path, words: str, used: bool
) -> None:
    """Without --use the answer decides; nobody there means no, and certificates use does it later."""
    done = run(*AUTHENTICATION, stdin=words)
    assert done.exit_code == 0, done.output
    row, (certificate,), _ = stored(home)
    assert (row.credential == certificate.secret) is used
    assert ("certificates use" in done.output) is not used
    if not used:
        assert run("certificates", "use", certificate.serial_number).exit_code == 0
        assert stored(home)[0].credential == certificate.secret


@pytest.mark.usefixtures("seller")
def test_offline_certificates_are_kept_apart(run: Run, home: Path) -> None:
    """An Offline one never signs in, whatever key it has."""
    assert run(*OFFLINE, "--use").exit_code == 2
    done = run(*OFFLINE, "--key", "rsa")
    assert done.exit_code == 0, done.output
    row, (certificate,), vault = stored(home)
    assert row.credential != certificate.secret
    assert unseal_certificate(vault, certificate.secret, datetime.now(UTC)).algorithm == "RSA 2048"
    refused = run("certificates", "use", certificate.serial_number)
    assert refused.exit_code == 2
    assert "Nie ma tu certyfikatu do logowania" in refused.output


@pytest.mark.usefixtures("seller")
@pytest.mark.parametrize(
    ("fault", "operation"),
    [
        ("http_500", ENROLL),
        ("drop_before", ENROLL),
        ("drop_after", ENROLL),
        ("truncate", ENROLL),
        ("http_500", "GET /v2/certificates/enrollments/data$"),
        ("http_500", "GET /v2/certificates/enrollments/[^d]"),
        ("http_500", "POST /v2/certificates/retrieve$"),
        ("drop_after", "POST /v2/certificates/retrieve$"),
        ("status_550", ENROLL),
    ],
)
def test_an_enrolment_that_was_cut_short_is_taken_up(
    run: Run, sandbox: KsefSandbox, home: Path, fault: str, operation: str
) -> None:
    """Whatever is lost on the way, the next call ends with one certificate of the first key."""
    sandbox.state.faults.add(fault, operation, times=5)
    first = run(*OFFLINE)
    assert first.exit_code in {1, 2}
    assert "✗ KSeF" in first.output
    key = stored(home)[1][0].secret
    sandbox.state.faults.clear()
    if operation == ENROLL and fault in {"drop_before", "http_500"}:
        # run again later, when nothing can be under way any more
        _change(home, sent_at=datetime.now(UTC) - timedelta(minutes=5))
    second = run(*OFFLINE, "--name", "Inna nazwa")
    assert second.exit_code == 0, second.output
    assert "Kończę przerwany wniosek" in second.output
    _, (certificate,), vault = stored(home)
    assert certificate.stage == "issued"
    assert certificate.name.startswith("ksef-connector offline")
    assert public_bytes(unseal_key(vault, key)) == public_bytes(unseal_key(vault, certificate.secret))
    assert len(answer(run, "certificates", "list")) == 1


@pytest.mark.usefixtures("seller")
def test_a_refused_enrolment_is_told_and_the_next_begins_anew(
    run: Run, sandbox: KsefSandbox, home: Path
) -> None:
    """Status 400 ends an enrolment for good; its reason is kept."""
    sandbox.state.faults.add("refuse_code", ENROLL, value=400)
    first = run(*OFFLINE)
    assert first.exit_code == 2
    assert "Wniosek odrzucony" in first.output
    assert run(*OFFLINE).exit_code == 0
    _, (refused, issued), _ = stored(home)
    assert (refused.stage, issued.stage) == ("refused", "issued")
    assert "Wniosek odrzucony" in (refused.refusal or "")


@pytest.mark.usefixtures("seller")
@pytest.mark.parametrize("name", ["abc", "x" * 101, "Sklep & Syn", "a\tbcde"])
def test_names_that_ksef_does_not_take_are_refused_at_once(run: Run, home: Path, name: str) -> None:
    """Exit code 2, and no key is made."""
    assert run(*OFFLINE, "--name", name).exit_code == 2
    assert stored(home)[1] == []


@pytest.mark.usefixtures("seller")
def test_limits_are_told(run: Run) -> None:
    """How many are left, for people and for scripts."""
    told = answer(run, "certificates", "limits")
    assert told["can_request"] is True
    run(*OFFLINE)
    assert answer(run, "certificates", "limits")["certificates"]["left"] == told["certificates"]["left"] - 1
    assert "Certyfikaty: zostało" in run("certificates", "limits").output


@pytest.mark.usefixtures("seller")
def test_revoking_asks_twice_for_the_one_in_use(run: Run, home: Path) -> None:
    """The seller's own certificate needs --force; an unknown number is told; the row follows."""
    run(*AUTHENTICATION, "--use")
    run(*OFFLINE)
    _, (own, offline), _ = stored(home)
    stopped = run("certificates", "revoke", own.serial_number)
    assert stopped.exit_code == 1
    assert "--force" in stopped.output
    assert run("certificates", "revoke", offline.serial_number, "--reason", "superseded").exit_code == 0
    unknown = run("certificates", "revoke", "0123456789ABCDEF")
    assert unknown.exit_code == 2
    assert "25008" in unknown.output
    assert run("certificates", "revoke", (own.serial_number or "").lower(), "--force").exit_code == 0
    assert [one.stage for one in stored(home)[1]] == ["revoked", "revoked"]
    refused = run("certificates", "list")
    assert refused.exit_code in {0, 2}


@pytest.mark.usefixtures("seller")
def test_a_certificate_revoked_elsewhere_is_noticed(run: Run, sandbox: KsefSandbox, home: Path) -> None:
    """The list brings our rows up to date, so that nothing reminds of a certificate that is dead."""
    run(*OFFLINE)
    (certificate,) = stored(home)[1]
    access = stored_tokens(home)
    assert access is not None
    answered = requests.post(
        f"{sandbox.api_url}/certificates/{certificate.serial_number}/revoke",
        headers={"Authorization": f"Bearer {access.access}"},
        timeout=10,
    )
    assert answered.status_code == 204
    assert run("certificates", "list").exit_code == 0
    assert stored(home)[1][0].stage == "revoked"


@pytest.mark.usefixtures("seller")
def test_what_ends_soon_is_told(run: Run, home: Path) -> None:
    """Nothing for a fresh seal; an Offline certificate near its end; exit code 2 when it is urgent."""
    quiet = run("certificates", "renewals")
    assert (quiet.exit_code, "Nic nie kończy się" in quiet.output) == (0, True)
    run(*OFFLINE)
    for days, code, stage in ((45, 0, "offline-ends-60"), (5, 2, "offline-ends-7"), (-1, 2, "offline-ended")):
        _end_in(home, days)
        told = run("certificates", "renewals", "--seller", NIP, "--json")
        assert told.exit_code == code
        assert [one["code"] for one in json.loads(told.stdout)] == [stage]
        assert "certificates enroll --kind offline" in run("seller", "list").output


def _end_in(home: Path, days: int) -> None:
    _change(home, valid_until=datetime.now(UTC) + timedelta(days=days))


def _change(home: Path, **values: datetime) -> None:
    database = open_database(f"sqlite:///{home / 'connector.sqlite3'}")
    with database.begin() as session:
        session.execute(update(Certificate).values(values))
    database.kw["bind"].dispose()


def test_from_a_token_to_a_certificate(run: Run, sandbox: KsefSandbox, home: Path, tmp_path: Path) -> None:
    """A seller with a token cannot ask; it signs outside once and gets a certificate."""
    (tmp_path / "token").write_text(tokens.issue(sandbox.state, NIP), "utf-8")
    add_seller(run, sandbox, "--token-file", str(tmp_path / "token"))
    refused = run(*AUTHENTICATION, "--use")
    assert refused.exit_code == 2
    assert "25001" in refused.output
    assert "auth request" in refused.output
    key_files(tmp_path, seal())
    assert run("auth", "request", "-o", "request.xml").exit_code == 0
    sign(tmp_path)
    assert run("auth", "submit", "signed.xml").exit_code == 0
    done = run(*AUTHENTICATION, "--use")
    assert done.exit_code == 0, done.output
    assert "Kończę przerwany wniosek" in done.output
    assert "tokens revoke" in done.output
    assert answer(run, "auth", "status")["signs_in_with"] == "certificate"
    (token,) = answer(run, "tokens", "list")
    assert run("tokens", "revoke", token["reference"]).exit_code == 0
    assert [one["state"] for one in answer(run, "tokens", "list")] == ["Revoked"]
    assert answer(run, "auth", "status")["notices"] == []
    assert stored(home)[0].credential


@pytest.mark.usefixtures("seller")
def test_a_token_is_made_into_a_private_file(run: Run, sandbox: KsefSandbox, tmp_path: Path) -> None:
    """The token is in the file only, which nobody else reads and which is never overwritten."""
    words = ("tokens", "create", "--description", "Sklep internetowy", "-o", "new.token")
    done = run(*words)
    assert done.exit_code == 0, done.output
    file = tmp_path / "new.token"
    text = file.read_text("utf-8").strip()
    assert text
    assert text not in done.output
    assert file.stat().st_mode & 0o777 == 0o600
    (listed,) = answer(run, "tokens", "list")
    assert (listed["state"], listed["permissions"]) == ("Active", ["InvoiceRead", "InvoiceWrite"])
    assert "Sklep internetowy" in run("tokens", "list").output
    assert run(*words).exit_code == 2
    assert file.read_text("utf-8").strip() == text
    add_seller(run, sandbox, "--token-file", str(file))
    assert answer(run, "auth", "sessions")[0]["method"] == "Token KSeF"
    assert run("tokens", "create", "--description", "abc", "-o", "x").exit_code == 2
    sandbox.state.faults.add("http_500", "POST /v2/tokens$")
    assert run("tokens", "create", "--description", "abcde", "-o", "y").exit_code == 1
    assert not (tmp_path / "x").exists()
    assert not (tmp_path / "y").exists()


def test_permissions_are_shown_with_what_is_missing(run: Run, sandbox: KsefSandbox, tmp_path: Path) -> None:
    """An owner has all; somebody who may only read gets exit code 2 and the sentence about sending."""
    add_seller(run, sandbox, *key_files(tmp_path, seal()))
    owner = run("permissions", "show")
    assert owner.exit_code == 0
    assert "właścicielem" in owner.output
    assert "✓ InvoiceWrite wystawianie faktur" in owner.output
    other = "5260250274"
    auth.grant(
        sandbox.state,
        subject_type="Nip",
        subject_value=other,
        context=NIP,
        permissions=frozenset({"InvoiceRead"}),
    )
    person = self_signed(other, kind="person", now=datetime.now(UTC))
    add_seller(run, sandbox, *key_files(tmp_path, person))
    reader = run("permissions", "show")
    assert reader.exit_code == 2
    assert "program nie wyśle żadnej faktury" in reader.output
    told = json.loads(run("permissions", "show", "--json", lang="en").stdout)
    assert told["held"] == ["InvoiceRead"]
    assert "cannot send any invoice" in told["missing"][0]


def test_a_moved_seller_starts_without_old_certificates(
    run: Run, sandbox: KsefSandbox, home: Path, tmp_path: Path
) -> None:
    """Certificates belong to the environment that issued them."""
    add_seller(run, sandbox, *key_files(tmp_path, seal()))
    assert run(*OFFLINE).exit_code == 0
    with KsefSandbox(processing_seconds=0.0) as another:
        add_seller(run, another)
        _end_in(home, 3)
        assert run("certificates", "renewals").exit_code == 0
        assert answer(run, "certificates", "list") == []
