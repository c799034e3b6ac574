"""A real mail server on localhost that keeps what it is given, and can be told to misbehave."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session


class Postbox:
    """Handles the commands of :class:`aiosmtpd.smtp.SMTP`.

    Attributes:
        messages: taken, oldest first.
        recipients: of each.
        answers: what to say to the next ``RCPT`` or ``DATA`` instead of yes, by command, oldest first.
        hang_up: take the next text and close the connection without an answer.
        is_down: close every new connection at once.
        refused: so many connections it closed because it was down.
        asked: commands that came: one of ``RCPT`` and ``DATA`` for each.
    """

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.answers: dict[str, list[str]] = {"RCPT": [], "DATA": []}
        self.hang_up = False
        self.is_down = False
        self.refused = 0
        self.asked: list[str] = []
        self.port = 0

    async def handle_RCPT(  # noqa: N802  aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        self.asked.append("RCPT")
        if self.answers["RCPT"]:
            return self.answers["RCPT"].pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.asked.append("DATA")
        if self.answers["DATA"]:
            return self.answers["DATA"].pop(0)
        content = envelope.content
        assert isinstance(content, bytes)
        message: Any = message_from_bytes(content, policy=default)
        self.messages.append(message)
        self.recipients.append(list(envelope.rcpt_tos))
        if self.hang_up:
            self.hang_up = False
            assert server.transport is not None
            server.transport.close()
        return "250 OK"


class _Server(SMTP):
    """One conversation, which a server that is down ends before its first word."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        box: Postbox = self.event_handler
        if box.is_down:
            box.refused += 1
            transport.close()
        super().connection_made(transport)


@contextmanager
def mail_server(box: Postbox, tls: ssl.SSLContext | None = None) -> Iterator[Postbox]:
    """Run a mail server in a thread of its own, on a free port; with ``tls`` it offers STARTTLS."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    made = loop.create_server(
        lambda: _Server(box, hostname="mail.example", loop=loop, tls_context=tls), "127.0.0.1", 0
    )
    server = asyncio.run_coroutine_threadsafe(made, loop).result(10)
    box.port = server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        asyncio.run_coroutine_threadsafe(_stop(server), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _stop(server: asyncio.Server) -> None:
    """Listen no more, and end the conversations under way."""
    server.close()
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await asyncio.sleep(0)
