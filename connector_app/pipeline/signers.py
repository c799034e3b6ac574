"""Who signed UPOs: each certificate kept once, and what the check of a signature says in words."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import object_session

from connector_app.store.models import Document
from connector_app.store.proofs import SessionUpo, UpoCertificate
from core.findings import Text
from core.ksef.upo_signature import UpoSignature, subject_of


def keep_signer(row: Document | SessionUpo, signature: UpoSignature, now: datetime) -> str | None:
    """Keep the certificate of a checked signature.

    Args:
        row: whose UPO it is, inside a transaction.
        signature: checked.
        now: aware UTC.

    Returns:
        The certificate's fingerprint (SHA-256, hexadecimal); None when the form could not be checked.
    """
    certificate = signature.certificate
    if certificate is None:
        return None
    session = object_session(row)
    assert session is not None, "a proof is kept inside a transaction"
    fingerprint = certificate.fingerprint(hashes.SHA256()).hex()
    # kept by the transaction, so that other UPOs of the same signer do not ask the database again
    session.info[fingerprint] = made = session.get(UpoCertificate, fingerprint)
    if made is None:
        made = UpoCertificate(
            fingerprint=fingerprint,
            certificate=certificate.public_bytes(Encoding.DER),
            subject=subject_of(certificate),
            first_seen=now,
        )
        # another worker may have met the same signer in this moment
        with suppress(IntegrityError), session.begin_nested():
            session.add(made)
    return fingerprint


def fetched_text(signature: UpoSignature) -> Text:
    """That a UPO was fetched, and what is known of its signature."""
    if signature.certificate is None:
        return Text(
            f"Pobrano UPO; postaci podpisu program nie zna i go nie sprawdził ({signature.unchecked}).",
            "The UPO was fetched; the program does not know the form of its signature and has not checked it "
            f"({signature.unchecked}).",
        )
    return Text("Pobrano UPO; podpis jest nienaruszony.", "The UPO was fetched; its signature holds.")
