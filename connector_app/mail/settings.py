"""How a store sends e-mail: the mail server and the sender."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Security(StrEnum):
    """How the connection is protected."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"
    """Not at all: only for a mail server on this machine."""


LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
"""Hosts for which :attr:`Security.NONE` is allowed."""

PORTS = {Security.STARTTLS: 587, Security.TLS: 465, Security.NONE: 25}


@dataclass(frozen=True, slots=True)
class MailSettings:
    """A store's mail server and sender.

    Attributes:
        host, port, security: the server.
        user, password: empty for a server that asks for none.
        sender: address in From, with a name or without. reply_to: address for answers; may be empty.
    """

    host: str
    port: int
    security: Security
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)
    reply_to: str = ""

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> MailSettings:
        """The settings that :meth:`as_json` gave."""
        return cls(**{**values, "security": Security(values["security"])})

    def as_json(self) -> dict[str, Any]:
        """JSON-ready values, the password among them: to be sealed."""
        return {
            "host": self.host,
            "port": self.port,
            "security": self.security.value,
            "sender": self.sender,
            "user": self.user,
            "password": self.password,
            "reply_to": self.reply_to,
        }
