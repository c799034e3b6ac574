"""The page of a store's tax mapping."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_login import login_required
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from connector_app.pipeline.services import Services
from connector_app.profiles import BadProfile, parse
from connector_app.store.models import Document, DocumentState, Seller, Store
from connector_app.store.recovered import PLATFORM as RECOVERED
from connector_app.tax_mapping import mapping, reading
from connector_app.tax_mapping.mapping import Row, Said
from connector_app.web import access
from connector_app.web.access import Right, audit
from connector_app.web.flow import after_save, kept_setup
from connector_app.web.here import here
from connector_app.web.language import say, t
from core.invoices.model import VatCategory
from core.invoices.texts import TEXT_LIMIT

taxes = Blueprint("taxes", __name__, template_folder="templates")

_CLASS = "class:"
_CODES = frozenset(one.value for one in mapping.UNTAXED)


@taxes.route("/stores/<code>/taxes", methods=["GET", "POST"])
@login_required  # type: ignore[untyped-decorator]
def page(code: str) -> str | Response:
    """See what each class means, and say it."""
    services = here().services
    with services.database() as session:
        right = Right.OWN if request.method == "POST" else Right.READ
        store = access.the_store(session, code, right)
        nip = store.seller.nip
    _read_first(services, store)
    faults: dict[str, str] = {}
    if request.method == "POST":
        faults = _save(services, code)
        if not faults:
            flash(t("Zapisano.", "Saved."), "success")
            here().wake(store.seller_id)
            return redirect(after_save(url_for(".page", code=code), nip))
    return _page(services, code, faults)


@taxes.post("/stores/<code>/taxes/read")
@login_required  # type: ignore[untyped-decorator]
def read(code: str) -> Response:
    """Ask the shop for its tax settings again."""
    services = here().services
    with services.database() as session:
        store = access.the_store(session, code, Right.OPERATE)
    if _is_open(store) and reading.read_shop(services, store).trouble is None:
        flash(t("Przeczytano ustawienia sklepu.", "The shop's settings were read."), "success")
    return redirect(url_for(".page", code=code, **kept_setup()))


def _read_first(services: Services, store: Store) -> None:
    """The first visit asks the shop; later ones show what it said."""
    with services.database() as session:
        known = reading.kept(session, store.id)
    if known is None and _is_open(store):
        reading.read_shop(services, store)


def _is_open(store: Store) -> bool:
    return store.closed_at is None and store.platform != RECOVERED


def _rows(services: Services, session: Session, store: Store, seller: Seller) -> list[Row]:
    known = reading.kept(session, store.id)
    return mapping.rows(
        known.classes if known else (),
        reading.seen_untaxed(services, session, store.id),
        services.profile(seller).policy.tax_classes,
    )


def _page(services: Services, code: str, faults: dict[str, str]) -> str:
    with services.database() as session:
        store = access.the_store(session, code, Right.READ)
        seller = store.seller
        policy = services.profile(seller).policy
        rows = _rows(services, session, store, seller)
        others = session.scalar(
            select(func.count()).select_from(Store).where(Store.seller_id == seller.id, Store.id != store.id)
        )
        waiting = _waiting(session, seller.id)
        shop = reading.kept(session, store.id)
        may_change = access.may(session, seller.id, Right.OWN)
        may_read = access.may(session, seller.id, Right.OPERATE) and _is_open(store)
    return render_template(
        "taxes/page.html",
        store=store,
        rows=rows,
        shop=shop,
        others=others,
        waiting=waiting,
        may_change=may_change,
        may_read=may_read,
        faults=faults,
        entered=_entered(rows, policy),
        kept_setup=kept_setup(),
        UNTAXED=mapping.UNTAXED,
        codes=_CODES,
        EU_GOODS=mapping.EU_GOODS,
        EXPORT=mapping.EXPORT,
        percent=mapping.percent,
        law_examples=_LAWS,
        has_list="documents.index" in current_app.view_functions,
    )


_LAWS = ("art. 113 ust. 1 ustawy o VAT", "art. 43 ust. 1 pkt 18 ustawy o VAT")


def _entered(rows: list[Row], policy: Any) -> dict[str, Any]:
    """What the form shows: what was just typed, else what is stored."""
    if request.method == "POST":
        return {
            "classes": {row.key: request.form.get(f"{_CLASS}{row.key}", "") for row in rows},
            "law": request.form.get("law", ""),
            "eu_goods": request.form.get("eu_goods", ""),
            "export": request.form.get("export", ""),
            "oss": "oss" in request.form,
        }
    return {
        "classes": {row.key: row.chosen.value if row.chosen else "" for row in rows},
        "law": policy.exemption_law,
        "eu_goods": policy.eu_goods.value if policy.eu_goods else "",
        "export": policy.export.value if policy.export else "",
        "oss": policy.oss,
    }


def _waiting(session: Session, seller_id: int) -> int:
    """How many documents ask a person because of taxes."""
    rows = session.scalars(
        select(Document.attention)
        .where(Document.seller_id == seller_id, Document.state == DocumentState.ATTENTION)
        .limit(1000)
    )
    codes = {"tax-treatment-unknown", "exemption-basis-missing", "oss-sale"}
    return sum(any(reason["code"] in codes for reason in reasons or ()) for reasons in rows)


def _save(services: Services, code: str) -> dict[str, str]:
    """Store what the form says; faults by field, empty when it was stored."""
    form = request.form
    faults: dict[str, str] = {}
    with services.database.begin() as session:
        store = access.the_store(session, code, Right.OWN)
        seller = session.get_one(Seller, store.seller_id, with_for_update=True)
        rows = _rows(services, session, store, seller)
        said = Said(
            _classes(rows, faults),
            " ".join(form.get("law", "").split()),
            _category(form.get("eu_goods", ""), "eu_goods", faults),
            _category(form.get("export", ""), "export", faults),
            "oss" in form,
        )
        values = mapping.applied(seller.profile, said)
        if mapping.needs_law(values) and not said.exemption_law:
            faults["law"] = t(
                "Podaj podstawę zwolnienia: musi stać na fakturze (P_19A).",
                "Name the basis of the exemption: it has to be on the invoice (P_19A).",
            )
        if len(said.exemption_law) > TEXT_LIMIT:
            faults["law"] = t(f"Najwyżej {TEXT_LIMIT} znaków.", f"{TEXT_LIMIT} characters at most.")
        if faults:
            return faults
        try:
            profile = parse(values)
        except BadProfile as error:
            return {"": " ".join(say(fault) for fault in error.faults)}
        before = seller.profile
        if profile.values == before:
            return {}
        seller.profile = profile.values
        audit(session, "seller.taxes", f"store:{code}", seller.id, _details(before, profile.values))
    return {}


def _classes(rows: list[Row], faults: dict[str, str]) -> dict[str, VatCategory | None]:
    """What the form says of the classes that it showed."""
    said: dict[str, VatCategory | None] = {}
    for row in rows:
        name = f"{_CLASS}{row.key}"
        if row.is_asked and name in request.form:
            said[row.key] = _category(request.form[name], name, faults, row.chosen)
    return said


def _category(
    code: str, name: str, faults: dict[str, str], stored: VatCategory | None = None
) -> VatCategory | None:
    if not code:
        return None
    # what a file once said may stay, whatever it is
    if code not in _CODES and code != stored:
        faults[name] = t("Wybierz z listy.", "Choose from the list.")
        return None
    return VatCategory(code)


def _details(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """What changed, for the audit log."""
    tables = ("tax_classes", "treatments")
    found = {name: {"was": before.get(name), "is": after.get(name)} for name in tables}
    law = {"was": _law(before), "is": _law(after)}
    return {name: one for name, one in {**found, "exemption_law": law}.items() if one["was"] != one["is"]}


def _law(values: dict[str, Any]) -> Any:
    return values.get("invoices", {}).get("exemption_law")
