"""Who may work beside whom.

The embedded application and commands that change the ground under the work hold an installation alone; scaled
workers hold it together, each for the length of a turn. A lock ends with its process, however that ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

from connector_app.pipeline.services import Services
from connector_app.running.workers import Presence, alive, list_in_words
from connector_app.store.locks import LockHeld, lock
from connector_app.store.running import Worker
from core.findings import SaidError, Text

RUNNER = "runner"
"""Name of the lock."""

_WAITING = Text("Czekam na inny proces tej instalacji…", "Waiting for another process of this installation…")


class RunnerBusy(SaidError):
    """Another process is at work on this installation.

    Attributes:
        workers: who is; empty when its row was not written yet.
        text: the same for a person.
    """

    def __init__(self, workers: list[Worker]) -> None:
        self.workers = workers
        said = list_in_words(workers)
        pl, en = f" ({said.pl})" if workers else "", f" ({said.en})" if workers else ""
        super().__init__(
            Text(
                f"Inny proces już pracuje na tej instalacji{pl}.",
                f"Another process is already at work on this installation{en}.",
            )
        )


@contextmanager
def work_alone(
    services: Services, role: str, *, wait: bool, on_wait: Callable[[Text], None] = lambda _said: None
) -> Iterator[Presence]:
    """Be the only one at work on an installation for the length of a ``with`` block.

    Args:
        services: the installation.
        role: as what, for others that wait.
        wait: wait for the others instead of giving up. Scaled workers let go within a turn; the embedded
            application only when it ends.
        on_wait: told once whom it waits for, when it does.

    Raises:
        RunnerBusy: somebody else is at work and ``wait`` is false.
        SQLAlchemyError: the database cannot be used.
    """

    def waiting() -> None:
        said = list_in_words(alive(services))
        on_wait(
            Text(
                f"Czekam na inny proces tej instalacji ({said.pl})…" if said.pl else _WAITING.pl,
                f"Waiting for another process of this installation ({said.en})…" if said.en else _WAITING.en,
            )
        )

    with ExitStack() as stack:
        try:
            stack.enter_context(lock(services.database, RUNNER, wait=wait, on_wait=waiting))
        except LockHeld:
            raise RunnerBusy(alive(services)) from None
        yield stack.enter_context(Presence(services, role))


def work_beside(services: Services) -> AbstractContextManager[None]:
    """Work beside other scaled workers, while nobody needs the installation alone.

    Raises:
        LockHeld: somebody holds it alone, or waits to.
    """
    return lock(services.database, RUNNER, shared=True, wait=False)


@contextmanager
def work_once(services: Services, role: str, *, scaled: bool) -> Iterator[None]:
    """A command's turn of the ordinary work: beside the workers of a scaled installation, else alone.

    Raises:
        RunnerBusy: somebody else holds the installation.
    """
    if not scaled:
        with work_alone(services, role, wait=False):
            yield
        return
    with ExitStack() as stack:
        try:
            stack.enter_context(work_beside(services))
        except LockHeld:
            raise RunnerBusy(alive(services)) from None
        stack.enter_context(Presence(services, role))
        yield
