"""What every command shares: settings, language, opening the installation, and speaking to a person."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field

import click
from rich.console import Console

from connector_app.pipeline.services import Services
from connector_app.settings import Settings
from connector_app.store.database import open_database
from connector_app.store.models import Document
from connector_app.vault import Vault
from core.findings import Text

ATTENTION = 2
"""Exit code: a person has to decide, or the input cannot be used; nothing was sent."""


_FILE_WIDTH = 160
"""Columns where the output is no terminal: numbers of 35 characters are not folded there."""


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    return Console(
        stderr=stderr, highlight=False, soft_wrap=True, width=None if stream.isatty() else _FILE_WIDTH
    )


@dataclass(slots=True)
class App:
    """The running command line.

    Attributes:
        settings: where the installation lives.
        language: ``pl`` or ``en``.
        out: answers. err: everything that is no answer.
    """

    settings: Settings
    language: str = "pl"
    out: Console = field(default_factory=lambda: _console(stderr=False))
    err: Console = field(default_factory=lambda: _console(stderr=True))

    def say(self, text: Text) -> None:
        """Print a sentence in the screen language."""
        self.out.print(text.in_language(self.language), markup=False)

    def text(self, pl: str, en: str) -> str:
        """One of two sentences by the screen language."""
        return en if self.language == "en" else pl

    def open(self, watch: Callable[[Document], None] = lambda _document: None) -> Services:
        """Open the installation: its database (migrated when needed) and its vault.

        Args:
            watch: told after each committed change of a document.
        """
        self.settings.prepare()
        return Services(
            database=open_database(self.settings.database),
            vault=Vault.open(self.settings.key_file),
            schema_dir=self.settings.schema_dir,
            watch=watch,
        )


pass_app = click.make_pass_decorator(App)


class Failure(click.ClickException):
    """A failure with a hint, shown without a traceback.

    Args:
        message: what went wrong.
        hint: what to do about it.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    def show(self, file: object = None) -> None:  # noqa: ARG002  the base class passes a stream
        """Print the message and the hint to the error stream."""
        click.echo(f"✗ {self.message}", err=True)
        if self.hint:
            click.echo(f"  → {self.hint}", err=True)


class BadInput(Failure):
    """Input that cannot be used; nothing was done with it."""

    exit_code = ATTENTION
