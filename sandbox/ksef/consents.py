"""What test data allows or forbids an entity: attachments, and signing in to a context.

Source: ``/testdata/attachment``, ``/testdata/context`` and GET /permissions/attachments/status of
open-api.json.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sandbox.ksef.identities import Identity
from sandbox.ksef.state import SandboxState, stamp


@dataclass(frozen=True, slots=True)
class AttachmentConsent:
    """Whether an entity may send documents with attachments.

    Attributes:
        given: whether it ever got the consent.
        ends: aware UTC time at which the consent ends, None for no end.
    """

    given: bool
    ends: datetime | None = None

    def is_allowed(self, moment: datetime) -> bool:
        """Whether it may at a moment."""
        return self.given and (self.ends is None or moment < self.ends)


def attachments(state: SandboxState, nip: str) -> AttachmentConsent:
    """The consent of an entity."""
    row = state.one("SELECT ends FROM attachment_consents WHERE nip = ?", (nip,))
    if row is None:
        return AttachmentConsent(False)
    return AttachmentConsent(True, None if row["ends"] is None else datetime.fromisoformat(row["ends"]))


def allow_attachments(state: SandboxState, nip: str) -> None:
    """Give the consent, without an end."""
    state.run("INSERT OR REPLACE INTO attachment_consents VALUES (?, NULL)", (nip,))


def end_attachments(state: SandboxState, nip: str, moment: datetime) -> None:
    """Let the consent end; without a consent nothing happens."""
    state.run("UPDATE attachment_consents SET ends = ? WHERE nip = ?", (stamp(moment), nip))


def block(state: SandboxState, context: Identity) -> None:
    """Refuse every sign-in to a context with status 480."""
    state.run("INSERT OR IGNORE INTO blocked_contexts VALUES (?, ?)", context)


def unblock(state: SandboxState, context: Identity) -> None:
    """Let sign-ins to a context pass again."""
    state.run("DELETE FROM blocked_contexts WHERE context_type = ? AND context_value = ?", context)


def is_blocked(state: SandboxState, context: Identity) -> bool:
    """Whether sign-ins to a context are refused."""
    row = state.one("SELECT 1 FROM blocked_contexts WHERE context_type = ? AND context_value = ?", context)
    return row is not None
