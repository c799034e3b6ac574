"""Pages of the checks: started as a job, read, printed and kept as files; for whom they are."""

from __future__ import annotations

import json
import re
import time

import pytest

from connector_app.store.database import newest_form
from connector_app.store.people import Role
from tests.checks.broken import MONTH, Shelf
from tests.pipeline.world import NIP
from tests.web.conftest import hash_quickly
from tests.web.site import Browser, Site, site

PAGE = f"/sellers/{NIP}/numbers-check"


@pytest.fixture
def pages(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> Site:
    """The application over an installation of its own."""
    hash_quickly(monkeypatch)
    return site(shelf.made.services())


def finished(someone: Browser, path: str) -> str:
    """A page once its job has ended."""
    for _ in range(200):
        text = someone.get(path)
        if "data-job" not in text:
            return text
        time.sleep(0.05)
    raise AssertionError(f"the job of {path} does not end")


def checked(someone: Browser, *, ksef: str = "") -> tuple[str, str]:
    """Check a month; the address and text of the result."""
    someone.post(PAGE, begin=MONTH, end=MONTH, ksef=ksef)
    found = re.search(rf'href="({PAGE}/\d+)"', finished(someone, PAGE))
    assert found is not None
    return found[1], someone.get(found[1])


def test_an_accountant_proves_a_month_and_keeps_the_report(pages: Site) -> None:
    """The page says that it is proved; the files say the same."""
    someone = pages.user(is_admin=False, seller_1=Role.ACCOUNTANT)
    assert f'href="{PAGE}"' in someone.get("/documents") or "/checks" in someone.get("/documents")
    address, text = checked(someone, ksef="yes")
    assert "Wykazano: wszystko się zgadza." in text
    assert "FV/2026/11/0001 – FV/2026/11/0004" in text
    kept = someone.get(f"{address}/html")
    assert "Wykazano" in kept
    assert newest_form() in kept
    assert "<link" not in kept
    assert someone.get(f"{address}/csv").startswith("\ufeffUstalenie;")
    assert json.loads(someone.get(f"{address}/json"))["result"] == "proved"


def test_findings_lead_to_their_documents(pages: Site, shelf: Shelf) -> None:
    """In words, with a link; without KSeF nothing is proved."""
    someone = pages.user()
    _, text = checked(someone)
    assert "Nie wykazano" in text
    shelf.sql("UPDATE documents SET total = '1.00' WHERE number = 'FV/2026/11/0003'")
    row = shelf.document("FV/2026/11/0003")
    _, text = checked(someone)
    assert "Baza mówi co innego niż plik XML" in text
    assert f'href="/documents/{row.id}"' in text


def test_who_only_looks_does_not_check(pages: Site) -> None:
    """The page is for accountants and up, and the installation's for its owners."""
    viewer = pages.user("widz@sklep.example", is_admin=False, seller_1=Role.VIEWER)
    viewer.get(PAGE, 403)
    viewer.get("/checks", 403)
    owner = pages.user("szef@sklep.example", is_admin=False, seller_1=Role.OWNER)
    owner.get("/installation", 404)


def test_a_wrong_period_is_said(pages: Site) -> None:
    """And nothing is started."""
    someone = pages.user()
    text = someone.post(PAGE, begin="2026-11", end="2026-10")
    assert "kończy się przed początkiem" in text
    assert "data-job" not in text


def test_the_state_of_the_installation_is_shown(pages: Site, shelf: Shelf) -> None:
    """At once without the network; as a whole when asked."""
    someone = pages.user()
    assert 'href="/installation"' in someone.get("/settings")
    shelf.sql("UPDATE sellers SET tokens = 'gAAAAA'")
    text = someone.get("/installation")
    assert "secret.key nie odszyfrowuje" in text
    assert "Nie zamówiono." in text
    assert "Tym programem kopii jeszcze nie zrobiono" in text
    shelf.sql("UPDATE sellers SET tokens = NULL")
    someone.post("/installation", network="yes")
    text = finished(someone, "/installation?whole=yes")
    assert "Całe badanie" in text
    assert "zalogowano" in text
