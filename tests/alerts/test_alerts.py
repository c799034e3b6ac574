"""Alerts: found, told once to whom they concern, reminded of, over; nothing lost by a crash or silence."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
import requests
from sqlalchemy import select, update

from connector_app import measures
from connector_app.alerts import keeping, letters, watch
from connector_app.alerts.condition import Archive, Backup
from connector_app.alerts.kinds import Kind, Options, options_of
from connector_app.alerts.server import set_installation_server
from connector_app.hooks.happenings import Happening, Links
from connector_app.hooks.keeping import BY_PERSON, switch_off
from connector_app.hooks.keeping import add as add_hook
from connector_app.pipeline import holds
from connector_app.store.archive import ArchiveDamage
from connector_app.store.locks import lock
from connector_app.store.machines import Hook, HookDelivery
from connector_app.store.models import Document, KsefRequest, Mail, Seller, Store
from connector_app.store.people import Role
from connector_app.store.watching import Alert, LetterState
from core.findings import Text
from core.ksef.limits import PUBLISHED, Group
from tests.alerts.conftest import BASE, Desk
from tests.pipeline.test_serve import wait_for
from tests.pipeline.world import recorded, world
from tests.web.conftest import hash_quickly

DAY = timedelta(days=1)
BOSS = "szef@biuro.example"


def an_old_question(desk: Desk) -> None:
    """A document that waits for a decision for a little more than a day; the shop is read all the time."""
    desk.made.run()
    desk.made.clock.sleep(DAY.total_seconds())
    desk.made.run()


def test_an_alert_is_told_once_reminded_daily_and_told_when_over(desk: Desk) -> None:
    """Nothing before its time; one letter; a reminder after a day; the end, once."""
    desk.made.run()
    desk.look()
    assert (desk.kinds(), desk.box.messages) == ([], [])
    desk.made.clock.sleep(DAY.total_seconds())
    desk.made.run()
    desk.look()
    desk.look()
    assert desk.kinds() == ["attention"]
    assert len(desk.told(BOSS)) == 1
    assert "dłużej niż 24 godz.: 1" in desk.told(BOSS)[0]
    assert f"{BASE}/alerts" in desk.told(BOSS)[0]
    desk.made.clock.sleep(DAY.total_seconds())
    desk.made.run()
    desk.look()
    assert "TRWA NADAL" in desk.told(BOSS)[1]
    with desk.services.database.begin() as session:
        session.execute(update(Document).where(Document.state == "attention").values(state="cancelled"))
    desk.look()
    assert len(desk.told(BOSS)) == 2
    desk.look(timedelta(minutes=6))
    desk.look()
    assert desk.kinds() == []
    assert len(desk.told(BOSS)) == 3
    assert "ZAKOŃCZONE" in desk.told(BOSS)[2]


def test_what_flickers_is_told_once(desk: Desk) -> None:
    """Gone for less than five minutes is not over."""
    an_old_question(desk)
    desk.look()
    for state in ("cancelled", "attention", "cancelled", "attention"):
        with desk.services.database.begin() as session:
            changed = Document.state.in_(("attention", "cancelled"))
            session.execute(update(Document).where(changed).values(state=state))
        desk.look()
    assert desk.kinds() == ["attention"]
    assert len(desk.told(BOSS)) == 1


def test_people_are_told_by_role_and_seller_in_their_language(desk: Desk) -> None:
    """An operator of the seller is, in English; a viewer, a stranger's operator and a muted one are not."""
    with desk.services.database.begin() as session:
        first = session.get_one(Seller, 1)
        other = Seller(nip="7010353442", created_at=desk.services.clock())
        session.add(other)
        for name in ("name", "profile", "environment", "schema_version", "credential"):
            setattr(other, name, getattr(first, name))
    desk.person("operator@biuro.example", language="en", seller_1=Role.OPERATOR)
    desk.person("widz@biuro.example", seller_1=Role.VIEWER)
    desk.person("obcy@biuro.example", seller_2=Role.OWNER)
    muted = desk.person("cisza@biuro.example", seller_1=Role.OWNER)
    desk.set(Options(muted=frozenset({muted}), admins=False))
    an_old_question(desk)
    desk.look()
    assert {to for one in desk.box.recipients for to in one} == {"operator@biuro.example"}
    (letter,) = desk.told("operator@biuro.example")
    assert "Documents that wait for a decision for more than 24 h: 1" in letter


def test_one_letter_for_all_that_is_new_in_a_round(desk: Desk) -> None:
    """Two alerts, one e-mail, whose subject counts them."""
    an_old_question(desk)
    trouble = json.dumps({"pl": "Nie.", "en": "No."})
    with desk.services.database.begin() as session:
        session.execute(update(Store).values(webhook_trouble=trouble, webhook_checked_at=desk.made.clock.now))
    desk.look()
    (letter,) = desk.told(BOSS)
    assert letter.startswith("Alarmy KSeF. Nowe: 2")
    assert "webhooki nie przychodzą" in letter


def test_snoozed_is_not_reminded_of_and_its_end_is_told(desk: Desk) -> None:
    an_old_question(desk)
    desk.look()
    with desk.services.database.begin() as session:
        keeping.snooze(session.scalars(select(Alert)).one(), keeping.FOR_EVER, None)
    for _ in range(3):
        desk.made.clock.sleep(DAY.total_seconds())
        desk.made.run()
        desk.look()
    assert len(desk.told(BOSS)) == 1
    with desk.services.database.begin() as session:
        session.execute(update(Document).where(Document.state == "attention").values(state="cancelled"))
    desk.over()
    assert len(desk.told(BOSS)) == 2


def test_a_silent_mail_server_loses_nothing_and_hooks_go_on(desk: Desk) -> None:
    """The letter stays due and takes in what is new; the hook is told at once; later there is one letter."""
    with desk.services.database.begin() as session:
        add_hook(
            session,
            desk.services.vault,
            1,
            "https://erp.example/a",
            (Happening.ALERT_OPENED, Happening.ALERT_CLOSED),
            desk.services.clock(),
        )
    desk.mail_by(1)
    an_old_question(desk)
    desk.look()
    (letter,) = desk.letters()
    assert (letter.state, letter.attempts, letter.failure) == (LetterState.DUE, 1, "MailUnavailable")
    with desk.services.database() as session:
        (message,) = session.scalars(select(HookDelivery)).all()
    told = message.body["data"]["alert"]
    assert (message.event, told["kind"], told["severity"]) == ("alert.opened", "attention", "warning")
    assert told["links"]["page"] == f"{BASE}/alerts"
    trouble = json.dumps({"pl": "Nie.", "en": "No."})
    with desk.services.database.begin() as session:
        session.execute(update(Store).values(webhook_trouble=trouble))
    desk.look()
    desk.mail_by(desk.box.port)
    desk.look(timedelta(minutes=10))
    desk.look()
    assert len(desk.letters()) == 1
    (text,) = desk.told(BOSS)
    assert text.startswith("Alarmy KSeF. Nowe: 2")


def test_without_any_server_people_are_told_once_there_is_one(desk: Desk) -> None:
    with desk.services.database.begin() as session:
        set_installation_server(session, desk.services.vault, None)
    an_old_question(desk)
    desk.look()
    assert desk.letters() == []
    desk.mail_by(desk.box.port)
    desk.look()
    assert len(desk.told(BOSS)) == 1


def test_a_lost_answer_sends_no_second_letter(desk: Desk) -> None:
    """The server took the text and the connection broke: not known, not repeated."""
    desk.box.hang_up = True
    an_old_question(desk)
    desk.look()
    desk.look()
    assert [one.state for one in desk.letters()] == [LetterState.UNKNOWN]
    assert len(desk.box.messages) == 1


def test_a_crash_between_writing_down_and_sending_tells_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before the letter left: it leaves later. Killed while it left: it is not sent again."""

    def killed(*_: object) -> int:
        raise KeyboardInterrupt

    an_old_question(desk)
    with monkeypatch.context() as patch:
        patch.setattr(letters, "send_due", killed)
        with pytest.raises(KeyboardInterrupt):
            desk.look()
    desk.look()
    desk.look()
    assert len(desk.told(BOSS)) == 1
    with desk.services.database.begin() as session:
        for one in session.scalars(select(Alert)):
            one.mailed_at = None
    with monkeypatch.context() as patch:
        patch.setattr(letters, "_settle", killed)
        with pytest.raises(KeyboardInterrupt):
            desk.look()
    desk.look()
    assert len(desk.told(BOSS)) == 2
    assert desk.letters()[-1].state == LetterState.UNKNOWN


def test_a_rule_that_fails_hides_no_other_and_closes_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    an_old_question(desk)
    desk.look()

    def broken(*_: object) -> bool:
        raise RuntimeError("Jan Kowalski")

    with desk.services.database.begin() as session:
        session.execute(update(Document).where(Document.state == "attention").values(state="cancelled"))
    monkeypatch.setattr("connector_app.overview.delays._standing", broken)
    desk.over()
    assert desk.kinds() == ["attention"]


def test_looking_is_done_once_a_minute_by_one_process(desk: Desk) -> None:
    """Whoever comes a moment later, or while another looks, does nothing."""
    desk.look()
    assert not watch.look(desk.services, Links(BASE))
    desk.made.clock.sleep(61)
    with lock(desk.services.database, "alerts"):
        assert not watch.look(desk.services, Links(BASE))
    assert watch.look(desk.services, Links(BASE))


def test_the_watchman_looks_by_itself_and_ends_when_asked(desk: Desk) -> None:
    with watch.Watchman(desk.services, Links(BASE), every=timedelta(milliseconds=10)) as watchman:
        wait_for(lambda: measures_of(desk) is not None)
    assert not watchman.is_alive()


def measures_of(desk: Desk) -> float | None:
    """When somebody looked last."""
    with desk.services.database() as session:
        return measures.last_done(session, "alerts")


def test_what_the_archive_noted_is_an_alert_without_being_told(desk: Desk) -> None:
    """The archive's own list of damage is looked at."""
    desk.made.run()
    with desk.services.database.begin() as session:
        session.add(
            ArchiveDamage(
                seller_id=1,
                document_id=1,
                part="xml",
                reference="",
                what=json.dumps({"pl": "Zły.", "en": "Bad."}),
                seen_at=desk.services.clock(),
            )
        )
    desk.made.clock.sleep(60)
    assert watch.look(desk.services)
    assert "archive" in desk.kinds()


def test_a_wrong_credential_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """KSeF itself refuses the seller's token: the lane waits for a person, who is told so."""
    hash_quickly(monkeypatch)
    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare(token="20261124-EC-0000000000-0000000000-00|nip-5265877635|" + "0" * 64)
        made.run(timedelta(0))
        services = made.services()
        assert watch.look(services, Links(BASE))
        with services.database() as session:
            kinds = session.scalars(select(Alert.kind)).all()
    assert "sign-in" in kinds


def test_e_mails_to_buyers_that_do_not_go_out(desk: Desk) -> None:
    desk.made.run()
    with desk.services.database.begin() as session:
        began = desk.services.clock()
        session.add(Mail(document_id=1, occasion="accepted", state="due", attempts=3, created_at=began))
    desk.look()
    assert desk.alerts(Kind.MAIL) == []
    desk.look(timedelta(hours=5))
    assert [one.store_id for one in desk.alerts(Kind.MAIL)] == [1]


def test_a_disk_that_is_nearly_full(desk: Desk) -> None:
    """Seen as such by a threshold that every disk is under."""
    desk.set(replace(Options(), numbers=dict(Options().numbers) | {"disk_percent": 101}))
    desk.look()
    assert "disk" in desk.kinds()


def test_what_is_switched_off_ends_without_a_word(desk: Desk) -> None:
    an_old_question(desk)
    desk.look()
    desk.set(replace(Options(), off=frozenset({Kind.ATTENTION})))
    desk.look()
    assert desk.kinds() == []
    assert len(desk.told(BOSS)) == 1


def test_options_are_kept_and_unknown_ones_are_left_out(desk: Desk) -> None:
    wanted = Options(
        frozenset({Kind.DISK}),
        dict(Options().numbers) | {"silent_minutes": 30},
        frozenset({Role.VIEWER}),
        False,
    )
    desk.set(wanted)
    with desk.services.database() as session:
        assert options_of(session) == wanted


# kinds, each from its cause to its end


def test_a_deadline_is_told_by_working_days_and_again_when_passed(desk: Desk) -> None:
    """Tuesday; to be sent by Wednesday: near. On Thursday it is late, which is told anew."""
    desk.made.run()
    with desk.services.database.begin() as session:
        row = session.scalars(select(Document).where(Document.state == "published")).one()
        row.state, row.ksef_number, row.send_by = "rejected", None, date(2026, 11, 26)
    desk.look()
    assert desk.alerts(Kind.DEADLINE) == []
    desk.look(DAY)
    assert "pierwszy do 26.11.2026" in desk.told(BOSS)[-1]
    assert [one.step for one in desk.alerts(Kind.DEADLINE)] == [0]
    before = len(desk.told(BOSS))
    desk.look(2 * DAY)
    assert [(one.step, one.severity) for one in desk.alerts(Kind.DEADLINE)] == [(2, "error")]
    assert "NOWE" in desk.told(BOSS)[-1]
    assert "po terminie: 1" in desk.told(BOSS)[-1]
    assert len(desk.told(BOSS)) == before + 1


def test_a_credential_is_told_30_14_7_and_1_days_ahead(desk: Desk) -> None:
    """Its certificate lasts a year; each stage is told anew, and over it is told too."""
    steps = []
    for days in (330, 6, 15, 8, 6, 2):
        desk.look(days * DAY)
        steps.append([one.step for one in desk.alerts(Kind.CREDENTIAL)])
    assert steps == [[], [1], [2], [3], [4], [5]]
    assert all("certyfikat" in one.lower() for one in desk.told(BOSS)[-2:])


def test_a_silent_shop_is_told_while_somebody_asks_it(desk: Desk) -> None:
    desk.made.run()
    desk.made.shop.fault("http_500", times=10_000)
    desk.made.clock.sleep(timedelta(minutes=91).total_seconds())
    desk.made.run()
    desk.look()
    assert desk.kinds() == ["store-silent"]
    assert "Sklep test" in desk.told(BOSS)[-1]


def test_work_that_stands_still_is_one_alert_and_not_one_of_each_shop(desk: Desk) -> None:
    desk.made.run()
    desk.look()
    desk.look(timedelta(hours=3))
    assert desk.kinds() == ["runner"]
    desk.made.run()
    desk.over()
    assert desk.kinds() == []


def test_a_seller_that_ksef_refuses_is_told_at_once_and_a_silent_ksef_after_hours(desk: Desk) -> None:
    desk.made.run()
    why = Text("KSeF: nie.", "KSeF: no.")
    holds.hold(desk.services, 1, why, Document.id < 0, at_least=86_000, refused=True)
    desk.look()
    assert [(one.kind, one.severity) for one in desk.alerts()] == [("sign-in", "error")]
    holds.lift(desk.services, 1)
    holds.hold(desk.services, 1, why, Document.id < 0, at_least=86_000)
    desk.look()
    assert desk.alerts(Kind.HELD) == []
    desk.made.clock.sleep(timedelta(hours=1).total_seconds())
    holds.hold(desk.services, 1, why, Document.id < 0, at_least=86_000)
    desk.look(timedelta(hours=1))
    assert len(desk.alerts(Kind.HELD)) == 1


def test_a_used_up_limit_and_documents_that_wait(desk: Desk) -> None:
    desk.made.run()
    now = desk.services.clock()
    with desk.services.database.begin() as session:
        row = session.scalars(select(Document).where(Document.state == "published")).one()
        row.state, row.created_at = "issued", now - timedelta(hours=4)
        session.add_all(
            KsefRequest(environment=desk.made.ksef.api_url, context="5265877635", group="invoiceSend", at=now)
            for _ in range(PUBLISHED[Group.INVOICE_SEND].per_hour or 0)
        )
    desk.look()
    assert "limit" in desk.kinds()


def test_a_document_that_does_not_move(desk: Desk) -> None:
    desk.made.run()
    with desk.services.database.begin() as session:
        session.scalars(select(Document).where(Document.state == "published")).one().state = "sent"
    desk.look()
    assert desk.alerts(Kind.STUCK) == []
    desk.look(timedelta(hours=7))
    assert len(desk.alerts(Kind.STUCK)) == 1


def test_shops_without_orders_are_told_only_where_somebody_wants_it(desk: Desk) -> None:
    an_old_question(desk)
    desk.look(3 * DAY)
    assert desk.alerts(Kind.NO_ORDERS) == []
    desk.set(Options(off=frozenset()))
    desk.look()
    assert len(desk.alerts(Kind.NO_ORDERS)) == 1


def test_a_hook_that_was_switched_off_by_a_person_is_no_alert(desk: Desk) -> None:
    with desk.services.database.begin() as session:
        events = (Happening.ACCEPTED,)
        for path in ("a", "b"):
            url = f"https://erp.example/{path}"
            add_hook(session, desk.services.vault, 1, url, events, desk.services.clock())
        first, second = session.scalars(select(Hook).order_by(Hook.id)).all()
        switch_off(first, BY_PERSON, desk.services.clock())
        switch_off(second, Text("Wyłączony.", "Off."), desk.services.clock())
    desk.look()
    assert [one.key for one in desk.alerts(Kind.HOOKS)] == ["hooks:2"]


@dataclass
class Damage:
    """A damaged file, as the archive tells of it."""

    seller_id: int
    seen_at: datetime


def test_damage_of_the_archive_and_an_old_backup(desk: Desk) -> None:
    began = desk.services.clock()
    desk.archive = Archive(
        lambda _services: [Damage(1, began)], lambda _services: Backup(wanted=True, at=began)
    )
    desk.look()
    assert desk.kinds() == ["archive"]
    desk.look(3 * DAY)
    assert {"archive", "backup"} <= set(desk.kinds())
    desk.archive = Archive(lambda _services: [], lambda _services: Backup(wanted=False, at=began))
    desk.over()
    assert not {"archive", "backup"} & set(desk.kinds())
    desk.archive = Archive(backup=lambda _services: Backup(wanted=True, at=began, failed_at=began))
    desk.look()
    assert [one.kind for one in desk.alerts(Kind.BACKUP)] == ["backup"]
    desk.archive = Archive(backup=lambda _services: Backup(wanted=True, at=desk.made.clock.now))
    desk.over()
    assert not {"archive", "backup"} & set(desk.kinds())


def test_an_outage_is_everybodys_business_from_its_beginning_to_its_end(desk: Desk) -> None:
    """Latarnia announces it and its end; people of the seller are told of both though it is nobody's own."""
    desk.person("operator@biuro.example", seller_1=Role.OPERATOR)
    with desk.services.database.begin() as session:
        seller = session.get_one(Seller, 1)
        seller.environment = seller.environment | {"latarnia_url": desk.made.ksef.latarnia_url}
    url = f"{desk.made.ksef.admin_url}/outages"
    began = requests.post(url, json={"category": "FAILURE", "title": "Awaria"}, timeout=10)
    assert began.ok, began.text
    desk.made.run(timedelta(0))
    desk.look()
    assert [(one.kind, one.seller_id) for one in desk.alerts(Kind.OUTAGE)] == [("outage", None)]
    assert "Awaria KSeF od" in desk.told("operator@biuro.example")[0]
    ended = requests.post(f"{url}/{began.json()['event']}/end", timeout=10)
    assert ended.ok, ended.text
    desk.made.clock.sleep(61)
    desk.made.run(timedelta(0))
    desk.over()
    assert desk.alerts(Kind.OUTAGE) == []
    assert "ZAKOŃCZONE" in desk.told("operator@biuro.example")[-1]
