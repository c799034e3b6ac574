"""Received webhooks; a store's subscriptions, marks of its refunds and backfill, pauses, and its end."""

import sqlalchemy as sa
from alembic import op

from connector_app.store.types import UtcDateTime

revision = "0010"
down_revision = "0008"
branch_labels = None
depends_on = None

_COLUMNS = (
    ("refunds_mark", UtcDateTime()),
    ("quiet_until", UtcDateTime()),
    ("backfill", sa.JSON()),
    ("webhook", sa.Text()),
    ("webhook_checked_at", UtcDateTime()),
    ("webhook_trouble", sa.Text()),
    ("closed_at", UtcDateTime()),
)


def upgrade() -> None:
    """Apply."""
    for name, kind in _COLUMNS:
        op.add_column("stores", sa.Column(name, kind, nullable=True))
    op.create_table(
        "webhook_events",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("store_id", sa.Integer(), sa.ForeignKey("stores.id"), nullable=False),
        sa.Column("topic", sa.String(length=64), nullable=False),
        sa.Column("entity", sa.String(length=8), nullable=False),
        sa.Column("entity_id", sa.String(length=64), nullable=False),
        sa.Column("order_id", sa.String(length=64), nullable=False),
        sa.Column("modified", UtcDateTime(), nullable=True),
        sa.Column("copies", sa.Integer(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", UtcDateTime(), nullable=True),
        sa.Column("done_at", UtcDateTime(), nullable=True),
        sa.UniqueConstraint("store_id", "topic", "entity_id", "modified"),
    )
    op.create_index("ix_webhook_events_due", "webhook_events", ["done_at", "store_id"])


def downgrade() -> None:
    """Undo."""
    op.drop_table("webhook_events")
    with op.batch_alter_table("stores") as table:
        for name, _ in reversed(_COLUMNS):
            table.drop_column(name)
