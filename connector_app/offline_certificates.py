"""The certificate with which a seller signs QR code II: kept among its KSeF certificates, sealed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from connector_app.credentials import seal_certificate, unseal_certificate
from connector_app.store.models import Certificate, CertificateStage, Seller
from connector_app.vault import Vault
from core.ksef.verification import check_offline_certificate
from core.signing.keys import KeyMaterial, KeyMaterialError, serial_text

OFFLINE: Final = "Offline"
"""``certificateType`` of the API."""


def add(session: Session, vault: Vault, seller: Seller, key: KeyMaterial, now: datetime) -> Certificate:
    """Keep an Offline certificate that was obtained elsewhere, with its key.

    Args:
        session: inside a transaction.
        vault: seals the key.
        seller: whose documents it signs.
        key: certificate and key.
        now: aware UTC.

    Raises:
        NoOfflineCertificate: it is of the Authentication kind, or its key does not fit.
    """
    check_offline_certificate(key.certificate)
    serial = serial_text(key.certificate)
    row = next((one for one in _issued(session, seller) if one.serial_number == serial), None)
    if row is None:
        row = Certificate(
            seller_id=seller.id,
            environment=seller.environment,
            kind=OFFLINE,
            name=key.subject[:100],
            stage=CertificateStage.ISSUED.value,
            serial_number=serial,
            valid_from=key.valid_from,
            valid_until=key.valid_until,
            created_at=now,
        )
        session.add(row)
    row.secret = seal_certificate(vault, key)
    return row


def find(session: Session, vault: Vault, seller: Seller, now: datetime) -> KeyMaterial | None:
    """The seller's Offline certificate that is valid longest, with its key; None when none is valid now.

    Args:
        session: for reading.
        vault: decrypts the key.
        seller: whose.
        now: aware UTC.

    Raises:
        VaultLocked: it cannot be decrypted.
    """
    rows = [row for row in _issued(session, seller) if row.valid_until is None or row.valid_until > now]
    for row in sorted(rows, key=lambda one: (one.valid_until or now, one.id), reverse=True):
        try:
            return unseal_certificate(vault, row.secret, now)
        except KeyMaterialError:
            continue  # not valid yet, or damaged: another one may do
    return None


def _issued(session: Session, seller: Seller) -> list[Certificate]:
    rows = session.scalars(
        select(Certificate).where(
            Certificate.seller_id == seller.id,
            Certificate.kind == OFFLINE,
            Certificate.stage == CertificateStage.ISSUED.value,
        )
    )
    return [row for row in rows if _system(row.environment) == _system(seller.environment)]


def _system(environment: Mapping[str, Any]) -> object:
    """Which KSeF a stored environment means, whatever else it names."""
    return environment.get("name") or environment.get("api_url")
