"""What the sandbox shop knows: orders with their refunds, metafield definitions, subscriptions, tokens."""

from __future__ import annotations

import copy
import hashlib
import json
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

Json = dict[str, Any]
Happened = Callable[[str, Json], None]
"""Takes a webhook topic (``ORDERS_UPDATED``) and its payload."""

ALL_SCOPES = frozenset({"read_orders", "write_orders", "read_customers"})
_HOUR, _DAY = timedelta(hours=1), timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Token:
    """An access token that the shop has given.

    Attributes:
        scopes: what it may do. ends: aware UTC; ``None`` for ever.
    """

    scopes: frozenset[str] = ALL_SCOPES
    ends: datetime | None = None


@dataclass(slots=True)
class ShopState:
    """The shop's data and the changes that its API can make.

    Attributes:
        clock: the time now, aware UTC.
        orders: global id to order, in the shape of :mod:`sandbox.shopify.shapes`; ``refunds`` are whole.
        definitions: of metafields. subscriptions: to webhooks. emails: sent by ``orderInvoiceSend``.
        tokens: access tokens. refresh_tokens, codes: each works once.
        client_id, client_secret: of the app.
        happened: told of every change, as webhooks are.
        path: file that keeps the shop over a restart; ``None`` keeps it in memory.
        lock: held by whoever reads or changes several things that belong together.
    """

    clock: Callable[[], datetime]
    client_id: str
    client_secret: str = field(repr=False)
    orders: dict[str, Json] = field(default_factory=dict)
    definitions: list[Json] = field(default_factory=list)
    subscriptions: dict[str, Json] = field(default_factory=dict)
    emails: list[Json] = field(default_factory=list)
    tokens: dict[str, Token] = field(default_factory=dict)
    refresh_tokens: set[str] = field(default_factory=set)
    codes: set[str] = field(default_factory=set)
    scopes: frozenset[str] = ALL_SCOPES
    happened: Happened = lambda _topic, _payload: None
    path: Path | None = None
    lock: threading.RLock = field(default_factory=threading.RLock)
    _next: int = 9000

    def load(self) -> None:
        """Read the file, when there is one.

        Raises:
            json.JSONDecodeError, UnicodeDecodeError, KeyError: it holds something else.
        """
        if self.path is None or not self.path.exists():
            return
        data = json.loads(self.path.read_text("utf-8"))
        self.orders, self.definitions = data["orders"], data["definitions"]
        self.subscriptions, self.emails = data["subscriptions"], data["emails"]
        self.refresh_tokens, self.codes = set(data["refresh_tokens"]), set(data["codes"])
        self._next = data["next"]
        for token, scopes, ends in data["tokens"]:
            self.tokens[token] = Token(frozenset(scopes), datetime.fromisoformat(ends) if ends else None)

    def save(self) -> None:
        """Write the file anew, when there is one; the old one stays until the new one is complete."""
        if self.path is None:
            return
        with self.lock:
            tokens = [
                (text, sorted(one.scopes), one.ends.isoformat() if one.ends else None)
                for text, one in self.tokens.items()
            ]
            data = {
                "orders": self.orders,
                "definitions": self.definitions,
                "subscriptions": self.subscriptions,
                "emails": self.emails,
                "refresh_tokens": sorted(self.refresh_tokens),
                "codes": sorted(self.codes),
                "next": self._next,
                "tokens": tokens,
            }
            self.path.parent.mkdir(parents=True, exist_ok=True)
            draft = self.path.with_name(f"{self.path.name}.new")
            draft.write_text(json.dumps(data, ensure_ascii=False), "utf-8")
            draft.replace(self.path)

    def take_over(self, orders: Iterable[Json]) -> None:
        """Add copies of orders that the shop does not have yet."""
        self.add_orders(order for order in orders if order["id"] not in self.orders)

    def now(self) -> str:
        """The time now as the API writes it."""
        return self.clock().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def new_id(self, kind: str) -> str:
        """A global id that nothing else has."""
        self._next += 1
        return f"gid://shopify/{kind}/{self._next}"

    def add_orders(self, orders: Iterable[Json]) -> None:
        """Add copies of orders."""
        with self.lock:
            for order in orders:
                self.orders[order["id"]] = copy.deepcopy(order)
                self.happened("ORDERS_CREATE", _order_payload(order))

    def add_refund(self, number: int, refund: Json, *, financial: str = "PARTIALLY_REFUNDED") -> None:
        """Add a refund to an order as the admin would; the order's modification time becomes now."""
        with self.lock:
            order = self.orders[f"gid://shopify/Order/{number}"]
            order["refunds"].append(copy.deepcopy(refund) | {"updatedAt": self.now()})
            order["displayFinancialStatus"] = financial
            self.happened("REFUNDS_CREATE", _refund_payload(refund, order))
            self.touch(order)

    def change(self, number: int, **fields: Any) -> None:
        """Set fields of an order as the admin would; its modification time becomes now."""
        with self.lock:
            order = self.orders[f"gid://shopify/Order/{number}"]
            order.update(fields)
            self.touch(order)

    def touch(self, order: Json) -> None:
        """Set an order's modification time to now, which the shop tells of."""
        order["updatedAt"] = self.now()
        self.happened("ORDERS_UPDATED", _order_payload(order))

    def delete(self, number: int) -> None:
        """Delete an order for good."""
        with self.lock:
            order = self.orders.pop(f"gid://shopify/Order/{number}")
            # the only payload without a time
            self.happened("ORDERS_DELETE", {"id": int(order["legacyResourceId"])})

    def order(self, gid: str) -> Json | None:
        """The order itself, not a copy; ``None`` when there is none."""
        return self.orders.get(gid)

    def refund(self, gid: str) -> tuple[Json, Json] | None:
        """A refund and its order; ``None`` when there is none."""
        for order in self.orders.values():
            for one in order["refunds"]:
                if one["id"] == gid:
                    return one, order
        return None

    def grant(self, *, rotating: bool, scopes: frozenset[str] | None = None) -> Json:
        """Give an access token, and a refresh token when it rotates."""
        with self.lock:
            self._next += 1
            lasts = _HOUR if rotating else _DAY
            granted = self.scopes if scopes is None else scopes
            access = f"shpat_{hashlib.sha256(f'access {self._next}'.encode()).hexdigest()[:32]}"
            self.tokens[access] = Token(granted, self.clock() + lasts)
            answer = {
                "access_token": access,
                "scope": ",".join(sorted(granted)),
                "expires_in": int(lasts.total_seconds()) - 1,
            }
            if rotating:
                refresh = f"shprt_{hashlib.sha256(f'refresh {self._next}'.encode()).hexdigest()[:32]}"
                self.refresh_tokens.add(refresh)
                answer |= {"refresh_token": refresh, "refresh_token_expires_in": 90 * 86_400}
            return answer

    def new_code(self) -> str:
        """A code of the authorization code grant; it works once."""
        self._next += 1
        code = hashlib.sha256(f"code {self._next}".encode()).hexdigest()[:32]
        self.codes.add(code)
        return code

    def token(self, text: str) -> Token | None:
        """A token that works now."""
        found = self.tokens.get(text)
        if found is None or (found.ends is not None and self.clock() >= found.ends):
            return None
        return found


def _order_payload(order: Json) -> Json:
    """The part of a webhook's order that subscriptions ask for, and a field that none may get."""
    return {
        "id": int(order["legacyResourceId"]),
        "admin_graphql_api_id": order["id"],
        "updated_at": order["updatedAt"],
        "email": order["email"],
    }


def _refund_payload(refund: Json, order: Json) -> Json:
    return {
        "id": int(refund["legacyResourceId"]),
        "order_id": int(order["legacyResourceId"]),
        "created_at": refund["createdAt"],
        "processed_at": refund["processedAt"],
        "note": refund["note"],
    }


def digest(value: str) -> str:
    """``compareDigest`` of a metafield's value."""
    return hashlib.sha256(value.encode()).hexdigest()
