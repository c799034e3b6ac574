"""KSeF tokens: make, wait until active, list, revoke.

Source: ``/tokens`` of the API contract. A token's text is shown once, when it is made. By the law in force
tokens sign in until the day in :data:`core.law.TOKENS_END`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from core.ksef.calls import Operation
from core.ksef.client import KsefClient
from core.ksef.errors import TokenNotIssued
from core.ksef.fields import FieldError, Fields
from core.ksef.waiting import DEFAULT_PATIENCE, Patience, wait_for

_CREATE = Operation("POST /tokens", changes=True)
_STATUS = Operation("GET /tokens/{referenceNumber}")
_LIST = Operation("GET /tokens")
_REVOKE = Operation("DELETE /tokens/{referenceNumber}", changes=True)

DESCRIPTION_LENGTHS = (5, 256)
"""Shortest and longest description of a token."""
_PAGE = 100


class TokenPermission(StrEnum):
    """``TokenPermissionType``: what a token may do."""

    INVOICE_READ = "InvoiceRead"
    INVOICE_WRITE = "InvoiceWrite"
    CREDENTIALS_READ = "CredentialsRead"
    CREDENTIALS_MANAGE = "CredentialsManage"
    SUBUNIT_MANAGE = "SubunitManage"
    ENFORCEMENT_OPERATIONS = "EnforcementOperations"
    INTROSPECTION = "Introspection"
    COLLECTIVE_IDENTIFIER_MANAGE = "CollectiveIdentifierManage"


class TokenState(StrEnum):
    """``AuthenticationTokenStatus``."""

    PENDING = "Pending"
    ACTIVE = "Active"
    REVOKING = "Revoking"
    REVOKED = "Revoked"
    FAILED = "Failed"


@dataclass(frozen=True, slots=True)
class NewToken:
    """``GenerateTokenResponse``: the only time that the token's text is told.

    Attributes:
        reference: reference number.
        text: the token; never shown.
    """

    reference: str
    text: str = field(repr=False)

    @classmethod
    def read(cls, data: Fields) -> NewToken:
        """Read the answer; raises FieldError."""
        return cls(data.text("referenceNumber"), data.text("token"))


@dataclass(frozen=True, slots=True)
class TokenEntry:
    """``TokenStatusResponse`` and ``QueryTokensResponseItem``: what KSeF says of a token.

    Attributes:
        reference: reference number.
        description: as it was made.
        permissions: what it may do, names of the contract.
        author: NIP, PESEL or fingerprint of who made it.
        created: when.
        last_used: when it signed in last; None for never.
        state: see :class:`TokenState`.
        details: KSeF's further sentences.
    """

    reference: str
    description: str
    permissions: tuple[str, ...]
    author: str
    created: datetime
    last_used: datetime | None
    state: TokenState
    details: tuple[str, ...] = ()

    @classmethod
    def read(cls, data: Fields) -> TokenEntry:
        """Read the answer; raises FieldError."""
        try:
            state = TokenState(data.text("status"))
        except ValueError:
            raise FieldError("status is none of the contract's") from None
        return cls(
            reference=data.text("referenceNumber"),
            description=data.text("description"),
            permissions=data.texts("requestedPermissions"),
            author=data.child("authorIdentifier").text("value"),
            created=data.moment("dateCreated"),
            last_used=data.optional_moment("lastUseDate"),
            state=state,
            details=data.texts("statusDetails"),
        )


def create(
    client: KsefClient, access: str, permissions: Collection[TokenPermission], description: str
) -> NewToken:
    """``POST /tokens``: make a token; it signs in once it is active.

    Args:
        client: the client.
        access: access token.
        permissions: what it may do, at least one.
        description: 5 to 256 characters.

    Raises:
        KsefRefused: 26001 the identity lacks a permission itself, 26002 no tokens in this context.
        KsefUnavailable: with ``outcome_ambiguous`` when a token may have been made that nobody knows.
    """
    body = {"permissions": sorted(one.value for one in permissions), "description": description}
    return client.caller.ask(_CREATE, NewToken.read, token=access, json_body=body)


def status(client: KsefClient, access: str, reference: str) -> TokenEntry:
    """``GET /tokens/{referenceNumber}``: what KSeF says of one token."""
    return client.caller.ask(
        _STATUS, TokenEntry.read, parameters={"referenceNumber": reference}, token=access
    )


def wait_until_active(
    client: KsefClient, access: str, reference: str, *, patience: Patience = DEFAULT_PATIENCE
) -> TokenEntry:
    """Wait until a new token signs in.

    Raises:
        TokenNotIssued: it never will.
        KsefUnavailable: it does not yet, and the time is up.
    """
    found = wait_for(
        lambda: status(client, access, reference),
        lambda seen: seen.state is TokenState.PENDING,
        sleep=client.sleep,
        patience=patience,
        operation=_STATUS.name,
        what="the new token",
    )
    if found.state is TokenState.ACTIVE:
        return found
    raise TokenNotIssued(f"the token is {found.state.value}", operation=_STATUS.name, details=found.details)


def listing(
    client: KsefClient, access: str, *, state: TokenState | None = None, page_size: int = _PAGE
) -> Iterator[TokenEntry]:
    """``GET /tokens``: tokens that the identity may see, newest first, page after page.

    Args:
        client: the client.
        access: access token.
        state: in this state only.
        page_size: 10 to 100.
    """
    query = {"pageSize": str(page_size)} | ({"status": state.value} if state else {})
    continuation: str | None = None
    while True:
        entries, continuation = client.caller.ask(
            _LIST,
            lambda data: (
                [TokenEntry.read(item) for item in data.children("tokens")],
                data.optional_text("continuationToken"),
            ),
            token=access,
            query=query,
            headers={"x-continuation-token": continuation} if continuation else None,
        )
        yield from entries
        if continuation is None:
            return


def revoke(client: KsefClient, access: str, reference: str) -> None:
    """``DELETE /tokens/{referenceNumber}``: end a token for good."""
    client.caller.call(_REVOKE, parameters={"referenceNumber": reference}, token=access)
