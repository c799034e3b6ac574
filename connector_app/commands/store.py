"""``store``: connect shops, look at the connection, bring them up to date."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
from rich.table import Table
from sqlalchemy import select

from adapters import registry as platforms
from adapters.contract import CheckLine, ShopError
from connector_app.commands.app import App, BadInput, Failure, pass_app
from connector_app.commands.bilingual import Group, option
from connector_app.commands.failures import shop_words
from connector_app.commands.files import FILE
from connector_app.commands.find_seller import find_seller, named_seller_option
from connector_app.commands.find_store import find_store
from connector_app.commands.platform_config import read_config
from connector_app.commands.progress import Progress
from connector_app.commands.store_backfill import backfill
from connector_app.commands.store_dry_run import dry_run
from connector_app.commands.store_policy import changed, policy_options, set_policy
from connector_app.commands.store_remove import remove
from connector_app.commands.store_texts import texts
from connector_app.commands.store_webhooks import webhooks
from connector_app.commands.tables import Choice, document_json, load, print_documents
from connector_app.pipeline.runner import Runner
from connector_app.policies import StorePolicy
from connector_app.running.alone import RunnerBusy, work_once
from connector_app.store.models import Store
from connector_app.store.recovered import IS_SHOP
from connector_app.store_check import check_store
from connector_app.stores import StoreRefused, check_code, connect_store, try_config
from core.calendar import warsaw_day
from core.findings import Text

_JSON = option("--json", "as_json", is_flag=True, pl="Wynik jako JSON.", en="The result as JSON.")


@click.group(cls=Group, pl="Sklepy: dodaj, sprawdź, zsynchronizuj, pokaż, usuń.")
def store() -> None:
    """Stores: add, check, sync, list, remove."""


@store.command(
    pl="""Dodaje sklep pod krótkim KODEM albo zmienia ten, który ma taki kod.

    Zmieniany sklep zachowuje ustawienia, których nie podano.""",
)
@click.argument("code", metavar="CODE")
@named_seller_option
@option(
    "--platform",
    required=True,
    metavar="|".join(platforms.PLATFORMS),
    pl="Platforma sklepu.",
    en="Platform of the shop.",
)
@option("--url", required=True, metavar="URL", pl="Adres sklepu.", en="Address of the shop.")
@option(
    "--config-file",
    type=FILE,
    required=True,
    pl="Plik z kluczami platformy, po jednym wpisie nazwa=wartość w wierszu, np. consumer_key=ck_...",
    en="File with the platform's credentials, one name=value a line, e.g. consumer_key=ck_...",
)
@policy_options
@pass_app
def add(
    app: App,
    /,
    code: str,
    nip: str,
    platform: str,
    url: str,
    config_file: Path,
    **choices: Any,
) -> None:
    """Add a store under a short CODE, or change the one with that code.

    A store that is changed keeps the settings that are not given.
    """
    with _refusals(app):
        check_code(code)
    _check_platform(app, platform)
    config = {"url": url, **read_config(app, platform, config_file)}
    try:
        try_config(platform, config)
    except ShopError as error:
        raise BadInput(*shop_words(error, app.language)) from None
    services = app.open()
    with _refusals(app), services.database.begin() as session:
        seller = find_seller(app, session, nip)
        connect_store(services, session, seller, code, platform, config, lambda one: changed(one, choices))
    app.say(Text(f"✓ Sklep {code} ({platform}) {url}", f"✓ Store {code} ({platform}) {url}"))
    app.say(Text(f"→ ksef-connector store check {code}", f"→ ksef-connector store check {code}"))


def _check_platform(app: App, platform: str) -> None:
    if platform not in platforms.PLATFORMS:
        raise BadInput(
            app.text(f"Nieznana platforma: {platform}.", f"Unknown platform: {platform}."),
            app.text("Znane: ", "Known: ") + ", ".join(platforms.PLATFORMS),
        )


@store.command(
    pl="""Sprawdza połączenie ze sklepem, uprawnienia klucza i ustawienia, słowami.

    Kod wyjścia 1, jeżeli coś nie działa.""",
)
@click.argument("code", metavar="CODE")
@_JSON
@pass_app
def check(app: App, code: str, as_json: bool) -> None:
    """Look at a store's connection, permissions and settings, in words.

    Exit code 1 when something is broken.
    """
    services = app.open()
    with services.database() as session:
        row = find_store(session, app, code)
    try:
        lines = check_store(services, row)
    except ShopError as error:
        raise Failure(*shop_words(error, app.language)) from None
    if as_json:
        app.json([_line_json(line) for line in lines])
    else:
        for line in lines:
            mark = {True: "✓", False: "✗", None: "i"}[line.ok]
            title, detail = line.title.in_language(app.language), line.detail.in_language(app.language)
            app.out.print(f"{mark} {title}: {detail}", markup=False)
    sys.exit(1 if any(line.ok is False for line in lines) else 0)


def _line_json(line: CheckLine) -> dict[str, object]:
    """For machines: the English words stay the same in every screen language."""
    return {
        "ok": line.ok,
        "title": line.title.en,
        "detail": line.detail.en,
        "title_pl": line.title.pl,
        "detail_pl": line.detail.pl,
    }


@contextmanager
def _refusals(app: App) -> Iterator[None]:
    """What cannot be connected, in the screen language."""
    try:
        yield
    except StoreRefused as error:
        raise BadInput(error.text.in_language(app.language), error.hint.in_language(app.language)) from None


@store.command(
    pl="""Pobiera zmiany ze sklepów (lub z jednego) i pracuje, dopóki jest coś do zrobienia.

    Kod wyjścia 1, jeżeli z czymś nie było połączenia; dokument, który czeka, mówi na co.""",
)
@click.argument("code", required=False, metavar="[CODE]")
@option(
    "--patience",
    type=click.FloatRange(0, 3600),
    default=60.0,
    show_default=True,
    metavar="S",
    pl="Ile sekund czekać na dokumenty w drodze.",
    en="Seconds to wait for documents under way.",
)
@_JSON
@pass_app
def sync(app: App, code: str | None, patience: float, as_json: bool) -> None:
    """Take in what changed in the stores (or in one), and work until nothing is due.

    Exit code 1 when something could not be reached; what waits says what for.
    """
    with Progress(app) as progress:
        services = app.open(progress.watch)
        if code is not None:
            with services.database() as session:
                find_store(session, app, code)
        runner = Runner(services)
        try:
            with work_once(services, "sync", scaled=app.settings.is_scaled):
                seen = runner.take_in(code)
                work = runner.work_until_idle(timedelta(seconds=patience))
        except RunnerBusy as busy:
            raise Failure(
                busy.text.in_language(app.language),
                app.text("Zrobi to samo; poczekaj na niego.", "It does the same work; wait for it."),
            ) from None
    rows = load(services, Choice(only=progress.touched)) if progress.touched else []
    problems = seen.problems + work.problems
    if as_json:
        said = [problem.in_language(app.language) for problem in problems]
        documents = [document_json(row, app.language) for row in rows]
        app.json({"changed": documents, "problems": said})
    elif rows:
        print_documents(app, rows)
    elif not problems:
        app.say(Text("Nic nowego.", "Nothing new."))
    for problem in problems:
        app.err.print(f"! {problem.in_language(app.language)}", markup=False)
    sys.exit(1 if problems else 0)


@store.command(name="list", pl="Pokazuje sklepy tej instalacji.")
@_JSON
@pass_app
def list_stores(app: App, as_json: bool) -> None:
    """List the stores of this installation."""
    services = app.open()
    with services.database() as session:
        rows = [
            (row, row.seller.nip, StorePolicy.from_json(row.policy))
            for row in session.scalars(select(Store).where(IS_SHOP).order_by(Store.id))
        ]
    if as_json:
        app.json(
            [
                {
                    "code": row.code,
                    "seller": nip,
                    "platform": row.platform,
                    "url": row.url,
                    "closed_at": row.closed_at.isoformat() if row.closed_at else None,
                    **policy.as_json(),
                }
                for row, nip, policy in rows
            ]
        )
        return
    if not rows:
        app.say(Text("Nie ma jeszcze sklepów.", "There are no stores yet."))
        app.say(Text("→ ksef-connector store add --help", "→ ksef-connector store add --help"))
        return
    table = Table(box=None, pad_edge=False)
    for pl, en in (
        ("Kod", "Code"),
        ("Sprzedawca", "Seller"),
        ("Platforma", "Platform"),
        ("Adres", "Address"),
        ("Komu", "Whom"),
        ("Kiedy", "When"),
        ("Od dnia", "From"),
        ("Zamknięty", "Closed"),
    ):
        table.add_column(app.text(pl, en), overflow="fold")
    for row, nip, policy in rows:
        start = policy.start_day.isoformat() if policy.start_day else ""
        closed = f"{warsaw_day(row.closed_at)}" if row.closed_at else ""
        table.add_row(row.code, nip, row.platform, row.url, policy.recipients, policy.trigger, start, closed)
    app.table(table)


store.add_command(webhooks)
store.add_command(backfill)
store.add_command(dry_run)
store.add_command(remove)
store.add_command(set_policy)
store.add_command(texts)
