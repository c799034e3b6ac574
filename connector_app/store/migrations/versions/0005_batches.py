"""Batches of documents, the counted requests to KSeF, and when a store was looked at last."""

import sqlalchemy as sa
from alembic import op

from connector_app.store.types import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "batches",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("seller_id", sa.Integer, sa.ForeignKey("sellers.id"), nullable=False, index=True),
        sa.Column("schema_version", sa.String(4), nullable=False),
        sa.Column("offline", sa.Boolean, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("package", sa.Text, nullable=True),
        sa.Column("reference", sa.String(64), nullable=True),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_attempt_at", UtcDateTime, nullable=True),
        sa.Column("waiting_for", sa.Text, nullable=True),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
    )
    op.create_table(
        "ksef_requests",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("environment", sa.String(256), nullable=False),
        sa.Column("context", sa.String(16), nullable=False),
        sa.Column("group", sa.String(32), nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
    )
    op.create_index("ix_ksef_requests", "ksef_requests", ["environment", "context", "group", "at"])
    op.create_table(
        "ksef_pauses",
        sa.Column("environment", sa.String(256), primary_key=True),
        sa.Column("context", sa.String(16), primary_key=True),
        sa.Column("group", sa.String(32), primary_key=True),
        sa.Column("until", UtcDateTime, nullable=False),
    )
    op.add_column("stores", sa.Column("looked_at", UtcDateTime, nullable=True))
    with op.batch_alter_table("documents") as table:
        table.add_column(sa.Column("upo_address", sa.Text, nullable=True))
        table.add_column(sa.Column("batch_id", sa.Integer, nullable=True))
        table.create_foreign_key("fk_documents_batch", "batches", ["batch_id"], ["id"])
        table.create_index("ix_documents_batch_id", ["batch_id"])


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("documents") as table:
        table.drop_index("ix_documents_batch_id")
        table.drop_constraint("fk_documents_batch", type_="foreignkey")
        table.drop_column("batch_id")
        table.drop_column("upo_address")
    op.drop_column("stores", "looked_at")
    for table_name in ("ksef_pauses", "ksef_requests", "batches"):
        op.drop_table(table_name)
