"""The page of keeping: for owners of the installation; backups by a button and by the clock."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from connector_app.keeping import options, schedule
from connector_app.keeping.options import BackupOptions, KeepingOptions
from connector_app.keeping.verify import Scope, verify
from connector_app.store.desk import Job
from connector_app.store.models import Document
from connector_app.store.people import Role
from tests.pipeline.world import World
from tests.web.site import WORK, Site, site

PAGE = "/settings/keeping"
VALUES: dict[str, Any] = {
    "hour": 4,
    "daily": 3,
    "weekly": 2,
    "monthly": 1,
    "personal_days": "",
    "legal_years": 11,
}


@pytest.fixture
def pages(made: World) -> Site:
    return site(made.services())


def test_what_is_set_is_kept_and_written_down(pages: Site) -> None:
    """Saved twice it is one change; faults are told and change nothing."""
    browser = pages.user()
    browser.post(PAGE, folder="/srv/kopie", **VALUES)
    browser.post(PAGE, folder="/srv/kopie", **VALUES)
    with pages.services.database() as session:
        wanted = options.backup_options(session)
        assert options.keeping_options(session) == KeepingOptions(11, None)
        assert session.scalars(WORK).all() == ["installation.keeping"]
    assert (wanted.folder, wanted.hour, wanted.daily) == ("/srv/kopie", 4, 3)
    assert wanted.since
    assert "całą ścieżkę" in browser.post(PAGE, folder="kopie", **VALUES)
    assert "od 0 do 23" in browser.post(PAGE, folder="", **VALUES | {"hour": 24})
    with pages.services.database() as session:
        assert options.backup_options(session) == wanted


def test_a_backup_by_a_button(made: World, pages: Site, tmp_path: Path) -> None:
    """It runs as a job; the page shows what became of it, failures too."""
    browser = pages.user()
    folder = tmp_path / "copies"
    with pages.services.database.begin() as session:
        options.back_up_by(session, BackupOptions(str(folder)), pages.services.clock())
    for says in (str(folder), "chmod"):
        browser.post(f"{PAGE}/backup", page=PAGE)
        _wait_for_jobs(pages)
        assert says in browser.get(PAGE)
        folder.chmod(0o755)
        made.clock.sleep(2)
    last = schedule.last_backup(pages.services)
    assert last is not None
    assert last.failure is not None
    assert last.good_at is not None


def _wait_for_jobs(pages: Site) -> None:
    for _ in range(200):
        with pages.services.database() as session:
            if "running" not in session.scalars(select(Job.state)).all():
                return
        time.sleep(0.05)
    raise AssertionError("the backup does not end")


def test_damage_stands_on_the_page(made: World, pages: Site) -> None:
    """With a link to the document."""
    made.run()
    with pages.services.database.begin() as session:
        row = session.scalars(select(Document).where(Document.xml_sha256.is_not(None))).first()
        assert row is not None
        row.xml = b"x"
    verify(pages.services, Scope())
    page = pages.user().get(PAGE)
    assert f"/documents/{row.id}" in page
    assert "różni się od swojego skrótu" in page


def test_it_is_for_owners_of_the_installation(pages: Site) -> None:
    """An owner of one seller sees nothing of it."""
    someone = pages.user("ktos@sklep.example", is_admin=False, seller_1=Role.OWNER)
    someone.get(PAGE, 404)
    someone.post(f"{PAGE}/backup", 404, page="/")
    assert PAGE not in someone.get("/settings")
    pages.user("admin@sklep.example").get(PAGE)
