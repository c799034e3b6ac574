"""The names of what the program itself writes into its log: few, and the same in every version.

Whoever searches or counts lines relies on them, so a name is never used for something else;
docs/monitoring.md lists them. Lines of libraries have no such name: they are told by their ``logger``.
"""

from __future__ import annotations

from enum import StrEnum


class Said(StrEnum):
    """What a line tells of."""

    DOCUMENT_LIFE = "document.life"
    """An entry was added to a document's life line; ``state`` is the state it stands in."""
    DOCUMENT_FAILED = "document.failed"
    """An unexpected error at one document, which is tried again."""
    LANE_HELD = "lane.held"
    """KSeF or a setting keeps all of a seller's documents waiting."""
    LANE_FAILED = "lane.failed"
    """An unexpected error at one seller."""
    LIMIT_REACHED = "ksef.limit"
    """A request limit is used up; one kind of work waits."""
    KSEF_WARNING = "ksef.warning"
    """KSeF announces that it will refuse something."""
    CLOCK_OFF = "clock.off"
    """This machine's clock differs from KSeF's."""
    STORE_LOOKED = "store.looked"
    """A shop's changes were read."""
    STORE_FAILED = "store.failed"
    """A shop did not do what was asked, or its data cannot be read."""
    WEBHOOK = "webhook.received"
    """A shop's webhook was kept, or known already."""
    WEBHOOK_REFUSED = "webhook.refused"
    """A webhook with no right signature, or that cannot be read or kept."""
    SUBSCRIPTION = "webhook.subscription"
    """A shop's subscription is missing or switched off."""
    MAIL_FAILED = "mail.failed"
    """A mail server did not take a message."""
    HOOK_FAILED = "hook.failed"
    """A message was not delivered to a hook."""
    ALERT_OPENED = "alert.opened"
    """Something that a person should know began."""
    ALERT_CLOSED = "alert.closed"
    """It is over."""
    WORK_FAILED = "work.failed"
    """A round of background work ended by an unexpected error; the next one begins all the same."""
    PROBLEMS = "work.problems"
    """How many things hold something up; in words they stand at ``/health`` and on the first page."""
    DATABASE_FAILED = "database.failed"
    """The database cannot be used."""
    REGISTER_SILENT = "register.silent"
    """A public register does not answer; buyers are checked later."""
    RATES = "rates.cache"
    """Kept exchange rates cannot be read or written; they are asked for again."""
    JOB_FAILED = "job.failed"
    """Long work that a person started in the browser ended by an error."""
    WEB_REQUEST = "web.request"
    """A page or an address was asked for."""
    WEB_FAILED = "web.failed"
    """A page or an address ended by an unexpected error."""
