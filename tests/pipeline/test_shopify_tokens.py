"""A rotating token that several workers of one installation renew at the same instant."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from sqlalchemy import select

from adapters import registry
from connector_app.store.models import Store
from tests.pipeline.shopify_world import ORDER, paid, shopify_world

_CROWD = 5


def test_a_crowd_uses_one_refresh_token(tmp_path: Path) -> None:
    """One worker asks, the others take over what it stored; a second use would lock the store out."""
    with shopify_world(tmp_path, [paid()]) as made:
        with made.shop.state.lock:
            given = made.shop.state.grant(rotating=True)
        made.prepare(
            client_id=made.shop.client_id,
            access_token="ended",
            refresh_token=given["refresh_token"],
            access_token_expires_at="2026-01-01T00:00:00+00:00",
        )
        services = replace(made.services(), connect_shop=registry.connect)
        with services.database() as session:
            store = session.scalars(select(Store)).one()
        together = threading.Barrier(_CROWD)

        def work(_number: int) -> str:
            shop = services.shop(store)
            together.wait(20)
            try:
                return shop.order(str(ORDER)).id
            finally:
                shop.close()

        with ThreadPoolExecutor(_CROWD) as pool:
            assert list(pool.map(work, range(_CROWD))) == [str(ORDER)] * _CROWD
        assert made.shop.calls.count("access_token") == 1
        with services.database() as session:
            stored = services.vault.unseal(session.scalars(select(Store)).one().config)
        assert isinstance(stored, dict)
        assert made.shop.state.refresh_tokens == {stored["refresh_token"]}
