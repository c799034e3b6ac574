"""``store webhooks``: whether a shop tells of changes by itself, and making it do so."""

from __future__ import annotations

import sys

import click
from rich.table import Table

from adapters.contract import ShopError, WebhookHealth
from connector_app import subscriptions
from connector_app.commands.app import App, BadInput, Failure, pass_app
from connector_app.commands.bilingual import Command, option
from connector_app.commands.failures import shop_words
from connector_app.commands.find_store import find_store
from connector_app.commands.public_url import public_address_of
from connector_app.pipeline.services import Services
from connector_app.store.models import Store
from connector_app.subscriptions import NoWebhooks
from core.findings import Text


@click.command(
    cls=Command,
    pl="""Pokazuje webhooki sklepu, rejestruje je lub usuwa.

    Działający serve z adresem publicznym robi to sam i co kwadrans je sprawdza. Kod wyjścia 1, jeżeli któryś
    webhook nie działa.""",
)
@click.argument("code", metavar="CODE")
@option("--register", is_flag=True, pl="Zarejestruj albo napraw.", en="Register them, or put them right.")
@option("--unregister", is_flag=True, pl="Usuń ze sklepu.", en="Delete them from the shop.")
@option(
    "--rotate",
    is_flag=True,
    pl="Zarejestruj z nowym sekretem podpisu; stary jeszcze pasuje do dostaw w drodze.",
    en="Register with a new signing secret; the old one still fits deliveries under way.",
)
@option(
    "--public-url",
    default=None,
    metavar="URL",
    pl="Adres https, pod którym sklep widzi ten program (inaczej KSEF_CONNECTOR_PUBLIC_URL).",
    en="The https address under which the shop reaches this program (else KSEF_CONNECTOR_PUBLIC_URL).",
)
@option("--json", "as_json", is_flag=True, pl="Wynik jako JSON.", en="The result as JSON.")
@pass_app
def webhooks(
    app: App,
    code: str,
    register: bool,
    unregister: bool,
    rotate: bool,
    public_url: str | None,
    as_json: bool,
) -> None:
    """Show a store's webhooks, register them, or delete them.

    A running serve with a public address does so by itself and looks after them every quarter of an hour.
    Exit code 1 when one of them does not work.
    """
    if unregister and (register or rotate):
        raise BadInput(app.text("Albo --register, albo --unregister.", "Either --register or --unregister."))
    services = app.open()
    with services.database() as session:
        store = find_store(session, app, code)
    try:
        if unregister:
            subscriptions.unregister(services, store.id)
        elif register or rotate:
            subscriptions.register(services, store.id, _address(app, public_url), rotate=rotate)
        found = _health(services, store.id)
    except NoWebhooks:
        text = f"Platforma {store.platform} nie ma webhooków; zmiany są znajdowane przez pytanie sklepu."
        raise Failure(
            app.text(text, f"{store.platform} has no webhooks; changes are found by asking the shop.")
        ) from None
    except ShopError as error:
        raise Failure(*shop_words(error, app.language)) from None
    _show(app, found, as_json=as_json)
    sys.exit(0 if unregister or (found and all(one.active for one in found)) else 1)


def _address(app: App, given: str | None) -> str:
    address = public_address_of(app, given)
    if not address:
        raise BadInput(
            app.text(
                "Nie wiadomo, pod jakim adresem sklep widzi ten program.",
                "It is not known under which address the shop reaches this program.",
            ),
            "--public-url https://..., KSEF_CONNECTOR_PUBLIC_URL",
        )
    return address


def _health(services: Services, store_id: int) -> list[WebhookHealth]:
    with services.database() as session:
        return subscriptions.health(services, session.get_one(Store, store_id))


def _show(app: App, found: list[WebhookHealth], *, as_json: bool) -> None:
    if as_json:
        app.json([{"topic": one.topic, "active": one.active, "detail": one.detail} for one in found])
        return
    if not found:
        app.say(Text("Webhooki nie są zarejestrowane.", "Webhooks are not registered."))
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    for one in found:
        table.add_row("✓" if one.active else "✗", one.topic, one.detail)
    app.table(table)
