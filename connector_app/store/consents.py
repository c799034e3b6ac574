"""Table of shops that were asked for keys in the browser and have not given them yet."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from connector_app.store.models import Base


class PendingConsent(Base):
    """One asking: what was entered, until the browser comes back from the shop."""

    __tablename__ = "pending_consents"

    id: Mapped[int] = mapped_column(primary_key=True)
    state_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    """Of the random text that ties the shop's answer to it."""
    seller_id: Mapped[int] = mapped_column(ForeignKey("sellers.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    """Who asked; nobody else may finish it."""
    code: Mapped[str] = mapped_column(String(32))
    """Of the store."""
    platform: Mapped[str] = mapped_column(String(32))
    config: Mapped[str] = mapped_column(Text)
    """Sealed connection data, with the keys once the shop posted them."""
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
