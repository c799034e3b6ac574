"""What the sandbox shop knows: orders, notes, refunds, e-mails sent. In memory, or in one JSON file.

The file is replaced as a whole after every change, so that a killed process leaves the shop as it was
before or after the change, never between.
"""

from __future__ import annotations

import copy
import json
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from pathlib import Path
from typing import Any

from sandbox.woocommerce.webhooks import Sender, WebhookBook

Json = dict[str, Any]

_REFUND_LINES = ("line_items", "shipping_lines", "fee_lines")


class UnknownOrderError(LookupError):
    """The shop has no such order."""


@dataclass(slots=True)
class ShopState:
    """The shop's data and the changes that its API can make.

    Attributes:
        clock: the time now, aware UTC.
        zone: the shop's time zone; its ``date_*`` fields are local, its ``date_*_gmt`` fields UTC.
        path: the file to keep the data in; ``None`` keeps it in memory.
        webhooks: subscriptions, and what they have to deliver.
        refunds_changed: refund id to the GMT time of its last change, which the API filters by and hides.
        lock: held by whoever reads or changes several things that belong together.
    """

    clock: Callable[[], datetime]
    zone: tzinfo = UTC
    path: Path | None = None
    orders: dict[int, Json] = field(default_factory=dict)
    notes: dict[int, list[Json]] = field(default_factory=dict)
    refunds: dict[int, list[Json]] = field(default_factory=dict)
    emails: list[Json] = field(default_factory=list)
    webhooks: WebhookBook = field(default_factory=WebhookBook)
    refunds_changed: dict[int, str] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    _next_id: int = 1000

    def load(self) -> None:
        """Take over what the file holds, when there is one."""
        if self.path is None or not self.path.exists():
            return
        data = json.loads(self.path.read_text(encoding="utf-8"))
        self.orders = {int(key): value for key, value in data["orders"].items()}
        self.notes = {int(key): value for key, value in data["notes"].items()}
        self.refunds = {int(key): value for key, value in data["refunds"].items()}
        self.emails = data["emails"]
        self._next_id = data["next_id"]
        hooks = data.get("webhooks", {})
        self.webhooks = WebhookBook({int(key): value for key, value in hooks.items()})
        self.refunds_changed = {int(key): value for key, value in data.get("refunds_changed", {}).items()}

    def save(self) -> None:
        """Write the file anew, when there is one; the old one stays until the new one is complete."""
        if self.path is None:
            return
        data = {
            "orders": self.orders,
            "notes": self.notes,
            "refunds": self.refunds,
            "emails": self.emails,
            "next_id": self._next_id,
            "webhooks": self.webhooks.hooks,
            "refunds_changed": self.refunds_changed,
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_name(f"{self.path.name}.new")
        with draft.open("w", encoding="utf-8") as file:
            json.dump(data, file, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.path)

    def add_orders(self, orders: Iterable[Json], refunds: Mapping[int, Iterable[Json]]) -> None:
        """Add orders, and refunds by order id, that the shop does not have yet; known ids stay."""
        with self.lock:
            for order in orders:
                if order["id"] not in self.orders:
                    self.orders[order["id"]] = copy.deepcopy(order)
                    self.webhooks.happened("order.created", order["id"])
            for order_id, items in refunds.items():
                self.refunds.setdefault(order_id, [copy.deepcopy(item) for item in items])
            self.save()

    def order(self, order_id: int) -> Json:
        """The order itself, not a copy.

        Raises:
            UnknownOrderError: no such order.
        """
        if order_id not in self.orders:
            raise UnknownOrderError(order_id)
        return self.orders[order_id]

    def change(self, order_id: int, **fields: Any) -> None:
        """Set fields of an order as the shop's own screens would; its modification time becomes now."""
        with self.lock:
            self.order(order_id).update(fields)
            self.touch(order_id)
            self.save()

    def touch(self, order_id: int) -> None:
        """Set an order's modification time to now."""
        self.order(order_id).update(self.times("date_modified"))
        self.webhooks.happened("order.updated", order_id)

    def trash(self, order_id: int) -> None:
        """Move an order to the bin: it is no longer listed, and can be read by its id."""
        with self.lock:
            self.change(order_id, status="trash", _untrashed=self.order(order_id)["status"])
            self.webhooks.happened("order.deleted", order_id)

    def restore(self, order_id: int) -> None:
        """Take an order out of the bin."""
        with self.lock:
            self.change(order_id, status=self.order(order_id).pop("_untrashed"))
            self.webhooks.happened("order.restored", order_id)

    def delete(self, order_id: int) -> None:
        """Delete an order, its notes and refunds for good."""
        with self.lock:
            self.order(order_id)
            for rows in (self.orders, self.notes, self.refunds):
                rows.pop(order_id, None)
            self.webhooks.happened("order.deleted", order_id)
            self.save()

    def set_metadata(self, order_id: int, entries: Iterable[Json]) -> None:
        """Add, change in place or (``value`` null) delete metadata by key, as the shop does."""
        rows: list[Json] = self.order(order_id).setdefault("meta_data", [])
        for entry in entries:
            known = next((row for row in rows if row["key"] == entry["key"]), None)
            value = entry.get("value")
            if value is None:
                rows[:] = [row for row in rows if row["key"] != entry["key"]]
            elif known is not None:
                known["value"] = value
            else:
                rows.append({"id": self.new_id(), "key": entry["key"], "value": value})

    def add_note(self, order_id: int, text: str, *, for_customer: bool) -> Json:
        """Store a note; it does not change the order's modification time. A customer note is mailed."""
        order = self.order(order_id)
        note = {
            "id": self.new_id(),
            "author": "WooCommerce",
            **self.times("date_created"),
            "note": text,
            "customer_note": for_customer,
        }
        self.notes.setdefault(order_id, []).append(note)
        if for_customer:
            self.emails.append({"to": order["billing"]["email"], "order_id": order_id, "note": text})
        return note

    def add_refund(self, order_id: int, refund: Json) -> None:
        """Add a refund as the shop's own screens would; changes the order's modification time."""
        with self.lock:
            order = self.order(order_id)
            self.refunds.setdefault(order_id, []).append(copy.deepcopy(refund))
            items = [item for key in _REFUND_LINES for item in refund.get(key, [])]
            tax = sum((Decimal(item["total_tax"]) for item in items), Decimal("0.00"))
            order.setdefault("refunds", []).append(
                {
                    "id": refund["id"],
                    "reason": refund.get("reason", ""),
                    "total": f"-{refund['amount']}",
                    "total_tax": str(tax),
                }
            )
            self.refunds_changed[refund["id"]] = self.times("at")["at_gmt"]
            self.touch(order_id)
            self.webhooks.happened("action.woocommerce_refund_created", refund["id"])
            self.webhooks.happened("action.woocommerce_order_refunded", order_id)
            self.save()

    def delete_refund(self, order_id: int, refund_id: int) -> None:
        """Delete a refund as the shop's own screens would; the order keeps its status."""
        with self.lock:
            order = self.order(order_id)
            for rows in (self.refunds[order_id], order["refunds"]):
                rows[:] = [row for row in rows if row["id"] != refund_id]
            self.touch(order_id)
            self.save()

    def all_refunds(self) -> list[tuple[str, Json]]:
        """Every refund with its order's id (``parent_id``), behind the GMT time of its last change."""
        return [
            (
                self.refunds_changed.get(one["id"]) or str(one["date_created_gmt"]),
                one | {"parent_id": order_id},
            )
            for order_id, items in self.refunds.items()
            for one in items
        ]

    def sender(self, source: str) -> Sender:
        """What delivers the webhooks that are due.

        Args:
            source: the shop's own address.
        """
        return Sender(self.webhooks, self._payload, self.clock, source)

    def _payload(self, topic: str, argument: int) -> Json:
        """A delivery's body as the shop says it now."""
        if topic.startswith("action."):
            return {"action": topic.removeprefix("action."), "arg": argument}
        if topic == "order.deleted":
            return {"id": argument}
        with self.lock:
            if argument not in self.orders:
                return {
                    "code": "woocommerce_rest_shop_order_invalid_id",
                    "message": "Invalid ID.",
                    "data": {"status": 404},
                }
            return copy.deepcopy(self.orders[argument])

    def new_id(self) -> int:
        """An id that nothing else has."""
        self._next_id += 1
        return self._next_id

    def times(self, name: str) -> Json:
        """The time now as the shop writes it: local and GMT, both without a zone."""
        now = self.clock().replace(microsecond=0)
        return {
            name: now.astimezone(self.zone).replace(tzinfo=None).isoformat(),
            f"{name}_gmt": now.astimezone(UTC).replace(tzinfo=None).isoformat(),
        }
