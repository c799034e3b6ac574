"""Keeping: hashes of UPOs, what was found damaged, traces of deleted documents, orders without their data."""

import hashlib

import sqlalchemy as sa
from alembic import op

from connector_app.store.types import UtcDateTime

revision = "0025"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("documents", sa.Column("upo_sha256", sa.String(64), nullable=True))
    op.add_column("session_upo_pages", sa.Column("sha256", sa.String(64), nullable=False, server_default=""))
    op.add_column("orders", sa.Column("data_deleted_at", UtcDateTime, nullable=True))
    op.create_table(
        "archive_damage",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("seller_id", sa.Integer, sa.ForeignKey("sellers.id"), nullable=False),
        sa.Column("document_id", sa.Integer, sa.ForeignKey("documents.id"), nullable=True),
        sa.Column("part", sa.String(12), nullable=False),
        sa.Column("reference", sa.String(80), nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("seen_at", UtcDateTime, nullable=False),
        sa.UniqueConstraint("seller_id", "document_id", "part", "reference"),
    )
    op.create_index("ix_archive_damage_document_id", "archive_damage", ["document_id"])
    op.create_table(
        "deleted_documents",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("seller_id", sa.Integer, sa.ForeignKey("sellers.id"), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("number", sa.String(256), nullable=False),
        sa.Column("issued_on", sa.Date, nullable=False),
        sa.Column("ksef_number", sa.String(36), nullable=True),
        sa.Column("xml_sha256", sa.String(64), nullable=False),
        sa.Column("deleted_at", UtcDateTime, nullable=False),
        sa.UniqueConstraint("seller_id", "number"),
    )
    _hash_what_is_there()


def _hash_what_is_there() -> None:
    """From now on stored UPOs are compared with what they are today."""
    connection = op.get_bind()
    digest = "encode(sha256({0}), 'hex')"
    if connection.dialect.name == "sqlite":
        raw = connection.connection.dbapi_connection
        assert raw is not None, "the connection is open"
        raw.create_function(
            "sha256_hex", 1, lambda data: hashlib.sha256(data).hexdigest(), deterministic=True
        )
        digest = "sha256_hex({0})"
    op.execute(f"UPDATE documents SET upo_sha256 = {digest.format('upo')} WHERE upo IS NOT NULL")  # noqa: S608  constants
    op.execute(f"UPDATE session_upo_pages SET sha256 = {digest.format('content')}")  # noqa: S608  constants


def downgrade() -> None:
    """Undo."""
    op.drop_table("deleted_documents")
    op.drop_index("ix_archive_damage_document_id", "archive_damage")
    op.drop_table("archive_damage")
    op.drop_column("orders", "data_deleted_at")
    op.drop_column("session_upo_pages", "sha256")
    op.drop_column("documents", "upo_sha256")
