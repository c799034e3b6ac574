"""``invoice build`` and ``store`` with Shopify."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.fa import registry, schema
from core.signing.keys import self_signed
from sandbox.shopify import ShopifySandbox, shop_of
from sandbox.shopify.shapes import Json, line, order, tax
from sandbox.shopify.state import Token
from tests.cli.conftest import Run
from tests.conftest import ROOT

SELLER = ROOT / "docs" / "examples" / "seller.toml"
BUILD = ("invoice", "build", "--platform", "shopify", "--seller", SELLER, "--order", "-")
NIP = "5265877635"


def one(**changes: object) -> bytes:
    """A file with an order."""
    data: Json = order(15, [line(1, "123.00", tax("23", "23.00"))], "123.00", "23.00")
    return json.dumps({"data": {"order": data | changes}}).encode()


@pytest.mark.parametrize("version", ["FA3", "FA2"])
def test_an_order_file_becomes_a_valid_document(run: Run, official_ksef: Path, version: str) -> None:
    result = run(*BUILD, "--schema", version, stdin=one())
    assert result.exit_code == 0, result.output
    tree = schema.parse(result.stdout_bytes)
    assert schema.check(tree, registry.schema_for(version), official_ksef / "schemas") == []
    assert b"<P_15>123.00</P_15>" in result.stdout_bytes


def test_what_cannot_be_built_says_why(run: Run) -> None:
    """A question, a wrong file and a wrong option each end with code 2 and a sentence."""
    for data, sentence in (
        (one(lineItems={"nodes": [line(1, "123.00")]}), "tax-treatment-unknown"),
        (one(edited=True, agreements=None), "agreements"),
        (b'{"errors": [{"message": "Throttled"}]}', "errors"),
        (b"<html>", "JSON"),
    ):
        result = run(*BUILD, stdin=data)
        assert result.exit_code == 2
        assert sentence in result.output


def add_seller(run: Run, tmp_path: Path) -> None:
    """The example seller with a certificate of its own making."""
    key = self_signed(NIP, now=datetime.now(UTC))
    (tmp_path / "cert.pem").write_bytes(key.certificate_pem())
    (tmp_path / "key.pem").write_bytes(key.private_key_pem("secret"))
    (tmp_path / "password").write_text("secret")
    certificate = ("--certificate", tmp_path / "cert.pem", "--key", tmp_path / "key.pem")
    password = ("--password-file", tmp_path / "password")
    assert run("seller", "add", SELLER, *certificate, *password).exit_code == 0


def test_a_store_is_added_checked_and_read(run: Run, tmp_path: Path) -> None:
    """A shop that is no Shopify shop is refused; the token is never shown; missing scopes are told."""
    add_seller(run, tmp_path)
    options = tmp_path / "shop.conf"
    options.write_text(f"access_token={ShopifySandbox.token}\n")
    add = ("store", "add", "shop", "--seller", NIP, "--platform", "shopify", "--start", "2027-01-01")
    refused = run(*add, "--config-file", options, "--url", "https://sklep.example")
    assert refused.exit_code == 2
    assert "myshopify.com" in refused.output
    with ShopifySandbox(shop_of(1, 4)) as shop:
        added = run(*add, "--config-file", options, "--url", shop.url)
        assert added.exit_code == 0, added.output
        assert ShopifySandbox.token not in added.output
        good = run("store", "check", "shop")
        assert good.exit_code == 0, good.output
        taken = json.loads(run("store", "sync", "--json").stdout)
        assert [found["state"] for found in taken["changed"]] == ["cancelled"] * 4
        shop.state.tokens[shop.token] = Token(frozenset({"read_orders"}))
        weak = run("store", "check", "shop", "--json")
        assert weak.exit_code == 1
        assert [line["title"] for line in json.loads(weak.stdout) if line["ok"] is False] == ["scopes"]


def test_tokens_that_rotate_are_kept_from_run_to_run(run: Run, tmp_path: Path) -> None:
    """A refresh token works once: each command finds what the one before it was given."""
    add_seller(run, tmp_path)
    with ShopifySandbox(shop_of(1, 2)) as shop:
        given = shop.state.grant(rotating=True)
        values = {
            "client_id": shop.client_id,
            "client_secret": shop.client_secret,
            "access_token": given["access_token"],
            "refresh_token": given["refresh_token"],
            "access_token_expires_at": "2026-01-01T00:00:00+00:00",
        }
        options = tmp_path / "shop.conf"
        options.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
        add = ("store", "add", "shop", "--seller", NIP, "--platform", "shopify", "--url", shop.url)
        added = run(*add, "--config-file", options)
        assert added.exit_code == 0, added.output
        for _ in range(2):
            checked = run("store", "check", "shop")
            assert checked.exit_code == 0, checked.output
        assert given["refresh_token"] not in shop.state.refresh_tokens
        assert shop.calls.count("access_token") == 1
