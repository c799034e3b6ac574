"""Examining an installation: a good one is good, and whatever is broken on purpose is said in words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from connector_app.checks.installation.network import look_at_network
from connector_app.checks.installation.run import Installation, examine
from connector_app.checks.installation.said import AREAS, Area, Examined, Looked
from connector_app.hooks.keeping import BY_PERSON
from connector_app.mail.settings import MailSettings, Security
from connector_app.pipeline.services import Services, dump_text
from connector_app.running.alone import RUNNER
from connector_app.store.database import connect
from connector_app.store.locks import lock
from connector_app.store.models import Store
from tests.checks.broken import Shelf
from tests.mail.server import Postbox, mail_server


@pytest.fixture
def good(shelf: Shelf) -> Iterator[Shelf]:
    """An installation that somebody works on, whose shop was read a moment ago."""
    (shelf.made.home / "secret.key").chmod(0o600)
    shelf.made.home.chmod(0o700)
    moment = f"{shelf.made.clock():%Y-%m-%d %H:%M:%S.%f}"
    shelf.sql("UPDATE stores SET looked_at = ?", moment)
    with lock(shelf.made.services().database, "runner"):
        yield shelf


def look(shelf: Shelf, *, network: bool = False) -> Examined:
    services = shelf.made.services()
    return examine(Installation.of(services), services.clock(), network=network)


def codes(found: Examined) -> list[str]:
    return [one.code for one in found.said]


def test_a_good_installation_is_good(good: Shelf) -> None:
    """Also in front of KSeF and the shop; every area was looked at."""
    found = look(good, network=True)
    assert (codes(found), found.result) == ([], "good"), [one.what.pl for one in found.said]
    facts = {area: [one.en for one in looked.facts] for area, looked in found.areas.items()}
    assert "KSeF (CUSTOM) for seller 5265877635: signed in." in facts[Area.NETWORK]
    assert facts[Area.ARCHIVE] == ["Documents looked at: 5"]
    assert set(found.as_json()["areas"]) == {one.value for one in AREAS}


def test_nobody_works_is_said(shelf: Shelf) -> None:
    """When no process holds the runner's lock, beside the database or in the folder."""
    assert "nobody-works" in codes(look(shelf))
    with lock(shelf.made.services().database, RUNNER):
        assert "nobody-works" not in codes(look(shelf))


STUCK = "UPDATE documents SET state = 'accepted', updated_at = '2026-11-20 10:00:00' WHERE number LIKE 'FV%2'"
BROKEN: dict[str, tuple[str, ...]] = {
    "documents-stuck": (STUCK,),
    "waiting-for-a-person": (
        "UPDATE documents SET state = 'attention', created_at = '2026-11-20 10:00:00' "
        "WHERE number LIKE 'FV%2'",
    ),
    "deadline-over": (
        "UPDATE documents SET state = 'sent', ksef_number = NULL, upo = NULL, upo_sha256 = NULL, "
        "send_by = '2026-11-20', "
        "next_attempt_at = '2026-11-24 23:00:00' "
        "WHERE number LIKE 'FV%2'",
    ),
    "deadline-near": (
        "UPDATE documents SET state = 'sent', ksef_number = NULL, upo = NULL, upo_sha256 = NULL, "
        "send_by = '2026-11-25', "
        "next_attempt_at = '2026-11-24 23:00:00' "
        "WHERE number LIKE 'FV%2'",
    ),
    "store-silent": ("UPDATE stores SET looked_at = '2026-11-24 01:00:00'",),
    "webhooks-asleep": ("""UPDATE stores SET webhook_trouble = '{"pl": "śpią", "en": "asleep"}'""",),
    "events-waiting": (
        "INSERT INTO webhook_events (store_id, topic, entity, entity_id, order_id, copies, received_at, "
        "attempts) VALUES (1, 'order.updated', 'order', '15', '15', 1, '2026-11-24 05:00:00', 0)",
    ),
    "publications-failing": ("UPDATE publications SET done_at = NULL, failure = '503' WHERE id = 1",),
    "mails-not-sent": (
        "INSERT INTO mails (document_id, occasion, state, attempts, created_at) "
        "VALUES (1, 'accepted', 'refused', 3, '2026-11-24 05:00:00')",
    ),
    "lane-held": ("""UPDATE sellers SET recovery = '{"since": "2026-01-01", "next": "", "report": {}}'""",),
    "batch-open-long": (
        "INSERT INTO batches (seller_id, schema_version, offline, state, attempts, created_at, updated_at) "
        "VALUES (1, 'FA3', 0, 'open', 0, '2026-11-20 10:00:00', '2026-11-20 10:00:00')",
    ),
    "hook-off": (
        "INSERT INTO hooks (seller_id, url, secret, events, mark, failure, disabled_at, created_at) "
        "SELECT 1, 'https://erp.example', credential, '[]', 0, "
        """'{"pl": "410", "en": "410"}', created_at, created_at FROM sellers""",
    ),
    "deliveries-late": (
        "INSERT INTO hooks (id, seller_id, url, secret, events, mark, created_at) "
        "SELECT 9, 1, 'https://erp.example', credential, '[]', 0, created_at FROM sellers",
        "INSERT INTO hook_deliveries (hook_id, event, body, attempts, created_at) "
        "VALUES (9, 'document.accepted', '{}', 5, '2026-11-20 10:00:00')",
    ),
    "key-does-not-fit": ("UPDATE sellers SET tokens = 'gAAAAA'",),
    "rows-without-parents": ("DELETE FROM stores",),
    "clock-off": (
        "INSERT INTO clock_skews (environment, seconds_ahead, last_seen) "
        "VALUES ('https://ksef.example', 400, '2026-11-24 10:00:00')",
    ),
    "archive-damage-known": (
        "INSERT INTO archive_damage (seller_id, document_id, part, reference, what, seen_at) "
        """VALUES (1, 2, 'xml', '', '{"pl": "inny", "en": "another"}', '2026-11-24 10:00:00')""",
    ),
    "archive-damaged": ("UPDATE documents SET xml = x'3c61' WHERE number LIKE 'FV%2'",),
}


@pytest.mark.parametrize("code", sorted(BROKEN))
def test_what_is_broken_is_said(good: Shelf, code: str) -> None:
    """Each with why it matters and what to do, in both languages."""
    for statement in BROKEN[code]:
        good.sql(statement)
    found = look(good)
    assert codes(found) == [code], [one.what.pl for one in found.said]
    (said,) = found.said
    assert all(text.pl and text.en for text in (said.what, said.why, said.todo))
    assert found.result == "findings"


def test_a_hook_that_a_person_switched_off_is_no_trouble(good: Shelf) -> None:
    """Nor are the messages that it was still to get."""
    good.sql(
        "INSERT INTO hooks (id, seller_id, url, secret, events, mark, failure, disabled_at, created_at) "
        "SELECT 9, 1, 'https://erp.example', credential, '[]', 0, ?, created_at, created_at FROM sellers",
        dump_text(BY_PERSON),
    )
    good.sql(BROKEN["deliveries-late"][1])
    assert codes(look(good)) == []


def test_rights_of_files_are_looked_at(good: Shelf) -> None:
    """Others can read the key; in an open folder, the database, too."""
    services = good.made.services()  # opening closes the key to others
    (good.made.home / "secret.key").chmod(0o644)
    place = replace(Installation.of(services), key_file=good.made.home / "secret.key")
    found = examine(place, services.clock(), network=False)
    assert codes(found) == ["open-to-others"]
    good.made.home.chmod(0o755)
    (good.made.home / "connector.sqlite3").chmod(0o644)
    found = examine(place, services.clock(), network=False)
    assert sum(str(good.made.home) in one.what.en for one in found.said) >= 3


def test_a_certificate_that_ends_is_said(good: Shelf) -> None:
    """In the words of the renewal."""
    good.made.clock.sleep(timedelta(days=5 * 365).total_seconds())
    try:
        found = codes(look(good))
    finally:
        good.made.clock.sleep(-timedelta(days=5 * 365).total_seconds())
    assert "certificate-ended" in found


def test_ksef_and_shop_out_of_reach_are_said(good: Shelf) -> None:
    """Each for itself."""
    good.sql("UPDATE sellers SET tokens = NULL")
    good.made.ksef.state.faults.add("http_503", ".*", times=50)
    good.made.shop.fault("http_503", method="GET", path="/.*", times=50)
    try:
        found = look(good, network=True)
    finally:
        good.made.ksef.state.faults.clear()
        good.made.shop._faults.clear()
    assert {"ksef-sign-in", "shop-trouble"} <= set(codes(found))


def test_a_shop_whose_clock_is_off_is_told(good: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the Date of its answers: minutes are worth knowing, a quarter of an hour keeps the shop away."""
    state, ours = good.made.shop.state, good.made.clock
    monkeypatch.setattr(state, "clock", lambda: ours() + timedelta(minutes=5))
    found = look(good, network=True)
    (told,) = [one.en for one in found.areas[Area.NETWORK].facts if "clock" in one.en]
    # the header has whole seconds
    words = rf"Store {_only_store(good)}, clock: the shop's clock is (299|300) s away from ours"
    assert re.fullmatch(words, told)
    assert codes(found) == []


def _only_store(shelf: Shelf) -> str:
    with shelf.made.services().database() as session:
        return session.scalars(select(Store.code)).one()


def test_a_server_that_never_answers_is_not_waited_for(good: Shelf) -> None:
    """The patience is short, and says whom it was about."""
    services = good.made.services()
    held = lock(services.database, "sign-in-1")
    good.sql("UPDATE sellers SET tokens = NULL")
    looked = Looked()
    with held:
        look_at_network(looked, services, patience=0.3)
    assert [one.code for one in looked.said if "KSeF" in one.what.pl] == ["no-answer"]


@pytest.mark.parametrize("running", [True, False])
def test_mail_servers_are_asked(good: Shelf, running: bool) -> None:
    """One that lets us in is a fact, one that is not there is said."""
    services = good.made.services()
    box = Postbox()
    with mail_server(box):
        port = box.port if running else 1
        settings = MailSettings("127.0.0.1", port, Security.NONE, "sklep@poczta.example")
        with services.database.begin() as session:
            for store in session.scalars(select(Store)):
                store.mail = services.vault.seal(settings.as_json())
        found = look(good, network=True)
    assert codes(found) == ([] if running else ["mail-server"])


def test_a_database_of_another_form_is_said_and_left_alone(good: Shelf) -> None:
    """Older: the next start changes it. Newer: this version does not open it."""
    for form, code in (("0021", "migrations-pending"), ("9999", "database-newer")):
        good.sql("UPDATE alembic_version SET version_num = ?", form)
        database = connect(f"sqlite:///{good.made.home / 'connector.sqlite3'}")
        place = Installation(good.made.home, None, database.engine, _never)
        found = examine(place, good.made.clock(), network=True)
        database.kw["bind"].dispose()
        assert codes(found) == [code]
        assert found.areas[Area.WORK].why_not is not None


def test_a_file_that_is_no_database_is_said(tmp_path: Path, good: Shelf) -> None:
    """And one that is not there."""
    (tmp_path / "broken.sqlite3").write_bytes(b"this is no database, only a text of some length" * 100)
    database = connect(f"sqlite:///{tmp_path / 'broken.sqlite3'}")
    found = examine(
        Installation(good.made.home, None, database.engine, _never), good.made.clock(), network=False
    )
    assert codes(found) == ["database-unusable"]
    nothing = examine(Installation(tmp_path / "none", None, None), good.made.clock(), network=True)
    assert codes(nothing) == ["no-installation"]


def _never() -> Services:
    pytest.fail("a database that cannot be used was opened")
