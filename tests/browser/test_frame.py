"""The frame around all pages: by keyboard, without scripts, on a phone, in English, and for everybody."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser.chromium import DESK, PHONE, live, sign_in
from tests.web.site import Site

PAGES = ("/", "/stores")


def serious_faults(page: Page) -> list[str]:
    """What axe-core finds on a page that is serious or critical, in words."""
    found = Axe().run(page).response["violations"]
    return [
        f"{page.url}: {one['id']}: {one['help']} {[node['target'] for node in one['nodes']][:3]}"
        for one in found
        if one["impact"] in {"serious", "critical"}
    ]


def test_main_pages_have_no_serious_fault_and_no_error(chromium: Browser, pages: Site) -> None:
    """Wide and on a phone: axe-core finds nothing serious, nothing scrolls sideways, no console error."""
    pages.user()
    with live(pages) as base:
        context = chromium.new_context(viewport=DESK, locale="pl-PL")
        page = context.new_page()
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        sign_in(page, base)
        faults = []
        for size in (DESK, PHONE):
            page.set_viewport_size(size)
            for path in PAGES:
                page.goto(base + path)
                faults += serious_faults(page)
                wide = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
                faults += [f"{path} scrolls sideways at {size['width']}"] if wide else []
        context.close()
    assert faults == []
    assert said == []


def test_a_person_signs_in_by_keyboard_and_without_scripts(chromium: Browser, pages: Site) -> None:
    """Tab and Enter are enough; the language switch and the menu work without JavaScript."""
    pages.user()
    with live(pages) as base:
        context = chromium.new_context(java_script_enabled=False, locale="pl-PL")
        page = context.new_page()
        sign_in(page, base)
        page.get_by_role("button", name="English").focus()
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Home").wait_for()
        page.locator("details.menu summary").focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.get_by_role("button", name="Sign out").focus()
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Sign in").wait_for()
        context.close()
