"""The application: people, machines, the desk."""

import sqlalchemy as sa
from alembic import op

from connector_app.store.types import UtcDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.Integer, primary_key=True)


def _text(name: str, size: int, *, null: bool = False, unique: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(size), nullable=null, unique=unique)


def _ref(name: str, target: str, *, null: bool = False, index: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, sa.ForeignKey(f"{target}.id"), nullable=null, index=index)


def _moment(name: str, *, null: bool = True) -> sa.Column[object]:
    return sa.Column(name, UtcDateTime, nullable=null)


def _json(name: str, *, null: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.JSON, nullable=null)


def _long(name: str, *, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=null)


def _int(name: str, *, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=null)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False)


def upgrade() -> None:
    """Apply."""
    _people()
    _machines()
    _desk()


def _people() -> None:
    op.create_table(
        "users",
        _id(),
        _text("email", 254, unique=True),
        _text("name", 200),
        _text("password_hash", 255),
        _flag("is_admin"),
        _long("totp", null=True),
        _int("totp_step", null=True),
        _text("language", 2),
        _int("failures"),
        _moment("locked_until"),
        _moment("disabled_at"),
        _moment("created_at", null=False),
    )
    op.create_table(
        "memberships",
        _id(),
        _ref("user_id", "users"),
        _ref("seller_id", "sellers", index=True),
        _text("role", 12),
        sa.UniqueConstraint("user_id", "seller_id"),
    )
    op.create_table(
        "web_sessions",
        _id(),
        _ref("user_id", "users", index=True),
        _text("token_sha256", 64, unique=True),
        *(_moment(name, null=False) for name in ("created_at", "seen_at", "expires_at")),
        _text("address", 64),
        _text("agent", 200),
        _moment("ended_at"),
    )
    op.create_table(
        "invitations",
        _id(),
        _text("token_sha256", 64, unique=True),
        _text("email", 254, null=True),
        _ref("seller_id", "sellers", null=True),
        _text("role", 12, null=True),
        _flag("is_admin"),
        _ref("invited_by", "users", null=True),
        _moment("created_at", null=False),
        _moment("expires_at", null=False),
        _moment("used_at"),
    )
    op.create_table(
        "audit",
        _id(),
        _moment("at", null=False),
        _ref("user_id", "users", null=True),
        _text("actor", 254),
        _ref("seller_id", "sellers", null=True),
        _text("action", 48),
        _text("subject", 128),
        _json("details", null=True),
        _text("address", 64),
    )
    op.create_index("ix_audit_seller", "audit", ["seller_id", "at"])
    op.create_index("ix_audit_at", "audit", ["at"])


def _machines() -> None:
    op.create_table(
        "api_tokens",
        _id(),
        _ref("seller_id", "sellers", index=True),
        _text("name", 100),
        _text("token_sha256", 64, unique=True),
        _flag("writes"),
        _ref("created_by", "users", null=True),
        _moment("created_at", null=False),
        _moment("used_at"),
        _moment("revoked_at"),
    )
    op.create_table(
        "hooks",
        _id(),
        _ref("seller_id", "sellers", index=True),
        _text("url", 512),
        _long("secret"),
        _json("events"),
        _int("mark"),
        _long("failure", null=True),
        _moment("disabled_at"),
        _moment("created_at", null=False),
    )
    op.create_table(
        "hook_deliveries",
        _id(),
        _ref("hook_id", "hooks", index=True),
        _text("event", 32),
        _json("body"),
        _int("attempts"),
        _moment("next_attempt_at"),
        _int("status", null=True),
        _long("failure", null=True),
        _moment("done_at"),
        _moment("created_at", null=False),
    )
    op.create_index("ix_hook_deliveries_due", "hook_deliveries", ["done_at", "next_attempt_at"])


def _desk() -> None:
    op.create_table(
        "jobs",
        _id(),
        _text("kind", 32),
        _ref("seller_id", "sellers", null=True),
        _ref("user_id", "users", null=True),
        _text("subject", 128),
        _text("state", 12),
        _int("done"),
        _int("total", null=True),
        _long("says", null=True),
        _json("result", null=True),
        _moment("created_at", null=False),
        _moment("ended_at"),
    )
    op.create_index("ix_jobs_kind", "jobs", ["kind", "seller_id"])
    op.create_table(
        "buyer_proposals",
        _id(),
        _ref("document_id", "documents", index=True),
        _text("nip", 10),
        _text("name", 512),
        _json("address"),
        _text("contact", 254),
        _long("remark"),
        _text("state", 8),
        _ref("decided_by", "users", null=True),
        _moment("decided_at"),
        _moment("created_at", null=False),
    )
    op.create_table(
        "register_answers",
        _id(),
        _text("register", 12),
        _text("number", 32),
        _text("status", 16),
        _json("answer", null=True),
        _moment("asked_at", null=False),
        sa.UniqueConstraint("register", "number"),
    )
    op.create_table(
        "settings",
        sa.Column("name", sa.String(48), primary_key=True),
        _json("value"),
    )


def downgrade() -> None:
    """Undo."""
    for name in (
        "settings",
        "register_answers",
        "buyer_proposals",
        "jobs",
        "hook_deliveries",
        "hooks",
        "api_tokens",
        "audit",
        "invitations",
        "web_sessions",
        "memberships",
        "users",
    ):
        op.drop_table(name)
