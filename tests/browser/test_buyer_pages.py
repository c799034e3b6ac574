"""A buyer with a phone, and the merchant who answers: what they see, tap and get, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, ViewportSize

from connector_app import buyer_links
from core.invoices.model import TaxId
from tests.browser.chromium import DESK, PHONE, live, sign_in
from tests.pipeline.kept_world import invoiced_world
from tests.pipeline.proposing import RIGHT_NIP
from tests.pipeline.refunds import parsed
from tests.pipeline.world import World
from tests.web.site import Site, site

_SMALL = ViewportSize(width=PHONE["width"], height=PHONE["height"])
_WIDE = ViewportSize(width=DESK["width"], height=DESK["height"])


@pytest.fixture
def invoiced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One order whose invoice is accepted."""
    with invoiced_world(tmp_path_factory.mktemp("buyer")) as made:
        made.clock.sleep(60)
        yield made


def _key(made: World) -> str:
    return buyer_links.key_of(made.services().vault, made.by_order()["15"])


def _fits(page: Page) -> bool:
    fits: bool = page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    return fits


def _serious(page: Page) -> list[str]:
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [one["id"] for one in found if one["impact"] in {"serious", "critical"}]


def test_a_buyer_on_a_phone_reports_the_right_nip_and_the_merchant_approves(
    chromium: Browser, invoiced: World
) -> None:
    pages: Site = site(invoiced.services())
    pages.user()
    key = _key(invoiced)
    with live(pages) as base:
        # without JavaScript, as the pages promise
        phone = chromium.new_context(viewport=_SMALL, locale="pl-PL", java_script_enabled=False).new_page()
        phone.goto(f"{base}/f/{key}")
        for link, name, begin in (
            ("Pobierz PDF", "FV-2026-11-0001.pdf", b"%PDF"),
            ("XML", ".xml", b"<?xml"),
        ):
            with phone.expect_download() as download:
                phone.get_by_role("link", name=link, exact=True).click()
            assert download.value.suggested_filename.endswith(name)
            assert Path(download.value.path()).read_bytes().startswith(begin)
        # the seller has not allowed it
        assert phone.get_by_role("link", name="UPO", exact=True).count() == 0
        assert phone.get_by_role("img", name="Kod QR z linkiem weryfikacyjnym").is_visible()
        assert phone.get_by_role("link", name="Otwórz stronę weryfikacji").is_visible()
        phone.get_by_role("link", name="Zgłoś właściwe dane").click()
        phone.get_by_label("NIP").fill(RIGHT_NIP)
        phone.get_by_label("Twój e-mail").fill("ksiegowosc@firma.example")
        phone.get_by_role("button", name="Wyślij zgłoszenie").click()
        assert phone.get_by_text("Sprzedawca dostał Twoje zgłoszenie").is_visible()

        desk = chromium.new_context(viewport=_WIDE, locale="pl-PL").new_page()
        sign_in(desk, base)
        desk.goto(f"{base}/proposals")
        desk.on("dialog", lambda dialog: dialog.accept())
        desk.get_by_role("button", name="Zatwierdź").click()
        assert desk.get_by_text("Zatwierdzono; korekta jest w drodze.").is_visible()
        invoiced.run()
        phone.goto(f"{base}/f/{key}")
        phone.get_by_role("link", name="Nowa faktura").click()
        assert phone.get_by_text(RIGHT_NIP).first.is_visible()
    assert parsed(invoiced.by_order()["15"]).buyer.tax_id == TaxId.nip(RIGHT_NIP)


def test_the_pages_fit_a_phone_and_have_no_serious_fault_of_accessibility(
    chromium: Browser, invoiced: World
) -> None:
    pages = site(invoiced.services())
    key = _key(invoiced)
    said: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        said.append(message.text)

    with live(pages) as base:
        for language in ("pl", "en"):
            page = chromium.new_context(viewport=_SMALL, locale="pl-PL").new_page()
            page.on("console", listen)
            for path in (f"/f/{key}", f"/f/{key}/correct"):
                page.goto(f"{base}{path}?lang={language}")
                assert _fits(page)
                assert _serious(page) == []
            assert said == []
            page.remove_listener("console", listen)
            page.goto(f"{base}/f/unknown?lang={language}")
            assert _serious(page) == []
