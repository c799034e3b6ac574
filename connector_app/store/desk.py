"""Tables of the desk: long work, what buyers propose, answers of public registers, settings."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from connector_app.store.models import Base, Document
from connector_app.store.people import User


class JobState(StrEnum):
    """Where a person's long work stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    BROKEN_OFF = "broken-off"
    """The program ended while it ran."""


class Job(Base):
    """Long work that a person started in the browser, with its progress and result."""

    __tablename__ = "jobs"
    __table_args__ = (Index("ix_jobs_kind", "kind", "seller_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    seller_id: Mapped[int | None] = mapped_column(ForeignKey("sellers.id"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    worker: Mapped[str | None] = mapped_column(String(160))
    """Name of the process that does it, see :class:`connector_app.store.running.Worker`."""
    subject: Mapped[str] = mapped_column(String(128))
    """What it is about, such as ``store:demo``."""
    state: Mapped[str] = mapped_column(String(12))
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int | None]
    """Of what ``done`` counts; ``None`` while it is not known."""
    says: Mapped[str | None] = mapped_column(Text)
    """What it is doing, or why it failed (JSON with both languages)."""
    result: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class ProposalState(StrEnum):
    """Where a buyer's proposal stands."""

    NEW = "new"
    APPROVED = "approved"
    DECLINED = "declined"


class BuyerProposal(Base):
    """What a buyer says is right instead of the buyer's data on a document."""

    __tablename__ = "buyer_proposals"
    __table_args__ = (Index("ix_buyer_proposals_state", "state"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("documents.id"), index=True)
    nip: Mapped[str] = mapped_column(String(10))
    name: Mapped[str] = mapped_column(String(512))
    address: Mapped[dict[str, Any]]
    """``line1``, ``line2`` and ``country``."""
    contact: Mapped[str] = mapped_column(String(254))
    """E-mail of whoever proposes."""
    remark: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(8))
    decided_by: Mapped[int | None] = mapped_column(ForeignKey(User.id))
    decided_at: Mapped[datetime | None]
    instead_of: Mapped[str | None] = mapped_column(String(16))
    """Of an approved one: fingerprint of the shop's buyer whose data it replaces; another buyer in the shop
    is news."""
    correction_id: Mapped[int | None] = mapped_column(ForeignKey("documents.id"))
    """Of an approved one: the document that carries it out."""
    created_at: Mapped[datetime]

    document: Mapped[Document] = relationship(foreign_keys=[document_id])
    correction: Mapped[Document | None] = relationship(foreign_keys=[correction_id])


class RegisterAnswer(Base):
    """What a public register said about a number; kept, because registers are slow and limited."""

    __tablename__ = "register_answers"
    __table_args__ = (UniqueConstraint("register", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    register: Mapped[str] = mapped_column(String(12))
    """``vat-list`` or ``vies``."""
    number: Mapped[str] = mapped_column(String(32))
    status: Mapped[str] = mapped_column(String(16))
    answer: Mapped[dict[str, Any] | None]
    asked_at: Mapped[datetime]


class InstallationSetting(Base):
    """One setting of the whole installation that is changed in the browser."""

    __tablename__ = "settings"

    name: Mapped[str] = mapped_column(String(48), primary_key=True)
    value: Mapped[dict[str, Any]]
