"""Tables of watching: what was measured by all processes together, alerts, and letters about them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from connector_app.store.models import Base
from connector_app.store.people import User

OPEN = "closed_at IS NULL"
"""Condition of the index that lets an alert be open once."""


class Measured(Base):
    """Sums of one series of measurements, added up over all processes and restarts."""

    __tablename__ = "measured"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    labels: Mapped[str] = mapped_column(String(200), primary_key=True)
    """Values in the order of the metric's labels, separated by tabs."""
    count: Mapped[int] = mapped_column(BigInteger, default=0)
    total: Mapped[float] = mapped_column(default=0.0)
    """Sum of what was measured, in seconds; of a mark, the moment in seconds since 1970."""
    buckets: Mapped[list[Any] | None]
    """How many were in each step of a histogram, the last one without an end; ``None`` for a counter."""


class Alert(Base):
    """Something that a person should know, from its beginning to its end."""

    __tablename__ = "alerts"
    __table_args__ = (
        Index(
            "ix_alerts_open",
            "key",
            unique=True,
            sqlite_where=text(OPEN),
            postgresql_where=text(OPEN),
        ),
        Index("ix_alerts_closed", "closed_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(128))
    """Names the condition, such as ``attention:3``."""
    kind: Mapped[str] = mapped_column(String(24))
    """:class:`connector_app.alerts.kinds.Kind`."""
    severity: Mapped[str] = mapped_column(String(8))
    """:class:`core.findings.Severity`."""
    seller_id: Mapped[int | None] = mapped_column(ForeignKey("sellers.id"), index=True)
    """Whose; ``None``: the installation's."""
    store_id: Mapped[int | None] = mapped_column(ForeignKey("stores.id"))
    said: Mapped[str] = mapped_column(Text)
    """What is wrong (JSON with both languages)."""
    hint: Mapped[str] = mapped_column(Text)
    """What to do about it (JSON with both languages)."""
    step: Mapped[int] = mapped_column(default=0)
    """How far it went, such as the days that a certificate still has; a step further is told anew."""
    since: Mapped[datetime]
    """When what is wrong began."""
    opened_at: Mapped[datetime]
    gone_at: Mapped[datetime | None]
    """When it was seen to be over; it is closed if it does not come back soon."""
    closed_at: Mapped[datetime | None]
    mailed_at: Mapped[datetime | None]
    """When letters about it were last put on the list."""
    hooked_at: Mapped[datetime | None]
    """When hooks were told that it began."""
    snoozed_until: Mapped[datetime | None]
    """Until when a person wants no reminder."""
    snoozed_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))


class LetterState(StrEnum):
    """Where a letter stands; as with mails to buyers."""

    DUE = "due"
    SENDING = "sending"
    """Its text may be on its way: a process that finds it so does not know whether it arrived."""
    SENT = "sent"
    UNKNOWN = "unknown"
    REFUSED = "refused"
    DROPPED = "dropped"
    """There is nobody to send it to any more."""


class AlertLetter(Base):
    """One e-mail to one person about all that is new in a round."""

    __tablename__ = "alert_letters"
    __table_args__ = (Index("ix_alert_letters_work", "state", "next_attempt_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id), index=True)
    items: Mapped[list[Any]]
    """What it says: ``alert`` (an id) and ``what`` (``opened``, ``reminder``, ``closed``) of each."""
    state: Mapped[str] = mapped_column(String(8))
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime | None]
    message_id: Mapped[str | None] = mapped_column(String(255))
    failure: Mapped[str | None] = mapped_column(Text)
    """Why it did not go, without the server's words."""
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]

    user: Mapped[User] = relationship()
