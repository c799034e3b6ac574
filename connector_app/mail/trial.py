"""Checking a store's mail settings, and sending a trial message by them."""

from __future__ import annotations

import re
from datetime import datetime
from email.utils import parseaddr

from connector_app.mail.compose import compose, message_id, usable_address
from connector_app.mail.settings import LOCAL_HOSTS, MailSettings, Security
from connector_app.mail.transport import Transport
from core.findings import Text

_HOST = re.compile(r"[A-Za-z0-9.:_-]{1,255}")


def mail_faults(settings: MailSettings) -> dict[str, Text]:
    """What is wrong with mail settings, by the name of the field.

    Args:
        settings: as a person entered them.
    """
    found: dict[str, Text] = {}
    if _HOST.fullmatch(settings.host) is None:
        found["host"] = Text(
            f"{settings.host!r} nie jest nazwą serwera.", f"{settings.host!r} is no name of a server."
        )
    if settings.security is Security.NONE and settings.host not in LOCAL_HOSTS:
        found["security"] = Text(
            "Bez ochrony połączenia faktury i hasło szłyby przez sieć otwartym tekstem.",
            "Without protection invoices and the password would cross the network in the open.",
        )
    for name, address in (("sender", settings.sender), ("reply_to", settings.reply_to)):
        if not address and name == "reply_to":
            continue
        if not usable_address(parseaddr(address)[1]) or "\n" in address or "\r" in address:
            found[name] = Text(f"{address!r} nie jest adresem e-mail.", f"{address!r} is no e-mail address.")
    return found


def send_trial(settings: MailSettings, recipient: str, language: str, now: datetime) -> None:
    """Send a trial message.

    Args:
        settings: of the store.
        recipient: a usable address.
        language: ``pl`` or ``en``.
        now: aware UTC.

    Raises:
        MailError: it was not sent, or it is not known.
    """
    text = Text(
        "To wiadomość próbna łącznika KSeF: poczta tego sklepu działa.",
        "This is a trial message of the KSeF connector: this store's mail works.",
    ).in_language(language)
    identity = message_id(settings, f"test {now.isoformat()} {recipient}")
    transport = Transport(settings)
    try:
        transport.send(
            compose(settings, recipient, text, text, identity, now), recipient, before_text=lambda: None
        )
    finally:
        transport.close()
