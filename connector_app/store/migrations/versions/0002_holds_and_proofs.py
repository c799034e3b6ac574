"""Lanes that wait, sessions that were tried, and a clock of its own for the UPO."""

import sqlalchemy as sa
from alembic import op

from connector_app.store.types import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_UNPROVEN = sa.text("ksef_number IS NOT NULL AND upo IS NULL")


def upgrade() -> None:
    """Apply."""
    op.add_column("sellers", sa.Column("hold", sa.JSON(), nullable=True))
    op.add_column("documents", sa.Column("tried_sessions", sa.JSON(), nullable=True))
    op.add_column("documents", sa.Column("proof_attempts", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("documents", sa.Column("proof_next_at", UtcDateTime(), nullable=True))
    op.add_column("documents", sa.Column("proof_waits_for", sa.Text(), nullable=True))
    op.create_index("ix_documents_session", "documents", ["session_reference"])
    op.create_index(
        "ix_documents_unproven",
        "documents",
        ["seller_id"],
        sqlite_where=_UNPROVEN,
        postgresql_where=_UNPROVEN,
    )


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_documents_unproven", "documents")
    op.drop_index("ix_documents_session", "documents")
    with op.batch_alter_table("documents") as table:
        for column in ("proof_waits_for", "proof_next_at", "proof_attempts", "tried_sessions"):
            table.drop_column(column)
    with op.batch_alter_table("sellers") as table:
        table.drop_column("hold")
