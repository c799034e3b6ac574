"""``mail``: the mail server of a store, a trial message, messages that did not go out."""

from __future__ import annotations

from pathlib import Path

import click
from sqlalchemy import select

from connector_app.commands.app import App, BadInput, Failure, pass_app
from connector_app.commands.bilingual import Group, option
from connector_app.commands.files import FILE
from connector_app.commands.find_store import find_store
from connector_app.documents import actions
from connector_app.documents.obstacles import MAIL_ENDS
from connector_app.documents.wording import ActionName
from connector_app.mail.compose import usable_address
from connector_app.mail.post import settings_of
from connector_app.mail.settings import PORTS, MailSettings, Security
from connector_app.mail.transport import MailError
from connector_app.mail.trial import mail_faults, send_trial
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
@option("--host", required=True, metavar="HOST", pl="Serwer SMTP.", en="SMTP server.")
@option(
    "--port",
    type=click.IntRange(1, 65535),
    default=None,
    show_default="587, 465 (tls), 25 (none)",
    pl="Port.",
    en="Port.",
)
@option(
    "--security",
    type=click.Choice([one.value for one in Security]),
    default=Security.STARTTLS.value,
    show_default=True,
    pl="Ochrona połączenia; none tylko dla serwera na tej samej maszynie.",
    en="Protection of the connection; none only for a server on this machine.",
)
@option("--user", default="", metavar="NAME", pl="Nazwa użytkownika.", en="User name.")
@option(
    "--password-file",
    type=FILE,
    default=None,
    pl="Plik z hasłem w pierwszym wierszu.",
    en="File with the password in its first line.",
)
@option(
    "--from",
    "sender",
    required=True,
    metavar="ADDRESS",
    pl='Nadawca, np. "Sklep <faktury@sklep.example>".',
    en='Sender, e.g. "Shop <invoices@shop.example>".',
)
@option("--reply-to", default="", metavar="ADDRESS", pl="Adres do odpowiedzi.", en="Address for answers.")
@pass_app
def set_server(
    app: App,
    code: str,
    host: str,
    port: int | None,
    security: str,
    user: str,
    password_file: Path | None,
    sender: str,
    reply_to: str,
) -> None:
    """Set a store's mail server. The password is kept encrypted.

    E-mails go out only when the store's policy says so: store set CODE --mail yes.
    """
    way = Security(security)
    if bool(user) != (password_file is not None):
        raise BadInput(
            app.text(
                "Nazwę użytkownika i plik z hasłem podaje się razem.",
                "A user name and a file with the password are given together.",
            )
        )
    lines = app.read_text(password_file).splitlines() if password_file is not None else [""]
    password = lines[0] if lines else ""
    settings = MailSettings(host, port or PORTS[way], way, sender, user, password, reply_to)
    _check(app, settings)
    services = app.open()
    with services.database.begin() as session:
        row = find_store(session, app, code)
        row.mail = services.vault.seal(settings.as_json())
    app.say(
        Text(
            f"✓ Poczta sklepu {code}: {host}:{settings.port} ({security}).",
            f"✓ Mail of store {code}: {host}:{settings.port} ({security}).",
        )
    )
    app.say(Text(f"→ ksef-connector mail test {code} ADRES", f"→ ksef-connector mail test {code} ADDRESS"))


def _check(app: App, settings: MailSettings) -> None:
    for name, fault in mail_faults(settings).items():
        hint = "--security starttls | tls" if name == "security" else ""
        raise BadInput(fault.in_language(app.language), hint)


@mail.command(pl="Wysyła próbną wiadomość z ustawień sklepu pod podany adres.")
@click.argument("code", metavar="CODE")
@click.argument("address", metavar="ADDRESS")
@pass_app
def test(app: App, code: str, address: str) -> None:
    """Send a trial message by a store's settings to an address."""
    services = app.open()
    recipient = usable_address(address)
    if not recipient:
        raise BadInput(
            app.text(f"{address!r} nie jest adresem e-mail.", f"{address!r} is no e-mail address.")
        )
    with services.database() as session:
        row = find_store(session, app, code)
    settings = settings_of(services, row)
    if settings is None:
        raise BadInput(
            app.text(f"Sklep {code} nie ma ustawień poczty.", f"Store {code} has no mail settings."),
            f"ksef-connector mail set {code} --host ...",
        )
    try:
        send_trial(settings, recipient, app.language, services.clock())
    except MailError as error:
        raise Failure(
            app.text(f"Poczta nie działa: {error}", f"The mail does not work: {error}"),
            f"ksef-connector mail set {code} ...",
        ) from None
    app.say(Text(f"✓ Wysłano do {recipient}.", f"✓ Sent to {recipient}."))


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
