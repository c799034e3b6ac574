"""Messages on their way: signed, sent, tried again with growing pauses for three days, then given up.

At least once: an answer that is lost leads to another try with the same id.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

import requests
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, joinedload

from connector_app import outbound
from connector_app.hooks.happenings import TRIAL
from connector_app.hooks.keeping import switch_off
from connector_app.hooks.signing import Secrets, headers
from connector_app.log_events import Said
from connector_app.logs import Log, bound
from connector_app.pipeline.services import Services, dump_text
from connector_app.store.lanes import of_delivery
from connector_app.store.machines import Hook, HookDelivery
from connector_app.vault import VaultLocked
from core.findings import Text

_log = Log(__name__)

PAUSES = (5, 30, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Seconds before the next try after one, two ... failures: a little more than three days in all."""
TIMEOUT = (5.0, 10.0)
"""Seconds to connect, and between two bytes of the answer."""
KEPT = timedelta(days=30)
"""How long a message that arrived is kept, to be looked at."""
_LONGEST_WAIT = 86_400.0
_LONGEST_HOLD = 300.0
"""Seconds that the other messages of a hook wait because one failed."""
_ALIVE = timedelta(days=1)
"""A hook that took a message within this time is not switched off because it does not take another."""
_GONE = 410
_GIVEN_UP = Text(
    "Wyłączony: wiadomości nie dało się doręczyć przez trzy dni. Ostatnio: {0}",
    "Switched off: a message could not be delivered for three days. Last: {0}",
)
_IS_GONE = Text(
    "Wyłączony: odbiorca odpowiedział, że tego adresu już nie ma (410).",
    "Switched off: the receiver answered that this address is gone (410).",
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one try.

    Attributes:
        status: of the answer; ``None``: there was none.
        failure: why it is not delivered; ``None``: it is.
        wait: seconds that the receiver asked to wait.
    """

    status: int | None
    failure: Text | None = None
    wait: float = 0.0


def due_hooks(services: Services) -> list[int]:
    """Ids of the hooks that something is due for, the longest waiting first."""
    now = services.clock()
    with services.database() as session:
        return list(
            session.scalars(
                select(HookDelivery.hook_id)
                .join(Hook, Hook.id == HookDelivery.hook_id)
                .where(
                    HookDelivery.done_at.is_(None),
                    HookDelivery.next_attempt_at <= now,
                    Hook.disabled_at.is_(None),
                )
                .group_by(HookDelivery.hook_id)
                .order_by(func.min(HookDelivery.next_attempt_at))
            )
        )


def next_due(services: Services) -> datetime | None:
    """When the next message is due; ``None``: nothing waits."""
    with services.database() as session:
        return session.scalar(
            select(HookDelivery.next_attempt_at)
            .join(Hook, Hook.id == HookDelivery.hook_id)
            .where(HookDelivery.done_at.is_(None), Hook.disabled_at.is_(None))
            .order_by(HookDelivery.next_attempt_at)
            .limit(1)
        )


def send_due(
    services: Services, hook_id: int, *, allow_private: bool, go_on: Callable[[], bool] = lambda: True
) -> list[Outcome]:
    """Send what is due for one hook, the oldest first, until one fails.

    Args:
        services: the installation.
        hook_id: the hook.
        allow_private: hooks may be in the local network.
        go_on: asked before each message; ``False`` leaves the rest for later.

    Returns:
        What became of each try.
    """
    with bound(task="hooks", hook_id=hook_id):
        return _send_due(services, hook_id, allow_private=allow_private, go_on=go_on)


def _send_due(
    services: Services, hook_id: int, *, allow_private: bool, go_on: Callable[[], bool]
) -> list[Outcome]:
    outcomes: list[Outcome] = []
    # one connection for what goes to one address; nothing of the environment (proxies, netrc) is used
    with requests.Session() as http:
        http.trust_env = False
        outbound.guard(http, allow_private=allow_private)
        while go_on():
            row = _next(services, hook_id)
            if row is None:
                break
            outcome = _try(services, http, row, allow_private=allow_private)
            _keep(services, row.id, outcome)
            outcomes.append(outcome)
            if outcome.failure is not None:
                break
    return outcomes


def _next(services: Services, hook_id: int) -> HookDelivery | None:
    now = services.clock()
    with services.database() as session:
        return session.scalar(
            select(HookDelivery)
            .join(HookDelivery.hook)
            .options(joinedload(HookDelivery.hook))
            .where(
                HookDelivery.hook_id == hook_id,
                HookDelivery.done_at.is_(None),
                HookDelivery.next_attempt_at <= now,
                Hook.disabled_at.is_(None),
            )
            .order_by(HookDelivery.next_attempt_at, HookDelivery.id)
            .limit(1)
        )


def _try(services: Services, http: requests.Session, row: HookDelivery, *, allow_private: bool) -> Outcome:
    """One try of one message; never raises for what the receiver does."""
    now = services.clock()
    body = json.dumps(row.body, ensure_ascii=False, separators=(",", ":")).encode()
    try:
        secrets = Secrets.unseal(services.vault, row.hook.secret).in_force(now)
        url = outbound.check(row.hook.url, allow_private=allow_private)
    except VaultLocked:
        return Outcome(None, Text("Sekretu nie da się odszyfrować.", "The secret cannot be decrypted."))
    except outbound.ForbiddenAddress as error:
        return Outcome(None, error.text)
    sent = {
        "content-type": "application/json",
        "user-agent": "ksef-shop-connector",
        **headers(str(row.body["id"]), now, body, secrets),
    }
    try:
        # the body of the answer is not read: only its status counts
        with http.post(
            url, data=body, headers=sent, timeout=TIMEOUT, allow_redirects=False, stream=True
        ) as answer:
            return _judge(answer.status_code, answer.headers.get("retry-after", ""), now)
    except requests.RequestException as error:
        forbidden = outbound.forbidden_in(error)
        return Outcome(None, forbidden.text if forbidden else _trouble(error))


def _judge(status: int, retry_after: str, now: datetime) -> Outcome:
    if 200 <= status < 300:
        return Outcome(status)
    if 300 <= status < 400:
        return Outcome(
            status,
            Text(
                f"Odpowiedź {status}: przekierowań nie wykonuje się; podaj docelowy adres.",
                f"Answer {status}: redirects are not followed; give the address that they lead to.",
            ),
        )
    return Outcome(status, Text(f"Odpowiedź {status}.", f"Answer {status}."), _seconds(retry_after, now))


def _trouble(error: requests.RequestException) -> Text:
    if isinstance(error, requests.exceptions.SSLError):
        return Text("Certyfikat odbiorcy jest nieprawidłowy.", "The receiver's certificate is not valid.")
    if isinstance(error, requests.Timeout):
        return Text("Odbiorca nie odpowiedział na czas.", "The receiver did not answer in time.")
    return Text("Nie udało się połączyć z odbiorcą.", "The receiver could not be reached.")


def _seconds(raw: str, now: datetime) -> float:
    """What ``Retry-After`` asks for, a day at the most."""
    if raw.isascii() and raw.isdigit():
        return min(float(raw), _LONGEST_WAIT)
    try:
        wait = (parsedate_to_datetime(raw) - now).total_seconds()
    except (TypeError, ValueError):
        return 0.0
    return min(max(0.0, wait), _LONGEST_WAIT)


def _keep(services: Services, delivery_id: int, outcome: Outcome) -> None:
    """Write down what became of a try, and what follows from it."""
    now = services.clock()
    with services.database.begin(of_delivery(delivery_id)) as session:
        row = session.get(HookDelivery, delivery_id, options=[joinedload(HookDelivery.hook)])
        if row is None:
            return  # the hook was removed meanwhile
        tried = row.attempts
        row.attempts, row.status = tried + 1, outcome.status
        if outcome.failure is None:
            row.failure, row.done_at, row.next_attempt_at = None, now, None
            return
        row.failure = dump_text(outcome.failure)
        _log.warning(
            Said.HOOK_FAILED,
            hook_id=row.hook_id,
            delivery_id=row.id,
            topic=row.event,
            status=outcome.status,
            tries=row.attempts,
        )
        if row.event == TRIAL:
            row.done_at, row.next_attempt_at = now, None
        elif outcome.status == _GONE:
            switch_off(row.hook, _IS_GONE, now)
        elif tried < len(PAUSES):
            pause = max(PAUSES[tried], outcome.wait)
            row.next_attempt_at = now + timedelta(seconds=pause)
            _hold_others(session, row, now + timedelta(seconds=min(pause, _LONGEST_HOLD)))
        else:
            row.done_at, row.next_attempt_at = now, None
            if not _took_something(session, row.hook_id, now - _ALIVE):
                said = outcome.failure
                why = Text(_GIVEN_UP.pl.format(said.pl), _GIVEN_UP.en.format(said.en))
                switch_off(row.hook, why, now)


def _hold_others(session: Session, row: HookDelivery, until: datetime) -> None:
    """Let a hook's other messages wait a little: a receiver that is down is not asked for each of them."""
    session.execute(
        update(HookDelivery)
        .where(
            HookDelivery.hook_id == row.hook_id,
            HookDelivery.id != row.id,
            HookDelivery.done_at.is_(None),
            HookDelivery.next_attempt_at < until,
        )
        .values(next_attempt_at=until)
    )


def _took_something(session: Session, hook_id: int, since: datetime) -> bool:
    """Whether a hook took a message lately: then it is this one message that it does not take."""
    query = select(HookDelivery.id).where(
        HookDelivery.hook_id == hook_id,
        HookDelivery.event != TRIAL,
        HookDelivery.done_at > since,
        HookDelivery.failure.is_(None),
    )
    return session.scalar(query.limit(1)) is not None
