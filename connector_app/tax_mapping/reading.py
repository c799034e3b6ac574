"""Where a store's tax classes are read: the shop's settings, kept for the page, and orders that were seen."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from adapters.contract import ShopError, TaxClass, TaxRate, TellsTaxes
from connector_app.dry_run.run import last_run
from connector_app.pipeline.services import Services
from connector_app.store.desk import InstallationSetting
from connector_app.store.models import ShopOrder, Store
from connector_app.tax_mapping.mapping import NO_RATE
from connector_app.vault import VaultLocked
from core.findings import Text

_ORDERS = 500
"""So many of the newest stored orders are looked at."""


@dataclass(frozen=True, slots=True)
class ShopTaxes:
    """What the shop's settings said last.

    Attributes:
        classes: empty when the shop does not tell.
        read_at: aware UTC.
        trouble: why they could not be read; ``None`` when they were.
    """

    classes: tuple[TaxClass, ...]
    read_at: datetime
    trouble: Text | None = None


def read_shop(services: Services, store: Store) -> ShopTaxes:
    """Ask the shop for its tax settings and keep what it says; after a failure what was known stays.

    Args:
        services: the installation.
        store: a connected store.
    """
    now = services.clock()
    classes, trouble = _asked(services, store)
    with services.database.begin() as session:
        known = kept(session, store.id)
        if trouble is not None and known is not None:
            classes = known.classes
        value = {
            "classes": [_class_json(one) for one in classes],
            "read_at": now.isoformat(),
            "trouble": {"pl": trouble.pl, "en": trouble.en} if trouble else None,
        }
        row = session.get(InstallationSetting, _name(store.id))
        if row is None:
            session.add(InstallationSetting(name=_name(store.id), value=value))
        else:
            row.value = value
    return ShopTaxes(classes, now, trouble)


def _asked(services: Services, store: Store) -> tuple[tuple[TaxClass, ...], Text | None]:
    try:
        shop = services.shop(store)
    except (ShopError, VaultLocked) as error:
        return (), Text(str(error), str(error))
    try:
        if not isinstance(shop, TellsTaxes):
            return (), None
        return shop.tax_settings(), None
    except ShopError as error:
        said = f"{error.message} {error.hint}".strip()
        return (), Text(said, said)
    finally:
        shop.close()


def kept(session: Session, store_id: int) -> ShopTaxes | None:
    """What the shop's settings said last; ``None`` when they were never asked for."""
    row = session.get(InstallationSetting, _name(store_id))
    if row is None:
        return None
    trouble = row.value.get("trouble")
    return ShopTaxes(
        tuple(_class_of(one) for one in row.value["classes"]),
        datetime.fromisoformat(row.value["read_at"]),
        Text(trouble["pl"], trouble["en"]) if trouble else None,
    )


def seen_untaxed(services: Services, session: Session, store_id: int) -> Counter[str]:
    """In how many orders each class came without tax: the newest stored ones, or those of the last dry run.

    Args:
        services: the installation.
        session: for reading.
        store_id: the store.
    """
    found: Counter[str] = Counter()
    snapshots = session.scalars(
        select(ShopOrder.snapshot)
        .where(ShopOrder.store_id == store_id, ShopOrder.snapshot.is_not(None))
        .order_by(ShopOrder.id.desc())
        .limit(_ORDERS)
    )
    for snapshot in snapshots:
        found.update(_untaxed(snapshot or {}))
    run = last_run(services, store_id)
    numbers = run.summary() if run else None
    for key, count in ((numbers or {}).get("untaxed") or {}).items():
        found[key] = max(found[key], count)
    return found


def _untaxed(snapshot: dict[str, Any]) -> set[str]:
    """Keys of a stored order's shares without tax; read from its JSON, as there may be many orders."""
    shares = [share for line in snapshot.get("lines", ()) for share in line["shares"]]
    return {
        share["tax_class"] or (NO_RATE if share["rate"] is None else "standard")
        for share in shares
        if not Decimal(share["rate"] or 0) and not Decimal(share["tax"]) and Decimal(share["net"])
    }


def _name(store_id: int) -> str:
    return f"tax-classes:{store_id}"


def _class_json(one: TaxClass) -> dict[str, Any]:
    return {
        "key": one.key,
        "tells_rates": one.tells_rates,
        "name": {"pl": one.name.pl, "en": one.name.en},
        "rates": [
            {"rate": f"{rate.rate:f}", "country": rate.country, "name": rate.name} for rate in one.rates
        ],
    }


def _class_of(values: dict[str, Any]) -> TaxClass:
    return TaxClass(
        values["key"],
        Text(values["name"]["pl"], values["name"]["en"]),
        tuple(TaxRate(Decimal(one["rate"]), one["country"], one["name"]) for one in values["rates"]),
        values["tells_rates"],
    )
