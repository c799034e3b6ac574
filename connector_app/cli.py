"""The one command: ``ksef-connector``.

Nearly everything else is imported inside :func:`main`, so that Ctrl-C ends the program quietly even while it
still loads.
"""

from __future__ import annotations

import sys

from connector_app.interrupts import INTERRUPTED, quiet_while_loading


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        with quiet_while_loading():
            from connector_app.commands.root import root  # noqa: PLC0415  see the module's text

        root()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
