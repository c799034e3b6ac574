"""Pages of a scaled installation for a server of its own: ``gunicorn 'connector_app.web.wsgi:make()'``."""

from __future__ import annotations

import sys
from dataclasses import replace

from flask import Flask

from connector_app import logs
from connector_app.alerts.watch import Watchman
from connector_app.hooks.happenings import Links
from connector_app.pipeline.services import Services
from connector_app.running import watching, workers
from connector_app.running.broker import Sender
from connector_app.running.waking import Waking
from connector_app.running.workers import Presence
from connector_app.settings import Settings
from connector_app.web.app import create_app
from connector_app.web.here import options_of


def pages(services: Services, settings: Settings, address: str, worker: str) -> Flask:
    """The web application; the work is done by workers.

    Args:
        services: the installation.
        settings: with a broker.
        address: public address in force.
        worker: name of this process among all workers.
    """
    return create_app(
        services,
        lambda: watching.pulse(services),
        Waking(services, Sender(settings)),
        options_of(settings, address),
        worker,
    )


def make() -> Flask:
    """Open the installation that the environment names, and its pages.

    Called once in each process of the server, after the fork (gunicorn without ``--preload``).

    Raises:
        SystemExit: the environment names no scaled installation, or it cannot be opened; the log says why.
    """
    from connector_app.commands.app import App, Failure  # noqa: PLC0415  commands import pages
    from connector_app.settings import BadSetting  # noqa: PLC0415

    try:
        app = App(Settings.from_environment())
        wanted = app.settings
        logs.configure(sys.stderr, level=wanted.log_level, as_json=wanted.log_json, process=workers.WEB)
        if not app.settings.is_scaled:
            raise SystemExit("BROKER_URL: ksef-connector serve works without one, this entry does not")
        services = replace(app.open(), public_url=app.settings.public_url)
    except BadSetting as error:
        raise SystemExit(error.text.en) from None
    except Failure as error:
        raise SystemExit(f"{error.message} {error.hint}") from None
    presence = Presence(services, workers.WEB)
    presence.__enter__()  # for the life of the process; others remove its row afterwards
    workers.sweep(services)
    # pages see that nobody works, which whoever works cannot
    Watchman(services, Links(services.public_url)).start()
    return pages(services, app.settings, app.settings.public_url, presence.name)
