"""A seller's row: what may be changed in it, and how."""

from __future__ import annotations

from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from connector_app import ksef_access
from connector_app.profiles import Profile
from connector_app.store.models import Document, Seller
from core.fa.registry import FaSchema, SchemaVersion
from core.findings import SaidError, Text
from core.ksef import environments
from core.ksef.environments import Environment, is_loopback


class SellerRefused(SaidError, ValueError):
    """A change of a seller that is not possible.

    Attributes:
        text: why, for a person.
    """


def check_schema(schema: FaSchema, place: Environment) -> None:
    """Only TEST and sandboxes take FA(2) still.

    Raises:
        SellerRefused: another environment.
    """
    if schema.version is SchemaVersion.FA2 and place in {environments.DEMO, environments.PRODUCTION}:
        raise SellerRefused(
            Text(
                f"Środowisko {place.name} nie przyjmuje już FA(2).",
                f"{place.name} accepts no FA(2) any more.",
            )
        )


def check_stays(session: Session, seller: Seller, place: Environment) -> None:
    """A seller with issued documents stays in its environment: their numbers and corrections belong there.

    Raises:
        SellerRefused: another environment.
    """
    current = ksef_access.environment_of(seller)
    if current.name == place.name or not has_issued(session, seller):
        return
    raise SellerRefused(
        Text(
            f"Sprzedawca {seller.nip} wystawił już dokumenty w środowisku {current.name}; ich numery i "
            f"korekty nie mogą trafić do {place.name}.",
            f"Seller {seller.nip} has issued documents in {current.name} already; their numbers and "
            f"corrections cannot go to {place.name}.",
        )
    )


def has_issued(session: Session, seller: Seller) -> bool:
    """Whether a seller has issued any document."""
    issued = select(Document.id).where(Document.seller_id == seller.id, Document.xml_sha256.is_not(None))
    return session.scalar(issued.limit(1)) is not None


def fill(row: Seller, profile: Profile, environment: Environment, schema: FaSchema, credential: str) -> None:
    """Write a seller's settings into its row; a changed environment ends its sign-in and session.

    Args:
        row: new or existing.
        profile: who the seller is.
        environment: where it issues.
        schema: version of its documents.
        credential: sealed; empty for signing outside.
    """
    stored = ksef_access.environment_json(environment)
    if row.environment != stored or row.credential != credential:
        row.tokens = row.session = row.session_reference = None
    row.name, row.profile = profile.seller.name, profile.values
    row.environment, row.schema_version, row.credential = stored, schema.version.value, credential


def takes_test_certificates(environment: Environment) -> bool:
    """Whether an environment lets self-signed certificates in: TEST, and sandboxes on this machine."""
    return environment == environments.TEST or is_loopback(urlsplit(environment.api_url).hostname or "")
