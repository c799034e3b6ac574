"""What each side says happened, read from outside: shops, KSeF, the database, the mailbox.

Nothing of the connector is used to read it: orders from the sandbox shops' own state, documents and UPOs from
the sandbox KSeF's tables and the XML itself, the database by plain SQL.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from email.message import EmailMessage
from typing import Any

import sqlalchemy
from lxml import etree

from sandbox.ksef.state import SandboxState
from sandbox.prestashop.state import ShopState as PrestaState
from sandbox.shopify.state import ShopState as ShopifyState
from sandbox.woocommerce.state import ShopState as WooState

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class GivenBack:
    """A refund as the shop has it.

    Attributes:
        id: in the shop. amount: in the order's currency, positive. by_amount: no lines say of what.
    """

    id: str
    amount: Decimal
    by_amount: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """What an order shows of its documents.

    Attributes:
        private: notes of the merchant. public: what the buyer reads. fields: metadata by neutral name.
        tags: labels of ours.
        kinds: kinds of notes that the platform has, ``private`` and ``public``.
    """

    private: tuple[str, ...] = ()
    public: tuple[str, ...] = ()
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tags: int | None = None
    kinds: tuple[str, ...] = ("private", "public")


@dataclass(frozen=True, slots=True)
class Sale:
    """An order as the shop has it now.

    Attributes:
        store: code of the store. nip: of the seller. remote_id, number: of the order.
        total: charged, before refunds. state: ``paid``, ``waiting`` or ``cancelled``.
        refunds: oldest first. told: see :class:`Told`. email: the buyer's.
    """

    store: str
    nip: str
    remote_id: str
    number: str
    total: Decimal
    state: str
    refunds: tuple[GivenBack, ...]
    told: Told
    email: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """A document in KSeF.

    Attributes:
        ksef_number, number, nip, kind: as KSeF knows it. sha256: of the bytes, hexadecimal. xml: the bytes.
        total: P_15. orders: numbers of orders that it names. corrects: KSeF number that it corrects.
    """

    ksef_number: str
    number: str
    nip: str
    kind: str
    sha256: str
    xml: bytes = field(repr=False)
    total: Decimal
    orders: tuple[str, ...]
    corrects: str


@dataclass(frozen=True, slots=True)
class Books:
    """The database: rows of its tables as dictionaries."""

    documents: list[Row]
    publications: list[Row]
    mails: list[Row]
    sellers: list[Row]
    batches: list[Row]
    events: list[Row]
    session_upos: list[Row]
    counters: list[Row]


def books_of(url: str) -> Books:
    """Read a database, SQLite or PostgreSQL, by plain SQL on a connection of its own.

    Args:
        url: SQLAlchemy address.
    """
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)

    def rows(query: str) -> list[Row]:
        found = connection.execute(sqlalchemy.text(query)).mappings()
        return [{key: _plain(key, value) for key, value in row.items()} for row in found]

    with engine.connect() as connection:
        return Books(
            documents=rows(
                "SELECT d.*, o.remote_id, o.number AS order_number, s.code AS store, s.policy, l.nip "
                "FROM documents d JOIN orders o ON o.id = d.order_id JOIN stores s ON s.id = o.store_id "
                "JOIN sellers l ON l.id = d.seller_id ORDER BY d.id"
            ),
            publications=rows("SELECT * FROM publications ORDER BY id"),
            mails=rows("SELECT * FROM mails ORDER BY id"),
            sellers=rows("SELECT * FROM sellers ORDER BY id"),
            batches=rows("SELECT * FROM batches ORDER BY id"),
            events=rows("SELECT * FROM webhook_events ORDER BY id"),
            session_upos=rows("SELECT * FROM session_upos"),
            counters=rows("SELECT * FROM number_counters"),
        )


_JSON = frozenset({"attention", "policy", "tried_sessions", "hold", "waiting_for"})


def _plain(key: str, value: Any) -> Any:
    if key in _JSON and isinstance(value, str):
        return json.loads(value)
    if isinstance(value, memoryview):
        return bytes(value)
    return value


def ksef_of(state: SandboxState) -> list[Accepted]:
    """Every document that the sandbox KSeF has accepted, in the order of acceptance."""
    rows = state.all("SELECT * FROM invoices WHERE code = 200 ORDER BY acquired, sequence")
    return [
        _accepted(
            row["ksef_number"],
            row["number"],
            row["seller"],
            row["kind"],
            base64.b64decode(row["hash"]).hex(),
            bytes(row["xml"]),
        )
        for row in rows
    ]


def _accepted(ksef_number: str, number: str, nip: str, kind: str, sha256: str, xml: bytes) -> Accepted:
    root = etree.fromstring(xml)

    def texts(name: str) -> tuple[str, ...]:
        return tuple(str(one.text) for one in root.iter(f"{{*}}{name}") if one.text)

    return Accepted(
        ksef_number=ksef_number,
        number=number,
        nip=nip,
        kind=kind,
        sha256=sha256,
        xml=xml,
        total=Decimal(texts("P_15")[0]),
        orders=texts("NrZamowienia"),
        corrects=next(iter(texts("NrKSeFFaKorygowanej")), ""),
    )


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a UPO confirms: KSeF number and hash (hexadecimal) of each document."""

    documents: tuple[tuple[str, str], ...]


def confirmation_of(upo: bytes) -> Confirmation:
    """Read a UPO by itself."""
    root = etree.fromstring(upo)
    found = []
    for one in root.iter("{*}Dokument"):
        number = one.findtext("{*}NumerKSeFDokumentu") or ""
        digest = one.findtext("{*}SkrotDokumentu") or ""
        found.append((number, base64.b64decode(digest).hex()))
    return Confirmation(tuple(found))


def sha256(content: bytes) -> str:
    """Hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def woo_sales(state: WooState, *, store: str, nip: str) -> list[Sale]:
    """The orders of a WooCommerce shop."""
    with state.lock:
        return [_woo_sale(state, order, store, nip) for order in state.orders.values()]


def _woo_sale(state: WooState, order: Row, store: str, nip: str) -> Sale:
    notes = state.notes.get(order["id"], [])
    fields: dict[str, tuple[str, ...]] = {}
    for entry in order.get("meta_data", []):
        if entry["key"].startswith("_ksef_"):
            name = entry["key"].removeprefix("_ksef_")
            fields[name] = (*fields.get(name, ()), str(entry["value"]))
    is_paid = order["status"] in {"processing", "completed"}
    return Sale(
        store=store,
        nip=nip,
        remote_id=str(order["id"]),
        number=str(order["number"]),
        total=Decimal(order["total"]),
        state="paid" if is_paid else "cancelled" if order["status"] == "cancelled" else "waiting",
        refunds=tuple(
            GivenBack(
                str(one["id"]),
                Decimal(one["amount"]),
                not any(one.get(key) for key in ("line_items", "shipping_lines", "fee_lines")),
            )
            for one in state.refunds.get(order["id"], [])
        ),
        told=Told(
            private=tuple(note["note"] for note in notes if not note["customer_note"]),
            public=tuple(note["note"] for note in notes if note["customer_note"]),
            fields=fields,
        ),
        email=order["billing"]["email"],
    )


def presta_sales(state: PrestaState, *, store: str, nip: str) -> list[Sale]:
    """The orders of a PrestaShop shop."""
    with state.lock:
        return [_presta_sale(state, key, store, nip) for key in state.tables["orders"]]


def _presta_sale(state: PrestaState, key: int, store: str, nip: str) -> Sale:
    order, seen = state.entity("orders", key), state.seen(key)
    customer = state.tables["customers"].get(int(order.text("id_customer") or 0))
    current = order.text("current_state")
    return Sale(
        store=store,
        nip=nip,
        remote_id=str(key),
        number=order.text("reference"),
        total=Decimal(order.text("total_paid_tax_incl")).quantize(Decimal("0.01")),
        state="cancelled" if current == "6" else "waiting" if current in {"1", "10"} else "paid",
        refunds=tuple(
            GivenBack(
                one.text("id"),
                (
                    Decimal(one.text("total_products_tax_incl"))
                    + Decimal(one.text("total_shipping_tax_incl"))
                ).quantize(Decimal("0.01")),
            )
            for one in state.of_order("order_slip", key)
        ),
        told=Told(
            private=tuple(line for line in str(seen["note"]).split("\n") if line.strip()),
            public=tuple(str(one["message"]) for one in seen["messages"]),
        ),
        email=customer.text("email") if customer else "",
    )


def shopify_sales(state: ShopifyState, *, store: str, nip: str) -> list[Sale]:
    """The orders of a Shopify shop."""
    with state.lock:
        return [_shopify_sale(order, store, nip) for order in state.orders.values()]


def _shopify_sale(order: Row, store: str, nip: str) -> Sale:
    fields: dict[str, tuple[str, ...]] = {}
    for one in order["metafields"]["nodes"]:
        name = "number" if one["key"] == "number" else one["key"]
        fields[name] = (*fields.get(name, ()), one["value"])
    is_paid = order["displayFinancialStatus"] in {"PAID", "PARTIALLY_REFUNDED", "REFUNDED"}
    return Sale(
        store=store,
        nip=nip,
        remote_id=str(order["legacyResourceId"]),
        number=str(order["name"]),
        total=_money(order["totalPriceSet"]),
        state="cancelled" if order["cancelledAt"] else "paid" if is_paid else "waiting",
        refunds=tuple(
            GivenBack(
                str(one["legacyResourceId"]),
                sum((_money(paid["amountSet"]) for paid in one["transactions"]["nodes"]), Decimal(0)),
                not one["refundLineItems"]["nodes"] and not one["refundShippingLines"]["nodes"],
            )
            for one in order["refunds"]
        ),
        told=Told(
            private=tuple(part for part in (order["note"] or "").split("\n\n") if part.strip()),
            fields=fields,
            tags=sum(tag == "KSeF" for tag in order["tags"]),
            kinds=("private",),
        ),
        email=order["email"] or "",
    )


def _money(bag: Row) -> Decimal:
    return Decimal(bag["presentmentMoney"]["amount"]).quantize(Decimal("0.01"))


def letters_with(messages: Iterable[EmailMessage], message_id: str) -> int:
    """How many e-mails have a Message-ID."""
    return sum(str(one["Message-ID"]).strip() == message_id for one in messages)


def text_of(message: EmailMessage) -> str:
    """An e-mail's plain text."""
    part: Any = message.get_body(("plain",))
    return "" if part is None else str(part.get_content())
