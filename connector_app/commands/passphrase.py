"""The passphrase of a backup: from a file, the environment, or a person; never from the command line."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from connector_app.commands.app import App, BadInput
from connector_app.keeping.sealing import SHORTEST


def passphrase_of(app: App, file: Path | None, *, new: bool) -> str:
    """The passphrase that is to be used.

    Args:
        app: settings and language.
        file: its first line is the passphrase.
        new: it is made up now: a person writes it twice, and it must be long enough.

    Raises:
        BadInput: there is none, or it is too short.
    """
    if file is not None:
        found = app.read_text(file).partition("\n")[0].strip()
    elif app.settings.backup_passphrase:
        found = app.settings.backup_passphrase
    elif sys.stdin.isatty():
        found = click.prompt(
            app.text("Hasło kopii zapasowej", "Passphrase of the backup"),
            hide_input=True,
            confirmation_prompt=app.text("Jeszcze raz", "Once more") if new else False,
            err=True,
        )
    else:
        raise BadInput(
            app.text("Brakuje hasła kopii zapasowej.", "The passphrase of the backup is missing."),
            "--passphrase-file, KSEF_CONNECTOR_BACKUP_PASSPHRASE_FILE",
        )
    if new and len(found) < SHORTEST:
        raise BadInput(
            app.text(
                f"Hasło kopii zapasowej musi mieć co najmniej {SHORTEST} znaków.",
                f"The passphrase of a backup needs at least {SHORTEST} characters.",
            )
        )
    return found
