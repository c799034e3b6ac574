"""``sandbox``: KSeF and shops on localhost, for trying things out and for other people's integrations."""

from __future__ import annotations

import signal
import threading
from contextlib import ExitStack
from pathlib import Path

import click

from connector_app.commands.app import App, Failure, pass_app
from connector_app.commands.bilingual import Group, option
from connector_app.commands.demo_home import DemoHome, is_free, state_errors
from connector_app.commands.files import FILE
from connector_app.commands.sandbox_controls import KSEF_PORT, clock, faults, outage, revoke_keys
from connector_app.commands.sandbox_shops import SHOPS

_PORT = click.IntRange(0, 65535)
_SHOP_PORT = 8091
_ALL = "all"


@click.group(cls=Group, pl="Serwery na localhost, które zachowują się jak prawdziwe; zob. docs/sandbox.md.")
def sandbox() -> None:
    """Servers on localhost that behave like the real ones; see docs/sandbox.md."""


@sandbox.command(pl="Uruchamia piaskownicę KSeF (do przerwania przez Ctrl-C).")
@option(
    "--port",
    type=_PORT,
    default=None,
    show_default="demo, 8090",
    pl="Port; 0 bierze wolny.",
    en="Port; 0 takes a free one.",
)
@option(
    "--state",
    type=FILE,
    default=None,
    show_default="demo, RAM",
    pl="Plik SQLite, który przetrwa ponowne uruchomienie.",
    en="SQLite file that survives a restart.",
)
@option(
    "--processing",
    type=click.FloatRange(0, 3600),
    default=1.0,
    show_default=True,
    metavar="S",
    pl="Po ilu sekundach zapada rozstrzygnięcie o dokumencie.",
    en="Seconds until the verdict on a document.",
)
@option(
    "--rate-limits",
    is_flag=True,
    pl="Pilnuje limitów produkcyjnych: 429 z Retry-After.",
    en="Enforces the production limits: 429 with Retry-After.",
)
@pass_app
def ksef(app: App, port: int | None, state: Path | None, processing: float, rate_limits: bool) -> None:
    """Run the KSeF sandbox until interrupted (Ctrl-C)."""
    from sandbox.ksef.server import serve  # noqa: PLC0415  servers load only when asked for

    demo = DemoHome(app.settings.home)
    known = demo.ports().get("ksef")
    place = _port(app, port, known or KSEF_PORT)
    with state_errors(app):
        serve(place, state or (demo.ksef_state if known else None), processing, rate_limits=rate_limits)


@sandbox.command(pl="Uruchamia sklepy piaskownicy z nagranymi zamówieniami (do Ctrl-C).")
@option(
    "--platform",
    type=click.Choice([*SHOPS, _ALL]),
    default=_ALL,
    show_default=True,
    pl="Który sklep.",
    en="Which shop.",
)
@option(
    "--port",
    type=_PORT,
    default=None,
    show_default="demo, 8091",
    pl="Port pierwszego sklepu, następne mają kolejne; 0 bierze wolne.",
    en="Port of the first shop, the others follow; 0 takes free ones.",
)
@option(
    "--state",
    type=FILE,
    default=None,
    show_default="demo, RAM",
    pl="Plik, który przetrwa ponowne uruchomienie; następny sklep dodaje do nazwy swoją platformę.",
    en="File that survives a restart; every further shop adds its platform to the name.",
)
@option(
    "--store",
    "code",
    default="demo",
    show_default=True,
    metavar="CODE",
    pl="Który sklep demonstracji.",
    en="Which of the demo's stores.",
)
@pass_app
def shops(app: App, platform: str, port: int | None, state: Path | None, code: str) -> None:
    """Run the sandbox's shops with the recorded orders until interrupted (Ctrl-C)."""
    demo = DemoHome(app.settings.home)
    known = demo.ports().get(code)
    state = state or (demo.shop_state(code) if known else None)
    ended = threading.Event()
    before = signal.signal(signal.SIGTERM, lambda _number, _frame: ended.set())
    try:
        with state_errors(app), ExitStack() as running:
            started = []
            for place, name in enumerate(SHOPS if platform == _ALL else [platform]):
                memory = state.with_stem(f"{state.stem}.{name}") if state and place else state
                usual = (known or _SHOP_PORT) if not place else _SHOP_PORT + place
                chosen = port + place if port else port
                shop = SHOPS[name](_port(app, chosen, usual), memory)
                running.enter_context(shop.server)
                started.append(shop)
            click.echo("\n".join(line for shop in started for line in shop.lines()))
            ended.wait()
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGTERM, before)


for _control in (faults, outage, clock, revoke_keys):
    sandbox.add_command(_control)


def _port(app: App, chosen: int | None, usual: int) -> int:
    port = usual if chosen is None else chosen
    if port and not is_free(port):
        raise Failure(
            app.text(f"Port {port} jest zajęty.", f"Port {port} is in use."),
            app.text("--port 0 bierze wolny port.", "--port 0 takes a free port."),
        )
    return port
