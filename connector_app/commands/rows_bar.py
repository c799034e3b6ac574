"""A bar that counts rows of the database, on a terminal only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from connector_app.commands.app import App


@contextmanager
def rows_bar(app: App, label: str) -> Iterator[Callable[[int, int], None]]:
    """Show how far something came.

    Args:
        app: streams.
        label: what is being done.

    Yields:
        What is told how many of how many are done.
    """
    bars = Bars(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=app.err,
        transient=True,
        disable=not app.err.is_terminal,
    )
    task = bars.add_task(label, total=None)
    with bars:
        yield lambda done, total: bars.update(task, completed=done, total=total)
