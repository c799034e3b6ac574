"""A file that is there whole or not at all: it is written aside and moved into place at the end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file for writing; it takes its place when the block ends, and only if nothing was raised.

    Args:
        path: where it goes; missing folders are made, an older file of that name is replaced. A device or
            pipe is written directly, never replaced.

    Raises:
        OSError: it cannot be written; nothing is left beside it, and the older file is as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not path.is_file():
        with path.open("wb") as opened:
            yield opened
        return
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with aside.open("wb") as opened:
            yield opened
            opened.flush()
            os.fsync(opened.fileno())
        aside.replace(path)
    except OSError as error:
        error.filename = str(path)  # the name that the user knows
        raise
    finally:
        aside.unlink(missing_ok=True)
