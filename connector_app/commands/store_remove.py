"""``store remove``: work with a shop ends; what was issued stays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from connector_app.commands.app import App, BadInput, Failure, pass_app
from connector_app.commands.bilingual import Command, option
from connector_app.commands.find_store import find_store
from connector_app.store_closing import UnderWay, WebhooksRemain, close_store, open_ones, refuse_under_way
from core.findings import Text


@click.command(
    cls=Command,
    pl="""Kończy pracę ze sklepem: usuwa jego webhooki i klucze. Dokumenty i zamówienia zostają.

    Odmawia, dopóki dokumenty sklepu są w drodze do KSeF lub do sklepu. store add z tym samym kodem otwiera
    sklep na nowo.""",
)
@click.argument("code", metavar="CODE")
@option(
    "--yes",
    is_flag=True,
    pl="Nie pytaj o dokumenty, które czekają lub wymagają decyzji; nikt ich już nie ruszy.",
    en="Do not ask about documents that wait or need a person; nothing will move them any more.",
)
@option(
    "--force",
    is_flag=True,
    pl="Zamknij także wtedy, gdy sklep nie odpowiada; usuń potem webhooki w sklepie ręcznie.",
    en="Close it even when the shop does not answer; delete the webhooks in the shop by hand then.",
)
@pass_app
def remove(app: App, code: str, yes: bool, force: bool) -> None:
    """End the work with a shop: delete its webhooks and keys. Documents and orders stay.

    Refuses while documents of the store are on their way to KSeF or to the shop. store add with the same code
    opens it again.
    """
    services = app.open()
    with services.database() as session:
        store = find_store(session, app, code)
        with _refusals(app, code):
            refuse_under_way(session, store.id)
        waiting = open_ones(session, store.id)
    if waiting and not yes:
        question = app.text(
            f"Dokumenty, które czekają lub wymagają decyzji: {waiting}. Zamknąć sklep mimo to?",
            f"Documents that wait or need a person: {waiting}. Close the store all the same?",
        )
        click.confirm(question, abort=True, err=True)
    with _refusals(app, code):
        close_store(services, store.id, force=force)
    app.say(
        Text(
            f"✓ Sklep {code} jest zamknięty; jego dokumenty zostają.",
            f"✓ Store {code} is closed; its documents stay.",
        )
    )


@contextmanager
def _refusals(app: App, code: str) -> Iterator[None]:
    """Why it cannot be closed now, in the screen language."""
    try:
        yield
    except UnderWay as error:
        raise BadInput(
            error.text.in_language(app.language),
            app.text(
                f"Poczekaj, aż będą gotowe: ksef-connector store sync {code}",
                f"Wait until they are done: ksef-connector store sync {code}",
            ),
        ) from None
    except WebhooksRemain as error:
        raise Failure(error.text.in_language(app.language), "--force") from None
