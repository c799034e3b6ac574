"""The page of keeping, for owners of the installation."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import IntegerField, StringField, ValidationError
from wtforms.validators import InputRequired, NumberRange, Optional

from connector_app.keeping import options, schedule, watching
from connector_app.keeping.backup import Wanted, as_json, free_at, home_of, size_of
from connector_app.keeping.damage import damaged
from connector_app.keeping.expired import expired
from connector_app.keeping.options import BackupOptions, KeepingOptions
from connector_app.keeping.places import BackupFailed
from connector_app.pipeline.services import Services, load_text
from connector_app.web import jobs
from connector_app.web.access import admin_required, audit
from connector_app.web.here import here
from connector_app.web.jobs import JobFailed, Progress
from connector_app.web.language import lazy, t
from core.calendar import warsaw_day

keeping = Blueprint("keeping", __name__, template_folder="templates")

_KIND, _SUBJECT = "backup", "installation"
_DAMAGES = 20


def _number(pl: str, en: str, least: int, most: int, *, optional: bool = False) -> IntegerField:
    fault = lazy(f"Podaj liczbę od {least} do {most}.", f"Give a number from {least} to {most}.")
    needed = Optional() if optional else InputRequired(fault)
    return IntegerField(
        lazy(pl, en),
        [needed, NumberRange(least, most, fault)],
        render_kw={"inputmode": "numeric", "autocomplete": "off"},
    )


class KeepingForm(FlaskForm):  # type: ignore[misc]  # the library ships no types
    """Backups that are made by themselves, and how long what is kept."""

    folder = StringField(lazy("Folder kopii zapasowych", "Folder of backups"))
    hour = _number("Godzina", "Hour", 0, 23)
    daily = _number("Ile dziennych", "Daily ones", 0, 366)
    weekly = _number("Ile tygodniowych", "Weekly ones", 0, 260)
    monthly = _number("Ile miesięcznych", "Monthly ones", 0, 240)
    personal_days = _number(
        "Dane osobowe zamówień bez faktury: dni", "Personal data of orders without invoice: days", 30, 3650,
        optional=True,
    )  # fmt: skip
    legal_years = _number("Faktury: lata", "Invoices: years", 5, 50)

    def validate_folder(self, entered: Any) -> None:
        """A whole path: the program's working folder means nothing to a person."""
        raw = (entered.data or "").strip()
        if raw and not Path(raw).is_absolute():
            raise ValidationError(t("Podaj całą ścieżkę, od /.", "Give the whole path, beginning with /."))


@keeping.route("/settings/keeping", methods=["GET", "POST"])
@admin_required
def page() -> str | Response:
    """See how backups and the archive are, and change how long what is kept."""
    services = here().services
    with services.database() as session:
        backups, kept = options.backup_options(session), options.keeping_options(session)
    form = KeepingForm(
        folder=backups.folder, hour=backups.hour, daily=backups.daily, weekly=backups.weekly,
        monthly=backups.monthly, personal_days=kept.personal_days, legal_years=kept.legal_years,
    )  # fmt: skip
    if form.validate_on_submit():
        with services.database.begin() as session:
            _store(session, form)
        flash(t("Zapisano.", "Saved."), "success")
        here().wake()
        return redirect(url_for(".page"))
    return render_template("keeping/page.html", form=form, **_shown(services, backups))


@keeping.post("/settings/keeping/backup")
@admin_required
def back_up() -> Response:
    """Make a backup now; its progress is on a page of its own."""
    services = here().services
    with services.database.begin() as session:
        target = _target(services, options.backup_options(session))
        audit(session, "installation.backup", _SUBJECT)

    def work(services: Services, progress: Progress) -> dict[str, Any]:
        wanted = Wanted(target, services.backup_passphrase or None)
        seen = [-1]

        def tell(done: int, total: int) -> None:
            # a job's progress is a row in the database: a hundred of them are enough
            if total and done * 100 // total != seen[0]:
                seen[0] = done * 100 // total
                progress(done, total)

        try:
            return as_json(schedule.make(services, wanted, tell))
        except BackupFailed as error:
            raise JobFailed(error.text) from None

    job = jobs.start(_KIND, _SUBJECT, None, work)
    return redirect(url_for("jobs.page", job_id=job))


def _store(session: Session, form: KeepingForm) -> None:
    """Set what the form says, and write down what changed."""
    before = options.backup_options(session), options.keeping_options(session)
    hour, daily, weekly, monthly = (int(form[name].data) for name in ("hour", "daily", "weekly", "monthly"))
    wanted = BackupOptions((form.folder.data or "").strip(), hour, daily, weekly, monthly)
    kept = KeepingOptions(form.legal_years.data or options.LEGAL_YEARS, form.personal_days.data)
    options.back_up_by(session, wanted, here().services.clock())
    options.keep_by(session, kept)
    if (options.backup_options(session), kept) != before:
        audit(session, "installation.keeping", _SUBJECT, details=asdict(wanted) | asdict(kept))


def _target(services: Services, wanted: BackupOptions) -> Path:
    home = home_of(services)
    return Path(wanted.folder) if wanted.folder or home is None else home / "backups"


def _shown(services: Services, wanted: BackupOptions) -> dict[str, Any]:
    target = _target(services, wanted)
    with services.database() as session:
        old = sum(one.count for one in expired(session, warsaw_day(services.clock())))
    broken = damaged(services)
    return {
        "last": schedule.last_backup(services),
        "target": target,
        "size": size_of(services),
        "free": free_at(target),
        "encrypted": bool(services.backup_passphrase),
        "damages": [(one.document_id, load_text(one.what)) for one in broken[:_DAMAGES]],
        "damaged": len(broken),
        "looked": watching.last_round(services),
        "expired": old,
    }
