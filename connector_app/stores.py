"""Connecting stores: what the command line and the browser share."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from adapters import registry as platforms
from connector_app.pipeline.services import Services
from connector_app.policies import StorePolicy
from connector_app.store.documents import decide_waiting_at
from connector_app.store.models import Seller, Store
from connector_app.store.recovered import NO_SHOPS
from core.calendar import warsaw_day
from core.findings import SaidError, Text

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
_NOTHING = Text("", "")
_UNFIT = re.compile(r"[^a-z0-9-]+")


class StoreRefused(SaidError):
    """A store cannot be connected, changed or removed like that.

    Attributes:
        text: why. hint: what to do; may be empty.
    """

    def __init__(self, text: Text, hint: Text = _NOTHING) -> None:
        super().__init__(text)
        self.hint = hint


def check_code(code: str) -> None:
    """Check the short code under which a store is known.

    Raises:
        StoreRefused: it is none.
    """
    if _CODE.fullmatch(code) is None:
        raise StoreRefused(
            Text(f"{code!r} nie nadaje się na kod sklepu.", f"{code!r} cannot be a store's code."),
            Text("Do 32 liter bez polskich znaków, cyfr, - i _.", "Up to 32 letters a-z, digits, - and _."),
        )


def refuse_foreign(session: Session, code: str, seller: Seller) -> None:
    """Make sure that a code does not belong to another seller's store.

    Raises:
        StoreRefused: it does.
    """
    owner = session.scalar(select(Store.seller_id).where(Store.code == code))
    if owner is not None and owner != seller.id:
        raise StoreRefused(
            Text(f"Kod {code} ma już inny sklep.", f"Another store has the code {code} already.")
        )


def suggested_code(session: Session, url: str) -> str:
    """A free code made of a shop's address.

    Args:
        session: for reading.
        url: e.g. ``https://www.sklep.example``.
    """
    host = (urlsplit(url if "://" in url else f"https://{url}").hostname or "").removeprefix("www.")
    name = _UNFIT.sub("-", host.split(".", 1)[0].lower()).strip("-")[:24]
    name = name if name and not name.isdigit() else "sklep"
    taken = set(session.scalars(select(Store.code)))
    free = (one for one in (name, *(f"{name}-{number}" for number in range(2, len(taken) + 3))))
    return next(one for one in free if one not in taken)


def try_config(platform: str, config: Mapping[str, str]) -> None:
    """Make sure that a configuration is complete and well formed; nothing is contacted.

    Raises:
        ShopError: a value is missing or malformed, or there is no such platform.
    """
    made = platforms.connect(platform, config, save_config=lambda _changed: None, load_config=lambda: config)
    made.close()


def connect_store(
    services: Services,
    session: Session,
    seller: Seller,
    code: str,
    platform: str,
    config: Mapping[str, str],
    change: Callable[[StorePolicy], StorePolicy] = lambda policy: policy,
) -> Store:
    """Add a store, or change the connection of the one with that code; one that was removed opens again.

    Args:
        services: the outside world.
        session: of a writing transaction.
        seller: whose store it is.
        code: see :func:`check_code`.
        platform: a known one.
        config: checked by :func:`try_config`, ``url`` among it.
        change: of its policy; a new store starts with the default one and today as its first day.

    Raises:
        StoreRefused: the code belongs to documents that were recovered from KSeF.
    """
    now: datetime = services.clock()
    row = session.scalar(select(Store).where(Store.code == code))
    if row is None:
        row = Store(code=code, created_at=now)
        policy = StorePolicy(start_day=warsaw_day(now))
    else:
        policy = StorePolicy.from_json(row.policy)
    if row.platform in NO_SHOPS:
        raise StoreRefused(
            Text(
                f"Kod {code} jest zajęty przez dokumenty odzyskane z KSeF albo wgrane z plików.",
                f"The code {code} belongs to documents recovered from KSeF or uploaded as files.",
            )
        )
    if row.closed_at is not None:
        row.closed_at = None
        decide_waiting_at(session, row.id, now)
    row.seller_id, row.platform, row.url = seller.id, platform, config["url"]
    row.config, row.policy = services.vault.seal(dict(config)), change(policy).as_json()
    session.add(row)
    session.flush()
    return row
