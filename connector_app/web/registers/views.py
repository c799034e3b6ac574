"""The settings page of public registers."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import BooleanField, StringField

from connector_app.registers import Company, RegisterDown, ViesAnswer, buyer_check, cache, vat_list, vies
from connector_app.registers.options import BuyerChecks, checks_wanted, want_checks
from connector_app.store.models import Document
from connector_app.web.access import admin_required, audit
from connector_app.web.here import here
from connector_app.web.language import lazy, say, t
from connector_app.web.safety import limiter
from core.calendar import warsaw_day
from core.findings import Finding
from core.invoices.tax_ids import as_eu_vat, as_nip

registers = Blueprint("registers", __name__, template_folder="templates")


@registers.app_template_global("buyer_advice")
def buyer_advice(document_id: int) -> Finding | None:
    """What a register said against a document's buyer; for pages that checked the right to see it."""
    with here().services.database() as session:
        document = session.get(Document, document_id)
        return None if document is None else buyer_check(session, document)


class ChecksForm(FlaskForm):  # type: ignore[misc]  # the library ships no types
    """Which registers are asked about buyers."""

    vat_list = BooleanField(
        lazy(
            "Sprawdzaj NIP-y nabywców w wykazie podatników VAT",
            "Check buyers' NIPs in the list of VAT payers",
        )
    )
    vies = BooleanField(
        lazy("Sprawdzaj numery VAT UE nabywców w VIES", "Check buyers' EU VAT numbers in VIES")
    )


class LookupForm(FlaskForm):  # type: ignore[misc]
    """One number to ask about now."""

    number = StringField(lazy("NIP albo numer VAT UE", "NIP or EU VAT number"))


@registers.route("/settings/registers", methods=["GET", "POST"])
@admin_required
def page() -> str | Response:
    """See and change what registers are asked."""
    services = here().services
    with services.database() as session:
        wanted = checks_wanted(session)
        today = warsaw_day(services.clock())
        asked = {name: cache.asked_on(session, name, today) for name in (vat_list.REGISTER, vies.REGISTER)}
    form = ChecksForm(vat_list=wanted.vat_list, vies=wanted.vies)
    if form.validate_on_submit():
        chosen = BuyerChecks(bool(form.vat_list.data), bool(form.vies.data))
        with services.database.begin() as session:
            before = checks_wanted(session)
            want_checks(session, chosen)
            if chosen != before:
                details = {"vat_list": chosen.vat_list, "vies": chosen.vies}
                audit(session, "registers.checks", "installation", details=details)
        flash(t("Zapisano.", "Saved."), "success")
        here().wake()
        return redirect(url_for(".page"))
    return render_template(
        "registers/page.html", form=form, lookup=LookupForm(), known=services.registers, asked=asked
    )


@registers.post("/settings/registers/look")
@admin_required
@limiter.limit("20/hour")
def look() -> str:
    """Ask about one number now; what comes is shown and kept for the day."""
    form = LookupForm()
    form.validate()
    raw = str(form.number.data or "")
    found: Company | ViesAnswer | None = None
    said = ""
    try:
        found = _found(raw)
        said = "" if found else _nothing(raw)
    except RegisterDown as error:
        said = say(error.text)
    return render_template("registers/look.html", lookup=form, found=found, said=said, number=raw[:64])


def _found(raw: str) -> Company | ViesAnswer | None:
    known = here().services.registers
    if as_nip(raw) is not None and known.vat_list is not None:
        return known.vat_list.lookup(raw, warsaw_day(here().services.clock()))
    if as_eu_vat(raw) is not None and known.vies is not None:
        return known.vies.lookup(raw)
    return None


def _nothing(raw: str) -> str:
    known = here().services.registers
    if as_nip(raw) is None and as_eu_vat(raw) is None:
        return t(
            "To nie jest poprawny NIP ani numer VAT UE: nie zgadza się cyfra kontrolna albo postać.",
            "This is no right NIP or EU VAT number: its check digit or form is wrong.",
        )
    if (known.vat_list if as_nip(raw) else known.vies) is None:
        return t("Ten rejestr jest wyłączony.", "This register is switched off.")
    return t("Wykaz nie zna tego numeru.", "The list does not have this number.")
