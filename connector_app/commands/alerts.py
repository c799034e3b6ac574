"""``alerts``: what a person should know now, quiet about it, and how people are written to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Unpack

import click
from sqlalchemy import select, true
from sqlalchemy.orm import Session

from connector_app.alerts import keeping, rules
from connector_app.alerts.condition import Archive
from connector_app.alerts.kinds import WORDS, options_of
from connector_app.alerts.server import Servers, installation_server, set_installation_server
from connector_app.alerts.telling import People
from connector_app.commands.app import App, BadInput, Failure, pass_app
from connector_app.commands.bilingual import Group, option
from connector_app.commands.mail_server import (
    Typed,
    mail_server_options,
    mail_settings,
    recipient_of,
    try_out,
)
from connector_app.mail.settings import MailSettings
from connector_app.people import trail
from connector_app.pipeline.services import Services, load_text
from connector_app.store.models import Seller
from connector_app.store.watching import Alert
from connector_app.vault import VaultLocked
from core.calendar import WARSAW
from core.findings import Text

_ID = click.IntRange(1, 2**63 - 1)
_ACTOR = "command line"


@click.group(cls=Group, pl="Alarmy: co trwa, cisza o alarmie, próba, serwer poczty.")
def alerts() -> None:
    """Alerts: what is going on, quiet about it, a trial, the mail server."""


@alerts.command(
    name="list",
    pl="""Pokazuje trwające alarmy; kod wyjścia 1, gdy jakiś trwa.

    Z --now patrzy od razu, niczego nie zapisując ani nie wysyłając; bez tego pokazuje, co zapisał działający
    program.""",
)
@option("--json", "as_json", is_flag=True, pl="Lista jako JSON.", en="The list as JSON.")
@option("--now", "at_once", is_flag=True, pl="Popatrz teraz.", en="Look now.")
@pass_app
def list_alerts(app: App, as_json: bool, at_once: bool) -> None:
    """List the alerts that are open; exit code 1 when there are any.

    With --now it looks at once, and writes and sends nothing; without it, it shows what the running program
    wrote down.
    """
    services = app.open()
    with services.database() as session:
        nips = {row[0]: row[1] for row in session.execute(select(Seller.id, Seller.nip))}
        kept = keeping.open_alerts(session, true())
        found = _looked(services, session, nips) if at_once else [_kept(one, nips) for one in kept]
    if as_json:
        app.json(found)
    elif not found:
        app.say(Text("✓ Żaden alarm nie trwa.", "✓ No alert is going on."))
    else:
        for one in found:
            _print(app, one)
    click.get_current_context().exit(1 if found else 0)


def _both(text: Text) -> dict[str, str]:
    return {"pl": text.pl, "en": text.en}


def _kept(row: Alert, nips: Mapping[int, str]) -> dict[str, object]:
    kind = keeping.kind_of(row)
    return {
        "id": row.id,
        "kind": row.kind,
        "title": _both(WORDS[kind]) if kind else row.kind,
        "severity": row.severity,
        "seller": nips.get(row.seller_id or 0),
        "since": row.since.isoformat(),
        "message": _both(load_text(row.said)),
        "hint": _both(load_text(row.hint)),
        "snoozed_until": row.snoozed_until.isoformat() if row.snoozed_until else None,
    }


def _looked(services: Services, session: Session, nips: Mapping[int, str]) -> list[dict[str, object]]:
    found = rules.find(services, options_of(session), Archive())
    return [
        {
            "id": None,
            "kind": one.kind.value,
            "title": _both(WORDS[one.kind]),
            "severity": one.severity.value,
            "seller": nips.get(one.seller_id or 0),
            "since": one.since.isoformat(),
            "message": _both(one.said),
            "hint": _both(one.hint),
            "snoozed_until": None,
        }
        for one in found.conditions
    ]


def _print(app: App, one: dict[str, object]) -> None:
    def words(name: str) -> str:
        said = one[name]
        return str(said[app.language]) if isinstance(said, dict) else str(said or "")

    number = f"[{one['id']}] " if one["id"] else ""
    whose = f"NIP {one['seller']}" if one["seller"] else app.text("instalacja", "installation")
    mark = "✗" if one["severity"] == "error" else "!"
    app.out.print(f"{mark} {number}{words('title')} ({whose})", markup=False)
    app.out.print(f"    {words('message')}", markup=False)
    app.out.print(f"    → {words('hint')}", markup=False)
    if one["snoozed_until"]:
        app.say(Text("    Bez przypomnień.", "    No reminders."))


@alerts.command(
    pl="""Wycisza przypomnienia o alarmie; o jego końcu i tak przyjdzie wiadomość.

    Bez --hours: do końca alarmu; --hours 0 włącza przypomnienia z powrotem."""
)
@click.argument("alert", type=_ID, metavar="ID")
@option(
    "--hours",
    type=click.IntRange(0, 24 * 365),
    default=None,
    show_default="do końca",
    pl="Na ile godzin.",
    en="For how many hours.",
)
@pass_app
def snooze(app: App, alert: int, hours: int | None) -> None:
    """Want no reminders of an alert; that it is over is told all the same.

    Without --hours: until it is over; --hours 0 has them come again.
    """
    services = app.open()
    with services.database.begin() as session:
        row = session.get(Alert, alert)
        if row is None or row.closed_at is not None:
            raise BadInput(
                app.text(f"Nie trwa alarm {alert}.", f"No alert {alert} is going on."),
                "ksef-connector alerts list",
            )
        now = services.clock()
        until = keeping.FOR_EVER if hours is None else now + timedelta(hours=hours)
        keeping.snooze(row, until, None)
        action = "alert.wake" if hours == 0 else "alert.snooze"
        details = {"kind": row.kind, "hours": hours if hours is not None else "until-over"}
        trail.record(
            session, now, action, f"alert:{alert}", actor=_ACTOR, seller_id=row.seller_id, details=details
        )
    if hours == 0:
        app.say(Text("✓ Przypomnienia znów przychodzą.", "✓ Reminders come again."))
    elif hours is None:
        app.say(Text("✓ Cisza do końca alarmu.", "✓ Quiet until it is over."))
    else:
        at = f"{until.astimezone(WARSAW):%d.%m.%Y %H:%M}"
        app.say(Text(f"✓ Cisza do {at}.", f"✓ Quiet until {at}."))


@alerts.command(
    pl="""Mówi, kto dostaje e-maile o alarmach i przez jaki serwer; z adresem wysyła na niego próbę."""
)
@click.argument("address", metavar="[ADDRESS]", required=False, default="")
@pass_app
def test(app: App, address: str) -> None:
    """Say who gets e-mails about alerts and by which server; with an address, send a trial there."""
    services = app.open()
    with services.database() as session:
        _print_people(app, services, session)
        settings = _server(services, session)
    if not address:
        return
    recipient = recipient_of(app, address)
    if settings is None:
        raise Failure(
            app.text("Nie ma serwera poczty dla alarmów.", "There is no mail server for alerts."),
            "ksef-connector alerts server --host ...",
        )
    try_out(app, settings, recipient, services.clock(), "ksef-connector alerts server --host ...")


def _print_people(app: App, services: Services, session: Session) -> None:
    servers, people = Servers(services, session), People(session, options_of(session))
    listed = people.written_to()
    if not listed:
        app.say(Text("! Nikt nie dostaje e-maili o alarmach.", "! Nobody gets e-mails about alerts."))
    for one in listed:
        server = servers.of_person(one)
        by = server.host if server else app.text("brak serwera poczty", "no mail server")
        app.out.print(f"{'✓' if server else '!'} {one.email}  ({by})", markup=False)


def _server(services: Services, session: Session) -> MailSettings | None:
    try:
        return installation_server(session, services.vault)
    except VaultLocked:
        return None


@alerts.command(pl="Ustawia serwer poczty dla alarmów; hasło jest przechowywane zaszyfrowane.")
@mail_server_options
@pass_app
def server(app: App, **typed: Unpack[Typed]) -> None:
    """Set the mail server for alerts; the password is kept encrypted."""
    settings = mail_settings(app, typed)
    services = app.open()
    with services.database.begin() as session:
        set_installation_server(session, services.vault, settings)
        details = {"host": settings.host, "port": settings.port, "sender": settings.sender}
        trail.record(session, services.clock(), "alert.server", "installation", actor=_ACTOR, details=details)
    where = f"{settings.host}:{settings.port}"
    app.say(Text(f"✓ Poczta alarmów: {where}.", f"✓ Mail of alerts: {where}."))
    app.say(Text("→ ksef-connector alerts test ADRES", "→ ksef-connector alerts test ADDRESS"))
