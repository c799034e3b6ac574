"""Pages: write a correction, look at it, issue it, take it back."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask_login import login_required
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from connector_app import ksef_access
from connector_app.byhand.corrections import (
    Preview,
    may_solve,
    may_withdraw,
    next_number,
    order_correction,
    original_of,
    preview,
    state_for,
    withdraw_correction,
)
from connector_app.byhand.orders import NotPossible
from connector_app.byhand.plans import BUYER, LINES, ZERO
from connector_app.store.models import Document
from connector_app.web import access
from connector_app.web.access import Right
from connector_app.web.corrections.reading import Entered, categories_of, digest, read_form, rows_of
from connector_app.web.here import here
from connector_app.web.language import language, say, t
from connector_app.web.orders.forms import BuyerForm, kind_of
from core.findings import Severity, has_errors
from core.invoices.corrections.proof import rate_name
from core.invoices.corrections.state import InvoiceState

corrections = Blueprint("corrections", __name__, template_folder="templates")

_KINDS = (LINES, ZERO, BUYER)


@dataclass(slots=True)
class _Case:
    """What is corrected, and for which document that asks."""

    original: Document
    solves: Document | None
    state: InvoiceState
    kind: str
    n: int


@corrections.get("/documents/<int:document_id>/correct")
@login_required  # type: ignore[untyped-decorator]
def page(document_id: int) -> str:
    """The form: lines, to zero, or the buyer."""
    with here().services.database() as session:
        case = _case(session, document_id, request.args.get("what", LINES))
        if isinstance(case, str):
            return case
        return _page(case, Entered(rows_of(case.state)), _buyer_form(case.state))


@corrections.post("/documents/<int:document_id>/correct")
@login_required  # type: ignore[untyped-decorator]
def write(document_id: int) -> str | Response | tuple[str, int]:
    """Look at the correction; or issue it, when it was looked at just so."""
    place = here()
    with place.services.database.begin() as session:
        case = _case(session, document_id, request.form.get("what", LINES))
        if isinstance(case, str):
            return case, 409
        raw = request.form.get("n", "")
        n = int(raw) if raw.isdecimal() and len(raw) < 5 else case.n
        form, entered = _entered(case)
        if entered.plan is None:
            return _page(case, entered, form), 422
        seen = preview(place.services, session, case.original, entered.plan, case.solves)
        mark = digest(entered.plan, n, case.solves.id if case.solves else 0)
        is_issue = request.form.get("do") == "issue" and request.form.get("seen") == mark
        if not is_issue or has_errors(seen.findings):
            case.n = n
            return _page(case, entered, form, seen, mark)
        try:
            made = order_correction(
                session,
                case.original,
                entered.plan,
                seen.change,
                access.me().email,
                place.services.clock(),
                n=n,
                solves=case.solves,
            )
        except NotPossible as error:
            return _page(case, entered, form, seen, trouble=say(error.text)), 409
        details = {"kind": case.kind, "corrects": case.original.number, "change": f"{seen.change:f}"}
        access.audit(session, "document.correct", f"document:{made.id}", made.seller_id, details)
        order_id = made.order_id
    place.services.watch(made)
    place.wake(made.seller_id)
    flash(t("Korekta zostanie wystawiona i wysłana.", "The correction will be issued and sent."), "success")
    return redirect(_document_url(made.id, order_id))


@corrections.post("/documents/<int:document_id>/correct/preview.pdf")
@login_required  # type: ignore[untyped-decorator]
def picture(document_id: int) -> Response:
    """The correction's picture as it would be."""
    from core.visual.renderer import Renderer  # noqa: PLC0415  loads fonts

    place = here()
    with place.services.database() as session:
        case = _case(session, document_id, request.form.get("what", LINES))
        if isinstance(case, str):
            abort(409)
        _, entered = _entered(case)
        if entered.plan is None:
            abort(400)
        seen = preview(place.services, session, case.original, entered.plan, case.solves)
        address = ksef_access.environment_of(case.original.seller).qr_url
    if not seen.xml:
        abort(400)
    pdf = Renderer().render(
        seen.xml, qr_base_url=address, ksef_number=None, language="en" if language() == "en" else "pl"
    )
    headers = {"Content-Disposition": 'inline; filename="podglad.pdf"'}
    return Response(pdf, mimetype="application/pdf", headers=headers)


@corrections.post("/documents/<int:document_id>/correct/withdraw")
@login_required  # type: ignore[untyped-decorator]
def withdraw(document_id: int) -> Response:
    """Take a correction by hand back before it is issued."""
    place = here()
    with place.services.database.begin() as session:
        row = access.the_document(session, document_id, Right.OPERATE)
        order_id = row.order_id
        try:
            withdraw_correction(row, place.services.clock())
        except NotPossible as error:
            flash(say(error.text), "danger")
            return redirect(_document_url(document_id, order_id))
        access.audit(session, "document.withdraw", f"document:{row.id}", row.seller_id)
    place.services.watch(row)
    flash(t("Korekta nie powstanie.", "The correction will not be issued."), "success")
    return redirect(_document_url(document_id, order_id))


def _case(session: Session, document_id: int, kind: str) -> _Case | str:
    """What is to be corrected; or the page that says why nothing can be."""
    row = access.the_document(session, document_id, Right.OPERATE)
    original = original_of(session, row)
    solves = row if original is not None and row.id != original.id and may_solve(row) else None
    if original is None:
        why = t(
            "Korektę można wystawić dopiero do faktury, która ma numer KSeF i której nie zastąpiono.",
            "Only an invoice that has its KSeF number and was not replaced can be corrected.",
        )
        return _not_now(row, why)
    if row.plan is not None and may_withdraw(row) and solves is None:
        why = t("Ta korekta czeka na wystawienie.", "This correction is about to be issued.")
        return _not_now(row, why)
    state, missing = state_for(session, original, solves)
    if state is None:
        return _not_now(row, say(missing))
    return _Case(
        original, solves, state, kind if kind in _KINDS else LINES, next_number(session, original.order_id)
    )


def _not_now(row: Document, why: str) -> str:
    return render_template(
        "corrections/not_now.html",
        row=row,
        why=why,
        back=_document_url(row.id, row.order_id),
        withdrawable=may_withdraw(row),
    )


def _entered(case: _Case) -> tuple[BuyerForm, Entered]:
    form = BuyerForm()
    buyer = form.entered() if case.kind == BUYER and form.validate() else None
    return form, read_form(request.form, case.kind, case.state, buyer)


def _buyer_form(state: InvoiceState) -> BuyerForm:
    buyer, tax_id = state.buyer, state.buyer.tax_id
    number = f"{tax_id.country}{tax_id.value}" if tax_id.country and tax_id.value else tax_id.value
    postcode, _, city = (buyer.address.line2 if buyer.address else "").partition(" ")
    if not postcode[:1].isdigit():
        postcode, city = "", buyer.address.line2 if buyer.address else ""
    values = {
        "kind": kind_of(number),
        "tax_id": number,
        "name": buyer.name,
        "line1": buyer.address.line1 if buyer.address else "",
        "postcode": postcode,
        "city": city,
        "country": buyer.address.country if buyer.address else "PL",
    }
    return BuyerForm(formdata=None, data=values)


def _page(
    case: _Case,
    entered: Entered,
    form: BuyerForm,
    seen: Preview | None = None,
    mark: str = "",
    *,
    trouble: str = "",
) -> str:
    document_id = case.solves.id if case.solves else case.original.id
    return render_template(
        "corrections/page.html",
        case=case,
        document_id=document_id,
        entered=entered,
        form=form,
        seen=seen,
        mark=mark,
        rate_name=rate_name,
        categories=categories_of(case.state),
        trouble=trouble,
        reason=request.form.get("reason", ""),
        when=request.form.get("type") or "",
        default_type=here().services.profile(case.original.seller).corrections.type.value,
        has_errors=seen is not None and has_errors(seen.findings),
        shown_findings=[one for one in seen.findings if one.severity is not Severity.INFO] if seen else [],
        back=_document_url(document_id, case.original.order_id),
    )


def _document_url(document_id: int, order_id: int) -> str:
    if "documents.page" in current_app.view_functions:
        return url_for("documents.page", document_id=document_id)
    return url_for("orders.page", order_id=order_id)
