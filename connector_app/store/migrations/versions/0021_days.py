"""Sums by day and month without reading documents."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_index("ix_documents_day", "documents", ["issued_on", "seller_id", "currency", "total"])


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_documents_day", "documents")
