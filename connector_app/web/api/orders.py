"""Orders, stores and the seller for machines."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import aliased, load_only

from connector_app import ksef_access
from connector_app.pipeline.services import load_text
from connector_app.store.models import Document, Seller, ShopOrder, Store
from connector_app.store.recovered import IS_OPEN, IS_SHOP
from connector_app.web.api.document_shapes import DocumentItem
from connector_app.web.api.documents import items
from connector_app.web.api.operation import Caller, operation
from connector_app.web.api.paging import MOST, after, cursor
from connector_app.web.api.problems import Code, Refusal
from connector_app.web.api.typed import told
from core.findings import Text

_CODE = r"^[A-Za-z0-9_.-]{1,32}$"


@dataclass(frozen=True, slots=True)
class OrderItem:
    """An order as lists show it."""

    id: int = told("Identyfikator w łączniku.", "Id in the connector.")
    number: str = told("Numer, jaki widzi kupujący.", "The number that the buyer sees.")
    remote_id: str = told("Identyfikator w sklepie.", "Id in the shop.")
    store: str = told("Kod sklepu.", "Code of the store.")
    modified_at: datetime = told("Ostatnia zmiana w sklepie.", "Last change in the shop.")
    seen_at: datetime = told("Kiedy łącznik ją odczytał.", "When the connector read it.")


@dataclass(frozen=True, slots=True)
class OrderPage:
    """Some orders and where the next begin."""

    items: list[OrderItem] = told("Zamówienia.", "Orders.")
    next: str | None = told(
        "Kursor następnej strony; null na ostatniej.", "Cursor of the next page; null on the last."
    )


@dataclass(frozen=True, slots=True)
class OrderDetail:
    """An order with what the shop said, and its documents."""

    order: OrderItem = told("Jak na liście.", "As in lists.")
    snapshot: dict[str, Any] | None = told(
        "Co mówi sklep, w neutralnej postaci; null, gdy nie dało się odczytać.",
        "What the shop says, in the neutral form; null when it could not be read.",
    )
    documents: list[DocumentItem] = told("Faktura i korekty.", "Invoice and corrections.")


@dataclass(frozen=True, slots=True)
class OrderQuery:
    """What to list."""

    store: str | None = told(
        "Tylko sklepu o tym kodzie.", "Only of the store with this code.", default=None, pattern=_CODE
    )
    number: str | None = told("Tylko o tym numerze.", "Only with this number.", default=None, longest=64)
    cursor: str | None = told("Kursor z pola next.", "Cursor from the field next.", default=None, longest=300)
    limit: int = told("Ile najwyżej.", "How many at most.", default=50, least=1, most=MOST)


@operation(
    "GET",
    "/orders",
    Text("Zamówienia, od najnowszych.", "Orders, the newest first."),
    tag="orders",
    query=OrderQuery,
    answer=OrderPage,
    codes=(Code.INVALID_CURSOR,),
)
def list_orders(caller: Caller, query: OrderQuery) -> OrderPage:
    """A page of orders of the seller's shops."""
    with caller.services.database() as session:
        stores = session.execute(
            select(Store.id, Store.code).where(Store.seller_id == caller.seller_id, IS_SHOP)
        ).all()
        codes = {row[0]: row[1] for row in stores if query.store in {None, row[1]}}
        asked = select(ShopOrder).where(ShopOrder.store_id.in_(codes))
        if query.number is not None:
            # of its own, so that the index of numbers is used and not the order of the list
            asked = asked.where(ShopOrder.id.in_(_numbered(query.number)))
        if query.cursor is not None:
            asked = asked.where(ShopOrder.id < after(query.cursor, "orders", (int,))[0])
        found = session.scalars(
            asked.options(
                load_only(
                    ShopOrder.store_id,
                    ShopOrder.number,
                    ShopOrder.remote_id,
                    ShopOrder.modified_at,
                    ShopOrder.seen_at,
                )
            )
            .order_by(ShopOrder.id.desc())
            .limit(query.limit + 1)
        ).all()
    shown = found[: query.limit]
    following = cursor("orders", shown[-1].id) if len(found) > query.limit else None
    return OrderPage([_order(row, codes[row.store_id]) for row in shown], following)


def _numbered(number: str) -> Any:
    other = aliased(ShopOrder)
    return select(other.id).where(other.number == number)


def _order(row: ShopOrder, code: str) -> OrderItem:
    return OrderItem(row.id, row.number, row.remote_id, code, row.modified_at, row.seen_at)


@operation(
    "GET",
    "/orders/{order_id}",
    Text("Jedno zamówienie z dokumentami.", "One order with its documents."),
    tag="orders",
    answer=OrderDetail,
)
def get_order(caller: Caller, order_id: int) -> OrderDetail:
    """An order of the caller's seller."""
    with caller.services.database() as session:
        row = session.get(ShopOrder, order_id)
        if row is None or row.store.seller_id != caller.seller_id:
            raise Refusal(Code.NOT_FOUND)
        ids = session.scalars(select(Document.id).where(Document.order_id == row.id).order_by(Document.id))
        return OrderDetail(_order(row, row.store.code), row.snapshot, items(session, ids))


@dataclass(frozen=True, slots=True)
class StoreItem:
    """A shop."""

    code: str = told("Kod sklepu.", "Code of the store.")
    platform: str = told("Platforma.", "Platform.")
    url: str = told("Adres.", "Address.")
    looked_at: datetime | None = told("Kiedy ostatnio odczytano zmiany.", "When its changes were read last.")
    trouble: Text | None = told("Dlaczego sklep sam nie daje znać.", "Why its webhooks do not come.")


@dataclass(frozen=True, slots=True)
class StoreList:
    """The seller's shops."""

    items: list[StoreItem] = told("Sklepy.", "Shops.")


@operation(
    "GET", "/stores", Text("Sklepy sprzedawcy.", "The seller's shops."), tag="seller", answer=StoreList
)
def list_stores(caller: Caller) -> StoreList:
    """Shops that are open."""
    with caller.services.database() as session:
        rows = session.scalars(
            select(Store).where(Store.seller_id == caller.seller_id, IS_OPEN).order_by(Store.id)
        ).all()
    return StoreList(
        [
            StoreItem(
                row.code,
                row.platform,
                row.url,
                row.looked_at,
                load_text(row.webhook_trouble) if row.webhook_trouble else None,
            )
            for row in rows
        ]
    )


@dataclass(frozen=True, slots=True)
class TokenSelf:
    """The token that asks."""

    name: str = told("Nazwa.", "Name.")
    writes: bool = told("Czy może zmieniać.", "Whether it may change things.")


@dataclass(frozen=True, slots=True)
class SellerSelf:
    """The seller that the token belongs to."""

    nip: str = told("NIP.", "NIP.")
    name: str = told("Nazwa.", "Name.")
    environment: str = told("Środowisko KSeF.", "KSeF environment.", example="TEST")
    schema_version: str = told("Wersja struktury FA.", "Version of the FA structure.", example="FA3")
    token: TokenSelf = told("Ten token.", "This token.")


@operation(
    "GET",
    "/sellers/self",
    Text("Sprzedawca, do którego należy token.", "The seller that the token belongs to."),
    tag="seller",
    answer=SellerSelf,
)
def get_seller(caller: Caller) -> SellerSelf:
    """To see whose token it is, and that it works."""
    with caller.services.database() as session:
        row = session.get_one(Seller, caller.seller_id)
    return SellerSelf(
        row.nip,
        row.name,
        ksef_access.environment_of(row).name,
        row.schema_version,
        TokenSelf(caller.name, caller.writes),
    )
