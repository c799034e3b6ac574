"""Proof: the UPO of an accepted document, on a clock of its own.

A UPO can be late or never come; nothing else of the document waits for it. Its signature and hash are checked
once, on arrival; a signature that is broken is treated like a wrong hash.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from connector_app.keeping.reading import digest
from connector_app.ksef_access import SellerAccess, hash_text
from connector_app.pipeline import life
from connector_app.pipeline.services import Services, dump_text
from connector_app.pipeline.signers import fetched_text, keep_signer
from connector_app.pipeline.submit import LaneBlocked
from connector_app.store.models import Document
from core.findings import Text
from core.ksef import upo
from core.ksef.errors import (
    AuthenticationFailed,
    Forbidden,
    KsefError,
    KsefRefused,
    KsefUnavailable,
    ProofMismatch,
    Unauthorized,
)
from core.ksef.upo_signature import check_signature


class StorageSilent(Exception):
    """The storage of UPOs does not answer; KSeF itself may be well.

    Attributes:
        cause: what went wrong.
    """

    def __init__(self, cause: KsefUnavailable) -> None:
        super().__init__(str(cause))
        self.cause = cause


def collect_upo(services: Services, document_id: int, access: SellerAccess) -> life.Change:
    """Fetch and check the UPO of one accepted document that has none.

    Args:
        services: the outside world.
        document_id: a document without KSeF number is left alone.
        access: the seller's sign-in.

    Returns:
        What keeps it, or the reason why there is none yet, inside a transaction; see :func:`keep_upos`. An
        UPO that was not kept is fetched again.

    Raises:
        LaneBlocked: KSeF does not answer or does not let us in.
        StorageSilent: the address of its UPO does not answer.
    """
    with services.database() as session:
        document = session.get_one(Document, document_id)
    number, session_reference = document.ksef_number, document.session_reference or ""
    if number is None or document.xml_sha256 is None:
        return lambda _row: None
    ours = hash_text(document.xml_sha256)
    try:
        proof = _from_address(services, document, access) or access.call(
            lambda token: upo.fetch_by_number(access.client, token, session_reference, number)
        )
        signature = check_signature(proof, services.upo_trust)
        upo.check_upo(upo.parse_upo(proof), ours, number)
    except (KsefUnavailable, Unauthorized, AuthenticationFailed, Forbidden) as error:
        raise LaneBlocked(error) from error
    except (KsefRefused, ProofMismatch) as error:
        return _later(services, error)

    def keep(row: Document) -> None:
        row.upo, row.upo_sha256, row.upo_address = proof, digest(proof), None
        row.proof_attempts, row.proof_next_at, row.proof_waits_for = 0, None, None
        row.upo_certificate = keep_signer(row, signature, services.clock())
        life.note(row, fetched_text(signature), services.clock())

    return keep


def keep_upos(services: Services, seller_id: int, collected: Mapping[int, life.Change]) -> None:
    """Keep what was collected for some documents, in one transaction.

    Args:
        services: the outside world.
        seller_id: whose documents.
        collected: by the document's id, what :func:`collect_upo` gave; a few at a time.
    """
    if not collected:
        return
    with services.database.begin(seller_id) as session:
        query = select(Document).options(joinedload(Document.order)).where(Document.id.in_(collected))
        documents = list(session.scalars(query))
        for document in documents:
            collected[document.id](document)
    for document in documents:
        services.watch(document)


def _from_address(services: Services, document: Document, access: SellerAccess) -> bytes | None:
    """The UPO from the address that a batch's result named; it costs nothing of the limits."""
    if document.upo_address is None:
        return None
    stored = services.vault.unseal(document.upo_address)
    try:
        return upo.fetch_url(access.client, stored["url"]) if isinstance(stored, dict) else None
    except KsefRefused:
        return None  # its time is over: the ordinary way
    except KsefUnavailable as error:
        raise StorageSilent(error) from error


def postpone_proof(services: Services, document_id: int, error: KsefError) -> Document:
    """Ask for a document's UPO again later."""
    return life.change(services, document_id, _later(services, error))


def _later(services: Services, error: KsefError) -> life.Change:
    why = Text(
        f"Nie udało się pobrać UPO: {error} {error.hint.pl}".strip(),
        f"The UPO could not be fetched: {error} {error.hint.en}".strip(),
    )

    def apply(row: Document) -> None:
        now = services.clock()
        if isinstance(error, ProofMismatch) and row.proof_waits_for is None:
            life.note(row, why, now)
        row.proof_next_at = now + life.pause_for_proof(row.proof_attempts)
        row.proof_attempts += 1
        row.proof_waits_for = dump_text(why)

    return apply
