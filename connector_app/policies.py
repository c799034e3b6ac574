"""What a merchant decided once about a store: when an order is due, for whom, and where results go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from adapters.contract import Channel
from connector_app.store.models import DocumentState
from core.calendar import warsaw_day
from core.findings import Text
from core.ksef.offline import OfflinePolicy
from core.orders import CALLED_OFF, Order, OrderState


class Recipients(StrEnum):
    """Whose orders become invoices by themselves."""

    NIP = "nip"
    """Buyers who gave a tax number, or a company name."""
    ASKED = "asked"
    """Those, and buyers who ticked that they want an invoice."""
    EVERYONE = "everyone"
    """All buyers; consumers' invoices are voluntary in KSeF."""


class Corrections(StrEnum):
    """Which refunds become corrections by themselves."""

    AUTOMATIC = "automatic"
    """Every refund whose split by VAT rate is known; the others ask a person."""
    ASK = "ask"
    """None: each asks a person first."""


class Trigger(StrEnum):
    """When an order is due."""

    PAID = "paid"
    COMPLETED = "completed"


# a shop offers an order state only when its configuration names one, so that is the merchant's wish
_ALL_CHANNELS = (Channel.PRIVATE_NOTE, Channel.CUSTOMER_NOTE, Channel.METADATA, Channel.ORDER_STATE)


@dataclass(frozen=True, slots=True)
class StorePolicy:
    """A store's rules.

    Attributes:
        recipients: see :class:`Recipients`.
        trigger: see :class:`Trigger`. corrections: see :class:`Corrections`.
        offline: what to do in an announced outage of KSeF.
        start_day: orders placed before this Warsaw day are never invoiced.
        channels: where results are written.
        language: language of notes when the buyer's is unknown, ``pl`` or ``en``.
    """

    recipients: Recipients = Recipients.NIP
    trigger: Trigger = Trigger.PAID
    corrections: Corrections = Corrections.AUTOMATIC
    offline: OfflinePolicy = OfflinePolicy.ASK
    start_day: date | None = None
    channels: tuple[Channel, ...] = _ALL_CHANNELS
    language: str = "pl"

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> StorePolicy:
        """The policy that :meth:`as_json` gave; missing entries take their defaults."""
        default = cls()
        start = values.get("start_day")
        channels = values.get("channels")
        return cls(
            recipients=Recipients(values.get("recipients", default.recipients)),
            trigger=Trigger(values.get("trigger", default.trigger)),
            corrections=Corrections(values.get("corrections", default.corrections)),
            offline=OfflinePolicy(values.get("offline", default.offline)),
            start_day=date.fromisoformat(start) if start else None,
            channels=default.channels if channels is None else tuple(Channel(one) for one in channels),
            language=values.get("language", default.language),
        )

    def as_json(self) -> dict[str, Any]:
        """The policy as JSON-ready values."""
        return {
            "recipients": self.recipients.value,
            "trigger": self.trigger.value,
            "corrections": self.corrections.value,
            "offline": self.offline.value,
            "start_day": self.start_day.isoformat() if self.start_day else None,
            "channels": [channel.value for channel in self.channels],
            "language": self.language,
        }


@dataclass(frozen=True, slots=True)
class Decision:
    """What a store's rules say about an order that was not invoiced yet.

    Attributes:
        state: ``ready``, ``waiting`` or ``cancelled``.
        reason: why, for a person.
    """

    state: DocumentState
    reason: Text


def decide(order: Order, policy: StorePolicy) -> Decision:
    """Say whether an order is due for its invoice."""
    never = _never(order, policy)
    if never is not None:
        return Decision(DocumentState.CANCELLED, never)
    not_yet = _not_yet(order, policy)
    if not_yet is not None:
        return Decision(DocumentState.WAITING, not_yet)
    return Decision(DocumentState.READY, Text("Zamówienie do zafakturowania.", "The order is due."))


def _never(order: Order, policy: StorePolicy) -> Text | None:
    """Why no invoice will be made as things stand."""
    if order.state in CALLED_OFF:
        return Text("Zamówienie anulowano przed wystawieniem faktury.", "Cancelled before it was invoiced.")
    if order.total == 0:
        return Text(
            "Zamówienie nic nie kosztowało, więc nie ma czego fakturować.",
            "The order cost nothing, so there is nothing to invoice.",
        )
    if policy.start_day and warsaw_day(order.created_at) < policy.start_day:
        return Text(
            f"Zamówienie złożono przed {policy.start_day}, od kiedy działa łącznik.",
            f"The order was placed before {policy.start_day}, when the connector starts.",
        )
    return None


def _not_yet(order: Order, policy: StorePolicy) -> Text | None:
    """What the invoice waits for."""
    if not _is_recipient(order, policy):
        return Text(
            "Nabywca jest konsumentem bez NIP; według ustawień sklepu nie wystawia się faktury.",
            "The buyer is a consumer without a tax number; the store's settings ask for no invoice.",
        )
    if order.state is OrderState.PENDING:
        return Text(
            f"Zamówienie czeka na zapłatę (status „{order.status}”).",
            f'The order waits for payment (status "{order.status}").',
        )
    if policy.trigger is Trigger.COMPLETED and order.state is OrderState.PAID:
        return Text(
            "Zamówienie jest opłacone; faktura powstanie po zrealizowaniu.",
            "The order is paid; its invoice is issued when it is completed.",
        )
    return None


def _is_recipient(order: Order, policy: StorePolicy) -> bool:
    business = bool(order.buyer.tax_ids or order.buyer.company.strip())
    match policy.recipients:
        case Recipients.EVERYONE:
            return True
        case Recipients.ASKED:
            return business or bool(order.wants_invoice)
        case Recipients.NIP:
            return business
