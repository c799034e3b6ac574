"""Pages of tokens and hooks: secrets are shown once, every change is written down, only owners come here."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from connector_app.hooks import sending
from connector_app.hooks.happenings import Links, collect
from connector_app.store.machines import Hook, HookDelivery
from connector_app.store.people import AuditEntry, Role
from connector_app.web.here import WebOptions
from tests.hooks.receiver import receiver
from tests.pipeline.world import NIP, World
from tests.web.site import WORK, Browser, Site, site

PAGE = f"/sellers/{NIP}/machines"
RECEIVER = "https://1.1.1.1/ksef"


def once(page: str) -> str:
    """What a page shows once."""
    found = re.search(r'class="once".*?<code>([^<]+)</code>', page, re.DOTALL)
    assert found is not None, page
    return found[1]


def actions(made: World) -> list[str]:
    with made.services().database() as session:
        return list(session.scalars(WORK.order_by(AuditEntry.id)))


def test_a_token_is_shown_once_works_and_is_revoked(made: World, pages: Site) -> None:
    owner = pages.user()
    token = once(owner.post(f"{PAGE}/tokens", page=PAGE, name="ERP <script>", writes="y"))
    page = owner.get(PAGE)
    assert token not in page
    assert "ERP &lt;script&gt;" in page
    assert "odczyt i zapis" in page
    ask = pages.app.test_client()
    headers = {"Authorization": f"Bearer {token}"}
    assert ask.get("/api/v1/sellers/self", headers=headers).get_json()["token"]["writes"] is True
    owner.post(f"{PAGE}/tokens/1/revoke", page=PAGE)
    assert ask.get("/api/v1/sellers/self", headers=headers).status_code == 401
    assert "unieważniony" in owner.get(PAGE)
    assert actions(made) == ["token.add", "token.revoke"]
    with made.services().database() as session:
        assert token not in str([entry.details for entry in session.scalars(select(AuditEntry))])


def test_a_token_needs_a_name(pages: Site) -> None:
    page = pages.user().post(f"{PAGE}/tokens", page=PAGE, name="")
    assert "Wypełnij to pole." in page
    assert 'class="once"' not in page


def test_a_hook_is_added_tried_and_seen(made: World) -> None:
    """What did not arrive says why, and goes again when asked."""
    pages = site(made.services(), WebOptions(limits=False, private_addresses=True))
    owner = pages.user()
    with receiver(500) as there:
        page = owner.post(f"{PAGE}/hooks", page=PAGE, url=there.url, events=["document.accepted"])
        secret = once(page)
        assert secret.startswith("whsec_")
        hook = f"{PAGE}/hooks/1"
        assert secret not in owner.get(hook) + owner.get(PAGE)
        assert "wyrusza" in owner.post(f"{hook}/test", page=hook)
        assert pages.woken
        sending.send_due(made.services(), 1, allow_private=True)
        page = owner.get(hook)
        assert "Odpowiedź 500." in page
        assert "nie doszła" in page
        owner.post(f"{hook}/messages/1/again", page=hook)
        sending.send_due(made.services(), 1, allow_private=True)
        assert "doszła (204)" in owner.get(hook)
        assert there.got[0].headers["webhook-id"] == there.got[1].headers["webhook-id"]
        made.run()
        collect(made.services(), Links())
        sending.send_due(made.services(), 1, allow_private=True)
        assert "FV/2026/11/0001" in owner.get(hook)
    assert actions(made) == ["hook.add", "hook.test", "hook.again"]


def test_a_hook_is_changed_switched_off_and_on_and_removed(made: World, pages: Site) -> None:
    owner = pages.user()
    first = once(owner.post(f"{PAGE}/hooks", page=PAGE, url=RECEIVER, events=["document.accepted"]))
    hook = f"{PAGE}/hooks/1"
    owner.post(hook, page=hook, url=f"{RECEIVER}/2", events=["document.rejected", "document.attention"])
    with made.services().database() as session:
        row = session.get_one(Hook, 1)
        assert (row.url, row.events) == (f"{RECEIVER}/2", ["document.rejected", "document.attention"])
    assert "Wyłączony przez człowieka." in owner.post(f"{hook}/off", page=hook)
    assert "Najpierw" not in owner.get(hook)
    assert "Webhook włączono." in owner.post(f"{hook}/on", page=hook)
    assert once(owner.post(f"{hook}/secret", page=hook)) != first
    assert "Webhook usunięto." in owner.post(f"{hook}/remove", page=hook)
    owner.get(hook, 404)
    assert owner.client.get(f"{PAGE}/hooks/1").status_code == 404
    assert actions(made) == ["hook.add", "hook.change", "hook.off", "hook.on", "hook.secret", "hook.remove"]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1:8080/x", "sieci wewnętrznej"),
        ("https://10.0.0.5/x", "sieci wewnętrznej"),
        ("http://1.1.1.1/x", "https://"),
        ("javascript:alert(1)", "To nie jest adres"),
        ("", "Wypełnij to pole."),
    ],
)
def test_a_forbidden_address_is_said_beside_its_field(pages: Site, url: str, said: str) -> None:
    page = pages.user().post(f"{PAGE}/hooks", page=PAGE, url=url, events=["document.accepted"])
    assert said in page
    assert 'class="once"' not in page


def test_a_hook_needs_something_to_be_told_of(pages: Site) -> None:
    page = pages.user().post(f"{PAGE}/hooks", page=PAGE, url=RECEIVER)
    assert "Wybierz przynajmniej jedno." in page


def test_only_owners_of_the_seller_come_here(made: World, pages: Site) -> None:
    """Others of the seller are told so; for strangers there is nothing, whatever the address."""
    owner = pages.user("o@sklep.example", is_admin=False, seller_1=Role.OWNER)
    owner.post(f"{PAGE}/hooks", page=PAGE, url=RECEIVER, events=["document.accepted"])
    owner.post(f"{PAGE}/tokens", page=PAGE, name="a")
    operator = pages.user("p@sklep.example", is_admin=False, seller_1=Role.OPERATOR)
    stranger = pages.user("s@sklep.example", is_admin=False)
    with made.services().database.begin() as session:
        session.add(
            HookDelivery(
                hook_id=1, event="test", body={"id": "m", "data": {}}, created_at=made.clock(), attempts=1
            )
        )
    posts = [
        "/tokens",
        "/tokens/1/revoke",
        "/hooks",
        "/hooks/1",
        *(f"/hooks/1/{action}" for action in ("test", "on", "off", "secret", "remove")),
        "/hooks/1/messages/1/again",
    ]
    for browser, status in ((operator, 403), (stranger, 404)):
        assert browser.client.get(PAGE).status_code == status
        assert browser.client.get(f"{PAGE}/hooks/1").status_code == status
        for path in posts:
            assert post(browser, PAGE + path) == status, path
    assert pages.browser().client.get(PAGE).status_code == 302
    with made.services().database() as session:
        assert session.get_one(Hook, 1).disabled_at is None


def post(browser: Browser, path: str) -> int:
    """The status of a form sent with a good token of the session."""
    answer = browser.client.post(path, data={"csrf_token": browser.token("/"), "name": "x", "url": RECEIVER})
    return answer.status_code


def test_pages_speak_english(pages: Site) -> None:
    owner = pages.user(language="en")
    page = owner.post(f"{PAGE}/hooks", page=PAGE, url=RECEIVER, events=["document.attention"])
    assert "It cannot be shown again".lower() in page.lower()
    assert "API tokens" in page
