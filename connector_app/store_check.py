"""Looking at a store's connection, permissions and settings, with its webhooks, in words."""

from __future__ import annotations

from adapters.contract import CheckLine, ShopAdapter, ShopError
from connector_app import subscriptions
from connector_app.pipeline.services import Services
from connector_app.store.models import Store
from connector_app.subscriptions import Door
from core.findings import Text

_WEBHOOKS = Text("webhooki", "webhooks")


def check_store(services: Services, store: Store) -> list[CheckLine]:
    """What works, what is missing and what is worth knowing; nothing is changed.

    Args:
        services: the outside world.
        store: with its connection data.

    Raises:
        ShopError: the connection data themselves are wrong; trouble of the shop is a line.
        VaultLocked: they cannot be decrypted.
    """
    shop = services.shop(store)
    try:
        return [*shop.check(), webhook_line(shop, subscriptions.door_of(services, store), store.code)]
    finally:
        shop.close()


def webhook_line(shop: ShopAdapter, door: Door | None, code: str) -> CheckLine:
    """Whether the shop tells of changes by itself.

    Args:
        shop: connected.
        door: where its webhooks come in; ``None`` when it never had one.
        code: of the store.
    """
    if shop.webhooks is None:
        none = Text(
            "ta platforma ich nie ma; zmiany są znajdowane przez pytanie",
            "this platform has none; changes are found by asking",
        )
        return CheckLine(None, _WEBHOOKS, none)
    if door is None or not door.base:
        unknown = Text(
            "niezarejestrowane; zmiany są znajdowane przez pytanie. Rejestruje je serve --public-url URL",
            "not registered; changes are found by asking. serve --public-url URL registers them",
        )
        return CheckLine(None, _WEBHOOKS, unknown)
    try:
        asleep = [one for one in shop.webhooks.health(door.address(code)) if not one.active]
    except ShopError as error:
        unseen = Text(f"nie da się ich obejrzeć: {error.said.pl}", f"cannot be looked at: {error.said.en}")
        return CheckLine(None, _WEBHOOKS, unseen)
    count = len(shop.webhooks.topics)
    if not asleep:
        return CheckLine(True, _WEBHOOKS, Text(f"działa wszystkie {count}", f"all {count} are active"))
    said = "; ".join(f"{one.topic}: {one.detail}" for one in asleep)
    again = f"ksef-connector store webhooks {code} --register"
    return CheckLine(False, _WEBHOOKS, Text(f"{said}. {again}", f"{said}. {again}"))


def as_json(lines: list[CheckLine]) -> list[dict[str, object]]:
    """The lines as JSON-ready values, both languages included."""
    return [
        {
            "ok": line.ok,
            "title": {"pl": line.title.pl, "en": line.title.en},
            "detail": {"pl": line.detail.pl, "en": line.detail.en},
        }
        for line in lines
    ]
