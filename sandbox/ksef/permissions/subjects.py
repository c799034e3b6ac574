"""Entities with roles and persons, as test data makes them.

Source: POST /testdata/subject, POST /testdata/person and EntityRoleType of open-api.json.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sandbox.ksef.state import SandboxState

ENFORCEMENT = "EnforcementAuthority"
BAILIFF = "CourtBailiff"
KINDS: Mapping[str, tuple[str, str]] = {
    ENFORCEMENT: (ENFORCEMENT, ""),
    "VatGroup": ("VatGroupUnit", "VatGroupSubUnit"),
    "JST": ("LocalGovernmentUnit", "LocalGovernmentSubUnit"),
}
"""SubjectType of the contract -> (role of the entity, role of its subunits)."""


@dataclass(frozen=True, slots=True)
class Role:
    """One role of an entity.

    Attributes:
        nip: the entity.
        role: EntityRoleType of the contract.
        parent: NIP of the superior entity, empty for none.
        description: 5 to 256 characters.
        since: aware UTC time from which it has the role.
    """

    nip: str
    role: str
    parent: str
    description: str
    since: datetime


def roles(state: SandboxState, nip: str) -> list[Role]:
    """The roles of an entity, latest first."""
    rows = state.all("SELECT * FROM subjects WHERE nip = ? AND removed = 0", (nip,))
    found = [
        Role(
            nip,
            KINDS[row["kind"]][1 if row["parent"] else 0],
            row["parent"],
            row["description"],
            datetime.fromisoformat(row["created"]),
        )
        for row in rows
    ]
    person = state.one("SELECT * FROM persons WHERE nip = ? AND bailiff = 1 AND removed = 0", (nip,))
    if person is not None:
        created = datetime.fromisoformat(person["created"])
        found.append(Role(nip, BAILIFF, "", person["description"], created))
    return sorted(found, key=lambda role: role.since, reverse=True)


def subordinates(state: SandboxState, nip: str) -> list[Role]:
    """The subunits of an entity with their roles, latest first."""
    rows = state.all("SELECT nip FROM subjects WHERE parent = ? AND removed = 0", (nip,))
    found = [role for row in rows for role in roles(state, row["nip"]) if role.parent == nip]
    return sorted(found, key=lambda role: (role.since, role.nip), reverse=True)


def is_deceased(state: SandboxState, value: str) -> bool:
    """Whether a NIP or PESEL is that of a person marked as dead."""
    row = state.one(
        "SELECT nip FROM persons WHERE (nip = ? OR pesel = ?) AND deceased = 1 AND removed = 0",
        (value, value),
    )
    return row is not None
