"""What lists of documents are filtered, sorted and searched by; a person's word to issue now."""

from decimal import Decimal, InvalidOperation
from typing import Any

import sqlalchemy as sa
from alembic import op

from connector_app.store.listing import (
    BUYER_LENGTH,
    buyer_tax_id,
    folded,
    minor_units,
    search_text,
    tax_id_of,
)
from connector_app.store.types import UtcDateTime
from core.calendar import warsaw_day

revision = "0017"
down_revision = "0015"
branch_labels = None
depends_on = None

_DERIVED = ("store_id", "day", "sort_total", "buyer_key", "buyer_tax_id", "search")
_CHUNK = 500
_LIST = ["id", "seller_id", "store_id", "state", "kind", "day", "sort_total", "buyer_key", "number", "search"]


def upgrade() -> None:
    """Apply."""
    asked: sa.Column[bool] = sa.Column("issue_asked", sa.Boolean(), nullable=False, server_default=sa.false())
    op.add_column("documents", asked)
    for column in (
        sa.Column("store_id", sa.Integer(), nullable=True),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("sort_total", sa.BigInteger(), nullable=True),
        sa.Column("buyer_key", sa.String(40), nullable=True),
        sa.Column("buyer_tax_id", sa.String(40), nullable=True),
        sa.Column("search", sa.String(300), nullable=True),
    ):
        op.add_column("documents", column)
    _fill()
    op.create_index("ix_documents_list", "documents", _LIST)
    op.create_index("ix_documents_newest", "documents", ["state", "id", "seller_id"])


def _fill() -> None:
    """Derive the columns of the documents that are there, some hundred at a time."""
    documents = sa.table(
        "documents",
        *(sa.column(name, sa.Integer) for name in ("id", "order_id")),
        *(sa.column(name, sa.String) for name in ("number", "ksef_number", "total", "buyer_name")),
        sa.column("issued_on", sa.Date),
        sa.column("created_at", UtcDateTime),
        sa.column("xml", sa.LargeBinary),
        sa.column("day", sa.Date),
        *(sa.column(name) for name in _DERIVED if name != "day"),
    )
    orders = sa.table(
        "orders",
        *(sa.column(name, sa.Integer) for name in ("id", "store_id")),
        sa.column("number", sa.String),
        sa.column("snapshot", sa.JSON),
    )
    connection = op.get_bind()
    columns = documents.c
    last = 0
    while True:
        rows = connection.execute(
            sa.select(
                columns.id, columns.number, columns.ksef_number, columns.total, columns.buyer_name,
                columns.issued_on, columns.created_at, columns.xml,
                orders.c.store_id, orders.c.number.label("order_number"), orders.c.snapshot,
            )
            .join(orders, orders.c.id == columns.order_id)
            .where(columns.id > last)
            .order_by(columns.id)
            .limit(_CHUNK)
        ).all()  # fmt: skip
        if not rows:
            return
        last = rows[-1].id
        connection.execute(
            sa.update(documents).where(columns.id == sa.bindparam("its")), [_values(row) for row in rows]
        )


def _values(row: Any) -> dict[str, object]:
    tax_id = (buyer_tax_id(row.xml) if row.xml else tax_id_of(row.snapshot)) or None
    try:
        total = minor_units(Decimal(row.total)) if row.total is not None else None
    except InvalidOperation:
        total = None
    return {
        "its": row.id,
        "store_id": row.store_id,
        "day": row.issued_on or warsaw_day(row.created_at),
        "sort_total": total,
        "buyer_key": folded(row.buyer_name or "")[:BUYER_LENGTH],
        "buyer_tax_id": tax_id,
        "search": search_text(row.number, row.ksef_number, row.order_number, tax_id, row.buyer_name),
    }


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_documents_newest", "documents")
    op.drop_index("ix_documents_list", "documents")
    with op.batch_alter_table("documents") as table:
        for column in (*_DERIVED, "issue_asked"):
            table.drop_column(column)
