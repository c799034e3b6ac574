"""What the commands of a scaled installation share."""

from __future__ import annotations

import socket

from connector_app.commands.app import App, BadInput, Failure
from connector_app.running import workers
from core.findings import Text


def need_broker(app: App) -> None:
    """See that the installation is scaled out, and that what that needs is installed.

    Raises:
        BadInput: it is not.
    """
    if not app.settings.is_scaled:
        raise BadInput(
            app.text(
                "Ta instalacja pracuje w jednym procesie: wystarczy ksef-connector serve.",
                "This installation works in one process: ksef-connector serve is enough.",
            ),
            app.text(
                "Dla wielu procesów ustaw BROKER_URL i DATABASE_URL, zob. docs/scaling.pl.md.",
                "For many processes set BROKER_URL and DATABASE_URL, see docs/scaling.md.",
            ),
        )
    try:
        import celery  # noqa: F401, PLC0415  an extra of the package
    except ImportError:
        raise BadInput(
            app.text("Brak biblioteki Celery.", "Celery is not installed."),
            "pip install 'ksef-shop-connector[scale]'",
        ) from None


def say_alive(app: App, role: str) -> None:
    """Say whether a process of this host is at work, for whatever restarts it.

    Raises:
        Failure: none was heard of lately.
    """
    host = socket.gethostname()
    found = [one for one in workers.alive(app.open(), {role}) if one.host == host[:128]]
    if not found:
        raise Failure(app.text(f"Na {host} nic nie pracuje.", f"Nothing is at work on {host}."))
    said = workers.list_in_words(found)
    app.say(Text(said.pl, said.en))
