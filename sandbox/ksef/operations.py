"""The table of operations: those of the contract, and the sandbox's own beside them."""

from __future__ import annotations

from sandbox.ksef import (
    admin,
    allowances,
    auth,
    collective,
    latarnia,
    links,
    outages,
    peppol,
    qr,
    queries,
    results,
    sessions,
    sign_ins,
    testdata,
    tokens,
)
from sandbox.ksef.batch import opening, upload
from sandbox.ksef.certificates import enrollments, gifts, holdings
from sandbox.ksef.exports import requests as exports
from sandbox.ksef.operation import (
    ACCESS,
    COLLECT,
    EU_ENTITIES,
    LIST,
    LOOK,
    MANAGE,
    OPERATION,
    READ,
    REFRESH,
    SEE,
    SUBUNITS,
    WRITE,
    WRITE_BATCH,
    Operation,
)
from sandbox.ksef.permissions import granting, revoking
from sandbox.ksef.permissions import operations as changes
from sandbox.ksef.permissions import queries as granted

BASE_PATH = "/v2"
"""Where the operations of the contract begin."""
_SESSION = "/sessions/{referenceNumber}"
_ONLINE = "/sessions/online/{referenceNumber}"
_GRANTS = "/permissions"
_GRANTED = "/permissions/query"
_LIMITS = "/testdata/limits"

PERMISSIONS: tuple[Operation, ...] = (
    Operation("POST", f"{_GRANTS}/persons/grants", granting.persons, ACCESS, "other", MANAGE),
    Operation("POST", f"{_GRANTS}/entities/grants", granting.entities, ACCESS, "other", MANAGE),
    Operation("POST", f"{_GRANTS}/authorizations/grants", granting.authorizations, ACCESS, "other", MANAGE),
    Operation("POST", f"{_GRANTS}/indirect/grants", granting.indirect, ACCESS, "other", MANAGE),
    Operation("POST", f"{_GRANTS}/subunits/grants", granting.subunits, ACCESS, "other", SUBUNITS),
    Operation(
        "POST",
        f"{_GRANTS}/eu-entities/administration/grants",
        granting.eu_administrators,
        ACCESS,
        "other",
        MANAGE,
    ),
    Operation("POST", f"{_GRANTS}/eu-entities/grants", granting.eu_entities, ACCESS, "other", EU_ENTITIES),
    Operation(
        "DELETE",
        f"{_GRANTS}/common/grants/{{permissionId}}",
        revoking.common,
        ACCESS,
        "other",
        MANAGE | EU_ENTITIES | SUBUNITS,
    ),
    Operation(
        "DELETE",
        f"{_GRANTS}/authorizations/grants/{{permissionId}}",
        revoking.authorization,
        ACCESS,
        "other",
        MANAGE,
    ),
    Operation("GET", f"{_GRANTS}/operations/{{referenceNumber}}", changes.status, ACCESS, "other"),
    Operation("GET", f"{_GRANTS}/attachments/status", granted.attachments, ACCESS, "other", SEE),
    Operation("POST", f"{_GRANTED}/personal/grants", granted.personal, ACCESS, "other"),
    Operation("POST", f"{_GRANTED}/persons/grants", granted.persons, ACCESS, "other", SEE | SUBUNITS),
    Operation("POST", f"{_GRANTED}/subunits/grants", granted.subunits, ACCESS, "other", SEE | SUBUNITS),
    Operation("POST", f"{_GRANTED}/entities/grants", granted.entities, ACCESS, "other", SEE),
    Operation("GET", f"{_GRANTED}/entities/roles", granted.roles, ACCESS, "other", SEE),
    Operation(
        "POST",
        f"{_GRANTED}/subordinate-entities/roles",
        granted.subordinate_roles,
        ACCESS,
        "other",
        SEE | SUBUNITS,
    ),
    Operation(
        "POST",
        f"{_GRANTED}/authorizations/grants",
        granted.authorizations,
        ACCESS,
        "other",
        SEE | {"PefInvoiceWrite"},
    ),
    Operation(
        "POST", f"{_GRANTED}/eu-entities/grants", granted.eu_entities, ACCESS, "other", SEE | EU_ENTITIES
    ),
)
"""Operations under ``/permissions``."""

TEST_DATA: tuple[Operation, ...] = (
    Operation("POST", "/testdata/subject", testdata.add_subject, group="anonymous"),
    Operation("POST", "/testdata/subject/remove", testdata.remove_subject, group="anonymous"),
    Operation("POST", "/testdata/person", testdata.add_person, group="anonymous"),
    Operation("POST", "/testdata/person/remove", testdata.remove_person, group="anonymous"),
    Operation("POST", "/testdata/permissions", testdata.grant, group="anonymous"),
    Operation("POST", "/testdata/permissions/revoke", testdata.revoke, group="anonymous"),
    Operation("POST", "/testdata/attachment", testdata.allow_attachments, group="anonymous"),
    Operation("POST", "/testdata/attachment/revoke", testdata.end_attachments, group="anonymous"),
    Operation("POST", "/testdata/context/block", testdata.block, group="other"),
    Operation("POST", "/testdata/context/unblock", testdata.unblock, group="other"),
    Operation("POST", f"{_LIMITS}/context/session", testdata.set_session_limits, ACCESS, "other"),
    Operation("DELETE", f"{_LIMITS}/context/session", testdata.reset_session_limits, ACCESS, "other"),
    Operation("POST", f"{_LIMITS}/subject/certificate", testdata.set_certificate_limits, ACCESS, "other"),
    Operation("DELETE", f"{_LIMITS}/subject/certificate", testdata.reset_certificate_limits, ACCESS, "other"),
    Operation("POST", "/testdata/rate-limits", testdata.set_rate_limits, ACCESS, "other"),
    Operation("DELETE", "/testdata/rate-limits", testdata.reset_rate_limits, ACCESS, "other"),
    Operation("POST", "/testdata/rate-limits/production", testdata.production_rate_limits, ACCESS, "other"),
)
"""Operations under ``/testdata``, certificates apart."""

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
    Operation("GET", "/limits/context", allowances.context_limits, ACCESS, "other"),
    Operation("GET", "/limits/subject", allowances.subject_limits, ACCESS, "other"),
    Operation("GET", "/rate-limits", allowances.rate_limits, ACCESS, "other"),
    Operation("GET", "/certificates/limits", enrollments.limits, ACCESS, "other"),
    Operation("GET", "/certificates/enrollments/data", enrollments.data, ACCESS, "other"),
    Operation("POST", "/certificates/enrollments", enrollments.enroll, ACCESS, "other"),
    Operation("GET", "/certificates/enrollments/{referenceNumber}", enrollments.status, ACCESS, "other"),
    Operation("POST", "/certificates/retrieve", holdings.retrieve, ACCESS, "other"),
    Operation("POST", "/certificates/{certificateSerialNumber}/revoke", holdings.revoke, ACCESS, "other"),
    Operation("POST", "/certificates/query", holdings.query, ACCESS, "other"),
    Operation("PUT", "/testdata/certificates/{serialNumber}", holdings.shorten, ACCESS, "other"),
    Operation("GET", "/peppol/query", peppol.query, group="anonymous"),
    *PERMISSIONS,
    *TEST_DATA,
)
"""Operations of the contract, below :data:`BASE_PATH`."""

BESIDE: tuple[Operation, ...] = (
    Operation("GET", "/storage/upo/{reference}.xml", links.download_upo),
    Operation(upload.METHOD, upload.PATH, upload.store_part, most_streamed=upload.MOST_BYTES),
    Operation("GET", exports.DOWNLOAD, exports.download),
    Operation("GET", "/qr/invoice/{nip}/{day}/{hash}", qr.invoice_page),
    Operation("GET", "/qr/certificate/{kind}/{value}/{nip}/{serial}/{hash}/{signature}", qr.certificate_page),
    Operation("GET", "/latarnia/status", latarnia.status),
    Operation("GET", "/latarnia/messages", latarnia.messages),
    Operation("GET", "/sandbox/outages", outages.listing),
    Operation("POST", "/sandbox/outages", outages.announce),
    Operation("POST", "/sandbox/outages/{event}/end", outages.end),
    Operation("DELETE", "/sandbox/outages", outages.clear),
    Operation("POST", "/sandbox/certificates", gifts.give),
    Operation("GET", "/sandbox/faults", admin.list_faults),
    Operation("POST", "/sandbox/faults", admin.plan_fault),
    Operation("DELETE", "/sandbox/faults", admin.clear_faults),
    Operation("GET", "/sandbox/documents", admin.list_documents),
    Operation("GET", "/sandbox/documents/{ksefNumber}.xml", admin.read_document),
    Operation("GET", "/sandbox/state", admin.describe),
    Operation("POST", "/sandbox/settings", admin.change_settings),
    Operation("POST", "/sandbox/clock", admin.advance_clock),
    Operation("POST", "/sandbox/keys/rotate", admin.rotate_keys),
    Operation("POST", "/sandbox/sessions/close", admin.close_sessions),
    Operation("POST", "/sandbox/tokens", admin.issue_token),
    Operation("POST", "/sandbox/grants", admin.grant),
)
"""Operations outside the contract, at the server's root."""
