"""Tables of what runs: who works on this installation, and whose turn is next.

Both are for workers only and may be emptied at any time: what has to be done is found in the other tables.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from connector_app.store.models import Base


class Worker(Base):
    """One process that works on the installation, with its heartbeat."""

    __tablename__ = "workers"

    name: Mapped[str] = mapped_column(String(160), primary_key=True)
    """Host, process and a random part: a process number is used again."""
    host: Mapped[str] = mapped_column(String(128))
    pid: Mapped[int] = mapped_column(BigInteger)
    role: Mapped[str] = mapped_column(String(32))
    """``serve``, ``web``, ``worker``, ``beat``, or the command that runs."""
    doing: Mapped[str | None] = mapped_column(Text)
    """What it works on, such as ``lane 12``; never personal data."""
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]


class Kind(StrEnum):
    """Kinds of turns; ``subject`` says whose."""

    LANE = "lane"
    """One seller's lane; subject: the seller."""
    LOOK = "look"
    """A look at a shop; subject: the store."""
    HOOKS = "hooks"
    """What hooks are to be told is written down; one for the installation, like all that follow but HOOK."""
    HOOK = "hook"
    """Messages to one hook; subject: the hook."""
    BOARDS = "boards"
    BUYERS = "buyers"
    NOTICES = "notices"
    PRUNE = "prune"


class Turn(Base):
    """Something that is done again and again by whichever worker is free."""

    __tablename__ = "turns"
    __table_args__ = (Index("ix_turns_next", "next_at"),)

    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    subject: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    next_at: Mapped[datetime]
    """When it is due."""
    queued_at: Mapped[datetime | None]
    """When a message for it was sent, or a worker began with it; ``None``: no message is under way."""
    begun_at: Mapped[datetime | None]
    """Since when a worker is at it."""
    ticket: Mapped[int] = mapped_column(default=0)
    """Of the message that counts; older messages are dropped."""
    wakes: Mapped[int] = mapped_column(default=0)
    """Counts what happened: a turn during which it grew is due again at once."""
    ended_at: Mapped[datetime | None]
    seconds: Mapped[float] = mapped_column(default=0.0)
    """How long the last one took."""
    runs: Mapped[int] = mapped_column(default=0)
    said: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What the last one says to people: ``problems`` and ``notices``, each with both languages."""
