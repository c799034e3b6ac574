"""A gate before a service on this machine: connections go through it, until it is shut."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit, urlunsplit


class Gate:
    """Use it as a context; it opens on a port of its own.

    Args:
        url: of the service.

    Attributes:
        url: of the service, through the gate.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._to = (parts.hostname or "127.0.0.1", parts.port or 0)
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self._port = int(one.getsockname()[1])
        user = f"{parts.username}:{parts.password}@" if parts.username else ""
        self.url = urlunsplit(parts._replace(netloc=f"{user}127.0.0.1:{self._port}"))
        self._listens: socket.socket | None = None
        self._open: list[socket.socket] = []

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shut()

    def open(self) -> None:
        """Let connections through."""
        self._listens = socket.create_server(("127.0.0.1", self._port), reuse_port=False)
        threading.Thread(target=self._accept, args=(self._listens,), daemon=True).start()

    def shut(self) -> None:
        """End all connections and refuse new ones."""
        if self._listens is not None:
            # wakes the thread that waits in accept
            with suppress(OSError):
                self._listens.shutdown(socket.SHUT_RDWR)
            self._listens.close()
            self._listens = None
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._open.clear()

    def _accept(self, listens: socket.socket) -> None:
        while True:
            try:
                inner, _ = listens.accept()
                outer = socket.create_connection(self._to, timeout=10)
            except OSError:
                return
            outer.settimeout(None)
            self._open += [inner, outer]
            for one, other in ((inner, outer), (outer, inner)):
                threading.Thread(target=_carry, args=(one, other), daemon=True).start()


def _carry(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while data := one.recv(65_536):
            other.sendall(data)
    with suppress(OSError):
        other.shutdown(socket.SHUT_WR)
