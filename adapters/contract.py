"""What every shop adapter offers, in words that know no platform.

A fourth platform is a folder with an implementation of :class:`ShopAdapter` and an entry in
:mod:`adapters.registry`. Errors that an adapter raises are always one of the tree below::

    ShopError
    ├── ShopUnavailable      no answer, a broken answer, 5xx: try again later
    │   └── ShopBusy         429 or 503 with Retry-After: try again then
    ├── ShopRefused          the shop understood and said no (4xx)
    │   ├── ShopAuthFailed   wrong, revoked or too weak key
    │   └── NotFound         no such order
    └── UnreadableOrder      the shop's data is not what its contract says
        └── UnreadableFile   bytes that are not even of the platform's form (JSON, XML)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from core.orders import Order, Refund


class ShopError(Exception):
    """A shop did not do what was asked.

    Attributes:
        message: an English sentence without secrets or query strings.
        hint: what a person can do about it; may be empty.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ShopUnavailable(ShopError):
    """No usable answer came: connection, timeout, 5xx, HTML instead of JSON, a cut answer.

    Attributes:
        outcome_unknown: a write may or may not have been stored; look before repeating it.
    """

    def __init__(self, message: str, *, hint: str = "", outcome_unknown: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.outcome_unknown = outcome_unknown


class ShopBusy(ShopUnavailable):
    """The shop asks for a pause.

    Attributes:
        retry_after: seconds to wait, as the shop said, or a default.
    """

    def __init__(self, message: str, *, retry_after: float, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class ShopRefused(ShopError):
    """The shop refused for good; repeating the same request changes nothing.

    Attributes:
        code: the platform's own error code; empty when it gave none.
        status: HTTP status.
    """

    def __init__(self, message: str, *, code: str = "", status: int = 0, hint: str = "") -> None:
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

    def __init__(self, message: str, *, path: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.path = path


class UnreadableFile(UnreadableOrder):
    """Bytes that cannot be parsed at all.

    Attributes:
        form: what was expected, e.g. ``JSON``.
    """

    def __init__(self, message: str, *, form: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.form = form


class Channel(StrEnum):
    """Ways in which a platform can show a result; each is one publication."""

    PRIVATE_NOTE = "private_note"
    """A note that only the merchant sees."""
    CUSTOMER_NOTE = "customer_note"
    """A text that the buyer sees; the shop may send it by e-mail."""
    METADATA = "metadata"
    """Machine-readable fields on the order."""


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
    title: str
    detail: str


class ShopAdapter(Protocol):
    """One connected store.

    An adapter is made by its module's ``connect`` function and owns its HTTP session; it is not shared
    between threads.
    """

    platform: str
    channels: frozenset[Channel]

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
