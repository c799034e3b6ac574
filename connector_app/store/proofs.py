"""Tables of proofs: collective UPOs of sessions, and the certificates that signed UPOs."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from connector_app.store.models import Base


class UpoCertificate(Base):
    """A certificate whose key signed a UPO."""

    __tablename__ = "upo_certificates"

    fingerprint: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of the certificate, hexadecimal; ``Document.upo_certificate`` names it."""
    certificate: Mapped[bytes] = mapped_column(LargeBinary)
    """DER."""
    subject: Mapped[str] = mapped_column(Text)
    first_seen: Mapped[datetime]


class SessionUpo(Base):
    """The collective UPO of a session in which KSeF accepted a document of ours."""

    __tablename__ = "session_upos"
    __table_args__ = (Index("ix_session_upos_due", "seller_id", "ended_at", "next_at"),)

    seller_id: Mapped[int] = mapped_column(ForeignKey("sellers.id"), primary_key=True)
    reference: Mapped[str] = mapped_column(String(64), primary_key=True)
    """Reference number of the session."""
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime | None]
    waits_for: Mapped[str | None] = mapped_column(Text)
    """Why it is not there (JSON with both languages)."""
    ended_at: Mapped[datetime | None]
    """When all pages were stored, or when it was given up; then ``waits_for`` says why."""


class SessionUpoPage(Base):
    """One page of a collective UPO (10 000 documents)."""

    __tablename__ = "session_upo_pages"
    __table_args__ = (
        ForeignKeyConstraint(
            ["seller_id", "session_reference"], ["session_upos.seller_id", "session_upos.reference"]
        ),
    )

    seller_id: Mapped[int] = mapped_column(primary_key=True)
    session_reference: Mapped[str] = mapped_column(String(64), primary_key=True)
    page: Mapped[int] = mapped_column(primary_key=True)
    """From 1."""
    reference: Mapped[str] = mapped_column(String(64))
    """KSeF's reference number of the page."""
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    """The signed file, byte for byte; read by :mod:`connector_app.keeping.reading` only."""
    sha256: Mapped[str] = mapped_column(String(64), default="")
    """Of the file as it came, hexadecimal."""
    certificate: Mapped[str | None] = mapped_column(String(64))
    """Fingerprint of the signer, see :class:`UpoCertificate`; None when its form could not be checked."""
