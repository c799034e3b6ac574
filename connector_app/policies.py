"""What a merchant decided once about a store: when an order is due, for whom, and where results go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from adapters.contract import Channel
from core.ksef.offline import OfflinePolicy


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
    """Every refund whose split by VAT rate is known, up to a limit if there is one; the others ask."""
    ASK = "ask"
    """None: each asks a person first."""


class Trigger(StrEnum):
    """When an order is due."""

    PAID = "paid"
    """Paid, or accepted for fulfilment (processing), e.g. cash on delivery."""
    MONEY = "money"
    """The shop has confirmed the money."""
    COMPLETED = "completed"


# a shop offers an order state or its own e-mail only when its configuration says so: the merchant's wish
_ALL_CHANNELS = tuple(Channel)


class Place(StrEnum):
    """Where the invoices of a kind of sale belong that need not be in KSeF."""

    KSEF = "ksef"
    OUTSIDE = "outside"


@dataclass(frozen=True, slots=True)
class StorePolicy:
    """A store's rules.

    Attributes:
        recipients: see :class:`Recipients`.
        trigger: see :class:`Trigger`. corrections: see :class:`Corrections`.
        after_days: so many days after the trigger, never beyond the 15th of the month after the sale.
        corrections_limit: refunds of more than this, in the order's currency, ask a person.
        consumers: where consumers' invoices belong. oss: where those of OSS sales do.
        receipts: orders with a NIP up to 450 PLN get a receipt with the NIP, a simplified invoice.
        relief: use the monthly relief of 10 000 PLN for invoices outside KSeF.
        mail: the connector sends buyers e-mails by itself.
        buyer_upo: the buyer's page gives the UPO too.
        offline: what to do in an announced outage of KSeF.
        start_day: orders placed before this Warsaw day are never invoiced.
        channels: where results are written.
        language: language of notes when the buyer's is unknown, ``pl`` or ``en``.
    """

    recipients: Recipients = Recipients.NIP
    trigger: Trigger = Trigger.PAID
    after_days: int = 0
    corrections: Corrections = Corrections.AUTOMATIC
    corrections_limit: Decimal | None = None
    consumers: Place = Place.KSEF
    oss: Place = Place.OUTSIDE
    receipts: bool = False
    relief: bool = False
    mail: bool = False
    buyer_upo: bool = False
    offline: OfflinePolicy = OfflinePolicy.ASK
    start_day: date | None = None
    channels: tuple[Channel, ...] = _ALL_CHANNELS
    language: str = "pl"

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> StorePolicy:
        """The policy that :meth:`as_json` gave; missing entries take their defaults."""
        default = cls()
        start, limit = values.get("start_day"), values.get("corrections_limit")
        channels = values.get("channels")
        return cls(
            recipients=Recipients(values.get("recipients", default.recipients)),
            trigger=Trigger(values.get("trigger", default.trigger)),
            after_days=values.get("after_days", default.after_days),
            corrections=Corrections(values.get("corrections", default.corrections)),
            corrections_limit=None if limit is None else Decimal(limit),
            consumers=Place(values.get("consumers", default.consumers)),
            oss=Place(values.get("oss", default.oss)),
            receipts=values.get("receipts", default.receipts),
            relief=values.get("relief", default.relief),
            mail=values.get("mail", default.mail),
            buyer_upo=values.get("buyer_upo", default.buyer_upo),
            offline=OfflinePolicy(values.get("offline", default.offline)),
            start_day=date.fromisoformat(start) if start else None,
            channels=default.channels if channels is None else tuple(Channel(one) for one in channels),
            language=values.get("language", default.language),
        )

    def corrects_by_itself(self, amount: Decimal) -> bool:
        """Whether a refund of an amount (its sign does not matter) becomes a correction without a person."""
        limit = self.corrections_limit
        return self.corrections is Corrections.AUTOMATIC and (limit is None or abs(amount) <= limit)

    def as_json(self) -> dict[str, Any]:
        """The policy as JSON-ready values."""
        return {
            "recipients": self.recipients.value,
            "trigger": self.trigger.value,
            "after_days": self.after_days,
            "corrections": self.corrections.value,
            "corrections_limit": None if self.corrections_limit is None else f"{self.corrections_limit:f}",
            "consumers": self.consumers.value,
            "oss": self.oss.value,
            "receipts": self.receipts,
            "relief": self.relief,
            "mail": self.mail,
            "buyer_upo": self.buyer_upo,
            "offline": self.offline.value,
            "start_day": self.start_day.isoformat() if self.start_day else None,
            "channels": [channel.value for channel in self.channels],
            "language": self.language,
        }
