"""``alerts``: what goes on is listed, quiet is wanted and written down, mail is tried."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from connector_app.people.accounts import add_user
from connector_app.store.database import open_database
from connector_app.store.people import AuditEntry
from connector_app.store.watching import Alert
from core.ksef.calls import utc_now
from tests.cli.conftest import Run
from tests.mail.server import Postbox, mail_server


def an_alert(home: Path) -> None:
    database = open_database(f"sqlite:///{home / 'connector.sqlite3'}")
    now = utc_now()
    text = json.dumps({"pl": "Na dysku zostało 3% wolnego miejsca.", "en": "The disk has 3 % left."})
    with database.begin() as session:
        session.add(
            Alert(
                key="disk",
                kind="disk",
                severity="error",
                said=text,
                hint=text,
                step=0,
                since=now,
                opened_at=now,
            )
        )
    database.kw["bind"].dispose()


def test_alerts_are_listed_and_quiet_is_wanted_and_written_down(run: Run, home: Path) -> None:
    """Exit code 1 while one goes on; scripts get both languages; quiet ends again."""
    result = run("alerts", "list")
    assert (result.exit_code, "Żaden alarm nie trwa" in result.output) == (0, True)
    an_alert(home)
    result = run("alerts", "list")
    assert (result.exit_code, "Na dysku zostało 3%" in result.output) == (1, True)
    (shown,) = json.loads(run("alerts", "list", "--json").stdout)
    assert (shown["id"], shown["kind"], shown["message"]["en"]) == (1, "disk", "The disk has 3 % left.")
    assert "Cisza do końca" in run("alerts", "snooze", 1).output
    assert "Bez przypomnień" in run("alerts", "list").output
    assert "znów przychodzą" in run("alerts", "snooze", 1, "--hours", 0).output
    assert run("alerts", "snooze", 2).exit_code == 2
    database = open_database(f"sqlite:///{home / 'connector.sqlite3'}")
    with database() as session:
        actions = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
        row = session.scalars(select(Alert)).one()
    database.kw["bind"].dispose()
    assert actions == ["alert.snooze", "alert.wake"]
    assert row.snoozed_until is not None
    assert utc_now() - row.snoozed_until < timedelta(minutes=1)


def test_looking_now_writes_nothing(run: Run, home: Path) -> None:
    assert home
    result = run("alerts", "list", "--now", "--json")
    assert result.exit_code == len(json.loads(result.stdout)) > 0 or json.loads(result.stdout) == []
    assert json.loads(run("alerts", "list", "--json").stdout) == []


def test_the_mail_of_alerts_is_set_and_tried(run: Run, home: Path) -> None:
    """Whom it would reach, and by what; a trial arrives."""
    assert "Nikt nie dostaje" in run("alerts", "test").output
    database = open_database(f"sqlite:///{home / 'connector.sqlite3'}")
    with database.begin() as session:
        add_user(session, "szef@biuro.example", "zapomniane hasło", utc_now(), is_admin=True)
    database.kw["bind"].dispose()
    assert "brak serwera poczty" in run("alerts", "test").output
    assert run("alerts", "test", "szef@biuro.example").exit_code == 1
    with mail_server(Postbox()) as box:
        server = ("--host", "127.0.0.1", "--port", box.port, "--security", "none")
        assert run("alerts", "server", *server, "--from", "to nie adres").exit_code == 2
        assert run("alerts", "server", *server, "--from", "alarmy@ksef.example").exit_code == 0
        result = run("alerts", "test", "szef@biuro.example")
    assert "✓ szef@biuro.example  (127.0.0.1)" in result.output
    assert box.recipients == [["szef@biuro.example"]]
