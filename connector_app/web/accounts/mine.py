"""A person's own account: name, language, password, second factor, browsers."""

from __future__ import annotations

import base64
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask import session as cookie
from flask_login import current_user, login_required
from sqlalchemy import select
from werkzeug.wrappers import Response

from connector_app.people import accounts as stored
from connector_app.people import entering, second_factor
from connector_app.store.people import User, WebSession
from connector_app.vault import VaultLocked
from connector_app.web.access import audit, me
from connector_app.web.accounts.agents import agent_words
from connector_app.web.accounts.blueprint import accounts
from connector_app.web.accounts.forms import ConfirmForm, PasswordForm, ProfileForm, SwitchOnForm
from connector_app.web.here import here
from connector_app.web.language import t
from connector_app.web.safety import limiter
from core.visual import qr

_PENDING = "second_factor"


@accounts.get("/account")
@login_required  # type: ignore[untyped-decorator]
def mine() -> str:
    """Everything of the own account on one page."""
    return _page()


@accounts.post("/account/profile")
@login_required  # type: ignore[untyped-decorator]
def profile() -> str | Response:
    """Name and language."""
    form = ProfileForm()
    if not form.validate_on_submit():
        return _page(profile_form=form)
    with here().services.database.begin() as session:
        row = session.get_one(User, me().id)
        row.name, row.language = str(form.name.data).strip(), str(form.language.data)
        audit(session, "account.profile", f"user:{row.id}")
    cookie.pop("language", None)  # what was chosen on one page must not hide this choice
    _done("Zapisano.", "Saved.")
    return redirect(url_for("accounts.mine"))


@accounts.post("/account/password")
@login_required  # type: ignore[untyped-decorator]
@limiter.limit("20/minute")
def password() -> str | Response:
    """A new password; every other browser is signed out."""
    form = PasswordForm()
    if not form.validate_on_submit() or not _knows(form.old):
        return _page(password_form=form)
    services = here().services
    now = services.clock()
    with services.database.begin() as session:
        row = session.get_one(User, me().id)
        stored.set_password(row, str(form.new.data))
        ended = stored.end_browsers(session, row.id, now, but=current_user.session_id)
        audit(session, "account.password", f"user:{row.id}", details={"browsers_ended": ended})
    _done(
        "Hasło zmienione. Inne przeglądarki zostały wylogowane.",
        "The password is changed. Other browsers were signed out.",
    )
    return redirect(url_for("accounts.mine"))


@accounts.post("/account/browsers/<int:session_id>/end")
@login_required  # type: ignore[untyped-decorator]
def end_browser(session_id: int) -> Response:
    """Sign one of the own browsers out."""
    services = here().services
    with services.database.begin() as session:
        row = session.get(WebSession, session_id) if session_id < 2**63 else None
        if row is None or row.user_id != me().id:
            abort(404)
        if row.ended_at is None:
            row.ended_at = services.clock()
            audit(session, "account.browser-ended", f"browser:{row.id}")
    _done("Przeglądarka została wylogowana.", "The browser was signed out.")
    return redirect(url_for("accounts.mine"))


@accounts.post("/account/browsers/end-others")
@login_required  # type: ignore[untyped-decorator]
def end_others() -> Response:
    """Sign all own browsers but this one out."""
    services = here().services
    with services.database.begin() as session:
        ended = stored.end_browsers(session, me().id, services.clock(), but=current_user.session_id)
        audit(session, "account.browsers-ended", f"user:{me().id}", details={"browsers_ended": ended})
    _done("Pozostałe przeglądarki zostały wylogowane.", "The other browsers were signed out.")
    return redirect(url_for("accounts.mine"))


@accounts.route("/account/second-factor", methods=["GET", "POST"])
@login_required  # type: ignore[untyped-decorator]
@limiter.limit("20/minute", methods=["POST"])
def second_factor_page() -> str | Response:
    """Switch the second factor on; once it is on, look after it."""
    services = here().services
    if me().totp is not None:
        with services.database() as session:
            left = second_factor.codes_left(session, me().id)
        return render_template("accounts/second_factor_on.html", form=ConfirmForm(), left=left)
    secret = _pending_secret()
    form = SwitchOnForm()
    if not form.validate_on_submit():
        return _set_up(form, secret)
    step = second_factor.step_of(secret, str(form.code.data), services.clock(), None)
    if step is None:
        form.code.errors = [
            t(
                "Ten kod nie pasuje. Sprawdź, czy telefon ma dokładny czas, i wpisz nowy kod.",
                "This code does not fit. Check that the phone's clock is right, and type a new code.",
            )
        ]
        return _set_up(form, secret)
    if not _knows(form.password):
        return _set_up(form, secret)
    with services.database.begin() as session:
        row = session.get_one(User, me().id)
        if row.totp is not None:
            abort(409)
        codes = second_factor.switch_on(session, services.vault, row, secret, step)
        audit(session, "account.second-factor-on", f"user:{row.id}")
    cookie.pop(_PENDING, None)
    return render_template("accounts/recovery_codes.html", codes=codes)


@accounts.post("/account/second-factor/manage")
@login_required  # type: ignore[untyped-decorator]
@limiter.limit("20/minute")
def manage_second_factor() -> str | Response:
    """Fresh recovery codes, or no second factor any more; both need the password."""
    services = here().services
    if me().totp is None:
        return redirect(url_for("accounts.second_factor_page"))
    form = ConfirmForm()
    if not form.validate_on_submit() or not _knows(form.password):
        with services.database() as session:
            left = second_factor.codes_left(session, me().id)
        return render_template("accounts/second_factor_on.html", form=form, left=left)
    with services.database.begin() as session:
        row = session.get_one(User, me().id)
        if request.form.get("what") != "off":
            codes = second_factor.new_recovery_codes(session, row)
            audit(session, "account.recovery-codes", f"user:{row.id}")
            return render_template("accounts/recovery_codes.html", codes=codes)
        second_factor.switch_off(session, row)
        audit(session, "account.second-factor-off", f"user:{row.id}")
    _done("Logowanie dwuetapowe jest wyłączone.", "Two-step sign-in is off.")
    return redirect(url_for("accounts.mine"))


def _page(**forms: Any) -> str:
    """The page, with a form that was sent and refused, or with fresh ones."""
    services = here().services
    now = services.clock()
    with services.database() as session:
        browsers = session.scalars(
            select(WebSession)
            .where(WebSession.user_id == me().id, WebSession.ended_at.is_(None), WebSession.expires_at > now)
            .order_by(WebSession.seen_at.desc())
            .limit(50)
        ).all()
        left = second_factor.codes_left(session, me().id)
    return render_template(
        "accounts/mine.html",
        profile_form=forms.get("profile_form") or ProfileForm(formdata=None, obj=me()),
        password_form=forms.get("password_form") or PasswordForm(formdata=None),
        browsers=browsers,
        this=current_user.session_id,
        agent_words=agent_words,
        codes_left=left,
    )


def _set_up(form: SwitchOnForm, secret: str) -> str:
    address = second_factor.address(secret, me().email)
    picture = base64.b64encode(qr.svg(address).encode()).decode("ascii")
    grouped = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    return render_template("accounts/second_factor.html", form=form, picture=picture, secret=grouped)


def _pending_secret() -> str:
    """The secret that is being set up: sealed in the browser's cookie, so that it survives a typing fault."""
    vault = here().services.vault
    sealed = cookie.get(_PENDING)
    if sealed:
        try:
            return str(vault.unseal(str(sealed)))
        except VaultLocked:
            pass
    secret = second_factor.new_secret()
    cookie[_PENDING] = vault.seal(secret)
    return secret


def _knows(field: Any) -> bool:
    """Whether the password in a field is the current person's; a fault stands beside the field."""
    services = here().services
    if entering.is_still(
        services.database, me(), str(field.data), services.clock(), request.remote_addr or ""
    ):
        return True
    field.errors = [
        t(
            "To nie jest obecne hasło. Po kilku złych próbach trzeba odczekać.",
            "This is not the current password. After several wrong tries you have to wait.",
        )
    ]
    return False


def _done(pl: str, en: str) -> None:
    flash(t(pl, en), "success")
