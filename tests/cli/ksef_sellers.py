"""Sellers against a sandbox for tests of commands."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connector_app.credentials import tokens_of
from connector_app.store.database import open_database
from connector_app.store.models import Certificate, Seller
from connector_app.vault import Vault
from core.ksef.auth import Tokens
from core.signing.keys import KeyMaterial, self_signed
from sandbox.ksef import KsefSandbox
from tests.cli.conftest import Run
from tests.conftest import ROOT

EXAMPLE = ROOT / "docs" / "examples" / "seller.toml"
NIP = "5265877635"
PASSWORD = "correct horse"


def seal() -> KeyMaterial:
    """A seal of the seller."""
    return self_signed(NIP, now=datetime.now(UTC))


def key_files(folder: Path, key: KeyMaterial) -> tuple[str, ...]:
    """Writes a key to files and gives the options that name them."""
    (folder / "cert.pem").write_bytes(key.certificate_pem())
    (folder / "key.pem").write_bytes(key.private_key_pem(PASSWORD))
    (folder / "password").write_text(PASSWORD, "utf-8")
    names = {"--certificate": "cert.pem", "--key": "key.pem", "--password-file": "password"}
    return tuple(word for name, file in names.items() for word in (name, str(folder / file)))


def add_seller(run: Run, sandbox: KsefSandbox, *way: str) -> None:
    """Adds the example's seller, or changes its way to sign in."""
    result = run("seller", "add", EXAMPLE, "--api-url", sandbox.api_url, "--qr-url", sandbox.qr_url, *way)
    assert result.exit_code == 0, result.output


def answer(run: Run, *words: object) -> Any:
    """The JSON answer of a command that ends well."""
    result = run(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def stored(home: Path) -> tuple[Seller, list[Certificate], Vault]:
    """The seller's row, its certificates' rows, and the vault that opens them."""
    database = open_database(f"sqlite:///{home / 'connector.sqlite3'}")
    with database() as session:
        found = session.query(Seller).one(), session.query(Certificate).order_by(Certificate.id).all()
    database.kw["bind"].dispose()
    return *found, Vault.open(home / "secret.key")


def stored_tokens(home: Path) -> Tokens | None:
    """The tokens of the seller's sign-in."""
    seller, _, vault = stored(home)
    return tokens_of(vault, seller.tokens)
