"""The first account comes through the printed link, once; then there is a sign-in."""

from __future__ import annotations

from typing import Any

from connector_app.web.accounts.people import first_invitation
from tests.web.site import EMAIL, PASSWORD, Site

_FORM: dict[str, Any] = {"name": "Właściciel", "email": EMAIL, "password": PASSWORD, "again": PASSWORD}


def link(pages: Site) -> str:
    with pages.services.database.begin() as session:
        token = first_invitation(session, pages.services.clock())
    assert token is not None
    return f"/start/{token}"


def test_the_link_makes_the_first_account_and_signs_in(pages: Site) -> None:
    """Without an account the sign-in page says where the link is; with it the link is over."""
    browser = pages.browser()
    assert "jednorazowy odnośnik" in browser.get("/")
    address = link(pages)
    assert "Pulpit" in browser.post(address, **_FORM)
    browser.get(address, 404)
    other = pages.browser()
    assert "Zaloguj" in other.get("/")
    assert "Pulpit" in other.sign_in().get("/")


def test_only_the_newest_link_works(pages: Site) -> None:
    """A second start ends the link of the first."""
    old, new = link(pages), link(pages)
    pages.browser().get(old, 404)
    pages.browser().get(new)


def test_wrong_passwords_and_short_ones_are_refused(pages: Site) -> None:
    """In words, and nobody is signed in."""
    browser = pages.browser()
    address = link(pages)
    said = browser.post(address, **(_FORM | {"password": "krótkie", "again": "krótkie"}))
    assert "co najmniej 10 znaków" in said
    browser.post(address, **_FORM)
    other = pages.browser()
    assert "nieprawidłowe" in other.post("/sign-in", email=EMAIL, password="inne hasło tutaj")
    assert "Zaloguj" in other.get("/")


def test_a_form_without_its_token_is_refused(pages: Site) -> None:
    """Another site cannot sign anybody in or out."""
    browser = pages.user()
    assert browser.client.post("/sign-out").status_code == 400
    assert "Pulpit" in browser.get("/")


def test_redirects_stay_here(pages: Site) -> None:
    """An address of another host leads home instead."""
    pages.user()
    for target in ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"):
        browser = pages.browser()
        answer = browser.client.post(
            f"/sign-in?next={target}",
            data={"csrf_token": browser.token("/sign-in"), "email": EMAIL, "password": PASSWORD},
        )
        assert answer.status_code == 302
        assert answer.headers["Location"] == "/"
