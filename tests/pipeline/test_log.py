"""The log tells a document's life by its id, and nothing of people, whatever goes wrong."""

from __future__ import annotations

import io
import json
import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from connector_app import buyer_links, logs, subscriptions
from connector_app.background import Background
from connector_app.hooks.happenings import Happening, Links, collect
from connector_app.hooks.keeping import add as add_hook
from connector_app.hooks.sending import send_due
from connector_app.log_events import Said
from connector_app.pipeline import corrections, lane, life
from connector_app.settings import BadSetting, Settings
from connector_app.store.models import Document, ShopOrder, Store
from connector_app.web.here import Pulse
from core.findings import Text
from tests.hooks.receiver import receiver
from tests.mail.server import Postbox, mail_server
from tests.mail.test_mail import set_mail
from tests.pipeline.test_secrets_and_storage import secrets_of
from tests.pipeline.world import World, recorded, world
from tests.web.conftest import hash_quickly
from tests.web.site import site

BUYER = {
    "first_name": "Zbigniewa",
    "last_name": "Wymyślińska",
    "company": "Firma Zmyślona Nabywców",
    "address_1": "ul. Niewidoczna 77",
    "city": "Ukrytowo",
    "postcode": "98-765",
    "email": "zbigniewa.wymyslinska@klient.example",
    "phone": "+48123987654",
}
NAMES = ("order_full", "order_blocks_checkout_with_nip", "order_eur_no_matching_rate")


def orders() -> list[dict[str, Any]]:
    """Recorded orders of an invented buyer whose data cannot be anything else."""
    found = [recorded(name) for name in NAMES]
    return [one | {"billing": one["billing"] | BUYER, "shipping": one["shipping"] | BUYER} for one in found]


def lines_of(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def personal(made: World) -> set[str]:
    """Everything that a log must not hold of buyers: their data, numbers and amounts."""
    found = set(BUYER.values()) | {one["total"] for one in orders()}
    with made.services().database() as session:
        for document in session.scalars(select(Document)):
            found |= {document.buyer_tax_id or "", document.number or "", document.seller.nip}
            found |= {document.ksef_number or ""}
    return {one for one in found if len(one) > 4}


def test_nothing_of_people_and_no_secret_is_in_the_log_of_everything(
    tmp_path: Path, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pipeline, pages, mails, hooks and webhooks, with trouble at each of them, at DEBUG."""
    hash_quickly(monkeypatch)
    # the other side's server, which runs in this process
    monkeypatch.setattr(logging.getLogger("mail.log"), "disabled", True)
    box = Postbox()
    with world(tmp_path, orders()) as made, mail_server(box), receiver(500) as there:
        made.prepare()
        services = made.services()
        set_mail(made, box.port)
        with services.database.begin() as session:
            add_hook(session, services.vault, 1, there.url, tuple(Happening), services.clock())
        secrets: set[str] = set()
        made.watch = lambda _one: secrets.update(secrets_of(made))
        made.ksef.state.faults.add("http_500", "POST /v2/sessions/online/[^/]+/invoices$")
        made.ksef.state.faults.add("drop_after", "POST /v2/auth/token/redeem")
        made.shop.fault("drop_after", method="POST", path="/notes$", times=2)
        made.shop.fault("http_500", path="/orders$", times=3)
        box.answers["RCPT"] = [f"550 no mailbox {BUYER['email']} for {BUYER['last_name']}"]
        _fail_once(monkeypatch)
        Background(services, Pulse(started=services.clock()), every=1).one_pass(timedelta(0), look=True)
        made.run()
        collect(services, Links("https://ksef.example"))
        send_due(services, 1, allow_private=True)
        link = _look_around(made)
        hidden = personal(made)
    said = log.getvalue()
    assert len(lines_of(log)) > 50
    found = {one["event"] for one in lines_of(log)}
    assert {"document.life", "document.failed", "mail.failed", "hook.failed", "store.failed"} <= found
    assert {"lane.held", "web.request", "web.failed", "webhook.refused", "store.looked"} <= found
    assert [one for one in hidden if one in said] == []
    for secret in [*secrets, link, "oauth_signature", "Bearer "]:
        assert secret not in said
    assert found.intersection(Said) == {one for one in found if _is_ours(one)}


def _is_ours(event: str) -> bool:
    """Whether a line's name looks like one of the program's own."""
    return "." in event and " " not in event and event == event.lower()


def _fail_once(patch: pytest.MonkeyPatch) -> None:
    """An error of the program itself, whose words and locals quote the order."""
    real = corrections.issue_due
    failed: list[str] = []

    def fails(services: Any, document_id: int, *more: Any) -> Any:
        buyer = " ".join(BUYER.values())
        if not failed:
            failed.append(buyer)
            try:
                raise KeyError(buyer)
            except KeyError as error:
                raise RuntimeError(f"cannot issue for {buyer}") from error
        return real(services, document_id, *more)

    patch.setattr(lane, "issue_due", fails)


def _look_around(made: World) -> str:
    """Open pages as people and strangers do, one of which fails; the secret of a buyer's link."""
    pages = site(made.services())
    browser = pages.user()
    browser.get(f"/documents?q={BUYER['last_name']}")
    document = next(one for one in made.documents() if one.number)
    browser.get(f"/documents/{document.id}")
    browser.get("/orders")
    key = buyer_links.key_of(made.services().vault, document)
    stranger = pages.app.test_client()
    assert stranger.get(f"/f/{key}").status_code == 200
    stranger.post(f"/webhooks/test/{key}", data={"email": BUYER["email"]})
    pages.app.config["PROPAGATE_EXCEPTIONS"] = False

    def broken() -> str:
        raise ValueError(" ".join(BUYER.values()))

    pages.app.view_functions["buyer.page"] = lambda key: broken()
    assert stranger.get(f"/f/{key}").status_code >= 500
    _forge(made, pages.app.test_client())
    return key


def _forge(made: World, client: Any) -> None:
    services = made.services()
    door = subscriptions._keep_door(services, 1, "https://ksef.example", rotate=False)
    with services.database() as session:
        code = session.get_one(Store, 1).code
    answer = client.post(
        f"/webhooks/{code}/{door.key}",
        data=json.dumps({"id": 15, "billing": BUYER}).encode(),
        headers={"X-WC-Webhook-Topic": "order.updated", "X-WC-Webhook-Signature": "zly"},
    )
    assert answer.status_code == 401


def test_the_life_of_a_document_is_read_by_its_id(tmp_path: Path, log: io.StringIO) -> None:
    """Its states in order, and what KSeF and the shop were asked for it: lines of libraries too."""
    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare()
        made.run()
        with made.services().database() as session:
            document = session.scalars(select(Document)).one()
            remote = session.scalars(select(ShopOrder.remote_id)).one()
    own = [one for one in lines_of(log) if one.get("document_id") == document.id]
    states = [one["state"] for one in own if one["event"] == "document.life"]
    assert list(dict.fromkeys(states)) == ["ready", "issued", "sent", "accepted", "published"]
    assert all(one["seller_id"] == 1 for one in own)
    asked = [one for one in own if one["logger"] == "core.ksef.http"]
    assert any("/invoices" in one["event"] for one in asked)
    assert {one["order"] for one in asked} == {remote}
    assert {one["task"] for one in asked} == {"lane"}
    assert {one["session"] for one in own if one.get("state") == "published"} == {document.session_reference}


def test_a_line_of_what_was_undone_is_never_written(tmp_path: Path, log: io.StringIO) -> None:
    """Told after the commit only."""
    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare()
        made.run()
        services = made.services()
        before = log.getvalue().count("document.life")

        def undone() -> None:
            with services.database.begin() as session:
                life.note(session.get_one(Document, 1), Text("Nie.", "No."), services.clock())
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            undone()
        assert log.getvalue().count("document.life") == before


def test_text_has_the_same_facts(capsys: pytest.CaptureFixture[str]) -> None:
    """For people: one line, the name first, then the facts by their names."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    try:
        logs.configure(stream, level=logging.INFO)
        with logs.bound(seller_id=3, store_id=None):
            logs.Log("connector_app.x").info(Said.STORE_LOOKED, seen=2, changed=None)
            logging.getLogger("somebody.else").warning("a NIP 5265877635 of jan@klient.example")
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
    first, second = stream.getvalue().splitlines()
    assert "store.looked" in first
    assert "seen=2" in first
    assert "seller_id=3" in first
    assert "changed" not in first + second
    assert "store_id" not in first + second
    assert "5265877635" not in second
    assert "jan@" not in second
    assert capsys.readouterr().out == ""


def test_form_and_level_of_the_log_are_settings() -> None:
    wanted = Settings.from_environment(
        {"KSEF_CONNECTOR_LOG": "json", "KSEF_CONNECTOR_LOG_LEVEL": "Warning", "KSEF_CONNECTOR_HOME": "/x"}
    )
    assert (wanted.log_json, wanted.log_level) == (True, logging.WARNING)
    assert (Settings(Path("/x")).log_json, Settings(Path("/x")).log_level) == (False, logging.INFO)
    with pytest.raises(BadSetting, match="give one of: text, json"):
        Settings.from_environment({"KSEF_CONNECTOR_LOG": "xml"})


@pytest.mark.parametrize("language", ["", ".pl"])
def test_the_document_lists_every_name(language: str) -> None:
    """docs/monitoring.md and its translation name each event."""
    text = Path(f"docs/monitoring{language}.md").read_text()
    assert [one.value for one in Said if f"`{one.value}`" not in text] == []
