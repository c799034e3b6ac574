"""Collective UPOs of sessions, who signed UPOs, what KSeF warns of, and a clock that is off."""

import sqlalchemy as sa
from alembic import op

from connector_app.store.types import UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply; sessions of documents that KSeF has already are to be asked for, too."""
    op.add_column("documents", sa.Column("upo_certificate", sa.String(length=64), nullable=True))
    op.create_table(
        "upo_certificates",
        sa.Column("fingerprint", sa.String(length=64), primary_key=True),
        sa.Column("certificate", sa.LargeBinary(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("first_seen", UtcDateTime(), nullable=False),
    )
    op.create_table(
        "session_upos",
        sa.Column("seller_id", sa.Integer(), sa.ForeignKey("sellers.id"), primary_key=True),
        sa.Column("reference", sa.String(length=64), primary_key=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=True),
        sa.Column("waits_for", sa.Text(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
    )
    op.create_index("ix_session_upos_due", "session_upos", ["seller_id", "ended_at", "next_at"])
    op.create_table(
        "session_upo_pages",
        sa.Column("seller_id", sa.Integer(), primary_key=True),
        sa.Column("session_reference", sa.String(length=64), primary_key=True),
        sa.Column("page", sa.Integer(), primary_key=True),
        sa.Column("reference", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("certificate", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["seller_id", "session_reference"], ["session_upos.seller_id", "session_upos.reference"]
        ),
    )
    op.create_table(
        "system_warnings",
        sa.Column("environment", sa.String(length=256), primary_key=True),
        sa.Column("code", sa.String(length=64), primary_key=True),
        sa.Column("operation", sa.String(length=128), primary_key=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("first_seen", UtcDateTime(), nullable=False),
        sa.Column("last_seen", UtcDateTime(), nullable=False),
    )
    op.create_table(
        "clock_skews",
        sa.Column("environment", sa.String(length=256), primary_key=True),
        sa.Column("seconds_ahead", sa.Integer(), nullable=False),
        sa.Column("last_seen", UtcDateTime(), nullable=False),
    )
    op.execute(
        "INSERT INTO session_upos (seller_id, reference, attempts) "
        "SELECT DISTINCT seller_id, session_reference, 0 FROM documents "
        "WHERE ksef_number IS NOT NULL AND session_reference IS NOT NULL"
    )


def downgrade() -> None:
    """Undo."""
    for table in ("clock_skews", "system_warnings", "session_upo_pages"):
        op.drop_table(table)
    op.drop_index("ix_session_upos_due", "session_upos")
    op.drop_table("session_upos")
    op.drop_table("upo_certificates")
    with op.batch_alter_table("documents") as documents:
        documents.drop_column("upo_certificate")
