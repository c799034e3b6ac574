"""Pages: alerts that are open or over, and what an installation sets about them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_login import login_required
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from connector_app.alerts import keeping
from connector_app.alerts.kinds import PUBLIC, REMIND, THRESHOLDS, WORDS, Kind, options_of, set_options
from connector_app.alerts.server import Servers, installation_server, set_installation_server
from connector_app.mail.settings import MailSettings
from connector_app.mail.transport import MailError
from connector_app.mail.trial import send_trial
from connector_app.pipeline.services import Services
from connector_app.store.desk import Job
from connector_app.store.models import Seller, Store
from connector_app.store.people import Role, User
from connector_app.store.watching import Alert, AlertLetter, LetterState
from connector_app.vault import VaultLocked
from connector_app.web import access, jobs
from connector_app.web.access import Right, admin_required, audit
from connector_app.web.alerts import forms
from connector_app.web.here import here
from connector_app.web.jobs import JobFailed, Progress
from connector_app.web.language import language, t
from connector_app.web.mail_form import entered as entered_mail
from connector_app.web.mail_form import mail_form
from connector_app.web.safety import safe_next
from core.findings import Text

alerts = Blueprint("alerts", __name__, template_folder="templates")

TRIAL = "alert-trial"
_SUBJECT = "installation"
_CLOSED = 30
_LETTERS = 10
_HOURS = {"4": 4, "24": 24, "168": 168}
"""Choices of how long to want no reminder."""


def seen_by_me(session: Session) -> ColumnElement[bool]:
    """Which alerts the current person may see, narrowed to the chosen seller."""
    return keeping.visible(access.visible(session), whole=access.me().is_admin)


@alerts.app_template_global("open_alerts")
def open_alerts() -> dict[str, Any]:
    """Open alerts of the current person, for a page that shows them beside other things."""
    with here().services.database() as session:
        return _shown(session, keeping.open_alerts(session, seen_by_me(session)))


def _shown(session: Session, rows: Any) -> dict[str, Any]:
    """Alerts with the names that a page shows."""
    sellers = {one.id: one for one in session.scalars(select(Seller))}
    stores = {row[0]: row[1] for row in session.execute(select(Store.id, Store.code))}
    return {"rows": rows, "sellers": sellers, "stores": stores}


@alerts.app_template_global("may_snooze")
def may_snooze(alert: Alert) -> bool:
    """Whether the current person may want quiet about an alert."""
    with here().services.database() as session:
        return _may(session, alert)


def _may(session: Session, alert: Alert) -> bool:
    if alert.seller_id is None:
        return access.me().is_admin
    return access.may(session, alert.seller_id, Right.OPERATE)


@alerts.app_template_global("alert_words")
def alert_words(kind: str) -> Text:
    """A kind of alert in words."""
    return WORDS[Kind(kind)] if kind in set(Kind) else Text(kind, kind)


@alerts.get("/alerts")
@login_required  # type: ignore[untyped-decorator]
def page() -> str:
    """Alerts that are open, and those that were lately."""
    with here().services.database() as session:
        which = seen_by_me(session)
        values = _shown(session, keeping.open_alerts(session, which))
        closed = keeping.closed_alerts(session, which, _CLOSED)
    return render_template("alerts/page.html", alerts=values, closed=closed, now=here().services.clock())


@alerts.post("/alerts/<int:alert_id>/snooze")
@login_required  # type: ignore[untyped-decorator]
def snooze(alert_id: int) -> Response:
    """Want no reminder for some hours, or until it is over; or want them again."""
    services = here().services
    wanted = request.form.get("hours", "")
    with services.database.begin() as session:
        row = session.scalar(select(Alert).where(Alert.id == alert_id, seen_by_me(session)))
        if row is None:
            abort(404)
        if not _may(session, row):
            abort(403)
        now = services.clock()
        if wanted == "wake":
            keeping.snooze(row, now, None)
        else:
            until = now + timedelta(hours=_HOURS[wanted]) if wanted in _HOURS else keeping.FOR_EVER
            keeping.snooze(row, until, access.me().id)
        action = "alert.wake" if wanted == "wake" else "alert.snooze"
        details = {"kind": row.kind, "hours": wanted if wanted in _HOURS else "until-over"}
        audit(session, action, f"alert:{row.id}", row.seller_id, None if wanted == "wake" else details)
    flash(
        t("Przypomnienia znów przychodzą.", "Reminders come again.")
        if wanted == "wake"
        else t("Przypomnień nie będzie. O końcu alarmu napiszemy.", "No reminders. Its end will be told."),
        "success",
    )
    return redirect(safe_next(request.form.get("next"), url_for("alerts.page")))


@alerts.route("/settings/alerts", methods=["GET", "POST"])
@admin_required
def options() -> str | Response:
    """What is an alert, from when on, and who is told."""
    services = here().services
    with services.database() as session:
        wanted = options_of(session)
        people = _people(session)
    form = forms.filled(wanted)
    if form.validate_on_submit():
        chosen = forms.entered(form, people, set(request.form.getlist("people")))
        with services.database.begin() as session:
            set_options(session, chosen)
            details = {"off": sorted(chosen.off), "numbers": dict(chosen.numbers)}
            audit(session, "alert.options", _SUBJECT, details=details)
        flash(t("Zapisano.", "Saved."), "success")
        return redirect(url_for("alerts.options"))
    return _options_page(form=form)


def _people(session: Session) -> list[User]:
    return list(session.scalars(select(User).where(User.disabled_at.is_(None)).order_by(User.name, User.id)))


def _options_page(**more: Any) -> str:
    services = here().services
    with services.database() as session:
        wanted = options_of(session)
        known = _known(session)
        people = _people(session)
        servers = Servers(services, session)
        letters = session.scalars(select(AlertLetter).order_by(AlertLetter.id.desc()).limit(_LETTERS)).all()
        values: dict[str, Any] = {
            "form": more.get("form") or forms.filled(wanted),
            "mail": more.get("mail") or mail_form(known),
            "people": people,
            "muted": wanted.muted,
            "without_server": [one.id for one in people if servers.of_person(one) is None],
            "is_set": known is not None,
            "has_password": known is not None and bool(known.password),
            "trial": session.scalar(select(Job).where(Job.kind == TRIAL).order_by(Job.id.desc()).limit(1)),
            "letters": letters,
            "names": {one.id: one.name for one in session.scalars(select(User))},
        }
    return render_template(
        "alerts/options.html",
        kinds=[(kind, forms.kind_field(kind), _number_of(kind)) for kind in Kind],
        remind=REMIND.name,
        roles=[f"role_{one.value}" for one in Role],
        LetterState=LetterState,
        PUBLIC=PUBLIC,
        **values,
    )


def _number_of(kind: Kind) -> str | None:
    return next((one.name for one in THRESHOLDS if one.kind is kind), None)


def _known(session: Session) -> MailSettings | None:
    try:
        return installation_server(session, here().services.vault)
    except VaultLocked:
        return None


@alerts.post("/settings/alerts/server")
@admin_required
def server() -> str | Response:
    """Set the mail server for letters about alerts, or take it away."""
    services = here().services
    with services.database() as session:
        known = _known(session)
    if request.form.get("remove"):
        with services.database.begin() as session:
            set_installation_server(session, services.vault, None)
            audit(session, "alert.server-remove", _SUBJECT)
        flash(t("Serwer usunięto.", "The server is removed."), "success")
        return redirect(url_for("alerts.options"))
    form = mail_form(known)
    settings = entered_mail(form, known) if form.validate_on_submit() else None
    if settings is None:
        return _options_page(mail=form)
    with services.database.begin() as session:
        set_installation_server(session, services.vault, settings)
        details = {"host": settings.host, "port": settings.port, "sender": settings.sender}
        audit(session, "alert.server", _SUBJECT, details=details)
    flash(t("Serwer zapisano. Wyślij próbę.", "The server is stored. Send a trial."), "success")
    return redirect(url_for("alerts.options"))


@alerts.post("/settings/alerts/test")
@admin_required
def test() -> Response:
    """Send the current person a trial letter, the way letters about alerts go."""
    services = here().services
    person, spoken = access.me(), language()
    with services.database() as session:
        settings = Servers(services, session).of_person(person)
    if settings is None:
        flash(t("Najpierw ustaw serwer poczty.", "Set a mail server first."), "danger")
        return redirect(url_for("alerts.options"))
    used = settings

    def work(services: Services, _progress: Progress) -> dict[str, Any]:
        try:
            send_trial(used, person.email, spoken, services.clock())
        except MailError as error:
            raise JobFailed(Text(f"Poczta nie działa: {error}", f"The mail does not work: {error}")) from None
        return {"recipient": person.email}

    with services.database.begin() as session:
        audit(session, "alert.test", _SUBJECT)
    jobs.start(TRIAL, _SUBJECT, None, work)
    return redirect(url_for("alerts.options"))
