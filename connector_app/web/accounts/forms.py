"""Forms of accounts."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from wtforms import PasswordField, SelectField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # its types lag behind
from wtforms.validators import DataRequired, EqualTo, InputRequired, Length, Regexp

from connector_app.people.accounts import LONGEST_PASSWORD, SHORTEST_PASSWORD
from connector_app.web.language import LANGUAGES, lazy

NEEDED = InputRequired(lazy("Wypełnij to pole.", "Fill this in."))
EMAIL = Regexp(r"^[^@\s]+@[^@\s]+\.[^@\s]+$", message=lazy("To nie jest adres e-mail.", "This is no e-mail."))
SHORT_EMAIL = Length(max=254, message=lazy("Ten adres jest za długi.", "This address is too long."))
_LONG_ENOUGH = Length(
    SHORTEST_PASSWORD,
    LONGEST_PASSWORD,
    message=lazy("Hasło ma mieć co najmniej 10 znaków.", "A password needs at least 10 characters."),
)
_NOT_BLANK = DataRequired(lazy("Wypełnij to pole.", "Fill this in."))
_NOT_ENDLESS = Length(max=LONGEST_PASSWORD)
_NAME_FITS = Length(max=200, message=lazy("Najwyżej 200 znaków.", "At most 200 characters."))


def stripped(text: str | None) -> str | None:
    """A typed text without the blanks around it."""
    return text.strip() if text else text


def _known_password(pl: str, en: str) -> PasswordField:
    return PasswordField(lazy(pl, en), [NEEDED, _NOT_ENDLESS], render_kw={"autocomplete": "current-password"})


def _new_password() -> PasswordField:
    return PasswordField(
        lazy("Nowe hasło (co najmniej 10 znaków)", "New password (at least 10 characters)"),
        [NEEDED, _LONG_ENOUGH],
        render_kw={"autocomplete": "new-password", "minlength": SHORTEST_PASSWORD},
    )


def _again(name: str) -> PasswordField:
    return PasswordField(
        lazy("Hasło jeszcze raz", "Password again"),
        [EqualTo(name, lazy("Hasła się różnią.", "The passwords differ."))],
        render_kw={"autocomplete": "new-password"},
    )


def _name(**attributes: Any) -> StringField:
    return StringField(
        lazy("Imię i nazwisko", "Name"),
        [_NOT_BLANK, _NAME_FITS],
        render_kw={"autocomplete": "name"} | attributes,
    )


class SignInForm(FlaskForm):  # type: ignore[misc]  # the library ships no types
    """E-mail and password."""

    email = StringField(
        lazy("E-mail", "E-mail"),
        [NEEDED, SHORT_EMAIL],
        filters=[stripped],
        render_kw={"autocomplete": "username", "type": "email", "autofocus": True},
    )
    password = _known_password("Hasło", "Password")


class CodeForm(FlaskForm):  # type: ignore[misc]
    """A code of the second factor, or a recovery code."""

    code = StringField(
        lazy("Kod", "Code"),
        [NEEDED, Length(max=40)],
        render_kw={"autocomplete": "one-time-code", "autofocus": True, "spellcheck": "false"},
    )


class AccountForm(FlaskForm):  # type: ignore[misc]
    """The first account."""

    name = _name()
    email = StringField(
        lazy("E-mail", "E-mail"),
        [NEEDED, EMAIL, SHORT_EMAIL],
        filters=[stripped],
        render_kw={"autocomplete": "username", "type": "email"},
    )
    password = PasswordField(
        lazy("Hasło (co najmniej 10 znaków)", "Password (at least 10 characters)"),
        [NEEDED, _LONG_ENOUGH],
        render_kw={"autocomplete": "new-password", "minlength": SHORTEST_PASSWORD},
    )
    again = _again("password")


class JoinForm(FlaskForm):  # type: ignore[misc]
    """An account that somebody was invited to; the e-mail is the invitation's."""

    name = _name(autofocus=True)
    password = PasswordField(
        lazy("Hasło (co najmniej 10 znaków)", "Password (at least 10 characters)"),
        [NEEDED, _LONG_ENOUGH],
        render_kw={"autocomplete": "new-password", "minlength": SHORTEST_PASSWORD},
    )
    again = _again("password")


class NewPasswordForm(FlaskForm):  # type: ignore[misc]
    """A new password instead of a lost one."""

    password = _new_password()
    again = _again("password")


class ProfileForm(FlaskForm):  # type: ignore[misc]
    """How a person is called and spoken to."""

    name = _name()
    language = SelectField(
        lazy("Język", "Language"), choices=[SelectChoice(code, name) for code, name in LANGUAGES.items()]
    )


class PasswordForm(FlaskForm):  # type: ignore[misc]
    """A new password instead of the known one."""

    old = _known_password("Obecne hasło", "Current password")
    new = _new_password()
    again = _again("new")


class SwitchOnForm(FlaskForm):  # type: ignore[misc]
    """The first code of a new second factor; the password shows that it is still the same person."""

    code = StringField(
        lazy("Kod z aplikacji (6 cyfr)", "Code of the app (6 digits)"),
        [NEEDED, Length(max=16)],
        render_kw={"autocomplete": "one-time-code", "inputmode": "numeric", "spellcheck": "false"},
    )
    password = _known_password("Obecne hasło", "Current password")


class ConfirmForm(FlaskForm):  # type: ignore[misc]
    """The password alone, before a change that weakens the account."""

    password = _known_password("Obecne hasło", "Current password")
