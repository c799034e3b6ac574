"""Writing a message: plain text, the same as simple HTML, and the PDF."""

from __future__ import annotations

import hashlib
import html
import re
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr

from connector_app.mail.settings import MailSettings

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{2,63}")
_LINK = re.compile(r"https?://[^\s<>\"]+")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def usable_address(text: str) -> str:
    """An e-mail address of an order that a message can go to; empty when it is none.

    Args:
        text: as the buyer typed it.
    """
    address = text.strip()
    return address if len(address) <= 254 and _ADDRESS.fullmatch(address) else ""


def message_id(settings: MailSettings, key: str) -> str:
    """The Message-ID of what is told of a document: the same each time.

    Args:
        settings: the sender's domain stands in it.
        key: names document and occasion, e.g. the XML's hash and ``accepted``.
    """
    digest = hashlib.sha256(key.encode()).hexdigest()[:32]
    domain = sender_address(settings).rpartition("@")[2]
    return f"<ksef-{digest}@{domain}>"


def sender_address(settings: MailSettings) -> str:
    """The bare address of the sender."""
    return parseaddr(settings.sender)[1]


def compose(
    settings: MailSettings,
    recipient: str,
    subject: str,
    body: str,
    identity: str,
    now: datetime,
    pdf: tuple[str, bytes] | None = None,
) -> EmailMessage:
    """Write a message.

    Args:
        settings: the sender.
        recipient: a usable address.
        subject: one line.
        body: plain text.
        identity: its Message-ID.
        now: aware time of sending.
        pdf: name without ending, and bytes, of the attachment.
    """
    message = EmailMessage()
    name, address = parseaddr(settings.sender)
    message["From"] = Address(name, addr_spec=address)
    message["To"] = Address(addr_spec=recipient)
    if settings.reply_to:
        message["Reply-To"] = settings.reply_to
    message["Subject"] = " ".join(subject.split())
    message["Date"] = format_datetime(now)
    message["Message-ID"] = identity
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(body)
    message.add_alternative(as_html(body), subtype="html")
    if pdf is not None:
        title, data = pdf
        file_name = f"{_UNSAFE.sub('-', title).strip('-')}.pdf"
        message.add_attachment(data, maintype="application", subtype="pdf", filename=file_name)
    return message


def as_html(body: str) -> str:
    """Plain text as simple HTML: paragraphs, line breaks, and addresses as links."""
    paragraphs = []
    for block in re.split(r"\n{2,}", body.strip()):
        lines = "<br>\n".join(_linked(line) for line in block.splitlines())
        paragraphs.append(f"<p>{lines}</p>")
    return "<!doctype html>\n<html><body>\n" + "\n".join(paragraphs) + "\n</body></html>\n"


def _linked(line: str) -> str:
    parts, place = [], 0
    for found in _LINK.finditer(line):
        address = html.escape(found.group())
        parts += [html.escape(line[place : found.start()]), f'<a href="{address}">{address}</a>']
        place = found.end()
    return "".join([*parts, html.escape(line[place:])])
