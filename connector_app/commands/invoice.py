"""``invoice``: build, validate and render documents from files alone, without database or network."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NoReturn

import click

from adapters import registry as platforms
from adapters.contract import ShopError, UnreadableFile, UnreadableOrder
from connector_app.commands.app import ATTENTION, App, BadInput, pass_app
from connector_app.commands.bilingual import Group, option
from connector_app.commands.files import FILE, FILE_OR_DASH, is_dash, read_whole, reason_of, write_whole
from connector_app.commands.findings import findings_json, print_findings
from connector_app.commands.platform_config import read_config
from connector_app.commands.seller import load_profile
from core.calendar import warsaw_day
from core.fa import registry
from core.fa.schema import MalformedXml
from core.fa.validate import check_built, validate
from core.fa.write import write
from core.findings import Finding, Severity, Text, has_errors
from core.invoices.attention import NeedsAttention
from core.invoices.exchange import draft_at_rate
from core.invoices.model import InvoiceKind
from core.ksef import environments
from core.orders import Order

_NEWEST_FORM = registry.SchemaVersion.FA3.value
_VERSIONS = click.Choice([version.value for version in registry.SchemaVersion], case_sensitive=False)
_ENVIRONMENTS = [one.name for one in (environments.TEST, environments.DEMO, environments.PRODUCTION)]


@click.group(cls=Group, pl="Dokumenty z plików, bez bazy i sieci: zbuduj, sprawdź, narysuj.")
def invoice() -> None:
    """Documents from files, without database or network: build, validate, render."""


@invoice.command(
    pl="""Buduje dokument FA z pliku zamówienia i pliku sprzedawcy.

    Kod wyjścia 2, gdy decyzja należy do człowieka: wtedy niczego nie zapisano. Plik „-” to wejście lub
    wyjście standardowe.""",
)
@option(
    "--platform",
    required=True,
    metavar="NAME",
    pl="Platforma, z której jest zamówienie, np. woocommerce.",
    en="Platform that the order comes from, e.g. woocommerce.",
)
@option(
    "--order",
    "order_file",
    type=FILE_OR_DASH,
    required=True,
    pl="Zamówienie tak, jak podaje je API sklepu: JSON albo XML, jak u danej platformy.",
    en="The order as the shop's API gives it: JSON or XML, as the platform has it.",
)
@option(
    "--config-file",
    type=FILE,
    default=None,
    pl="Plik z ustawieniami sklepu, po jednym wpisie nazwa=wartość w wierszu, jak przy store add.",
    en="File with options of the shop, one name=value a line, as for store add.",
)
@option(
    "--seller",
    "seller_file",
    type=FILE_OR_DASH,
    required=True,
    pl="SELLER.toml, zob. docs/seller.pl.md.",
    en="SELLER.toml, see docs/seller.md.",
)
@option(
    "--schema",
    "version",
    type=_VERSIONS,
    metavar="FA3|FA2",
    default=_NEWEST_FORM,
    show_default=True,
    pl="Struktura dokumentu.",
    en="Structure of the document.",
)
@option(
    "--number",
    default=None,
    pl="Numer faktury; bez tej opcji wzór sprzedawcy z licznikiem 1.",
    en="Invoice number; without it the seller's pattern with counter 1.",
)
@option(
    "--date",
    "day",
    type=click.DateTime(["%Y-%m-%d"]),
    default=None,
    pl="Data wystawienia (P_1); bez tej opcji dziś w Warszawie.",
    en="Issue date (P_1); without it today in Warsaw.",
)
@option(
    "-o",
    "--output",
    type=FILE_OR_DASH,
    default=Path("-"),
    show_default=True,
    pl="Plik do zapisania.",
    en="File to write.",
)
@pass_app
def build(
    app: App,
    platform: str,
    order_file: Path,
    config_file: Path | None,
    seller_file: Path,
    version: str,
    number: str | None,
    day: datetime | None,
    output: Path,
) -> None:
    """Build an FA document from an order file and a seller file.

    Exit code 2 when a person has to decide something: nothing was written then. The file "-" is standard
    input or output.
    """
    if is_dash(order_file) and is_dash(seller_file):
        raise BadInput(
            app.text("Z wejścia można czytać jeden plik.", "Standard input holds one file."),
            "--order - | --seller -",
        )
    profile = load_profile(app, seller_file)
    order = _load_order(app, platform, order_file, config_file)
    now = datetime.now(UTC)
    issued_on = day.date() if day else warsaw_day(now)
    schema = registry.schema_for(version.upper())
    try:
        prepared = draft_at_rate(order, profile.issuer, profile.policy, issued_on, None)
        series = profile.numbering.series(InvoiceKind.VAT, issued_on)
        made = prepared.issue(number or series.number(series.following(0)), issued_on, now)
    except NeedsAttention as attention:
        _attention(app, order_file, attention.reasons)
    data = write(made, schema)
    findings = check_built(made, data, schema, warsaw_day(now), app.settings.schema_dir)
    if has_errors(findings):
        _attention(app, order_file, findings)
    write_whole(output, data)
    if not is_dash(output):
        app.err.print(f"✓ {output}", markup=False)


def _attention(app: App, path: Path, reasons: Sequence[Finding]) -> NoReturn:
    app.err.print(
        app.text(
            f"Zamówienie z pliku {path.name} wymaga decyzji; dokument nie powstał:",
            f"The order in {path.name} needs a decision; no document was made:",
        ),
        markup=False,
    )
    print_findings(App(app.settings, app.language, out=app.err), reasons)
    sys.exit(ATTENTION)


def _load_order(app: App, platform: str, path: Path, config_file: Path | None) -> Order:
    if platform not in platforms.PLATFORMS:
        known = ", ".join(platforms.PLATFORMS)
        raise BadInput(
            app.text(f"Nieznana platforma: {platform}.", f"Unknown platform: {platform}."),
            app.text(f"Znane: {known}", f"Known: {known}"),
        )
    hint = platforms.order_file(platform).in_language(app.language)
    data = app.read(path)
    try:
        config = read_config(app, platform, config_file) if config_file else {}
        return platforms.order_reader(platform, config)(data)
    except UnreadableFile as error:
        message = app.text(f"{path} nie jest plikiem {error.form}.", f"{path} is not a {error.form} file.")
        raise BadInput(message, error.hint or hint) from None
    except UnreadableOrder as error:
        where = f" ({error.path})" if error.path else ""
        message = app.text(
            f"{path} nie jest zamówieniem{where}: {error.message}",
            f"{path} is no order{where}: {error.message}",
        )
        raise BadInput(message, error.hint or hint) from None
    except ShopError as error:
        raise BadInput(error.message, error.hint) from None


@invoice.command(
    name="validate",
    pl="""Sprawdza dokumenty FA: bajty, schemat, reguły.

    Kod wyjścia 0: nic nie stoi na przeszkodzie wysłaniu; 1: są błędy; 2: pliku nie da się odczytać jako
    dokumentu.""",
)
@click.argument("files", type=FILE_OR_DASH, nargs=-1, required=True, metavar="FILE...")
@option(
    "--json",
    "as_json",
    is_flag=True,
    pl="Wynik jako JSON, w obu językach.",
    en="Findings as JSON, in both languages.",
)
@pass_app
def validate_files(app: App, files: tuple[Path, ...], as_json: bool) -> None:
    """Check FA documents: bytes, schema, semantic rules.

    Exit code 0: nothing forbids sending; 1: errors found; 2: a file cannot be read as a document.
    """
    today = warsaw_day(datetime.now(UTC))
    reports = [(path, *_check_file(app, path, today)) for path in files]
    if as_json:
        click.echo(findings_json([(path, findings) for path, findings, _ in reports]))
    else:
        for path, findings, _ in reports:
            app.out.print(f"{'✗' if has_errors(findings) else '✓'} {path}", markup=False)
            if findings:
                print_findings(app, findings)
    if any(not readable for _, _, readable in reports):
        sys.exit(ATTENTION)
    sys.exit(1 if any(has_errors(findings) for _, findings, _ in reports) else 0)


def _check_file(app: App, path: Path, today: date) -> tuple[tuple[Finding, ...], bool]:
    try:
        return validate(read_whole(path), today, app.settings.schema_dir).findings, True
    except OSError as error:
        said = reason_of(error)
        return (
            _unreadable("file-unreadable", f"Nie da się odczytać: {said.pl}.", f"Unreadable: {said.en}."),
        ), False
    except MalformedXml as error:
        return (error.as_finding(),), False
    except registry.UnknownSchema as error:
        return (_unreadable("schema-unknown", f"Nieznany schemat: {error}", str(error)),), False


def _unreadable(code: str, pl: str, en: str) -> Finding:
    return Finding(code, Severity.ERROR, "", Text(pl, en))


@invoice.command(pl="Rysuje dokument FA jako PDF/A z kodem QR.")
@click.argument("file", type=FILE_OR_DASH, metavar="FILE")
@option(
    "-o", "--output", type=FILE_OR_DASH, required=True, pl="Plik PDF do zapisania.", en="PDF file to write."
)
@option(
    "--ksef-number",
    default=None,
    metavar="NUMBER",
    pl="Numer KSeF pod kodem QR; bez niego stoi tam słowo OFFLINE.",
    en="KSeF number under the QR code; without it the word OFFLINE stands there.",
)
@option(
    "--environment",
    type=click.Choice(_ENVIRONMENTS, case_sensitive=False),
    metavar="|".join(_ENVIRONMENTS),
    default=environments.PRODUCTION.name,
    show_default=True,
    pl="Środowisko, którego adres weryfikacji trafia do kodu QR.",
    en="Environment whose verification address goes into the QR code.",
)
@option(
    "--template",
    type=FILE,
    default=None,
    pl="Własny szablon typst; wzór: core/visual/invoice.typ.",
    en="Own template in typst; the model is core/visual/invoice.typ.",
)
@pass_app
def render(
    app: App, file: Path, output: Path, ksef_number: str | None, environment: str, template: Path | None
) -> None:
    """Draw an FA document as PDF/A with its QR code."""
    from core.ksef.number import KsefNumberError, parse  # noqa: PLC0415
    from core.visual.errors import TemplateError, VisualError  # noqa: PLC0415  loads fonts
    from core.visual.renderer import Renderer  # noqa: PLC0415

    data = app.read(file)
    if template is not None:
        app.read(template)
    try:
        if ksef_number is not None:
            parse(ksef_number)
        picture = Renderer().render(
            data,
            qr_base_url=environments.by_name(environment).qr_url,
            ksef_number=ksef_number,
            language="en" if app.language == "en" else "pl",
            template=template,
        )
    except KsefNumberError as error:
        raise BadInput(
            app.text(f"To nie jest numer KSeF: {error}.", f"Not a KSeF number: {error}."),
            app.text(
                "Numer stoi w UPO i w documents show.", "The number is in the UPO and in documents show."
            ),
        ) from None
    except TemplateError as error:
        raise BadInput(
            app.text(f"Szablon {template}: {error}.", f"Template {template}: {error}."),
            app.text("Wzór: core/visual/invoice.typ.", "The model: core/visual/invoice.typ."),
        ) from None
    except VisualError as error:
        raise BadInput(
            app.text(f"{file}: nie da się narysować: {error}.", f"{file}: cannot be drawn: {error}."),
            f"ksef-connector invoice validate {file}",
        ) from None
    write_whole(output, picture)
    if not is_dash(output):
        app.err.print(f"✓ {output}", markup=False)
