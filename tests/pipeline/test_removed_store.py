"""A removed store: nothing of it is issued from what was known of it; connected again, it goes on."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from connector_app.policies import Recipients, StorePolicy
from connector_app.store.models import Seller, Store
from connector_app.store_closing import close_store
from connector_app.stores import connect_store
from tests.pipeline.world import WOO_CONFIG, recorded, world


def test_an_invoice_whose_day_comes_after_the_removal_is_not_issued(tmp_path: Path) -> None:
    """It waits, because the shop may have called the order off; when the store is back, it is issued once."""
    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare()
        services = made.services()
        with services.database.begin() as session:
            policy = StorePolicy(recipients=Recipients.EVERYONE, after_days=5)
            session.scalars(select(Store)).one().policy = policy.as_json()
        made.run(timedelta(0))
        assert [one.state for one in made.documents()] == ["waiting"]
        close_store(services, 1, force=True)
        made.clock.sleep(6 * 86_400)
        made.run()
        assert [one.state for one in made.documents()] == ["waiting"]
        assert made.in_ksef() == []
        with services.database.begin() as session:
            seller = session.scalars(select(Seller)).one()
            config = {"url": made.shop.url, **WOO_CONFIG}
            connect_store(services, session, seller, "test", "woocommerce", config)
        made.run()
        made.run()
        assert [one.state for one in made.documents()] == ["published"]
        assert len(made.in_ksef()) == 1
