"""Processes of a load run: started, watched (CPU, memory) and ended by their id."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_PATIENCE = 60.0
_PROC = Path("/proc")


@dataclass(slots=True)
class Usage:
    """What some processes used, as long as they could be asked.

    Attributes:
        cpu_seconds: user and system time since the watching began.
        memory: MiB resident at each look, all of them together.
        peak: MiB resident at the most, all of them together.
    """

    cpu_seconds: float = 0.0
    memory: list[float] = field(default_factory=list)
    peak: float = 0.0


class Watched:
    """Running processes whose use is noted at each look.

    Args:
        find: ids of the processes; what those that run already did before does not count.
    """

    def __init__(self, find: Callable[[], Iterable[int]]) -> None:
        self._find = find
        self.usage = Usage()
        self._before = {pid: _cpu(pid) or 0.0 for pid in find()}
        self._spent: dict[int, float] = {}

    def look(self) -> Usage:
        """Note the use up to now; a process that has ended keeps what was noted last."""
        resident = 0.0
        for pid in self._find():
            spent = _cpu(pid)
            if spent is not None:
                self._spent[pid] = spent - self._before.get(pid, 0.0)
                resident += _memory(pid)
        usage = self.usage
        usage.cpu_seconds = sum(self._spent.values())
        usage.memory.append(resident)
        usage.peak = max(usage.peak, resident)
        return usage


def one(pid: int) -> Callable[[], list[int]]:
    """A process alone."""
    return lambda: [pid]


def family(pid: int) -> Callable[[], list[int]]:
    """A process and everything that it started."""

    def find() -> list[int]:
        parents = {}
        for entry in _PROC.iterdir():
            if entry.name.isdigit():
                parents[int(entry.name)] = _parent(int(entry.name))
        found = [pid]
        for known in found:
            found += [child for child, parent in parents.items() if parent == known]
        return found

    return find


def named(*words: str) -> Callable[[], list[int]]:
    """The processes whose command line holds all of these words: a database's own servers."""
    return lambda: _with_words(words)


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
    with log.open("a") if log else Path(os.devnull).open("w") as errors:
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


def _with_words(words: Sequence[str]) -> list[int]:
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


def memory_of_this() -> float:
    """MiB resident of this very process."""
    return _memory(os.getpid())


def _stat(pid: int) -> list[str] | None:
    """What the kernel says of a process behind its name; ``None`` when it is gone."""
    try:
        # the name, in brackets, may hold spaces
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def _parent(pid: int) -> int:
    fields = _stat(pid)
    return int(fields[1]) if fields else 0


def _cpu(pid: int) -> float | None:
    """Seconds of CPU that a process has used; ``None`` when it is gone."""
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / _TICK if fields else None


def _memory(pid: int) -> float:
    """MiB resident; what processes share counts for each."""
    fields = _stat(pid)
    return int(fields[21]) * _PAGE / 2**20 if fields else 0.0
