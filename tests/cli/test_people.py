"""``people``: whoever can run the program on its machine always gets back in."""

from __future__ import annotations

import json
from pathlib import Path

from sqlalchemy import select

from connector_app.people import second_factor
from connector_app.people.accounts import add_user, by_email, is_password
from connector_app.store.database import Sessions, open_database
from connector_app.store.people import AuditEntry, User
from connector_app.vault import Vault
from core.ksef.calls import utc_now
from tests.cli.conftest import Run

EMAIL = "ewa@sklep.example"


def database(home: Path) -> Sessions:
    return open_database(f"sqlite:///{home / 'connector.sqlite3'}")


def account(home: Path) -> None:
    """An account with a second factor that was disabled."""
    with database(home).begin() as session:
        user = add_user(session, EMAIL, "zapomniane hasło", utc_now(), name="Ewa", is_admin=True)
        vault = Vault.open(home / "secret.key")
        second_factor.switch_on(session, vault, user, second_factor.new_secret(), 0)
        user.disabled_at = utc_now()


def test_a_lost_password_and_phone_are_replaced(run: Run, home: Path) -> None:
    """The link is the only line of the answer; the account is open again; all of it is written down."""
    assert "Nie ma jeszcze kont" in run("people", "list").output
    account(home)
    assert "dwa kroki" in run("people", "list").output
    result = run("people", "reset-link", EMAIL.upper(), "--base-url", "https://ksef.sklep.example/")
    assert result.exit_code == 0
    assert result.stdout.startswith("https://ksef.sklep.example/join/")
    assert len(result.stdout.split()) == 1
    assert "samym hasłem" in run("people", "totp-off", EMAIL).output
    assert "nie ma drugiego kroku" in run("people", "totp-off", EMAIL).output
    (shown,) = json.loads(run("people", "list", "--json").stdout)
    assert shown["email"] == EMAIL
    assert shown["installation_owner"] is True
    assert (shown["second_factor"], shown["disabled"]) == (False, False)
    with database(home)() as session:
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
        user = by_email(session, EMAIL)
    told = [one.action for one in entries]
    assert told == ["people.enable", "people.reset-link", "people.second-factor-off"]
    assert all(one.actor.startswith("command line: ") for one in entries)
    assert is_password(user, "zapomniane hasło"), "until the link is used"


def test_owners_are_invited_where_none_is_left(run: Run, home: Path) -> None:
    """Without a seller, to the whole installation; the account is made by the link only."""
    result = run("people", "invite", "nowa@sklep.example", lang="en")
    assert result.stdout.startswith("http://127.0.0.1:8080/join/")
    assert "7 days" in result.stderr
    with database(home)() as session:
        assert session.scalars(select(User)).all() == []


def test_what_does_not_exist_is_said(run: Run, home: Path) -> None:
    """With where to look."""
    assert home
    for words in (("reset-link", "x@y.example"), ("totp-off", "x@y.example")):
        result = run("people", *words)
        assert result.exit_code == 2
        assert "Nie ma konta" in result.output
    assert "Nie ma sprzedawcy" in run("people", "invite", EMAIL, "--seller", "5265877635").output
    assert "nie jest adres" in run("people", "invite", "ewa").output
