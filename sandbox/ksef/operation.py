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
LOOK = WRITE | {"Introspection"}
"""Permissions of which one is needed to see the results of a session."""
LIST = frozenset({"InvoiceWrite", "Introspection", "EnforcementOperations"})
"""Permissions of which one is needed to list sessions."""
READ = frozenset({"InvoiceRead"})
"""Permission to read documents."""
MANAGE = frozenset({"CredentialsManage"})
"""Permission to grant and revoke permissions."""
SEE = MANAGE | {"CredentialsRead"}
"""Permissions of which one is needed to see what was granted."""
SUBUNITS = frozenset({"SubunitManage"})
"""Permission to appoint administrators of subunits."""
EU_ENTITIES = frozenset({"VatUeManage"})
"""Permission to appoint representatives of an EU entity."""


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
    """

    method: str
    path: str
    act: Callable[[Call], Answer]
    tokens: frozenset[str] = frozenset()
    group: str = ""
    permissions: frozenset[str] = frozenset()

    @property
    def rule(self) -> str:
        """The path in the web framework's notation."""
        return self.path.replace("{", "<").replace("}", ">")
