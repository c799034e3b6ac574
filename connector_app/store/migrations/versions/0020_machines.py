"""Machines: numbers of life-line entries are never used twice, answers to repeat, indexes for reading on."""

import sqlalchemy as sa
from alembic import op

from connector_app.store.types import UtcDateTime

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

# none begins with the seller: SQLite, which counts nothing here, would take it for the work of the lanes too
_INDEXES = (
    ("ix_machines_documents_newest", "documents", ["id", "seller_id", "state", "kind", "order_id"]),
    ("ix_machines_documents_updated", "documents", ["updated_at", "id", "seller_id"]),
    ("ix_machines_documents_order", "documents", ["order_id", "state"]),
    ("ix_machines_orders_store", "orders", ["store_id", "id"]),
)


def upgrade() -> None:
    """Apply."""
    # SQLite gives the id of a deleted last row to the next one; whoever reads on after an id would miss it
    if op.get_bind().dialect.name == "sqlite":
        with op.batch_alter_table("events", recreate="always", table_kwargs={"sqlite_autoincrement": True}):
            pass
    op.create_table(
        "api_replies",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("seller_id", sa.Integer, sa.ForeignKey("sellers.id"), nullable=False),
        sa.Column("key", sa.String(128), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("status", sa.Integer, nullable=True),
        sa.Column("body", sa.Text, nullable=True),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.UniqueConstraint("seller_id", "key"),
    )
    for name, table_name, columns in _INDEXES:
        op.create_index(name, table_name, columns)


def downgrade() -> None:
    """Undo; that ids are used once stays."""
    for name, table_name, _ in _INDEXES:
        op.drop_index(name, table_name)
    op.drop_table("api_replies")
