"""What the conformance suite needs of a platform.

A platform joins the suite by one module ``tests/conformance/harness_<platform>.py`` with::

    CHANNELS: frozenset[Channel]                            # in which the adapter publishes
    def start() -> AbstractContextManager[Harness]: ...     # runs the platform's sandbox, empty

Nothing else has to be changed: every test of the suite then runs for it too. A test is left out only for a
reason that the harness states in ``lacks``.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum, auto
from pathlib import Path
from typing import Protocol

import pytest

from adapters.contract import Channel, EventReader, Message, ShopAdapter

LARGEST_ANSWER = 1_000_000
"""Bytes that an adapter of the suite takes; :attr:`Fault.HUGE` is larger."""

READ_SECONDS = 1.0
"""How long an adapter of the suite waits for an answer; :attr:`Fault.SLOW` is slower."""


class Key(StrEnum):
    """Credentials that a harness can connect with."""

    FULL = auto()
    WRONG = auto()
    READ_ONLY = auto()


class Part(StrEnum):
    """What a refund is for."""

    LINE = auto()
    """One unit of a product."""
    SHIPPING = auto()
    AMOUNT = auto()
    """Money without saying what for."""


class Fault(StrEnum):
    """What goes wrong with requests."""

    DOWN = auto()
    """HTTP 500, nothing done."""
    DROPPED = auto()
    """The connection ends before anything was done."""
    LOST_ANSWER = auto()
    """Everything was done and stored, then the connection ends."""
    HTML = auto()
    """A firewall's page with status 200."""
    TRUNCATED = auto()
    """The body ends before its announced length."""
    CUT = auto()
    """Half of the body as if it were all."""
    SLOW = auto()
    """Everything was done, the answer comes later than :data:`READ_SECONDS`."""
    BUSY = auto()
    """429 with Retry-After ``value``."""
    CLOSED = auto()
    """503 with Retry-After ``value``."""
    REDIRECT = auto()
    """To another address."""
    HUGE = auto()
    """A well-formed answer larger than :data:`LARGEST_ANSWER`."""


class Feature(StrEnum):
    """What a platform may lack, so that tests of it are left out with a reason."""

    WEBHOOKS = auto()
    READ_ONLY_KEY = auto()
    SHIPPING_REFUND = auto()
    AMOUNT_REFUND = auto()
    DELETE_ORDER = auto()
    BREAK_ORDER = auto()
    RETRY_AFTER = auto()
    REDIRECT = auto()


class MovableClock(Protocol):
    """One time for shop and adapter; it stands until it is moved."""

    now: datetime

    def __call__(self) -> datetime:
        """The time now, aware UTC."""
        ...

    def forward(self, seconds: float) -> None:
        """Move it."""
        ...


class Harness(Protocol):
    """A running sandbox of a platform and the ways in which a test moves it.

    Attributes:
        platform: its name.
        lacks: features that the platform does not have, and why.
        clock: of shop and adapters.
        pauses: seconds that adapters waited between attempts; they do not really wait.
        page: orders that the platform gives per page as the adapter asks.
        hidden: texts that no error, check or repr may show: keys and secrets.
        secrets: that deliveries may be signed with, for :attr:`read_event`.
        read_event: the platform's reader of webhooks; ``None`` without :attr:`Feature.WEBHOOKS`.
    """

    platform: str
    lacks: Mapping[Feature, str]
    clock: MovableClock
    pauses: list[float]
    page: int
    hidden: tuple[str, ...]
    secrets: tuple[str, ...]
    read_event: EventReader | None

    def adapter(self, key: Key = Key.FULL) -> ShopAdapter:
        """Connect with the suite's limits; the harness closes it in the end."""
        ...

    def add_orders(self, count: int) -> list[str]:
        """Paid orders, a second between their changes, the first one now; moves the clock; their ids."""
        ...

    def change(self, order_id: str) -> None:
        """Change something that a merchant changes; the order's modification time becomes now."""
        ...

    def break_order(self, order_id: str) -> None:
        """Make an order say what no order can say."""
        ...

    def delete(self, order_id: str) -> None:
        """Delete an order for good."""
        ...

    def refund(self, order_id: str, part: Part) -> str:
        """Give money back now; the refund's id."""
        ...

    def fault(self, kind: Fault, *, writing: bool = False, times: int = 1, value: float = 0) -> None:
        """Spoil the next requests.

        Args:
            kind: how.
            writing: only requests that change something, else only those that read.
            times: how many.
            value: seconds of a Retry-After.
        """
        ...

    def message(self, channel: Channel) -> Message:
        """Something that can be published in a channel."""
        ...

    def published(self, order_id: str, channel: Channel) -> list[str]:
        """Every copy that an order shows in a channel, as the shop has it."""
        ...

    def deliver(self, copies: int = 1) -> None:
        """Send the webhooks that are due, each so many times."""
        ...


class Clock:
    """A :class:`MovableClock`."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The time now."""
        return self.now

    def forward(self, seconds: float) -> None:
        """Move it."""
        self.now += timedelta(seconds=seconds)


def need(harness: Harness, *features: Feature) -> None:
    """Leave a test out for a platform that lacks something, with the reason that it states."""
    for feature in features:
        if feature in harness.lacks:
            pytest.skip(f"{harness.platform}: {harness.lacks[feature]}")


@dataclass(frozen=True, slots=True)
class Platform:
    """A platform of the suite.

    Attributes:
        start: runs its sandbox.
        channels: in which its adapter publishes.
    """

    start: Callable[[], AbstractContextManager[Harness]]
    channels: frozenset[Channel]


def platforms() -> dict[str, Platform]:
    """The platforms of the suite by name."""
    names = [one.name for one in pkgutil.iter_modules([str(Path(__file__).parent)])]
    found = {}
    for name in sorted(name for name in names if name.startswith("harness_")):
        module = importlib.import_module(f"tests.conformance.{name}")
        found[name.removeprefix("harness_")] = Platform(module.start, module.CHANNELS)
    return found
