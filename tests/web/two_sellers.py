"""An installation of two sellers that must never see each other: each with rows in every table.

A new table gets a row of each seller by itself, and a new feature finds something of the other seller
behind each of its addresses.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Date, Integer, LargeBinary, Table, insert, select, update
from sqlalchemy.orm import Session

from connector_app.credentials import seal_certificate
from connector_app.people.accounts import add_user, digest
from connector_app.profiles import parse
from connector_app.sellers import fill
from connector_app.store import desk, machines, proofs, watching
from connector_app.store.models import Base, Document, Seller, ShopOrder, Store
from connector_app.store.people import Role, User
from connector_app.store.types import DecimalText, UtcDateTime
from connector_app.web.app import Pulse, WebOptions
from core.fa import registry
from core.ksef import environments
from core.signing.keys import self_signed
from tests.pipeline.world import NIP, START, World, recorded, world
from tests.web.site import PASSWORD, Browser, Site, site

OTHER_NIP = "7010353442"
FOREIGN = "obce"
"""What everything of the other seller is called by."""
OWN = "swoje"
OUTSIDE = "203.0.113.9"
"""Where browsers come from: not this machine, which may see more."""
MARKS = (OTHER_NIP, "Obcy", FOREIGN, FOREIGN.upper())
"""What no page of the own seller's people may hold."""
TOKENS = {OWN: "ksefc_swoj_token_maszyny", FOREIGN: "ksefc_obcy_token_maszyny"}
"""Tokens of machines."""

_VALUES: dict[str, dict[str, Any]] = {
    "jobs": {"state": "done", "kind": "dry-run"},
    "buyer_proposals": {
        "state": "new",
        "nip": "5260250274",
        "address": {"line1": "ul. Nowa 1", "line2": "", "country": "PL"},
    },
    "mails": {"state": "sent", "occasion": "accepted"},
    "hook_deliveries": {"event": "document.accepted", "body": {"data": {}}},
    "api_tokens": {"writes": True, "revoked_at": None},
    "invitations": {"role": "viewer"},
    "alerts": {"kind": "attention", "severity": "warning", "closed_at": None},
    "alert_letters": {"state": "sent", "items": []},
    "hooks": {"url": "https://127.0.0.1:1/hook", "events": ["document.accepted"]},
}
"""Values that pages rely on, where an invented one would not do."""
_KNOWN = (desk, machines, proofs, watching)
"""Imported for their tables, whether or not a feature of today's application uses them."""
_EMPTY = {"settings"}
"""Tables of the installation itself."""


@dataclass
class Side:
    """One seller with everything that belongs to it.

    Attributes:
        name: :data:`OWN` or :data:`FOREIGN`. seller_id, nip, code: its keys.
        ids: of one row of each table, by the table's name.
    """

    name: str
    seller_id: int
    nip: str
    code: str
    ids: dict[str, int] = field(default_factory=dict)


@dataclass
class Two:
    """Both sides and the application over them.

    Attributes:
        pages: the application. own, other: the sides.
    """

    pages: Site
    own: Side
    other: Side

    def browser(self, role: Role | str) -> Browser:
        """A person of the own seller, or ``admin``, or ``nobody`` for who is not signed in."""
        browser = self.pages.browser()
        browser.client.environ_base["REMOTE_ADDR"] = OUTSIDE
        return browser if role == "nobody" else browser.sign_in(email_of(OWN, role), PASSWORD)


def email_of(side: str, role: Role | str) -> str:
    """Address of a person: one for each role and side, and ``admin``."""
    return f"{role}@{side}.example"


@contextmanager
def built(home: Path) -> Iterator[tuple[World, Side, Side]]:
    """Run the pipeline for two sellers, and fill every table for both."""
    with world(home, [recorded("order_full"), recorded("order_blocks_checkout_with_nip")]) as made:
        made.prepare()
        with made.services().database.begin() as session:
            _second_seller(session, made)
        made.run()
        with made.services().database.begin() as session:
            _rename(session)
            sides = [_side(session, name, nip) for name, nip in ((OWN, NIP), (FOREIGN, OTHER_NIP))]
        yield made, sides[0], sides[1]


def opened(built_one: tuple[World, Side, Side], folder: Path) -> Two:
    """A copy of what was built, so that a test may change it."""
    made, own, other = built_one
    home = folder / "home"
    shutil.copytree(made.home, home, ignore=shutil.ignore_patterns("ksef.sqlite3*"))
    copy = World(home, made.ksef, made.shop, made.clock)
    services = copy.services()
    pulse = Pulse(
        started=services.clock(),
        at=services.clock(),
        problems=[f"Sklep {other.code}: nie odpowiada"],
        notices=[f"Sprzedawca {OTHER_NIP}: certyfikat niedługo wygaśnie"],
    )
    return Two(site(services, WebOptions(limits=False, private_addresses=True), pulse), own, other)


def belongings(session: Session, side: Side) -> dict[str, set[str]]:
    """Every row that belongs to a seller, by table: its own, and what refers to them."""
    ids: dict[str, set[Any]] = {"sellers": {side.seller_id}}
    people = select(User.id).where(User.email.endswith(f"@{side.name}.example"))
    ids["users"] = set(session.scalars(people))
    found: dict[str, set[str]] = {}
    for table in Base.metadata.sorted_tables:
        rows = session.execute(select(table)).mappings().all()
        own = [one for one in rows if _belongs(table, one, ids)]
        key = next(iter(table.primary_key.columns)).name
        ids.setdefault(table.name, set()).update(one[key] for one in own)
        found[table.name] = {repr(sorted(dict(one).items(), key=lambda pair: pair[0])) for one in own}
    return found


def _belongs(table: Table, row: Any, ids: dict[str, set[Any]]) -> bool:
    key = next(iter(table.primary_key.columns)).name
    if row[key] in ids.get(table.name, set()) and table.name in {"sellers", "users"}:
        return True
    return table.name not in {"sellers", "users"} and any(
        row[column.name] in ids.get(one.column.table.name, set())
        for column in table.columns
        for one in column.foreign_keys
    )


def _second_seller(session: Session, made: World) -> None:
    """The other seller, in front of the same shop."""
    services = made.services()
    profile = parse(
        {"seller": {"nip": OTHER_NIP, "name": "Obcy Sprzedawca", "address": {"line1": "ul. Obca 1"}}}
    )
    seller = Seller(nip=OTHER_NIP, created_at=services.clock())
    session.add(seller)
    place = environments.custom(made.ksef.api_url, made.ksef.qr_url)
    sealed = seal_certificate(services.vault, self_signed(OTHER_NIP, now=services.clock()))
    fill(seller, profile, place, registry.schema_for("FA3"), sealed)
    session.flush()
    first = session.scalars(select(Store)).one()
    session.add(
        Store(
            code=f"{FOREIGN}-sklep",
            seller_id=seller.id,
            platform=first.platform,
            url=first.url,
            config=first.config,
            policy=first.policy,
            created_at=services.clock(),
        )
    )


def _rename(session: Session) -> None:
    """Both sellers sell the same orders of one shop: what the other one has is told by its names."""
    other = session.scalars(select(Seller.id).where(Seller.nip == OTHER_NIP)).one()
    store = session.scalars(select(Store.id).where(Store.seller_id == other)).one()
    documents = session.scalars(select(Document).where(Document.seller_id == other)).all()
    assert any(one.ksef_number for one in documents), "the pipeline did its work"
    for document in documents:
        document.number, document.buyer_name = f"{FOREIGN}/{document.id}", f"Obcy Nabywca {document.id}"
    for order in session.scalars(select(ShopOrder).where(ShopOrder.store_id == store)):
        order.number = f"{FOREIGN}-{order.id}"
    session.execute(update(Store).where(Store.id == store).values(url=f"https://{FOREIGN}.example"))


def _side(session: Session, name: str, nip: str) -> Side:
    """Find what the pipeline made of a seller, add its people, and fill the other tables."""
    seller = session.scalars(select(Seller).where(Seller.nip == nip)).one()
    store = session.scalars(select(Store).where(Store.seller_id == seller.id)).one()
    side = Side(name, seller.id, nip, store.code, {"sellers": seller.id, "stores": store.id})
    for role in Role:
        add_user(
            session,
            email_of(name, role),
            PASSWORD,
            START,
            name=f"{name} {role.value}",
            roles={seller.id: role},
        )
    if name == OWN:
        add_user(session, email_of(name, "admin"), PASSWORD, START, name="admin", is_admin=True)
    side.ids["users"] = session.scalars(select(User.id).where(User.email == email_of(name, Role.OWNER))).one()
    for table in Base.metadata.sorted_tables:
        if table.name not in side.ids and table.name not in _EMPTY:
            side.ids[table.name] = _row_of(session, table, side)
    return side


def _row_of(session: Session, table: Table, side: Side) -> int:
    """The id of a row that belongs to a side: found, or made."""
    links = {
        column.name: side.ids[key.column.table.name]
        for column in table.columns
        for key in column.foreign_keys
        if key.column.table.name in side.ids and len(table.foreign_keys) > 0
    }
    if len(table.primary_key.columns) != 1:
        return 0
    (key,) = table.primary_key.columns
    if links:
        strong = {name: value for name, value in links.items() if not table.columns[name].nullable}
        query = select(key).where(*[table.columns[name] == one for name, one in (strong or links).items()])
        found = session.execute(query.order_by(key.asc())).scalars().first()
        if found is not None:
            return int(found) if isinstance(found, int) else 0
    values = {
        column.name: links.get(column.name, _invented(table, column, side.name))
        for column in table.columns
        if not (column is key and isinstance(column.type, Integer) and not column.foreign_keys)
        and (not column.nullable or column.name in links or (side.name == FOREIGN and _is_text(column)))
    }
    values |= _VALUES.get(table.name, {})
    if table.name == "api_tokens":
        values["token_sha256"] = digest(TOKENS[side.name])
    made = session.execute(insert(table).values(values).returning(key)).scalar_one()
    return made if isinstance(made, int) else 0


def _is_text(column: Column[Any]) -> bool:
    return (
        isinstance(column.type.python_type, type)
        and column.type.python_type is str
        and not (isinstance(column.type, UtcDateTime | DecimalText | JSON) or column.foreign_keys)
    )


def _invented(table: Table, column: Column[Any], name: str) -> Any:
    kind = column.type
    if isinstance(kind, UtcDateTime):
        return datetime(2027, 1, 1, tzinfo=START.tzinfo)
    if isinstance(kind, Date):
        return date(2026, 11, 24)
    if isinstance(kind, DecimalText):
        return Decimal("1.00")
    if isinstance(kind, JSON):
        return {}
    if isinstance(kind, Boolean):
        return False
    if isinstance(kind, LargeBinary):
        return name.encode()
    if isinstance(kind, Integer):
        return 1
    text = f"{name} {table.name} {column.name}"
    length = getattr(kind, "length", None)
    # long texts are mostly sentences in both languages
    return text[:length] if length else json.dumps({"pl": text, "en": text})
