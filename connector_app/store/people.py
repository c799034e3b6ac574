"""Tables of people: accounts, what they may do, their browsers, invitations, and who did what."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from connector_app.store.models import Base


class Role(StrEnum):
    """What a person may do for one seller; each can do what the ones after it can."""

    OWNER = "owner"
    """Settings, credentials, people of the seller."""
    OPERATOR = "operator"
    """Decides about documents: issue, correct, send again."""
    ACCOUNTANT = "accountant"
    """Reads and exports."""
    VIEWER = "viewer"


class User(Base):
    """One person's account."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    """In small letters."""
    name: Mapped[str] = mapped_column(String(200))
    password_hash: Mapped[str] = mapped_column(String(255))
    """Argon2id."""
    is_admin: Mapped[bool] = mapped_column(default=False)
    """Owner of the installation: every seller, every account."""
    totp: Mapped[str | None] = mapped_column(Text)
    """Sealed secret of the second factor; ``None``: none."""
    totp_step: Mapped[int | None]
    """The last time step whose code was used, so that no code works twice."""
    language: Mapped[str] = mapped_column(String(2), default="pl")
    failures: Mapped[int] = mapped_column(default=0)
    """Wrong passwords in a row."""
    locked_until: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    memberships: Mapped[list[Membership]] = relationship(cascade="all, delete-orphan")


class Membership(Base):
    """What a person may do for a seller."""

    __tablename__ = "memberships"
    __table_args__ = (UniqueConstraint("user_id", "seller_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    seller_id: Mapped[int] = mapped_column(ForeignKey("sellers.id"), index=True)
    role: Mapped[str] = mapped_column(String(12))
    """:class:`Role`."""


class WebSession(Base):
    """One browser that is signed in."""

    __tablename__ = "web_sessions"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    """Of the secret in the browser's cookie."""
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    address: Mapped[str] = mapped_column(String(64))
    agent: Mapped[str] = mapped_column(String(200))
    ended_at: Mapped[datetime | None]

    user: Mapped[User] = relationship()


class RecoveryCode(Base):
    """A code that stands in for the second factor, once."""

    __tablename__ = "recovery_codes"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    code_sha256: Mapped[str] = mapped_column(String(64))
    used_at: Mapped[datetime | None]


class Invitation(Base):
    """A one-time link: to an account, to a role, or to a new password.

    The first one is printed when the program starts.
    """

    __tablename__ = "invitations"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    email: Mapped[str | None] = mapped_column(String(254))
    seller_id: Mapped[int | None] = mapped_column(ForeignKey("sellers.id"))
    role: Mapped[str | None] = mapped_column(String(12))
    is_admin: Mapped[bool] = mapped_column(default=False)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", name="fk_invitations_user_id_users"))
    """The account whose password the link sets; ``None``: the link invites."""
    invited_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class AuditEntry(Base):
    """Who did what; never changed, never deleted by the program."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_seller", "seller_id", "at"), Index("ix_audit_at", "at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    actor: Mapped[str] = mapped_column(String(254))
    """E-mail of the person as it was, or what acted instead: ``api:NAME``, ``buyer``."""
    seller_id: Mapped[int | None] = mapped_column(ForeignKey("sellers.id"))
    action: Mapped[str] = mapped_column(String(48))
    """A stable code such as ``document.retry``."""
    subject: Mapped[str] = mapped_column(String(128))
    """What it was done to, such as ``document:17``."""
    details: Mapped[dict[str, Any] | None]
    """Never a secret."""
    address: Mapped[str] = mapped_column(String(64))
