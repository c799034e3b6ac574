"""The platforms that this product knows, by name; each is imported when it is asked for.

The only place outside a platform's own folder that names it. A platform's package offers
``connect(config) -> ShopAdapter``, ``order_reader(config) -> OrderReader``, ``CONFIG_KEYS`` and
``ORDER_FILE``; one whose shops send webhooks offers ``event_reader(config) -> EventReader`` too. One
with ``SAVES_CONFIG`` changes its own configuration (tokens that rotate), and its ``connect`` also takes
``save_config``, ``load_config`` and ``guard``. ``CONNECTING`` describes how its shops are connected, and
``CONSENT``, where the platform knows it, gets the keys by a person's consent in the shop.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from types import MappingProxyType, ModuleType

from adapters.connecting import Connecting, Consent
from adapters.contract import (
    EventReader,
    OrderReader,
    ShopAdapter,
    ShopError,
)
from core.findings import Text

_PACKAGES: Mapping[str, str] = MappingProxyType(
    {
        "woocommerce": "adapters.woocommerce",
        "prestashop": "adapters.prestashop",
        "shopify": "adapters.shopify",
    }
)

PLATFORMS: tuple[str, ...] = tuple(_PACKAGES)
"""Names of the known platforms."""


class UnknownPlatform(ShopError):
    """No adapter has that name."""


def connect(
    platform: str,
    config: Mapping[str, str],
    *,
    save_config: Callable[[Mapping[str, str]], None] | None = None,
    load_config: Callable[[], Mapping[str, str]] | None = None,
    guard: Callable[[], AbstractContextManager[None]] | None = None,
) -> ShopAdapter:
    """Make the adapter of a store; nothing is contacted yet.

    Args:
        platform: one of :data:`PLATFORMS`.
        config: the store's configuration, see :func:`config_keys`.
        save_config: stores changed entries of the configuration durably before it returns.
        load_config: the configuration as it is stored now.
        guard: keeps every other worker out while the configuration is renewed.

    Raises:
        UnknownPlatform: no such platform.
        ShopError: a required value is missing or malformed.
    """
    package = _package(platform)
    keeping: dict[str, object] = {}
    if getattr(package, "SAVES_CONFIG", False):
        keeping = {"save_config": save_config, "load_config": load_config, "guard": guard}
    adapter: ShopAdapter = package.connect(config, **keeping)
    return adapter


def order_reader(platform: str, config: Mapping[str, str] | None = None) -> OrderReader:
    """The platform's reader of order files; needs no network.

    Args:
        platform: one of :data:`PLATFORMS`.
        config: options of the store that touch mapping; credentials are not needed.

    Raises:
        UnknownPlatform: no such platform.
        ShopError: an option is malformed.
    """
    reader: OrderReader = _package(platform).order_reader(config or {})
    return reader


def sends_events(platform: str) -> bool:
    """Whether the platform's shops send webhooks.

    Raises:
        UnknownPlatform: no such platform.
    """
    return hasattr(_package(platform), "event_reader")


def event_reader(platform: str, config: Mapping[str, str]) -> EventReader | None:
    """The platform's reader of webhooks; needs no network.

    Args:
        platform: one of :data:`PLATFORMS`.
        config: the store's configuration.

    Returns:
        ``None`` for a platform that sends none.

    Raises:
        UnknownPlatform: no such platform.
        ShopError: a required value is missing or malformed.
    """
    make = getattr(_package(platform), "event_reader", None)
    if make is None:
        return None
    reader: EventReader = make(config)
    return reader


def order_file(platform: str) -> Text:
    """How a person makes a file that :func:`order_reader` reads, in a sentence.

    Raises:
        UnknownPlatform: no such platform.
    """
    hint: Text = _package(platform).ORDER_FILE
    return hint


def config_keys(platform: str) -> Mapping[str, str]:
    """What a store's configuration may say, key to meaning.

    Raises:
        UnknownPlatform: no such platform.
    """
    keys: Mapping[str, str] = _package(platform).CONFIG_KEYS
    return keys


def connecting(platform: str) -> Connecting:
    """How shops of a platform are connected, for a form.

    Raises:
        UnknownPlatform: no such platform.
    """
    found: Connecting = _package(platform).CONNECTING
    return found


def consent(platform: str) -> Consent | None:
    """Getting a platform's keys by a person's consent in the shop; ``None`` where there is no such thing.

    Raises:
        UnknownPlatform: no such platform.
    """
    found: Consent | None = getattr(_package(platform), "CONSENT", None)
    return found


def _package(platform: str) -> ModuleType:
    if platform not in _PACKAGES:
        raise UnknownPlatform(
            f"there is no adapter for the platform {platform!r}", hint=f"Known are: {', '.join(PLATFORMS)}."
        )
    return importlib.import_module(_PACKAGES[platform])
