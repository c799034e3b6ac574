"""Operations that revoke permissions.

Source: the DELETE operations under ``/permissions`` of open-api.json.
"""

from __future__ import annotations

from sandbox.ksef.call import Answer, Call
from sandbox.ksef.errors import BadRequest
from sandbox.ksef.permissions import grants
from sandbox.ksef.permissions.operations import current, start


def common(call: Call) -> Answer:
    """DELETE /permissions/common/grants/{permissionId}."""
    return _revoke(call, authorization=False)


def authorization(call: Call) -> Answer:
    """DELETE /permissions/authorizations/grants/{permissionId}."""
    return _revoke(call, authorization=True)


def _revoke(call: Call, *, authorization: bool) -> Answer:
    identifier = call.path["permissionId"]
    if len(identifier) != 36:
        raise BadRequest(21405, "permissionId: identyfikator ma 36 znaków.")
    grant = grants.find(call.state, identifier)
    if (
        grant is None
        or (grant.kind == grants.AUTHORIZATION) is not authorization
        or grant.grantor != current(call)
    ):
        raise BadRequest(21405, f"Uprawnienie o identyfikatorze {identifier} nie zostało znalezione.")
    started = start(call)
    if started.succeeds:
        grants.end(call.state, identifier, ended=started.ends)
    return started.answer
