"""What pages know of the installation that they belong to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import cast

from flask import current_app

from connector_app.pipeline.services import Services

_KEY = "installation"
_SILENCE = timedelta(minutes=15)


@dataclass(slots=True)
class Pulse:
    """What the background work last said about itself.

    Attributes:
        started: when the process began, aware UTC. at: end of the last pass.
        problems: what held something up then, in Polish.
        notices: what ends soon (certificates, tokens), in Polish; no fault of the running program.
        passes: how many have ended. pass_seconds: how long the last one took.
    """

    started: datetime
    at: datetime | None = None
    problems: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    passes: int = 0
    pass_seconds: float = 0.0

    def is_silent(self, now: datetime) -> bool:
        """Whether no pass has ended for so long that the background work must have stopped."""
        return now - (self.at or self.started) > _SILENCE


@dataclass(frozen=True, slots=True)
class SandboxPlaces:
    """Where the sandboxes of this process listen, for the guided setup.

    Attributes:
        api_url, qr_url, latarnia_url: of the KSeF sandbox.
        shops: by platform, its address and credentials as the store's connection data.
    """

    api_url: str
    qr_url: str
    latarnia_url: str
    shops: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WebOptions:
    """How the application is reached.

    Attributes:
        public_url: https address under which people reach it, without a trailing slash; empty: on this
            machine only. With it cookies are for https only.
        proxies: how many reverse proxies stand before it, whose ``X-Forwarded-*`` headers are believed.
        hsts: tell browsers to come by https only from now on.
        private_addresses: shops and hooks may have addresses inside the local network.
        limits: count requests of each address (sign-in, buyers' pages); off only where one machine plays all.
        sandbox: sandboxes that run beside it.
        metrics_token: bearer token of ``/metrics``; empty: it is for this machine only.
    """

    public_url: str = ""
    proxies: int = 0
    hsts: bool = False
    private_addresses: bool = False
    limits: bool = True
    sandbox: SandboxPlaces | None = None
    metrics_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Here:
    """The installation that a request belongs to.

    Attributes:
        services: database, vault, clock, KSeF and shops.
        pulse: what the background work says about itself.
        wake: lets the background work look for something to do at once.
        options: how the application is reached.
    """

    services: Services
    pulse: Pulse
    wake: Callable[[], object]
    options: WebOptions


def here() -> Here:
    """The installation of the current application."""
    return cast(Here, current_app.extensions[_KEY])


def put(app_extensions: dict[str, object], value: Here) -> None:
    """Make an application belong to an installation."""
    app_extensions[_KEY] = value
