"""Forms of people."""

from __future__ import annotations

from collections.abc import Sequence

from flask_wtf import FlaskForm
from wtforms import RadioField, SelectField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # its types lag behind

from connector_app.people.roles import ROLE_MEANINGS, ROLE_NAMES
from connector_app.store.models import Seller
from connector_app.store.people import Role
from connector_app.web.accounts.forms import EMAIL, NEEDED, SHORT_EMAIL, stripped
from connector_app.web.language import lazy, say, t

WHOLE = "installation"
"""What is chosen instead of a seller: the whole installation."""


class InviteForm(FlaskForm):  # type: ignore[misc]  # the library ships no types
    """Whom to invite, and to what.

    Choices of sellers are set by :func:`invite_form`.
    """

    email = StringField(
        lazy("E-mail zapraszanej osoby", "E-mail of the person"),
        [NEEDED, EMAIL, SHORT_EMAIL],
        filters=[stripped],
        render_kw={"type": "email", "autocomplete": "off"},
    )
    seller = SelectField(lazy("Dostęp do", "Access to"), choices=[])
    role = RadioField(lazy("Rola", "Role"), choices=[], default=Role.OPERATOR.value)


def invite_form(sellers: Sequence[Seller], *, whole: bool) -> InviteForm:
    """The form with what the current person may give.

    Args:
        sellers: that the person owns.
        whole: may make owners of the installation.
    """
    form = InviteForm()
    form.seller.choices = [SelectChoice(one.nip, f"{one.name} ({one.nip})") for one in sellers]
    if whole:
        text = t("cała instalacja (właściciel)", "the whole installation (owner)")
        form.seller.choices.append(SelectChoice(WHOLE, text))
    form.role.choices = role_choices()
    return form


def role_choices() -> list[SelectChoice]:
    """Roles with what they mean, least first."""
    return [
        SelectChoice(role.value, f"{say(ROLE_NAMES[role])}: {say(ROLE_MEANINGS[role])}")
        for role in reversed(Role)
    ]
