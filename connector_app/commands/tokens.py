"""``tokens``: KSeF tokens of a seller's context."""

from __future__ import annotations

import os
from pathlib import Path

import click
from rich.table import Table

from connector_app.commands.app import App, BadInput, pass_app
from connector_app.commands.bilingual import Group, option
from connector_app.commands.files import FILE, reason_of
from connector_app.commands.find_seller import seller_option
from connector_app.commands.ksef import iso, json_option, local, open_desk
from core.findings import Text
from core.ksef import tokens as ksef
from core.ksef.tokens import DESCRIPTION_LENGTHS, TokenPermission, TokenState

_PERMISSIONS = [one.value for one in TokenPermission]
_STATES = {
    TokenState.PENDING: Text("w trakcie tworzenia", "being made"),
    TokenState.ACTIVE: Text("czynny", "active"),
    TokenState.REVOKING: Text("w trakcie unieważniania", "being revoked"),
    TokenState.REVOKED: Text("unieważniony", "revoked"),
    TokenState.FAILED: Text("nieudany", "failed"),
}


@click.group(cls=Group, pl="Tokeny KSeF: utwórz, pokaż, unieważnij.")
def tokens() -> None:
    """KSeF tokens: create, list, revoke."""


@tokens.command(
    pl="""Tworzy token KSeF i zapisuje go do pliku.

    KSeF podaje token tylko raz. Prawo kończy logowanie tokenami; potem logują tylko certyfikaty i podpisy,
    zob. docs/ksef.pl.md.""",
)
@seller_option
@option(
    "--description",
    required=True,
    pl="Opis tokena w KSeF (5 do 256 znaków).",
    en="The token's description at KSeF (5 to 256 characters).",
)
@option(
    "--permission",
    "permissions",
    multiple=True,
    type=click.Choice(_PERMISSIONS, case_sensitive=False),
    metavar="NAME",
    default=("InvoiceWrite", "InvoiceRead"),
    show_default="InvoiceWrite, InvoiceRead",
    pl="Uprawnienie tokena; można powtórzyć.",
    en="A permission of the token; may be repeated.",
)
@option(
    "--output",
    "-o",
    type=FILE,
    required=True,
    pl="Nowy plik na token, czytelny tylko dla właściciela.",
    en="New file for the token, readable by its owner only.",
)
@pass_app
def create(app: App, nip: str | None, description: str, permissions: tuple[str, ...], output: Path) -> None:
    """Create a KSeF token and write it to a file.

    KSeF tells a token once only. The law ends signing in with tokens; afterwards only certificates and
    signatures do, see docs/ksef.md.
    """
    shortest, longest = DESCRIPTION_LENGTHS
    if not shortest <= len(description) <= longest:
        raise BadInput(
            app.text(
                f"Opis ma {shortest} do {longest} znaków.",
                f"A description has {shortest} to {longest} characters.",
            )
        )
    desk = open_desk(app, nip)
    client, wanted = desk.access.client, {TokenPermission(name) for name in permissions}
    file = _new_file(app, output)
    try:
        made = desk.access.call(lambda access: ksef.create(client, access, wanted, description))
    except BaseException:
        os.close(file)
        output.unlink()
        raise
    with os.fdopen(file, "w", encoding="utf-8") as stream:
        stream.write(f"{made.text}\n")
        stream.flush()
        os.fsync(stream.fileno())
    app.err.print(app.text("… Czekam, aż token zacznie działać", "… Waiting for the token to work"))
    desk.access.call(lambda access: ksef.wait_until_active(client, access, made.reference))
    app.say(
        Text(
            f"✓ Token {made.reference} działa; zapisany w {output}",
            f"✓ Token {made.reference} works; written to {output}",
        )
    )


def _new_file(app: App, output: Path) -> int:
    """An empty file for its owner only, made before KSeF is asked: the token is told once."""
    try:
        return os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise BadInput(f"{output}: {reason_of(error).in_language(app.language)}.") from None


@tokens.command(name="list", pl="Pokazuje tokeny, które wolno zobaczyć zalogowanemu.")
@seller_option
@json_option
@pass_app
def list_tokens(app: App, nip: str | None, as_json: bool) -> None:
    """List the tokens that whoever is signed in may see."""
    desk = open_desk(app, nip)
    entries = desk.access.call(lambda access: list(ksef.listing(desk.access.client, access)))
    if as_json:
        app.json(
            [
                {
                    "reference": one.reference,
                    "description": one.description,
                    "permissions": list(one.permissions),
                    "state": one.state.value,
                    "created": iso(one.created),
                    "last_used": iso(one.last_used),
                }
                for one in entries
            ]
        )
        return
    table = Table(box=None, pad_edge=False)
    titles = (
        ("Numer", "Reference"),
        ("Opis", "Description"),
        ("Stan", "State"),
        ("Uprawnienia", "Permissions"),
        ("Utworzony", "Created"),
        ("Użyty", "Used"),
    )
    for title in titles:
        table.add_column(app.text(*title), overflow="fold")
    for one in entries:
        state = _STATES[one.state].in_language(app.language)
        names = ", ".join(one.permissions)
        table.add_row(one.reference, one.description, state, names, local(one.created), local(one.last_used))
    app.table(table)


@tokens.command(pl="Unieważnia token na zawsze.")
@click.argument("reference", metavar="REF")
@seller_option
@pass_app
def revoke(app: App, reference: str, nip: str | None) -> None:
    """Revoke a token for good."""
    desk = open_desk(app, nip)
    desk.access.call(lambda access: ksef.revoke(desk.access.client, access, reference))
    app.say(Text(f"✓ Token {reference} jest unieważniony.", f"✓ Token {reference} is revoked."))
