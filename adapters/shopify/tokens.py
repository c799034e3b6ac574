"""Access tokens: fixed, by client credentials (24 hours), or rotating with a refresh token (1 hour).

A rotating refresh token can be used once. What comes for it is handed to ``save`` and has to be stored
durably before it is used, or a crash between would lock the store out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from adapters.contract import ShopAuthFailed, ShopError, ShopRefused, ShopUnavailable
from adapters.shopify.transport import Transport
from core.findings import Text

TOKEN_PATH = "/admin/oauth/access_token"  # noqa: S105 - an address

EARLY = timedelta(minutes=2)
"""How long before its end a token is renewed."""

Config = Mapping[str, str]


class TokenSource(Protocol):
    """Gives the access token for the next request."""

    def token(self) -> str:
        """The token, renewed when its time is over.

        Raises:
            ShopError: there is none now.
        """
        ...

    def renew(self, rejected: str) -> bool:
        """The shop did not take a token.

        Args:
            rejected: that token.

        Returns:
            Whether another one is worth a try.

        Raises:
            ShopError: there is none now.
        """
        ...


@dataclass(frozen=True, slots=True)
class App:
    """The app of the Dev Dashboard.

    Attributes:
        client_id: public. secret: also signs webhooks; never shown.
    """

    client_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Grant:
    """What the token endpoint gave.

    Attributes:
        access_token: for requests.
        expires_at: aware UTC; ``None`` for a token without an end.
        refresh_token: for the next grant; empty when there is none.
        scope: scopes as Shopify lists them, with commas.
    """

    access_token: str = field(repr=False)
    expires_at: datetime | None = None
    refresh_token: str = field(default="", repr=False)
    scope: str = ""

    def as_config(self) -> dict[str, str]:
        """The grant as entries of a store's configuration."""
        entries = {"access_token": self.access_token}
        if self.refresh_token:
            entries["refresh_token"] = self.refresh_token
        if self.expires_at is not None:
            entries["access_token_expires_at"] = self.expires_at.astimezone(UTC).isoformat()
        return entries


def ask_for_grant(transport: Transport, form: Mapping[str, str]) -> Grant:
    """POST to the token endpoint.

    Args:
        transport: the shop.
        form: ``grant_type`` or ``code``, and credentials.

    Raises:
        ShopAuthFailed: Shopify does not accept them.
        ShopError: see :mod:`adapters.contract`.
    """
    try:
        data = transport.post_form(TOKEN_PATH, form).data
    except ShopAuthFailed as error:
        raise _not_accepted(error) from None
    except ShopRefused as error:
        if error.status != 400:
            raise
        raise _not_accepted(error) from None
    access, refresh, lasts = (data.get(key) for key in ("access_token", "refresh_token", "expires_in"))
    if not isinstance(access, str) or not access:
        raise ShopUnavailable("the shop's answer holds no access token", outcome_unknown=True)
    timed = isinstance(lasts, int) and not isinstance(lasts, bool) and lasts > 0
    return Grant(
        access_token=access,
        expires_at=transport.clock() + timedelta(seconds=int(str(lasts))) if timed else None,
        refresh_token=refresh if isinstance(refresh, str) else "",
        scope=str(data.get("scope") or ""),
    )


def _not_accepted(error: ShopRefused) -> ShopAuthFailed:
    return ShopAuthFailed(
        Text(
            "Shopify nie daje tokenu dostępu za te dane",
            "Shopify gives no access token for these credentials",
        ),
        code=error.code,
        status=401,
        hint=Text(
            "Sprawdź client ID i client secret. Same dane aplikacji działają tylko w sklepach jej własnej "
            "organizacji; token odświeżania, który zużyto lub który ma 90 dni, wymaga nowej instalacji.",
            "Look at client_id and client_secret. Client credentials work only for shops of the app's own "
            "organisation; a refresh token that is used up or 90 days old needs a new installation.",
        ),
    )


@dataclass(frozen=True, slots=True)
class StaticToken:
    """A token without an end: of a custom app made in the admin before 2026, or of an old installation."""

    value: str = field(repr=False)

    def token(self) -> str:
        """See :meth:`TokenSource.token`."""
        return self.value

    def renew(self, rejected: str) -> bool:
        """See :meth:`TokenSource.renew`; there is no other."""
        return rejected != self.value


@dataclass(slots=True)
class ClientCredentials:
    """Tokens by the client credentials grant, kept in memory until shortly before their end.

    Attributes:
        transport: the shop. app: its credentials.
    """

    transport: Transport
    app: App
    _grant: Grant | None = None

    def token(self) -> str:
        """See :meth:`TokenSource.token`."""
        if self._grant is None or _is_over(self._grant.expires_at, self.transport.clock()):
            self._grant = ask_for_grant(
                self.transport,
                {
                    "grant_type": "client_credentials",
                    "client_id": self.app.client_id,
                    "client_secret": self.app.secret,
                },
            )
        return self._grant.access_token

    def renew(self, rejected: str) -> bool:
        """See :meth:`TokenSource.renew`."""
        if self._grant is not None and self._grant.access_token == rejected:
            self._grant = None
        return True


@dataclass(slots=True)
class RotatingToken:
    """A token that lasts an hour and the refresh token for the next one.

    Attributes:
        transport: the shop. app: its credentials.
        save: stores changed entries of the store's configuration durably before it returns; when it
            raises, the new token is kept and saved again before it is used.
        load: the store's configuration as it is stored now, so that a token that another process has
            renewed is taken over instead of renewed again; ``None`` when this is the only one.
        guard: held from the look at what is stored until the next token is stored, so that two workers
            never use up one refresh token at the same moment.
    """

    transport: Transport
    app: App
    grant: Grant
    save: Callable[[Config], None]
    load: Callable[[], Config] | None = None
    guard: Callable[[], AbstractContextManager[None]] = nullcontext
    _unsaved: bool = False

    def token(self) -> str:
        """See :meth:`TokenSource.token`."""
        if not self._unsaved and _is_over(self.grant.expires_at, self.transport.clock()):
            self._renew()
        self._store()
        return self.grant.access_token

    def renew(self, rejected: str) -> bool:
        """See :meth:`TokenSource.renew`."""
        if self.grant.access_token == rejected:
            self._renew()
        return True

    def _renew(self) -> None:
        with self.guard():
            self._refresh()
            self._store()

    def _refresh(self) -> None:
        if self._taken_over():
            return
        if not self.grant.refresh_token:
            raise ShopAuthFailed(
                Text("sklep nie ma tokenu odświeżania", "the store has no refresh token"),
                status=401,
                hint=Text("Zainstaluj aplikację jeszcze raz.", "Install the app again."),
            )
        fresh = ask_for_grant(
            self.transport,
            {
                "grant_type": "refresh_token",
                "client_id": self.app.client_id,
                "client_secret": self.app.secret,
                "refresh_token": self.grant.refresh_token,
            },
        )
        kept = fresh.refresh_token or self.grant.refresh_token
        self.grant = Grant(fresh.access_token, fresh.expires_at, kept, fresh.scope)
        self._unsaved = True

    def _taken_over(self) -> bool:
        """Whether another process has stored a newer token meanwhile."""
        stored = grant_of(self.load()) if self.load is not None else None
        if stored is None or stored.access_token == self.grant.access_token:
            return False
        self.grant = stored
        return bool(stored.access_token) and not _is_over(stored.expires_at, self.transport.clock())

    def _store(self) -> None:
        if self._unsaved:
            self.save(self.grant.as_config())
            self._unsaved = False


def grant_of(config: Config) -> Grant:
    """The token entries of a store's configuration.

    Raises:
        ShopError: the end of the token is no time.
    """
    text = config.get("access_token_expires_at", "").strip()
    try:
        ends = datetime.fromisoformat(text) if text else None
    except ValueError:
        raise ShopError(f"access_token_expires_at: {text!r} is no time") from None
    if ends is not None and ends.tzinfo is None:
        ends = ends.replace(tzinfo=UTC)
    token = config.get("access_token", "").strip()
    if not token:
        # nothing to use yet: it counts as over
        ends = datetime.min.replace(tzinfo=UTC)
    return Grant(token, ends, config.get("refresh_token", "").strip())


def _is_over(ends: datetime | None, now: datetime) -> bool:
    return ends is not None and now + EARLY >= ends
