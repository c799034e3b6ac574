"""Files named on the command line: reading whole ones, writing so that a crash leaves no half, and ``-``."""

from __future__ import annotations

import errno
import sys
from pathlib import Path

import click

from connector_app.whole_file import whole_file
from core.findings import Text

FILE = click.Path(path_type=Path, dir_okay=True)
"""A file; whether it can be read is found out by :func:`read_whole`, which says so in both languages."""
FILE_OR_DASH = click.Path(path_type=Path, dir_okay=True, allow_dash=True)
"""A file, or ``-`` for standard input or output."""

_DASH = Path("-")
_REASONS = {
    errno.ENOENT: Text("nie ma takiego pliku ani folderu", "no such file or folder"),
    errno.EACCES: Text("brak uprawnień", "permission denied"),
    errno.EPERM: Text("brak uprawnień", "permission denied"),
    errno.EISDIR: Text("to jest folder, nie plik", "it is a folder, not a file"),
    errno.ENOTDIR: Text("część ścieżki nie jest folderem", "a part of the path is no folder"),
    errno.EEXIST: Text("jest tam już plik o tej nazwie", "a file of that name is there already"),
    errno.ENOSPC: Text("brak miejsca na dysku", "no space left on the disk"),
    errno.EROFS: Text("dysk jest tylko do odczytu", "the disk is read-only"),
    errno.ENAMETOOLONG: Text("nazwa jest za długa", "the name is too long"),
    errno.EADDRINUSE: Text("port jest zajęty", "the port is in use"),
}


def reason_of(error: OSError) -> Text:
    """Why the operating system refused, in both languages where the reason is a usual one."""
    raw = error.strerror or str(error)
    return _REASONS.get(error.errno or 0, Text(raw, raw))


def is_dash(path: Path | None) -> bool:
    """Whether a path means standard input or output."""
    return path == _DASH


def read_whole(path: Path) -> bytes:
    """The bytes of a file, or of standard input for ``-``.

    Raises:
        OSError: it cannot be read.
    """
    return sys.stdin.buffer.read() if is_dash(path) else path.read_bytes()


def write_whole(path: Path, data: bytes) -> None:
    """Write a file aside and move it into place; ``-`` is standard output.

    Args:
        path: where it goes; missing folders are made. A device or pipe is written directly.
        data: its bytes.

    Raises:
        OSError: it cannot be written; nothing is left beside it.
    """
    if is_dash(path):
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    with whole_file(path) as out:
        out.write(data)
