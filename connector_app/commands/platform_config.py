"""Files with a platform's options: one ``name=value`` a line."""

from __future__ import annotations

from pathlib import Path

from adapters import registry as platforms
from connector_app.commands.app import App, BadInput
from core.findings import Text


def read_config(app: App, platform: str, path: Path) -> dict[str, str]:
    """Read a file with what a platform's configuration may say.

    Args:
        app: language of the messages, and how files are read.
        platform: a known platform.
        path: the file; empty lines and those with ``#`` in front say nothing.

    Raises:
        BadInput: the file cannot be read, or a line is no known entry or the second of its name.
    """
    # the address has an option of its own
    known = sorted(set(platforms.config_keys(platform)) - {"url"})
    config: dict[str, str] = {}
    for number, raw in enumerate(app.read_text(path).splitlines(), 1):
        entry = raw.strip()
        if not entry or entry.startswith("#"):
            continue
        name, equals, value = (part.strip() for part in entry.partition("="))
        # the line itself may hold a secret, so only its number is shown
        if not equals or name not in known:
            fault = Text("nieznany wpis", "unknown entry")
        elif name in config:
            fault = Text("wpis jest drugi raz", "the entry is there twice")
        else:
            config[name] = value
            continue
        where = app.text(f"{path}, wiersz {number}", f"{path}, line {number}")
        raise BadInput(
            f"{where}: {fault.in_language(app.language)}.",
            app.text("Znane wpisy: ", "Known entries: ") + ", ".join(known),
        )
    return config
