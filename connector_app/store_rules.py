"""A store's policy: changing it, and seeing before how the last orders would be decided."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from connector_app.decisions import Decision, decide
from connector_app.pipeline.deciding import relief_used, settle_store
from connector_app.pipeline.services import Services
from connector_app.policies import StorePolicy
from connector_app.store.documents import buyer_name
from connector_app.store.lanes import of_store
from connector_app.store.models import INVOICE, Document, ShopOrder, Store
from connector_app.store.snapshots import from_json
from connector_app.stores import StoreRefused
from core.calendar import warsaw_day
from core.findings import Text
from core.money import ZERO


class NoMailServer(StoreRefused):
    """The policy wants e-mails and the store has no mail server."""

    def __init__(self, code: str) -> None:
        super().__init__(
            Text(f"Sklep {code} nie ma jeszcze ustawień poczty.", f"Store {code} has no mail settings yet.")
        )


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """What a change of policy did.

    Attributes:
        before, after: the policies.
        settled: how many documents were decided otherwise; 0 when the policy is the same.
    """

    before: StorePolicy
    after: StorePolicy
    settled: int = 0


def change_policy(
    services: Services,
    store_id: int,
    change: Callable[[StorePolicy], StorePolicy],
    note: Callable[[Session, PolicyChange], None] = lambda _session, _change: None,
) -> PolicyChange:
    """Change a store's policy, and decide anew about the orders that were not invoiced.

    Args:
        services: the outside world.
        store_id: the store.
        change: makes the new policy from the one in force.
        note: writes down the change, in its transaction; not called when nothing changes.

    Raises:
        NoMailServer: see there.
    """
    with services.database.begin(of_store(store_id)) as session:
        row = session.get_one(Store, store_id)
        before = StorePolicy.from_json(row.policy)
        after = change(before)
        if after.mail and row.mail is None:
            raise NoMailServer(row.code)
        row.policy = after.as_json()
        if after == before:
            return PolicyChange(before, after)
        note(session, PolicyChange(before, after))
    return PolicyChange(before, after, settle_store(services, store_id))


@dataclass(frozen=True, slots=True)
class Previewed:
    """How one order is decided by two policies.

    Attributes:
        order_id: of its row. number: as people see it. buyer: name; may be empty.
        total, currency: of the order.
        before, after: by the policy in force, and by the other one.
        is_issued: its document exists already, so that no policy changes it.
    """

    order_id: int
    number: str
    buyer: str
    total: Decimal
    currency: str
    before: Decision
    after: Decision
    is_issued: bool

    @property
    def differs(self) -> bool:
        """Whether the other policy would change something."""
        one, other = self.before, self.after
        return not self.is_issued and (one.rule, one.state, one.due_at) != (
            other.rule,
            other.state,
            other.due_at,
        )


def preview(services: Services, store_id: int, policy: StorePolicy, limit: int = 20) -> list[Previewed]:
    """Decide about a store's last orders by its own policy and by another one; changes nothing.

    Each order is looked at by itself: what earlier ones of the list would use up of the monthly relief
    under the other policy is not counted.

    Args:
        services: the outside world.
        store_id: the store.
        policy: the other one.
        limit: how many orders, newest first.
    """
    day = warsaw_day(services.clock())
    with services.database() as session:
        store = session.get_one(Store, store_id)
        own = StorePolicy.from_json(store.policy)
        rows = session.execute(
            select(ShopOrder, Document)
            .outerjoin(Document, (Document.order_id == ShopOrder.id) & (Document.purpose == INVOICE))
            .where(ShopOrder.store_id == store_id, ShopOrder.snapshot.is_not(None))
            .order_by(ShopOrder.modified_at.desc(), ShopOrder.id.desc())
            .limit(limit)
        ).all()
        found = []
        for row, document in rows:
            assert row.snapshot is not None
            order = from_json(row.snapshot)
            besides = document.id if document is not None else None
            used = (
                relief_used(session, store.seller_id, day, besides=besides)
                if policy.relief or own.relief
                else ZERO
            )
            found.append(
                Previewed(
                    row.id,
                    row.number,
                    buyer_name(order),
                    order.total,
                    order.currency,
                    decide(order, own, day, relief_used=used),
                    decide(order, policy, day, relief_used=used),
                    document is not None and document.xml_sha256 is not None,
                )
            )
    return found
