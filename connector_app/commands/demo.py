"""``demo``: recorded orders of a WooCommerce shop go to a KSeF sandbox and their numbers come back."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table
from sqlalchemy import select
from sqlalchemy.orm import Session

from connector_app import credentials
from connector_app.commands.app import App, Failure, pass_app
from connector_app.commands.bilingual import Command, option
from connector_app.commands.demo_home import DemoHome, state_errors
from connector_app.commands.documents import fetch
from connector_app.commands.files import reason_of, write_whole
from connector_app.commands.progress import Progress
from connector_app.commands.tables import Choice, amount, load, print_hints, reason, state_name
from connector_app.keeping.reading import upo_of, xml_of
from connector_app.pictures import picture
from connector_app.pipeline.runner import Runner
from connector_app.pipeline.services import Services
from connector_app.policies import Recipients, StorePolicy
from connector_app.profiles import Profile, parse
from connector_app.running.alone import work_alone
from connector_app.sellers import fill
from connector_app.settings import Settings
from connector_app.store.models import Document, DocumentState, Seller, Store
from core.fa import registry
from core.findings import Text
from core.ksef import environments
from core.ksef.environments import Environment
from core.signing.keys import self_signed

if TYPE_CHECKING:
    from sandbox.ksef.server import KsefSandbox

_PATIENCE = timedelta(seconds=50)
_PROCESSING_SECONDS = 0.5
_UNFINISHED = frozenset(
    {DocumentState.READY, DocumentState.ISSUED, DocumentState.SENT, DocumentState.ACCEPTED}
)


@dataclass(frozen=True, slots=True)
class _Cast:
    """Who plays in the demo of one schema version.

    Attributes:
        code: the store's code. nip: the seller's NIP. name: the seller's name.
    """

    code: str
    nip: str
    name: str


# the first number stands in the Ministry's documentation, the second is a public body's
_CASTS = {
    registry.SchemaVersion.FA3: _Cast("demo", "5265877635", "Sklep Przykładowy sp. z o.o."),
    registry.SchemaVersion.FA2: _Cast("demo-fa2", "5213017228", "Sklep Przykładowy FA(2) sp. z o.o."),
}


@click.command(
    cls=Command,
    pl="""Wystawia faktury do nagranych zamówień, w piaskownicach na localhost.

    Można ją powtarzać i przerywać: kończy się tą samą tabelą.
    Kod wyjścia 1, jeżeli coś nie doszło do końca.""",
)
@option(
    "--schema",
    "version",
    type=click.Choice([one.value for one in registry.SchemaVersion], case_sensitive=False),
    metavar="FA3|FA2",
    default=registry.SchemaVersion.FA3.value,
    show_default=True,
    pl="Struktura dokumentów.",
    en="Structure of documents.",
)
@option(
    "--output",
    type=click.Path(path_type=Path),
    default=Path("demo-output"),
    show_default=True,
    pl="Folder na XML, PDF i UPO; instalacja demonstracji leży w jego folderze home.",
    en="Folder for XML, PDF and UPO; the demo's installation is in its folder home.",
)
@pass_app
def demo(app: App, version: str, output: Path) -> None:
    """Issue invoices for recorded orders, with sandboxes on localhost.

    It may be repeated and interrupted: it ends in the same table. Exit code 1 when something is unfinished.
    """
    version = version.upper()
    # the demo talks to nobody but its sandboxes
    app.settings = Settings(home=output / "home", schema_dir=app.settings.schema_dir, nbp_url="off")
    try:
        app.settings.prepare()
    except OSError as error:
        why = reason_of(error)
        raise Failure(
            app.text(f"Folderu {output} nie można użyć: {why.pl}.", f"{output} cannot be used: {why.en}."),
            "--output",
        ) from None
    cast = _CASTS[registry.SchemaVersion(version)]
    progress = Progress(app)
    services = app.open(progress.watch)
    with (
        work_alone(services, "demo", wait=True, on_wait=app.tell),
        ExitStack() as stack,
    ):
        environment, shop_url = stack.enter_context(_sandboxes(app, cast))
        store_id, seller_id = _prepare(services, cast, version, environment, shop_url)
        with progress:
            runner = Runner(services, only=[seller_id])
            problems = runner.take_in(cast.code).problems
            problems += runner.work_until_idle(_PATIENCE).problems
        rows = load(services, Choice(store_id=store_id))
        _write_files(app, services, rows, output)
    _print_result(app, rows, output)
    for problem in problems:
        app.err.print(f"! {problem.in_language(app.language)}", markup=False)
    sys.exit(1 if problems or any(DocumentState(row.state) in _UNFINISHED for row in rows) else 0)


@contextmanager
def _sandboxes(app: App, cast: _Cast) -> Iterator[tuple[Environment, str]]:
    """KSeF and the shop on the ports they had before, or on free ones."""
    from sandbox.ksef.server import KsefSandbox  # noqa: PLC0415  servers load only when asked for
    from sandbox.woocommerce.recordings import demo_orders  # noqa: PLC0415
    from sandbox.woocommerce.server import WooSandbox  # noqa: PLC0415

    places = DemoHome(app.settings.home)
    with state_errors(app):
        # the shop first: its server opens later, so nothing is left open when a memory cannot be read
        made_shop = WooSandbox(
            demo_orders(), port=places.port(cast.code), state_path=places.shop_state(cast.code)
        )
        made_ksef = KsefSandbox(
            places.port("ksef"), database=places.ksef_state, processing_seconds=_PROCESSING_SECONDS
        )
    with made_ksef as ksef, made_shop as shop:
        app.err.print(f"KSeF  {ksef.api_url}", markup=False)
        app.err.print(f"Sklep {shop.url}" if app.language == "pl" else f"Shop  {shop.url}", markup=False)
        yield _environment(ksef), shop.url


def _environment(ksef: KsefSandbox) -> Environment:
    return environments.custom(ksef.api_url, ksef.qr_url, latarnia_url=ksef.latarnia_url, name="SANDBOX")


def _profile(cast: _Cast) -> Profile:
    return parse(
        {
            "seller": {
                "nip": cast.nip,
                "name": cast.name,
                "address": {"country": "PL", "line1": "ul. Przykładowa 1", "line2": "00-001 Warszawa"},
                "email": "faktury@sklep.example",
                "place": "Warszawa",
            },
            "invoices": {"number_pattern": "FV/{yyyy}/{mm}/{n:04}"},
            "bank_account": {"number": "61109010140000071219812874", "bank": "Bank Przykładowy"},
        }
    )


def _prepare(
    services: Services, cast: _Cast, version: str, environment: Environment, shop_url: str
) -> tuple[int, int]:
    """Make the demo's seller and store, or bring their addresses up to date."""
    from sandbox.woocommerce.server import DEMO_CONSUMER_KEY, DEMO_CONSUMER_SECRET  # noqa: PLC0415

    now = datetime.now(UTC)
    with services.database.begin() as session:
        seller = session.scalar(select(Seller).where(Seller.nip == cast.nip))
        if seller is None:
            seller = Seller(nip=cast.nip, created_at=now)
            session.add(seller)
        credential = seller.credential or credentials.seal_certificate(
            services.vault, self_signed(cast.nip, now=now, valid_days=3650)
        )
        fill(seller, _profile(cast), environment, registry.schema_for(version), credential)
        session.flush()
        store = _store(session, cast, seller)
        store.url = shop_url
        store.config = services.vault.seal(
            {"url": shop_url, "consumer_key": DEMO_CONSUMER_KEY, "consumer_secret": DEMO_CONSUMER_SECRET}
        )
        session.flush()
        return store.id, seller.id


def _store(session: Session, cast: _Cast, seller: Seller) -> Store:
    store = session.scalar(select(Store).where(Store.code == cast.code))
    if store is None:
        store = Store(
            code=cast.code,
            seller_id=seller.id,
            platform="woocommerce",
            policy=StorePolicy(recipients=Recipients.EVERYONE).as_json(),
            created_at=datetime.now(UTC),
        )
        session.add(store)
    return store


def _write_files(app: App, services: Services, rows: list[Document], output: Path) -> None:
    """XML, PDF and UPO of each accepted document; files that are there already stay as they are."""
    for row in rows:
        if row.ksef_number is None or row.number is None:
            continue
        name = f"{row.schema_version}-{row.number.replace('/', '-')}"
        wanted = [output / f"{name}{ending}" for ending in (".xml", ".pdf", "-UPO.xml")]
        if all(path.exists() for path in wanted):
            continue
        whole = fetch(app, services, row.id)
        for path, data in zip(
            wanted, (xml_of(whole), picture(whole, app.language), upo_of(whole)), strict=True
        ):
            if data is not None:
                write_whole(path, data)


def _print_result(app: App, rows: list[Document], output: Path) -> None:
    table = Table(box=None, pad_edge=False)
    titles = (
        ("Zamówienie", "Order"),
        ("Nabywca", "Buyer"),
        ("Brutto", "Gross"),
        ("Numer faktury", "Invoice number"),
        ("Numer KSeF", "KSeF number"),
        ("Notatki w sklepie", "Notes in the shop"),
    )
    for pl, en in titles:
        table.add_column(app.text(pl, en), justify="right" if en == "Gross" else "left", overflow="fold")
    asked = [row for row in rows if row.ksef_number is None]
    for row in rows:
        if row.ksef_number is None:
            continue
        notes = ", ".join(
            f"{one.remote_id}" for one in row.publications if one.done_at and one.channel != "metadata"
        )
        table.add_row(
            row.order.number,
            row.buyer_name or "",
            amount(row.total, row.currency),
            row.number or "",
            row.ksef_number,
            notes,
        )
    app.table(table)
    if asked:
        app.say(Text("\nWymagają człowieka:", "\nNeed a person:"))
    for row in asked:
        state = state_name(DocumentState(row.state), app.language)
        head = f"{row.order.number}  {row.buyer_name or ''}  {amount(row.total, row.currency)}  [{state}]"
        app.out.print(head, markup=False)
        app.out.print(f"    {reason(row, app.language)}", markup=False)
        print_hints(app, row)
    home = shlex.quote(str(output / "home"))
    next_step = f"KSEF_CONNECTOR_HOME={home} {_program()} documents list"
    app.say(Text(f"\nPliki: {output}/", f"\nFiles: {output}/"))
    app.say(Text(f"Dalej: {next_step}", f"Next:  {next_step}"))


def _program() -> str:
    """How this command can be called again from here."""
    name = "ksef-connector"
    return name if shutil.which(name) else shlex.quote(sys.argv[0])
