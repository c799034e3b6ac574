"""``mail``: the mail server of a store, a trial message, messages that did not go out."""

from __future__ import annotations

from typing import Unpack

import click
from sqlalchemy import select

from connector_app.commands.app import App, BadInput, pass_app
from connector_app.commands.bilingual import Group, option
from connector_app.commands.find_store import find_store
from connector_app.commands.mail_server import (
    Typed,
    mail_server_options,
    mail_settings,
    recipient_of,
    try_out,
)
from connector_app.documents import actions
from connector_app.documents.obstacles import MAIL_ENDS
from connector_app.documents.wording import ActionName
from connector_app.mail.post import settings_of
from connector_app.store.models import Document, Mail, MailState, ShopOrder, Store
from core.findings import Text

_JSON = option("--json", "as_json", is_flag=True, pl="Wynik jako JSON.", en="The result as JSON.")
_ID = click.IntRange(1, 2**63 - 1)
_NOT_SENT = (MailState.DUE, MailState.SENDING, MailState.UNKNOWN, MailState.REFUSED, MailState.DROPPED)


@click.group(cls=Group, pl="E-maile do nabywców: serwer poczty, próba, niewysłane.")
def mail() -> None:
    """E-mails to buyers: mail server, trial, what was not sent."""


@mail.command(
    name="set",
    pl="""Ustawia serwer poczty sklepu. Hasło jest przechowywane zaszyfrowane.

    E-maile wychodzą dopiero wtedy, gdy każą zasady sklepu: store set KOD --mail yes.""",
)
@click.argument("code", metavar="CODE")
@mail_server_options
@option("--reply-to", default="", metavar="ADDRESS", pl="Adres do odpowiedzi.", en="Address for answers.")
@pass_app
def set_server(app: App, code: str, reply_to: str, **typed: Unpack[Typed]) -> None:
    """Set a store's mail server. The password is kept encrypted.

    E-mails go out only when the store's policy says so: store set CODE --mail yes.
    """
    settings = mail_settings(app, typed, reply_to=reply_to)
    services = app.open()
    with services.database.begin() as session:
        row = find_store(session, app, code)
        row.mail = services.vault.seal(settings.as_json())
    app.say(
        Text(
            f"✓ Poczta sklepu {code}: {settings.host}:{settings.port} ({settings.security}).",
            f"✓ Mail of store {code}: {settings.host}:{settings.port} ({settings.security}).",
        )
    )
    app.say(Text(f"→ ksef-connector mail test {code} ADRES", f"→ ksef-connector mail test {code} ADDRESS"))


@mail.command(pl="Wysyła próbną wiadomość z ustawień sklepu pod podany adres.")
@click.argument("code", metavar="CODE")
@click.argument("address", metavar="ADDRESS")
@pass_app
def test(app: App, code: str, address: str) -> None:
    """Send a trial message by a store's settings to an address."""
    services = app.open()
    recipient = recipient_of(app, address)
    with services.database() as session:
        row = find_store(session, app, code)
    settings = settings_of(services, row)
    if settings is None:
        raise BadInput(
            app.text(f"Sklep {code} nie ma ustawień poczty.", f"Store {code} has no mail settings."),
            f"ksef-connector mail set {code} --host ...",
        )
    try_out(app, settings, recipient, services.clock(), f"ksef-connector mail set {code} ...")


@mail.command(name="list", pl="Pokazuje e-maile, które nie wyszły albo czekają, najstarsze pierwsze.")
@_JSON
@pass_app
def list_unsent(app: App, as_json: bool) -> None:
    """List e-mails that did not go out, or wait, oldest first."""
    services = app.open()
    with services.database() as session:
        rows = session.execute(
            select(Mail, Document.number, ShopOrder.number, Store.code)
            .join(Document, Mail.document_id == Document.id)
            .join(ShopOrder, Document.order_id == ShopOrder.id)
            .join(Store, ShopOrder.store_id == Store.id)
            .where(Mail.state.in_(_NOT_SENT))
            .order_by(Mail.id)
        ).all()
    if as_json:
        app.json(
            [
                {
                    "document": row.document_id,
                    "order": order,
                    "store": code,
                    "invoice_number": number,
                    "occasion": row.occasion,
                    "state": row.state,
                    "failure": row.failure,
                    "message_id": row.message_id,
                }
                for row, number, order, code in rows
            ]
        )
        return
    if not rows:
        app.say(Text("Wszystkie e-maile wyszły.", "All e-mails went out."))
    for row, number, order, code in rows:
        said = f"{row.document_id}: {number} ({code} {order}), {row.occasion}: {row.state}"
        app.out.print(f"{said}{f', {row.failure}' if row.failure else ''}", markup=False)


@mail.command(
    pl="""Wysyła jeszcze raz e-maile dokumentu, które nie wyszły albo nie wiadomo, czy wyszły.

    Powtórka ma ten sam Message-ID. Pracę wykona najbliższe store sync albo działające serve.""",
)
@click.argument("document_id", type=_ID, metavar="ID")
@pass_app
def again(app: App, document_id: int) -> None:
    """Send a document's e-mails again that did not go out, or of which it is not known.

    A repeat has the same Message-ID. The next store sync, or a running serve, does the work.
    """
    services = app.open()
    with services.database.begin() as session:
        row = session.get(Document, document_id)
        waiting = [one for one in (row.mails if row else []) if one.state in MAIL_ENDS]
        if row is not None and waiting:
            actions.perform(row, ActionName.MAIL_AGAIN, services.clock())
    if not waiting:
        raise BadInput(
            app.text(
                f"Dokument {document_id} nie ma e-maila do ponowienia.",
                f"Document {document_id} has no e-mail to send again.",
            ),
            "ksef-connector mail list",
        )
    app.say(Text(f"✓ Ponowionych e-maili: {len(waiting)}.", f"✓ E-mails to send again: {len(waiting)}."))
    app.say(Text("→ ksef-connector store sync", "→ ksef-connector store sync"))
