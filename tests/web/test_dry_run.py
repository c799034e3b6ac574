"""The dry run in the browser: started, looked at, its pictures; nobody sees another seller's."""

from __future__ import annotations

import time
from typing import Any

from connector_app.store.models import Store
from connector_app.store.people import AuditEntry, Role
from tests.pipeline.world import World
from tests.web.site import Browser, Site

PAGE = "/stores/test/dry-run"
PERIOD: dict[str, Any] = {"first": "2026-09-01", "last": "2026-11-24"}


def finished(browser: Browser) -> str:
    """The page once the run has ended."""
    for _ in range(200):
        page = browser.get(PAGE)
        if "data-job" not in page:
            return page
        time.sleep(0.05)
    raise AssertionError("the run does not end")


def test_a_run_from_start_to_pictures(pages: Site, made: World) -> None:
    """The form starts it, the page shows numbers, an order has its picture, PDF and XML."""
    browser = pages.user()
    assert "Jeszcze nie było próby" in browser.get(PAGE)
    browser.post(PAGE, **PERIOD)
    page = finished(browser)
    assert "Wynik za 01.09.2026" in page
    assert "Firma Sp. z o.o." in page
    order = browser.get(f"{PAGE}/orders/1")
    assert "PRÓBA FV/2026/11/0001" in order
    for kind, begin in (("picture", b"\x89PNG"), ("pdf", b"%PDF"), ("xml", b"<?xml")):
        answer = browser.client.get(f"{PAGE}/documents/1/{kind}")
        assert answer.data.startswith(begin), kind
    assert made.in_ksef() == []
    with pages.services.database() as session:
        assert [one.action for one in session.query(AuditEntry)].count("store.dry-run") == 1


def test_filters_and_addresses_that_do_not_exist(pages: Site) -> None:
    """Odd filters show everything; ids that are not of the run are not found."""
    browser = pages.user()
    browser.get(f"{PAGE}/orders/1", 404)
    browser.post(PAGE, **PERIOD)
    finished(browser)
    assert "Firma Sp. z o.o." in browser.get(f"{PAGE}?outcome=nonsense&group=99&page=0")
    assert "Firma Sp. z o.o." not in browser.get(f"{PAGE}?outcome=waiting")
    assert "Firma Sp. z o.o." in browser.get(f"{PAGE}?outcome=invoice&page=1")
    browser.get(f"{PAGE}?page={10**30}")
    for path in (
        f"orders/{10**30}",
        f"documents/{10**30}/xml",
        "orders/2",
        "documents/2/pdf",
        "documents/1/exe",
        "documents/1/picture?page=9",
    ):
        browser.get(f"{PAGE}/{path}", 404)


def test_periods_are_checked(pages: Site) -> None:
    """A fault stands beside the field, and nothing is started."""
    browser = pages.user()
    assert "po końcu" in browser.post(PAGE, first="2026-11-24", last="2026-11-01")
    assert "Podaj dzień" in browser.post(PAGE, first="", last="2026-11-01")
    assert "Jeszcze nie było próby" in browser.get(PAGE)


def test_a_failed_run_says_why(pages: Site, made: World) -> None:
    """In the shop's adapter's words, on the same page."""
    browser = pages.user(language="en")
    made.shop.fault("redirect")
    browser.post(PAGE, **PERIOD)
    page = finished(browser)
    assert "alert-danger" in page
    assert "No run yet" not in page
    browser.post(PAGE, **PERIOD)
    page = finished(browser)
    assert "alert-danger" not in page
    assert "Firma Sp. z o.o." in page


def test_rights(pages: Site) -> None:
    """Who reads the seller may look, an operator may start, others find nothing."""
    owner = pages.user()
    owner.post(PAGE, **PERIOD)
    finished(owner)
    viewer = pages.user("v@sklep.example", is_admin=False, seller_1=Role.VIEWER)
    assert "Firma Sp. z o.o." in viewer.get(PAGE)
    viewer.post(PAGE, 403, page="/", **PERIOD)
    stranger = pages.user("s@sklep.example", is_admin=False)
    for path in ("", "/orders/1", "/documents/1/pdf", "/documents/1/xml"):
        stranger.get(f"{PAGE}{path}", 404)
    stranger.post(PAGE, 404, page="/", **PERIOD)
    pages.browser().client.get(f"{PAGE}/documents/1/xml")
    assert b"<?xml" not in pages.browser().client.get(f"{PAGE}/documents/1/xml").data


def test_a_removed_store_is_only_looked_at(pages: Site) -> None:
    """Its last result stays; nothing is read from it any more."""
    browser = pages.user()
    with pages.services.database.begin() as session:
        session.get_one(Store, 1).closed_at = pages.services.clock()
    assert "Sprawdź zamówienia" not in browser.get(PAGE)
    browser.post(PAGE, 404, page="/", **PERIOD)
