"""Progress of documents on a terminal while the pipeline works."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.progress import MofNCompleteColumn
from sqlalchemy import inspect

from connector_app.commands.app import App
from connector_app.commands.bars import bars
from connector_app.commands.tables import state_name
from connector_app.store.models import Document, DocumentState

_STEPS = {
    DocumentState.WAITING: 5,
    DocumentState.READY: 1,
    DocumentState.ISSUED: 2,
    DocumentState.SENT: 3,
    DocumentState.ACCEPTED: 4,
    DocumentState.PUBLISHED: 5,
    DocumentState.ATTENTION: 5,
    DocumentState.REJECTED: 5,
    DocumentState.CANCELLED: 5,
}
_ALL_STEPS = 5


class Progress:
    """A bar that counts steps of documents, or lines of text where there is no terminal.

    Args:
        app: language and streams.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self._bars = bars(app, MofNCompleteColumn())
        self._task = self._bars.add_task(app.text("Dokumenty", "Documents"), total=None)
        self._steps: dict[int, int] = {}
        self._orders: dict[int, str] = {}

    @property
    def touched(self) -> frozenset[int]:
        """Ids of the documents that changed."""
        return frozenset(self._steps)

    def watch(self, document: Document) -> None:
        """Show one committed change of a document."""
        state = DocumentState(document.state)
        known = self._steps.get(document.id)
        step = _STEPS[state]
        self._steps[document.id] = step
        label = self._label(document)
        shown = f"{label}: {state_name(state, self._app.language)}"
        self._bars.update(
            self._task,
            total=_ALL_STEPS * len(self._steps),
            completed=sum(self._steps.values()),
            description=shown,
        )
        if not self._app.err.is_terminal and step != known:
            self._app.err.print(f"… {shown}", markup=False)

    def _label(self, document: Document) -> str:
        """The invoice's number, or the order's; the order is not always loaded with a change."""
        if document.number:
            return document.number
        if "order" not in inspect(document).unloaded:
            self._orders[document.id] = document.order.number
        return f"#{self._orders.get(document.id, document.order_id)}"

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()
