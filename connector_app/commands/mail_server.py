"""What commands about a mail server share: its options, its settings, a trial message."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TypedDict, TypeVar

import click

from connector_app.commands.app import App, BadInput, Failure
from connector_app.commands.bilingual import option
from connector_app.commands.files import FILE
from connector_app.mail.compose import usable_address
from connector_app.mail.settings import PORTS, MailSettings, Security
from connector_app.mail.transport import MailError
from connector_app.mail.trial import mail_faults, send_trial
from core.findings import Text

_Decorated = TypeVar("_Decorated", bound=Callable[..., Any])

_OPTIONS = (
    option("--host", required=True, metavar="HOST", pl="Serwer SMTP.", en="SMTP server."),
    option(
        "--port",
        type=click.IntRange(1, 65535),
        default=None,
        show_default="587, 465 (tls), 25 (none)",
        pl="Port.",
        en="Port.",
    ),
    option(
        "--security",
        type=click.Choice([one.value for one in Security]),
        default=Security.STARTTLS.value,
        show_default=True,
        pl="Ochrona połączenia; none tylko dla serwera na tej samej maszynie.",
        en="Protection of the connection; none only for a server on this machine.",
    ),
    option("--user", default="", metavar="NAME", pl="Nazwa użytkownika.", en="User name."),
    option(
        "--password-file",
        type=FILE,
        default=None,
        pl="Plik z hasłem w pierwszym wierszu.",
        en="File with the password in its first line.",
    ),
    option(
        "--from",
        "sender",
        required=True,
        metavar="ADDRESS",
        pl='Nadawca, np. "Sklep <faktury@sklep.example>".',
        en='Sender, e.g. "Shop <invoices@shop.example>".',
    ),
)


class Typed(TypedDict):
    """What the options of :func:`mail_server_options` give to the command."""

    host: str
    port: int | None
    security: str
    user: str
    password_file: Path | None
    sender: str


def mail_server_options(command: _Decorated) -> _Decorated:
    """The options that say which mail server; the command takes them as :class:`Typed`."""
    for one in reversed(_OPTIONS):
        command = one(command)
    return command


def mail_settings(app: App, typed: Typed, *, reply_to: str = "") -> MailSettings:
    """A mail server as it was typed.

    Args:
        app: screen language and files.
        typed: the options.
        reply_to: address for answers; empty for the sender's.

    Raises:
        BadInput: a user name without a password or the other way round, or a setting that cannot work.
    """
    user, password_file, way = typed["user"], typed["password_file"], Security(typed["security"])
    if bool(user) != (password_file is not None):
        raise BadInput(
            app.text(
                "Nazwę użytkownika i plik z hasłem podaje się razem.",
                "A user name and a file with the password are given together.",
            )
        )
    lines = app.read_text(password_file).splitlines() if password_file is not None else []
    settings = MailSettings(
        typed["host"], typed["port"] or PORTS[way], way, typed["sender"], user, (lines or [""])[0], reply_to
    )
    for name, fault in mail_faults(settings).items():
        raise BadInput(
            fault.in_language(app.language), "--security starttls | tls" if name == "security" else ""
        )
    return settings


def recipient_of(app: App, address: str) -> str:
    """The address of a trial message.

    Raises:
        BadInput: it is no address.
    """
    recipient = usable_address(address)
    if not recipient:
        raise BadInput(
            app.text(f"{address!r} nie jest adresem e-mail.", f"{address!r} is no e-mail address.")
        )
    return recipient


def try_out(app: App, settings: MailSettings, recipient: str, now: datetime, hint: str) -> None:
    """Send a trial message and say that it went.

    Args:
        app: screen language.
        settings: the server.
        recipient: of the message.
        now: aware UTC.
        hint: the command that sets the server.

    Raises:
        Failure: the server does not take it.
    """
    try:
        send_trial(settings, recipient, app.language, now)
    except MailError as error:
        raise Failure(
            app.text(f"Poczta nie działa: {error}", f"The mail does not work: {error}"), hint
        ) from None
    app.say(Text(f"✓ Wysłano do {recipient}.", f"✓ Sent to {recipient}."))
