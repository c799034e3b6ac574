"""The buyer of an invoice as a person enters it."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import SelectField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its types
from wtforms.validators import InputRequired, Length

from connector_app.store.overrides import EnteredBuyer
from connector_app.web.language import lazy, t
from core.countries import COUNTRIES
from core.invoices.tax_ids import as_eu_vat, as_nip
from core.orders import Order

_NEEDED = InputRequired(lazy("Wypełnij to pole.", "Fill this in."))
COMPANY, PERSON, FOREIGN = "company", "person", "foreign"


class BuyerForm(FlaskForm):  # type: ignore[misc]  # the library ships no types
    """A company with a NIP, a company of another country, or a person."""

    kind = SelectField(
        lazy("Nabywca", "Buyer"),
        choices=[
            SelectChoice(COMPANY, lazy("firma z NIP", "company with a Polish NIP")),
            SelectChoice(FOREIGN, lazy("firma z innego kraju", "company of another country")),
            SelectChoice(PERSON, lazy("osoba prywatna, bez numeru", "private person, no number")),
        ],
    )
    tax_id = StringField(
        lazy("NIP albo numer VAT", "NIP or VAT number"),
        [Length(max=50)],
        description=lazy(
            "Dla firmy z UE numer z kodem kraju, np. DE123456789. Dla osoby prywatnej zostaw puste.",
            "For a company of the EU the number with its country, such as DE123456789. Empty for a person.",
        ),
    )
    name = StringField(lazy("Nazwa albo imię i nazwisko", "Name"), [_NEEDED, Length(max=512)])
    line1 = StringField(lazy("Ulica i numer", "Street and number"), [_NEEDED, Length(max=400)])
    postcode = StringField(lazy("Kod pocztowy", "Postcode"), [Length(max=20)])
    city = StringField(lazy("Miejscowość", "City"), [_NEEDED, Length(max=100)])
    country = StringField(
        lazy("Kraj (dwie litery, np. PL)", "Country (two letters, such as PL)"), [_NEEDED, Length(2, 2)]
    )

    def validate(self, extra_validators: object = None) -> bool:
        """Each field for itself, then number and country together."""
        good = bool(super().validate(extra_validators))
        country, number = str(self.country.data or "").upper(), str(self.tax_id.data or "").strip()
        if country not in COUNTRIES:
            self.country.errors = [t("Nie ma takiego kraju.", "There is no such country.")]
            good = False
        fault = ""
        if self.kind.data == COMPANY and as_nip(number) is None:
            fault = t("To nie jest poprawny NIP: sprawdź cyfry.", "This is no right NIP: check its digits.")
        elif self.kind.data == FOREIGN and as_nip(number) is not None:
            fault = t("To polski NIP: wybierz firmę z NIP.", "This is a Polish NIP: choose that above.")
        elif self.kind.data == FOREIGN and not number:
            fault = t("Podaj numer firmy.", "Enter the company's number.")
        elif self.kind.data == PERSON and number:
            fault = t("Osoba prywatna nie ma numeru.", "A private person has no number.")
        if fault:
            self.tax_id.errors = [fault]
        return good and not fault

    def entered(self) -> EnteredBuyer:
        """What was entered, once it is valid."""
        return EnteredBuyer(
            name=str(self.name.data).strip(),
            tax_id="" if self.kind.data == PERSON else str(self.tax_id.data).strip(),
            line1=str(self.line1.data).strip(),
            postcode=str(self.postcode.data or "").strip(),
            city=str(self.city.data).strip(),
            country=str(self.country.data).upper(),
        )


def kind_of(tax_id: str) -> str:
    """Which choice a number belongs to."""
    if not tax_id.strip():
        return PERSON
    return FOREIGN if as_nip(tax_id) is None and as_eu_vat(tax_id) is not None else COMPANY


def from_order(order: Order) -> dict[str, str]:
    """The form's values from an order's buyer, to begin with."""
    buyer, address = order.buyer, order.buyer.address
    tax_id = next((one.value for one in buyer.tax_ids if not one.free_text), "")
    street = " ".join(part for part in (address.line1, address.line2) if part.strip())
    is_company = bool(tax_id or buyer.company.strip())
    return {
        "kind": kind_of(tax_id) if tax_id or not is_company else COMPANY,
        "tax_id": tax_id,
        "name": (buyer.company.strip() or buyer.person_name) if is_company else buyer.person_name,
        "line1": street,
        "postcode": address.postcode,
        "city": address.city,
        "country": address.country or "PL",
    }
