"""Tables of what KSeF's answers say beside the answer itself: warnings, and the time."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from connector_app.store.models import Base


class StoredWarning(Base):
    """What KSeF announced by ``X-System-Warning``: one row for each code and operation."""

    __tablename__ = "system_warnings"

    environment: Mapped[str] = mapped_column(String(256), primary_key=True)
    """Address of the API."""
    code: Mapped[str] = mapped_column(String(64), primary_key=True)
    operation: Mapped[str] = mapped_column(String(128), primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    """As KSeF said it last."""
    first_seen: Mapped[datetime]
    last_seen: Mapped[datetime]


class ClockSkew(Base):
    """How far this machine's clock was from KSeF's; there is no row while it is right."""

    __tablename__ = "clock_skews"

    environment: Mapped[str] = mapped_column(String(256), primary_key=True)
    """Address of the API."""
    seconds_ahead: Mapped[int]
    """Negative when our clock is behind."""
    last_seen: Mapped[datetime]
