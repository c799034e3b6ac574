"""Pages of alerts: seen by whom they concern, quietened with a trace, set by the installation's owner."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from connector_app.alerts.kinds import Kind, options_of
from connector_app.alerts.server import installation_server
from connector_app.store.people import Role
from connector_app.store.watching import Alert
from tests.mail.server import Postbox, mail_server
from tests.pipeline.test_serve import wait_for
from tests.pipeline.world import START, World
from tests.web.site import WORK, Browser, Site


def put(pages: Site, kind: Kind, seller_id: int | None, said: str) -> int:
    """An open alert."""
    text = json.dumps({"pl": said, "en": f"{said} (en)"})
    with pages.services.database.begin() as session:
        row = Alert(
            key=f"{kind}:{seller_id}",
            kind=kind.value,
            severity="error",
            seller_id=seller_id,
            said=text,
            hint=text,
            step=0,
            since=START,
            opened_at=START,
        )
        session.add(row)
        session.flush()
        return row.id


def fields(page: str) -> dict[str, Any]:
    """What the form of settings holds, as a browser would send it."""
    form = page[
        page.index('action="/settings/alerts"') : page.index(
            "</form>", page.index('action="/settings/alerts"')
        )
    ]
    found: dict[str, Any] = {}
    for one in re.findall(r"<input[^>]*>", form):
        name, value = re.search(r'name="([^"]*)"', one), re.search(r'value="([^"]*)"', one)
        if name and ('type="checkbox"' not in one or " checked" in one):
            found[name[1]] = value[1] if value else ""
    return found


def test_everybody_sees_what_concerns_them(pages: Site) -> None:
    """The installation's are its owner's; an outage is everybody's; a seller's are its people's."""
    put(pages, Kind.DISK, None, "Dysk pełny")
    put(pages, Kind.OUTAGE, None, "Awaria trwa")
    put(pages, Kind.ATTENTION, 1, "Czekają dokumenty")
    owner = pages.user()
    viewer = pages.user("v@sklep.example", is_admin=False, seller_1=Role.VIEWER)
    for path in ("/alerts", "/", "/stores"):
        assert all(one in owner.get(path) for one in ("Dysk pełny", "Awaria trwa", "Czekają dokumenty"))
        page = viewer.get(path)
        assert "Dysk pełny" not in page
        assert "Awaria trwa" in page
        assert "Czekają dokumenty" in page
    assert "Nie przypominaj" not in viewer.get("/alerts")


def test_quiet_is_wanted_by_operators_and_written_down(pages: Site) -> None:
    alert = put(pages, Kind.ATTENTION, 1, "Czekają dokumenty")
    disk = put(pages, Kind.DISK, None, "Dysk pełny")
    operator = pages.user("o@sklep.example", is_admin=False, seller_1=Role.OPERATOR)
    viewer = pages.user("v@sklep.example", is_admin=False, seller_1=Role.VIEWER)
    assert "Bez przypomnień do" in operator.post(f"/alerts/{alert}/snooze", page="/alerts", hours="24")
    with pages.services.database() as session:
        row = session.get_one(Alert, alert)
    assert row.snoozed_until is not None
    assert timedelta(hours=23) < row.snoozed_until - pages.services.clock() <= timedelta(hours=24)
    viewer.post(f"/alerts/{alert}/snooze", 403, page="/", hours="24")
    operator.post(f"/alerts/{disk}/snooze", 404, page="/alerts", hours="24")
    assert "Przypomnienia znów" in operator.post(f"/alerts/{alert}/snooze", page="/alerts", hours="wake")
    assert "Bez przypomnień do końca" in operator.post(
        f"/alerts/{alert}/snooze", page="/alerts", hours="over"
    )
    with pages.services.database() as session:
        assert session.scalars(WORK).all() == ["alert.snooze", "alert.wake", "alert.snooze"]


def test_the_owner_sets_kinds_thresholds_and_people(pages: Site) -> None:
    """What is unticked is off; a number out of its bounds is said beside its field and nothing is stored."""
    owner = pages.user()
    pages.user("v@sklep.example", is_admin=False, seller_1=Role.OPERATOR)
    path = "/settings/alerts"
    sent = fields(owner.get(path)) | {"silent_minutes": "30"}
    del sent["kind_disk"], sent["role_operator"], sent["csrf_token"]
    owner.post(path, **(sent | {"people": "1"}))
    with pages.services.database() as session:
        found = options_of(session)
    assert Kind.DISK in found.off
    assert Kind.STORE_SILENT not in found.off
    assert found.number("silent_minutes") == 30
    assert found.roles == {Role.OWNER}
    assert found.muted == {2}
    assert "od 5 do 10080" in owner.post(path, **(sent | {"silent_minutes": "0"}))
    with pages.services.database() as session:
        assert options_of(session) == found


def test_the_mail_server_is_stored_sealed_tried_and_removed(made: World, pages: Site) -> None:
    assert made
    owner = pages.user()
    path = "/settings/alerts"
    assert "nie dostaną e-maili" in owner.get(path)
    with mail_server(Postbox()) as box:
        wanted: dict[str, Any] = {
            "host": "127.0.0.1",
            "port": str(box.port),
            "security": "none",
            "sender": "Alarmy <alarmy@ksef.example>",
        }
        assert "adresem e-mail" in owner.post(f"{path}/server", page=path, **(wanted | {"sender": "nie"}))
        assert "nie dostaną" not in owner.post(f"{path}/server", page=path, **wanted)
        owner.post(f"{path}/test", page=path)
        wait_for(lambda: len(box.messages) == 1)
        wait_for(lambda: "Wysłano do" in owner.get(path))
    with pages.services.database() as session:
        assert installation_server(session, pages.services.vault) is not None
    owner.post(f"{path}/server", page=path, remove="1")
    with pages.services.database() as session:
        assert installation_server(session, pages.services.vault) is None
        actions = session.scalars(WORK).all()
    assert actions == ["alert.server", "alert.test", "alert.server-remove"]


def test_settings_of_alerts_do_not_exist_for_others(pages: Site) -> None:
    browser: Browser = pages.user("o@sklep.example", is_admin=False, seller_1=Role.OWNER)
    browser.get("/settings/alerts", 404)
    assert "/settings/alerts" not in browser.get("/settings")
    with pages.services.database() as session:
        assert session.scalars(select(Alert)).all() == []
