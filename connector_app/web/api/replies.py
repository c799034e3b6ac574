"""``Idempotency-Key``: a request that comes again is answered as before and does nothing twice.

A key is claimed before the work and filled after it. A claim whose work was cut off (the process ended) can
be taken over after a minute.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, select

from connector_app.pipeline.services import Services
from connector_app.store.machines import ApiReply
from connector_app.vault import VaultLocked
from connector_app.web.api.problems import Code, Refusal
from connector_app.web.api.typed import Fault
from core.findings import Text

HEADER = "Idempotency-Key"
PATTERN = r"^[\x21-\x7e]{1,128}$"
KEPT = timedelta(hours=24)
"""How long an answer is remembered."""
_STALE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it was given.

    Attributes:
        status: HTTP. body: JSON text; empty: none.
    """

    status: int
    body: str


def fingerprint(method: str, address: str, body: bytes) -> str:
    """What makes a request the same."""
    return hashlib.sha256(b"\n".join([method.encode(), address.encode(), body])).hexdigest()


def claim(services: Services, seller_id: int, key: str, of: str) -> Reply | None:
    """Begin a request under a key.

    Args:
        services: the installation.
        seller_id: keys are a seller's own.
        key: the client's.
        of: see :func:`fingerprint`.

    Returns:
        The answer that was given before; ``None``: do the work, then :func:`keep` or :func:`release`.

    Raises:
        Refusal: the key is none, belongs to another request, or its request is at work.
    """
    if re.search(PATTERN.replace("$", r"\Z"), key) is None:
        text = Text("1 do 128 znaków ASCII bez spacji.", "1 to 128 characters of ASCII without blanks.")
        raise Refusal(Code.INVALID_REQUEST, [Fault(HEADER, text)])
    now = services.clock()
    with services.database.begin(seller_id) as session:
        session.execute(
            delete(ApiReply).where(ApiReply.created_at < now - KEPT, ApiReply.seller_id == seller_id)
        )
        row = session.scalar(select(ApiReply).where(ApiReply.seller_id == seller_id, ApiReply.key == key))
        if row is None:
            session.add(ApiReply(seller_id=seller_id, key=key, fingerprint=of, created_at=now))
            return None
        if row.fingerprint != of:
            raise Refusal(Code.KEY_REUSED)
        if row.status is None:
            if now - row.created_at < _STALE:
                raise Refusal(Code.IN_PROGRESS)
            row.created_at = now
            return None
        try:
            body = services.vault.unseal(row.body) if row.body else ""
        except VaultLocked:
            raise Refusal(Code.INTERNAL) from None
        return Reply(row.status, str(body))


def keep(services: Services, seller_id: int, key: str, reply: Reply) -> None:
    """Remember an answer."""
    with services.database.begin(seller_id) as session:
        row = session.scalar(select(ApiReply).where(ApiReply.seller_id == seller_id, ApiReply.key == key))
        if row is not None:
            row.status = reply.status
            row.body = services.vault.seal(reply.body) if reply.body else None


def release(services: Services, seller_id: int, key: str) -> None:
    """Forget a claim whose work failed by our own fault, so that it can be tried again."""
    with services.database.begin(seller_id) as session:
        session.execute(
            delete(ApiReply).where(
                ApiReply.seller_id == seller_id, ApiReply.key == key, ApiReply.status.is_(None)
            )
        )
