"""What every shop adapter offers, in words that know no platform.

A fourth platform is a folder with an implementation of :class:`ShopAdapter` and an entry in
:mod:`adapters.registry`. Errors that an adapter raises are always one of the tree below::

    ShopError
    ├── ShopUnavailable      no answer, a broken answer, 5xx: try again later
    │   └── ShopBusy         429 or 503 with Retry-After: try again then
    ├── ShopRefused          the shop understood and said no (4xx)
    │   ├── ShopAuthFailed   wrong, revoked or too weak key
    │   └── NotFound         no such order
    ├── ForgedEvent          a webhook whose signature is missing or wrong
    ├── UnreadableEvent      a webhook that its platform's rules do not explain
    └── UnreadableOrder      the shop's data is not what its contract says
        └── UnreadableFile   bytes that are not even of the platform's form (JSON, XML)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol, runtime_checkable

from core.findings import Text
from core.orders import Order, Refund

Said = str | Text
"""A sentence in both screen languages, or in English where nobody has said it in Polish."""


NO_TEXT = Text("", "")
"""Nothing to say."""


def both(said: Said) -> Text:
    """A sentence for both screen languages."""
    return said if isinstance(said, Text) else Text(said, said)


class ShopError(Exception):
    """A shop did not do what was asked.

    Attributes:
        message: an English sentence without secrets or query strings.
        hint: what a person can do about it, in English; may be empty.
        said: the message in both screen languages. advice: the hint in both.
    """

    def __init__(self, message: Said, *, hint: Said = "") -> None:
        self.said, self.advice = both(message), both(hint)
        super().__init__(self.said.en)
        self.message = self.said.en
        self.hint = self.advice.en

    @property
    def words(self) -> Text:
        """Message and hint as sentences for a person, in both screen languages."""
        return Text(_sentences(self.said.pl, self.advice.pl), _sentences(self.said.en, self.advice.en))


def _sentences(message: str, hint: str) -> str:
    if not hint:
        return message
    return f"{message}{'' if message.endswith(('.', '!', '?')) else '.'} {hint}"


class ShopUnavailable(ShopError):
    """No usable answer came: connection, timeout, 5xx, HTML instead of JSON, a cut answer.

    Attributes:
        outcome_unknown: a write may or may not have been stored; look before repeating it.
    """

    def __init__(self, message: Said, *, hint: Said = "", outcome_unknown: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.outcome_unknown = outcome_unknown


class ShopBusy(ShopUnavailable):
    """The shop asks for a pause.

    Attributes:
        retry_after: seconds to wait, as the shop said, or a default.
    """

    def __init__(self, message: Said, *, retry_after: float, hint: Said = "") -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class ShopRefused(ShopError):
    """The shop refused for good; repeating the same request changes nothing.

    Attributes:
        code: the platform's own error code; empty when it gave none.
        status: HTTP status.
    """

    def __init__(self, message: Said, *, code: str = "", status: int = 0, hint: Said = "") -> None:
        super().__init__(message, hint=hint)
        self.code = code
        self.status = status


class ShopAuthFailed(ShopRefused):
    """The key is wrong, revoked, or may not do this."""


class NotFound(ShopRefused):
    """The shop knows no such entity."""


class UnreadableOrder(ShopError):
    """Data that is no order, or an order that contradicts its own contract.

    Attributes:
        path: where in the data, e.g. ``line_items[0].total``; empty when it is all of it.
    """

    def __init__(self, message: Said, *, path: str = "", hint: Said = "") -> None:
        super().__init__(message, hint=hint)
        self.path = path


class UnreadableFile(UnreadableOrder):
    """Bytes that cannot be parsed at all.

    Attributes:
        form: what was expected, e.g. ``JSON``.
    """

    def __init__(self, message: Said, *, form: str, hint: Said = "") -> None:
        super().__init__(message, hint=hint)
        self.form = form


class ForgedEvent(ShopError):
    """A webhook that does not carry a right signature: it is answered 401 and changes nothing."""


class UnreadableEvent(ShopError):
    """A signed webhook that is not what the platform documents: it is answered 400."""


class Channel(StrEnum):
    """Ways in which a platform can show a result; each is one publication."""

    PRIVATE_NOTE = "private_note"
    """A note that only the merchant sees."""
    CUSTOMER_NOTE = "customer_note"
    """A text that the buyer sees; the shop may send it by e-mail."""
    METADATA = "metadata"
    """Machine-readable fields on the order."""
    TAG = "tag"
    """A label that a merchant filters orders by."""
    ORDER_STATE = "order_state"
    """A state of the order that the merchant made for it; the shop may send its e-mail."""
    ORDER_EMAIL = "order_email"
    """An e-mail about the order that the platform itself sends, with our text."""


@dataclass(frozen=True, slots=True)
class Message:
    """What one publication should say.

    Attributes:
        text: plain text with bare links, in the reader's language (notes); empty for metadata.
        marker: a text that is contained in ``text`` and in no other message of this order and channel,
            so that an earlier copy is found (the KSeF number, or the invoice number).
        fields: neutral metadata names to values: ``ksef_number``, ``invoice_number``, ``status``,
            ``verification_url``, ``pdf_url``.
    """

    text: str = ""
    marker: str = ""
    fields: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One line of ``store check``.

    Attributes:
        ok: ``True`` good, ``False`` broken, ``None`` worth knowing.
        title: what was looked at.
        detail: what was seen, and what to do when it is broken.
    """

    ok: bool | None
    title: Text
    detail: Text


@dataclass(frozen=True, slots=True)
class RefundChange:
    """A refund that was made or changed.

    Attributes:
        order_id: whose.
        refund_id: which.
        changed_at: aware UTC; the moment that the next look begins from.
    """

    order_id: str
    refund_id: str
    changed_at: datetime


class Entity(StrEnum):
    """What an event is about."""

    ORDER = "order"
    REFUND = "refund"
    """Its id is the refund's, or the order's where the platform tells only that."""
    APP = "app"
    """The connection itself: the app was uninstalled."""
    PRIVACY = "privacy"
    """A request about personal data that the platform demands an answer to."""
    PING = "ping"
    """A trial delivery."""


@dataclass(frozen=True, slots=True)
class ShopEvent:
    """What a verified webhook says: that something changed, never what it is now.

    Attributes:
        topic: the platform's own name.
        entity: what changed.
        entity_id: its id; empty when there is none.
        order_id: the order to read again; empty when the event does not tell.
        modified: when it changed as far as the event tells, aware UTC; deduplicates with topic and id.
    """

    topic: str
    entity: Entity
    entity_id: str = ""
    order_id: str = ""
    modified: datetime | None = None


@dataclass(frozen=True, slots=True)
class WebhookHealth:
    """One subscription as the shop has it.

    Attributes:
        topic: the platform's own name.
        active: whether it is delivered.
        detail: what is wrong, in an English sentence; empty when nothing is.
    """

    topic: str
    active: bool
    detail: str = ""


class Webhooks(Protocol):
    """The subscriptions of one connected store."""

    topics: tuple[str, ...]

    def register(self, url: str, secret: str) -> None:
        """Make the missing subscriptions, correct those that differ, and re-enable disabled ones.

        Safe to repeat. Subscriptions that lead elsewhere are somebody else's and stay.

        Args:
            url: where deliveries go.
            secret: that deliveries are signed with, where the platform lets us choose it.

        Raises:
            ShopError: it is not known to be done.
        """
        ...

    def health(self, url: str) -> list[WebhookHealth]:
        """How the subscriptions that lead to ``url`` are; a missing one is not active.

        Raises:
            ShopError: the shop cannot be asked now.
        """
        ...

    def unregister(self, url: str) -> None:
        """Delete the subscriptions that lead to ``url``.

        Raises:
            ShopError: it is not known to be done.
        """
        ...


class EventReader(Protocol):
    """Verifies and reads a webhook without a network; a package offers ``event_reader(config)``."""

    def __call__(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> ShopEvent:
        """Verify and read one delivery.

        Args:
            headers: with names in lower case.
            body: exactly the bytes that came.
            secrets: any of which may have signed it (two during a rotation).

        Raises:
            ForgedEvent: no secret fits; compared in constant time.
            UnreadableEvent: the signature is right and the content is not.
        """
        ...


class ShopAdapter(Protocol):
    """One connected store.

    An adapter is made by its module's ``connect`` function and owns its HTTP session; it is not shared
    between threads.

    Attributes:
        platform: its name in :mod:`adapters.registry`.
        channels: in which it can publish.
        webhooks: its subscriptions; ``None`` for a platform that has none.
    """

    platform: str
    channels: frozenset[Channel]
    webhooks: Webhooks | None

    def changed_orders(self, since: datetime | None) -> Iterator[Order | UnreadableOrder]:
        """Orders modified at or after a moment, oldest modification first, paged to the end.

        An order that cannot be read is yielded as its error, so that one broken order does not hide
        the others; ``UnreadableOrder.path`` starts with the order's id then.

        Args:
            since: aware UTC; ``None`` means all orders.

        Raises:
            ShopError: the shop cannot be read now.
        """
        ...

    def order(self, order_id: str) -> Order:
        """Read one order anew.

        Raises:
            NotFound: it is gone.
            UnreadableOrder: the answer is no order.
            ShopError: the shop cannot be read now.
        """
        ...

    def refunds(self, order: Order) -> tuple[Refund, ...]:
        """All refunds of an order, oldest first.

        Raises:
            ShopError: the shop cannot be read now.
        """
        ...

    def changed_refunds(self, since: datetime | None) -> Iterator[RefundChange]:
        """Refunds made or changed at or after a moment, oldest change first, paged to the end.

        They have a clock of their own, because a platform may leave the order's untouched.

        Args:
            since: aware UTC; ``None`` means all refunds.

        Raises:
            ShopError: the shop cannot be read now.
        """
        ...

    def publish(self, order_id: str, channel: Channel, message: Message) -> str:
        """Write one publication once and give its remote id.

        Safe to repeat: before writing, an earlier copy with the same marker is looked for and its id
        returned instead.

        Raises:
            ShopError: it is not known to be written.
        """
        ...

    def check(self) -> list[CheckLine]:
        """Look at the connection, permissions and settings, and say in words what was seen."""
        ...

    def close(self) -> None:
        """Give the connection back."""
        ...


class OrderReader(Protocol):
    """Reads an order from a file in the platform's own form, without a network; see ``invoice build``."""

    def __call__(self, data: bytes) -> Order:
        """Read and map one order.

        Args:
            data: the whole file.

        Raises:
            UnreadableFile: the bytes are not of the platform's form.
            UnreadableOrder: they are, but no order, or one that contradicts itself.
        """
        ...


@dataclass(frozen=True, slots=True)
class TaxRate:
    """One row of a shop's tax table.

    Attributes:
        rate: percentage.
        country: ISO 3166-1 alpha-2; empty when it holds everywhere or the shop does not tell.
        name: as the shop calls it.
    """

    rate: Decimal
    country: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class TaxClass:
    """A tax treatment that a merchant can give to products, as the shop's settings have it.

    Attributes:
        key: as :attr:`core.orders.TaxShare.tax_class` names it; ``standard`` for the standard class.
        name: as the shop calls it.
        rates: what it charges, and where.
        tells_rates: without rates nothing is charged; else the settings do not tell.
    """

    key: str
    name: Text
    rates: tuple[TaxRate, ...] = ()
    tells_rates: bool = True


@runtime_checkable
class TellsTaxes(Protocol):
    """What an adapter may offer besides: the shop's own tax settings."""

    def tax_settings(self) -> tuple[TaxClass, ...]:
        """The tax classes that products can have.

        Raises:
            ShopError: the shop cannot be read now, or the key may not.
        """
        ...
