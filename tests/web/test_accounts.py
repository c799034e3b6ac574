"""Signing in, the second factor, the own account: through the pages, as a person does it."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from connector_app.people import accounts as stored
from connector_app.people.entering import Outcome, by_password
from connector_app.store.people import AuditEntry, User, WebSession
from connector_app.web.app import WebOptions
from connector_app.web.safety import limiter
from tests.pipeline.world import Installation
from tests.web.bare import installation
from tests.web.conftest import REAL_HASHER
from tests.web.site import EMAIL, PASSWORD, Browser, Site, site


@pytest.fixture
def made(tmp_path: Path) -> Installation:
    """An installation without sellers; accounts need no KSeF and no shop."""
    return installation(tmp_path)


WRONG = "zupełnie inne hasło"
NEW: dict[str, Any] = {"old": PASSWORD, "new": "jeszcze dłuższe hasło", "again": "jeszcze dłuższe hasło"}
_SECRET = re.compile(r'id="secret">([^<]+)<')
_CODES = re.compile(r"<li>([A-Z2-7]{4}(?:-[A-Z2-7]{4}){3})</li>")


def user(pages: Site) -> User:
    with pages.services.database() as session:
        return session.scalars(select(User)).one()


def wait(made: Installation, **how: float) -> None:
    made.clock.sleep(timedelta(**how).total_seconds())


def actions(pages: Site) -> list[str]:
    with pages.services.database() as session:
        return list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


def attempt(pages: Site, password: str = PASSWORD, email: str = EMAIL) -> str:
    return pages.browser().post("/sign-in", email=email, password=password)


def is_in(page: str) -> bool:
    return "/sign-out" in page


def said(page: str) -> str:
    found = re.search(r'class="alert[^"]*" role="status">([^<]*)<', page)
    return html.unescape(found[1]) if found else ""


def switch_on(made: Installation, browser: Browser) -> tuple[pyotp.TOTP, list[str]]:
    """Switch the second factor on: what the phone then knows, and the recovery codes."""
    path = "/account/second-factor"
    secret = _SECRET.search(browser.get(path))
    assert secret
    totp = pyotp.TOTP(secret[1].replace(" ", ""))
    page = browser.post(path, code=totp.at(made.clock.now), password=PASSWORD)
    return totp, _CODES.findall(page)


def test_wrong_passwords_lock_an_account_for_longer_and_longer(made: Installation, pages: Site) -> None:
    """While it is locked the right password gets the same answer as a wrong one; then it opens."""
    pages.user()
    refused = {said(attempt(pages, WRONG)) for _ in range(5)}
    assert len(refused) == 1
    assert said(attempt(pages)) in refused
    wait(made, seconds=61)
    assert said(attempt(pages, WRONG)) in refused
    wait(made, seconds=61)
    assert not is_in(attempt(pages)), "the second lock is longer than the first"
    wait(made, seconds=61)
    assert is_in(attempt(pages))
    assert actions(pages).count("account.locked") == 2
    assert user(pages).failures == 0


def test_no_lock_is_longer_than_an_hour(made: Installation, pages: Site) -> None:
    """Nobody loses an account to whoever guesses at it."""
    pages.user()
    for _ in range(30):
        attempt(pages, WRONG)
        wait(made, minutes=61)
    assert is_in(attempt(pages))


def test_unknown_disabled_and_locked_accounts_answer_alike(pages: Site) -> None:
    """Nobody learns who has an account here."""
    pages.user("zamkniete@sklep.example", is_admin=False)
    with pages.services.database.begin() as session:
        session.scalars(select(User)).one().disabled_at = pages.services.clock()
    pages.user()
    for _ in range(5):
        attempt(pages, WRONG)
    tries = [
        attempt(pages, email="nikt@sklep.example"),
        attempt(pages, email="zamkniete@sklep.example"),
        attempt(pages),
    ]
    without_noise = {re.sub(r'value="[^"]*"', "", one) for one in tries}
    assert len(without_noise) == 1
    assert "nieprawidłowe" in said(tries[0])


def test_tries_that_overlap_are_all_counted(pages: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A try is counted before its password is looked at: many at the same moment win nothing."""
    pages.user()
    inner: list[Outcome] = []
    real = stored.is_password

    def overlapping(row: User | None, password: str) -> bool:
        if len(inner) < 4:
            inner.append(Outcome.WRONG)
            found, _ = by_password(pages.services.database, EMAIL, PASSWORD, pages.services.clock(), "")
            inner[-1] = found
        return real(row, WRONG)

    monkeypatch.setattr(stored, "is_password", overlapping)
    attempt(pages, WRONG)
    monkeypatch.undo()
    assert inner == [Outcome.WRONG] * 4
    assert user(pages).failures == 5
    assert not is_in(attempt(pages))


def test_addresses_are_counted_too(made: Installation) -> None:
    """Whoever tries many accounts from one place waits."""
    try:
        pages = site(made.services(), WebOptions())
        pages.user()
        browser = pages.browser()
        token = browser.token("/sign-in")
        form = {"csrf_token": token, "email": "a@b.example", "password": WRONG}
        answers = [browser.client.post("/sign-in", data=form).status_code for _ in range(21)]
        assert answers[-1] == 429
        assert 429 not in answers[:19]
    finally:
        limiter.reset()
        site(made.services())


def test_passwords_are_hashed_well() -> None:
    """Argon2id with at least what OWASP asks for: 19 MiB and two passes."""
    kept = REAL_HASHER.hash(PASSWORD)
    assert kept.startswith("$argon2id$")
    assert REAL_HASHER.memory_cost >= 19 * 1024
    assert REAL_HASHER.time_cost >= 2


def test_a_password_is_hashed_anew_when_the_parameters_grow(pages: Site) -> None:
    """At the next sign-in, because only then the password is known."""
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    pages.user()
    with pages.services.database.begin() as session:
        session.scalars(select(User)).one().password_hash = weak.hash(PASSWORD)
    assert is_in(attempt(pages))
    kept = user(pages).password_hash
    assert weak.check_needs_rehash(kept)
    assert is_in(attempt(pages))
    assert user(pages).password_hash == kept


def test_the_second_factor_asks_for_a_code_and_takes_each_once(made: Installation, pages: Site) -> None:
    """Nothing is open between password and code; a used code and a wrong one are refused."""
    browser = pages.user()
    totp, codes = switch_on(made, browser)
    assert len(set(codes)) == 10
    assert "włączone" in browser.get("/account")
    other = pages.browser()
    assert "Drugi krok" in other.post("/sign-in", email=EMAIL, password=PASSWORD)
    assert "Zaloguj" in other.get("/account"), "the password alone opens nothing"
    used = totp.at(made.clock.now)
    assert "był już użyty" in said(other.post("/sign-in/code", code=used))
    wait(made, seconds=30)
    assert is_in(
        other.post("/sign-in/code", code=f" {totp.at(made.clock.now)[:3]} {totp.at(made.clock.now)[3:]}")
    )
    third = pages.browser()
    third.post("/sign-in", email=EMAIL, password=PASSWORD)
    assert not is_in(third.post("/sign-in/code", code=totp.at(made.clock.now)))
    assert totp.secret not in str(user(pages).totp)


def test_codes_are_asked_for_a_few_minutes_only(made: Installation, pages: Site) -> None:
    """A browser that was left at the second step starts again."""
    switch_on(made, pages.user())
    browser = pages.browser()
    browser.post("/sign-in", email=EMAIL, password=PASSWORD)
    wait(made, minutes=6)
    assert 'name="email"' in browser.get("/sign-in/code")
    assert 'name="email"' in pages.browser().get("/sign-in/code")


def test_wrong_codes_lock_and_the_password_alone_wins_no_new_tries(made: Installation, pages: Site) -> None:
    """Whoever knows the password gets as few guesses at the code as anybody at a password."""
    totp, _ = switch_on(made, pages.user())
    wait(made, minutes=1)
    for _ in range(5):
        browser = pages.browser()
        browser.post("/sign-in", email=EMAIL, password=PASSWORD)
        browser.post("/sign-in/code", code="000000" if totp.at(made.clock.now) != "000000" else "000001")
    assert not is_in(browser.post("/sign-in/code", code=totp.at(made.clock.now)))
    assert "nieprawidłowe" in said(attempt(pages))
    wait(made, seconds=61)
    browser.post("/sign-in", email=EMAIL, password=PASSWORD)
    assert is_in(browser.post("/sign-in/code", code=totp.at(made.clock.now)))


def test_a_recovery_code_signs_in_once(made: Installation, pages: Site) -> None:
    """However it is typed; fresh codes end the earlier ones."""
    browser = pages.user()
    _, codes = switch_on(made, browser)
    other = pages.browser()
    other.post("/sign-in", email=EMAIL, password=PASSWORD)
    assert is_in(other.post("/sign-in/code", code=codes[0].lower().replace("-", " ")))
    again = pages.browser()
    again.post("/sign-in", email=EMAIL, password=PASSWORD)
    assert not is_in(again.post("/sign-in/code", code=codes[0]))
    assert "9" in browser.get("/account/second-factor")
    manage = "/account/second-factor/manage"
    page = "/account/second-factor"
    fresh = _CODES.findall(browser.post(manage, page=page, password=PASSWORD, what="codes"))
    assert len(fresh) == 10
    again.post("/sign-in", email=EMAIL, password=PASSWORD)
    assert not is_in(again.post("/sign-in/code", code=codes[1]))
    assert is_in(again.post("/sign-in/code", code=fresh[0]))


def test_the_second_factor_is_changed_with_the_password_only(made: Installation, pages: Site) -> None:
    """A browser that was left open can neither switch it on nor off."""
    browser = pages.user()
    path = "/account/second-factor"
    secret = _SECRET.search(browser.get(path))
    assert secret
    totp = pyotp.TOTP(secret[1].replace(" ", ""))
    assert "Ten kod nie pasuje" in browser.post(path, code="12345", password=PASSWORD)
    assert "nie jest obecne hasło" in browser.post(path, code=totp.at(made.clock.now), password=WRONG)
    assert user(pages).totp is None
    browser.post(path, code=totp.at(made.clock.now), password=PASSWORD)
    assert user(pages).totp is not None
    assert "nie jest obecne hasło" in browser.post(f"{path}/manage", page=path, password=WRONG, what="off")
    assert user(pages).totp is not None
    browser.post(f"{path}/manage", page=path, password=PASSWORD, what="off")
    assert user(pages).totp is None
    assert is_in(attempt(pages))
    assert {"account.second-factor-on", "account.second-factor-off"} <= set(actions(pages))


def test_a_new_password_needs_the_old_one_and_ends_other_browsers(pages: Site) -> None:
    """This browser stays."""
    browser, other = pages.user(), pages.browser().sign_in()
    assert "nie jest obecne hasło" in browser.post(
        "/account/password", page="/account", **(NEW | {"old": WRONG})
    )
    assert "co najmniej 10 znaków" in browser.post(
        "/account/password", page="/account", **(NEW | {"new": "krótkie", "again": "krótkie"})
    )
    assert is_in(other.get("/account"))
    browser.post("/account/password", page="/account", **NEW)
    assert is_in(browser.get("/account"))
    assert not is_in(other.get("/account"))
    assert not is_in(attempt(pages))
    assert is_in(attempt(pages, NEW["new"]))


def test_a_left_browser_cannot_guess_the_password(pages: Site) -> None:
    """Tries on the account's page are counted as those of the sign-in."""
    browser = pages.user()
    for _ in range(5):
        browser.post("/account/password", page="/account", **(NEW | {"old": WRONG}))
    assert "nie jest obecne hasło" in browser.post("/account/password", page="/account", **NEW)
    assert not is_in(attempt(pages))


def test_browsers_are_listed_and_ended(pages: Site) -> None:
    """One, or all others; somebody else's are not there."""
    browser, other, third = pages.user(), pages.browser(), pages.browser()
    other.client.environ_base["HTTP_USER_AGENT"] = (
        "Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/140.0"
    )
    other.sign_in()
    third.sign_in()
    page = browser.get("/account")
    assert "Firefox · Windows" in page
    with pages.services.database() as session:
        ids = {row.agent[:11]: row.id for row in session.scalars(select(WebSession))}
    browser.post(f"/account/browsers/{ids['Mozilla/5.0']}/end", page="/account")
    assert not is_in(other.get("/account"))
    assert is_in(third.get("/account"))
    stranger = pages.user("obcy@inny.example", is_admin=False)
    stranger.post(f"/account/browsers/{ids['Mozilla/5.0'] + 1}/end", 404, page="/account")
    stranger.post("/account/browsers/end-others", page="/account")
    assert is_in(third.get("/account"))
    browser.post("/account/browsers/end-others", page="/account")
    assert not is_in(third.get("/account"))
    assert is_in(browser.get("/account"))


def test_name_and_language_are_the_persons_choice(pages: Site) -> None:
    """The language shows at once."""
    browser = pages.user()
    page = browser.post("/account/profile", page="/account", name="<b>Anna</b>", language="en")
    assert "My account" in page
    assert "&lt;b&gt;Anna&lt;/b&gt;" in page
    assert "Fill this in" in browser.post("/account/profile", page="/account", name=" ", language="en")
    browser.post("/account/profile", page="/account", name="Anna", language="xx")
    assert user(pages).language == "en"
