"""The tax mapping in the browser: proposed from the shop's settings, confirmed, and followed by invoices."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connector_app.dry_run.run import Period, run
from connector_app.store.models import DocumentState, Seller
from connector_app.store.people import AuditEntry, Role
from tests.dry_run.orders import untaxed_order
from tests.pipeline.world import World, world
from tests.web.site import Browser, Site, site

PAGE = "/stores/test/taxes"


@pytest.fixture
def made(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path, [untaxed_order("zero-rate")]) as one:
        one.prepare()
        yield one


@pytest.fixture
def pages(made: World) -> Site:
    return site(made.services())


def say(browser: Browser, status: int = 200, **values: Any) -> str:
    """Send the form; classes by their keys, with ``_`` for ``-``."""
    named = {
        f"class:{name.removeprefix('of_').replace('_', '-')}" if name.startswith("of_") else name: value
        for name, value in values.items()
    }
    return browser.post(PAGE, status, page="/", **named)


def profile(pages: Site) -> dict[str, Any]:
    with pages.services.database() as session:
        return session.get_one(Seller, 1).profile


def test_what_the_shop_says_is_shown_and_nothing_is_chosen(pages: Site) -> None:
    """Positive rates need no word; a class without any is asked about, with nothing chosen beforehand."""
    page = pages.user().get(PAGE)
    assert "VAT 8" in page
    assert "Zero rate" in page
    assert "nie ustalono" in page
    asked, _, clear = page.partition("Klasy, o których nic nie trzeba mówić")
    assert 'name="class:zero-rate"' in asked
    assert "Standard rate" in clear
    assert 'value="zw" selected' not in page
    assert "tax_classes" not in profile(pages)


def test_a_confirmed_mapping_lets_the_order_be_invoiced(pages: Site, made: World) -> None:
    """From asking a person, over the form, to an accepted invoice with the basis of the exemption."""
    made.run()
    assert made.documents()[0].state == DocumentState.ATTENTION
    browser = pages.user()
    page = browser.get(PAGE)
    assert "czekają na decyzję o podatkach" in page
    assert "zamówienia bez podatku: 1" in page
    refused = say(browser, of_zero_rate="zw")
    assert "Podaj podstawę zwolnienia" in refused
    assert 'value="zw" selected' in refused
    assert "tax_classes" not in profile(pages)
    say(browser, of_zero_rate="zw", law="art. 113 ust. 1 ustawy o VAT")
    assert profile(pages)["tax_classes"] == {"zero-rate": "zw"}
    assert pages.woken
    with pages.services.database() as session:
        entry = session.query(AuditEntry).filter_by(action="seller.taxes").one()
        assert entry.details is not None
        assert entry.details["tax_classes"]["is"] == {"zero-rate": "zw"}
    made.shop.state.change(untaxed_order()["id"], customer_note="jeszcze raz")
    made.run()
    document = made.documents()[0]
    assert document.state == DocumentState.PUBLISHED
    assert "art. 113 ust. 1 ustawy o VAT" in (document.xml or b"").decode()


def test_what_was_said_can_be_taken_back_and_others_stay(pages: Site) -> None:
    """An empty choice asks again; keys of other shops and other settings are not touched."""
    with pages.services.database.begin() as session:
        seller = session.get_one(Seller, 1)
        seller.profile = seller.profile | {
            "tax_classes": {"zero-rate": "0 KR", "elsewhere": "np I", "odd": "23"},
            "invoices": {"unit": "kpl."},
        }
    browser = pages.user()
    say(browser, of_zero_rate="", eu_goods="0 WDT", export="0 EX", oss="on")
    found = profile(pages)
    assert found["tax_classes"] == {"elsewhere": "np I", "odd": "23"}
    assert 'value="23" selected' in browser.get(PAGE)
    say(browser, of_odd="23", of_elsewhere="zw", law="art. 43")
    assert profile(pages)["tax_classes"] == {"elsewhere": "zw", "odd": "23"}
    assert found["treatments"] == {"eu_goods": "0 WDT", "export": "0 EX", "oss": True}
    assert found["invoices"] == {"unit": "kpl."}
    say(browser, of_elsewhere="")
    assert profile(pages)["invoices"] == {"unit": "kpl."}
    assert "treatments" not in profile(pages)


def test_forged_choices_are_refused(pages: Site) -> None:
    """Only what may stand for an untaxed amount; keys that are not shown are left alone."""
    browser = pages.user()
    assert "Wybierz z listy" in say(browser, of_zero_rate="23")
    say(browser, of_nobody="np I")
    assert "tax_classes" not in profile(pages)


def test_a_shop_that_does_not_tell_is_no_obstacle(pages: Site, made: World) -> None:
    """Why stands on the page; classes that orders had can be decided all the same, and asked for again."""
    made.run()
    made.shop.fault("redirect", times=1, path="taxes")
    browser = pages.user()
    page = browser.get(PAGE)
    assert "nie udało się przeczytać" in page
    assert 'name="class:zero-rate"' in page
    browser.post(f"{PAGE}/read", page=PAGE)
    assert "nie udało się przeczytać" not in browser.get(PAGE)


def test_hostile_names_stay_texts(tmp_path: Path) -> None:
    """A class whose key is markup can be decided, and is never markup of the page."""
    key = '"><script>alert(1)</script>'
    with world(tmp_path, [untaxed_order(key, billing={"first_name": key, "last_name": "X"})]) as made:
        made.prepare()
        made.run()
        pages = site(made.services())
        browser = pages.user()
        assert "<script>alert" not in browser.get(PAGE)
        browser.post(PAGE, **{f"class:{key}": "np I"}, page="/")  # type: ignore[arg-type]
        assert profile(pages)["tax_classes"] == {key: "np I"}
        run(made.services(), 1, Period(date(2026, 1, 1), date(2026, 11, 24)))
        for path in ("", "/orders/1"):
            page = browser.get(f"/stores/test/dry-run{path}")
            assert "alert(1)" in page
            assert "<script>alert" not in page


def test_rights(pages: Site) -> None:
    """Only the seller's owner may change it; strangers find nothing."""
    viewer = pages.user("v@sklep.example", is_admin=False, seller_1=Role.OPERATOR)
    assert "Zmienić może to właściciel" in viewer.get(PAGE)
    say(viewer, 403, of_zero_rate="np I")
    owner = pages.user("o@sklep.example", is_admin=False, seller_1=Role.OWNER)
    say(owner, of_zero_rate="np I")
    stranger = pages.user("s@sklep.example", is_admin=False)
    stranger.get(PAGE, 404)
    stranger.post(PAGE, 404, page="/")
    stranger.post(f"{PAGE}/read", 404, page="/")
