"""Identities that belong to one person: the link of a NIP and a PESEL.

Source: the contract speaks of "powiązanie NIP-PESEL" (revoking certificates, listing tokens); in the sandbox
POST /testdata/person makes such a link.
"""

from __future__ import annotations

from sandbox.ksef.state import SandboxState

Identity = tuple[str, str]
"""(Nip, Pesel or Fingerprint; value)."""


def linked(state: SandboxState, subject: Identity) -> list[Identity]:
    """A subject and the identity that is linked with it, the subject first."""
    kind, value = subject
    if kind not in ("Nip", "Pesel"):
        return [subject]
    column, other = ("nip", "Pesel") if kind == "Nip" else ("pesel", "Nip")
    rows = state.all(f"SELECT nip, pesel FROM persons WHERE {column} = ?", (value,))  # noqa: S608
    return [subject, *((other, str(row[other.lower()])) for row in rows)]
