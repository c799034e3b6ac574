"""Pages: the list of orders, one order, a person's decision about its invoice, its buyer."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import login_required
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from connector_app.byhand.orders import (
    NotPossible,
    check_buyer,
    enter_buyer,
    order_invoice,
    standing,
    withdraw_order,
)
from connector_app.store.models import Document, ShopOrder
from connector_app.store.overrides import entered, invoice_order
from connector_app.store.snapshots import from_json
from connector_app.web import access
from connector_app.web.access import Right
from connector_app.web.here import here
from connector_app.web.language import say, t
from connector_app.web.orders import reading
from connector_app.web.orders.forms import BuyerForm, from_order
from core.findings import Finding

orders = Blueprint("orders", __name__, template_folder="templates")


@orders.get("/orders")
@login_required  # type: ignore[untyped-decorator]
def index() -> str:
    """Orders, newest first, by number, buyer, store, month and what became of them."""
    asked = request.args
    before = asked.get("before", "")
    search = reading.Search(
        words=asked.get("q", "").strip()[:100],
        store=asked.get("store", ""),
        month=asked.get("month", ""),
        show=asked.get("show", ""),
        before=int(before) if before.isdecimal() and len(before) < 19 else 0,
    )
    with here().services.database() as session:
        sellers = access.visible(session)
        found = reading.find(session, sellers, search)
        codes = reading.store_codes(session, sellers)
    more = found[reading.PAGE - 1][0].id if len(found) > reading.PAGE else 0
    return render_template(
        "orders/index.html", found=found[: reading.PAGE], more=more, search=search, codes=codes
    )


@orders.get("/orders/<int:order_id>")
@login_required  # type: ignore[untyped-decorator]
def page(order_id: int) -> str:
    """What the shop says, what became of it and why, and what can be done by hand."""
    with here().services.database() as session:
        return _page(session, access.the_order(session, order_id, Right.READ))


def _page(
    session: Session,
    row: ShopOrder,
    form: BuyerForm | None = None,
    findings: list[Finding] | None = None,
    *,
    trouble: str = "",
) -> str:
    place = here()
    found = standing(session, row, place.services.clock())
    decision = found.document.decision if found.document is not None else None
    shop = from_json(row.snapshot) if row.snapshot is not None else None
    if form is None and shop is not None:
        form = BuyerForm(formdata=None, data=from_order(invoice_order(row)))
    return render_template(
        "orders/page.html",
        row=row,
        shop=shop,
        order=invoice_order(row) if shop is not None else None,
        found=found,
        documents=reading.documents_of(session, row.id),
        decision=decision,
        decided_on=date.fromisoformat(decision["day"]) if decision else None,
        override=entered(row.buyer_override),
        form=form,
        findings=findings or [],
        trouble=trouble,
        may_operate=access.may(session, row.store.seller_id, Right.OPERATE),
    )


@orders.post("/orders/<int:order_id>/invoice")
@login_required  # type: ignore[untyped-decorator]
def invoice(order_id: int) -> str | Response | tuple[str, int]:
    """Issue an invoice in KSeF although the rules say otherwise."""
    place = here()
    with place.services.database.begin() as session:
        row = access.the_order(session, order_id, Right.OPERATE)
        confirmed = request.form.getlist("confirm")
        try:
            document = order_invoice(session, row, confirmed, access.me().email, place.services.clock())
        except NotPossible as error:
            return _page(session, row, trouble=say(error.text)), 422
        details = {"confirmed": confirmed, "document": document.id}
        access.audit(session, "order.invoice", f"order:{row.id}", row.store.seller_id, details)
    return _done(
        document, t("Faktura zostanie wystawiona w KSeF.", "The invoice will be issued in KSeF."), order_id
    )


@orders.post("/orders/<int:order_id>/withdraw")
@login_required  # type: ignore[untyped-decorator]
def withdraw(order_id: int) -> str | Response | tuple[str, int]:
    """Take that decision back before anything was issued."""
    place = here()
    with place.services.database.begin() as session:
        row = access.the_order(session, order_id, Right.OPERATE)
        try:
            document = withdraw_order(session, row, place.services.clock())
        except NotPossible as error:
            return _page(session, row, trouble=say(error.text)), 422
        if document is not None:
            access.audit(session, "order.withdraw", f"order:{row.id}", row.store.seller_id)
    said = t("Cofnięto; znów decydują reguły sklepu.", "Taken back; the store's rules decide again.")
    return _done(document, said, order_id)


@orders.post("/orders/<int:order_id>/buyer")
@login_required  # type: ignore[untyped-decorator]
def buyer(order_id: int) -> str | Response | tuple[str, int]:
    """Enter the buyer of this order's invoice, or go back to the shop's."""
    place = here()
    form = BuyerForm()
    with place.services.database.begin() as session:
        row = access.the_order(session, order_id, Right.OPERATE)
        is_shops = request.form.get("do") == "shop"
        if row.snapshot is None or not (is_shops or form.validate()):
            return _page(session, row, form), 422
        right = None if is_shops else form.entered()
        if right is not None:
            found = check_buyer(right, row, place.services.profile(row.store.seller))
            if found:
                return _page(session, row, form, found), 422
        try:
            document = enter_buyer(session, row, right, place.services.clock())
        except NotPossible as error:
            return _page(session, row, form, trouble=say(error.text)), 422
        action = "order.buyer" if right is not None else "order.buyer-of-shop"
        access.audit(session, action, f"order:{row.id}", row.store.seller_id)
    return _done(document, t("Zapisano dane nabywcy.", "The buyer is saved."), order_id)


def _done(document: Document | None, said: str, order_id: int) -> Response:
    place = here()
    if document is not None:
        place.services.watch(document)
    place.wake(document.seller_id if document is not None else None)
    flash(said, "success")
    return redirect(url_for("orders.page", order_id=order_id))
