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
    """

    scope: str
    description: str
    active: bool
    since: datetime

    @classmethod
    def read(cls, data: Fields) -> Grant:
        """Read the answer; raises FieldError."""
        return cls(
            data.text("permissionScope"),
            data.text("description"),
            data.text("permissionState") == "Active",
            data.moment("startDate"),
        )


@dataclass(frozen=True, slots=True)
class Permissions:
    """Everything that the identity may do in the context.

    Attributes:
        owner: permissions of an owner, names of the contract; empty for others.
        grants: permissions that were granted, ended ones included.
    """

    owner: frozenset[str]
    grants: tuple[Grant, ...]

    @property
    def held(self) -> frozenset[str]:
        """Names of all permissions in force."""
        return self.owner | {grant.scope for grant in self.grants if grant.active}

    @property
    def missing(self) -> tuple[Text, ...]:
        """What is missing of what the program needs, in words; the one for sending first."""
        return tuple(text for name, text in _MISSING.items() if name not in self.held)


def personal(client: KsefClient, access: str, *, page_size: int = _PAGE) -> Permissions:
    """``POST /permissions/query/personal/grants``: what the identity may do here, all pages.

    Args:
        client: the client.
        access: access token.
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
            return Permissions(owner, tuple(grants))
        page += 1
