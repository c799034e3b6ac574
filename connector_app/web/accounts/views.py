"""Pages: first account, sign in, second factor, sign out."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from connector_app.people import accounts as stored
from connector_app.people import entering
from connector_app.people.entering import Outcome
from connector_app.web.access import audit
from connector_app.web.accounts import mine, signing_in
from connector_app.web.accounts.blueprint import accounts
from connector_app.web.accounts.forms import AccountForm, CodeForm, SignInForm
from connector_app.web.here import here
from connector_app.web.language import language, t
from connector_app.web.safety import limiter, safe_next

__all__ = ["accounts", "mine"]


@accounts.route("/start/<token>", methods=["GET", "POST"])
@limiter.limit("30/hour")
def first(token: str) -> str | Response:
    """The first account, through the one-time link that the program printed."""
    services = here().services
    with services.database() as session:
        found = stored.invitation(session, token, services.clock())
        if found is None or stored.has_users(session):
            abort(404)
    form = AccountForm()
    if not form.validate_on_submit():
        return render_template("accounts/first.html", form=form)
    with services.database.begin() as session:
        # looked at again inside the transaction: the link works once
        row = stored.invitation(session, token, services.clock())
        if row is None or stored.has_users(session):
            abort(404)
        row.used_at = services.clock()
        user = stored.add_user(
            session,
            str(form.email.data),
            str(form.password.data),
            services.clock(),
            name=str(form.name.data),
            language=language(),
            is_admin=True,
        )
        audit(session, "account.first", f"user:{user.id}", user=user)
    signing_in.start(user)
    return redirect(url_for("home.page"))


@accounts.route("/sign-in", methods=["GET", "POST"])
@limiter.limit("20/minute;200/hour", methods=["POST"])
def sign_in() -> str | Response:
    """E-mail and password; then the second factor of those who have one."""
    if current_user.is_authenticated:
        return redirect(safe_next(request.args.get("next")))
    services = here().services
    with services.database() as session:
        if not stored.has_users(session):
            return render_template("accounts/unclaimed.html")
    form = SignInForm()
    if form.validate_on_submit():
        outcome, user = entering.by_password(
            services.database,
            str(form.email.data),
            str(form.password.data),
            services.clock(),
            request.remote_addr or "",
        )
        if user is not None and outcome is Outcome.CODE:
            signing_in.half(user)
            return redirect(url_for("accounts.code", next=safe_next(request.args.get("next"))))
        if user is not None and outcome is Outcome.IN:
            signing_in.start(user)
            return redirect(safe_next(request.args.get("next")))
        # the same words whether the account is locked, disabled, or does not exist
        flash(
            t(
                "E-mail albo hasło są nieprawidłowe. Po kilku złych próbach konto zamyka się na coraz "
                "dłużej, najwyżej na godzinę.",
                "The e-mail or the password is wrong. After several wrong tries an account is locked for "
                "longer and longer, an hour at most.",
            ),
            "danger",
        )
    return render_template("accounts/sign_in.html", form=form)


@accounts.route("/sign-in/code", methods=["GET", "POST"])
@limiter.limit("20/minute;200/hour", methods=["POST"])
def code() -> str | Response:
    """The second factor, for a few minutes after the right password."""
    target = safe_next(request.args.get("next"))
    user_id = signing_in.half_id()
    if user_id is None:
        return redirect(url_for("accounts.sign_in", next=target))
    services = here().services
    form = CodeForm()
    if form.validate_on_submit():
        outcome, user = entering.by_code(
            services.database,
            services.vault,
            user_id,
            str(form.code.data),
            services.clock(),
            request.remote_addr or "",
        )
        if user is not None and outcome is Outcome.IN:
            signing_in.start(user)
            return redirect(target)
        flash(
            t(
                "Kod jest nieprawidłowy albo był już użyty. Po kilku złych próbach konto zamyka się na coraz "
                "dłużej, najwyżej na godzinę.",
                "The code is wrong or was used already. After several wrong tries an account is locked for "
                "longer and longer, an hour at most.",
            ),
            "danger",
        )
    return render_template("accounts/code.html", form=form, target=target)


@accounts.post("/sign-out")
def sign_out() -> Any:
    """End this browser's sign-in."""
    signing_in.end()
    return redirect(url_for("accounts.sign_in"))
