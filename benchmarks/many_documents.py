"""A database of many documents: three sellers, ten stores, real XML and UPO of every tenth kind, all states.

Reusable: :func:`fill` puts them into an installation's database, quickly and always the same.
``python -m benchmarks.many_documents FILE [COUNT]`` makes a database file.
"""

from __future__ import annotations

import hashlib
import random
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from benchmarks import documents
from connector_app.ksef_access import environment_json
from connector_app.store.database import open_database
from connector_app.store.listing import BUYER_LENGTH, folded, minor_units, search_text
from connector_app.store.models import Document, Event, Publication, Seller, ShopOrder, Store
from connector_app.store.sessions import Sessions
from connector_app.store.snapshots import to_json
from core.calendar import warsaw_day
from core.fa import registry
from core.fa.write import write
from core.ksef import environments

SELLERS = ("5265877635", "7010002137", "5252248481")
STORES = 10
BEGIN = datetime(2026, 2, 1, 8, 0, tzinfo=UTC)
_CHUNK = 2_000
_PATTERNS = 20
_UPO = b"u" * 4_000
_FIRST = ("Anna", "Łukasz", "Żaneta", "Piotr", "Świętosława", "Jan", "Ewa", "Michał")
_LAST = ("Kowalska", "Wiśniewski", "Żółć", "Nowak", "Dąbrowska", "Lis", "Źrebiec", "Ćma")
_STATES = ("published",) * 93 + ("attention", "waiting", "ready", "rejected", "cancelled", "accepted", "sent")


def fill(database: Sessions, count: int) -> None:
    """Put sellers, stores, orders and documents into an empty database.

    Args:
        database: migrated.
        count: documents.
    """
    _frame(database)
    patterns = list(_patterns())
    dice = random.Random(20261124)
    for first in range(1, count + 1, _CHUNK):
        orders, rows, notes, events = [], [], [], []
        for number in range(first, min(first + _CHUNK, count + 1)):
            order, row = _document(number, count, dice, *patterns[number % _PATTERNS])
            orders.append(order)
            rows.append(row)
            if row["state"] == "published":
                notes.append(
                    {
                        "document_id": number, "channel": "private_note",
                        "remote_id": str(number), "done_at": row["accepted_at"],
                    }
                )  # fmt: skip
            events += [
                {
                    "document_id": number, "at": row["created_at"] + timedelta(seconds=second),
                    "state": row["state"], "text": '{"pl": "Krok.", "en": "A step."}',
                }
                for second in range(4)
            ]  # fmt: skip
        with database.begin() as session:
            for table, values in (
                (ShopOrder, orders),
                (Document, rows),
                (Publication, notes),
                (Event, events),
            ):
                if values:
                    session.execute(insert(table), values)
    with database.begin() as session:
        _count_on(session)


def _count_on(session: Session) -> None:
    """Let PostgreSQL give ids after those that were given here; SQLite does so by itself."""
    if session.get_bind().dialect.name != "postgresql":
        return
    for table in ("sellers", "stores", "orders", "documents"):
        session.execute(text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"))


def _frame(database: Sessions) -> None:
    profile = {"seller": {"nip": "", "name": "", "address": {"line1": "ul. Przykładowa 1"}}}
    environment = environments.custom("http://localhost:1/", "http://localhost:1")
    with database.begin() as session:
        for place, nip in enumerate(SELLERS, 1):
            seller = {"nip": nip, "name": f"Sklep {place} sp. z o.o.", "address": {"line1": "ul. Testowa 1"}}
            session.add(
                Seller(
                    id=place, nip=nip, name=str(seller["name"]), profile=profile | {"seller": seller},
                    environment=environment_json(environment), schema_version="FA3", credential="",
                    created_at=BEGIN,
                )
            )  # fmt: skip
        session.flush()
        for place in range(1, STORES + 1):
            session.add(
                Store(
                    id=place, seller_id=_seller_of(place), code=f"sklep-{place}", platform="woocommerce",
                    url=f"https://sklep-{place}.example", config="", policy={}, created_at=BEGIN,
                )
            )  # fmt: skip


def _seller_of(store: int) -> int:
    """The first seller has six of the ten stores."""
    return 1 if store <= 6 else 2 if store <= 9 else 3


def _patterns() -> Iterator[tuple[dict[str, Any], bytes]]:
    """Orders and their invoices of some twenty kinds; documents differ in what lists show."""
    schema = registry.schema_for("FA3")
    for number in range(_PATTERNS):
        lines = 3 + number % 5
        order = documents.order_of(documents.order_text(lines, number + 1))
        yield to_json(order), write(documents.issue(order, number + 1), schema)


def _document(
    number: int, count: int, dice: random.Random, snapshot: dict[str, Any], xml: bytes
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Rows of one order and of its document."""
    store = 1 + number % STORES
    made = BEGIN + timedelta(days=290) * number / count
    state = dice.choice(_STATES)
    issued = state in {"published", "accepted", "sent", "rejected"}
    total = Decimal(dice.randrange(1_000, 500_000)) / 100
    buyer = f"{dice.choice(_FIRST)} {dice.choice(_LAST)} {number}"
    tax_id = f"{dice.randrange(10**9, 10**10)}"
    day = warsaw_day(made)
    invoice = f"FV/{store}/{day:%Y}/{number}" if issued else None
    ksef = f"{SELLERS[_seller_of(store) - 1]}-{day:%Y%m%d}-{number:012X}-AF" if state in _IN_KSEF else None
    order = {
        "id": number, "store_id": store, "remote_id": str(number), "number": f"{100_000 + number}",
        "modified_at": made, "content_hash": "0" * 64, "snapshot": snapshot, "seen_at": made,
    }  # fmt: skip
    own = xml + f"<!-- {number} -->".encode()
    row = {
        "id": number, "seller_id": _seller_of(store), "order_id": number, "purpose": "invoice",
        "kind": "VAT", "state": state, "number": invoice, "issued_on": day if issued else None,
        "schema_version": "FA3" if issued else None, "xml": own if issued else None,
        "xml_sha256": hashlib.sha256(own).hexdigest() if issued else None,
        "total": total, "currency": "PLN", "buyer_name": buyer, "ksef_number": ksef,
        "accepted_at": made if ksef else None, "upo": _UPO if ksef else None,
        "upo_sha256": hashlib.sha256(_UPO).hexdigest() if ksef else None,
        "attempts": 0, "proof_attempts": 0, "offline_asked": False, "issue_asked": False,
        "created_at": made, "updated_at": made,
        "store_id": store, "day": day, "sort_total": minor_units(total),
        "buyer_key": folded(buyer)[:BUYER_LENGTH], "buyer_tax_id": tax_id,
        "search": search_text(invoice, ksef, f"{100_000 + number}", tax_id, buyer),
        "attention": _ATTENTION if state == "attention" else None,
    }  # fmt: skip
    return order, row


_IN_KSEF = frozenset({"published", "accepted"})
_ATTENTION = [
    {
        "code": "nip-wrong",
        "severity": "error",
        "path": "buyer",
        "message": {"pl": "NIP nabywcy ma złą cyfrę kontrolną.", "en": "The buyer's NIP has a wrong digit."},
        "hint": {"pl": "Popraw NIP w sklepie.", "en": "Correct the NIP in the shop."},
        "source": "",
    }
]


if __name__ == "__main__":
    made_database = open_database(f"sqlite:///{sys.argv[1]}")
    fill(made_database, int(sys.argv[2]) if len(sys.argv) > 2 else 100_000)
