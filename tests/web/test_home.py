"""Home and the board say what needs a person, how much was issued, and how shops and KSeF are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from connector_app.overview import numbers, stores, work
from connector_app.overview.stores import Health
from connector_app.store.models import Document, Seller, Store
from connector_app.store.people import Role
from core.calendar import warsaw_day
from tests.pipeline.kept_world import invoiced_world
from tests.pipeline.world import DEMO, World
from tests.web.site import site


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[World]:
    """Five recorded orders went through: three invoices, two questions."""
    with invoiced_world(tmp_path, *DEMO) as one:
        yield one


def text_of(page: str) -> str:
    """A page's words without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.replace("\xa0", " ")))


def test_home_names_what_needs_a_person(busy: World) -> None:
    """Each question with its order, its sentence and the hint; sums equal the documents'."""
    pages = site(busy.services())
    said = text_of(pages.user().get("/"))
    assert "cyfra kontrolna się nie zgadza" in said
    assert "Zapytaj kupującego o NIP" in said
    issued = [one for one in busy.documents() if one.number]
    total = sum(one.total for one in issued if one.total is not None)
    assert f"{total:.2f}".replace(".", ",") + " PLN" in said
    assert len(issued) == 3
    english = text_of(pages.user("e@sklep.example", language="en").get("/"))
    assert "Needs you" in english
    assert "Czeka" not in english


def test_sums_by_day_and_month_add_up(busy: World) -> None:
    """Counted by Warsaw day; another month is empty; a day outside is not counted."""
    services = busy.services()
    today = warsaw_day(services.clock())
    with services.database() as session:
        found = numbers.issued(session, [1], today, today)
        assert found.count == 3
        assert numbers.issued(session, [1], today + timedelta(days=1), today + timedelta(days=9)).count == 0
        assert numbers.issued(session, [2], today, today).count == 0
        days = numbers.by_day(session, [1], today, 30)
    assert (len(days), days[-1], sum(count for _, count in days)) == (30, (today, 3), 3)


def test_a_shop_that_is_silent_turns_red_and_an_ending_certificate_yellow(busy: World) -> None:
    """The board says so in words, for the people of that seller only."""
    services = busy.services()
    pages = site(services)
    with services.database() as session:
        (line,) = stores.board(services, session, [1])
        assert (line.health, line.needs, line.under_way) == (Health.WARNING, 2, 0)
        assert line.reasons == ()
    busy.clock.sleep(2 * 3600)
    said = text_of(pages.user().get("/stores"))
    assert "stoi" in said
    assert "od ponad godziny" in said
    assert "Nic nie pasuje" in text_of(pages.user("b@sklep.example").get("/stores?q=nieznany"))
    stranger = pages.user("obcy@sklep.example", is_admin=False)
    for path in ("/", "/stores"):
        page = stranger.get(path)
        assert "test" not in text_of(page).split()
        assert "Sklep Testowy" not in page
        assert "Nowak" not in page


def test_offline_deadlines_come_most_urgent_first(busy: World) -> None:
    """With the days that are left; what KSeF has is not named."""
    services = busy.services()
    today = warsaw_day(services.clock())
    with services.database.begin() as session:
        first, second = session.query(Document).filter(Document.number.is_not(None)).limit(2)
        for row, days in ((first, 3), (second, -1)):
            row.state, row.ksef_number, row.send_by = "issued", None, today + timedelta(days=days)
    with services.database() as session:
        found = work.deadlines(session, [1], today, 5)
    assert [one.days for one in found] == [-1, 3]
    said = text_of(site(services).user().get("/"))
    assert "po terminie" in said
    assert "dni: 3" in said


def test_pages_can_be_narrowed_to_one_seller(busy: World) -> None:
    """Only to a seller that the person may see; all again with an empty choice."""
    services = busy.services()
    with services.database.begin() as session:
        mine = session.get_one(Seller, 1)
        other = Seller(
            nip="5213017228",
            name="Drugi Sprzedawca",
            profile=mine.profile,
            environment=mine.environment,
            schema_version="FA3",
            credential=mine.credential,
            created_at=services.clock(),
        )
        session.add(other)
        session.flush()
        session.add(
            Store(
                code="drugi",
                seller_id=other.id,
                platform="woocommerce",
                url="https://drugi.example",
                config=services.vault.seal({}),
                policy={},
                created_at=services.clock(),
            )
        )
    pages = site(services)
    browser = pages.user()
    assert "drugi.example" in browser.get("/stores")
    assert "drugi.example" not in browser.post("/seller", page="/", seller="1", next="/stores")
    assert "drugi.example" in browser.post("/seller", page="/", seller="", next="/stores")
    viewer = pages.user("podglad@sklep.example", is_admin=False, seller_2=Role.VIEWER)
    page = viewer.post("/seller", page="/", seller="1", next="/stores")
    assert "drugi.example" in page
    assert "Sklep Testowy" not in page
