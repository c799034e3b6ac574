"""Whom an invoice names, so that a change of the buyer in the shop is noticed; longer purposes."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("documents", sa.Column("buyer_fingerprint", sa.String(16), nullable=True))
    with op.batch_alter_table("documents") as table:
        table.alter_column("purpose", type_=sa.String(length=96), existing_type=sa.String(length=80))


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("documents") as table:
        table.alter_column("purpose", type_=sa.String(length=80), existing_type=sa.String(length=96))
        table.drop_column("buyer_fingerprint")
