"""Sign-ins that are in force: list them, end one.

Source: ``/auth/sessions`` of the API contract. Ending a sign-in stops its refresh token; access tokens that
were given already work to their own end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from core.ksef.answers import Status
from core.ksef.calls import Operation
from core.ksef.client import KsefClient
from core.ksef.fields import Fields

_LIST = Operation("GET /auth/sessions")
_REVOKE = Operation("DELETE /auth/sessions/{referenceNumber}", changes=True)
_REVOKE_CURRENT = Operation("DELETE /auth/sessions/current", changes=True)
_PAGE = 100


@dataclass(frozen=True, slots=True)
class SignInEntry:
    """``AuthenticationListItem``: one sign-in.

    Attributes:
        reference: reference number.
        started: when it began.
        method: how it was made, in KSeF's words (``authenticationMethodInfo``).
        status: 200 in force, see the statuses of a sign-in.
        refreshed: when its refresh token was used last; None for never.
        refresh_valid_until: end of its refresh token.
        is_current: the access token that asked belongs to it.
    """

    reference: str
    started: datetime
    method: str
    status: Status
    refreshed: datetime | None
    refresh_valid_until: datetime | None
    is_current: bool

    @classmethod
    def read(cls, data: Fields) -> SignInEntry:
        """Read the answer; raises FieldError."""
        return cls(
            reference=data.text("referenceNumber"),
            started=data.moment("startDate"),
            method=data.child("authenticationMethodInfo").text("displayName"),
            status=Status.read(data.child("status")),
            refreshed=data.optional_moment("lastTokenRefreshDate"),
            refresh_valid_until=data.optional_moment("refreshTokenValidUntil"),
            is_current=data.optional_flag("isCurrent"),
        )


def listing(client: KsefClient, access: str, *, page_size: int = _PAGE) -> Iterator[SignInEntry]:
    """``GET /auth/sessions``: sign-ins in force, newest first, page after page.

    Args:
        client: the client.
        access: access token.
        page_size: 10 to 100.
    """
    continuation: str | None = None
    while True:
        entries, continuation = client.caller.ask(
            _LIST,
            lambda data: (
                [SignInEntry.read(item) for item in data.children("items")],
                data.optional_text("continuationToken"),
            ),
            token=access,
            query={"pageSize": str(page_size)},
            headers={"x-continuation-token": continuation} if continuation else None,
        )
        yield from entries
        if continuation is None:
            return


def revoke(client: KsefClient, access: str, reference: str) -> None:
    """``DELETE /auth/sessions/{referenceNumber}``: end one sign-in."""
    client.caller.call(_REVOKE, parameters={"referenceNumber": reference}, token=access)


def revoke_current(client: KsefClient, token: str) -> None:
    """``DELETE /auth/sessions/current``: end the sign-in that a token belongs to.

    Args:
        client: the client.
        token: its access or refresh token.
    """
    client.caller.call(_REVOKE_CURRENT, token=token)
