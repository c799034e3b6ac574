"""An installation without any seller beside its sandboxes, and ways through its guided setup."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import select

from connector_app.credentials import tokens_of
from connector_app.policies import Recipients, StorePolicy
from connector_app.store.desk import Job, JobState
from connector_app.store.models import Seller, Store
from connector_app.web.app import WebOptions
from connector_app.web.here import SandboxPlaces
from tests.pipeline.world import NIP, WOO_CONFIG, World
from tests.web.site import Browser, Site, site

COMPANY: dict[str, Any] = {
    "nip": NIP,
    "name": "Sklep Testowy",
    "line1": "ul. Przykładowa 1",
    "line2": "00-001 Warszawa",
    "environment": "SANDBOX",
}
SETUP = f"/setup/{NIP}"
SIGN_IN = f"/sellers/{NIP}/sign-in"
CERTIFICATES = f"/sellers/{NIP}/certificates"


def empty_site(made: World) -> Site:
    """The application over an installation that has its sandboxes and nothing else."""
    places = SandboxPlaces(made.ksef.api_url, made.ksef.qr_url, made.ksef.latarnia_url)
    return site(made.services(), WebOptions(limits=False, sandbox=places))


def send(browser: Browser, path: str, values: dict[str, Any]) -> str:
    """Send a form whose fields have names that Python has not; the page that follows."""
    return browser.post(path, **values)


def make_company(browser: Browser, **changes: Any) -> str:
    """Fill in the first page of the setup; the page that follows."""
    return browser.post("/setup/company", page="/setup", **(COMPANY | changes))


def finished_jobs(pages: Site) -> list[Job]:
    """All jobs, when none runs any more."""
    until = time.monotonic() + 20
    while True:
        with pages.services.database() as session:
            rows = list(session.scalars(select(Job).order_by(Job.id)))
        if all(one.state != JobState.RUNNING for one in rows):
            return rows
        assert time.monotonic() < until, "a job does not end"
        time.sleep(0.02)


def the_seller(pages: Site) -> Seller:
    """The only seller."""
    with pages.services.database() as session:
        return session.scalars(select(Seller)).one()


def is_signed_in(pages: Site) -> bool:
    """Whether the only seller has tokens of KSeF."""
    return tokens_of(pages.services.vault, the_seller(pages).tokens) is not None


def sign_in_by_test_certificate(pages: Site, browser: Browser) -> str:
    """One click; the page after the check has ended."""
    browser.post(f"{SIGN_IN}/test-certificate?setup=1", page=SIGN_IN)
    finished_jobs(pages)
    return browser.get(f"{SIGN_IN}?setup=1")


def add_store(made: World, pages: Site) -> None:
    """A store whose every order gets an invoice, as the page of stores makes it."""
    with pages.services.database.begin() as session:
        session.add(
            Store(
                code="test",
                seller_id=session.scalars(select(Seller.id)).one(),
                platform="woocommerce",
                url=made.shop.url,
                config=pages.services.vault.seal({"url": made.shop.url, **WOO_CONFIG}),
                policy=StorePolicy(recipients=Recipients.EVERYONE).as_json(),
                created_at=pages.services.clock(),
            )
        )
