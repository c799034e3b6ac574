"""The published request limits, as data, and what a budget that keeps inside them offers.

Source: the 429 answers of the API contract 2.9.0 and ``EffectiveApiRateLimits``: requests per second, minute
and hour, in sliding windows, per context and IP address, all three at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol


class Group(StrEnum):
    """Operations that are counted together; the names are those of ``EffectiveApiRateLimits``."""

    ONLINE_SESSION = "onlineSession"
    ONLINE_SESSION_CLOSE = "onlineSessionClose"
    BATCH_SESSION = "batchSession"
    BATCH_SESSION_CLOSE = "batchSessionClose"
    INVOICE_SEND = "invoiceSend"
    INVOICE_STATUS = "invoiceStatus"
    SESSION_LIST = "sessionList"
    SESSION_INVOICE_LIST = "sessionInvoiceList"
    SESSION_MISC = "sessionMisc"
    INVOICE_METADATA = "invoiceMetadata"
    INVOICE_EXPORT = "invoiceExport"
    INVOICE_EXPORT_STATUS = "invoiceExportStatus"
    INVOICE_DOWNLOAD = "invoiceDownload"
    COLLECTIVE_IDENTIFIER = "collectiveIdentifier"
    OTHER = "other"
    ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True)
class Rate:
    """How many requests a window may hold; None means no limit."""

    per_second: int
    per_minute: int | None = None
    per_hour: int | None = None


def windows(rate: Rate) -> tuple[tuple[int, timedelta], ...]:
    """The windows of a rate that have a limit, shortest first: how many requests, in what time.

    They are a little longer than published: KSeF sees requests when they arrive, and two that left a minute
    apart can arrive closer together.
    """
    every = ((rate.per_second, 2), (rate.per_minute, 62), (rate.per_hour, 3605))
    return tuple((amount, timedelta(seconds=seconds)) for amount, seconds in every if amount is not None)


PUBLISHED: Mapping[Group, Rate] = MappingProxyType(
    {
        Group.ONLINE_SESSION: Rate(10, 30, 120),
        Group.ONLINE_SESSION_CLOSE: Rate(20, 60, 240),
        Group.BATCH_SESSION: Rate(10, 20, 60),
        Group.BATCH_SESSION_CLOSE: Rate(20, 40, 120),
        Group.INVOICE_SEND: Rate(10, 30, 180),
        Group.INVOICE_STATUS: Rate(30, 120, 1200),
        Group.SESSION_LIST: Rate(5, 10, 60),
        Group.SESSION_INVOICE_LIST: Rate(10, 20, 200),
        Group.SESSION_MISC: Rate(10, 120, 1200),
        Group.INVOICE_METADATA: Rate(8, 16, 20),
        Group.INVOICE_EXPORT: Rate(8, 16, 20),
        Group.INVOICE_EXPORT_STATUS: Rate(10, 60, 600),
        Group.INVOICE_DOWNLOAD: Rate(8, 16, 64),
        Group.COLLECTIVE_IDENTIFIER: Rate(20, 120, 240),
        Group.OTHER: Rate(10, 30, 120),
        Group.ANONYMOUS: Rate(60),
    }
)

_GROUPS = {
    "POST /sessions/online": Group.ONLINE_SESSION,
    "POST /sessions/online/{referenceNumber}/invoices": Group.INVOICE_SEND,
    "POST /sessions/online/{referenceNumber}/close": Group.ONLINE_SESSION_CLOSE,
    "POST /sessions/batch": Group.BATCH_SESSION,
    "POST /sessions/batch/{referenceNumber}/close": Group.BATCH_SESSION_CLOSE,
    "GET /sessions": Group.SESSION_LIST,
    "GET /sessions/{referenceNumber}": Group.SESSION_MISC,
    "GET /sessions/{referenceNumber}/invoices": Group.SESSION_INVOICE_LIST,
    "GET /sessions/{referenceNumber}/invoices/failed": Group.SESSION_INVOICE_LIST,
    "GET /sessions/{referenceNumber}/invoices/{invoiceReferenceNumber}": Group.INVOICE_STATUS,
    "GET /sessions/{referenceNumber}/invoices/{invoiceReferenceNumber}/upo": Group.SESSION_MISC,
    "GET /sessions/{referenceNumber}/invoices/ksef/{ksefNumber}/upo": Group.SESSION_MISC,
    "GET /sessions/{referenceNumber}/upo/{upoReferenceNumber}": Group.SESSION_MISC,
    "POST /invoices/query/metadata": Group.INVOICE_METADATA,
    "POST /invoices/exports": Group.INVOICE_EXPORT,
    "GET /invoices/exports/{referenceNumber}": Group.INVOICE_EXPORT_STATUS,
    "GET /invoices/ksef/{ksefNumber}": Group.INVOICE_DOWNLOAD,
    "POST /collective-identifiers": Group.COLLECTIVE_IDENTIFIER,
    "POST /collective-identifiers/query": Group.COLLECTIVE_IDENTIFIER,
    "POST /collective-identifiers/invoices": Group.COLLECTIVE_IDENTIFIER,
    "GET /collective-identifiers/ksef/{ksefNumber}": Group.COLLECTIVE_IDENTIFIER,
    "POST /auth/challenge": Group.ANONYMOUS,
    "POST /auth/xades-signature": Group.ANONYMOUS,
    "POST /auth/ksef-token": Group.ANONYMOUS,
    "GET /auth/{referenceNumber}": Group.ANONYMOUS,
    "POST /auth/token/redeem": Group.ANONYMOUS,
    "POST /auth/token/refresh": Group.ANONYMOUS,
    "GET /security/public-key-certificates": Group.ANONYMOUS,
}


def group_of(operation: str) -> Group:
    """The group of an operation such as ``POST /sessions/online``; unlisted ones are "other"."""
    return _GROUPS.get(operation, Group.OTHER)


class Budget(Protocol):
    """Counts requests against limits; one budget is shared by everything that uses the same contexts."""

    def take(self, operation: str, context: str) -> float:
        """Take one request out of the budget.

        Args:
            operation: as the contract writes it.
            context: NIP of the context; empty for operations without one.

        Returns:
            0.0 when it was taken, otherwise the seconds after which to ask again (nothing was taken).
        """
        ...

    def close(self, operation: str, context: str, seconds: float) -> None:
        """KSeF asked for a pause: take nothing of this operation's group for so many seconds."""
        ...


class PlannedBudget(Budget, Protocol):
    """A budget that can also be asked before anything is done."""

    def wait(self, operation: str, context: str) -> float:
        """Seconds until a request would be taken; takes nothing."""
        ...

    def left_in_hour(self, operation: str, context: str) -> int | None:
        """How many requests the last hour still takes; ``None`` without an hourly limit."""
        ...
