"""The buyer's proposal of other data, checked."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from wtforms import Field, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, ValidationError

from connector_app import proposals
from connector_app.mail.compose import usable_address
from connector_app.web.language import lazy, say, t
from core.countries import COUNTRIES
from core.findings import Text
from core.invoices.model import Buyer, TaxIdKind
from core.invoices.tax_ids import as_nip
from core.invoices.texts import NAME_LIMIT, clean

_NEEDED = InputRequired(lazy("Wypełnij to pole.", "Fill this in."))
_LONG = Length(max=NAME_LIMIT, message=lazy("To jest za długie.", "This is too long."))
_REMARK = 1000


_NO_NIP = Text(
    "To nie jest poprawny NIP: ma 10 cyfr, a ostatnia zależy od poprzednich. Poszukaj literówki.",
    "This is no right NIP: it has ten digits, the last one depending on the others. Look for a typing error.",
)


class ProposalForm(FlaskForm):  # type: ignore[misc]  # the library ships no types
    """What is right instead of the buyer's data on the invoice."""

    nip = StringField(
        lazy("NIP", "NIP (Polish tax number)"),
        [Length(max=20, message=lazy("To jest za długie.", "This is too long."))],
        render_kw={"inputmode": "numeric", "autocomplete": "off"},
    )
    name = StringField(
        lazy("Nazwa firmy albo imię i nazwisko", "Company, or first and last name"),
        [_NEEDED, _LONG],
        render_kw={"autocomplete": "organization"},
    )
    line1 = StringField(
        lazy("Ulica i numer", "Street and number"),
        [_NEEDED, _LONG],
        render_kw={"autocomplete": "address-line1"},
    )
    line2 = StringField(
        lazy("Kod pocztowy i miejscowość", "Postcode and town"),
        [_NEEDED, _LONG],
        render_kw={"autocomplete": "address-line2"},
    )
    country = StringField(
        lazy("Kod kraju", "Country code"),
        [_NEEDED],
        render_kw={"autocomplete": "country", "maxlength": 2, "class": "short"},
    )
    contact = StringField(
        lazy("Twój e-mail", "Your e-mail"), [_NEEDED], render_kw={"type": "email", "autocomplete": "email"}
    )
    remark = TextAreaField(
        lazy("Uwagi (nieobowiązkowe)", "Remarks (optional)"),
        [Length(max=_REMARK, message=lazy("Najwyżej 1000 znaków.", "At most 1000 characters."))],
        render_kw={"rows": 3, "maxlength": _REMARK},
    )
    website = StringField(render_kw={"tabindex": -1, "autocomplete": "off"})
    """Nobody sees it, so only machines fill it in."""

    def __init__(self, stated: Buyer, **values: Any) -> None:
        self._stated = stated
        self._has_nip = stated.tax_id.kind is TaxIdKind.NIP
        super().__init__(**values)

    def validate_nip(self, field: Field) -> None:
        """Ten digits with a right check digit; empty only where the invoice has no NIP."""
        text = (field.data or "").strip()
        if not text and not self._has_nip:
            return
        if as_nip(text) is None:
            raise ValidationError(say(_NO_NIP))

    def validate_country(self, field: Field) -> None:
        """A code of ISO 3166-1."""
        if (field.data or "").strip().upper() not in COUNTRIES:
            raise ValidationError(t("Podaj dwie litery, np. PL.", "Give two letters, e.g. PL."))

    def validate_contact(self, field: Field) -> None:
        """An address that an answer can go to."""
        if not usable_address(field.data or ""):
            raise ValidationError(t("To nie jest adres e-mail.", "This is no e-mail address."))

    def validate(self, extra_validators: Any = None) -> bool:
        """Every field, and whether anything is proposed at all."""
        if not super().validate(extra_validators):
            return False
        if self._says_what_the_invoice_says():
            fault = t("Te dane są już na fakturze.", "The invoice has these data already.")
            self.name.errors = [*self.name.errors, fault]
            return False
        return True

    def said(self) -> proposals.Said:
        """The data, tidied; for a form that is valid."""
        return proposals.Said(
            nip=as_nip(self.nip.data or "") or "",
            name=clean(self.name.data or "", NAME_LIMIT),
            line1=clean(self.line1.data or "", NAME_LIMIT),
            line2=clean(self.line2.data or "", NAME_LIMIT),
            country=(self.country.data or "").strip().upper(),
            contact=usable_address(self.contact.data or ""),
            remark=(self.remark.data or "").strip(),
        )

    def _says_what_the_invoice_says(self) -> bool:
        said, address = self.said(), self._stated.address
        if said.nip and said.nip != self._stated.tax_id.value:
            return False
        where = (address.line1, address.line2, address.country) if address else None
        return (said.name, (said.line1, said.line2, said.country)) == (self._stated.name, where)


def stated(buyer: Buyer) -> dict[str, str]:
    """What the invoice says, to be corrected in the form."""
    address = buyer.address
    return {
        "nip": buyer.tax_id.value if buyer.tax_id.kind is TaxIdKind.NIP else "",
        "name": buyer.name,
        "line1": address.line1 if address else "",
        "line2": address.line2 if address else "",
        "country": address.country if address else "PL",
    }
