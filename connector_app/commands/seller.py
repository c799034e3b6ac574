"""``seller``: who issues invoices, and how it signs in to KSeF."""

from __future__ import annotations

from pathlib import Path

import click
from rich.table import Table
from sqlalchemy import select

from connector_app import credentials, ksef_access
from connector_app.commands.app import App, BadInput, Failure, pass_app
from connector_app.commands.auth import print_credential, print_notices
from connector_app.commands.bilingual import Group, option
from connector_app.commands.credential_files import (
    WAYS,
    CredentialFiles,
    certificate_options,
    read_credential,
)
from connector_app.commands.files import FILE
from connector_app.commands.find_seller import find_seller
from connector_app.commands.ksef import (
    SUBJECTS,
    address_option,
    allowed_ips,
    iso,
    json_option,
    subject_option,
)
from connector_app.commands.offline_certificate import offline_certificate
from connector_app.profiles import BadProfile, Profile, read
from connector_app.renewals import due
from connector_app.sellers import SellerRefused, check_schema, check_stays, fill
from connector_app.store.models import Seller
from core.fa import registry
from core.findings import Text
from core.ksef import environments
from core.ksef.environments import Environment, EnvironmentAddressError
from core.signing.keys import KeyMaterial

_ENVIRONMENTS = [one.name for one in (environments.TEST, environments.DEMO, environments.PRODUCTION)]


@click.group(cls=Group, pl="Sprzedawcy: dodaj lub zmień, pokaż.")
def seller() -> None:
    """Sellers: add or change, list."""


seller.add_command(offline_certificate)


@seller.command(
    pl="""Dodaje sprzedawcę albo zmienia tego, który ma ten sam NIP.

    PLIK opisuje sprzedawcę, zob. docs/seller.pl.md. Hasła, klucze i tokeny czyta się z plików, nigdy z
    argumentów, i przechowuje zaszyfrowane. Zmieniany sprzedawca zachowuje sposób logowania, jeżeli nie
    podano innego.""",
)
@click.argument("profile_file", type=FILE, metavar="SELLER.toml")
@option(
    "--environment",
    type=click.Choice(_ENVIRONMENTS, case_sensitive=False),
    metavar="|".join(_ENVIRONMENTS),
    default=environments.TEST.name,
    show_default=True,
    pl="Środowisko KSeF.",
    en="KSeF environment.",
)
@option(
    "--api-url",
    default=None,
    metavar="URL",
    pl="Adres innego API KSeF, np. piaskownicy (razem z --qr-url).",
    en="Address of another KSeF API, e.g. a sandbox (with --qr-url).",
)
@option(
    "--qr-url",
    default=None,
    metavar="URL",
    pl="Adres jego stron weryfikacji.",
    en="Address of its verification pages.",
)
@option(
    "--latarnia-url",
    default="",
    metavar="URL",
    pl="Adres jej Latarni, która ogłasza niedostępność; bez tego żadna.",
    en="Address of its Latarnia, which announces outages; none without it.",
)
@option(
    "--schema",
    "version",
    type=click.Choice([one.value for one in registry.SchemaVersion], case_sensitive=False),
    metavar="FA3|FA2",
    default=registry.SchemaVersion.FA3.value,
    show_default=True,
    pl="Struktura dokumentów; FA2 przyjmuje już tylko środowisko TEST.",
    en="Structure of documents; FA2 is accepted by the TEST environment only.",
)
@certificate_options
@option(
    "--token-file", "token", type=FILE, default=None, pl="Plik z tokenem KSeF.", en="File with a KSeF token."
)
@option(
    "--sign-outside",
    "outside",
    is_flag=True,
    pl="Bez klucza: logowanie podpisuje człowiek poza programem (ksef-connector auth request).",
    en="No key: a person signs each sign-in outside the program (ksef-connector auth request).",
)
@subject_option
@address_option
@pass_app
def add(
    app: App,
    profile_file: Path,
    environment: str,
    api_url: str | None,
    qr_url: str | None,
    latarnia_url: str,
    version: str,
    certificate: Path | None,
    key: Path | None,
    p12: Path | None,
    password: Path | None,
    token: Path | None,
    outside: bool,
    subject_type: str,
    addresses: tuple[str, ...],
) -> None:
    """Add a seller, or change the one with the same NIP.

    The FILE describes the seller, see docs/seller.md. Passwords, keys and tokens are read from files, never
    from arguments, and are kept encrypted. A seller that is changed keeps its way to sign in when no other
    is given.
    """
    profile = load_profile(app, profile_file)
    place = _environment(app, environment, api_url, qr_url, latarnia_url)
    schema = registry.schema_for(version.upper())
    try:
        check_schema(schema, place)
    except SellerRefused as error:
        raise BadInput(error.text.in_language(app.language), "--schema FA3") from None
    allowed = allowed_ips(app, addresses)
    found = read_credential(app, CredentialFiles(certificate, key, p12, password, token, outside))
    services = app.open()
    with services.database.begin() as session:
        row = session.scalar(select(Seller).where(Seller.nip == profile.seller.nip))
        if row is None and found is None:
            raise BadInput(
                app.text("Brakuje sposobu logowania do KSeF.", "There is no way to sign in to KSeF."), WAYS
            )
        if row is None:
            row = Seller(nip=profile.seller.nip, created_at=services.clock())
            session.add(row)
        else:
            try:
                check_stays(session, row, place)
            except SellerRefused as error:
                raise Failure(error.text.in_language(app.language), _other_home(app, place)) from None
        sealed = row.credential
        if isinstance(found, KeyMaterial):
            sealed = credentials.seal_certificate(
                services.vault, found, subject_type=SUBJECTS[subject_type], allowed_ips=allowed
            )
        elif found is not None:
            sealed = credentials.seal_token(services.vault, found) if found else ""
        fill(row, profile, place, schema, sealed)
    app.say(
        Text(
            f"✓ Sprzedawca {row.nip} {row.name}, {place.name}", f"✓ Seller {row.nip} {row.name}, {place.name}"
        )
    )
    if isinstance(found, KeyMaterial):
        until = f"{found.valid_until:%Y-%m-%d}"
        app.say(Text(f"  Certyfikat jest ważny do {until}.", f"  The certificate is valid until {until}."))
    elif not row.credential:
        step = f"→ ksef-connector auth request --seller {row.nip} -o request.xml"
        app.say(Text(step, step))
    print_notices(app, [one for one in due(services, row.nip) if one.code.startswith("token")])


def _other_home(app: App, place: Environment) -> str:
    return app.text(
        f"Dla {place.name} załóż osobną instalację: KSEF_CONNECTOR_HOME=INNY_FOLDER ksef-connector "
        "seller add",
        f"Make another installation for {place.name}: KSEF_CONNECTOR_HOME=OTHER_FOLDER ksef-connector "
        "seller add",
    )


def load_profile(app: App, path: Path) -> Profile:
    """A seller file.

    Raises:
        BadInput: with every fault of the file.
    """
    try:
        return read(app.read(path), path.name)
    except BadProfile as error:
        faults = "\n  ".join(fault.in_language(app.language) for fault in error.faults)
        raise BadInput(
            app.text(f"Plik sprzedawcy {path}:", f"Seller file {path}:") + f"\n  {faults}",
            app.text(
                "Wszystkie wpisy z przykładami: docs/seller.pl.md.",
                "All entries with examples: docs/seller.md.",
            ),
        ) from None


def _environment(
    app: App, name: str, api_url: str | None, qr_url: str | None, latarnia_url: str
) -> Environment:
    if not api_url and not qr_url and not latarnia_url:
        return environments.by_name(name)
    if not api_url or not qr_url:
        raise BadInput(
            app.text(
                "Podaj oba adresy: --api-url i --qr-url.", "Give both addresses: --api-url and --qr-url."
            )
        )
    try:
        return environments.custom(api_url, qr_url, latarnia_url=latarnia_url)
    except EnvironmentAddressError as error:
        raise BadInput(
            app.text(f"Nieprawidłowy adres KSeF: {error}.", f"Not an address of KSeF: {error}."),
            app.text(
                "Poza tym komputerem adres zaczyna się od https://, np. https://api-test.ksef.mf.gov.pl/v2.",
                "Beyond this machine an address begins with https://, e.g. https://api-test.ksef.mf.gov.pl/v2.",
            ),
        ) from None


@seller.command(name="list", pl="Pokazuje sprzedawców tej instalacji.")
@option("--json", "as_json", is_flag=True, pl="Lista jako JSON.", en="The list as JSON.")
@pass_app
def list_sellers(app: App, as_json: bool) -> None:
    """List the sellers of this installation."""
    services = app.open()
    with services.database() as session:
        rows = list(session.scalars(select(Seller).order_by(Seller.id)))
    if as_json:
        app.json(
            [
                {
                    "nip": row.nip,
                    "name": row.name,
                    "environment": ksef_access.environment_of(row).name,
                    "api_url": ksef_access.environment_of(row).api_url,
                    "schema": row.schema_version,
                }
                for row in rows
            ]
        )
        return
    if not rows:
        app.say(Text("Nie ma jeszcze sprzedawców.", "There are no sellers yet."))
        app.say(Text("→ ksef-connector seller add --help", "→ ksef-connector seller add --help"))
        return
    table = Table(box=None, pad_edge=False)
    for title in ("NIP", app.text("Nazwa", "Name"), app.text("Środowisko", "Environment"), "FA"):
        table.add_column(title, overflow="fold")
    for row in rows:
        place = ksef_access.environment_of(row)
        shown = place.name if place.name in _ENVIRONMENTS else place.api_url
        table.add_row(row.nip, row.name, shown, row.schema_version)
    app.table(table)
    print_notices(app, due(services))


@seller.command(pl="Pokazuje sprzedawcę: środowisko, sposób logowania i to, co niedługo się kończy.")
@click.argument("nip", required=False, metavar="[NIP]")
@json_option
@pass_app
def show(app: App, nip: str | None, as_json: bool) -> None:
    """Show a seller: environment, how it signs in, and what ends soon."""
    services = app.open()
    with services.database() as session:
        row = find_seller(app, session, nip)
    place = ksef_access.environment_of(row)
    info = credentials.credential_info(services.vault, row)
    found = due(services, row.nip)
    if as_json:
        app.json(
            {
                "nip": row.nip,
                "name": row.name,
                "environment": place.name,
                "api_url": place.api_url,
                "schema": row.schema_version,
                "signs_in_with": info.kind.value,
                "certificate": info.serial_number or None,
                "certificate_valid_until": iso(info.valid_until),
                "notices": [finding.as_json() for finding in found],
            }
        )
        return
    head = f"{row.nip} {row.name}, {place.name} {place.api_url}, {row.schema_version}"
    app.say(Text(head, head))
    print_credential(app, info)
    print_notices(app, found)
