"""The table of operations: those of the contract, and the sandbox's own beside them."""

from __future__ import annotations

from sandbox.ksef import admin, auth, collective, links, qr, queries, results, sessions, sign_ins, tokens
from sandbox.ksef.batch import opening, upload
from sandbox.ksef.exports import requests as exports
from sandbox.ksef.operation import (
    ACCESS,
    COLLECT,
    LIST,
    LOOK,
    OPERATION,
    READ,
    REFRESH,
    WRITE,
    WRITE_BATCH,
    Operation,
)

BASE_PATH = "/v2"
"""Where the operations of the contract begin."""
_SESSION = "/sessions/{referenceNumber}"
_ONLINE = "/sessions/online/{referenceNumber}"

API: tuple[Operation, ...] = (
    Operation("POST", "/auth/challenge", auth.challenge, group="anonymous"),
    Operation("POST", "/auth/xades-signature", auth.xades_signature, group="anonymous"),
    Operation("POST", "/auth/ksef-token", auth.ksef_token, group="anonymous"),
    Operation("POST", "/auth/token/redeem", sign_ins.redeem, OPERATION, "anonymous"),
    Operation("POST", "/auth/token/refresh", sign_ins.refresh, REFRESH, "anonymous"),
    Operation("GET", "/auth/sessions", sign_ins.sessions, ACCESS, "other"),
    Operation("DELETE", "/auth/sessions/current", sign_ins.revoke_current, ACCESS | REFRESH, "other"),
    Operation("DELETE", "/auth/sessions/{referenceNumber}", sign_ins.revoke, ACCESS, "other"),
    Operation("GET", "/auth/{referenceNumber}", sign_ins.status, OPERATION, "anonymous"),
    Operation("GET", "/security/public-key-certificates", queries.public_keys, group="anonymous"),
    Operation("POST", "/sessions/online", sessions.open_online, ACCESS, "onlineSession", WRITE),
    Operation("POST", f"{_ONLINE}/invoices", sessions.send, ACCESS, "invoiceSend", WRITE),
    Operation("POST", f"{_ONLINE}/close", sessions.close, ACCESS, "onlineSessionClose", WRITE),
    Operation("POST", "/sessions/batch", opening.open_batch, ACCESS, "batchSession", WRITE_BATCH),
    Operation(
        "POST",
        "/sessions/batch/{referenceNumber}/close",
        opening.close_batch,
        ACCESS,
        "batchSessionClose",
        WRITE_BATCH,
    ),
    Operation("GET", "/sessions", results.session_list, ACCESS, "sessionList", LIST),
    Operation("GET", _SESSION, results.session, ACCESS, "sessionMisc", LOOK),
    Operation("GET", f"{_SESSION}/invoices", results.invoices, ACCESS, "sessionInvoiceList", LOOK),
    Operation(
        "GET", f"{_SESSION}/invoices/failed", results.failed_invoices, ACCESS, "sessionInvoiceList", LOOK
    ),
    Operation(
        "GET",
        f"{_SESSION}/invoices/{{invoiceReferenceNumber}}",
        results.invoice,
        ACCESS,
        "invoiceStatus",
        LOOK,
    ),
    Operation(
        "GET",
        f"{_SESSION}/invoices/ksef/{{ksefNumber}}/upo",
        results.ksef_upo,
        ACCESS,
        "sessionMisc",
        LOOK,
    ),
    Operation(
        "GET",
        f"{_SESSION}/invoices/{{invoiceReferenceNumber}}/upo",
        results.invoice_upo,
        ACCESS,
        "sessionMisc",
        LOOK,
    ),
    Operation(
        "GET", f"{_SESSION}/upo/{{upoReferenceNumber}}", results.session_upo, ACCESS, "sessionMisc", LOOK
    ),
    Operation("GET", "/invoices/ksef/{ksefNumber}", results.document, ACCESS, "invoiceDownload", READ),
    Operation("POST", "/invoices/query/metadata", queries.metadata, ACCESS, "invoiceMetadata", READ),
    Operation("POST", "/invoices/exports", exports.start, ACCESS, "invoiceExport", READ),
    Operation(
        "GET", "/invoices/exports/{referenceNumber}", exports.status, ACCESS, "invoiceExportStatus", READ
    ),
    Operation(
        "POST", "/collective-identifiers", collective.generate, ACCESS, "collectiveIdentifier", COLLECT
    ),
    Operation(
        "POST", "/collective-identifiers/query", collective.query, ACCESS, "collectiveIdentifier", COLLECT
    ),
    Operation(
        "POST",
        "/collective-identifiers/invoices",
        collective.invoices,
        ACCESS,
        "collectiveIdentifier",
        COLLECT,
    ),
    Operation(
        "GET",
        "/collective-identifiers/ksef/{ksefNumber}",
        collective.of_document,
        ACCESS,
        "collectiveIdentifier",
        COLLECT,
    ),
    Operation("POST", "/tokens", tokens.generate, ACCESS, "other"),
    Operation("GET", "/tokens", tokens.listing, ACCESS, "other"),
    Operation("GET", "/tokens/{referenceNumber}", tokens.status, ACCESS, "other"),
    Operation("DELETE", "/tokens/{referenceNumber}", tokens.revoke, ACCESS, "other"),
    Operation("GET", "/limits/context", queries.context_limits, ACCESS, "other"),
    Operation("GET", "/limits/subject", queries.subject_limits, ACCESS, "other"),
    Operation("GET", "/rate-limits", queries.rate_limits, ACCESS, "other"),
)
"""Operations of the contract, below :data:`BASE_PATH`."""

BESIDE: tuple[Operation, ...] = (
    Operation("GET", "/storage/upo/{reference}.xml", links.download_upo),
    Operation(upload.METHOD, upload.PATH, upload.store_part, most_streamed=upload.MOST_BYTES),
    Operation("GET", exports.DOWNLOAD, exports.download),
    Operation("GET", "/qr/invoice/{nip}/{day}/{hash}", qr.invoice_page),
    Operation("GET", "/latarnia/status", qr.latarnia_status),
    Operation("GET", "/latarnia/messages", qr.latarnia_messages),
    Operation("GET", "/sandbox/faults", admin.list_faults),
    Operation("POST", "/sandbox/faults", admin.plan_fault),
    Operation("DELETE", "/sandbox/faults", admin.clear_faults),
    Operation("GET", "/sandbox/documents", admin.list_documents),
    Operation("GET", "/sandbox/documents/{ksefNumber}.xml", admin.read_document),
    Operation("GET", "/sandbox/state", admin.describe),
    Operation("POST", "/sandbox/settings", admin.change_settings),
    Operation("POST", "/sandbox/clock", admin.advance_clock),
    Operation("POST", "/sandbox/keys/rotate", admin.rotate_keys),
    Operation("POST", "/sandbox/tokens", admin.issue_token),
    Operation("POST", "/sandbox/grants", admin.grant),
)
"""Operations outside the contract, at the server's root."""
