"""Bars that show how far something came: on a terminal only, and gone when it is done."""

from __future__ import annotations

from collections.abc import Callable

from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn

from connector_app.commands.app import App

_TOLD_FROM = 10.0
"""Seconds; shorter pauses are not worth a line."""


def bars(app: App, *columns: ProgressColumn) -> Progress:
    """Bars on the error stream, each behind its description.

    Args:
        app: streams.
        columns: what stands behind the bar.
    """
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        *columns,
        console=app.err,
        transient=True,
        disable=not app.err.is_terminal,
    )


def pauses(app: App) -> Callable[[float], None]:
    """What tells of a pause that KSeF's limits ask for, given its seconds, when it is a long one.

    Args:
        app: language and streams.
    """

    def waiting(seconds: float) -> None:
        if seconds >= _TOLD_FROM:
            said = app.text("limit KSeF, przerwa", "limit of KSeF, pause")
            app.err.print(f"… {said}: {seconds:.0f} s", markup=False)

    return waiting
