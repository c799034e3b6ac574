"""An outage as an operator lives it, by commands alone, against running sandboxes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pypdfium2
import pytest
import requests

from core.signing.keys import self_signed
from sandbox.ksef import KsefSandbox
from sandbox.woocommerce.server import DEMO_CONSUMER_KEY, DEMO_CONSUMER_SECRET, WooSandbox
from tests.cli.conftest import Run
from tests.conftest import ROOT
from tests.pipeline.world import recorded

NIP = "5265877635"
SELLER = ROOT / "docs" / "examples" / "seller.toml"
PASSWORD = "correct horse"
SYNC = ("store", "sync", "--patience", "2")


@pytest.fixture
def sandboxes(run: Run, tmp_path: Path) -> Iterator[KsefSandbox]:
    """KSeF, a shop with one order, and an installation that asks before it issues offline."""
    key = self_signed(NIP, now=datetime.now(UTC))
    (tmp_path / "cert.pem").write_bytes(key.certificate_pem())
    (tmp_path / "key.pem").write_bytes(key.private_key_pem(PASSWORD))
    (tmp_path / "password").write_text(PASSWORD)
    (tmp_path / "shop.conf").write_text(
        f"consumer_key={DEMO_CONSUMER_KEY}\nconsumer_secret={DEMO_CONSUMER_SECRET}\n"
    )
    with KsefSandbox(processing_seconds=0) as ksef, WooSandbox([recorded("order_full")]) as shop:
        urls = ("--api-url", ksef.api_url, "--qr-url", ksef.qr_url, "--latarnia-url", ksef.latarnia_url)
        keys = ("--certificate", "cert.pem", "--key", "key.pem", "--password-file", "password")
        assert run("seller", "add", SELLER, *urls, *keys).exit_code == 0
        store = ("--seller", NIP, "--platform", "woocommerce", "--start", "2026-01-01", "--offline", "ask")
        place = ("--url", shop.url, "--config-file", "shop.conf", "--recipients", "everyone")
        assert run("store", "add", "shop", *store, *place).exit_code == 0
        yield ksef


def keep_certificate(run: Run, ksef: KsefSandbox, tmp_path: Path, kind: str) -> tuple[int, str]:
    """Exit code and words of keeping a certificate of some kind."""
    given = requests.post(
        f"{ksef.admin_url}/certificates", json={"nip": NIP, "kind": kind}, timeout=10
    ).json()
    (tmp_path / "offline.crt").write_text(given["certificate"])
    (tmp_path / "offline.key").write_text(given["privateKey"])
    files = ("--certificate", "offline.crt", "--key", "offline.key")
    result = run("seller", "offline-certificate", NIP, *files)
    return result.exit_code, result.output


def test_an_outage_from_its_announcement_to_the_ksef_number(
    run: Run, sandboxes: KsefSandbox, tmp_path: Path
) -> None:
    """Waits with the command to type; typed, it is issued offline with both codes; then the number comes."""
    assert keep_certificate(run, sandboxes, tmp_path, "Offline")[0] == 0
    assert run("sandbox", "outage", "failure", "--port", sandboxes.port).exit_code == 0
    run(*SYNC)
    listed = run("documents", "list")
    assert "documents offline 1" in listed.output
    assert run("documents", "offline", "1").exit_code == 0
    run(*SYNC)
    (one,) = json.loads(run("documents", "list", "--json").output)
    assert (one["state"], one["offline_mode"], one["send_by"]) == ("issued", "emergency", None)
    assert "(emergency)" in run("documents", "list").output
    shown = run("documents", "show", "1", "--pdf", "a.pdf").output
    assert "Tryb: emergency" in shown
    assert f"{sandboxes.qr_url}/certificate/Nip/{NIP}/" in shown
    with pypdfium2.PdfDocument(tmp_path / "a.pdf") as pdf:
        text = "".join(page.get_textpage().get_text_range() for page in pdf)
    assert "OFFLINE" in text
    assert "CERTYFIKAT" in text
    again = run("documents", "offline", "1")
    assert again.exit_code == 1
    assert "wystawiony" in again.output
    assert run("sandbox", "outage", "end", "--port", sandboxes.port).exit_code == 0
    assert run("documents", "retry", "1").exit_code == 0
    assert run(*SYNC).exit_code == 0
    (one,) = json.loads(run("documents", "list", "--json").output)
    assert one["state"] == "published"
    assert one["ksef_number"]


def test_only_an_offline_certificate_is_kept(run: Run, sandboxes: KsefSandbox, tmp_path: Path) -> None:
    """A certificate for signing in, none at all, an unknown seller: words and exit code 2."""
    code, words = keep_certificate(run, sandboxes, tmp_path, "Authentication")
    assert code == 2
    assert "typu Offline" in words
    assert run("seller", "offline-certificate", NIP).exit_code == 2
    assert keep_certificate(run, sandboxes, tmp_path, "Offline")[0] == 0
    files = ("--certificate", "offline.crt", "--key", "offline.key")
    unknown = run("seller", "offline-certificate", "1111111111", *files, lang="en")
    assert unknown.exit_code == 2
    assert "no seller with NIP 1111111111" in unknown.output


def test_latarnia_alone_is_no_environment(run: Run, sandboxes: KsefSandbox) -> None:
    """Its address goes with the two others."""
    result = run("seller", "add", SELLER, "--latarnia-url", sandboxes.latarnia_url)
    assert result.exit_code == 2
    assert "--api-url" in result.output
