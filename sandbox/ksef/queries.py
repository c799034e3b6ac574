"""Metadata query, and the operations that tell limits.

Source: POST /invoices/query/metadata, GET /limits/context, GET /limits/subject, GET /rate-limits and
GET /security/public-key-certificates of open-api.json.
"""

from __future__ import annotations

from sandbox.ksef import keys
from sandbox.ksef import metadata as selection
from sandbox.ksef.call import Answer, Call
from sandbox.ksef.errors import BadRequest, Json
from sandbox.ksef.processing import settle


def public_keys(call: Call) -> Answer:
    """GET /security/public-key-certificates."""
    return Answer(keys.published(call.state))


def context_limits(call: Call) -> Answer:
    """GET /limits/context."""
    settings = call.state.settings
    session: Json = {
        "maxInvoiceSizeInMB": settings.max_invoice_bytes // 1_000_000,
        "maxInvoiceWithAttachmentSizeInMB": settings.max_attachment_bytes // 1_000_000,
        "maxInvoices": settings.max_invoices,
    }
    return Answer(
        {
            "onlineSession": session,
            "batchSession": dict(session),
            "collectiveIdentifier": {"maxInvoices": settings.max_collective_invoices},
        }
    )


def subject_limits(call: Call) -> Answer:
    """GET /limits/subject."""
    del call
    return Answer({"enrollment": {"maxEnrollments": 12}, "certificate": {"maxCertificates": 6}})


def rate_limits(call: Call) -> Answer:
    """GET /rate-limits."""
    return Answer(call.state.limiter.as_json())


def metadata(call: Call) -> Answer:
    """POST /invoices/query/metadata: accepted documents of the caller's context.

    Raises:
        BadRequest: 21405; 21183, the range starts after the high-water mark that restricts it.
    """
    state = call.state
    size = call.page_size(largest=250)
    page = call.whole("pageOffset", smallest=0, largest=1_000_000, default=0)
    order = (call.choices("sortOrder", frozenset({"Asc", "Desc"})) or ["Asc"])[-1]
    filters = selection.read_filters(call.json(), state.now())
    settle(state)
    mark = selection.high_water_mark(state, filters.span)
    end = None
    if filters.span.restricted and mark is not None:
        if filters.span.start > mark:
            raise BadRequest(21183, selection.BEYOND_MARK)
        end = mark
    found = selection.select(state, call.principal, filters, order=order, end=end)
    limit = state.settings.max_query_records
    shown = found[:limit][page * size : (page + 1) * size]
    return Answer(
        {
            "hasMore": len(found) > (page + 1) * size,
            "isTruncated": len(found) > limit and (page + 1) * size >= limit,
            "permanentStorageHwmDate": mark,
            "invoices": [entry.item for entry in shown],
        }
    )
