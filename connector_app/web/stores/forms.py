"""Forms of a platform's connection data, made of what its adapter says about them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, cast
from urllib.parse import urlsplit

from flask_wtf import FlaskForm
from wtforms import BooleanField, Field, PasswordField, SelectField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its types
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from adapters.connecting import ConfigField, Connecting, FieldKind, Way
from connector_app import outbound
from connector_app.outbound import ForbiddenAddress
from connector_app.stores import StoreRefused, check_code
from connector_app.web.here import here
from connector_app.web.language import lazy, say, t
from core.findings import Text

ADDRESS, CODE = "url", "code"
_LONGEST = 512
_YES, _NO = "yes", "no"


def needed() -> InputRequired:
    """A field that has to be filled in."""
    return InputRequired(lazy("Wypełnij to pole.", "Fill this in."))


def choices_of(*pairs: tuple[str, Any]) -> Any:
    """Choices of a field: values with their labels."""
    return [SelectChoice(value=str(value), label=label) for value, label in pairs]


def connection_form(
    about: Connecting,
    way: Way,
    *,
    kept: Collection[str] = (),
    shown: Mapping[str, str] | None = None,
    has_code: bool = False,
) -> FlaskForm:
    """The form for one way of connecting a platform's shop.

    Args:
        about: the platform.
        way: one of its ways.
        kept: secrets that are stored already; left empty they stay.
        shown: values to begin with; a secret among them is a sandbox's and no secret.
        has_code: ask for the store's code.
    """
    values = dict(shown or {})
    members: dict[str, Any] = {ADDRESS: _address(about)}
    for one in (*way.fields, *about.options):
        members[one.name] = _field(one, kept, is_open=one.name in values and one.name not in kept)
    if has_code:
        members[CODE] = StringField(
            lazy("Kod sklepu", "Store's code"),
            [Optional(), Length(max=32), _code],
            description=lazy(
                "Krótka nazwa w tym programie, np. sklep; puste: z adresu.",
                "Its short name in this program, e.g. shop; empty: made of the address.",
            ),
        )
    form = type("ConnectionForm", (FlaskForm,), members)
    switches = {one.name: one for one in about.options if one.kind is FieldKind.SWITCH}
    data: dict[str, object] = {
        name: _is_on(values.get(name, ""), one.default) for name, one in switches.items()
    }
    return cast(FlaskForm, form(data={**values, **data}))


def entered(form: FlaskForm, about: Connecting, way: Way, before: Mapping[str, str]) -> dict[str, str]:
    """The configuration that a valid form asks for.

    Args:
        form: see :func:`connection_form`.
        about: as it was made.
        way: as it was made.
        before: the configuration in force; empty for a new store.
    """
    config = {ADDRESS: str(form[ADDRESS].data).strip()}
    is_same = bool(before) and about.way_of(before).code == way.code
    if is_same and before.get(ADDRESS) == config[ADDRESS]:
        config |= {name: before[name] for name in about.given if before.get(name)}
    for one in (*way.fields, *about.options):
        value = _entry(one, form[one.name])
        if one.kind is FieldKind.SECRET and not value:
            value = before.get(one.name, "")
        if value:
            config[one.name] = value
        else:
            config.pop(one.name, None)
    return config


def kept_secrets(about: Connecting, way: Way, before: Mapping[str, str], url: str) -> frozenset[str]:
    """Secrets that need not be typed again: of the same shop only, so that no other address gets them.

    Args:
        about: the platform.
        way: one of its ways.
        before: the configuration in force.
        url: the address that was entered.
    """
    if not before or url.strip() != before.get(ADDRESS):
        return frozenset()
    found = (one.name for one in (*way.fields, *about.options) if one.kind is FieldKind.SECRET)
    return frozenset(name for name in found if before.get(name))


def allowed_address(url: str) -> Text | None:
    """Why the program must not be sent to an address; ``None`` when it may."""
    options = here().options
    address = url.strip()
    full = address if "://" in address else f"https://{address}"
    played = {shop.get(ADDRESS) for shop in options.sandbox.shops.values()} if options.sandbox else set()
    if full in played:
        return None
    try:
        outbound.check(full, allow_private=options.private_addresses)
    except ForbiddenAddress as error:
        return error.text
    return None


def _address(about: Connecting) -> StringField:
    return StringField(
        lazy("Adres sklepu", "The shop's address"),
        [needed(), Length(max=_LONGEST), _reachable],
        description=lazy(about.address.pl, about.address.en),
        render_kw={"placeholder": about.example, "inputmode": "url", "autocomplete": "off"},
    )


def _reachable(_form: FlaskForm, field: Field) -> None:
    why = allowed_address(str(field.data))
    if why is not None:
        raise ValidationError(say(why))
    if "@" in urlsplit(str(field.data)).netloc:
        raise ValidationError(
            t("Podaj adres bez nazwy użytkownika.", "Give the address without a user name.")
        )


def _code(_form: FlaskForm, field: Field) -> None:
    try:
        check_code(str(field.data).strip())
    except StoreRefused as error:
        raise ValidationError(f"{say(error.text)} {say(error.hint)}") from None


def _field(one: ConfigField, kept: Collection[str], *, is_open: bool) -> Any:
    label, hint = lazy(one.label.pl, one.label.en), lazy(one.hint.pl, one.hint.en)
    if one.kind is FieldKind.SWITCH:
        return BooleanField(label, description=hint)
    if one.kind is FieldKind.CHOICE:
        choices = choices_of(*((value, lazy(words.pl, words.en)) for value, words in one.choices))
        return SelectField(label, choices=choices, default=one.choices[0][0], description=hint)
    is_kept = one.name in kept
    rules = [needed() if one.needed and not is_kept else Optional(), Length(max=_LONGEST)]
    off = {"autocomplete": "off", "spellcheck": "false"}
    if one.kind is FieldKind.SECRET and not is_open:
        if is_kept:
            stays = Text("Zapisane; zostaw puste, żeby nie zmieniać.", "Stored; leave it empty to keep it.")
            hint = lazy(f"{stays.pl} {one.hint.pl}".strip(), f"{stays.en} {one.hint.en}".strip())
        return PasswordField(label, rules, description=hint, render_kw={"autocomplete": "new-password"})
    return StringField(label, rules, description=hint, render_kw=off)


def _entry(one: ConfigField, field: Field) -> str:
    if one.kind is FieldKind.SWITCH:
        return "" if bool(field.data) is one.default else (_YES if field.data else _NO)
    return str(field.data or "").strip()


def _is_on(value: str, default: bool) -> bool:
    return value.strip().lower() in {"1", _YES, "true", "on"} if value else default
