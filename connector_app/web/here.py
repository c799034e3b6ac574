"""What pages know of the installation that they belong to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, cast

from flask import current_app

from connector_app.pipeline.services import Services
from connector_app.settings import Settings

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
        elsewhere: other processes do the work: this one is well without them.
    """

    started: datetime
    at: datetime | None = None
    problems: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    passes: int = 0
    pass_seconds: float = 0.0
    elsewhere: bool = False

    def is_silent(self, now: datetime) -> bool:
        """Whether no pass has ended for so long that the background work must have stopped."""
        return not self.elsewhere and now - (self.at or self.started) > _SILENCE


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
        counts_in: address of the Redis in which requests are counted for all processes; empty: each process
            counts by itself. counts_as: name of this installation there.
    """

    public_url: str = ""
    proxies: int = 0
    hsts: bool = False
    private_addresses: bool = False
    limits: bool = True
    sandbox: SandboxPlaces | None = None
    metrics_token: str = field(default="", repr=False)
    counts_in: str = field(default="", repr=False)
    counts_as: str = ""


def options_of(settings: Settings, address: str, sandbox: SandboxPlaces | None = None) -> WebOptions:
    """How an installation's pages are reached, by its settings.

    Args:
        settings: of the installation.
        address: public address in force.
        sandbox: sandboxes that run beside it.
    """
    return WebOptions(
        public_url=address,
        proxies=settings.proxies,
        hsts=settings.hsts,
        private_addresses=settings.private_addresses,
        sandbox=sandbox,
        metrics_token=settings.metrics_token,
        counts_in=settings.redis_url,
        counts_as=settings.queue,
    )


class Wake(Protocol):
    """Lets the background work look for something to do at once."""

    def __call__(self, seller_id: int | None = None, /) -> object:
        """There is something new of this seller; ``None``: of the installation."""
        ...


@dataclass(frozen=True, slots=True)
class Here:
    """The installation that a request belongs to.

    Attributes:
        services: database, vault, clock, KSeF and shops.
        source: what the background work says about itself: kept up to date by this process, or read anew
            where others do the work.
        wake: lets the background work look for something to do at once.
        options: how the application is reached.
        worker: name of this process among all workers; empty where nobody else could ask.
    """

    services: Services
    source: Pulse | Callable[[], Pulse]
    wake: Wake
    options: WebOptions
    worker: str = ""

    @property
    def pulse(self) -> Pulse:
        """What the background work says about itself now."""
        return self.source if isinstance(self.source, Pulse) else self.source()


def here() -> Here:
    """The installation of the current application."""
    return cast(Here, current_app.extensions[_KEY])


def put(app_extensions: dict[str, object], value: Here) -> None:
    """Make an application belong to an installation."""
    app_extensions[_KEY] = value
