"""What the identity that is signed in may do in the context, and in words what is missing.

Source: ``POST /permissions/query/personal/grants`` of the API contract. An owner (the taxpayer itself)
has its permissions without a grant: they come as ``ownerPermissions``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from core.findings import Text
from core.ksef.calls import Operation
from core.ksef.client import KsefClient
from core.ksef.fields import Fields

_QUERY = Operation("POST /permissions/query/personal/grants")
_PAGE = 100

SEND = "InvoiceWrite"
"""Permission to issue invoices."""
READ = "InvoiceRead"
"""Permission to read invoices."""
COLLECTIVE = "CollectiveIdentifierManage"
"""Permission to make collective identifiers of payments."""

NAMES: Mapping[str, Text] = {
    SEND: Text("wystawianie faktur", "issuing invoices"),
    READ: Text("przeglądanie faktur", "reading invoices"),
    COLLECTIVE: Text("identyfikatory zbiorcze płatności", "collective identifiers of payments"),
    "CredentialsManage": Text("zarządzanie uprawnieniami", "managing permissions"),
    "CredentialsRead": Text("przeglądanie uprawnień", "reading permissions"),
    "Introspection": Text("przeglądanie historii sesji", "reading the history of sessions"),
    "SubunitManage": Text("zarządzanie podmiotami podrzędnymi", "managing subordinate entities"),
    "EnforcementOperations": Text("operacje egzekucyjne", "enforcement operations"),
    "VatUeManage": Text("zarządzanie podmiotem unijnym", "managing an EU entity"),
}
"""``PersonalPermissionType`` in words."""

_MISSING: Mapping[str, Text] = {
    SEND: Text(
        "Brakuje uprawnienia do wystawiania faktur (InvoiceWrite): program nie wyśle żadnej faktury. Nadaje "
        "je w KSeF właściciel firmy albo osoba z prawem zarządzania uprawnieniami.",
        "The permission to issue invoices (InvoiceWrite) is missing: the program cannot send any invoice. "
        "The owner of the company, or whoever manages permissions, grants it in KSeF.",
    ),
    READ: Text(
        "Brakuje uprawnienia do przeglądania faktur (InvoiceRead): program nie pobierze faktur z KSeF i nie "
        "porówna faktury, którą KSeF uzna za duplikat.",
        "The permission to read invoices (InvoiceRead) is missing: the program can neither fetch invoices "
        "from KSeF nor compare an invoice that KSeF takes for a duplicate.",
    ),
    COLLECTIVE: Text(
        "Brakuje uprawnienia do identyfikatorów zbiorczych (CollectiveIdentifierManage): program nie utworzy "
        "wspólnego tytułu przelewu dla kilku faktur.",
        "The permission for collective identifiers (CollectiveIdentifierManage) is missing: the program "
        "cannot make one transfer title for several invoices.",
    ),
}


@dataclass(frozen=True, slots=True)
class Grant:
    """``PersonalPermission``: one permission that somebody granted.

    Attributes:
        scope: name of the contract.
        description: of who granted it.
        active: in force.
        since: start.
        place: identifier of the company in which it holds; None for the context signed in to. An owner also
            sees what other companies granted to its own (``contextIdentifier``), and an intermediary what it
            may do for its partners (``targetIdentifier``; ``AllPartners`` for all of them).
    """

    scope: str
    description: str
    active: bool
    since: datetime
    place: str | None = None

    @classmethod
    def read(cls, data: Fields) -> Grant:
        """Read the answer; raises FieldError."""
        return cls(
            data.text("permissionScope"),
            data.text("description"),
            data.text("permissionState") == "Active",
            data.moment("startDate"),
            _identifier(data, "targetIdentifier") or _identifier(data, "contextIdentifier"),
        )


@dataclass(frozen=True, slots=True)
class Permissions:
    """Everything that the identity may do in the context.

    Attributes:
        context: NIP of the context.
        owner: permissions of an owner, names of the contract; empty for others.
        grants: permissions that were granted, ended ones included.
    """

    context: str
    owner: frozenset[str]
    grants: tuple[Grant, ...]

    @property
    def held(self) -> frozenset[str]:
        """Names of all permissions in force in the context."""
        here = {None, self.context}
        return self.owner | {one.scope for one in self.grants if one.active and one.place in here}

    @property
    def missing(self) -> tuple[Text, ...]:
        """What is missing of what the program needs, in words; the one for sending first."""
        return tuple(text for name, text in _MISSING.items() if name not in self.held)


def personal(client: KsefClient, access: str, nip: str, *, page_size: int = _PAGE) -> Permissions:
    """``POST /permissions/query/personal/grants``: what the identity may do here, all pages.

    Args:
        client: the client.
        access: access token.
        nip: NIP of the context.
        page_size: 10 to 100.
    """
    owner: frozenset[str] = frozenset()
    grants: list[Grant] = []
    page = 0
    while True:
        found, of_owner, more = client.caller.ask(
            _QUERY,
            lambda data: (
                [Grant.read(item) for item in data.children("permissions")],
                data.texts("ownerPermissions"),
                data.flag("hasMore"),
            ),
            token=access,
            json_body={},
            query={"pageSize": str(page_size), "pageOffset": str(page)},
        )
        owner |= frozenset(of_owner)
        grants += found
        if not more:
            return Permissions(nip, owner, tuple(grants))
        page += 1


def _identifier(data: Fields, name: str) -> str | None:
    found = data.optional_child(name)
    return (found.optional_text("value") or found.text("type")) if found else None
