"""What a context and a subject may have at most: the sandbox's settings, and what test data changed.

Source: GET /limits/context, GET /limits/subject, GET /rate-limits and the operations under ``/testdata`` that
change them, of open-api.json.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.ksef.call import Answer, Call
from sandbox.ksef.errors import Json
from sandbox.ksef.identities import Identity
from sandbox.ksef.limits import PUBLISHED, RateLimit
from sandbox.ksef.state import SandboxState

MAX_ENROLLMENTS = 12
"""Requests for certificates that a subject may make (example of GET /limits/subject)."""
MAX_CERTIFICATES = 6
"""Active certificates that a subject may hold (example of GET /limits/subject)."""
MAX_COLLECTED = 500
"""Documents that one collective identifier takes (example of GET /limits/context)."""
_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class SessionAllowance:
    """Limits of one kind of session in one context.

    Attributes:
        max_invoice_bytes: size of a document without attachment.
        max_attachment_bytes: size of a document with attachment.
        max_invoices: documents that a session takes.
    """

    max_invoice_bytes: int
    max_attachment_bytes: int
    max_invoices: int

    def as_json(self) -> Json:
        """OnlineSessionEffectiveContextLimits and BatchSessionEffectiveContextLimits of the contract."""
        return {
            "maxInvoiceSizeInMB": self.max_invoice_bytes // _MEGABYTE,
            "maxInvoiceWithAttachmentSizeInMB": self.max_attachment_bytes // _MEGABYTE,
            "maxInvoices": self.max_invoices,
        }


@dataclass(frozen=True, slots=True)
class ContextAllowance:
    """Limits of one context.

    Attributes:
        online: of interactive sessions.
        batch: of batch sessions.
        max_collected: documents that one collective identifier takes.
    """

    online: SessionAllowance
    batch: SessionAllowance
    max_collected: int = MAX_COLLECTED


@dataclass(frozen=True, slots=True)
class SubjectAllowance:
    """Limits of one subject.

    Attributes:
        max_enrollments: requests for certificates that it may make.
        max_certificates: active certificates that it may hold.
    """

    max_enrollments: int = MAX_ENROLLMENTS
    max_certificates: int = MAX_CERTIFICATES


def of_context(state: SandboxState, context: str) -> ContextAllowance:
    """The limits of a context.

    Args:
        state: has the settings and what was changed.
        context: value of the context identifier.
    """
    row = state.one("SELECT limits FROM context_limits WHERE context_value = ?", (context,))
    if row is None:
        settings = state.settings
        session = SessionAllowance(
            settings.max_invoice_bytes, settings.max_attachment_bytes, settings.max_invoices
        )
        return ContextAllowance(session, session)
    values: dict[str, dict[str, int]] = json.loads(row["limits"])
    return ContextAllowance(
        _session(values["onlineSession"]),
        _session(values["batchSession"]),
        values["collectiveIdentifier"]["maxInvoices"],
    )


def of_subject(state: SandboxState, subject: Identity) -> SubjectAllowance:
    """The limits of a subject."""
    row = state.one(
        "SELECT * FROM subject_limits WHERE subject_type = ? AND subject_value = ?", (subject[0], subject[1])
    )
    if row is None:
        return SubjectAllowance()
    return SubjectAllowance(row["max_enrollments"], row["max_certificates"])


def changed_rates(state: SandboxState, context: str) -> Mapping[str, RateLimit] | None:
    """The rate limits that test data set for a context; None when it set none."""
    row = state.one("SELECT limits FROM context_rates WHERE context_value = ?", (context,))
    if row is None:
        return None
    values: dict[str, list[int]] = json.loads(row["limits"])
    return {group: RateLimit(*windows) for group, windows in values.items()}


def change_rates(state: SandboxState, context: str, limits: Mapping[str, RateLimit] | None) -> None:
    """Set the rate limits of a context, or (None) let the sandbox's own setting decide again."""
    state.run("DELETE FROM context_rates WHERE context_value = ?", (context,))
    if limits is not None:
        values = {
            group: [limit.per_second, limit.per_minute, limit.per_hour] for group, limit in limits.items()
        }
        state.insert("context_rates", context_value=context, limits=json.dumps(values))


def rates(state: SandboxState, context: str) -> Mapping[str, RateLimit] | None:
    """The rate limits to enforce for a context; None when nothing is enforced.

    Limits that test data set are always enforced, the published ones when the setting says so.
    """
    changed = changed_rates(state, context) if context else None
    if changed is not None:
        return changed
    return PUBLISHED if state.settings.rate_limits else None


def rate_limits(call: Call) -> Answer:
    """GET /rate-limits."""
    found = changed_rates(call.state, call.principal.context_value) or PUBLISHED
    return Answer({group: limit.as_json() for group, limit in found.items()})


def context_limits(call: Call) -> Answer:
    """GET /limits/context."""
    found = of_context(call.state, call.principal.context_value)
    return Answer(
        {
            "onlineSession": found.online.as_json(),
            "batchSession": found.batch.as_json(),
            "collectiveIdentifier": {"maxInvoices": found.max_collected},
        }
    )


def subject_limits(call: Call) -> Answer:
    """GET /limits/subject."""
    found = of_subject(call.state, (call.principal.subject_type, call.principal.subject_value))
    return Answer(
        {
            "enrollment": {"maxEnrollments": found.max_enrollments},
            "certificate": {"maxCertificates": found.max_certificates},
        }
    )


def _session(values: dict[str, int]) -> SessionAllowance:
    return SessionAllowance(
        values["maxInvoiceSizeInMB"] * _MEGABYTE,
        values["maxInvoiceWithAttachmentSizeInMB"] * _MEGABYTE,
        values["maxInvoices"],
    )
