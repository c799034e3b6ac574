"""Forms of the guided setup's first page."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, RadioField, SelectField, StringField, ValidationError
from wtforms.validators import InputRequired, Length

from connector_app.web.here import here
from connector_app.web.language import lazy, say, t
from core.findings import Text
from core.invoices.tax_ids import as_nip, normalise
from core.ksef import environments
from core.ksef.environments import Environment

_NEEDED = InputRequired(lazy("Wypełnij to pole.", "Fill this in."))
_NIP_DIGITS = 10


def check_nip(_form: Any, field: Any) -> None:
    """A NIP with a right check digit; says which of both is wrong.

    Raises:
        ValidationError: in words.
    """
    text = str(field.data or "")
    if as_nip(text) is not None:
        return
    bare = normalise(text).removeprefix("PL")
    if not bare.isdigit() or len(bare) != _NIP_DIGITS:
        raise ValidationError(t("NIP ma dziesięć cyfr.", "A NIP has ten digits."))
    raise ValidationError(
        t(
            "Cyfra kontrolna się nie zgadza: w numerze jest pomyłka. Przepisz NIP jeszcze raz.",
            "The check digit does not fit: the number has a mistake. Type the NIP again.",
        )
    )


class NipForm(FlaskForm):  # type: ignore[misc]  # the library ships no types
    """The NIP alone."""

    nip = StringField(
        lazy("NIP firmy", "The company's NIP"),
        [_NEEDED, Length(max=32), check_nip],
        render_kw={"inputmode": "numeric", "autocomplete": "off", "autofocus": True},
    )


class EnvironmentForm(FlaskForm):  # type: ignore[misc]  # the library ships no types
    """Which KSeF invoices go to, and the structure of documents there."""

    present = ""
    environment = RadioField(lazy("Środowisko KSeF", "KSeF environment"), choices=[])
    confirmed = BooleanField(
        lazy(
            "Rozumiem: to prawdziwy KSeF. Każda wysłana faktura jest prawdziwa i nie można jej usunąć.",
            "I understand: this is the real KSeF. Each invoice that is sent is real and cannot be deleted.",
        )
    )
    schema = SelectField(lazy("Struktura dokumentów", "Structure of documents"), choices=[], default="FA3")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.environment.choices = _choices()
        old = t("FA(2), tylko środowisko TEST", "FA(2), the TEST environment only")
        self.schema.choices = [("FA3", "FA(3)"), ("FA2", old)]

    def keep(self, choice: str, words: Text) -> None:
        """A seller has an environment already: it is a choice, too, and needs no yes again."""
        self.present = choice
        choices = _choices()
        if choice not in {one for one, _ in choices}:
            self.environment.choices = [*choices, (choice, say(words))]

    @staticmethod
    def default_choice() -> str:
        """The safest environment there is."""
        return _choices()[0][0]

    def validate_confirmed(self, field: Any) -> None:
        """Production needs an explicit yes."""
        chosen = self.environment.data
        if chosen == environments.PRODUCTION.name and chosen != self.present and not field.data:
            raise ValidationError(
                t(
                    "Potwierdź, że faktury mają trafić do prawdziwego KSeF.",
                    "Confirm that invoices shall go to the real KSeF.",
                )
            )


class CompanyForm(EnvironmentForm):
    """Who the company is, and which KSeF its invoices go to."""

    nip = HiddenField("NIP", [_NEEDED, check_nip])
    name = StringField(
        lazy("Pełna nazwa", "Full name"),
        [_NEEDED, Length(max=512)],
        render_kw={"autocomplete": "organization"},
    )
    line1 = StringField(lazy("Ulica i numer", "Street and number"), [_NEEDED, Length(max=512)])
    line2 = StringField(lazy("Kod i miejscowość", "Postcode and town"), [Length(max=512)])
    email = StringField(
        lazy("E-mail na fakturze (może być pusty)", "E-mail on the invoice (may be empty)"),
        [Length(max=255)],
        render_kw={"type": "email", "autocomplete": "email"},
    )

    def profile_values(self, nip: str) -> dict[str, Any]:
        """What was typed, as values of a seller file."""
        address = {"country": "PL", "line1": self.line1.data, "line2": self.line2.data}
        seller = {"nip": nip, "name": self.name.data, "email": self.email.data, "address": address}
        return {"seller": {name: value for name, value in seller.items() if value}}


_SANDBOX = "SANDBOX"
_OTHER = "OTHER"
"""An environment that a command named by its addresses."""


def _choices() -> list[tuple[str, Any]]:
    found = [
        (
            environments.TEST.name,
            lazy(
                "TEST: system testowy Ministerstwa, dane nie są poufne",
                "TEST: the Ministry's test system, data are not confidential",
            ),
        ),
        (
            environments.DEMO.name,
            lazy(
                "DEMO: próba generalna z prawdziwym logowaniem, faktury bez mocy prawnej",
                "DEMO: a rehearsal with a real sign-in, invoices without legal effect",
            ),
        ),
        (
            environments.PRODUCTION.name,
            lazy("PRODUKCJA: prawdziwe faktury", "PRODUCTION: real invoices"),
        ),
    ]
    if here().options.sandbox is not None:
        found.insert(
            0,
            (
                _SANDBOX,
                lazy(
                    "Piaskownica: sztuczny KSeF na tym komputerze, nic nie wychodzi w świat",
                    "Sandbox: a made-up KSeF on this computer, nothing leaves it",
                ),
            ),
        )
    return found


def choice_of_environment(environment: Environment) -> str:
    """The form's choice that means an environment."""
    if environment in {environments.TEST, environments.DEMO, environments.PRODUCTION}:
        return environment.name
    sandbox = here().options.sandbox
    return _SANDBOX if sandbox is not None and sandbox.api_url == environment.api_url else _OTHER


def environment_of_choice(choice: str) -> Environment:
    """The environment that a person chose; one of the form's choices."""
    sandbox = here().options.sandbox
    if choice == _SANDBOX and sandbox is not None:
        return environments.custom(sandbox.api_url, sandbox.qr_url, latarnia_url=sandbox.latarnia_url)
    return environments.by_name(choice)
