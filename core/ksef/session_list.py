"""The sessions of a context, newest first: where documents went whose session is not known any more.

Source: ``GET /sessions`` of the API contract (60 an hour). With the permission InvoiceWrite only sessions of
the identity that signs in are listed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from core.ksef.calls import Operation
from core.ksef.client import KsefClient
from core.ksef.errors import UnreadableAnswer
from core.ksef.fields import Fields
from core.ksef.invoices import Ask

_LIST = Operation("GET /sessions")
_PAGE = 1000


class SessionType(StrEnum):
    """The kinds of sessions (``SessionType``)."""

    ONLINE = "Online"
    BATCH = "Batch"


@dataclass(frozen=True, slots=True)
class ListedSession:
    """``SessionsQueryResponseItem``: one session.

    Attributes:
        reference: reference number.
        created_at: when it was opened.
        accepted: documents with a KSeF number.
    """

    reference: str
    created_at: datetime
    accepted: int

    @classmethod
    def read(cls, data: Fields) -> ListedSession:
        """Read the answer; raises FieldError."""
        return cls(
            data.text("referenceNumber"), data.moment("dateCreated"), data.integer("successfulInvoiceCount")
        )


def sessions(
    client: KsefClient, ask: Ask, kind: SessionType, *, created_from: datetime
) -> Iterator[ListedSession]:
    """The sessions of a kind, newest first (``GET /sessions``).

    Args:
        client: the client, of the context's NIP.
        ask: gives an access token for each page.
        kind: interactive or batch.
        created_from: aware; older ones are left out.

    Raises:
        UnreadableAnswer: KSeF repeats a continuation token, which would never end.
    """
    seen: set[str] = set()
    continuation: str | None = None
    while True:
        found, continuation = ask(_page_of(client, kind, created_from, continuation))
        yield from found
        if continuation is None:
            return
        if continuation in seen:
            raise UnreadableAnswer("the same page was given twice", operation=_LIST.name)
        seen.add(continuation)


def _page_of(
    client: KsefClient, kind: SessionType, created_from: datetime, continuation: str | None
) -> Callable[[str], tuple[tuple[ListedSession, ...], str | None]]:
    query = {
        "sessionType": kind.value,
        "pageSize": str(_PAGE),
        "dateCreatedFrom": created_from.astimezone(UTC).isoformat(),
    }
    return lambda access: client.caller.ask(
        _LIST,
        lambda data: (
            tuple(ListedSession.read(item) for item in data.children("sessions")),
            data.optional_text("continuationToken"),
        ),
        token=access,
        query=query,
        headers={"x-continuation-token": continuation} if continuation else None,
    )
