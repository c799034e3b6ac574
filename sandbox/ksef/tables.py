"""The tables of the sandbox's database. Times are UTC texts made by :func:`sandbox.ksef.state.stamp`."""

from __future__ import annotations

VERSION = 2
"""Version of the tables, kept in the database file; a file of another version is not opened."""

TABLES: tuple[str, ...] = (
    "CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL)",
    """CREATE TABLE IF NOT EXISTS key_pairs (
        public_key_id TEXT PRIMARY KEY, usage TEXT NOT NULL, private_key BLOB NOT NULL,
        certificate BLOB NOT NULL, valid_from TEXT NOT NULL, valid_to TEXT NOT NULL,
        withdrawn INTEGER NOT NULL DEFAULT 0)""",
    """CREATE TABLE IF NOT EXISTS challenges (
        challenge TEXT PRIMARY KEY, issued_ms INTEGER NOT NULL, expires TEXT NOT NULL,
        used INTEGER NOT NULL DEFAULT 0)""",
    """CREATE TABLE IF NOT EXISTS authentications (
        reference TEXT PRIMARY KEY, started TEXT NOT NULL, ready TEXT NOT NULL,
        method TEXT NOT NULL, context_type TEXT NOT NULL, context_value TEXT NOT NULL,
        subject_type TEXT NOT NULL, subject_value TEXT NOT NULL, permissions TEXT NOT NULL,
        code INTEGER NOT NULL, detail TEXT NOT NULL, document_hash TEXT, token_reference TEXT,
        policy TEXT NOT NULL, redeemed INTEGER NOT NULL DEFAULT 0, revoked INTEGER NOT NULL DEFAULT 0,
        refresh_until TEXT, refreshed TEXT)""",
    """CREATE TABLE IF NOT EXISTS tokens (
        reference TEXT PRIMARY KEY, digest TEXT NOT NULL UNIQUE, context_type TEXT NOT NULL,
        context_value TEXT NOT NULL, author_type TEXT NOT NULL, author_value TEXT NOT NULL,
        description TEXT NOT NULL, permissions TEXT NOT NULL, created TEXT NOT NULL, active TEXT NOT NULL,
        last_used TEXT, revoked INTEGER NOT NULL DEFAULT 0)""",
    """CREATE TABLE IF NOT EXISTS grants (
        subject_type TEXT NOT NULL, subject_value TEXT NOT NULL, context_value TEXT NOT NULL,
        permissions TEXT NOT NULL, PRIMARY KEY (subject_type, subject_value, context_value))""",
    """CREATE TABLE IF NOT EXISTS sessions (
        reference TEXT PRIMARY KEY, kind TEXT NOT NULL, context_type TEXT NOT NULL,
        context_value TEXT NOT NULL, authentication TEXT NOT NULL, system_code TEXT NOT NULL,
        schema_version TEXT NOT NULL, symmetric_key BLOB, vector BLOB NOT NULL, created TEXT NOT NULL,
        updated TEXT NOT NULL, valid_until TEXT NOT NULL, closed TEXT, upo_reference TEXT)""",
    """CREATE TABLE IF NOT EXISTS invoices (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT, reference TEXT NOT NULL UNIQUE, session TEXT NOT NULL,
        ordinal INTEGER NOT NULL, received TEXT NOT NULL, ready TEXT NOT NULL, hash TEXT NOT NULL,
        size INTEGER NOT NULL, offline INTEGER NOT NULL, corrects TEXT, forced INTEGER,
        code INTEGER, details TEXT, extensions TEXT, mode TEXT, number TEXT, seller TEXT, kind TEXT,
        issued TEXT, ksef_number TEXT UNIQUE, acquired TEXT, stored TEXT, meta TEXT,
        xml BLOB, encrypted BLOB, file_name TEXT)""",
    "CREATE INDEX IF NOT EXISTS invoices_session ON invoices (session, ordinal)",
    "CREATE INDEX IF NOT EXISTS invoices_due ON invoices (ready) WHERE code IS NULL",
    "CREATE INDEX IF NOT EXISTS invoices_hash ON invoices (hash)",
    "CREATE UNIQUE INDEX IF NOT EXISTS invoices_identity ON invoices (seller, kind, number) WHERE code = 200",
    """CREATE TABLE IF NOT EXISTS batches (
        session TEXT PRIMARY KEY, size INTEGER NOT NULL, hash TEXT NOT NULL, compression TEXT NOT NULL,
        offline INTEGER NOT NULL, code INTEGER, details TEXT, ready TEXT, forced INTEGER,
        unpacked INTEGER NOT NULL DEFAULT 0)""",
    "CREATE INDEX IF NOT EXISTS batches_due ON batches (ready) WHERE code IS NULL AND unpacked = 0",
    """CREATE TABLE IF NOT EXISTS batch_parts (
        session TEXT NOT NULL, ordinal INTEGER NOT NULL, size INTEGER NOT NULL, hash TEXT NOT NULL,
        stored TEXT, PRIMARY KEY (session, ordinal))""",
    """CREATE TABLE IF NOT EXISTS exports (
        reference TEXT PRIMARY KEY, context_type TEXT NOT NULL, context_value TEXT NOT NULL,
        date_type TEXT NOT NULL, found TEXT NOT NULL, mark TEXT, compression TEXT NOT NULL,
        only_metadata INTEGER NOT NULL, symmetric_key BLOB, vector BLOB NOT NULL, ready TEXT NOT NULL,
        code INTEGER, package TEXT)""",
    """CREATE TABLE IF NOT EXISTS collective_identifiers (
        number TEXT PRIMARY KEY, seller TEXT NOT NULL, context_type TEXT NOT NULL,
        context_value TEXT NOT NULL, created TEXT NOT NULL, invoices INTEGER NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS collective_invoices (
        identifier TEXT NOT NULL, ksef_number TEXT NOT NULL, amount TEXT, currency TEXT, description TEXT,
        PRIMARY KEY (identifier, ksef_number))""",
    "CREATE INDEX IF NOT EXISTS collective_by_document ON collective_invoices (ksef_number)",
    """CREATE TABLE IF NOT EXISTS upos (
        reference TEXT PRIMARY KEY, session TEXT NOT NULL, ksef_number TEXT UNIQUE, hash TEXT NOT NULL,
        xml BLOB NOT NULL)""",
)
"""Statements that make every table and index that is missing."""
