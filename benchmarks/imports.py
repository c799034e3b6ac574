"""Time of imports, each in fresh processes with a warm disk cache, the interpreter's own start left out.

The floor is what the work cannot do without: lxml and cryptography.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.peers import from_environment
from benchmarks.timing import Effort, Row

NAME = "import"
_ROOT = Path(__file__).resolve().parent.parent
_GOAL = 0.150

_FLOOR = ("lxml.etree", "cryptography.x509", "cryptography.hazmat.primitives.asymmetric.rsa")
_BUILD = ("core.invoices.from_order", "core.fa.write", "core.fa.validate")
_SEND = (
    "core.ksef.client",
    "core.ksef.auth",
    "core.ksef.interactive",
    "core.ksef.status",
    "core.ksef.upo",
    "core.ksef.public_keys",
    "core.ksef.budget",
)

_PROBE = """
import sys, time
started = time.perf_counter()
import {modules}
print(time.perf_counter() - started)
"""


def measure(effort: Effort) -> Iterator[Row]:
    """The rows of this bench."""
    floor = Row(NAME, "import lxml.etree and cryptography", "floor")
    build = Row(NAME, "import core: orders to checked documents", "core")
    whole = Row(NAME, "import core: the same, sign-in, sessions, UPO", "core", goal="<= 150 ms")
    network = Row(NAME, "import core: the same, HTTP and PDF", "core")
    works: list[tuple[Row, str, tuple[str, ...]]] = [
        (floor, sys.executable, _FLOOR),
        (build, sys.executable, _BUILD),
        (whole, sys.executable, (*_BUILD, *_SEND)),
        (network, sys.executable, (*_BUILD, *_SEND, "core.ksef.http", "core.visual")),
    ]
    for peer in from_environment():
        row = Row(NAME, f"import {peer.package}", peer.name, note=peer.missing)
        works.append((row, peer.python, (peer.package,)))
    for turn in range(effort.processes + 1):
        for row, python, modules in works:
            if row.note:
                continue
            spent = _fresh(python, modules)
            # the first turn warms the disk cache
            if turn:
                row.rounds.append(spent)
    for row, _, _ in works[1:]:
        row.floor = floor.best
        row.core = whole.best if row.who not in {"core", "floor"} else None
    whole.met = (whole.median or 0) <= _GOAL
    return (row for row, _, _ in works)


def _fresh(python: str, modules: tuple[str, ...]) -> float:
    done = subprocess.run(
        [python, "-c", _PROBE.format(modules=", ".join(modules))],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout.split()[-1])
