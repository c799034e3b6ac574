"""Sellers and stores of a run, put into an installation unless they are there; safe to be killed in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from connector_app import credentials, offline_certificates
from connector_app.mail.settings import MailSettings, Security
from connector_app.pipeline.services import Services
from connector_app.policies import Recipients, StorePolicy
from connector_app.profiles import parse
from connector_app.sellers import fill
from connector_app.store.models import Certificate, Seller, Store
from core.fa import registry
from core.ksef import environments
from core.ksef.offline import OfflinePolicy
from core.signing.keys import KeyMaterial, load_pem, self_signed

_KEYS: dict[str, KeyMaterial] = {}
"""Of each NIP, made once per process that forks: a key takes longer than a document."""


def key_of(nip: str, now: datetime) -> KeyMaterial:
    """A certificate that signs a seller in."""
    if nip not in _KEYS:
        _KEYS[nip] = self_signed(nip, now=now)
    return _KEYS[nip]


def install(services: Services, plan: Mapping[str, Any]) -> None:
    """Add what is not there yet: sellers with their certificates, then stores."""
    for one in plan["sellers"]:
        _add_seller(services, plan, one)
    for one in plan["stores"]:
        _add_store(services, one)


def _add_seller(services: Services, plan: Mapping[str, Any], one: Mapping[str, Any]) -> None:
    with services.database() as session:
        known = session.scalar(select(Seller.id).where(Seller.nip == one["nip"]))
    if known is None:
        address = {"line1": "ul. Przykładowa 1"}
        seller = {"nip": one["nip"], "name": "Sklep Testowy", "address": address}
        profile = parse({"seller": seller, "sending": one["sending"]})
        sealed = credentials.seal_certificate(services.vault, key_of(one["nip"], services.clock()))
        place = environments.custom(
            plan["api_url"], plan["qr_url"], latarnia_url=plan["latarnia_url"] if one["offline"] else ""
        )
        with services.database.begin() as session:
            row = Seller(nip=one["nip"], created_at=services.clock())
            session.add(row)
            fill(row, profile, place, registry.schema_for("FA3"), sealed)
    if not one["offline"]:
        return
    with services.database() as session:
        row = session.scalars(select(Seller).where(Seller.nip == one["nip"])).one()
        if session.scalar(select(Certificate.id).where(Certificate.seller_id == row.id)) is not None:
            return
    certificate, key = one["offline"]
    material = load_pem(certificate.encode(), key.encode(), now=services.clock())
    with services.database.begin() as session:
        row = session.scalars(select(Seller).where(Seller.nip == one["nip"])).one()
        offline_certificates.add(session, services.vault, row, material, services.clock())


def _add_store(services: Services, one: Mapping[str, Any]) -> None:
    with services.database() as session:
        if session.scalar(select(Store.id).where(Store.code == one["code"])) is not None:
            return
    policy = StorePolicy(
        recipients=Recipients.EVERYONE,
        mail=one["mail"] is not None,
        offline=OfflinePolicy.AUTOMATIC if one["offline"] else OfflinePolicy.ASK,
    )
    with services.database.begin() as session:
        seller = session.scalars(select(Seller).where(Seller.nip == one["nip"])).one()
        store = Store(
            code=one["code"],
            seller_id=seller.id,
            platform=one["platform"],
            url=one["config"]["url"],
            config=services.vault.seal(one["config"]),
            policy=policy.as_json(),
            created_at=services.clock(),
        )
        if one["mail"] is not None:
            box = MailSettings("127.0.0.1", one["mail"], Security.NONE, "Sklep <faktury@sklep.example>")
            store.mail = services.vault.seal(box.as_json())
        session.add(store)
