"""The work of an installation as plain functions, called by the embedded application and by workers alike.

Each is safe to run twice, also at the same time: what it works on it locks, and what is locked it leaves to
whoever has it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from adapters.contract import ShopError
from connector_app import outages, subscriptions
from connector_app.hooks import happenings, sending
from connector_app.hooks.happenings import Links
from connector_app.keeping import schedule, upkeep
from connector_app.log_events import Said
from connector_app.logs import Log, bound
from connector_app.pipeline import backfill, events
from connector_app.pipeline.due import next_due
from connector_app.pipeline.idle_session import close_idle_session
from connector_app.pipeline.intake import IntakeResult, take_in
from connector_app.pipeline.lane import run_lane
from connector_app.pipeline.services import Services
from connector_app.pipeline.slices import ENDLESS, Slice
from connector_app.registers import checks
from connector_app.renewals import due
from connector_app.store.locks import LockHeld, lock
from connector_app.store.models import Store
from connector_app.vault import VaultLocked
from core.findings import Text
from core.ksef.errors import KsefError
from core.signing.keys import KeyMaterialError

_log = Log(__name__)

IDLE: Final = timedelta(seconds=60)
"""A lane in which nothing is known to be due is looked at again after so long."""
NEAR: Final = 0.1
"""Seconds that a turn waits for what is due next, rather than to give others their turn."""
_NOTHING_MOVED: Final = timedelta(seconds=1)


@dataclass(slots=True)
class LaneTurn:
    """What one turn at a seller's lane did.

    Attributes:
        worked: documents touched and events done.
        problems: sentences about what held something up.
        taken: another worker has the lane; nothing was done.
        next_in: until when nothing is due; zero: there is more to do at once.
    """

    worked: int = 0
    problems: list[Text] = field(default_factory=list)
    taken: bool = False
    next_in: timedelta = timedelta()


def lane_name(seller_id: int) -> str:
    """Name of the lock of a seller's lane."""
    return f"lane-{seller_id}"


def lane_pass(services: Services, seller_id: int, until: Slice = ENDLESS) -> LaneTurn:
    """One pass over a seller's received events and lane, unless another worker has the lane.

    Args:
        services: the outside world.
        seller_id: the seller.
        until: when it is over, the rest is left for another pass.

    Raises:
        SQLAlchemyError: the database cannot be used.
    """
    try:
        with lock(services.database, lane_name(seller_id), wait=False):
            return _pass(services, seller_id, until)
    except LockHeld:
        return LaneTurn(taken=True)


def work_lane(
    services: Services,
    seller_id: int,
    until: Slice,
    sleep: Callable[[float], None] = time.sleep,
) -> LaneTurn:
    """Hold a seller's lane and work until nothing is due or the turn's time is over.

    Args:
        services: the outside world.
        seller_id: the seller.
        until: the turn's time.
        sleep: waits for so many seconds.

    Raises:
        SQLAlchemyError: the database cannot be used.
    """
    try:
        with lock(services.database, lane_name(seller_id), wait=False):
            return _turn(services, seller_id, until, sleep)
    except LockHeld:
        return LaneTurn(taken=True)


def _turn(services: Services, seller_id: int, until: Slice, sleep: Callable[[float], None]) -> LaneTurn:
    whole = LaneTurn()
    while True:
        one = _pass(services, seller_id, until)
        whole.worked += one.worked
        whole.problems = one.problems
        whole.next_in = lane_due(services, seller_id)
        if until.is_over():
            break
        if not one.worked:
            # a pass that moved nothing is not repeated at once, whatever is due
            whole.next_in = max(whole.next_in, _NOTHING_MOVED)
        if whole.next_in.total_seconds() > NEAR:
            break
        sleep(max(whole.next_in.total_seconds(), 0.02))
    close_session(services, seller_id, at_once=False)
    return whole


def _pass(services: Services, seller_id: int, until: Slice) -> LaneTurn:
    heard = events.work(services, [seller_id])
    lane = run_lane(services, seller_id, until)
    return LaneTurn(heard.worked + lane.worked, heard.problems + lane.problems)


def lane_due(services: Services, seller_id: int, within: timedelta = IDLE) -> timedelta:
    """How long nothing of a seller is due, ``within`` at the most."""
    now = services.clock()
    soonest = next_due(services, [seller_id], within)
    pauses = [within if soonest is None else timedelta(seconds=soonest)]
    event = events.next_due(services, [seller_id])
    if event is not None:
        pauses.append(max(timedelta(), event - now))
    return min(*pauses, within)


def close_session(services: Services, seller_id: int, *, at_once: bool) -> None:
    """Close a seller's session that nothing needs; a failure only means that KSeF closes it by time.

    Args:
        services: the outside world.
        seller_id: the seller.
        at_once: also one that was used a moment ago.
    """
    try:
        close_idle_session(services, seller_id, at_once=at_once)
    except (KsefError, KeyMaterialError, VaultLocked, SQLAlchemyError):
        return


def look_at_store(services: Services, store_id: int, public_url: str = "") -> IntakeResult:
    """Look after a store's webhooks, read what changed in it, and go on with what is backfilled.

    Another worker's look at the same store is enough; then nothing was seen.

    Args:
        services: the outside world.
        store_id: the store.
        public_url: under which its shop reaches this installation; empty when it does not.

    Raises:
        SQLAlchemyError: the database cannot be used.
    """
    try:
        with (
            lock(services.database, f"look-{store_id}", wait=False),
            bound(task="look", seller_id=_seller_of(services, store_id), store_id=store_id),
        ):
            if public_url:
                subscriptions.keep_up(services, public_url, store_id)
            seen = _look(services, store_id)
    except LockHeld:
        return IntakeResult(0, 0)
    services.measures.mark("look", services.clock())
    services.measures.keep_now_and_then(services.database)
    return seen


def _seller_of(services: Services, store_id: int) -> int | None:
    with services.database() as session:
        return session.scalar(select(Store.seller_id).where(Store.id == store_id))


def _look(services: Services, store_id: int) -> IntakeResult:
    try:
        seen = take_in(services, store_id)
        more = backfill.run(services, store_id) if seen.failure is None else None
    except SQLAlchemyError:
        raise
    except Exception as error:
        _log.failed(Said.STORE_FAILED, error, store_id=store_id)
        return IntakeResult(0, 0, ShopError("an internal error; the log has details"))
    if seen.failure is not None:
        _log.warning(Said.STORE_FAILED, seen.failure)
        return seen
    whole = seen
    if more is not None:
        whole = IntakeResult(seen.seen + more.seen, seen.changed + more.changed, more.failure)
    write = _log.info if whole.changed else _log.debug
    write(Said.STORE_LOOKED, seen=whole.seen, changed=whole.changed)
    return whole


def trouble_of(services: Services, store_id: int, seen: IntakeResult) -> list[Text]:
    """What a look at a store says to people."""
    if seen.failure is None:
        return []
    with services.database() as session:
        code = session.scalar(select(Store.code).where(Store.id == store_id))
    said = seen.failure.words
    return [Text(f"Sklep {code}: {said.pl}", f"Store {code}: {said.en}")]


def look_at_boards(services: Services, *, idle: bool = True) -> set[int]:
    """Ask the boards of availability that are due; see :func:`connector_app.outages.look`.

    Returns:
        Ids of the sellers whose work an outage's begin or end has changed.
    """
    try:
        with lock(services.database, "boards", wait=False):
            return outages.look(services, idle=idle)
    except LockHeld:
        return set()


def collect_hooks(services: Services, links: Links) -> list[int]:
    """Write down what hooks are to be told.

    Returns:
        Ids of the hooks that something is due for.
    """
    try:
        with lock(services.database, "hooks", wait=False):
            happenings.collect(services, links)
    except LockHeld:
        return []
    return sending.due_hooks(services)


def deliver(
    services: Services, hook_id: int, *, allow_private: bool, go_on: Callable[[], bool] = lambda: True
) -> list[sending.Outcome]:
    """Send what is due for one hook, until one message fails; one worker at a time for a hook.

    Args:
        services: the installation.
        hook_id: the hook.
        allow_private: hooks may be in the local network.
        go_on: asked before each message.
    """
    try:
        with lock(services.database, f"hook-{hook_id}", wait=False):
            return sending.send_due(services, hook_id, allow_private=allow_private, go_on=go_on)
    except LockHeld:
        return []


def ask_registers(services: Services) -> None:
    """Ask public registers about the buyers of new documents; raises nothing but a broken database."""
    if services.registers.vat_list is None and services.registers.vies is None:
        return
    try:
        with lock(services.database, "buyers", wait=False):
            checks.ask_new(services)
    except LockHeld:
        return


def notices(services: Services) -> list[Text]:
    """What people should know and is no fault of the program: ends of credentials, webhooks, requests."""
    ends = [
        Text(f"{one.message.pl} {one.hint.pl}", f"{one.message.en} {one.hint.en}") for one in due(services)
    ]
    said = subscriptions.troubles(services) + events.requests_of_people(services)
    return ends + said + schedule.troubles(services)


def keep_up(services: Services) -> None:
    """A portion of the upkeep: look at the archive, delete what is old, make the backup that is due."""
    try:
        with lock(services.database, "upkeep", wait=False):
            upkeep.look(services)
    except LockHeld:
        return
    schedule.make_due(services)
