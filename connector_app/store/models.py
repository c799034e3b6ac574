"""The tables.

A document row is born when an order or refund is first seen and keeps its whole life, see "A document's
life" in the design. What was issued (number, XML bytes, hash) is written once and never changed.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from connector_app.store.types import DecimalText, UtcDateTime


class BatchState(StrEnum):
    """States of a batch."""

    NEW = "new"
    """Its documents are chosen."""
    PACKED = "packed"
    """Its encrypted parts lie in the work folder."""
    OPEN = "open"
    """KSeF has a session for it; parts are on their way."""
    CLOSED = "closed"
    """KSeF has all of it and is processing."""
    DONE = "done"
    FAILED = "failed"
    """KSeF took none of it; its documents go again."""


class Base(DeclarativeBase):
    """Common base; Python types to column types."""

    type_annotation_map = {  # noqa: RUF012  read by SQLAlchemy from the class
        datetime: UtcDateTime,
        Decimal: DecimalText,
        dict[str, Any]: JSON,
        list[Any]: JSON,
    }


INVOICE = "invoice"
"""Purpose of an order's first document."""

UNPROVEN = "ksef_number IS NOT NULL AND upo IS NULL"
"""Documents that KSeF has and whose UPO is still to be fetched; the condition of their index."""

IN_RELIEF = "relief_month IS NOT NULL"
IN_BATCH = "batch_id IS NOT NULL"
"""Conditions of the indexes of few documents among many."""


class DocumentState(StrEnum):
    """Where a document stands; the words are the design's."""

    WAITING = "waiting"
    READY = "ready"
    ISSUED = "issued"
    SENT = "sent"
    ACCEPTED = "accepted"
    PUBLISHED = "published"
    ATTENTION = "attention"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


class Seller(Base):
    """One taxpayer."""

    __tablename__ = "sellers"

    id: Mapped[int] = mapped_column(primary_key=True)
    nip: Mapped[str] = mapped_column(String(10), unique=True)
    name: Mapped[str] = mapped_column(String(512))
    profile: Mapped[dict[str, Any]]
    """The seller's settings as they stand in SELLER.toml."""
    environment: Mapped[dict[str, Any]]
    schema_version: Mapped[str] = mapped_column(String(4))
    credential: Mapped[str] = mapped_column(Text)
    """Sealed key or token for signing in; empty for a seller that signs outside the program."""
    tokens: Mapped[str | None] = mapped_column(Text)
    """Sealed access and refresh tokens."""
    session_reference: Mapped[str | None] = mapped_column(String(64))
    session: Mapped[str | None] = mapped_column(Text)
    """Sealed open interactive session."""
    hold: Mapped[dict[str, Any] | None]
    """Until when and why nothing of this seller goes to KSeF, see :mod:`connector_app.pipeline.holds`."""
    recovery: Mapped[dict[str, Any] | None]
    """How far an unfinished recovery from KSeF came, see :mod:`connector_app.recovery`; nothing is issued
    while it is not finished, because what KSeF has could be issued a second time."""
    setup: Mapped[dict[str, Any] | None]
    """How far an unfinished guided setup came, see :mod:`connector_app.guided`; nothing is issued while it is
    not finished. ``None``: live, as every seller that a command added."""
    created_at: Mapped[datetime]


class CertificateStage(StrEnum):
    """Where a KSeF certificate of ours stands."""

    PENDING = "pending"
    """Its key is made; it is asked for, or about to be."""
    ISSUED = "issued"
    REFUSED = "refused"
    REVOKED = "revoked"


class Certificate(Base):
    """One KSeF certificate of a seller, from the making of its key."""

    __tablename__ = "certificates"

    id: Mapped[int] = mapped_column(primary_key=True)
    seller_id: Mapped[int] = mapped_column(ForeignKey("sellers.id"), index=True)
    environment: Mapped[dict[str, Any]]
    """The KSeF environment that issues it, as in the seller's row."""
    kind: Mapped[str] = mapped_column(String(16))
    """``Authentication`` or ``Offline``."""
    name: Mapped[str] = mapped_column(String(100))
    stage: Mapped[str] = mapped_column(String(8))
    secret: Mapped[str] = mapped_column(Text)
    """Sealed key, with the certificate once it is issued; then in the form of a seller's credential."""
    sent_at: Mapped[datetime | None]
    """When the request was about to be sent; it may have arrived although there is no reference."""
    reference: Mapped[str | None] = mapped_column(String(36))
    serial_number: Mapped[str | None] = mapped_column(String(16))
    valid_from: Mapped[datetime | None]
    valid_until: Mapped[datetime | None]
    refusal: Mapped[str | None] = mapped_column(Text)
    """Why KSeF did not issue it, in KSeF's words."""
    created_at: Mapped[datetime]


class Store(Base):
    """One shop of a seller."""

    __tablename__ = "stores"

    id: Mapped[int] = mapped_column(primary_key=True)
    seller_id: Mapped[int] = mapped_column(ForeignKey("sellers.id"))
    code: Mapped[str] = mapped_column(String(32), unique=True)
    platform: Mapped[str] = mapped_column(String(32))
    url: Mapped[str] = mapped_column(String(512))
    config: Mapped[str] = mapped_column(Text)
    """Sealed connection data of the adapter."""
    policy: Mapped[dict[str, Any]]
    texts: Mapped[dict[str, Any] | None]
    """The merchant's own texts, see :mod:`connector_app.texts`; ``None``: the program's."""
    mail: Mapped[str | None] = mapped_column(Text)
    """Sealed settings for sending e-mail, see :mod:`connector_app.mail`."""
    mark: Mapped[datetime | None]
    """Orders modified before this moment were all read."""
    looked_at: Mapped[datetime | None]
    """When the last look began that read every changed order."""
    refunds_mark: Mapped[datetime | None]
    """Refunds changed before this moment were all seen; they have a clock of their own."""
    quiet_until: Mapped[datetime | None]
    """The shop asked not to be asked before (Retry-After)."""
    backfill: Mapped[dict[str, Any] | None]
    """How far an unfinished backfill came, see :mod:`connector_app.pipeline.backfill`."""
    webhook: Mapped[str | None] = mapped_column(Text)
    """Sealed address and secrets of its webhooks, see :mod:`connector_app.subscriptions`."""
    webhook_checked_at: Mapped[datetime | None]
    webhook_trouble: Mapped[str | None] = mapped_column(Text)
    """Why its webhooks do not come (JSON with both languages); orders are found by asking then."""
    closed_at: Mapped[datetime | None]
    """When it was removed; its documents stay, nothing is read from it or written to it any more."""
    created_at: Mapped[datetime]

    seller: Mapped[Seller] = relationship()


class ShopOrder(Base):
    """The last snapshot of an order."""

    __tablename__ = "orders"
    __table_args__ = (
        UniqueConstraint("store_id", "remote_id"),
        Index("ix_orders_number", "number"),
        Index("ix_machines_orders_store", "store_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"))
    remote_id: Mapped[str] = mapped_column(String(64))
    number: Mapped[str] = mapped_column(String(64))
    modified_at: Mapped[datetime]
    content_hash: Mapped[str] = mapped_column(String(64))
    snapshot: Mapped[dict[str, Any] | None]
    """The neutral order; ``None`` when the shop's data could not be read as an order."""
    ordered: Mapped[dict[str, Any] | None]
    """A person's decision to invoice it in KSeF whatever the store's rules say, see
    :mod:`connector_app.byhand.orders`."""
    buyer_override: Mapped[dict[str, Any] | None]
    """The buyer of its invoice as a person entered it, see :mod:`connector_app.store.overrides`."""
    data_deleted_at: Mapped[datetime | None]
    """When its personal data were deleted because it needs no invoice; reading it again gives them back, see
    :mod:`connector_app.keeping.personal_data`."""
    seen_at: Mapped[datetime]

    store: Mapped[Store] = relationship()


class WebhookEvent(Base):
    """What a shop's webhook said: that an entity changed. It is a reason to read, never data."""

    __tablename__ = "webhook_events"
    __table_args__ = (
        UniqueConstraint("store_id", "topic", "entity_id", "modified"),
        Index("ix_webhook_events_due", "done_at", "store_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"))
    topic: Mapped[str] = mapped_column(String(64))
    entity: Mapped[str] = mapped_column(String(8))
    """:class:`adapters.contract.Entity`."""
    entity_id: Mapped[str] = mapped_column(String(64))
    order_id: Mapped[str] = mapped_column(String(64))
    """The order to read; empty when the event does not tell."""
    modified: Mapped[datetime | None]
    copies: Mapped[int] = mapped_column(default=1)
    """How often it was delivered."""
    received_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]


class Document(Base):
    """One invoice or correction on its way."""

    __tablename__ = "documents"
    __table_args__ = (
        UniqueConstraint("order_id", "purpose"),
        UniqueConstraint("seller_id", "number"),
        Index("ix_documents_work", "seller_id", "state", "next_attempt_at"),
        Index("ix_documents_session", "session_reference"),
        # covers the search for orders: rows with XML and snapshots are wide
        Index("ix_documents_search", "purpose", "state", "seller_id", "order_id", "buyer_name"),
        # rows without a value are nearly all there are; in an index they would lure queries that need others
        Index(
            "ix_documents_relief",
            "seller_id",
            "relief_month",
            sqlite_where=text(IN_RELIEF),
            postgresql_where=text(IN_RELIEF),
        ),
        Index(
            "ix_documents_batch_id",
            "batch_id",
            sqlite_where=text(IN_BATCH),
            postgresql_where=text(IN_BATCH),
        ),
        # holds what lists are filtered by, so that rows, which hold whole files, are not read for it; none
        # begins with the seller, or SQLite would take it instead of the index of work
        Index("ix_machines_documents_newest", "id", "seller_id", "state", "kind", "order_id"),
        Index("ix_machines_documents_updated", "updated_at", "id", "seller_id"),
        # holds all that sums by day and month read
        Index("ix_documents_day", "issued_on", "seller_id", "currency", "total"),
        Index("ix_machines_documents_order", "order_id", "state"),
        # counted for monitoring, all of them, every half a minute
        Index("ix_documents_store_state", "store_id", "state"),
        Index(
            "ix_documents_unproven",
            "seller_id",
            sqlite_where=text(UNPROVEN),
            postgresql_where=text(UNPROVEN),
        ),
        # covers every filter, order and search of a list, so that a list reads no row that it does not show
        Index(
            "ix_documents_list",
            "id",
            "seller_id",
            "store_id",
            "state",
            "kind",
            "day",
            "sort_total",
            "buyer_key",
            "number",
            "search",
        ),
        # the list as it is opened, of one state: the newest of it without looking at the others
        Index("ix_documents_newest", "state", "id", "seller_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    seller_id: Mapped[int] = mapped_column(ForeignKey("sellers.id"))
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    purpose: Mapped[str] = mapped_column(String(96))
    """``invoice``, ``refund:<id>``, ``cancellation`` ...: an order has one document of each."""
    kind: Mapped[str] = mapped_column(String(8))
    state: Mapped[str] = mapped_column(String(12))
    attention: Mapped[list[Any] | None]
    """Findings for a person, as JSON."""
    decision: Mapped[dict[str, Any] | None]
    """Which rule, basis and day the decision about it followed, see :mod:`connector_app.decisions`."""
    relief_month: Mapped[str | None] = mapped_column(String(7))
    """Month (YYYY-MM) in which its order counts towards the relief of 10 000 PLN outside KSeF."""
    refund: Mapped[dict[str, Any] | None]
    """The neutral refund that a correction is made from."""
    plan: Mapped[dict[str, Any] | None]
    """What a person wants a correction to say, see :mod:`connector_app.byhand.plans`."""
    refund_proof: Mapped[dict[str, Any] | None]
    """The refund proof sheet: shop refund = correction, per rate."""
    number: Mapped[str | None] = mapped_column(String(256))
    issued_on: Mapped[date | None]
    schema_version: Mapped[str | None] = mapped_column(String(4))
    xml: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    xml_sha256: Mapped[str | None] = mapped_column(String(64))
    total: Mapped[Decimal | None]
    currency: Mapped[str | None] = mapped_column(String(3))
    buyer_name: Mapped[str | None] = mapped_column(String(512))
    buyer_fingerprint: Mapped[str | None] = mapped_column(String(16))
    """Of the shop's buyer when the document was issued, see :func:`~connector_app.store.snapshots`."""
    session_reference: Mapped[str | None] = mapped_column(String(64))
    document_reference: Mapped[str | None] = mapped_column(String(64))
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("batches.id"))
    """The batch that takes it to KSeF, until its result is known."""
    tried_sessions: Mapped[list[Any] | None]
    """References of the sessions in which it was or may have been sent, one for each try, oldest first."""
    ksef_number: Mapped[str | None] = mapped_column(String(36), unique=True)
    accepted_at: Mapped[datetime | None]
    upo: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    upo_sha256: Mapped[str | None] = mapped_column(String(64))
    """Of the UPO as it came; XML and UPO are read by :mod:`connector_app.keeping.reading` only."""
    upo_address: Mapped[str | None] = mapped_column(Text)
    """Sealed address of the UPO, for which no limit counts, as long as it lasts."""
    upo_certificate: Mapped[str | None] = mapped_column(String(64))
    """Fingerprint of the certificate that signed the UPO; None when its signature was not checked."""
    proof_attempts: Mapped[int] = mapped_column(default=0)
    proof_next_at: Mapped[datetime | None]
    proof_waits_for: Mapped[str | None] = mapped_column(Text)
    """Why there is no UPO yet (JSON with both languages); waiting for it holds up nothing else."""
    closed_at: Mapped[datetime | None]
    """When a person ended the document without issuing it; an invoice is then withdrawn until that person
    takes it back, whatever the shop says."""
    issue_asked: Mapped[bool] = mapped_column(default=False)
    """A person asked to issue it in KSeF now although the store's rules say to wait."""
    issued_at: Mapped[datetime | None]
    """When its bytes were frozen; deadlines of sending are counted from it."""
    offline_asked: Mapped[bool] = mapped_column(default=False)
    """A person asked to issue it offline."""
    offline_mode: Mapped[str | None] = mapped_column(String(16))
    """:class:`core.ksef.offline.OfflineMode` of a document that is sent with ``offlineMode`` true."""
    outage_event: Mapped[str | None] = mapped_column(String(64))
    """The outage in which it was issued, see :class:`Outage`."""
    send_by: Mapped[date | None]
    """Last day for sending it; ``None`` online, and while an outage goes on."""
    certificate_link: Mapped[str | None] = mapped_column(Text)
    """Link of QR code II as it was signed."""
    corrected_sha256: Mapped[str | None] = mapped_column(String(64))
    """Hash of the offline document that KSeF refused and that a technical correction stands for."""
    told_at: Mapped[datetime | None]
    """When the shop was told of a document issued offline, before it has its number."""
    tell_next_at: Mapped[datetime | None]
    refusal_told: Mapped[str | None] = mapped_column(String(64))
    """SHA-256 of the refused file that the merchant was told of, or is not to be."""
    refusal_code: Mapped[int | None]
    refusal_text: Mapped[str | None] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime | None]
    waiting_for: Mapped[str | None] = mapped_column(Text)
    """What the document waits for, in a sentence (JSON with both languages)."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    store_id: Mapped[int | None]
    """Of its order. This and what follows is derived for lists, see :mod:`connector_app.store.listing`."""
    day: Mapped[date | None]
    """Of issue; until then the Warsaw day on which it was first seen."""
    sort_total: Mapped[int | None] = mapped_column(BigInteger)
    """Total in hundredths, for sorting."""
    buyer_key: Mapped[str | None] = mapped_column(String(40))
    """Begin of the buyer's name, for sorting."""
    buyer_tax_id: Mapped[str | None] = mapped_column(String(40))
    """The buyer's number as the document has it; until it is issued, as the shop's order has it."""
    search: Mapped[str | None] = mapped_column(String(300))
    """Numbers and buyer in small letters without marks, for searching."""

    seller: Mapped[Seller] = relationship()
    order: Mapped[ShopOrder] = relationship()
    publications: Mapped[list[Publication]] = relationship(order_by="Publication.id")
    events: Mapped[list[Event]] = relationship(order_by="Event.id")
    mails: Mapped[list[Mail]] = relationship(order_by="Mail.id", back_populates="document")


class Batch(Base):
    """One batch session: documents of a seller that go to KSeF together."""

    __tablename__ = "batches"

    id: Mapped[int] = mapped_column(primary_key=True)
    seller_id: Mapped[int] = mapped_column(ForeignKey("sellers.id"), index=True)
    schema_version: Mapped[str] = mapped_column(String(4))
    offline: Mapped[bool] = mapped_column(default=False)
    """Its documents were issued offline."""
    state: Mapped[str] = mapped_column(String(12))
    package: Mapped[str | None] = mapped_column(Text)
    """Sealed package (its key among it) until the session is open, then the sealed session."""
    reference: Mapped[str | None] = mapped_column(String(64))
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime | None]
    waiting_for: Mapped[str | None] = mapped_column(Text)
    """What the batch waits for, in a sentence (JSON with both languages)."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    seller: Mapped[Seller] = relationship()


class Board(Base):
    """What a board of availability (Latarnia) said last."""

    __tablename__ = "boards"

    url: Mapped[str] = mapped_column(String(512), primary_key=True)
    availability: Mapped[str] = mapped_column(String(16))
    """:class:`core.ksef.latarnia.Availability`."""
    active_event: Mapped[str | None] = mapped_column(String(64))
    """The outage that was in force."""
    asked_at: Mapped[datetime]
    failure: Mapped[str | None] = mapped_column(Text)
    """Why the last look failed; what was known before stays."""


class Outage(Base):
    """One event of a board, kept because deadlines are counted from it."""

    __tablename__ = "outages"

    board: Mapped[str] = mapped_column(String(512), primary_key=True)
    event_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    category: Mapped[str] = mapped_column(String(16))
    """:class:`core.ksef.latarnia.Category`."""
    begins: Mapped[datetime]
    ends: Mapped[datetime | None]
    title: Mapped[str] = mapped_column(Text)


class Event(Base):
    """One entry of a document's life line."""

    __tablename__ = "events"
    # whoever reads on after an id must not miss an entry that got the id of a deleted one
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012  read by SQLAlchemy from the class

    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("documents.id"), index=True)
    at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(12))
    text: Mapped[str] = mapped_column(Text)


class Publication(Base):
    """One push back to the shop."""

    __tablename__ = "publications"
    __table_args__ = (UniqueConstraint("document_id", "channel"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("documents.id"))
    channel: Mapped[str] = mapped_column(String(24))
    remote_id: Mapped[str | None] = mapped_column(String(64))
    done_at: Mapped[datetime | None]
    failure: Mapped[str | None] = mapped_column(Text)


class MailState(StrEnum):
    """Where an e-mail stands."""

    DUE = "due"
    SENDING = "sending"
    """Its text may be on its way: a process that finds it so does not know whether it arrived."""
    SENT = "sent"
    UNKNOWN = "unknown"
    """The mail server's answer was lost; it is not sent again by itself."""
    REFUSED = "refused"
    """The mail server does not want it."""
    DROPPED = "dropped"
    """There was nobody to send it to, or no longer anything to say."""


class Mail(Base):
    """One e-mail of the connector to a buyer: one for each document and occasion."""

    __tablename__ = "mails"
    __table_args__ = (
        UniqueConstraint("document_id", "occasion"),
        Index("ix_mails_work", "state", "next_attempt_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("documents.id"))
    occasion: Mapped[str] = mapped_column(String(24))
    """:class:`connector_app.texts.Occasion`."""
    state: Mapped[str] = mapped_column(String(8))
    message_id: Mapped[str | None] = mapped_column(String(255))
    """Of the message as it was or may have been sent."""
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    failure: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]

    document: Mapped[Document] = relationship(back_populates="mails")


class KsefRequest(Base):
    """One request to KSeF that counts against its limits, see :mod:`connector_app.ksef_budget`."""

    __tablename__ = "ksef_requests"
    __table_args__ = (Index("ix_ksef_requests", "environment", "context", "group", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    environment: Mapped[str] = mapped_column(String(256))
    """Address of the API."""
    context: Mapped[str] = mapped_column(String(16))
    """NIP; empty for requests without a context."""
    group: Mapped[str] = mapped_column(String(32))
    at: Mapped[datetime]


class KsefPause(Base):
    """Until when KSeF asked us to leave a group of operations alone (429 with Retry-After)."""

    __tablename__ = "ksef_pauses"

    environment: Mapped[str] = mapped_column(String(256), primary_key=True)
    context: Mapped[str] = mapped_column(String(16), primary_key=True)
    group: Mapped[str] = mapped_column(String(32), primary_key=True)
    until: Mapped[datetime]


class NumberCounter(Base):
    """The last number taken from a series in a period."""

    __tablename__ = "number_counters"

    seller_id: Mapped[int] = mapped_column(ForeignKey("sellers.id"), primary_key=True)
    series: Mapped[str] = mapped_column(String(512), primary_key=True)
    period: Mapped[str] = mapped_column(String(7), primary_key=True)
    last: Mapped[int]
