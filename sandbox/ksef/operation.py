"""What an operation of the sandbox is: an address, what it does, and who may call it how often."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.ksef import bearer
from sandbox.ksef.call import Answer, Call

ACCESS = frozenset({bearer.ACCESS})
"""An access token."""
OPERATION = frozenset({bearer.OPERATION})
"""The token of a sign-in that is under way."""
REFRESH = frozenset({bearer.REFRESH})
"""A refresh token."""
WRITE = frozenset({"InvoiceWrite", "PefInvoiceWrite", "EnforcementOperations"})
"""Permissions of which one is needed to send documents."""
WRITE_BATCH = frozenset({"InvoiceWrite", "EnforcementOperations"})
"""Permissions of which one is needed to send documents in a batch."""
LOOK = WRITE | {"Introspection"}
"""Permissions of which one is needed to see the results of a session."""
LIST = frozenset({"InvoiceWrite", "Introspection", "EnforcementOperations"})
"""Permissions of which one is needed to list sessions."""
COLLECT = frozenset({"InvoiceRead", "InvoiceWrite", "CollectiveIdentifierManage"})
"""Permissions of which one is needed for collective identifiers."""
READ = frozenset({"InvoiceRead"})
"""Permission to read documents."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the contract or of the sandbox itself.

    Attributes:
        method: HTTP method.
        path: path with parameters in braces, as the contract writes it.
        act: what it does.
        tokens: kinds of bearer token it takes; empty when it takes none.
        group: group of rate limits, see :mod:`sandbox.ksef.limits`; empty means no limit.
        permissions: any one of these is needed; empty means none.
        most_streamed: bytes of a body that the operation reads in pieces, outside the call's transaction;
            0 means that the whole body is read first and everything happens in one transaction.
    """

    method: str
    path: str
    act: Callable[[Call], Answer]
    tokens: frozenset[str] = frozenset()
    group: str = ""
    permissions: frozenset[str] = frozenset()
    most_streamed: int = 0

    @property
    def rule(self) -> str:
        """The path in the web framework's notation."""
        return self.path.replace("{", "<").replace("}", ">")
