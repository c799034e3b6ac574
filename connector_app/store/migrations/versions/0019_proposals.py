"""Buyers' proposals: what an approved one replaces, and the document that carries it out."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and the index of open proposals."""
    with op.batch_alter_table("buyer_proposals") as table:
        table.add_column(sa.Column("instead_of", sa.String(16), nullable=True))
        table.add_column(sa.Column("correction_id", sa.Integer, nullable=True))
        table.create_foreign_key("fk_buyer_proposals_correction", "documents", ["correction_id"], ["id"])
        table.create_index("ix_buyer_proposals_state", ["state"])


def downgrade() -> None:
    """Take them away."""
    with op.batch_alter_table("buyer_proposals") as table:
        table.drop_index("ix_buyer_proposals_state")
        table.drop_constraint("fk_buyer_proposals_correction", type_="foreignkey")
        table.drop_column("correction_id")
        table.drop_column("instead_of")
