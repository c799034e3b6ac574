"""The audit log: owners see what was done to their sellers, page by page, and take it home."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connector_app.people import trail
from connector_app.people.action_words import GROUPS, action_text
from connector_app.store.people import Role
from tests.pipeline.world import START, Installation
from tests.web.bare import add_seller, installation
from tests.web.site import EMAIL, Browser, Site

NIP, OTHER_NIP = "5265877635", "5260250274"
_SUBJECT = re.compile(r"document:\d+")


@pytest.fixture
def made(tmp_path: Path) -> Installation:
    """Two sellers, no shop and no KSeF."""
    one = installation(tmp_path)
    with one.services().database.begin() as session:
        add_seller(session, one, NIP, "Sklep Pierwszy")
        add_seller(session, one, OTHER_NIP, "Sklep Drugi")
    return one


def write(pages: Site, number: int, at: datetime = START, **other: Any) -> None:
    values: dict[str, Any] = {"actor": "jan@sklep.example", "seller_id": 1} | other
    action = str(values.pop("action", "document.retry"))
    with pages.services.database.begin() as session:
        trail.record(session, at, action, f"document:{number}", **values)


def numbers(page: str) -> list[str]:
    return [one.removeprefix("document:") for one in _SUBJECT.findall(page)]


def test_owners_see_their_own_sellers_entries_only(pages: Site) -> None:
    """Neither another seller's nor the installation's; others see none at all."""
    owner = pages.user("anna@biuro.example", is_admin=False, seller_1=Role.OWNER, seller_2=Role.OPERATOR)
    write(pages, 1)
    write(pages, 2, seller_id=2)
    write(pages, 3, seller_id=None)
    for path in ("/audit", "/audit.csv"):
        assert numbers(owner.get(path)) == ["1"]
        owner.get(f"{path}?seller={OTHER_NIP}", 403)
        assert sorted(numbers(pages.user(f"a{len(path)}@b.example").get(path))) == ["1", "2", "3"]
    operator = pages.user("jan@sklep.example", is_admin=False, seller_1=Role.OPERATOR)
    operator.get("/audit", 403)
    operator.get("/audit.csv", 403)
    owner.get("/audit?seller=1234567890", 404)


def test_entries_are_filtered(pages: Site) -> None:
    """By seller, person, kind and Warsaw days, both included."""
    admin = pages.user()
    night = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)  # the 23rd in Warsaw
    write(pages, 1, night)
    write(pages, 2, night, seller_id=2)
    write(pages, 3, night - timedelta(days=1), actor="ewa_x@sklep.example")
    write(pages, 4, night, action="store.policy")
    assert numbers(admin.get("/audit?since=2026-11-23&until=2026-11-23")) == ["4", "2", "1"]
    assert numbers(admin.get("/audit?until=2026-11-22")) == ["3"]
    assert numbers(admin.get(f"/audit?seller={OTHER_NIP}")) == ["2"]
    assert numbers(admin.get("/audit?person=EWA_")) == ["3"]
    assert numbers(admin.get("/audit?person=e%25a")) == []
    assert numbers(admin.get("/audit?group=store")) == ["4"]
    assert "Żaden wpis" in admin.get("/audit?person=nikt")
    assert len(numbers(admin.get("/audit?since=jutro&after=x&group=y&until=9999-12-31"))) == 4
    admin.post("/seller", page="/audit", seller="2")
    assert numbers(admin.get("/audit")) == ["2"]


def _pages(browser: Browser) -> list[list[str]]:
    path, found = "/audit?group=document", []
    while True:
        page = browser.get(path)
        found.append(numbers(page))
        older = re.search(r'href="(/audit\?[^"]*after=[^"]*)"', page)
        if older is None:
            return found
        path = older[1].replace("&amp;", "&")
        assert "group=document" in path


def test_pages_follow_each_other_without_gaps(pages: Site) -> None:
    """Entries of one moment, too; new ones push nothing onto the next page twice."""
    admin = pages.user()
    for number in range(250):
        write(pages, number, START + timedelta(microseconds=number // 60))
    assert [len(one) for one in _pages(admin)] == [100, 100, 50]
    found = [number for one in _pages(admin) for number in one]
    assert found == [str(number) for number in reversed(range(250))]


def test_the_file_is_whole_and_harmless_in_a_spreadsheet(
    pages: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every entry once; what looks like a formula is text."""
    monkeypatch.setattr(trail, "_BATCH", 10)
    admin = pages.user()
    for number in range(35):
        write(pages, number, actor="=HYPERLINK(1)")
    answer = admin.client.get("/audit.csv?group=document")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="audit.csv"'
    assert answer.text.startswith("\ufeffat,person")
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert sorted(int(row["subject"].removeprefix("document:")) for row in rows) == list(range(35))
    assert {row["person"] for row in rows} == {"'=HYPERLINK(1)"}
    assert {row["seller"] for row in rows} == {"Sklep Pierwszy"}
    assert {row["at"] for row in rows} == {"2026-11-24T11:00:00+01:00"}


def test_details_are_shown_safely_and_in_the_readers_language(pages: Site) -> None:
    """What others wrote is text, never markup."""
    admin = pages.user(language="en")
    write(pages, 1, details={"note": "<script>alert(1)</script>"}, actor="<b>x</b>")
    page = admin.get("/audit")
    assert "<script>alert" not in page
    assert "&lt;b&gt;x&lt;/b&gt;" in page
    assert "signed in" in page
    assert EMAIL in page


def test_every_word_has_a_group_to_be_found_by() -> None:
    """A code that nobody put in words is shown as it is."""
    assert action_text("account.sign-in").pl == "zalogował(a) się"
    assert action_text("unknown.code").en == "unknown.code"
    assert {"account", "people", "document"} <= set(GROUPS)
