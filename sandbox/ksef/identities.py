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
    rows = state.all(
        "SELECT nip, pesel FROM persons WHERE removed = 0 AND ? = CASE ? WHEN 'Nip' THEN nip ELSE pesel END",
        (value, kind),
    )
    other, column = ("Pesel", "pesel") if kind == "Nip" else ("Nip", "nip")
    return [subject, *((other, str(row[column])) for row in rows)]
