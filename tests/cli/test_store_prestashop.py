"""``store`` with a PrestaShop shop: added with its key, looked at in words, its orders taken in."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from core.signing.keys import self_signed
from sandbox.prestashop import DEMO_KEY, READ_ONLY_KEY, PrestaSandbox, demo_data
from tests.cli.conftest import Run
from tests.conftest import ROOT

EXAMPLE = ROOT / "docs" / "examples" / "seller.toml"
NIP = "5265877635"


def test_add_check_and_sync(run: Run, tmp_path: Path) -> None:
    """The key file needs one line; check names the ticks that a reading key lacks; sync takes orders in."""
    key = self_signed(NIP, now=datetime.now(UTC))
    (tmp_path / "cert.pem").write_bytes(key.certificate_pem())
    (tmp_path / "key.pem").write_bytes(key.private_key_pem("x"))
    (tmp_path / "password").write_text("x")
    signing = ("--certificate", "cert.pem", "--key", "key.pem", "--password-file", "password")
    run("seller", "add", EXAMPLE, *signing)
    (tmp_path / "shop.conf").write_text(f"key={DEMO_KEY}\n")
    (tmp_path / "reading.conf").write_text(f"key={READ_ONLY_KEY}\n")
    (tmp_path / "empty.conf").write_text("# no key\n")
    base = ("store", "add", "shop", "--seller", NIP, "--platform", "prestashop", "--start", "2027-01-01")
    with PrestaSandbox(demo_data()) as shop:
        refused = run(*base, "--url", shop.url, "--config-file", "empty.conf")
        assert refused.exit_code == 2
        assert "has no key" in refused.output
        assert run(*base, "--url", f"{shop.url}/api/", "--config-file", "shop.conf").exit_code == 0
        good = run("store", "check", "shop")
        assert good.exit_code == 0
        assert "PrestaShop: wersja 9.1.4" in good.output
        taken = run("store", "sync", "--json")
        assert taken.exit_code == 0
        assert [one["state"] for one in json.loads(taken.stdout)["changed"]] == ["cancelled"] * 4
        assert run("store", "sync", "shop").output.startswith("Nic nowego.")
        run(*base, "--url", shop.url, "--config-file", "reading.conf")
        weak = run("store", "check", "shop")
        assert weak.exit_code == 1
        assert "uprawnienie orders: kluczowi brakuje Patch (PATCH)" in weak.output
        assert DEMO_KEY not in good.output + weak.output
