"""The frame around all pages: by keyboard, without scripts, on a phone, in English, and for everybody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page, ViewportSize

from tests.browser.chromium import DESK, PHONE, live, sign_in
from tests.pipeline.proposing import propose
from tests.pipeline.world import NIP, World
from tests.web.site import Site

PERIOD: dict[str, Any] = {"first": "2026-09-01", "last": "2026-11-24"}
WITHOUT_FRAME = (
    "/healthz",
    "/readyz",
    "/health",
    "/metrics",
    "/oauth/",
    "/f/",
    "/join/",
    "/start/",
    "/jobs/",
)
"""For machines, or with a test of their own."""
MORE = (
    "/documents?state=attention",
    "/documents/{published}/correct?what=buyer",
    "/stores/test/texts/buyer.accepted",
    f"/sellers/{NIP}/stores/new?platform=woocommerce",
)
"""Other faces of pages, beside the pages that the application says it has."""
_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


def serious_faults(page: Page) -> list[str]:
    """What axe-core finds on a page that is serious or critical, in words."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{page.url}: {one['id']}: {one['help']} {[node['target'] for node in one['nodes']][:3]}"
        for one in found
        if one["impact"] in {"serious", "critical"}
    ]


def _ids(made: World) -> dict[str, str]:
    published = next(one for one in made.documents() if one.state == "published")
    asking = next(one for one in made.documents() if one.state == "attention")
    return {"published": str(published.id), "asking": str(asking.id), "order": str(published.order_id)}


def all_pages(pages: Site, client: FlaskClient, ids: dict[str, str]) -> Iterator[str]:
    """Every page of the application that a signed-in owner may open, with values of one seller in it.

    Taken from the application itself, so that a new page is looked at without being named here.

    Args:
        pages: the application. client: of the owner. ids: of documents and orders, by what they are.
    """
    values = {
        "nip": [NIP],
        "code": ["test"],
        "document_id": [ids["published"], ids["asking"]],
        "order_id": [ids["order"]],
        "user_id": ["1"],
    }
    for rule in pages.app.url_map.iter_rules():
        names = set(_PARAMETER.findall(rule.rule))
        if "GET" not in (rule.methods or set()) or not names <= set(values):
            continue
        for number in range(max([len(values[name]) for name in names], default=1)):
            path = _PARAMETER.sub(lambda found, at=number: values[found[1]][at], rule.rule)  # type: ignore[misc]
            if path.startswith(WITHOUT_FRAME):
                continue
            answer = client.get(path)
            if answer.status_code == 200 and answer.mimetype == "text/html":
                yield path
    yield from (path.format(**ids) for path in MORE)


@pytest.fixture
def busy(made: World, pages: Site) -> tuple[list[str], World]:
    """Pages with something on each: a buyer's proposal, a dry run, documents of several states."""
    propose(made)
    someone = pages.user()
    someone.post("/stores/test/dry-run", **PERIOD)
    return sorted(all_pages(pages, someone.client, _ids(made))), made


def _look(page: Page, address: str, axe: tuple[ViewportSize, ...]) -> list[str]:
    """Faults of a page, which is loaded once: sideways scrolling in both widths, and what axe finds."""
    answer = page.goto(address)
    faults = [] if answer is not None and answer.ok else [f"{address} is not there"]
    for size in (DESK, PHONE):
        page.set_viewport_size(size)
        if size in axe:
            faults += [f"{size['width']}: {one}" for one in serious_faults(page)]
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            faults.append(f"{address} scrolls sideways at {size['width']}")
    return faults


@pytest.mark.parametrize("axe", [(PHONE,), pytest.param((DESK, PHONE), marks=pytest.mark.faults)], ids=str)
def test_main_pages_have_no_serious_fault_and_no_error(
    chromium: Browser, pages: Site, busy: tuple[list[str], World], axe: tuple[ViewportSize, ...]
) -> None:
    """Wide and on a phone: axe-core finds nothing serious, nothing scrolls sideways, no console error."""
    paths, _ = busy
    assert len(paths) > 40, paths
    with live(pages) as base:
        context = chromium.new_context(viewport=DESK, locale="pl-PL")
        page = context.new_page()
        said: list[str] = []
        page.on("console", lambda message: said.append(f"{page.url}: {message.text}"))
        sign_in(page, base)
        faults = [one for path in paths for one in _look(page, base + path, axe)]
        context.close()
    assert not faults, "\n".join(faults)
    assert not said, "\n".join(said)


def test_pages_outside_the_frame_have_no_serious_fault(chromium: Browser, pages: Site) -> None:
    """Signing in, links that lead nowhere, and what does not exist."""
    pages.user()
    with live(pages) as base:
        context = chromium.new_context(viewport=PHONE, locale="pl-PL")
        page = context.new_page()
        faults = []
        for path in ("/sign-in", "/start/unknown", "/join/unknown", "/f/unknown"):
            page.goto(base + path)
            assert page.locator("h1").count() == 1, path
            faults += serious_faults(page)
        sign_in(page, base)
        page.goto(f"{base}/no-such-page")
        faults += serious_faults(page)
        context.close()
    assert not faults, "\n".join(faults)


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
