"""Indexes of few documents among many hold those few only."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_INDEXES = (
    ("ix_documents_relief", ["seller_id", "relief_month"], "relief_month IS NOT NULL"),
    ("ix_documents_batch_id", ["batch_id"], "batch_id IS NOT NULL"),
)


def upgrade() -> None:
    """Apply."""
    for name, columns, condition in _INDEXES:
        op.drop_index(name, "documents")
        where = sa.text(condition)
        op.create_index(name, "documents", columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    """Undo."""
    for name, columns, _ in _INDEXES:
        op.drop_index(name, "documents")
        op.create_index(name, "documents", columns)
