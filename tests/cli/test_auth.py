"""``auth``: a seller without any key signs in by a signature made outside, sees and ends sign-ins."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID
from lxml import etree

from core.signing.keys import KeyMaterial, generate_key
from sandbox.ksef import KsefSandbox
from sandbox.ksef import auth as sandbox_auth
from sandbox.ksef.state import stamp
from tests.cli.conftest import Run
from tests.cli.ksef_sellers import NIP, PASSWORD, add_seller, answer, key_files, seal, stored, stored_tokens
from tests.conftest import ROOT
from tests.ksef.client.test_client_auth import _official_schema

SIGNER = """
import sys
from datetime import UTC, datetime
from core.signing.keys import load_pem
from core.signing.xades import sign_enveloped
certificate, key, password, source, target = sys.argv[1:]
read = lambda name: open(name, "rb").read()
now = datetime.now(UTC)
material = load_pem(read(certificate), read(key), password=password, now=now)
open(target, "wb").write(sign_enveloped(read(source), material, now))
"""


@pytest.fixture
def sandbox() -> Iterator[KsefSandbox]:
    """KSeF, with verdicts at once."""
    with KsefSandbox(processing_seconds=0.0) as running:
        yield running


@pytest.fixture
def outside(run: Run, sandbox: KsefSandbox, tmp_path: Path) -> Path:
    """A seller without a key, and elsewhere the key with which a person signs; the working folder."""
    add_seller(run, sandbox, "--sign-outside")
    key_files(tmp_path, seal())
    return tmp_path


def sign(folder: Path, source: str = "request.xml", target: str = "signed.xml") -> None:
    """Another process signs, as a provider's tool would."""
    names = [str(folder / name) for name in ("cert.pem", "key.pem")]
    files = [str(folder / source), str(folder / target)]
    subprocess.run([sys.executable, "-c", SIGNER, *names, PASSWORD, *files], cwd=ROOT, check=True, timeout=60)


def test_a_seller_without_a_key_signs_in_by_a_signature_made_outside(
    run: Run, outside: Path, home: Path, official_ksef: Path
) -> None:
    """Request, signature by another process, submit: the tokens are stored sealed, the state is told."""
    before = run("auth", "status")
    assert "podpis poza programem" in before.output
    assert "nie jest zalogowany" in before.output
    made = run("auth", "request", "-o", "request.xml", "--version", "2.0")
    assert made.exit_code == 0, made.output
    for word in ("10 minut", "gov.pl", "XAdES", "auth submit"):
        assert word in made.output
    schema = _official_schema(official_ksef, "2.0")
    schema.assertValid(etree.parse(outside / "request.xml"))
    sign(outside)
    done = run("auth", "submit", "signed.xml", "--seller", NIP)
    assert done.exit_code == 0, done.output
    assert f"✓ Sprzedawca {NIP} jest zalogowany do" in done.output
    tokens = stored_tokens(home)
    assert tokens is not None
    database = (home / "connector.sqlite3").read_bytes()
    assert tokens.access.encode() not in database
    assert tokens.refresh.encode() not in database
    told = answer(run, "auth", "status")
    assert told["signs_in_with"] == "outside"
    assert told["signed_in_until"] == tokens.refresh_valid_until.isoformat()
    assert [one["code"] for one in told["notices"]] == ["sign-in-ends-7"]


def test_the_policy_of_addresses_is_written_as_typed(run: Run, outside: Path, official_ksef: Path) -> None:
    """Addresses, ranges and networks go where the schema wants them; the file may go to standard output."""
    words = ["--allow-ip", "10.0.0.1", "--allow-ip", "10.0.0.1-10.0.0.9", "--allow-ip", "10.1.0.0/16"]
    made = run("auth", "request", "-o", "-", "--subject", "fingerprint", *words)
    assert made.exit_code == 0
    root = etree.fromstring(made.stdout.encode())
    etree.XMLSchema(file=str(official_ksef / "auth" / "schemat_auth_v2-1.xsd")).assertValid(root)
    texts = {etree.QName(one).localname: one.text for one in root.iter("*")}
    assert texts["SubjectIdentifierType"] == "certificateFingerprint"
    assert (texts["Ip4Address"], texts["Ip4Range"], texts["Ip4Mask"]) == (
        "10.0.0.1",
        "10.0.0.1-10.0.0.9",
        "10.1.0.0/16",
    )
    assert "auth submit" in made.stderr


@pytest.mark.parametrize("address", ["10.0.0", "x", "10.0.0.9-10.0.0.1", "10.0.0.0/40", "10.0.0.1-", "::1"])
def test_addresses_that_are_none_are_refused(run: Run, outside: Path, address: str) -> None:
    """Exit code 2, and no challenge is spent."""
    result = run("auth", "request", "-o", "request.xml", "--allow-ip", address)
    assert result.exit_code == 2
    assert f"{address} to nie jest IPv4" in result.output
    assert not (outside / "request.xml").exists()


def test_more_than_ten_addresses_are_refused(run: Run, outside: Path) -> None:
    """The schema takes ten of each kind."""
    words = [word for number in range(11) for word in ("--allow-ip", f"10.0.0.{number}")]
    assert run("auth", "request", "-o", "request.xml", *words).exit_code == 2


def test_a_file_that_cannot_sign_in_is_told_before_ksef_is_asked(
    run: Run, sandbox: KsefSandbox, outside: Path, home: Path
) -> None:
    """Unsigned, no XML, missing: exit code 2 with a sentence; nothing is stored."""
    run("auth", "request", "-o", "request.xml")
    (outside / "signed.pdf").write_bytes(b"%PDF-1.7")
    sandbox.state.faults.add("http_500", "POST /v2/auth/xades-signature", times=9)
    for name, sentence in (
        ("request.xml", "nie jest podpisany"),
        ("signed.pdf", "XAdES"),
        ("missing.xml", "nie ma takiego pliku"),
    ):
        result = run("auth", "submit", name)
        assert (result.exit_code, sentence in result.output) == (2, True), result.output
    assert stored_tokens(home) is None


def test_a_file_signed_too_late_is_explained(run: Run, sandbox: KsefSandbox, outside: Path) -> None:
    """After ten minutes KSeF refuses it, and the hint says to begin again."""
    run("auth", "request", "-o", "request.xml")
    past = sandbox.state.now() - timedelta(minutes=1)
    sandbox.state.run("UPDATE challenges SET expires = ?", (stamp(past),))
    sign(outside)
    result = run("auth", "submit", "signed.xml")
    assert result.exit_code == 2
    assert "21111" in result.output
    assert "10 minut" in result.output


def test_without_a_signature_commands_say_what_to_do(run: Run, outside: Path) -> None:
    """What needs KSeF leads to auth request, in both languages."""
    for lang, word in (("pl", "podpisz plik"), ("en", "sign the file")):
        result = run("auth", "sessions", lang=lang)
        assert result.exit_code == 2
        assert word in result.output
        assert "auth request" in result.output


def test_sign_ins_are_listed_and_ended(run: Run, sandbox: KsefSandbox, home: Path, tmp_path: Path) -> None:
    """The one in use is marked; another is ended by its number; --current drops the stored tokens."""
    add_seller(run, sandbox, *key_files(tmp_path, seal()))
    (first,) = answer(run, "auth", "sessions")
    assert first["current"] is True
    assert first["reference"] in run("auth", "sessions").output
    add_seller(run, sandbox, *key_files(tmp_path, seal()))
    listed = answer(run, "auth", "sessions")
    assert {one["reference"]: one["current"] for one in listed}[first["reference"]] is False
    assert run("auth", "revoke", first["reference"]).exit_code == 0
    (left,) = answer(run, "auth", "sessions")
    assert left["current"] is True
    unknown = run("auth", "revoke", first["reference"])
    assert unknown.exit_code == 2
    assert "auth sessions" in unknown.output
    assert run("auth", "revoke").exit_code == 2
    assert run("auth", "revoke", left["reference"], "--current").exit_code == 2
    assert run("auth", "revoke", "--current").exit_code == 0
    assert stored_tokens(home) is None
    (other,) = answer(run, "auth", "sessions")
    assert other["reference"] != left["reference"]
    assert run("auth", "revoke", other["reference"]).exit_code == 0
    assert stored_tokens(home) is None


def test_sellers_are_named_when_there_are_several(run: Run, sandbox: KsefSandbox, tmp_path: Path) -> None:
    """None, an unknown one, and one of several that was not named: exit code 2 with what exists."""
    assert "Nie ma jeszcze sprzedawców" in run("auth", "status").output
    add_seller(run, sandbox, "--sign-outside")
    unknown = run("auth", "status", "--seller", "5260250274")
    assert unknown.exit_code == 2
    assert NIP in unknown.output
    other = (ROOT / "docs" / "examples" / "seller.toml").read_text("utf-8").replace(NIP, "5260250274")
    (tmp_path / "other.toml").write_text(other, "utf-8")
    assert run("seller", "add", "other.toml", "--sign-outside").exit_code == 0
    unnamed = run("auth", "status")
    assert unnamed.exit_code == 2
    assert f"Są: {NIP}, 5260250274" in unnamed.output
    assert run("auth", "status", "--seller", "526-587-76-35").exit_code == 0


def test_a_seller_is_shown_with_what_ends(run: Run, sandbox: KsefSandbox, tmp_path: Path, home: Path) -> None:
    """seller show and seller list tell how it signs in and what ends soon; the token's end is the law's."""
    key = seal()
    add_seller(run, sandbox, *key_files(tmp_path, key))
    shown = answer(run, "seller", "show")
    assert (shown["signs_in_with"], shown["certificate"]) == ("certificate", key.serial_number)
    assert shown["notices"] == []
    assert key.serial_number in run("seller", "show", NIP).output
    (tmp_path / "token").write_text("x|nip-5265877635|y", "utf-8")
    add_seller(run, sandbox, "--token-file", str(tmp_path / "token"))
    environment = {"KSEF_CONNECTOR_TOKENS_END": "2000-12-31"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        for words in (["seller", "list"], ["seller", "show"], ["auth", "status"]):
            output = run(*words).output
            assert "tokeny KSeF nie logują już od końca dnia 2000-12-31" in output
            assert "certificates enroll" in output
        assert json.loads(run("certificates", "renewals", "--json").stdout)[0]["code"] == "token-ended"
        patch.setenv("KSEF_CONNECTOR_TOKENS_END", "2000")
        bad = run("seller", "list")
        assert bad.exit_code == 2
        assert "KSEF_CONNECTOR_TOKENS_END" in bad.output
    assert stored(home)[0].credential


def test_a_certificate_without_a_number_signs_in_by_its_fingerprint(
    run: Run, sandbox: KsefSandbox, tmp_path: Path
) -> None:
    """--subject and --allow-ip are kept with the certificate and used at each sign-in."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Foreign seal")])
    own, now = generate_key(), datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=100))
        .sign(own, hashes.SHA256())
    )
    key = KeyMaterial(certificate, own)
    sandbox_auth.grant(
        sandbox.state,
        subject_type="Fingerprint",
        subject_value=key.fingerprint,
        context=NIP,
        permissions=frozenset({"InvoiceWrite"}),
    )
    files = key_files(tmp_path, key)
    add_seller(run, sandbox, *files)
    assert run("permissions", "show").exit_code == 2
    add_seller(run, sandbox, *files, "--subject", "fingerprint", "--allow-ip", "127.0.0.0/8")
    shown = run("permissions", "show")
    assert shown.exit_code == 0, shown.output
    add_seller(run, sandbox, *files, "--subject", "fingerprint", "--allow-ip", "10.0.0.1")
    refused = run("permissions", "show")
    assert refused.exit_code == 2
    assert "adres" in refused.output


def test_warnings_of_ksef_and_the_clock_are_shown(run: Run, outside: Path, sandbox: KsefSandbox) -> None:
    """What earlier commands were told stands in auth status, in both languages and for scripts, once."""
    sandbox.state.settings.system_warning = "[W7]: Schemat wygasa"
    sandbox.state.clock_offset = timedelta(minutes=5)
    for _ in range(2):
        assert run("auth", "request", "-o", "request.xml").exit_code == 0
    shown = answer(run, "auth", "status")
    (warning,), (clock,) = shown["system_warnings"], shown["clock"]
    assert (warning["code"], warning["text"]) == ("W7", "Schemat wygasa")
    assert warning["operation"] == "POST /auth/challenge"
    assert -302 <= clock["seconds_ahead"] <= -295
    polish, english = run("auth", "status").output, run("auth", "status", lang="en").output
    assert polish.count("KSeF ostrzega [W7] przy POST /auth/challenge") == 1
    assert "spóźnia się względem KSeF" in polish
    assert "is behind KSeF's by" in english
    assert "timedatectl" in english
    sandbox.state.clock_offset = timedelta()
    assert run("auth", "request", "-o", "request.xml").exit_code == 0
    assert answer(run, "auth", "status")["clock"] == []
