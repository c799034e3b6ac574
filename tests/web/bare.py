"""An installation without KSeF and without shops, for pages that need neither."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from sqlalchemy.orm import Session

from adapters import woocommerce
from connector_app.profiles import parse
from connector_app.sellers import fill
from connector_app.store.models import Seller
from core.fa import registry
from core.ksef import environments
from sandbox.ksef.server import KsefSandbox
from tests.pipeline.world import Clock, Installation


def installation(home: Path) -> Installation:
    """An empty installation with a clock of its own."""
    return Installation(home, cast(KsefSandbox, None), Clock(), woocommerce.connect)


def add_seller(session: Session, made: Installation, nip: str, name: str) -> Seller:
    """A seller that never signs in to KSeF."""
    profile = parse({"seller": {"nip": nip, "name": name, "address": {"line1": "ul. Przykładowa 1"}}})
    row = Seller(nip=nip, created_at=made.clock())
    session.add(row)
    fill(row, profile, environments.TEST, registry.schema_for("FA3"), "")
    session.flush()
    return row
