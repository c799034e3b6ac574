"""``serve --sandbox``: KSeF and shops on this machine beside the application, for trying everything out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from connector_app.commands.app import App
from connector_app.commands.demo_home import DemoHome, state_errors
from connector_app.commands.sandbox_shops import SHOPS
from connector_app.web.here import SandboxPlaces
from core.findings import Text

_PROCESSING_SECONDS = 1.0


@contextmanager
def sandboxes(app: App) -> Iterator[SandboxPlaces]:
    """KSeF and one shop of each platform, on the ports and with the memory that they had before.

    Args:
        app: whose installation they play for; their files lie in its folder.
    """
    from sandbox.ksef.server import KsefSandbox  # noqa: PLC0415  servers load only when asked for

    home = DemoHome(app.settings.home)
    with ExitStack() as running:
        shops = {}
        with state_errors(app):
            for platform, make in SHOPS.items():
                shop = make(home.port(f"shop-{platform}"), home.shop_state(f"shop-{platform}"))
                running.enter_context(shop.server)
                shops[platform] = {"url": shop.server.url, **shop.keys}
                app.say(Text(f"Sklep {shop.name}: {shop.server.url}", f"Shop {shop.name}: {shop.server.url}"))
            made = KsefSandbox(
                home.port("ksef"), database=home.ksef_state, processing_seconds=_PROCESSING_SECONDS
            )
        ksef = running.enter_context(made)
        app.say(Text(f"KSeF (piaskownica): {ksef.api_url}", f"KSeF (sandbox): {ksef.api_url}"))
        yield SandboxPlaces(ksef.api_url, ksef.qr_url, ksef.latarnia_url, shops)
