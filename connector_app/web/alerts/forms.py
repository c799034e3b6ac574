"""The form of what an installation sets about alerts."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, IntegerField
from wtforms.validators import InputRequired, NumberRange

from connector_app.alerts.kinds import REMIND, THRESHOLDS, WORDS, Kind, Options, Threshold
from connector_app.people.roles import ROLE_NAMES
from connector_app.store.people import Role, User
from connector_app.web.language import lazy


def _number(one: Threshold) -> IntegerField:
    fault = lazy(
        f"Podaj liczbę od {one.least} do {one.most}.", f"Give a number from {one.least} to {one.most}."
    )
    return IntegerField(
        lazy(one.label.pl, one.label.en),
        [InputRequired(fault), NumberRange(one.least, one.most, fault)],
        render_kw={"inputmode": "numeric", "autocomplete": "off", "min": one.least, "max": one.most},
    )


def kind_field(kind: Kind) -> str:
    """Name of the field that switches a kind on."""
    return f"kind_{kind.value.replace('-', '_')}"


def _members() -> dict[str, Any]:
    members: dict[str, Any] = {
        kind_field(kind): BooleanField(lazy(words.pl, words.en)) for kind, words in WORDS.items()
    }
    members |= {one.name: _number(one) for one in (*THRESHOLDS, REMIND)}
    members |= {
        f"role_{role.value}": BooleanField(lazy(words.pl, words.en)) for role, words in ROLE_NAMES.items()
    }
    members["admins"] = BooleanField(
        lazy(
            "Właściciele instalacji dostają alarmy wszystkich sprzedawców",
            "Owners of the installation get the alerts of all sellers",
        )
    )
    return members


AlertsForm: Any = type("AlertsForm", (FlaskForm,), _members())
"""Kinds, thresholds and roles."""


def filled(options: Options) -> Any:
    """The form as it was sent, or with what is set."""
    values: dict[str, Any] = {kind_field(kind): kind not in options.off for kind in Kind}
    values |= options.numbers
    values |= {f"role_{role.value}": role in options.roles for role in Role}
    return AlertsForm(data=values | {"admins": options.admins})


def entered(form: Any, people: list[User], written: set[str]) -> Options:
    """What was entered in a valid form.

    Args:
        form: sent and valid.
        people: accounts that the form asked about.
        written: ids of those that get letters, as they were sent.
    """
    return Options(
        frozenset(kind for kind in Kind if not form[kind_field(kind)].data),
        {one.name: int(form[one.name].data) for one in (*THRESHOLDS, REMIND)},
        frozenset(role for role in Role if form[f"role_{role.value}"].data),
        bool(form.admins.data),
        frozenset(one.id for one in people if str(one.id) not in written),
    )
