"""What tests of refunds and later changes of an order do to shop, seller and documents."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from connector_app.pipeline import life
from connector_app.policies import StorePolicy
from connector_app.store.models import Document, Seller, Store
from core.fa import schema
from core.fa.read import read
from core.invoices.model import Invoice
from sandbox.ksef.state import Settings
from tests.pipeline.kept_world import invoiced_world
from tests.pipeline.world import PATIENCE, World, recorded

ORDER = 15
ONE_MUG = "refund_partial_line_created"
SHIPPING = "refund_shipping_only"
A_MINUTE = timedelta(minutes=1)


@contextmanager
def invoice_under_way(home: Path) -> Iterator[World]:
    """KSeF works on the invoice of the order for half an hour."""
    with invoiced_world(home, "order_net_prices_round_per_line") as made:
        made.ksef.state.settings = Settings(processing_seconds=1800)
        made.clock.sleep(60)
        made.shop.state.add_orders([recorded("order_full")], {})
        made.shop.state.touch(ORDER)
        made.run(A_MINUTE)
        assert made.by_order()["15"].state == "sent"
        yield made


def corrections(made: World) -> list[Document]:
    """All documents but the invoice, oldest first."""
    return [one for one in made.documents() if one.purpose != "invoice"]


def parsed(document: Document) -> Invoice:
    """What the stored XML says."""
    return read(schema.parse(document.xml or b"")).invoice


def reasons(document: Document) -> list[str]:
    """Codes of what a person is asked."""
    return [reason["code"] for reason in document.attention or []]


def refund(made: World, name: str, **changes: Any) -> dict[str, Any]:
    """Give money back in the shop."""
    given = recorded(name, **changes)
    made.shop.state.add_refund(ORDER, given)
    return given


def retry(made: World, document_id: int) -> None:
    """Ask for another try as ``documents retry`` does."""
    services = made.services()
    life.change(services, document_id, lambda row: life.again(row, services.clock()))


def set_policy(made: World, policy: StorePolicy) -> None:
    """Change the store's rules."""
    with made.services().database.begin() as session:
        session.get_one(Store, 1).policy = policy.as_json()


def spread_amounts(made: World) -> None:
    """Change the seller's settings, as a second ``seller add`` does."""
    with made.services().database.begin() as session:
        seller = session.get_one(Seller, 1)
        seller.profile = {**seller.profile, "corrections": {"amount_only": "spread"}}


def states(made: World) -> dict[str, str]:
    """State by purpose."""
    return {one.purpose: one.state for one in made.documents()}


def refuse(made: World) -> None:
    """KSeF refuses the content of the next document."""
    made.ksef.state.faults.add("refuse_code", "POST .*/invoices$", value=450)


def take_refunds_back(made: World, patience: timedelta = PATIENCE) -> None:
    """Delete all refunds in the shop, and run."""
    made.clock.sleep(60)
    made.shop.state.refunds[ORDER].clear()
    made.shop.state.change(ORDER, refunds=[])
    made.run(patience)


def close(made: World, purpose: str) -> None:
    """``documents close`` of the document with this purpose."""
    services = made.services()
    (found,) = [one.id for one in made.documents() if one.purpose == purpose]
    life.change(services, found, lambda row: life.close(row, services.clock()))


def retry_purpose(made: World, purpose: str) -> None:
    """``documents retry`` of the document with this purpose, and a run."""
    (found,) = [one.id for one in made.documents() if one.purpose == purpose]
    retry(made, found)
    made.run()
