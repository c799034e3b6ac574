"""The order's state and when it was reached.

A merchant can make states of their own, so the flags of ``order_states`` count: ``shipped`` is completed,
``paid`` is paid. Cancelled and failed orders bear no flag; they are known by the shop's own ids and by the
templates of their e-mails. "Refunded" alone moves no money (no credit slip is made), and merchants use it for
partial refunds too, so it counts only when the merchant says so; until then such an order waits. A connected
shop tells it as refunded without refunds, about which the pipeline asks a person.

The state that the connector itself may set to send an e-mail says nothing of the order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from adapters.prestashop.mapping.bundle import Bundle
from adapters.prestashop.mapping.options import MappingOptions
from adapters.prestashop.mapping.resource import Resource
from core.orders import OrderState, StatusChange

_REFUNDED_ID, _REFUNDED_TEMPLATE = "7", "refund"
_BY_ID: Mapping[str, OrderState] = {"6": OrderState.CANCELLED, "8": OrderState.FAILED}
_BY_TEMPLATE: Mapping[str, OrderState] = {
    "order_canceled": OrderState.CANCELLED,
    "payment_error": OrderState.FAILED,
}


@dataclass(frozen=True, slots=True)
class History:
    """An order's states over time.

    Attributes:
        status: name of the current state, or its id when the name is not known; state: the neutral one.
        changes: oldest first.
        paid_at, completed_at: when a state of that meaning was reached first; ``None`` when never, or
            when the bundle tells no history.
    """

    status: str
    state: OrderState
    changes: tuple[StatusChange, ...]
    paid_at: datetime | None
    completed_at: datetime | None


def read_history(bundle: Bundle, options: MappingOptions) -> History:
    """Read an order's current state and its history.

    Raises:
        UnreadableOrder: references or times that cannot be read.
    """
    current = bundle.order.reference("current_state")
    changes: list[StatusChange] = []
    paid_at = completed_at = None
    for entry in bundle.of_order("order_history"):
        key = entry.identifier("id_order_state")
        at = entry.needed_moment("date_add", options.time_zone)
        changes.append(StatusChange(_name(bundle, key), at))
        state = _neutral(bundle, key, options)
        if _is_paid(bundle, key, options):
            paid_at = min(paid_at or at, at)
        if state is OrderState.COMPLETED:
            completed_at = min(completed_at or at, at)
    current = _current(bundle, current, options)
    return History(
        status=_name(bundle, current),
        state=_neutral(bundle, current, options),
        changes=tuple(sorted(changes, key=lambda change: change.at)),
        paid_at=paid_at,
        completed_at=completed_at,
    )


def _current(bundle: Bundle, current: str, options: MappingOptions) -> str:
    """The current state, or the last one before it that says something."""
    if current not in options.untold_states:
        return current
    entries = sorted(
        bundle.of_order("order_history"),
        key=lambda one: (one.needed_moment("date_add", options.time_zone), int(one.id)),
    )
    keys = [one.identifier("id_order_state") for one in entries]
    return next((key for key in reversed(keys) if key not in options.untold_states), current)


def _neutral(bundle: Bundle, key: str, options: MappingOptions) -> OrderState:
    """The neutral state of a state; an unknown one is pending, so that nothing is invoiced by a guess."""
    if key in options.states:
        return options.states[key]
    state = bundle.find("order_state", key)
    known = _BY_ID.get(key) or (_BY_TEMPLATE.get(state.text("template")) if state else None)
    if options.calls_refunded and _is_called_refunded(key, state):
        return OrderState.REFUNDED
    if known or state is None:
        return known or OrderState.PENDING
    if state.flag("shipped"):
        # sent before it was paid (cash on delivery) is completed too
        return OrderState.COMPLETED
    return OrderState.PAID if state.flag("paid") else OrderState.PENDING


def _is_called_refunded(key: str, state: Resource | None) -> bool:
    return key == _REFUNDED_ID or (state is not None and state.text("template") == _REFUNDED_TEMPLATE)


def _is_paid(bundle: Bundle, key: str, options: MappingOptions) -> bool:
    """Whether a state says that the money came; a parcel to be paid on delivery is sent without it."""
    state = bundle.find("order_state", key)
    return options.states.get(key) is OrderState.PAID or (state is not None and state.flag("paid"))


def _name(bundle: Bundle, key: str) -> str:
    state = bundle.find("order_state", key)
    return (state.text("name") if state else "") or key
