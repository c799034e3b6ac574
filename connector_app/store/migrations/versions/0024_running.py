"""Who works on the installation, whose turn is next, and which process a person's long work belongs to."""

import sqlalchemy as sa
from alembic import op

from connector_app.store.types import UtcDateTime

revision = "0024"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "workers",
        sa.Column("name", sa.String(160), primary_key=True),
        sa.Column("host", sa.String(128), nullable=False),
        sa.Column("pid", sa.BigInteger, nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("doing", sa.Text, nullable=True),
        sa.Column("started_at", UtcDateTime, nullable=False),
        sa.Column("seen_at", UtcDateTime, nullable=False),
    )
    op.create_table(
        "turns",
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("subject", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("next_at", UtcDateTime, nullable=False),
        sa.Column("queued_at", UtcDateTime, nullable=True),
        sa.Column("begun_at", UtcDateTime, nullable=True),
        sa.Column("ticket", sa.Integer, nullable=False),
        sa.Column("wakes", sa.Integer, nullable=False),
        sa.Column("ended_at", UtcDateTime, nullable=True),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("runs", sa.Integer, nullable=False),
        sa.Column("said", sa.JSON, nullable=False),
    )
    op.create_index("ix_turns_next", "turns", ["next_at"])
    # a worker may be gone while its job is still to be shown: no foreign key
    op.add_column("jobs", sa.Column("worker", sa.String(160), nullable=True))


def downgrade() -> None:
    """Undo."""
    op.drop_column("jobs", "worker")
    op.drop_index("ix_turns_next", "turns")
    op.drop_table("turns")
    op.drop_table("workers")
