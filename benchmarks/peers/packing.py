"""A packer's end of the talk: documents once, then one packing for each line on standard input.

It imports nothing but the standard library, so that memory belongs to the packer.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable, Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

_CLEAR = Path("/proc/self/clear_refs")
_STATUS = Path("/proc/self/status")


def write_documents(path: Path, documents: Iterable[bytes]) -> None:
    """Write documents for :func:`read_documents`."""
    with path.open("wb") as file:
        for document in documents:
            file.write(b"%d\n" % len(document) + document)


def read_documents(path: Path) -> list[bytes]:
    """The documents of a file, with no more memory than they take."""
    documents = []
    with path.open("rb") as file:
        while size := file.readline():
            documents.append(file.read(int(size)))
    return documents


def serve_packing(distribution: str, work: Callable[[list[bytes]], int]) -> None:
    """Answer until standard input ends.

    Args:
        distribution: the library's name on PyPI; empty for this project.
        work: packs and encrypts documents; gives the bytes to send.
    """
    documents: list[bytes] = []
    for line in sys.stdin:
        question: dict[str, Any] = json.loads(line)
        if "documents" in question:
            answer: dict[str, Any] = {"version": metadata.version(distribution) if distribution else ""}
            try:
                documents = read_documents(Path(question["documents"]))
                # whatever is imported or set up at first use is no part of the packing
                work(documents[:2])
                answer["added"], answer["sent"] = _added_memory(work, documents)
            except Exception as error:
                answer["error"] = f"skipped: {type(error).__name__}: {str(error)[:200]}"
        else:
            gc.collect()
            started = time.perf_counter()
            work(documents)
            answer = {"seconds": time.perf_counter() - started}
        print(json.dumps(answer), flush=True)


def _added_memory(work: Callable[[list[bytes]], int], documents: list[bytes]) -> tuple[int | None, int]:
    """(bytes that the process grew by at most, what the work gave); None where that cannot be told."""
    gc.collect()
    if not _CLEAR.exists():
        return None, work(documents)
    before = _resident("VmRSS")
    # 5 makes the highest size start anew
    _CLEAR.write_text("5")
    given = work(documents)
    return _resident("VmHWM") - before, given


def _resident(name: str) -> int:
    line = next(one for one in _STATUS.read_text().splitlines() if one.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024
