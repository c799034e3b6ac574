"""The one command: ``ksef-connector``.

Everything else is imported inside :func:`main`, so that Ctrl-C ends the program quietly even while it
still loads.
"""

from __future__ import annotations

import sys

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells expect it (128 + SIGINT)."""


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        from connector_app.commands.root import root  # noqa: PLC0415  see the module's text

        root()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
