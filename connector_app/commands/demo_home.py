"""Where the demo keeps its sandboxes, so that they come back on the same ports with the same memory."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from pathlib import Path

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
        except (OSError, ValueError):
            return {}
        return {str(name): int(port) for name, port in stored.items()}

    def port(self, name: str) -> int:
        """The port that a sandbox had before when it is free, else a free one; remembered."""
        ports = self.ports()
        known = ports.get(name)
        if known is None or not _is_free(known):
            known = _free_port()
            write_whole(self._ports_file, json.dumps(ports | {name: known}).encode())
        return known

    @property
    def _ports_file(self) -> Path:
        return self.home / "sandbox-ports.json"


def _is_free(port: int) -> bool:
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
