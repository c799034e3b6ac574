"""``sandbox``: KSeF and a shop on localhost, for trying things out and for other people's integrations."""

from __future__ import annotations

from pathlib import Path

import click

from connector_app.commands.app import App, pass_app
from connector_app.commands.demo_home import DemoHome

_FILE = click.Path(path_type=Path, dir_okay=False)
_PORT = click.IntRange(0, 65535)


@click.group()
def sandbox() -> None:
    """Servers on localhost that behave like the real ones."""


@sandbox.command()
@click.option(
    "--port", type=_PORT, default=None, help="Port; 0 takes a free one.  [default: the demo's, else 8090]"
)
@click.option(
    "--state",
    type=_FILE,
    default=None,
    help="SQLite file that survives a restart.  [default: the demo's, else memory]",
)
@click.option("--processing", type=click.FloatRange(0, 3600), default=1.0, show_default=True, help="Seconds.")
@pass_app
def ksef(app: App, port: int | None, state: Path | None, processing: float) -> None:
    """Run the KSeF sandbox until interrupted."""
    from sandbox.ksef.server import serve  # noqa: PLC0415  servers load only when asked for

    demo = DemoHome(app.settings.home)
    known = demo.ports().get("ksef")
    serve(
        port if port is not None else known or 8090,
        state or (demo.ksef_state if known else None),
        processing,
    )


@sandbox.command()
@click.option(
    "--port", type=_PORT, default=None, help="Port; 0 takes a free one.  [default: the demo's, else 8091]"
)
@click.option(
    "--state",
    type=_FILE,
    default=None,
    help="File that survives a restart.  [default: the demo's, else memory]",
)
@click.option("--store", "code", default="demo", show_default=True, help="Which of the demo's stores.")
@pass_app
def shops(app: App, port: int | None, state: Path | None, code: str) -> None:
    """Run the WooCommerce sandbox with the recorded orders until interrupted."""
    from sandbox.woocommerce.server import serve  # noqa: PLC0415

    demo = DemoHome(app.settings.home)
    known = demo.ports().get(code)
    serve(port if port is not None else known or 8091, state or (demo.shop_state(code) if known else None))
