"""What can go wrong when a public register is asked."""

from __future__ import annotations

from core.findings import SaidError, Text


class RegisterDown(SaidError):
    """A register gave no usable answer; nothing is known of the number, and nothing is blocked by it.

    Attributes:
        text: what happened, a sentence for a person.
        is_limit: the register counts requests, and today's are used up.
    """

    def __init__(self, text: Text, *, is_limit: bool = False) -> None:
        super().__init__(text)
        self.is_limit = is_limit
