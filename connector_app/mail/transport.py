"""Giving a message to a mail server by SMTP, so that it is known what may be repeated.

::

    MailError
    ├── MailUnavailable   no connection, no sign-in, or the server says later: nothing was sent
    ├── MailRefused       the server does not want this message or recipient: nothing was sent
    └── MailInDoubt       the text was given and the answer was lost: it may have been sent
"""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY

from connector_app.mail.compose import sender_address
from connector_app.mail.settings import MailSettings, Security

_TIMEOUT = 20.0
_TROUBLE = (OSError, smtplib.SMTPException)
_DOT = re.compile(rb"^\.", re.MULTILINE)


class MailError(Exception):
    """A message was not sent, or it is not known."""


class MailUnavailable(MailError):
    """Nothing was sent; later it may go.

    Attributes:
        of_server: every other message would meet the same.
    """

    def __init__(self, message: str, *, of_server: bool) -> None:
        super().__init__(message)
        self.of_server = of_server


class MailRefused(MailError):
    """Nothing was sent, and the same message would be refused again."""


class MailInDoubt(MailError):
    """The server may have taken the message."""


class Transport:
    """A connection to a store's mail server, opened when it is first needed.

    Args:
        settings: the server.
        timeout: seconds for each answer.
    """

    def __init__(self, settings: MailSettings, timeout: float = _TIMEOUT) -> None:
        self._settings = settings
        self._timeout = timeout
        self._smtp: smtplib.SMTP | None = None

    def send(self, message: EmailMessage, recipient: str, before_text: Callable[[], None]) -> None:
        """Give one message to the server.

        Args:
            message: with all its headers.
            recipient: who gets it.
            before_text: called when the server asks for the text; what it writes down comes before any doubt.

        Raises:
            MailUnavailable, MailRefused, MailInDoubt: see the module.
        """
        smtp = self._connected()
        try:
            _check(smtp.mail(sender_address(self._settings)), of_server=True)
            _check(smtp.rcpt(recipient), of_server=False)
            _check(smtp.docmd("DATA"), of_server=False, wanted=354)
        except _TROUBLE as error:
            self.close()
            raise MailUnavailable(_said(error), of_server=True) from None
        except MailError:
            self.close()
            raise
        before_text()
        text = _DOT.sub(b"..", message.as_bytes(policy=SMTP_POLICY))
        try:
            smtp.send(text + (b"" if text.endswith(b"\r\n") else b"\r\n") + b".\r\n")
            answer = smtp.getreply()
        except _TROUBLE as error:
            self.close()
            raise MailInDoubt(_said(error)) from None
        _check(answer, of_server=False)

    def open(self) -> None:
        """Connect and sign in without sending anything, to know whether the server lets us in.

        Raises:
            MailUnavailable: it does not.
        """
        self._connected()

    def close(self) -> None:
        """Give the connection back."""
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            with suppress(*_TROUBLE):
                smtp.quit()

    def _connected(self) -> smtplib.SMTP:
        if self._smtp is None:
            try:
                self._smtp = self._open()
            except _TROUBLE as error:
                raise MailUnavailable(_said(error), of_server=True) from None
        return self._smtp

    def _open(self) -> smtplib.SMTP:
        settings = self._settings
        context = ssl.create_default_context()
        host, port = settings.host, settings.port
        # smtplib would look its own name up, which takes seconds where nothing answers
        name = sender_address(settings).rpartition("@")[2]
        if settings.security is Security.TLS:
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(host, port, name, timeout=self._timeout, context=context)
        else:
            smtp = smtplib.SMTP(host, port, name, timeout=self._timeout)
        try:
            if settings.security is Security.STARTTLS:
                smtp.starttls(context=context)
            smtp.ehlo_or_helo_if_needed()
            if settings.user:
                smtp.login(settings.user, settings.password)
        except _TROUBLE:
            smtp.close()
            raise
        return smtp


def _check(answer: tuple[int, bytes], *, of_server: bool, wanted: int | None = None) -> None:
    code, text = answer
    if code == wanted or (wanted is None and 200 <= code < 300):
        return
    said = f"{code} {text.decode('utf-8', 'replace')}"
    if 500 <= code < 600 and not of_server:
        raise MailRefused(said)
    raise MailUnavailable(said, of_server=of_server)


def _said(error: Exception) -> str:
    """What went wrong, without anything that was sent: a refused sign-in quotes no secret."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"{error.smtp_code} the mail server refuses the user name or password"
    if isinstance(error, smtplib.SMTPResponseException):
        told = error.smtp_error
        return f"{error.smtp_code} {told.decode('utf-8', 'replace') if isinstance(told, bytes) else told}"
    return f"{type(error).__name__}: {error}".removesuffix(": ")
