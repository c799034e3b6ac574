"""``invoice``: build, validate and render documents from files alone, without database or network."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import click

from adapters import registry as platforms
from adapters.contract import UnreadableOrder
from connector_app.commands.app import ATTENTION, App, BadInput, pass_app
from connector_app.commands.files import write_whole
from connector_app.commands.findings import findings_json, print_findings
from connector_app.profiles import BadProfile, Profile, load
from core.calendar import warsaw_day
from core.fa import registry
from core.fa.schema import MalformedXml
from core.fa.validate import check_built, validate
from core.fa.write import write
from core.findings import Finding, Severity, Text, has_errors
from core.invoices.attention import NeedsAttention
from core.invoices.from_order import draft
from core.ksef import environments
from core.orders import Order

_FILE = click.Path(path_type=Path, dir_okay=False)
_NEWEST_FORM = registry.SchemaVersion.FA3.value
_VERSIONS = click.Choice([version.value for version in registry.SchemaVersion], case_sensitive=False)


@click.group()
def invoice() -> None:
    """Documents from files: build, validate, render."""


@invoice.command()
@click.option("--platform", required=True, help="Platform that the order comes from, e.g. woocommerce.")
@click.option(
    "--order", "order_file", type=_FILE, required=True, help="The order as the shop's API gives it (JSON)."
)
@click.option("--seller", "seller_file", type=_FILE, required=True, help="SELLER.toml, see docs/seller.md.")
@click.option("--schema", "version", type=_VERSIONS, default=_NEWEST_FORM, show_default=True)
@click.option("--number", default=None, help="Invoice number; default: the seller's pattern with counter 1.")
@click.option(
    "--date",
    "day",
    type=click.DateTime(["%Y-%m-%d"]),
    default=None,
    help="Issue date (P_1); default: today in Warsaw.",
)
@click.option("-o", "--output", type=_FILE, default=None, help="File to write; default: standard output.")
@pass_app
def build(
    app: App,
    platform: str,
    order_file: Path,
    seller_file: Path,
    version: str,
    number: str | None,
    day: datetime | None,
    output: Path | None,
) -> None:
    """Build an FA document from an order file and a seller file.

    Exit code 2 when a person has to decide something; nothing is written then.
    """
    profile = _load_seller(app, seller_file)
    order = _load_order(app, platform, order_file)
    now = datetime.now(UTC)
    issued_on = day.date() if day else warsaw_day(now)
    schema = registry.schema_for(version.upper())
    try:
        made = draft(order, profile.seller, profile.policy).issue(
            number or profile.numbers.format(1, issued_on), issued_on, now
        )
    except NeedsAttention as attention:
        _attention(app, order_file, attention.reasons)
        return
    data = write(made, schema)
    findings = check_built(made, data, schema, warsaw_day(now), app.settings.schema_dir)
    if has_errors(findings):
        _attention(app, order_file, findings)
    if output is None:
        sys.stdout.buffer.write(data)
    else:
        write_whole(output, data)
        app.err.print(f"✓ {output}", markup=False)


def _attention(app: App, path: Path, reasons: Sequence[Finding]) -> None:
    app.err.print(
        app.text(
            f"Zamówienie z pliku {path.name} wymaga decyzji; dokument nie powstał:",
            f"The order in {path.name} needs a decision; no document was made:",
        ),
        markup=False,
    )
    print_findings(App(app.settings, app.language, out=app.err), reasons)
    sys.exit(ATTENTION)


def _load_seller(app: App, path: Path) -> Profile:
    try:
        return load(path)
    except BadProfile as error:
        raise BadInput(
            app.text(f"Plik sprzedawcy {path}:\n", f"Seller file {path}:\n") + "\n".join(error.faults),
            "docs/seller.md",
        ) from None
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from None


def _load_order(app: App, platform: str, path: Path) -> Order:
    if platform not in platforms.PLATFORMS:
        known = ", ".join(platforms.PLATFORMS)
        raise BadInput(
            app.text(f"Nieznana platforma: {platform}", f"Unknown platform: {platform}"),
            known,
        )
    hint = app.text(
        "Zapisz odpowiedź API sklepu dla jednego zamówienia, np. GET /wp-json/wc/v3/orders/15.",
        "Save the shop API's answer for one order, e.g. GET /wp-json/wc/v3/orders/15.",
    )
    try:
        data = json.loads(path.read_bytes(), parse_float=Decimal)
        return platforms.mapper(platform)(data)
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from None
    except (UnicodeDecodeError, ValueError, RecursionError):
        message = app.text(f"{path} nie jest plikiem JSON.", f"{path} is not a JSON file.")
        raise BadInput(message, hint) from None
    except UnreadableOrder as error:
        where = f" ({error.path})" if error.path else ""
        message = app.text(
            f"{path} nie jest zamówieniem{where}: {error.message}",
            f"{path} is no order{where}: {error.message}",
        )
        raise BadInput(message, error.hint or hint) from None


@invoice.command(name="validate")
@click.argument("files", type=_FILE, nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Findings as JSON, in both languages.")
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
        return validate(path.read_bytes(), today, app.settings.schema_dir).findings, True
    except OSError as error:
        reason = error.strerror or str(error)
        return (_unreadable("file-unreadable", reason, reason),), False
    except MalformedXml as error:
        return (error.as_finding(),), False
    except registry.UnknownSchema as error:
        return (_unreadable("schema-unknown", f"Nieznany schemat: {error}", str(error)),), False


def _unreadable(code: str, pl: str, en: str) -> Finding:
    return Finding(code, Severity.ERROR, "", Text(pl, en))


@invoice.command()
@click.argument("file", type=_FILE)
@click.option("-o", "--output", type=_FILE, required=True, help="PDF file to write.")
@click.option(
    "--ksef-number", default=None, help="KSeF number to print; without one the word OFFLINE stands."
)
@click.option(
    "--environment",
    default=environments.PRODUCTION.name,
    show_default=True,
    help="Environment whose verification address goes into the QR code: TEST, DEMO, PRODUCTION.",
)
@click.option(
    "--template", type=_FILE, default=None, help="Own template in typst; see core/visual/invoice.typ."
)
@pass_app
def render(
    app: App, file: Path, output: Path, ksef_number: str | None, environment: str, template: Path | None
) -> None:
    """Draw an FA document as PDF/A."""
    from core.ksef import number as numbers  # noqa: PLC0415
    from core.visual.errors import NotRenderable, TemplateError  # noqa: PLC0415  loads fonts
    from core.visual.renderer import Renderer  # noqa: PLC0415

    try:
        if ksef_number is not None:
            numbers.parse(ksef_number)
        picture = Renderer().render(
            file.read_bytes(),
            qr_base_url=environments.by_name(environment).qr_url,
            ksef_number=ksef_number,
            language="en" if app.language == "en" else "pl",
            template=template,
        )
    except OSError as error:
        raise BadInput(f"{file}: {error.strerror}") from None
    except (NotRenderable, TemplateError, ValueError) as error:
        raise BadInput(str(error)) from None
    write_whole(output, picture)
    app.err.print(f"✓ {output}", markup=False)
