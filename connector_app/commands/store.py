"""``store``: connect shops, look at the connection, bring them up to date."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from pathlib import Path

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from adapters import registry as platforms
from adapters.contract import ShopError
from connector_app.commands.app import App, BadInput, Failure, pass_app
from connector_app.commands.progress import Progress
from connector_app.commands.tables import load, print_documents
from connector_app.pipeline.runner import Runner, RunnerBusy, runner_lock
from connector_app.policies import Recipients, StorePolicy, Trigger
from connector_app.store.models import Seller, Store
from core.findings import Text

_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.group()
def store() -> None:
    """Stores: add, check, sync."""


@store.command()
@click.argument("code")
@click.option("--seller", "nip", required=True, help="NIP of the seller.")
@click.option("--platform", required=True, type=click.Choice(platforms.PLATFORMS))
@click.option("--url", required=True, help="Address of the shop.")
@click.option(
    "--config-file",
    type=_FILE,
    required=True,
    help="File with the platform's credentials, one key=value a line, e.g. consumer_key=ck_...",
)
@click.option(
    "--recipients", type=click.Choice(list(Recipients)), default=Recipients.NIP.value, show_default=True
)
@click.option("--trigger", type=click.Choice(list(Trigger)), default=Trigger.PAID.value, show_default=True)
@click.option(
    "--start",
    type=click.DateTime(["%Y-%m-%d"]),
    default=None,
    help="Orders placed before this day are never invoiced; default: today.",
)
@click.option("--note-language", type=click.Choice(["pl", "en"]), default="pl", show_default=True)
@pass_app
def add(
    app: App,
    code: str,
    nip: str,
    platform: str,
    url: str,
    config_file: Path,
    recipients: str,
    trigger: str,
    start: datetime | None,
    note_language: str,
) -> None:
    """Add a store under a short CODE, or change the one with that code."""
    services = app.open()
    config = {"url": url, **_read_config(app, platform, config_file)}
    try:
        platforms.connect(platform, config).close()
    except ShopError as error:
        raise BadInput(error.message, error.hint) from None
    now = services.clock()
    policy = StorePolicy(
        recipients=Recipients(recipients),
        trigger=Trigger(trigger),
        start_day=start.date() if start else now.date(),
        language=note_language,
    )
    with services.database.begin() as session:
        seller = session.scalar(select(Seller).where(Seller.nip == nip))
        if seller is None:
            raise BadInput(
                app.text(f"Nie ma sprzedawcy z NIP {nip}.", f"There is no seller with NIP {nip}."),
                "ksef-connector seller add SELLER.toml ...",
            )
        row = session.scalar(select(Store).where(Store.code == code)) or Store(code=code, created_at=now)
        row.seller_id, row.platform, row.url = seller.id, platform, url
        row.config, row.policy = services.vault.seal(config), policy.as_json()
        session.add(row)
    app.say(Text(f"✓ Sklep {code} ({platform}) {url}", f"✓ Store {code} ({platform}) {url}"))


def _read_config(app: App, platform: str, path: Path) -> dict[str, str]:
    known = platforms.config_keys(platform)
    config: dict[str, str] = {}
    for number, raw in enumerate(path.read_text("utf-8").splitlines(), 1):
        entry = raw.strip()
        if not entry or entry.startswith("#"):
            continue
        name, equals, value = entry.partition("=")
        if not equals or name.strip() not in known:
            # the line itself may hold a secret, so only its number is shown
            raise BadInput(
                app.text(
                    f"{path}, wiersz {number}: nieznany wpis.", f"{path}, line {number}: unknown entry."
                ),
                ", ".join(sorted(known)),
            )
        config[name.strip()] = value.strip()
    return config


def _find(session: Session, app: App, code: str) -> Store:
    row = session.scalar(select(Store).where(Store.code == code))
    if row is None:
        codes = ", ".join(session.scalars(select(Store.code).order_by(Store.code))) or "-"
        raise BadInput(
            app.text(f"Nie ma sklepu {code}.", f"There is no store {code}."),
            app.text(f"Są: {codes}", f"There are: {codes}"),
        )
    return row


@store.command()
@click.argument("code")
@pass_app
def check(app: App, code: str) -> None:
    """Look at a store's connection, permissions and settings, in words.

    Exit code 1 when something is broken.
    """
    services = app.open()
    with services.database() as session:
        row = _find(session, app, code)
    try:
        shop = services.shop(row)
        lines = shop.check()
        shop.close()
    except ShopError as error:
        raise Failure(error.message, error.hint) from None
    for line in lines:
        mark = {True: "✓", False: "✗", None: "i"}[line.ok]
        app.out.print(f"{mark} {line.title}: {line.detail}", markup=False)
    sys.exit(1 if any(line.ok is False for line in lines) else 0)


@store.command()
@click.argument("code", required=False)
@click.option("--patience", type=click.FloatRange(0, 3600), default=60.0, show_default=True, help="Seconds.")
@pass_app
def sync(app: App, code: str | None, patience: float) -> None:
    """Take in what changed in the stores (or in one), and work until nothing is due.

    Exit code 1 when something could not be reached; what waits says what for.
    """
    with Progress(app) as progress:
        services = app.open(progress.watch)
        if code is not None:
            with services.database() as session:
                _find(session, app, code)
        runner = Runner(services)
        try:
            with runner_lock(app.settings.lock_file, wait=False, on_wait=lambda: None):
                seen = runner.take_in(code)
                work = runner.work_until_idle(timedelta(seconds=patience))
        except RunnerBusy:
            raise Failure(
                app.text(
                    "Inny proces już pracuje na tej instalacji.",
                    "Another process is already at work on this installation.",
                ),
                app.text("Zrobi to samo; poczekaj na niego.", "It does the same work; wait for it."),
            ) from None
    if progress.touched:
        print_documents(app, load(services, only=progress.touched))
    else:
        app.say(Text("Nic nowego.", "Nothing new."))
    problems = seen.problems + work.problems
    for problem in problems:
        app.err.print(f"! {problem.in_language(app.language)}", markup=False)
    sys.exit(1 if problems else 0)
