"""Hooks as they are kept: added, changed, switched off and on, removed, tried."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from connector_app import outbound
from connector_app.hooks.happenings import TRIAL, Happening, delivery, message, newest_entry
from connector_app.hooks.signing import Secrets, new_secret
from connector_app.pipeline.services import dump_text
from connector_app.store.machines import Hook, HookDelivery
from connector_app.vault import Vault
from core.findings import Text

MOST_HOOKS = 20
"""Of a seller: each is sent to for every document."""


class TooManyHooks(Exception):
    """A seller has as many hooks as one may have."""


class HookIsOff(Exception):
    """A hook that is switched off is not sent to."""


BY_PERSON = Text("Wyłączony przez człowieka.", "Switched off by a person.")


def checked_url(url: str, *, allow_private: bool) -> str:
    """An address that may be sent to, tidied.

    Args:
        url: as typed.
        allow_private: it may lead into the local network, and be plain http.

    Raises:
        outbound.ForbiddenAddress: it may not; ``.text`` says why.
    """
    tidy = outbound.check(url, allow_private=allow_private)
    if not tidy.startswith("https://") and not allow_private:
        raise outbound.ForbiddenAddress(
            Text("Adres musi zaczynać się od https://.", "The address has to begin with https://.")
        )
    return tidy


def add(
    session: Session, vault: Vault, seller_id: int, url: str, events: Sequence[Happening], now: datetime
) -> tuple[Hook, str]:
    """Add a hook; it is told of what happens from now on.

    Args:
        session: of a writing transaction.
        vault: seals its secret.
        seller_id: whose.
        url: checked.
        events: what it is told of.
        now: aware UTC.

    Returns:
        The hook and its secret, which cannot be shown again.

    Raises:
        TooManyHooks: there are :data:`MOST_HOOKS`.
    """
    count = session.scalar(select(func.count()).select_from(Hook).where(Hook.seller_id == seller_id)) or 0
    if count >= MOST_HOOKS:
        raise TooManyHooks(f"seller {seller_id} has {count} hooks")
    secret = new_secret()
    hook = Hook(
        seller_id=seller_id,
        url=url,
        secret=Secrets(secret).seal(vault),
        events=names(events),
        mark=newest_entry(session),
        created_at=now,
    )
    session.add(hook)
    session.flush()
    return hook, secret


def names(events: Sequence[Happening]) -> list[str]:
    """Names of events in their own order, each once."""
    return [one.value for one in Happening if one in set(events)]


def renew_secret(hook: Hook, vault: Vault, now: datetime) -> str:
    """Give a hook a new secret and return it; the old one signs beside it for a day.

    Raises:
        VaultLocked: the old one cannot be read.
    """
    renewed = Secrets.unseal(vault, hook.secret).renewed(now)
    hook.secret = renewed.seal(vault)
    return renewed.now


def switch_off(hook: Hook, why: Text, now: datetime) -> None:
    """Send nothing more to a hook; what happens meanwhile is kept for it."""
    hook.disabled_at = now
    hook.failure = dump_text(why)


def switch_on(session: Session, hook: Hook, now: datetime) -> None:
    """Send to a hook again, from where it stopped: what was given up goes out too."""
    hook.disabled_at = hook.failure = None
    session.execute(
        update(HookDelivery)
        .where(
            HookDelivery.hook_id == hook.id,
            HookDelivery.event != TRIAL,
            or_(HookDelivery.done_at.is_(None), HookDelivery.failure.is_not(None)),
        )
        .values(done_at=None, attempts=0, next_attempt_at=now)
    )


def remove(session: Session, hook: Hook) -> None:
    """Remove a hook with what was sent or is on its way to it."""
    session.execute(delete(HookDelivery).where(HookDelivery.hook_id == hook.id))
    session.delete(hook)


def try_out(session: Session, hook: Hook, now: datetime) -> HookDelivery:
    """Send a hook a message that says nothing, to see whether it arrives.

    Raises:
        HookIsOff: it is switched off.
    """
    if hook.disabled_at is not None:
        raise HookIsOff(f"hook {hook.id} is off")
    row = delivery(hook, TRIAL, message(TRIAL, now, {}), now)
    session.add(row)
    session.flush()
    return row


def send_again(row: HookDelivery, now: datetime) -> None:
    """Send a message once more, whatever became of it; its id stays, so a receiver can tell the copy.

    Raises:
        HookIsOff: the hook is switched off.
    """
    if row.hook.disabled_at is not None:
        raise HookIsOff(f"hook {row.hook_id} is off")
    row.done_at, row.attempts, row.next_attempt_at = None, 0, now
