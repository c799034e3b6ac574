"""With 100 000 documents on PostgreSQL, each look of a lane goes by an index of the few under way."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from connector_app.store.database import open_database
from connector_app.store.models import UNPROVEN
from connector_app.store.sessions import Sessions
from tests import databases

pytestmark = pytest.mark.faults

_FILL = (
    """INSERT INTO sellers (id, nip, name, profile, environment, schema_version, credential, created_at)
       SELECT i, lpad(i::text, 10, '0'), 'S', '{}', '{}', 'FA3', '', now() FROM generate_series(1, 20) i""",
    """INSERT INTO stores (id, seller_id, code, platform, url, config, policy, created_at)
       SELECT i, i, 's' || i, 'woocommerce', '', '', '{}', now() FROM generate_series(1, 20) i""",
    """INSERT INTO orders (id, store_id, remote_id, number, modified_at, content_hash, seen_at)
       SELECT i, 1 + i % 20, i, i, now(), '', now() FROM generate_series(1, 100000) i""",
    """INSERT INTO documents (id, seller_id, order_id, purpose, kind, state, number, ksef_number, upo,
         issued_on, total, currency, created_at, updated_at, attempts, proof_attempts, issue_asked,
         offline_asked, store_id, sort_total, search, day, buyer_key, buyer_name)
       SELECT i, 1 + i % 20, i, 'invoice', 'VAT', CASE WHEN i % 500 = 0 THEN 'ready' ELSE 'published' END,
         'FV/' || i, 'K' || i, CASE WHEN i % 700 = 0 THEN NULL ELSE 'x'::bytea END,
         date '2026-01-01' + i % 300, '10.00', 'PLN', now(), now(), 0, 0, false, false, 1 + i % 20, 1000,
         'fv/' || i, date '2026-01-01' + i % 300, 'a', 'A'
       FROM generate_series(1, 100000) i""",
    """INSERT INTO events (document_id, at, state, text)
       SELECT i, now(), 'published', '{}' FROM generate_series(1, 100000) i""",
)


@pytest.fixture(scope="module")
def full() -> Iterator[Sessions]:
    """Twenty sellers with 5 000 documents each."""
    with databases.migrated() as url:
        database = open_database(url)
        with database.begin() as session:
            session.execute(text("SET LOCAL session_replication_role = replica"))
            for statement in _FILL:
                session.connection().exec_driver_sql(statement.replace("%", "%%"))
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("ANALYZE")
        yield database


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (f"documents WHERE seller_id = 1 AND {UNPROVEN}", "ix_documents_unproven"),
        # which of the two, PostgreSQL decides by what it knows of the rows
        (
            "documents WHERE seller_id = 1 AND state IN ('ready', 'issued') ORDER BY id LIMIT 50",
            "ix_documents_work|ix_documents_newest",
        ),
        ("documents WHERE seller_id = 1 AND state = 'sent'", "ix_documents_work|ix_documents_newest"),
        ("documents WHERE batch_id = 7", "ix_documents_batch_id"),
        ("documents WHERE seller_id = 1 AND relief_month = '2026-11'", "ix_documents_relief"),
        (
            "documents WHERE order_id = 1 AND purpose = 'invoice'",
            "documents_order_id_purpose_key|ix_machines_documents_order",
        ),
        ("documents WHERE seller_id = 1 AND number = 'FV/7'", "documents_seller_id_number_key"),
        ("orders WHERE number BETWEEN '77' AND '77' || chr(1114111)", "ix_orders_number"),
        ("events ORDER BY id DESC LIMIT 1", "events_pkey"),
        ("events WHERE id > 99990 AND id <= 104990 ORDER BY id", "events_pkey"),
    ],
)
def test_a_look_reads_an_index(full: Sessions, query: str, index: str) -> None:
    """No table of 100 000 rows is read from its beginning to its end."""
    with full() as session:
        plan = "\n".join(session.scalars(text(f"EXPLAIN SELECT id FROM {query}")))
    assert any(one in plan for one in index.split("|")), plan
    assert "Seq Scan" not in plan, plan
