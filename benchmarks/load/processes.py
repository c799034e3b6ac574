"""Processes of a load run: started, watched (CPU, memory) and ended by their id."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
_TICK = os.sysconf("SC_CLK_TCK")
_PATIENCE = 60.0
_PROC = Path("/proc")


@dataclass(slots=True)
class Usage:
    """What a process used, as long as it could be asked.

    Attributes:
        cpu_seconds: user and system time since it was first asked.
        memory: MiB resident at each look.
        peak: MiB resident at the most, by the kernel's own account.
    """

    cpu_seconds: float = 0.0
    memory: list[float] = field(default_factory=list)
    peak: float = 0.0


class Watched:
    """A running process whose use is noted at each look.

    Args:
        pid: of the process; what it does from now on counts.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.usage = Usage()
        self._began = _cpu(pid) or 0.0

    def look(self) -> Usage:
        """Note the use up to now; a process that has ended keeps what was noted last."""
        spent = _cpu(self.pid)
        if spent is None:
            return self.usage
        self.usage.cpu_seconds = spent - self._began
        resident, peak = _memory(self.pid)
        self.usage.memory.append(resident)
        self.usage.peak = max(self.usage.peak, peak)
        return self.usage


@contextmanager
def child(
    words: Sequence[str], environment: Mapping[str, str] | None = None, log: Path | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Run a process for the length of a ``with`` block; it is asked to end, then killed.

    Args:
        words: the command.
        environment: variables over those of this process.
        log: file for its error stream.
    """
    with log.open("a") if log else open(os.devnull, "w") as errors:
        process = subprocess.Popen(
            list(words),
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(timeout=_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()


def program(*words: object) -> list[str]:
    """The words that start ``ksef-connector`` of this tree."""
    return [sys.executable, "-c", "from connector_app.cli import main; main()", *map(str, words)]


def module(name: str, *words: object) -> list[str]:
    """The words that start a module of this tree."""
    return [sys.executable, "-m", name, *map(str, words)]


def free_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def with_words(*words: str) -> list[int]:
    """Ids of the processes whose command line holds all of these words: a database's own servers."""
    found = []
    for entry in _PROC.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        if all(word in line for word in words):
            found.append(int(entry.name))
    return found


def _cpu(pid: int) -> float | None:
    """Seconds of CPU that a process has used; ``None`` when it is gone."""
    try:
        # the name, in brackets, may hold spaces
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / _TICK


def _memory(pid: int) -> tuple[float, float]:
    """MiB resident now and at the most."""
    try:
        lines = (_PROC / str(pid) / "status").read_text().splitlines()
    except OSError:
        return 0.0, 0.0
    values = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith(("VmRSS", "VmHWM"))}
    return int(values.get("VmRSS", 0)) / 1024, int(values.get("VmHWM", 0)) / 1024
