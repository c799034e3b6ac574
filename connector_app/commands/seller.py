"""``seller``: who issues invoices, and how it signs in to KSeF."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click
from rich.table import Table
from sqlalchemy import select

from connector_app import ksef_access
from connector_app.commands.app import App, BadInput, pass_app
from connector_app.profiles import BadProfile, Profile, load
from connector_app.store.models import Seller
from core.fa import registry
from core.findings import Text
from core.ksef import environments
from core.ksef.environments import Environment, EnvironmentAddressError
from core.signing.keys import KeyMaterial, KeyMaterialError, load_pem, load_pkcs12

_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.group()
def seller() -> None:
    """Sellers: add or change, list."""


@seller.command()
@click.argument("profile_file", type=_FILE, metavar="SELLER.toml")
@click.option(
    "--environment", default=environments.TEST.name, show_default=True, help="TEST, DEMO, PRODUCTION."
)
@click.option("--api-url", default=None, help="Address of another KSeF API, e.g. a sandbox (with --qr-url).")
@click.option("--qr-url", default=None, help="Address of its verification pages.")
@click.option("--schema", "version", default=registry.SchemaVersion.FA3.value, show_default=True)
@click.option("--certificate", type=_FILE, default=None, help="Certificate (PEM), with --key.")
@click.option("--key", "key_file", type=_FILE, default=None, help="Private key (PEM).")
@click.option("--p12", type=_FILE, default=None, help="Certificate and key in one PKCS#12 file.")
@click.option("--password-file", type=_FILE, default=None, help="File with the password of the key.")
@click.option("--token-file", type=_FILE, default=None, help="File with a KSeF token.")
@pass_app
def add(
    app: App,
    profile_file: Path,
    environment: str,
    api_url: str | None,
    qr_url: str | None,
    version: str,
    certificate: Path | None,
    key_file: Path | None,
    p12: Path | None,
    password_file: Path | None,
    token_file: Path | None,
) -> None:
    """Add a seller, or change the one with the same NIP.

    Secrets are read from files, never from arguments, and are kept encrypted.
    """
    try:
        profile = load(profile_file)
        place = (
            environments.custom(api_url, qr_url or api_url) if api_url else environments.by_name(environment)
        )
        schema = registry.schema_for(version.upper())
    except BadProfile as error:
        raise BadInput("\n".join(error.faults), "docs/seller.md") from None
    except (EnvironmentAddressError, registry.UnknownSchema) as error:
        raise BadInput(str(error)) from None
    services = app.open()
    if token_file is not None:
        credential = ksef_access.seal_token(services.vault, token_file.read_text("utf-8").strip())
    else:
        key = _key(app, certificate, key_file, p12, password_file)
        credential = ksef_access.seal_certificate(services.vault, key)
    with services.database.begin() as session:
        row = session.scalar(select(Seller).where(Seller.nip == profile.seller.nip))
        if row is None:
            row = Seller(nip=profile.seller.nip, created_at=services.clock())
            session.add(row)
        fill(row, profile, place, schema, credential)
    app.say(Text(f"✓ Sprzedawca {row.nip} {row.name}", f"✓ Seller {row.nip} {row.name}"))


def fill(
    row: Seller, profile: Profile, environment: Environment, schema: registry.FaSchema, credential: str
) -> None:
    """Write a seller's settings into its row; a changed environment ends its sign-in and session.

    Args:
        row: new or existing.
        profile: who the seller is.
        environment: where it issues.
        schema: version of its documents.
        credential: sealed.
    """
    stored = ksef_access.environment_json(environment)
    if row.environment != stored or row.credential != credential:
        row.tokens = row.session = row.session_reference = None
    row.name, row.profile = profile.seller.name, profile.values
    row.environment, row.schema_version, row.credential = stored, schema.version.value, credential


def _key(
    app: App, certificate: Path | None, key_file: Path | None, p12: Path | None, password_file: Path | None
) -> KeyMaterial:
    password = password_file.read_text("utf-8").strip() if password_file else None
    now = datetime.now(UTC)
    try:
        if p12 is not None:
            return load_pkcs12(p12.read_bytes(), password=password, now=now)
        if certificate is not None and key_file is not None:
            return load_pem(certificate.read_bytes(), key_file.read_bytes(), password=password, now=now)
    except KeyMaterialError as error:
        raise BadInput(str(error)) from None
    raise BadInput(
        app.text("Brakuje sposobu logowania do KSeF.", "There is no way to sign in to KSeF."),
        "--certificate CERT.pem --key KEY.pem | --p12 FILE.p12 --password-file FILE | --token-file FILE",
    )


@seller.command(name="list")
@pass_app
def list_sellers(app: App) -> None:
    """List the sellers of this installation."""
    services = app.open()
    table = Table(box=None, pad_edge=False)
    for title in ("NIP", app.text("Nazwa", "Name"), app.text("Środowisko", "Environment"), "FA"):
        table.add_column(title)
    with services.database() as session:
        for row in session.scalars(select(Seller).order_by(Seller.id)):
            table.add_row(row.nip, row.name, ksef_access.environment_of(row).name, row.schema_version)
    app.out.print(table)
