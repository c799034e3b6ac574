"""Forms made of entries, and faults of the parser brought to their fields."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, SelectField, StringField, TextAreaField

from connector_app.web.language import lazy, say
from connector_app.web.settings.entries import Entry, Kind, Section, put_at, value_at
from core.findings import Text


@cache
def form_class(section: Section) -> type[Any]:
    """The form of a section."""
    return type(f"{section.name}Form", (FlaskForm,), {one.field: _field(one) for one in section.entries})


def _field(entry: Entry) -> Any:
    label, about = lazy(entry.label.pl, entry.label.en), lazy(entry.help.pl, entry.help.en)
    if entry.kind is Kind.FLAG:
        return BooleanField(label, description=about)
    if entry.kind is Kind.AREA:
        return TextAreaField(label, description=about, render_kw={"rows": 3})
    if entry.kind is Kind.CHOICE:
        return SelectField(label, choices=[], default="", description=about)
    extra = {"inputmode": "numeric"} if entry.kind is Kind.NUMBER else {}
    return StringField(label, description=about, render_kw={"autocomplete": "off"} | extra)


def filled(section: Section, values: dict[str, Any]) -> Any:
    """The form of a section with a seller's values."""
    shown = {one.field: _shown(one, value_at(values, one.path)) for one in section.entries}
    return _with_choices(section, form_class(section)(formdata=None, data=shown), values)


def typed(section: Section, values: dict[str, Any]) -> Any:
    """The form of a section as it was sent, over a seller's values."""
    return _with_choices(section, form_class(section)(), values)


def _with_choices(section: Section, form: Any, values: dict[str, Any]) -> Any:
    """Fill in the choices, and what a seller file chose beyond them, so that saving does not lose it."""
    for one in section.entries:
        if one.kind is not Kind.CHOICE:
            continue
        choices = [(value, say(text)) for value, text in one.choices]
        present = _shown(one, value_at(values, one.path))
        if present not in {value for value, _ in choices}:
            choices.append((present, present))
        form[one.field].choices = choices
    return form


def _shown(entry: Entry, value: Any) -> Any:
    if entry.kind is Kind.FLAG:
        return bool(value)
    if entry.kind is Kind.LIST:
        return ", ".join(value or [])
    if entry.kind is Kind.CHOICE:
        # what holds by itself has the empty value here, also when a file names it
        return "" if value is None or value == entry.default else str(value)
    return "" if value is None else str(value)


def put(section: Section, form: Any, values: dict[str, Any]) -> None:
    """Write a form into a seller's values."""
    for one in section.entries:
        put_at(values, one.path, _typed(one, form[one.field].data))


def _typed(entry: Entry, data: Any) -> Any:
    if entry.kind is Kind.FLAG:
        return bool(data)
    text = str(data or "").strip()
    if entry.kind is Kind.LIST:
        return [one.strip() for one in text.split(",") if one.strip()]
    # what is no number stays a text, and the parser says what is wanted
    if entry.kind is Kind.NUMBER and text.isascii() and text.isdigit() and len(text) < _MOST_DIGITS:
        return int(text)
    return text


_MOST_DIGITS = 10


def bring_home(section: Section, form: Any, faults: Sequence[Text]) -> list[Text]:
    """Put each fault beside its field.

    Returns:
        Those that belong to no field of the form.
    """
    others = []
    for fault in faults:
        entry = next((one for one in section.entries if fault.pl.startswith(f"{one.path}: ")), None)
        if entry is None:
            others.append(fault)
        else:
            field = form[entry.field]
            field.errors = [*field.errors, without_name(fault, entry.path)]
    return others


def without_name(fault: Text, name: str) -> str:
    """A fault without the name of its entry, as a sentence."""
    said = say(fault).removeprefix(f"{name}: ")
    return f"{said[:1].upper()}{said[1:]}."
