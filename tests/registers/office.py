"""A small server that answers as the list of VAT payers and VIES do, with invented companies."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

ACTIVE = "5260250274"
GONE = "1111111111"
GERMAN = "DE136695976"


def subject(nip: str, status: str = "Czynny") -> dict[str, Any]:
    """A company as the list writes it."""
    return {
        "name": "  HURTOWNIA   WZOROWA SP. Z O.O. ",
        "nip": nip,
        "statusVat": status,
        "regon": "000000000",
        "residenceAddress": None,
        "workingAddress": "UL. PRZYKŁADOWA 7/2, 00-950 WARSZAWA",
        "accountNumbers": ["00000000000000000000000000"],
    }


@dataclass
class Office:
    """What the server says and was asked.

    Attributes:
        url: base address. companies: of the list, by NIP. vies: answers by number with its country.
        status: HTTP status of all answers. broken: a body to send instead of any answer.
        asked: paths with query, and bodies.
    """

    url: str = ""
    companies: dict[str, dict[str, Any]] = field(default_factory=lambda: {ACTIVE: subject(ACTIVE)})
    vies: dict[str, dict[str, Any]] = field(default_factory=dict)
    status: int = 200
    broken: bytes | None = None
    asked: list[str] = field(default_factory=list)

    def search(self, path: str, query: dict[str, list[str]]) -> dict[str, Any]:
        """``/api/search/nip/`` and ``/api/search/nips/``."""
        kind, _, numbers = path.removeprefix("/api/search/").partition("/")
        assert query["date"][0]
        stamp = {"requestId": "a-1", "requestDateTime": "24-11-2026 10:00:00"}
        if kind == "nip":
            return {"result": {"subject": self.companies.get(numbers)} | stamp}
        entries = [
            {"identifier": one, "subjects": [self.companies[one]] if one in self.companies else []}
            for one in numbers.split(",")
        ]
        return {"result": {"entries": entries} | stamp}


@contextmanager
def office() -> Iterator[Office]:
    """Run it on a free port."""
    said = Office()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            said.asked.append(self.path)
            parts = urlsplit(self.path)
            self._answer(said.search(parts.path, parse_qs(parts.query)))

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            number = body["countryCode"] + body["vatNumber"]
            said.asked.append(f"{self.path} {number}")
            self._answer(said.vies.get(number, body | {"valid": False, "name": "---", "address": "---"}))

        def _answer(self, values: dict[str, Any]) -> None:
            data = json.dumps(values).encode() if said.broken is None else said.broken
            self.send_response(said.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    said.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield said
    finally:
        server.shutdown()
        server.server_close()
