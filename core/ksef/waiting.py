"""Waiting for the result of an operation that KSeF carries out in the background."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from core.ksef.errors import KsefUnavailable

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Patience:
    """How a result is waited for, in seconds.

    Attributes:
        total: pauses in all; a qualified certificate's check at its issuer can take long.
        first_pause: pause before the second question.
        growth: each pause is so many times the one before.
        longest_pause: but not longer.
    """

    total: float = 120.0
    first_pause: float = 0.2
    growth: float = 1.6
    longest_pause: float = 5.0


DEFAULT_PATIENCE = Patience()


def wait_for(
    ask: Callable[[], Value],
    pending: Callable[[Value], bool],
    *,
    sleep: Callable[[float], None],
    patience: Patience,
    operation: str,
    what: str,
) -> Value:
    """Ask with growing pauses until there is a result.

    Args:
        ask: asks KSeF.
        pending: whether an answer means that the work goes on.
        sleep: waits for so many seconds.
        patience: for how long.
        operation: the operation that is asked, as the contract writes it.
        what: what is waited for, in English, e.g. ``the sign-in``.

    Returns:
        The first answer that is not pending.

    Raises:
        KsefUnavailable: there is no result in time.
        KsefError: whatever ``ask`` raises.
    """
    pause, waited = patience.first_pause, 0.0
    while pending(answer := ask()):
        if waited >= patience.total:
            raise KsefUnavailable(
                f"no result of {what} within {patience.total:.0f} seconds", operation=operation
            )
        sleep(pause)
        waited += pause
        pause = min(pause * patience.growth, patience.longest_pause)
    return answer
