"""What a subject may do in a context: by ownership, directly, or through an intermediary.

Source: descriptions of the operations under ``/permissions``, and OwnerPermissionScope of open-api.json.
"""

from __future__ import annotations

from sandbox.ksef.identities import Identity, linked
from sandbox.ksef.permissions import grants
from sandbox.ksef.permissions.grants import Grant
from sandbox.ksef.state import SandboxState

OWNER_PERMISSIONS = frozenset(
    {
        "InvoiceRead",
        "InvoiceWrite",
        "CredentialsRead",
        "CredentialsManage",
        "SubunitManage",
        "EnforcementOperations",
        "Introspection",
        "CollectiveIdentifierManage",
    }
)
"""OwnerPermissionScope of the contract; tokens may carry the same permissions."""
_IN_CONTEXT = frozenset(
    {grants.PERSON, grants.ENTITY, grants.SUBUNIT, grants.EU_ADMINISTRATOR, grants.EU_ENTITY}
)


def effective(state: SandboxState, subject: Identity, context: Identity) -> frozenset[str] | None:
    """What a subject may do in a context; None when it has nothing there.

    Args:
        state: has the grants.
        subject: who signed in.
        context: (Nip, InternalId, NipVatUe or PeppolId; value).
    """
    found: set[str] = set()
    if is_owner(state, subject, context):
        found |= OWNER_PERMISSIONS
        if context[0] == "NipVatUe":
            found.add("VatUeManage")
    for grant in grants.of_subjects(state, linked(state, subject)):
        holds_here = grant.kind in _IN_CONTEXT and grant.context == context
        if holds_here or reaches(state, grant, context):
            found.add(grant.permission)
    return frozenset(found) or None


def is_owner(state: SandboxState, subject: Identity, context: Identity) -> bool:
    """Whether a context is the subject's own: its NIP, or one that is made of its NIP."""
    for kind, value in linked(state, subject):
        if kind == "Nip" and context == ("Nip", value):
            return True
        composed = context[0] in ("InternalId", "NipVatUe")
        if kind == "Nip" and composed and context[1].startswith(f"{value}-"):
            return True
    return False


def reaches(state: SandboxState, grant: Grant, context: Identity) -> bool:
    """Whether an indirect grant holds in a client's context.

    The client has to have given the same permission to the intermediary with the right to pass it on.
    """
    if grant.kind != grants.INDIRECT or grant.context not in (context, grants.ALL_PARTNERS):
        return False
    return any(given.permission == grant.permission for given in delegable(state, context, grant.grantor))


def is_active(state: SandboxState, grant: Grant) -> bool:
    """PermissionState of the contract: an indirect grant for one client sleeps without the client's own."""
    if grant.kind != grants.INDIRECT or grant.context == grants.ALL_PARTNERS:
        return True
    return reaches(state, grant, grant.context)


def delegable(state: SandboxState, client: Identity, intermediary: Identity) -> list[Grant]:
    """What a client has given an intermediary with the right to pass it on."""
    return [
        grant
        for grant in grants.in_context(state, client)
        if grant.kind == grants.ENTITY and grant.delegate and grant.subject == intermediary
    ]


def may_issue_for(state: SandboxState, context: Identity, seller: str, *, self_invoicing: bool) -> bool:
    """Whether a context may send a document of a seller that is another entity.

    Args:
        state: has the grants.
        context: the sender's context.
        seller: NIP of the document's seller.
        self_invoicing: whether the document says so (P_17 is 1), which SelfInvoicing needs.
    """
    for grant in grants.of_subjects(state, [context]):
        if grant.kind == grants.AUTHORIZATION and grant.grantor == ("Nip", seller):
            if grant.permission == "TaxRepresentative":
                return True
            if grant.permission == "SelfInvoicing" and self_invoicing:
                return True
    return False
