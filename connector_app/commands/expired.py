"""``documents expired``: documents older than the legal time, listed or deleted."""

from __future__ import annotations

import click

from connector_app.commands.app import App, BadInput, pass_app
from connector_app.commands.bilingual import Command, option
from connector_app.keeping.expired import delete_expired, expired
from core.calendar import warsaw_day
from core.findings import Text


@click.command(
    "expired",
    cls=Command,
    pl="""Pokazuje dokumenty starsze niż czas przechowywania; usuwa je tylko na wyraźne polecenie.

    Program sam niczego nie usuwa. Po usuniętym dokumencie zostaje numer, data i skrót, żeby numer nie wrócił
    i żeby kontrola numerów nie znalazła luki.""",
)
@option("--delete", "with_delete", is_flag=True, pl="Usuń je.", en="Delete them.")
@option(
    "--confirm",
    type=int,
    default=None,
    metavar="N",
    pl="Ile dokumentów ma zniknąć; bez tej opcji program zapyta.",
    en="How many documents are to go; without it the program asks.",
)
@pass_app
def expired_documents(app: App, with_delete: bool, confirm: int | None) -> None:
    """Show documents that are older than they have to be kept; delete them only when told to.

    The program deletes none by itself. Of a deleted document its number, day and hash stay, so that the
    number never comes back and a check of numbers finds no gap.
    """
    services = app.open()
    with services.database() as session:
        found = expired(session, warsaw_day(services.clock()))
    count = sum(one.count for one in found)
    if not found:
        app.say(Text("Nie ma takich dokumentów.", "There are no such documents."))
        return
    app.say(
        Text(
            f"Dokumentów: {count}, zamówień: {len(found)}; najstarsze z {found[0].newest}, najnowsze z "
            f"{found[-1].newest}.",
            f"Documents: {count}, orders: {len(found)}; the oldest of {found[0].newest}, the newest of "
            f"{found[-1].newest}.",
        )
    )
    if not with_delete:
        app.say(
            Text(
                "→ Najpierw kopia zapasowa, potem: ksef-connector documents expired --delete",
                "→ First a backup, then: ksef-connector documents expired --delete",
            )
        )
        return
    if confirm is None:
        said = Text(
            "Tego nie da się cofnąć. Wpisz liczbę dokumentów",
            "This cannot be undone. Type the number of documents",
        )
        confirm = click.prompt(said.in_language(app.language), type=int, err=True)
    if confirm != count:
        raise BadInput(
            app.text("Liczba się nie zgadza; niczego nie usunięto.", "Another number; nothing was deleted.")
        )
    gone = delete_expired(services, found, "command line")
    app.say(Text(f"✓ Usunięto dokumentów: {gone}.", f"✓ Documents deleted: {gone}."))
