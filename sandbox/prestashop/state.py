"""What the sandbox shop knows: its entities and the e-mails sent. In memory, or in one JSON file.

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
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.prestashop.entities import NODES, Entity, Text

_FIRST_NEW_ID = 1000


class UnknownEntityError(LookupError):
    """The shop has no such entity."""


@dataclass(slots=True)
class ShopState:
    """The shop's data and the changes that its screens and its webservice can make.

    Attributes:
        clock: the time now, aware UTC.
        zone: of the shop's own clock, by which it writes all times, without saying so.
        path: the file to keep the data in; ``None`` keeps it in memory.
        tables: collection to its entities by id.
        emails: what the shop would have sent.
        lock: held by whoever reads or changes several things that belong together.
    """

    clock: Callable[[], datetime]
    zone: ZoneInfo
    path: Path | None = None
    tables: dict[str, dict[int, Entity]] = field(default_factory=lambda: {name: {} for name in NODES})
    emails: list[dict[str, str]] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    _last_id: int = _FIRST_NEW_ID

    def load(self) -> None:
        """Take over what the file holds, when there is one."""
        if self.path is None or not self.path.exists():
            return
        data = json.loads(self.path.read_text(encoding="utf-8"))
        for name, entities in data["tables"].items():
            self.tables[name] = {int(key): Entity.from_json(one) for key, one in entities.items()}
        self.emails, self._last_id = data["emails"], data["last_id"]

    def save(self) -> None:
        """Write the file anew, when there is one; the old one stays until the new one is complete."""
        if self.path is None:
            return
        tables = {
            name: {key: one.as_json() for key, one in entities.items()}
            for name, entities in self.tables.items()
        }
        data = {"tables": tables, "emails": self.emails, "last_id": self._last_id}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_name(f"{self.path.name}.new")
        with draft.open("w", encoding="utf-8") as file:
            json.dump(data, file, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.path)

    def take_over(self, data: Mapping[str, Iterable[Entity]]) -> None:
        """Add entities that the shop does not have yet; known ids stay as they are."""
        with self.lock:
            for name, entities in data.items():
                for one in entities:
                    self.tables[name].setdefault(one.id, copy.deepcopy(one))
            self.save()

    def entity(self, collection: str, key: int) -> Entity:
        """An entity itself, not a copy.

        Raises:
            UnknownEntityError: there is none.
        """
        found = self.tables[collection].get(key)
        if found is None:
            raise UnknownEntityError(f"{collection} {key}")
        return found

    def of_order(self, collection: str, order_id: int) -> list[Entity]:
        """The entities of a collection that name an order, oldest first."""
        return [one for one in self.tables[collection].values() if one.text("id_order") == str(order_id)]

    def change(self, order_id: int, **fields: str) -> None:
        """Set fields of an order as the shop's own screens would; its change time becomes now."""
        with self.lock:
            order = self.entity("orders", order_id)
            order.fields.update(fields)
            self.touch(order)
            self.save()

    def delete(self, order_id: int) -> None:
        """Delete an order as the webservice or a module can; what named it stays.

        Raises:
            UnknownEntityError: no such order.
        """
        with self.lock:
            self.entity("orders", order_id)
            del self.tables["orders"][order_id]
            self.save()

    def touch(self, entity: Entity) -> None:
        """Set the change time of an entity that has one to now."""
        if "date_upd" in entity.fields:
            entity.fields["date_upd"] = self.now()

    def set_state(self, order_id: int, state: int, *, employee: str = "0", mail: bool = False) -> Entity:
        """Put an order into a state; the same state again is one more entry, and one more e-mail.

        Returns:
            The new entry of the order's history.

        Raises:
            UnknownEntityError: no such order or state.
        """
        with self.lock:
            order, wanted = self.entity("orders", order_id), self.entity("order_states", state)
            entry = self.add(
                "order_histories",
                {"id_employee": employee, "id_order_state": str(state), "id_order": str(order_id)},
            )
            order.fields.update(current_state=str(state), valid=wanted.text("logable"))
            self.touch(order)
            if mail and wanted.text("send_email") == "1":
                customer = self.entity("customers", int(order.text("id_customer")))
                self.emails.append(
                    {
                        "to": customer.text("email"),
                        "order_id": str(order_id),
                        "template": wanted.text("template"),
                    }
                )
            self.save()
            return entry

    def add_slip(self, slip: Entity) -> None:
        """Make a credit slip as the shop's own screens would; the order's change time stays."""
        with self.lock:
            made = copy.deepcopy(slip)
            made.fields |= {"date_add": self.now(), "date_upd": self.now()}
            self.tables["order_slip"][made.id] = made
            self.save()

    def add(self, collection: str, fields: Mapping[str, Text]) -> Entity:
        """Store a new entity under an id that nothing else has; it is of now."""
        self._last_id += 1
        made: dict[str, Text] = {"id": str(self._last_id), **fields}
        made.setdefault("date_add", self.now())
        entity = Entity(made)
        self.tables[collection][entity.id] = entity
        return entity

    def now(self) -> str:
        """The time on the shop's clock."""
        return f"{self.clock().astimezone(self.zone):%Y-%m-%d %H:%M:%S}"

    def seen(self, order_id: int) -> dict[str, Any]:
        """What the shop shows of an order: its note, its messages, its history, its e-mails.

        Raises:
            UnknownEntityError: no such order.
        """
        order = self.entity("orders", order_id)
        threads = [one.text("id") for one in self.of_order("customer_threads", order_id)]
        messages = [
            one.fields
            for one in self.tables["customer_messages"].values()
            if one.text("id_customer_thread") in threads
        ]
        return {
            "note": order.text("note"),
            "date_upd": order.text("date_upd"),
            "current_state": order.text("current_state"),
            "threads": threads,
            "messages": messages,
            "histories": [one.fields for one in self.of_order("order_histories", order_id)],
            "emails": [mail for mail in self.emails if mail["order_id"] == str(order_id)],
        }
