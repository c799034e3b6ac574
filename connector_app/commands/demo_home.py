"""Where the demo keeps its sandboxes, so that they come back on the same ports with the same memory."""

from __future__ import annotations

import json
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from connector_app.commands.app import App, Failure
from connector_app.commands.files import write_whole

_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class DemoHome:
    """The sandbox files in the demo's installation.

    Attributes:
        home: the installation's folder.
    """

    home: Path

    @property
    def ksef_state(self) -> Path:
        """Memory of the KSeF sandbox."""
        return self.home / "sandbox-ksef.sqlite3"

    def shop_state(self, code: str) -> Path:
        """Memory of a store's sandbox."""
        return self.home / f"sandbox-{code}.json"

    def ports(self) -> dict[str, int]:
        """Ports by name (``ksef`` or a store's code); empty where no demo was run."""
        try:
            stored = json.loads(self._ports_file.read_text("utf-8"))
            return {str(name): int(port) for name, port in stored.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}  # new ports do as well

    def port(self, name: str) -> int:
        """The port that a sandbox had before when it is free, else a free one; remembered."""
        ports = self.ports()
        known = ports.get(name)
        if known is None or not is_free(known):
            known = _free_port()
            write_whole(self._ports_file, json.dumps(ports | {name: known}).encode())
        return known

    @property
    def _ports_file(self) -> Path:
        return self.home / "sandbox-ports.json"


def is_free(port: int) -> bool:
    """Whether a localhost port can be listened on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])


@contextmanager
def state_errors(app: App) -> Iterator[None]:
    """Turns a sandbox's memory that cannot be read into words.

    Raises:
        Failure: the file is damaged, no file of a sandbox, or of another version of it.
    """
    from sandbox.ksef.state import StateError  # noqa: PLC0415  sandboxes load only when asked for

    try:
        yield
    except (StateError, sqlite3.Error, json.JSONDecodeError, UnicodeDecodeError, KeyError) as error:
        raise Failure(
            app.text(
                f"Pamięci piaskownicy nie da się odczytać: {error}",
                f"The sandbox's memory cannot be read: {error}",
            ),
            app.text(
                "Usuń ten plik, a po demonstracji cały folder demo-output (make clean): "
                "są tam tylko dane przykładowe.",
                "Remove that file, or after a demo the whole folder demo-output (make clean): "
                "it holds sample data only.",
            ),
        ) from None
