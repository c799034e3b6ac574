"""Sellers whose guided setup is not finished: nothing of theirs is issued."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("sellers", sa.Column("setup", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("sellers") as table:
        table.drop_column("setup")
