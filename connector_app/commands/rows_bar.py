"""A bar that counts rows of the database, on a terminal only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import TaskProgressColumn, TimeRemainingColumn

from connector_app.commands.app import App
from connector_app.commands.bars import bars


@contextmanager
def rows_bar(app: App, label: str) -> Iterator[Callable[[int, int], None]]:
    """Show how far something came.

    Args:
        app: streams.
        label: what is being done.

    Yields:
        What is told how many of how many are done.
    """
    shown = bars(app, TaskProgressColumn(), TimeRemainingColumn())
    task = shown.add_task(label, total=None)
    with shown:
        yield lambda done, total: shown.update(task, completed=done, total=total)
