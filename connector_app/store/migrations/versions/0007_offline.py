"""Documents issued offline, and what Latarnia announced."""

import sqlalchemy as sa
from alembic import op

from connector_app.store.types import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_COLUMNS = (
    ("issued_at", UtcDateTime()),
    ("offline_mode", sa.String(length=16)),
    ("outage_event", sa.String(length=64)),
    ("send_by", sa.Date()),
    ("certificate_link", sa.Text()),
    ("corrected_sha256", sa.String(length=64)),
    ("told_at", UtcDateTime()),
    ("tell_next_at", UtcDateTime()),
)


def upgrade() -> None:
    """Apply."""
    for name, kind in _COLUMNS:
        op.add_column("documents", sa.Column(name, kind, nullable=True))
    op.add_column(
        "documents", sa.Column("offline_asked", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.create_table(
        "boards",
        sa.Column("url", sa.String(length=512), primary_key=True),
        sa.Column("availability", sa.String(length=16), nullable=False),
        sa.Column("active_event", sa.String(length=64), nullable=True),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("failure", sa.Text(), nullable=True),
    )
    op.create_table(
        "outages",
        sa.Column("board", sa.String(length=512), primary_key=True),
        sa.Column("event_id", sa.String(length=64), primary_key=True),
        sa.Column("category", sa.String(length=16), nullable=False),
        sa.Column("begins", UtcDateTime(), nullable=False),
        sa.Column("ends", UtcDateTime(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("outages")
    op.drop_table("boards")
    with op.batch_alter_table("documents") as table:
        table.drop_column("offline_asked")
        for name, _ in reversed(_COLUMNS):
            table.drop_column(name)
