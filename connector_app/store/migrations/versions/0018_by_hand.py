"""By hand: an order to invoice all the same, its buyer, and what a correction is to say."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_SEARCH = ["purpose", "state", "seller_id", "order_id", "buyer_name"]
_NAMES = ("ordered", "buyer_override")


def upgrade() -> None:
    """Apply."""
    for name in _NAMES:
        op.add_column("orders", sa.Column(name, sa.JSON, nullable=True))
    op.add_column("documents", sa.Column("plan", sa.JSON, nullable=True))
    op.create_index("ix_documents_search", "documents", _SEARCH)


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_documents_search", "documents")
    with op.batch_alter_table("documents") as table:
        table.drop_column("plan")
    with op.batch_alter_table("orders") as table:
        for name in reversed(_NAMES):
            table.drop_column(name)
