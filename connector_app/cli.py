"""The one command: ``ksef-connector``."""

from __future__ import annotations

import os

import click

from connector_app.commands.app import App
from connector_app.commands.demo import demo
from connector_app.commands.documents import documents
from connector_app.commands.invoice import invoice
from connector_app.commands.sandbox import sandbox
from connector_app.commands.seller import seller
from connector_app.commands.serve import serve
from connector_app.commands.store import store
from connector_app.settings import Settings


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="ksef-shop-connector")
@click.option(
    "--lang",
    type=click.Choice(["pl", "en"]),
    default=lambda: os.environ.get("KSEF_CONNECTOR_LANG", "pl"),
    help="Language of answers; also KSEF_CONNECTOR_LANG.  [default: pl]",
)
@click.pass_context
def main(context: click.Context, lang: str) -> None:
    """Connect an online shop to KSeF: paid orders in, KSeF numbers back.

    An installation lives in KSEF_CONNECTOR_HOME (default: the platform's data folder).
    """
    context.obj = App(Settings.from_environment(), lang)


for _command in (demo, serve, seller, store, documents, invoice, sandbox):
    main.add_command(_command)
