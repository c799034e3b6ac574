"""Tables for machines: tokens of the REST interface, webhooks to others, and what goes out through them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from connector_app.store.models import Base


class ApiToken(Base):
    """A token of the REST interface: one seller's."""

    __tablename__ = "api_tokens"

    id: Mapped[int] = mapped_column(primary_key=True)
    seller_id: Mapped[int] = mapped_column(ForeignKey("sellers.id"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    writes: Mapped[bool] = mapped_column(default=False)
    """Whether it may change anything."""
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class ApiReply(Base):
    """What a request with an ``Idempotency-Key`` was answered, so that its copy does nothing twice."""

    __tablename__ = "api_replies"
    __table_args__ = (UniqueConstraint("seller_id", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    seller_id: Mapped[int] = mapped_column(ForeignKey("sellers.id"))
    key: Mapped[str] = mapped_column(String(128))
    fingerprint: Mapped[str] = mapped_column(String(64))
    """SHA-256 of method, address and body: another request with the same key is a mistake."""
    status: Mapped[int | None]
    """HTTP status; ``None`` while the request is at work."""
    body: Mapped[str | None] = mapped_column(Text)
    """Sealed answer: it may hold a secret that is shown once."""
    created_at: Mapped[datetime]


class Hook(Base):
    """An address that is told of what happens to a seller's documents."""

    __tablename__ = "hooks"

    id: Mapped[int] = mapped_column(primary_key=True)
    seller_id: Mapped[int] = mapped_column(ForeignKey("sellers.id"), index=True)
    url: Mapped[str] = mapped_column(String(512))
    secret: Mapped[str] = mapped_column(Text)
    """Sealed secrets that deliveries are signed with: the one in force, and for a day the one before."""
    events: Mapped[list[Any]]
    """Names of the events it is told of, such as ``document.accepted``."""
    mark: Mapped[int] = mapped_column(default=0)
    """The last entry of the documents' life lines that was looked at for it."""
    failure: Mapped[str | None] = mapped_column(Text)
    """Why it was switched off (JSON with both languages)."""
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class HookDelivery(Base):
    """One message on its way to a hook."""

    __tablename__ = "hook_deliveries"
    __table_args__ = (Index("ix_hook_deliveries_due", "done_at", "next_attempt_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    hook_id: Mapped[int] = mapped_column(ForeignKey("hooks.id"), index=True)
    event: Mapped[str] = mapped_column(String(32))
    body: Mapped[dict[str, Any]]
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime | None]
    status: Mapped[int | None]
    """HTTP status of the last answer."""
    failure: Mapped[str | None] = mapped_column(Text)
    done_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    hook: Mapped[Hook] = relationship()
