"""Decisions by the rule book, texts and e-mail settings of stores, e-mails."""

import sqlalchemy as sa
from alembic import op

from connector_app.store.types import UtcDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_DOCUMENTS = (("decision", sa.JSON()), ("relief_month", sa.String(7)), ("refusal_told", sa.String(64)))
_STORES = (("texts", sa.JSON()), ("mail", sa.Text()))


def upgrade() -> None:
    """Apply."""
    for name, kind in _DOCUMENTS:
        op.add_column("documents", sa.Column(name, kind, nullable=True))
    op.create_index("ix_documents_relief", "documents", ["seller_id", "relief_month"])
    for name, kind in _STORES:
        op.add_column("stores", sa.Column(name, kind, nullable=True))
    # of what was refused before, merchants know
    op.execute("UPDATE documents SET refusal_told = xml_sha256 WHERE state = 'rejected'")
    op.create_table(
        "mails",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("document_id", sa.Integer, sa.ForeignKey("documents.id"), nullable=False),
        sa.Column("occasion", sa.String(24), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("message_id", sa.String(255), nullable=True),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_attempt_at", UtcDateTime, nullable=True),
        sa.Column("sent_at", UtcDateTime, nullable=True),
        sa.Column("failure", sa.Text, nullable=True),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.UniqueConstraint("document_id", "occasion"),
    )
    op.create_index("ix_mails_work", "mails", ["state", "next_attempt_at"])


def downgrade() -> None:
    """Undo."""
    op.drop_table("mails")
    op.drop_index("ix_documents_relief", "documents")
    for table_name, columns in (("stores", _STORES), ("documents", _DOCUMENTS)):
        with op.batch_alter_table(table_name) as table:
            for name, _ in reversed(columns):
                table.drop_column(name)
