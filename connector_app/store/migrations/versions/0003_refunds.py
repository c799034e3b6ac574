"""What a correction is made from, how it is proven, who closed it; longer keys of number series."""

import sqlalchemy as sa
from alembic import op

from connector_app.store.types import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("documents", sa.Column("refund", sa.JSON(), nullable=True))
    op.add_column("documents", sa.Column("refund_proof", sa.JSON(), nullable=True))
    op.add_column("documents", sa.Column("closed_at", UtcDateTime(), nullable=True))
    with op.batch_alter_table("number_counters") as table:
        table.alter_column("series", type_=sa.String(length=512), existing_type=sa.String(length=256))


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("number_counters") as table:
        table.alter_column("series", type_=sa.String(length=256), existing_type=sa.String(length=512))
    with op.batch_alter_table("documents") as table:
        for column in ("closed_at", "refund_proof", "refund"):
            table.drop_column(column)
