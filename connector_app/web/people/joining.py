"""Where one-time links lead: to a new account, to one more role, or to a new password."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_login import current_user
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from connector_app.people import accounts, links
from connector_app.people.roles import ROLE_NAMES
from connector_app.store.models import Seller
from connector_app.store.people import Invitation, Role, User
from connector_app.web.access import audit, me
from connector_app.web.accounts import signing_in
from connector_app.web.accounts.forms import JoinForm, NewPasswordForm
from connector_app.web.here import here
from connector_app.web.language import language, say, t
from connector_app.web.safety import limiter

joining = Blueprint("joining", __name__, template_folder="templates")


@joining.route("/join/<token>", methods=["GET", "POST"])
@limiter.limit("60/hour")
def join(token: str) -> str | Response | tuple[str, int]:
    """A link that somebody was handed."""
    services = here().services
    with services.database() as session:
        row = links.find(session, token, services.clock())
        if row is None:
            return render_template("people/over.html"), 404
        if row.user_id is not None:
            return _new_password(token, session.get_one(User, row.user_id))
        assert row.email is not None, "links without an account name whom they invite"
        offered = _offered(session, row)
        known = accounts.by_email(session, row.email)
    if known is None:
        return _new_account(token, row.email, offered)
    return _one_more_role(token, known, offered)


def _new_account(token: str, email: str, offered: str) -> str | Response:
    form = JoinForm()
    if not form.validate_on_submit():
        return render_template("people/join.html", form=form, email=email, offered=offered)
    services = here().services
    with services.database.begin() as session:
        row = _again(session, token)
        if accounts.by_email(session, email) is not None:
            abort(404)
        now = services.clock()
        user = links.accept(session, row, str(form.name.data), str(form.password.data), language(), now)
        audit(session, "people.join", f"user:{user.id}", row.seller_id, {"person": email}, user=user)
    signing_in.start(user)
    return redirect(url_for("home.page"))


def _one_more_role(token: str, known: User, offered: str) -> str | Response:
    signed_in = current_user.is_authenticated
    form = FlaskForm()
    if not (signed_in and me().id == known.id and form.validate_on_submit()):
        return render_template(
            "people/join_known.html",
            form=form,
            email=known.email,
            offered=offered,
            here=url_for("joining.join", token=token),
            other=signed_in and me().id != known.id,
        )
    services = here().services
    with services.database.begin() as session:
        row = _again(session, token)
        user = session.get_one(User, known.id)
        links.accept_as(session, row, user, services.clock())
        audit(session, "people.join", f"user:{user.id}", row.seller_id, {"person": user.email})
    flash(t("Zaproszenie przyjęte.", "The invitation is accepted."), "success")
    return redirect(url_for("home.page"))


def _new_password(token: str, user: User) -> str | Response:
    form = NewPasswordForm()
    if not form.validate_on_submit():
        return render_template("people/new_password.html", form=form, email=user.email)
    services = here().services
    with services.database.begin() as session:
        row = _again(session, token)
        found = links.set_new_password(session, row, str(form.password.data), services.clock())
        audit(session, "account.password-reset", f"user:{found.id}", user=found)
    # not signed in by it: a second factor must still be asked for
    flash(t("Hasło zmienione. Zaloguj się nim.", "The password is changed. Sign in with it."), "success")
    return redirect(url_for("accounts.sign_in"))


def _again(session: Session, token: str) -> Invitation:
    """The link looked at again inside the transaction that uses it up: it works once."""
    row = links.find(session, token, here().services.clock())
    if row is None:
        abort(404)
    return row


def _offered(session: Session, row: Invitation) -> str:
    """What an invitation gives, in words."""
    if row.seller_id is None or row.role is None:
        return t("właściciel całej instalacji", "owner of the whole installation")
    return f"{session.get_one(Seller, row.seller_id).name}: {say(ROLE_NAMES[Role(row.role)])}"
