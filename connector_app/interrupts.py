"""Ctrl-C while the program loads."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells expect it (128 + SIGINT)."""


@contextmanager
def quiet_while_loading() -> Iterator[None]:
    """Let Ctrl-C end the process at once and without a word while modules are imported.

    Nothing is open then that would have to be closed. An exception raised in the middle of an import may
    land in a callback of the interpreter, which prints it and goes on. A process that ignores Ctrl-C, or
    takes it in another way, keeps its own.
    """
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    try:
        signal.signal(signal.SIGINT, lambda _number, _frame: os._exit(INTERRUPTED))
    except ValueError:  # a thread: signals are the main thread's
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
