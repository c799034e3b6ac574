"""The KSeF sandbox in a process of its own, so that it does not share the interpreter with the client."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.ksef.environments import Environment, custom

_ROOT = Path(__file__).resolve().parent.parent
_SERVE = "from sandbox.ksef.server import serve; serve(0, None, 0)"


@contextmanager
def ksef() -> Iterator[Environment]:
    """Run a sandbox in memory that judges at once and counts no limits; gives its addresses."""
    process = subprocess.Popen([sys.executable, "-c", _SERVE], cwd=_ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        addresses: dict[str, str] = {}
        while "Sandbox" not in addresses:
            line = process.stdout.readline()
            if not line:
                raise RuntimeError("the sandbox did not start")
            name, _, address = line.strip().rpartition(" ")
            addresses[name.strip()] = address
        yield custom(addresses["KSeF API"], addresses["QR"])
    finally:
        process.terminate()
        process.wait(timeout=30)
        if process.stdout is not None:
            process.stdout.close()
