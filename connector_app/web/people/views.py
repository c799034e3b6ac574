"""Pages of people: the list, one person, invitations and links."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_login import login_required
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from connector_app.people import links, roles, second_factor
from connector_app.people.accounts import NotPossible
from connector_app.people.links import Offer
from connector_app.store.people import Role, User
from connector_app.web import access
from connector_app.web.access import Right, admin_required, audit, me
from connector_app.web.here import here
from connector_app.web.language import say, t
from connector_app.web.people import reading
from connector_app.web.people.forms import WHOLE, invite_form, role_choices

people = Blueprint("people", __name__, template_folder="templates")


@people.get("/people")
@login_required  # type: ignore[untyped-decorator]
def index() -> str:
    """Everybody whom the current person looks after."""
    services = here().services
    with services.database() as session:
        _owners_only(session)
        return render_template(
            "people/index.html",
            people=reading.people(session),
            invitations=reading.invitations(session, services.clock()),
            role_names=roles.ROLE_NAMES,
            Role=Role,
        )


@people.route("/people/invite", methods=["GET", "POST"])
@login_required  # type: ignore[untyped-decorator]
def invite() -> str | Response:
    """Make a one-time link and show it once."""
    services = here().services
    with services.database() as session:
        _owners_only(session)
        sellers = reading.all_owned(session)
    form = invite_form(sellers, whole=me().is_admin)
    if not form.validate_on_submit():
        return render_template("people/invite.html", form=form)
    email, chosen = str(form.email.data), str(form.seller.data)
    with services.database.begin() as session:
        if chosen == WHOLE:
            if not me().is_admin:
                abort(403)
            offer = Offer(is_admin=True)
        else:
            seller = access.the_seller(session, chosen, Right.OWN)
            offer = Offer(seller.id, Role(str(form.role.data)))
        token = links.invite(session, email, offer, services.clock(), me().id)
        details = {"email": email, "role": offer.role or WHOLE}
        audit(session, "people.invite", f"invitation:{email}", offer.seller_id, details)
    return _show_link(
        token,
        t("Zaproszenie jest gotowe", "The invitation is ready"),
        t(
            f"Przekaż ten odnośnik osobie {email}. Działa raz, przez 7 dni.",
            f"Hand this link to {email}. It works once, for 7 days.",
        ),
    )


@people.post("/people/invitations/<int:invitation_id>/cancel")
@login_required  # type: ignore[untyped-decorator]
def cancel(invitation_id: int) -> Response:
    """Take an invitation back."""
    with here().services.database.begin() as session:
        row = reading.the_invitation(session, invitation_id)
        audit(session, "people.invitation-cancel", f"invitation:{row.email}", row.seller_id)
        session.delete(row)
    _done("Zaproszenie cofnięte.", "The invitation is taken back.")
    return redirect(url_for("people.index"))


@people.get("/people/<int:user_id>")
@login_required  # type: ignore[untyped-decorator]
def page(user_id: int) -> str:
    """One person: roles, and what can be done about the account."""
    with here().services.database() as session:
        person = reading.the_person(session, user_id)
        return render_template(
            "people/page.html",
            person=person,
            sellers=reading.all_owned(session),
            role_choices=role_choices(),
            role_names=roles.ROLE_NAMES,
        )


@people.post("/people/<int:user_id>/role/<nip>")
@login_required  # type: ignore[untyped-decorator]
def role(user_id: int, nip: str) -> Response:
    """Give, change or take away a person's role for a seller."""
    with here().services.database.begin() as session:
        seller = access.the_seller(session, nip, Right.OWN)
        person = reading.the_person(session, user_id)
        raw = request.form.get("role", "")
        if raw and raw not in {one.value for one in Role}:
            abort(400)
        wanted = Role(raw) if raw else None
        try:
            before = roles.change(session, person.row, seller.id, wanted, by_admin=me().is_admin)
        except NotPossible as error:
            return _refused(error, user_id)
        if before is not wanted:
            details = {"person": person.row.email, "before": before, "now": wanted}
            audit(session, "people.role", f"user:{user_id}", seller.id, details)
        stays = me().is_admin or access.rights_of(session, me()).get(seller.id, 0) >= Right.OWN
    _done("Rola zapisana.", "The role is saved.") if wanted else _done(
        "Dostęp odebrany.", "Access is taken away."
    )
    if not stays:
        return redirect(url_for("home.page"))
    if wanted is None and not me().is_admin:
        return redirect(url_for("people.index"))
    return redirect(url_for("people.page", user_id=user_id))


@people.post("/people/<int:user_id>/owner")
@admin_required
def owner(user_id: int) -> Response:
    """Make a person an owner of the installation, or no longer."""
    value = request.form.get("value") == "1"

    def work(session: Session, user: User) -> str:
        roles.set_admin(session, user, value=value)
        return "people.owner-on" if value else "people.owner-off"

    return _change(user_id, work)


@people.post("/people/<int:user_id>/disable")
@admin_required
def disable(user_id: int) -> Response:
    """Close an account."""

    def work(session: Session, user: User) -> str:
        roles.disable(session, user, here().services.clock())
        return "people.disable"

    return _change(user_id, work)


@people.post("/people/<int:user_id>/enable")
@admin_required
def enable(user_id: int) -> Response:
    """Open a closed account again."""

    def work(_session: Session, user: User) -> str:
        roles.enable(user)
        return "people.enable"

    return _change(user_id, work)


@people.post("/people/<int:user_id>/totp-off")
@admin_required
def totp_off(user_id: int) -> Response:
    """Switch the second factor off for who lost the phone."""

    def work(session: Session, user: User) -> str:
        second_factor.switch_off(session, user)
        return "people.second-factor-off"

    return _change(user_id, work)


@people.post("/people/<int:user_id>/reset-link")
@admin_required
def reset_link(user_id: int) -> str:
    """A one-time link to a new password, shown once."""
    services = here().services
    with services.database.begin() as session:
        person = reading.the_person(session, user_id)
        if person.row.disabled_at is not None:
            abort(404)
        token = links.new_password(session, person.row, services.clock(), me().id)
        audit(session, "people.reset-link", f"user:{user_id}", details={"person": person.row.email})
    return _show_link(
        token,
        t("Odnośnik do nowego hasła", "Link to a new password"),
        t(
            f"Przekaż go osobie {person.row.email}. Działa raz, przez dobę. Do zmiany działa stare hasło.",
            f"Hand it to {person.row.email}. It works once, for a day. The old password works until then.",
        ),
    )


def _change(user_id: int, work: Callable[[Session, User], str]) -> Response:
    """One change of an account by an owner of the installation, in one transaction with its audit entry."""
    with here().services.database.begin() as session:
        person = reading.the_person(session, user_id)
        try:
            action = work(session, person.row)
        except NotPossible as error:
            return _refused(error, user_id)
        audit(session, action, f"user:{user_id}", details={"person": person.row.email})
    _done("Zapisano.", "Saved.")
    return redirect(url_for("people.page", user_id=user_id))


def _refused(error: NotPossible, user_id: int) -> Response:
    flash(f"{say(error.text)} {say(error.hint)}", "danger")
    return redirect(url_for("people.page", user_id=user_id))


def _owners_only(session: Session) -> None:
    if not access.may_anywhere(session, Right.OWN):
        abort(403)


def _show_link(token: str, title: str, said: str) -> str:
    base = here().options.public_url or request.url_root.rstrip("/")
    link = base + url_for("joining.join", token=token)
    return render_template("people/link.html", link=link, title=title, said=said)


def _done(pl: str, en: str) -> Any:
    flash(t(pl, en), "success")
