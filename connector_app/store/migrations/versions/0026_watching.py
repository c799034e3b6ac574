"""Watching: measurements of all processes, alerts, letters about them."""

import sqlalchemy as sa
from alembic import op

from connector_app.store.types import UtcDateTime

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_OPEN = sa.text("closed_at IS NULL")


def upgrade() -> None:
    """Apply."""
    op.create_index("ix_documents_store_state", "documents", ["store_id", "state"])
    op.create_table(
        "measured",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("labels", sa.String(200), primary_key=True),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("total", sa.Float, nullable=False),
        sa.Column("buckets", sa.JSON, nullable=True),
    )
    op.create_table(
        "alerts",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("key", sa.String(128), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("severity", sa.String(8), nullable=False),
        sa.Column("seller_id", sa.Integer, sa.ForeignKey("sellers.id"), nullable=True),
        sa.Column("store_id", sa.Integer, sa.ForeignKey("stores.id"), nullable=True),
        sa.Column("said", sa.Text, nullable=False),
        sa.Column("hint", sa.Text, nullable=False),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("since", UtcDateTime, nullable=False),
        sa.Column("opened_at", UtcDateTime, nullable=False),
        sa.Column("gone_at", UtcDateTime, nullable=True),
        sa.Column("closed_at", UtcDateTime, nullable=True),
        sa.Column("mailed_at", UtcDateTime, nullable=True),
        sa.Column("hooked_at", UtcDateTime, nullable=True),
        sa.Column("snoozed_until", UtcDateTime, nullable=True),
        sa.Column("snoozed_by", sa.Integer, sa.ForeignKey("users.id"), nullable=True),
    )
    op.create_index(
        "ix_alerts_open", "alerts", ["key"], unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN
    )
    op.create_index("ix_alerts_closed", "alerts", ["closed_at"])
    op.create_index("ix_alerts_seller_id", "alerts", ["seller_id"])
    op.create_table(
        "alert_letters",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("items", sa.JSON, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_attempt_at", UtcDateTime, nullable=True),
        sa.Column("message_id", sa.String(255), nullable=True),
        sa.Column("failure", sa.Text, nullable=True),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("sent_at", UtcDateTime, nullable=True),
    )
    op.create_index("ix_alert_letters_work", "alert_letters", ["state", "next_attempt_at"])
    op.create_index("ix_alert_letters_user_id", "alert_letters", ["user_id"])


def downgrade() -> None:
    """Undo."""
    op.drop_table("alert_letters")
    op.drop_table("alerts")
    op.drop_table("measured")
    op.drop_index("ix_documents_store_state", "documents")
