"""The form of a mail server and a sender: a store's, or the installation's."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import IntegerField, PasswordField, SelectField, StringField
from wtforms.validators import Length, NumberRange, Optional

from connector_app.mail.settings import PORTS, MailSettings, Security
from connector_app.mail.trial import mail_faults
from connector_app.web.language import lazy, say
from connector_app.web.stores.forms import choices_of, needed
from core.findings import Text


class MailForm(FlaskForm):  # type: ignore[misc]  # the library ships no types
    """A mail server and a sender."""

    host = StringField(
        lazy("Serwer SMTP", "SMTP server"), [needed(), Length(max=255)], render_kw={"autocomplete": "off"}
    )
    security = SelectField(
        lazy("Ochrona połączenia", "Protection of the connection"),
        choices=choices_of(
            ("starttls", "STARTTLS (587)"),
            ("tls", "TLS (465)"),
            (
                "none",
                lazy("bez ochrony, tylko serwer na tej maszynie", "none, a server on this machine only"),
            ),
        ),
    )
    port = IntegerField(
        lazy("Port", "Port"),
        [Optional(), NumberRange(1, 65535)],
        description=lazy("Puste: zwykły dla ochrony.", "Empty: the usual one."),
    )
    user = StringField(
        lazy("Nazwa użytkownika", "User name"), [Length(max=255)], render_kw={"autocomplete": "off"}
    )
    password = PasswordField(
        lazy("Hasło", "Password"), [Length(max=1024)], render_kw={"autocomplete": "new-password"}
    )
    sender = StringField(
        lazy("Nadawca", "Sender"),
        [needed(), Length(max=320)],
        description=lazy("Np. Sklep <faktury@sklep.example>.", "E.g. Shop <invoices@shop.example>."),
    )
    reply_to = StringField(
        lazy("Adres do odpowiedzi", "Address for answers"),
        [Length(max=254)],
        description=lazy("Puste: nadawca.", "Empty: the sender."),
    )


def mail_form(known: MailSettings | None) -> MailForm:
    """The form as it was sent, or with what is stored, without the password."""
    shown = known.as_json() if known else {"security": Security.STARTTLS.value}
    return MailForm(data={name: value for name, value in shown.items() if name != "password"})


def entered(form: MailForm, known: MailSettings | None) -> MailSettings | None:
    """What was entered, or ``None`` with the faults beside their fields.

    Args:
        form: sent and valid.
        known: what is stored; its password stays for the same server and user only.
    """
    settings = _settings(form, known)
    faults = mail_faults(settings)
    if bool(settings.user) != bool(settings.password):
        faults["password"] = Text(
            "Nazwę użytkownika i hasło podaje się razem.", "A user name and a password go together."
        )
    for name, fault in faults.items():
        form[name].errors = [say(fault)]
    return None if faults else settings


def _settings(form: MailForm, known: MailSettings | None) -> MailSettings:
    host, user = str(form.host.data).strip(), str(form.user.data or "").strip()
    way = Security(form.security.data)
    password = str(form.password.data or "")
    if not password and known is not None and (known.host, known.user) == (host, user):
        password = known.password
    return MailSettings(
        host,
        int(form.port.data or PORTS[way]),
        way,
        str(form.sender.data).strip(),
        user,
        password,
        str(form.reply_to.data or "").strip(),
    )
