"""Orders by their number; how far an unfinished recovery from KSeF came."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("sellers", sa.Column("recovery", sa.JSON(), nullable=True))
    op.create_index("ix_orders_number", "orders", ["number"])


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_orders_number", "orders")
    with op.batch_alter_table("sellers") as table:
        table.drop_column("recovery")
