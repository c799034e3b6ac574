"""What a merchant and an agency do in a real browser: decide, correct, look, and see only what is theirs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from connector_app.store.people import Role
from core.invoices.model import TaxId
from tests.browser.chromium import DESK, live, sign_in
from tests.pipeline.kept_world import invoiced_world
from tests.pipeline.refunds import corrections, parsed, states
from tests.pipeline.world import World, recorded, world
from tests.web.site import PASSWORD, site
from tests.web.two_sellers import FOREIGN, OWN, built, email_of, opened

RIGHT_NIP, WRONG_NIP = "5213017228", "5213017229"
KSEF_NUMBER = re.compile(r"5265877635-\d{8}-[0-9A-F]{12}-[0-9A-F]{2}")


@contextmanager
def at_desk(chromium: Browser, base: str, email: str = "") -> Iterator[Page]:
    """A page of a person who signed in; at the end the console must have stayed silent."""
    context = chromium.new_context(viewport=DESK, locale="pl-PL")
    page = context.new_page()
    page.set_default_timeout(10_000)
    said: list[str] = []
    # a form that is sent back with its faults is an answer that the browser mentions
    page.on("console", lambda one: None if " 422 " in one.text else said.append(f"{page.url}: {one.text}"))
    page.on("dialog", lambda dialog: dialog.accept())
    if email:
        sign_in(page, base, email, PASSWORD)
    else:
        sign_in(page, base)
    yield page
    context.close()
    assert not said


@pytest.fixture
def mistyped(tmp_path: Path) -> Iterator[World]:
    """Two firms ordered, both with a number whose check digit is wrong."""
    orders = [recorded("order_full"), recorded("order_full", id=9001, number="9001")]
    for order in orders:
        for one in order["meta_data"]:
            if "nip" in one["key"]:
                one["value"] = WRONG_NIP
    with world(tmp_path, orders) as made:
        made.prepare()
        made.run()
        assert {one.state for one in made.documents()} == {"attention"}
        yield made


def test_questions_are_decided_at_home_and_on_the_orders_page(chromium: Browser, mistyped: World) -> None:
    """The buyer's right data make one an accepted invoice; the other is withdrawn at home."""
    pages = site(mistyped.services())
    pages.user()
    first, second = mistyped.by_order()["15"], mistyped.by_order()["9001"]
    with live(pages) as base, at_desk(chromium, base) as page:
        needed = page.locator("article.needed")
        expect(needed).to_have_count(2)
        expect(needed.first).to_contain_text("cyfra kontrolna się nie zgadza")
        needed.filter(has_text="9001").get_by_role("button", name="Wycofaj").click()
        expect(needed).to_have_count(1)
        needed.get_by_role("link", name="Zamówienie 15", exact=True).click()
        expect(page.locator("main")).to_contain_text("cyfra kontrolna się nie zgadza")
        page.locator("dl.facts").get_by_role("link", name="15").click()
        page.get_by_label("NIP").fill(WRONG_NIP)
        page.get_by_role("button", name="Zapisz nabywcę").click()
        expect(page.locator("main")).to_contain_text("To nie jest poprawny NIP")
        page.get_by_label("NIP").fill(RIGHT_NIP)
        page.get_by_role("button", name="Zapisz nabywcę").click()
        expect(page.locator("main")).to_contain_text("Na fakturze, wpisany ręcznie")
        assert pages.woken, "the work is asked for at once"
        mistyped.run()
        page.goto(f"{base}/documents/{first.id}")
        expect(page.locator("main")).to_contain_text(KSEF_NUMBER)
        page.goto(f"{base}/documents/{second.id}")
        expect(page.get_by_role("button", name="Cofnij wycofanie")).to_be_visible()
        page.goto(base)
        expect(page.locator("main")).to_contain_text("Nic. Wszystko idzie samo.")
    issued = {number: one.state for number, one in mistyped.by_order().items()}
    assert issued == {"15": "published", "9001": "cancelled"}
    assert parsed(mistyped.by_order()["15"]).buyer.tax_id == TaxId.nip(RIGHT_NIP)
    assert len(mistyped.in_ksef()) == 1


@pytest.fixture
def invoiced(tmp_path: Path) -> Iterator[World]:
    """One order whose invoice is accepted."""
    with invoiced_world(tmp_path) as made:
        yield made


def test_a_correction_is_entered_looked_at_and_issued(chromium: Browser, invoiced: World) -> None:
    """From the invoice's page to the accepted correction in its chain; the preview is what is issued."""
    pages = site(invoiced.services())
    pages.user()
    with live(pages) as base, at_desk(chromium, base) as page:
        page.goto(f"{base}/documents")
        page.get_by_role("link", name="FV/2026/11/0001").click()
        page.get_by_role("link", name="Wystaw korektę").click()
        page.get_by_label("Kwota").first.fill("abc")
        page.get_by_label("Przyczyna korekty").fill("Rabat po sprzedaży")
        page.get_by_role("button", name="Pokaż podgląd").click()
        expect(page.locator(".is-invalid").first).to_be_visible()
        expect(page.get_by_role("button", name="Wystaw korektę")).to_have_count(0)
        page.get_by_label("Kwota").first.fill("1,00")
        page.get_by_role("button", name="Pokaż podgląd").click()
        change = (
            page.locator("tfoot")
            .get_by_role("row")
            .filter(has_text="Zmiana razem")
            .locator("td")
            .inner_text()
        )
        assert corrections(invoiced) == [], "looking issues nothing"
        page.get_by_role("button", name="Wystaw korektę").click()
        invoiced.run()
        (correction,) = corrections(invoiced)
        page.goto(f"{base}/documents/{invoiced.by_order()['15'].id}")
        chain = page.get_by_role("region", name="Faktura i korekty tego zamówienia")
        row = chain.get_by_role("row").filter(has_text=str(correction.number))
        expect(row).to_contain_text(change)
        row.get_by_role("link").click()
        expect(page.get_by_role("heading", name=str(correction.number))).to_be_visible()
        expect(page.locator("main")).to_contain_text(KSEF_NUMBER)
        for link, name in (("Pobierz PDF", ".pdf"), ("XML", ".xml"), ("UPO", ".xml")):
            with page.expect_download() as download:
                page.get_by_role("link", name=link, exact=True).click()
            assert download.value.suggested_filename.endswith(name)
            assert Path(download.value.path()).stat().st_size > 500
    assert states(invoiced) == {"invoice": "published", correction.purpose: "published"}
    assert len(invoiced.in_ksef()) == 2


def test_a_viewer_of_one_seller_meets_nothing_of_another(chromium: Browser, tmp_path: Path) -> None:
    """Lists, search, the seller's switch and addresses typed by hand; the owner of both sees both."""
    (tmp_path / "built").mkdir()
    (tmp_path / "copy").mkdir()
    with built(tmp_path / "built") as both:
        two = opened(both, tmp_path / "copy")
        own, other = two.own, two.other
        with live(two.pages) as base:
            with at_desk(chromium, base, email_of(OWN, "admin")) as page:
                page.goto(f"{base}/stores")
                expect(page.locator("main")).to_contain_text(other.code)
            context = chromium.new_context(viewport=DESK, locale="pl-PL")
            page = context.new_page()
            sign_in(page, base, email_of(OWN, Role.VIEWER), PASSWORD)
            for path in ("/", "/stores", "/documents", f"/documents?q={FOREIGN}", "/orders", "/settings"):
                page.goto(base + path)
                seen = page.content().lower().replace(f"?q={FOREIGN}", "").replace(f'value="{FOREIGN}"', "")
                assert other.nip not in seen, path
                assert FOREIGN not in seen.replace(f"„{FOREIGN}”", ""), path
            page.goto(f"{base}/stores")
            expect(page.locator("main")).to_contain_text(own.code)
            for path in (
                f"/stores/{other.code}",
                f"/documents/{other.ids['documents']}",
                f"/documents/{other.ids['documents']}/pdf",
                f"/orders/{other.ids['orders']}",
                f"/sellers/{other.nip}",
            ):
                answer = page.goto(base + path)
                assert answer is not None
                assert answer.status == 404, path
                assert FOREIGN not in page.locator("main").inner_text().lower()
            context.close()


def test_the_application_in_english(chromium: Browser, made: World) -> None:
    """One click changes every page, and the choice stays with the account in another browser."""
    pages = site(made.services())
    pages.user()
    words = {
        "/": ("Home", "Needs you"),
        "/documents": ("Documents", "Search"),
        "/orders": ("Orders", ""),
        "/stores": ("Stores", ""),
        "/stores/test/policy": ("", "Policy"),
        "/settings": ("Settings", "My account"),
    }
    with live(pages) as base:
        with at_desk(chromium, base) as page:
            page.get_by_role("button", name="English").click()
            expect(page.locator("html")).to_have_attribute("lang", "en")
            for path, (heading, text) in words.items():
                page.goto(base + path)
                if heading:
                    expect(page.get_by_role("heading", level=1, name=heading)).to_be_visible()
                expect(page.locator("body")).to_contain_text(text)
                # no letter of the Polish alphabet but in names that people gave
                frame = page.locator("header").inner_text() + page.locator("h1").inner_text()
                assert not re.search("[ąćęłńśźż]", frame.lower().replace("polski", "")), path
        with at_desk(chromium, base) as page:
            expect(page.get_by_role("heading", name="Home")).to_be_visible()
