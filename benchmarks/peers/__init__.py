"""Other people's libraries, each in a process of its own interpreter.

A peer's process imports only its library and :mod:`benchmarks.peers.serve`; it waits for a line on its
standard input before each round, so that its rounds alternate with ours.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from benchmarks.timing import Effort

_ROOT = Path(__file__).resolve().parents[2]
_MODULES = {
    "ksef-client": ("BENCH_PEERS_PYTHON_KSEF_CLIENT", "ksef_client"),
    "ksef2": ("BENCH_PEERS_PYTHON_KSEF2", "ksef2"),
}
_ANSWER_LINES = 200


class Peer:
    """One library, to be used in a ``with`` block.

    Attributes:
        name: as on PyPI.
        missing: why it is not measured; empty when it is.
        python: its interpreter; empty when there is none.
        package: what its users import.

    Args:
        name: as on PyPI; ``core`` for this project itself, with this interpreter.
        work: what it does: ``with`` builds invoices, ``pack_with`` packs them.
        argument: for its process.
    """

    def __init__(self, name: str, work: str = "with", argument: str = "") -> None:
        self.name = name
        variable, self.package = _MODULES.get(name, ("", name))
        self._command = ["-m", f"benchmarks.peers.{work}_{self.package}", argument]
        self.python = _interpreter(variable, self.package) if variable else sys.executable
        self.missing = "" if self.python else f"skipped: {variable} names no interpreter"
        self.version = ""
        self._process: subprocess.Popen[str] | None = None

    @property
    def label(self) -> str:
        """Name and version."""
        return f"{self.name} {self.version}".strip()

    def __enter__(self) -> Self:
        if not self.missing:
            self._process = subprocess.Popen(
                [self.python, *self._command],
                cwd=_ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process.wait(timeout=60)
            if self._process.stdout is not None:
                self._process.stdout.close()

    def ready(self, invoices: list[dict[str, Any]], effort: Effort) -> bool:
        """Hand over the invoices; False, with :attr:`missing` set, when it cannot build them."""
        self.prepare({"invoices": invoices, "seconds": effort.seconds, "most_calls": effort.most_calls})
        return not self.missing

    def prepare(self, task: dict[str, Any]) -> dict[str, Any]:
        """Hand over a task; gives the answer, and sets :attr:`missing` when it cannot do it."""
        answer = self._ask(task)
        self.version = str(answer.get("version", ""))
        self.missing = str(answer.get("error", ""))
        return answer

    def round(self) -> float:
        """Seconds of one round."""
        return float(self._ask({"round": True})["seconds"])

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(question) + "\n")
            process.stdin.flush()
        except BrokenPipeError:
            return {"error": f"skipped: {self.name} did not start with {self.python}"}
        for _ in range(_ANSWER_LINES):
            line = process.stdout.readline()
            if not line:
                break
            # libraries also print
            if line.startswith("{"):
                answer: dict[str, Any] = json.loads(line)
                return answer
        return {"error": f"skipped: {self.name} ended without an answer"}


def _interpreter(variable: str, package: str) -> str:
    """The one that the environment names; else this one when it has the package; else empty."""
    default = sys.executable if importlib.util.find_spec(package) else ""
    return os.environ.get(variable, default)


def from_environment() -> list[Peer]:
    """All peers; those without an interpreter say so."""
    return [Peer(name) for name in _MODULES]
