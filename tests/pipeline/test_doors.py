"""What deliveries are verified with is remembered, and is never believed any longer than it is true."""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from sqlalchemy import event, update

from adapters.contract import ShopEvent
from connector_app import subscriptions
from connector_app.doors import Doors, OpenDoor
from connector_app.giving_way import GivingWay
from connector_app.pipeline.arrivals import Arrivals
from connector_app.pipeline.services import Services
from connector_app.store.models import Store
from connector_app.store_closing import close_store
from connector_app.web.app import Pulse, create_app
from connector_app.web.logged import HEADER
from tests.pipeline import hooks
from tests.pipeline.hooks import reachable
from tests.pipeline.test_arrivals import told
from tests.pipeline.world import World, recorded, world

pytestmark = pytest.mark.both_databases

Door = hooks.Door[World]


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    """A shop with one order and webhooks, of which one came already: the door is remembered."""
    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare()
        with reachable(made) as opened:
            opened.open()
            assert post(opened, 15).status_code == 200
            yield opened


def delivery(order: int, secret: str) -> tuple[bytes, dict[str, str]]:
    """Body and headers of a webhook."""
    body = b'{"id":%d,"date_modified_gmt":"2026-11-24T10:00:00"}' % order
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    signature = base64.b64encode(digest).decode()
    return body, {"X-WC-Webhook-Topic": "order.updated", "X-WC-Webhook-Signature": signature}


def post(door: Door, order: int, *, secret: str = "", address: str = "") -> requests.Response:
    body, headers = delivery(order, secret or door.secret)
    return requests.post(address or door.address, data=body, headers=headers, timeout=10)


def kept(door: Door) -> list[str]:
    return [one.entity_id for one in door.events()]


def make(services: Services, base: str = "", *, secret: bool = False) -> None:
    """Keep a store's door without asking the shop, under the address that it has, if any."""
    with services.database() as session:
        known = subscriptions.door_of(services, session.get_one(Store, 1))
    subscriptions._keep_door(services, 1, known.base if known else base, rotate=secret)


def rotate(services: Services) -> None:
    """Sign with a new secret only, as two rotations leave it."""
    for _ in range(2):
        make(services, secret=True)


def remove(services: Services) -> None:
    close_store(services, 1)


def close_only(services: Services) -> None:
    """A store that was removed while its door could not be forgotten."""
    with services.database.begin() as session:
        session.execute(update(Store).values(closed_at=services.clock()))


def forget(services: Services) -> None:
    """Its webhooks were deleted."""
    subscriptions.forget(services, 1)


def move(services: Services) -> None:
    """The store has another address: the old one is nobody's any more."""
    subscriptions.forget(services, 1)
    make(services, "https://ksef.example")


CHANGES: dict[Callable[[Services], None], int] = {
    rotate: 401,
    remove: 404,
    close_only: 404,
    forget: 404,
    move: 404,
}
"""What may happen to a store in another process, and what the old delivery is answered then."""


@pytest.mark.parametrize("change", list(CHANGES))
def test_a_change_counts_from_its_commit_on(door: Door, change: Callable[[Services], None]) -> None:
    """The very next delivery, signed and addressed as before, is refused, and nothing of it is kept."""
    old = {"secret": door.secret, "address": door.address}
    change(door.made.services())
    assert post(door, 16, **old).status_code == CHANGES[change]
    ping = requests.post(old["address"], data={"webhook_id": "7"}, timeout=10)
    assert ping.status_code == (200 if change is rotate else 404)
    assert kept(door) == ["15"]


def test_a_new_secret_and_new_keys_of_the_shop_count_at_once(door: Door) -> None:
    """Nobody is refused for what is remembered."""
    services = door.made.services()
    rotate(services)
    assert post(door, 16).status_code == 200
    with services.database.begin() as session:
        row = session.get_one(Store, 1)
        row.config = services.vault.seal(services.vault.unseal(row.config))
    assert post(door, 17).status_code == 200
    assert kept(door) == ["15", "16", "17"]


@pytest.mark.parametrize("change", [rotate, remove, move])
def test_a_change_between_verifying_and_keeping(
    door: Door, change: Callable[[Services], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The transaction that keeps looks at the store itself: what became wrong meanwhile is refused."""
    services = door.made.services()
    old = {"secret": door.secret, "address": door.address}
    real, changed = OpenDoor.read, threading.Event()

    def read(self: OpenDoor, headers: dict[str, str], body: bytes) -> ShopEvent:
        found = real(self, headers, body)
        if not changed.is_set():
            changed.set()
            change(services)
        return found

    monkeypatch.setattr(OpenDoor, "read", read)
    assert post(door, 16, **old).status_code == CHANGES[change]
    assert kept(door) == ["15"]


def test_a_change_while_a_new_door_is_looked_at_is_tried_again_by_the_shop(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing is known for certain the answer is 503."""
    old = {"secret": door.secret, "address": door.address}
    real = OpenDoor.read

    def read(self: OpenDoor, headers: dict[str, str], body: bytes) -> ShopEvent:
        found = real(self, headers, body)
        make(door.made.services())
        return found

    monkeypatch.setattr(OpenDoor, "read", read)
    assert post(door, 16, **old).status_code == 503
    assert kept(door) == ["15"]


def test_of_those_that_are_kept_together_only_what_is_outdated_is_not(door: Door) -> None:
    """A delivery of before a change and one of after it may wait side by side."""
    services = door.made.services()
    doors, arrivals = Doors(services), Arrivals(services)
    before = doors.look("test")
    assert before is not None
    assert before is doors.look("test")
    rotate(services)
    after = doors.look("test")
    assert after is not None
    assert after is doors.remembered("test") is not before
    results: dict[int, bool | str] = {}

    def keep(number: int, seen: OpenDoor) -> None:
        try:
            results[number] = arrivals.keep(1, told(number), verified_with=seen.sealed)
        except Exception as error:
            results[number] = type(error).__name__

    threads = [threading.Thread(target=keep, args=one) for one in ((20, before), (21, after), (22, before))]
    with services.database.begin():
        for one in threads:
            one.start()
        while arrivals.waiting < 2:
            assert any(one.is_alive() for one in threads)
    for one in threads:
        one.join()
    assert results == {20: "Outdated", 21: True, 22: "Outdated"}
    assert kept(door) == ["15", "21"]


def test_a_delivery_to_a_remembered_door_is_one_transaction(door: Door) -> None:
    """Nothing is read before it, nothing of pages is done for it, and it has an id for the log."""
    begun: list[object] = []
    services = door.made.services()

    def note(connection: object) -> None:
        begun.append(connection)

    address, secret = door.address, door.secret
    engine = services.database.engine
    event.listen(engine, "begin", note)
    answer = post(door, 16, secret=secret, address=address)
    event.remove(engine, "begin", note)
    assert (answer.status_code, answer.content, len(begun)) == (200, b"", 1)
    assert len(answer.headers[HEADER]) == 16
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in answer.headers


def test_only_what_is_rightly_signed_makes_a_burst(door: Door) -> None:
    """Strangers cannot slow the background down; a shop that tells of much at a time does."""
    way = GivingWay(lambda _seconds: None, lambda: 5.0)
    services = replace(door.made.services(), way=way)
    client = create_app(services, Pulse(started=services.clock())).test_client()
    path = door.address.removeprefix(door.base)
    for order in (16, 17, 18):
        body, headers = delivery(order, "another")
        assert client.post(path, data=body, headers=headers).status_code == 401
    assert not way.is_burst()
    for order in (16, 17):
        body, headers = delivery(order, door.secret)
        assert client.post(path, data=body, headers=headers).status_code == 200
    assert way.is_burst()
