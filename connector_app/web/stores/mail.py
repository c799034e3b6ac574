"""Page: a store's mail server, and a trial message."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, url_for
from flask_login import login_required
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import StringField
from wtforms.validators import Length

from connector_app.mail.compose import usable_address
from connector_app.mail.post import settings_of
from connector_app.mail.settings import MailSettings
from connector_app.mail.transport import MailError
from connector_app.mail.trial import send_trial
from connector_app.pipeline.services import Services
from connector_app.policies import StorePolicy
from connector_app.store.models import Store
from connector_app.vault import VaultLocked
from connector_app.web import access, jobs
from connector_app.web.access import Right, audit
from connector_app.web.flow import after_save
from connector_app.web.here import here
from connector_app.web.jobs import JobFailed, Progress
from connector_app.web.language import language, lazy, t
from connector_app.web.mail_form import entered, mail_form
from connector_app.web.stores import checking
from connector_app.web.stores.blueprint import stores, the_shop
from connector_app.web.stores.forms import needed
from core.findings import Text

TRIAL = "mail-trial"


class TrialForm(FlaskForm):  # type: ignore[misc]
    """Whom a trial message goes to."""

    address = StringField(lazy("Adres e-mail", "E-mail address"), [needed(), Length(max=254)])


@stores.route("/stores/<code>/mail", methods=["GET", "POST"])
@login_required  # type: ignore[untyped-decorator]
def mail(code: str) -> str | Response:
    """Show and change a store's mail server."""
    services = here().services
    with services.database() as session:
        store = the_shop(session, code, Right.OWN)
        seller = store.seller
        trial = checking.last(session, TRIAL, code)
    known = _known(store)
    form = mail_form(known)
    if form.validate_on_submit():
        settings = entered(form, known)
        if settings is not None:
            return _save(store, seller.nip, settings)
    return render_template(
        "stores/mail.html",
        form=form,
        trial_form=TrialForm(address=access.me().email, formdata=None),
        trial=trial,
        store=store,
        seller=seller,
        is_set=known is not None,
        has_password=known is not None and bool(known.password),
        is_on=StorePolicy.from_json(store.policy).mail,
    )


@stores.post("/stores/<code>/mail/test")
@login_required  # type: ignore[untyped-decorator]
def mail_test(code: str) -> Response:
    """Send a trial message; the page shows what came of it."""
    services = here().services
    with services.database() as session:
        store = the_shop(session, code, Right.OWN)
    known = _known(store)
    form = TrialForm()
    recipient = usable_address(str(form.address.data or ""))
    if known is None:
        flash(t("Najpierw zapisz serwer poczty.", "Store the mail server first."), "danger")
    elif not form.validate_on_submit() or not recipient:
        flash(t("To nie jest adres e-mail.", "This is no e-mail address."), "danger")
    else:
        _begin(store, known, recipient)
    return redirect(url_for("stores.mail", code=code))


def _begin(store: Store, settings: MailSettings, recipient: str) -> None:
    spoken = language()

    def work(services: Services, _progress: Progress) -> dict[str, Any]:
        try:
            send_trial(settings, recipient, spoken, services.clock())
        except MailError as error:
            raise JobFailed(Text(f"Poczta nie działa: {error}", f"The mail does not work: {error}")) from None
        return {"recipient": recipient}

    with here().services.database.begin() as session:
        audit(session, "store.mail-test", f"store:{store.code}", store.seller_id)
    jobs.start(TRIAL, checking.subject(store.code), store.seller_id, work)


def _known(store: Store) -> MailSettings | None:
    try:
        return settings_of(here().services, store)
    except VaultLocked:
        return None


def _save(store: Store, nip: str, settings: MailSettings) -> Response:
    place = here()
    with place.services.database.begin() as session:
        row = session.get_one(Store, store.id)
        row.mail = place.services.vault.seal(settings.as_json())
        details = {"host": settings.host, "port": settings.port, "sender": settings.sender}
        audit(session, "store.mail", f"store:{row.code}", row.seller_id, details)
    place.wake(store.seller_id)
    flash(
        t("Serwer poczty zapisano. Wyślij próbę.", "The mail server is stored. Send a trial message."),
        "success",
    )
    return redirect(after_save(url_for("stores.mail", code=store.code), nip))
