"""``permissions``: what the seller's identity may do at KSeF."""

from __future__ import annotations

import click

from connector_app.commands.app import App
from connector_app.commands.bilingual import Group
from connector_app.commands.find_seller import seller_option
from connector_app.commands.ksef import json_option, open_desk
from core.findings import Text
from core.ksef.permissions import NAMES, SEND, personal


@click.group(cls=Group, pl="Uprawnienia w KSeF.")
def permissions() -> None:
    """Permissions at KSeF."""


@permissions.command(
    pl="""Pokazuje, co wolno zalogowanemu w firmie sprzedawcy i czego brakuje programowi.

    Kod wyjścia 2, gdy brakuje uprawnienia do wystawiania faktur.""",
)
@seller_option
@json_option
@click.pass_context
def show(context: click.Context, nip: str | None, as_json: bool) -> None:
    """Show what whoever is signed in may do for the seller's company, and what the program lacks.

    Exit code 2 when the permission to issue invoices is missing.
    """
    app: App = context.obj
    desk = open_desk(app, nip)
    found = desk.access.call(lambda access: personal(desk.access.client, access, desk.seller.nip))
    if as_json:
        app.json(
            {
                "nip": desk.seller.nip,
                "owner": sorted(found.owner),
                "held": sorted(found.held),
                "missing": [text.in_language(app.language) for text in found.missing],
            }
        )
    else:
        if found.owner:
            app.say(Text("Zalogowany jest właścicielem.", "Signed in as the owner."))
        for name in sorted(found.held):
            meaning = NAMES.get(name, Text("", "")).in_language(app.language)
            app.out.print(f"✓ {name} {meaning}".rstrip(), markup=False)
        for text in found.missing:
            app.out.print(f"✗ {text.in_language(app.language)}", markup=False)
    if SEND not in found.held:
        context.exit(2)
