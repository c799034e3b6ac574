"""What is stored of permissions: one row for one permission of one subject.

A grant holds from ``started`` (the operation that made it has ended by then) until ``ended``.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sandbox.ksef.identities import Identity
from sandbox.ksef.state import SandboxState, Value, stamp

PERSON = "person"
"""Direct permission of a person or entity to work in a context."""
ENTITY = "entity"
"""Permission of an entity to handle another entity's invoices."""
AUTHORIZATION = "authorization"
"""SelfInvoicing, RRInvoicing, TaxRepresentative or PefInvoicing of an entity."""
INDIRECT = "indirect"
"""Permission of a person, given by an intermediary, to handle its clients' invoices."""
SUBUNIT = "subunit"
"""Permission of a subunit's administrator."""
EU_ADMINISTRATOR = "eu-administrator"
"""Permission of the administrator of an EU entity."""
EU_ENTITY = "eu-entity"
"""Permission of the representative of an EU entity."""
SYSTEM: Identity = ("System", "")
"""Author of grants that no person made: test data and the sandbox's own operations."""
ALL_PARTNERS: Identity = ("AllPartners", "")
"""Target of a general indirect permission."""


@dataclass(frozen=True, slots=True)
class Grant:
    """One permission of one subject.

    Attributes:
        kind: one of the kinds above.
        subject: who has it.
        context: where it holds; of an indirect grant its target, which may be ALL_PARTNERS.
        grantor: the context in which it was given.
        author: who gave it; SYSTEM for test data.
        permission: e.g. InvoiceWrite, or SelfInvoicing for an authorization.
        description: 5 to 256 characters.
        delegate: whether its subject may pass it on indirectly.
        details: members that queries show: subjectPersonDetails, subjectEntityDetails, euEntityDetails,
            euEntityName, subunitName.
        identifier: 36 characters, the contract's PermissionId.
        started: aware UTC time from which it holds.
    """

    kind: str
    subject: Identity
    context: Identity
    grantor: Identity
    author: Identity
    permission: str
    description: str
    delegate: bool = False
    details: Mapping[str, object] = field(default_factory=dict)
    identifier: str = ""
    started: datetime | None = None


def add(state: SandboxState, grants: Iterable[Grant], *, started: datetime) -> None:
    """Store grants; one that repeats an earlier grant takes its place."""
    for grant in grants:
        _end_where(
            state,
            "kind = ? AND subject_type = ? AND subject_value = ? AND context_type = ? AND context_value = ? "
            "AND grantor_type = ? AND grantor_value = ? AND permission = ?",
            (grant.kind, *grant.subject, *grant.context, *grant.grantor, grant.permission),
            started,
        )
        state.insert(
            "grants",
            id=str(uuid.UUID(bytes=state.random_bytes(16), version=4)),
            kind=grant.kind,
            subject_type=grant.subject[0],
            subject_value=grant.subject[1],
            context_type=grant.context[0],
            context_value=grant.context[1],
            grantor_type=grant.grantor[0],
            grantor_value=grant.grantor[1],
            author_type=grant.author[0],
            author_value=grant.author[1],
            permission=grant.permission,
            description=grant.description,
            delegate=int(grant.delegate),
            details=json.dumps(dict(grant.details), ensure_ascii=False),
            started=stamp(started),
        )


def end(state: SandboxState, identifier: str, *, ended: datetime) -> None:
    """Let a grant end at a moment."""
    _end_where(state, "id = ?", (identifier,), ended)


def end_of(
    state: SandboxState, subject: Identity, *, context: Identity | None = None, ended: datetime
) -> None:
    """Let every direct grant of a subject end, in one context or (None) everywhere."""
    condition, values = "subject_type = ? AND subject_value = ?", list(subject)
    if context is not None:
        condition += " AND context_type = ? AND context_value = ?"
        values += context
    _end_where(state, condition, values, ended)


def find(state: SandboxState, identifier: str) -> Grant | None:
    """A grant that holds now, or None."""
    found = _read_where(state, "id = ?", (identifier,))
    return found[0] if found else None


def of_subjects(state: SandboxState, subjects: Iterable[Identity]) -> list[Grant]:
    """Grants that subjects have now, latest first."""
    found: list[Grant] = []
    for subject in subjects:
        found += _read_where(state, "subject_type = ? AND subject_value = ?", subject)
    return in_order(found)


def in_context(state: SandboxState, context: Identity) -> list[Grant]:
    """Grants that hold in a context now, latest first."""
    return in_order(_read_where(state, "context_type = ? AND context_value = ?", context))


def from_context(state: SandboxState, grantor: Identity) -> list[Grant]:
    """Grants that were given in a context and hold now, latest first."""
    return in_order(_read_where(state, "grantor_type = ? AND grantor_value = ?", grantor))


def in_order(found: list[Grant]) -> list[Grant]:
    """Latest start first, then by identifier, as every query of the contract sorts."""
    by_identifier = sorted(found, key=lambda grant: grant.identifier)
    return sorted(by_identifier, key=lambda grant: str(grant.started), reverse=True)


def _read_where(state: SandboxState, condition: str, values: Iterable[Value]) -> list[Grant]:
    now = stamp(state.now())
    rows = state.all(
        f"SELECT * FROM grants WHERE {condition} AND started <= ? "  # noqa: S608
        "AND (ended IS NULL OR ended > ?)",
        (*values, now, now),
    )
    return [_read(row) for row in rows]


def _end_where(state: SandboxState, condition: str, values: Iterable[Value], ended: datetime) -> None:
    moment = stamp(ended)
    state.run(
        f"UPDATE grants SET ended = ? WHERE {condition} AND (ended IS NULL OR ended > ?)",  # noqa: S608
        (moment, *values, moment),
    )


def _read(row: sqlite3.Row) -> Grant:
    return Grant(
        kind=row["kind"],
        subject=(row["subject_type"], row["subject_value"]),
        context=(row["context_type"], row["context_value"]),
        grantor=(row["grantor_type"], row["grantor_value"]),
        author=(row["author_type"], row["author_value"]),
        permission=row["permission"],
        description=row["description"],
        delegate=bool(row["delegate"]),
        details=json.loads(row["details"]),
        identifier=row["id"],
        started=datetime.fromisoformat(row["started"]),
    )
