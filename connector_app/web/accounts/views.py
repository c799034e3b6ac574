"""Pages: first account, sign in, sign out."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_login import current_user
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import PasswordField, StringField
from wtforms.validators import EqualTo, InputRequired, Length, Regexp

from connector_app.web.access import audit
from connector_app.web.accounts import people, signing_in
from connector_app.web.here import here
from connector_app.web.language import language, lazy, t
from connector_app.web.safety import limiter, safe_next

accounts = Blueprint("accounts", __name__, template_folder="templates")

_EMAIL = Regexp(
    r"^[^@\s]+@[^@\s]+\.[^@\s]+$", message=lazy("To nie jest adres e-mail.", "This is no e-mail.")
)
_NEEDED = InputRequired(lazy("Wypełnij to pole.", "Fill this in."))
_LONG_ENOUGH = Length(
    people.SHORTEST_PASSWORD,
    1024,
    message=lazy("Hasło ma mieć co najmniej 10 znaków.", "A password needs at least 10 characters."),
)


class SignInForm(FlaskForm):  # type: ignore[misc]  # the library ships no types
    """E-mail and password."""

    email = StringField(lazy("E-mail", "E-mail"), [_NEEDED], render_kw={"autocomplete": "username"})
    password = PasswordField(
        lazy("Hasło", "Password"), [_NEEDED], render_kw={"autocomplete": "current-password"}
    )


class AccountForm(FlaskForm):  # type: ignore[misc]
    """A new account."""

    name = StringField(lazy("Imię i nazwisko", "Name"), [_NEEDED, Length(max=200)])
    email = StringField(lazy("E-mail", "E-mail"), [_NEEDED, _EMAIL], render_kw={"autocomplete": "username"})
    password = PasswordField(
        lazy("Hasło (co najmniej 10 znaków)", "Password (at least 10 characters)"),
        [_NEEDED, _LONG_ENOUGH],
        render_kw={"autocomplete": "new-password"},
    )
    again = PasswordField(
        lazy("Hasło jeszcze raz", "Password again"),
        [EqualTo("password", lazy("Hasła się różnią.", "The passwords differ."))],
        render_kw={"autocomplete": "new-password"},
    )


@accounts.route("/start/<token>", methods=["GET", "POST"])
@limiter.limit("30/hour")
def first(token: str) -> str | Response:
    """The first account, through the one-time link that the program printed."""
    services = here().services
    with services.database() as session:
        found = people.invitation(session, token, services.clock())
        if found is None or people.has_users(session):
            abort(404)
    form = AccountForm()
    if not form.validate_on_submit():
        return render_template("accounts/first.html", form=form)
    with services.database.begin() as session:
        # looked at again inside the transaction: the link works once
        row = people.invitation(session, token, services.clock())
        if row is None or people.has_users(session):
            abort(404)
        row.used_at = services.clock()
        user = people.add_user(
            session,
            str(form.email.data),
            str(form.password.data),
            services.clock(),
            name=str(form.name.data),
            language=language(),
            is_admin=True,
        )
        audit(session, "account.first", f"user:{user.id}", actor=user.email)
    signing_in.start(user)
    return redirect(url_for("home.page"))


@accounts.route("/sign-in", methods=["GET", "POST"])
@limiter.limit("20/minute", methods=["POST"])
def sign_in() -> str | Response:
    """E-mail and password."""
    if current_user.is_authenticated:
        return redirect(safe_next(request.args.get("next")))
    services = here().services
    with services.database() as session:
        if not people.has_users(session):
            return render_template("accounts/unclaimed.html")
    form = SignInForm()
    if form.validate_on_submit():
        with services.database() as session:
            user = people.by_email(session, str(form.email.data))
        if (
            people.is_password(user, str(form.password.data))
            and user is not None
            and user.disabled_at is None
        ):
            signing_in.start(user)
            return redirect(safe_next(request.args.get("next")))
        flash(t("E-mail albo hasło są nieprawidłowe.", "The e-mail or the password is wrong."), "danger")
    return render_template("accounts/sign_in.html", form=form)


@accounts.post("/sign-out")
def sign_out() -> Any:
    """End this browser's sign-in."""
    signing_in.end()
    return redirect(url_for("accounts.sign_in"))
