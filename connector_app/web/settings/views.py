"""Pages of a seller's settings."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask_login import login_required
from flask_wtf import FlaskForm
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from connector_app.ksef_access import environment_of
from connector_app.profiles import BadProfile, Profile, parse, read
from connector_app.profiles.writing import to_toml
from connector_app.sellers import has_issued
from connector_app.store.models import Seller, Store
from connector_app.store.recovered import IS_OPEN
from connector_app.web import access
from connector_app.web.access import Right
from connector_app.web.flow import after_save
from connector_app.web.here import here
from connector_app.web.ksef.reading import environment_name
from connector_app.web.language import say, t
from connector_app.web.settings import forms, numbers, saving, tables
from connector_app.web.settings.entries import NUMBERING, PLAIN, Section
from connector_app.web.settings.table_specs import TABLES
from connector_app.web.settings.tables import Table
from connector_app.web.setup.forms import (
    EnvironmentForm,
    choice_of_environment,
    environment_of_choice,
)
from core.calendar import warsaw_day
from core.findings import Text

settings = Blueprint("settings", __name__, template_folder="templates")

_LARGEST_FILE = 1024 * 1024
"""Bytes of a seller file; one with ten thousand products has some hundred thousand."""
_SAVED = ("Zapisane.", "Saved.")


def _seller(nip: str) -> Seller:
    with here().services.database() as session:
        return access.the_seller(session, nip, Right.OWN)


def _said(faults: Sequence[Text]) -> list[str]:
    return [say(one) for one in faults]


def _done(nip: str, endpoint: str) -> AnyResponse:
    flash(t(*_SAVED), "success")
    return redirect(after_save(url_for(endpoint, nip=nip), nip))


@settings.get("/settings")
@login_required  # type: ignore[untyped-decorator]
def index() -> str:
    """All settings that the current person may change, by seller, and those of the installation."""
    with here().services.database() as session:
        ids = access.visible(session, Right.OWN)
        sellers = list(session.scalars(select(Seller).where(Seller.id.in_(ids)).order_by(Seller.name)))
        stores = _stores(session, ids)
    return render_template(
        "settings/index.html",
        owned=[
            {"row": one, "stores": stores.get(one.id, []), "environment": environment_name(one)}
            for one in sellers
        ],
        groups=_GROUPS,
        is_admin=access.me().is_admin,
        built=current_app.view_functions,
    )


def _stores(session: Session, seller_ids: Sequence[int]) -> dict[int, list[Store]]:
    found: dict[int, list[Store]] = {}
    for row in session.scalars(
        select(Store).where(Store.seller_id.in_(seller_ids), IS_OPEN).order_by(Store.code)
    ):
        found.setdefault(row.seller_id, []).append(row)
    return found


@settings.get("/sellers/<nip>")
@login_required  # type: ignore[untyped-decorator]
def seller(nip: str) -> str:
    """One seller's settings."""
    with here().services.database() as session:
        row = access.the_seller(session, nip, Right.OWN)
        stores = _stores(session, [row.id]).get(row.id, [])
    return render_template(
        "settings/seller.html",
        one={"row": row, "stores": stores, "environment": environment_name(row)},
        groups=_GROUPS,
        built=current_app.view_functions,
    )


def _plain_view(section: Section) -> Callable[..., Any]:
    """The page of a section that is nothing but its entries."""
    endpoint = f"settings.{section.name}"

    def page(nip: str) -> str | AnyResponse:
        row = _seller(nip)
        others: list[Text] = []
        if request.method == "GET":
            form = forms.filled(section, row.profile)
        else:
            form = forms.typed(section, row.profile)
            if form.validate_on_submit():
                faults = saving.change(nip, section.name, lambda values: forms.put(section, form, values))
                if not faults:
                    return _done(nip, endpoint)
                others = forms.bring_home(section, form, faults)
        return render_template(
            "settings/section.html", seller=row, section=section, form=form, faults=_said(others)
        )

    return page


def _table_view(table: Table) -> Callable[..., Any]:
    """The page of a table."""
    endpoint = f"settings.{table.name.replace('-', '_')}"

    def page(nip: str) -> str | AnyResponse:
        row = _seller(nip)
        wanted, pasted = request.args.get("q", "").strip()[:64], request.form.get("csv", "")
        rows, total = tables.rows_of(table, row.profile, wanted)
        others: list[str] = []
        if request.method == "POST":
            try:
                sent = (
                    tables.from_csv(table, pasted)
                    if pasted.strip()
                    else tables.typed_rows(table, request.form)
                )
                others = _keep_rows(nip, table, sent)
                if not others and not any(one.faults for one in sent):
                    return _done(nip, endpoint)
                if pasted.strip():
                    others += [f"{one.key}: {' '.join(one.faults)}" for one in sent if one.faults]
                else:
                    rows = sent
            except tables.BadCsv as error:
                others = error.faults[:20]
        return render_template(
            "settings/table.html",
            seller=row,
            table=table,
            rows=rows,
            total=total,
            wanted=wanted,
            most=tables.SHOWN,
            pasted=pasted,
            faults=others,
            form=FlaskForm(),
        )

    return page


def _keep_rows(nip: str, table: Table, rows: list[tables.Row]) -> list[str]:
    """Write rows; faults of rows stay with them, others are given back."""

    def check(_seller: Seller, _profile: Profile) -> list[Text]:
        # a row's own fault stands beside the row; it only has to keep anything from being stored
        return [Text("", "")] if any(one.faults for one in rows) else []

    def edit(values: dict[str, Any]) -> None:
        tables.put_rows(table, rows, values)

    faults = saving.change(nip, table.name, edit, check)
    return [one for one in _said(tables.bring_home(table, rows, [one for one in faults if one.pl])) if one]


@settings.route("/sellers/<nip>/numbering", methods=["GET", "POST"])
@login_required  # type: ignore[untyped-decorator]
def numbering(nip: str) -> str | AnyResponse:
    """Patterns with the numbers that they make today, and where counting goes on."""
    row = _seller(nip)
    services = here().services
    day = warsaw_day(services.clock())
    others: list[Text] = []
    values = copy.deepcopy(row.profile)
    form = forms.filled(NUMBERING, values) if request.method == "GET" else forms.typed(NUMBERING, values)
    if request.method == "POST":

        def edit(kept: dict[str, Any]) -> None:
            forms.put(NUMBERING, form, kept)
            numbers.put_starts(request.form, kept, day)

        edit(values)
        if form.validate_on_submit() and "preview" not in request.form:
            faults = saving.change(nip, "numbering", edit, _collisions)
            if not faults:
                _warn_of_new_series(nip, row.profile, values)
                return _done(nip, "settings.numbering")
            others = forms.bring_home(NUMBERING, form, faults)
        elif numbers.typed_profile(values) is None:
            others = forms.bring_home(NUMBERING, form, _faults_of(values))
    profile = numbers.typed_profile(values)
    with services.database() as session:
        shown = numbers.examples(session, row, profile, day) if profile else []
        used = numbers.issued(session, row)
        codes = numbers.stores_of(session, row)
    return render_template(
        "settings/numbering.html",
        seller=row,
        section=NUMBERING,
        form=form,
        faults=_said(others),
        examples=shown,
        issued=used,
        starts=numbers.start_rows(values),
        kinds=[(kind.value, words) for kind, (_, words) in numbers.KINDS.items()],
        codes=codes,
        is_preview="preview" in request.form,
    )


def _collisions(seller: Seller, profile: Profile) -> list[Text]:
    with here().services.database() as session:
        return numbers.collisions(session, seller, profile)


def _faults_of(values: dict[str, Any]) -> list[Text]:
    try:
        parse(values)
    except BadProfile as error:
        return list(error.faults)
    return []


def _warn_of_new_series(nip: str, before: dict[str, Any], after: dict[str, Any]) -> None:
    """A pattern that was changed after numbers were used begins a series of its own."""
    names = [one.path.removeprefix("invoices.") for one in NUMBERING.entries]
    changed = any(before.get("invoices", {}).get(one) != after.get("invoices", {}).get(one) for one in names)
    with here().services.database() as session:
        used = numbers.issued(session, access.the_seller(session, nip, Right.OWN))
    if changed and used:
        flash(
            t(
                f"Wystawiono już {used} numerów. Zmieniony wzorzec to nowa seria: liczy od początku, chyba "
                "że podasz numer, od którego ma zacząć.",
                f"{used} numbers were issued already. A changed pattern is a new series: it counts from the "
                "beginning unless you name the number to begin with.",
            ),
            "warning",
        )


@settings.route("/sellers/<nip>/environment", methods=["GET", "POST"])
@login_required  # type: ignore[untyped-decorator]
def environment(nip: str) -> str | AnyResponse:
    """Which KSeF the seller issues in, and the structure of its documents."""
    row = _seller(nip)
    with here().services.database() as session:
        fixed = has_issued(session, row)
    present = choice_of_environment(environment_of(row))
    form = EnvironmentForm(data={"environment": present, "schema": row.schema_version})
    form.keep(present, environment_name(row))
    fault: Text | None = None
    if form.validate_on_submit():
        chosen = str(form.environment.data)
        place = environment_of(row) if chosen == present else environment_of_choice(chosen)
        fault = saving.move(nip, place, str(form.schema.data))
        if fault is None:
            return _done(nip, "settings.environment")
    return render_template(
        "settings/environment.html",
        seller=row,
        form=form,
        fixed=fixed,
        fault=fault,
        now=environment_name(row),
    )


@settings.route("/sellers/<nip>/file", methods=["GET", "POST"])
@login_required  # type: ignore[untyped-decorator]
def file(nip: str) -> str | AnyResponse:
    """All settings as one file, for experts."""
    row = _seller(nip)
    faults: list[str] = []
    form = FlaskForm()
    if form.validate_on_submit():
        faults = _take_file(nip)
        if not faults:
            return _done(nip, "settings.file")
    return render_template("settings/file.html", seller=row, faults=faults, form=form)


def _take_file(nip: str) -> list[str]:
    """Put the values of an uploaded file in the place of all that there are."""
    upload = request.files.get("file")
    data = b""
    if upload and upload.filename:
        with upload.stream as stream:
            data = stream.read(_LARGEST_FILE + 1)
    if not data:
        return [t("Wybierz plik.", "Choose a file.")]
    if len(data) > _LARGEST_FILE:
        return [t("Ten plik jest za duży.", "This file is too large.")]
    try:
        found = read(data, "SELLER.toml")
    except BadProfile as error:
        return _said(error.faults)
    if found.seller.nip != nip:
        return [
            t(
                f"Plik opisuje inną firmę (NIP {found.seller.nip}).",
                f"The file describes another company (NIP {found.seller.nip}).",
            )
        ]

    def edit(values: dict[str, Any]) -> None:
        values.clear()
        values.update(copy.deepcopy(found.values))

    return _said(saving.change(nip, "file", edit, _collisions))


@settings.get("/sellers/<nip>/seller.toml")
@login_required  # type: ignore[untyped-decorator]
def download(nip: str) -> AnyResponse:
    """All settings of a seller as a file; secrets are not among them."""
    row = _seller(nip)
    return Response(
        to_toml(row.profile),
        mimetype="application/toml",
        headers={"Content-Disposition": f'attachment; filename="seller-{nip}.toml"'},
    )


for _one in PLAIN:
    settings.add_url_rule(
        f"/sellers/<nip>/{_one.name}", _one.name, login_required(_plain_view(_one)), methods=["GET", "POST"]
    )
for _other in TABLES:
    settings.add_url_rule(
        f"/sellers/<nip>/{_other.name}",
        _other.name.replace("-", "_"),
        login_required(_table_view(_other)),
        methods=["GET", "POST"],
    )

_GROUPS = (
    (
        Text("Firma", "Company"),
        (
            ("settings.company", Text("Dane firmy", "Company data")),
            ("settings.bank", Text("Rachunek bankowy", "Bank account")),
            ("settings.environment", Text("Środowisko KSeF", "KSeF environment")),
            ("ksef.sign_in", Text("Logowanie do KSeF", "Signing in to KSeF")),
            ("ksef.certificates", Text("Certyfikaty KSeF", "KSeF certificates")),
        ),
    ),
    (
        Text("Faktury", "Invoices"),
        (
            ("settings.numbering", Text("Numeracja", "Numbering")),
            ("checks.numbers", Text("Sprawdzenie numerów", "Numbers check")),
            ("settings.invoices", Text("Faktury i zwolnienie", "Invoices and exemption")),
            ("settings.corrections", Text("Korekty", "Corrections")),
            ("settings.sending", Text("Wysyłanie", "Sending")),
        ),
    ),
    (
        Text("Oznaczenia", "Marks"),
        (
            ("settings.products", Text("Produkty: GTU, jednostki, stawki", "Products: GTU, units, rates")),
            ("settings.buyers", Text("Nabywcy: JST, grupy VAT", "Buyers: local government, VAT groups")),
            ("settings.payment_forms", Text("Formy płatności", "Forms of payment")),
            ("settings.exchange_rates", Text("Kursy walut", "Exchange rates")),
        ),
    ),
    (
        Text("Inne", "Other"),
        (
            ("setup.page", Text("Konfiguracja krok po kroku", "Setup step by step")),
            ("machines.tokens", Text("Dostęp dla programów (API)", "Access for programs (API)")),
            ("settings.file", Text("Cały plik (dla ekspertów)", "The whole file (for experts)")),
        ),
    ),
)
"""Links of a seller's settings; those whose pages are not there are left out."""
