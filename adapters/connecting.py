"""How shops are connected, said in words that know no platform, so that one form serves them all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from adapters.contract import NO_TEXT
from core.findings import Text


class FieldKind(StrEnum):
    """How a value of a store's configuration is entered."""

    TEXT = "text"
    SECRET = "secret"  # noqa: S105  the name of a kind
    SWITCH = "switch"
    """``yes`` or ``no``."""
    CHOICE = "choice"


@dataclass(frozen=True, slots=True)
class ConfigField:
    """One value of a store's configuration, as a form asks for it.

    Attributes:
        name: its key in the configuration.
        label: what a person calls it. hint: where to find it, or what it does; may be empty.
        kind: how it is entered.
        needed: whether it has to be there.
        choices: values with their words, the default first; for :attr:`FieldKind.CHOICE`.
        default: of a switch that was never set.
    """

    name: str
    label: Text
    hint: Text = NO_TEXT
    kind: FieldKind = FieldKind.TEXT
    needed: bool = False
    choices: tuple[tuple[str, Text], ...] = ()
    default: bool = False


@dataclass(frozen=True, slots=True)
class Way:
    """One way to connect a platform's shop.

    Attributes:
        code: stable name. title: for a person.
        steps: what to do in the shop before, with its exact menu names.
        fields: what has to be entered.
        by_consent: the shop is asked to agree in the browser, and gives the keys by itself; see
            :class:`Consent`.
    """

    code: str
    title: Text
    steps: tuple[Text, ...]
    fields: tuple[ConfigField, ...]
    by_consent: bool = False


@dataclass(frozen=True, slots=True)
class Connecting:
    """How shops of a platform are connected, for a form; a package offers ``CONNECTING``.

    Attributes:
        name: of the platform, as people write it.
        address: hint about the shop's address. example: of one.
        ways: the usual one first.
        options: what may be set beside, for shops that differ.
        signs: entries of a configuration with the way that each shows, the surest first.
        given: entries that the shop or the connector itself writes; kept while the way stays the same.
    """

    name: str
    address: Text
    example: str
    ways: tuple[Way, ...]
    options: tuple[ConfigField, ...]
    signs: tuple[tuple[str, str], ...]
    given: frozenset[str] = frozenset()

    def way(self, code: str) -> Way | None:
        """The way of a code."""
        return next((one for one in self.ways if one.code == code), None)

    def way_of(self, config: Mapping[str, str]) -> Way:
        """The way that a configuration was made by; the usual one when it does not show."""
        shown = next((code for entry, code in self.signs if config.get(entry)), self.ways[0].code)
        return self.way(shown) or self.ways[0]


class Consent(Protocol):
    """Keys by a person's consent in the shop; a package whose platform knows it offers ``CONSENT``.

    The person is sent to :meth:`address`; the shop sends the browser back to our callback, and some shops
    post the keys to the same callback before. A random ``state`` ties all three together.
    """

    needs_https: bool
    """The shop takes a callback by https only."""

    def address(self, config: Mapping[str, str], *, callback: str, state: str) -> str:
        """Where to send the person's browser.

        Args:
            config: what was entered; ``url`` among it.
            callback: our address for the browser and the shop.
            state: nobody else knows it.

        Raises:
            ShopError: a value is malformed.
        """
        ...

    def state_in(self, params: Mapping[str, str]) -> str:
        """The state that the browser brought back; empty when there is none."""
        ...

    def delivered(self, body: bytes) -> tuple[str, dict[str, str]]:
        """What the shop itself posted: the state, and entries of the configuration.

        Raises:
            UnreadableEvent: it is no such delivery.
        """
        ...

    def returned(
        self, config: Mapping[str, str], params: Mapping[str, str], *, state: str, now: datetime
    ) -> dict[str, str]:
        """Entries of the configuration after the browser came back; may ask the shop for them.

        Args:
            config: what was entered, with what was delivered.
            params: the query that came back.
            state: that :meth:`address` was given.
            now: aware UTC.

        Raises:
            ForgedEvent: it does not come from the shop.
            ShopError: the person did not agree, or the shop gives no keys.
        """
        ...
