"""Pages: the texts of a store, one by one, each with a preview on an invented order."""

from __future__ import annotations

from flask import abort, flash, redirect, render_template, request, url_for
from flask_login import login_required
from werkzeug.wrappers import Response

from connector_app.store.models import Store
from connector_app.texts import Occasion, Reader, Slot, effective, fill
from connector_app.texts.editing import slot_faults, tidy, with_templates, without_slot
from connector_app.texts.reading import LANGUAGES
from connector_app.texts.sample import INVENTED
from connector_app.texts.templates import OPTIONAL, SLOTS
from connector_app.web.access import Right, audit
from connector_app.web.here import here
from connector_app.web.language import t
from connector_app.web.stores.blueprint import stores, the_shop
from core.findings import Text

READERS = {
    Reader.MERCHANT: Text("Notatka dla Ciebie przy zamówieniu", "Note for you on the order"),
    Reader.BUYER: Text(
        "Notatka lub wiadomość dla kupującego w sklepie", "Note or message for the buyer in the shop"
    ),
    Reader.MAIL_SUBJECT: Text("Temat e-maila do kupującego", "Subject of the e-mail to the buyer"),
    Reader.MAIL_BODY: Text("Treść e-maila do kupującego", "Text of the e-mail to the buyer"),
}
OCCASIONS = {
    Occasion.ACCEPTED: Text("Faktura ma numer KSeF", "An invoice has its KSeF number"),
    Occasion.CORRECTION: Text("Korekta ma numer KSeF", "A correction has its KSeF number"),
    Occasion.OFFLINE: Text("Fakturę wystawiono offline", "An invoice was issued offline"),
    Occasion.OFFLINE_CORRECTION: Text("Korektę wystawiono offline", "A correction was issued offline"),
    Occasion.REJECTED: Text("KSeF odrzucił dokument", "KSeF refused a document"),
}
PLACEHOLDERS = {
    "invoice_number": Text("numer faktury", "invoice number"),
    "issue_date": Text("data wystawienia", "date of issue"),
    "order_number": Text("numer zamówienia", "order number"),
    "total": Text("kwota z walutą", "amount with currency"),
    "seller_name": Text("nazwa sprzedawcy", "seller's name"),
    "ksef_number": Text("numer KSeF", "KSeF number"),
    "verification_link": Text("odnośnik do weryfikacji w KSeF", "link for verifying in KSeF"),
    "certificate_link": Text("odnośnik do wystawcy (tryb offline)", "link to the issuer (offline)"),
    "buyer_page": Text("strona faktury dla kupującego", "the buyer's page of the invoice"),
    "pdf_link": Text("odnośnik do PDF", "link to the PDF"),
    "transfer_title": Text(
        "zdanie o numerze KSeF w tytule przelewu", "sentence about the number in a transfer"
    ),
    "file_mark": Text("oznaczenie odrzuconego pliku", "mark of the refused file"),
    "refusal": Text("powód odrzucenia", "reason of the refusal"),
    "refusal_code": Text("kod odrzucenia", "code of the refusal"),
}


@stores.get("/stores/<code>/texts")
@login_required  # type: ignore[untyped-decorator]
def texts(code: str) -> str:
    """Every text that the store uses, and which of them are its own."""
    with here().services.database() as session:
        store = the_shop(session, code, Right.OWN)
        seller = store.seller
    groups = [
        (
            OCCASIONS[occasion],
            [(slot, READERS[slot.reader], _own(store, slot)) for slot in SLOTS if slot.occasion is occasion],
        )
        for occasion in Occasion
    ]
    return render_template("stores/texts.html", store=store, seller=seller, groups=groups)


@stores.route("/stores/<code>/texts/<name>", methods=["GET", "POST"])
@login_required  # type: ignore[untyped-decorator]
def text(code: str, name: str) -> str | Response:
    """One text in both languages: change it, look at it filled in, or go back to the program's."""
    slot = next((one for one in SLOTS if one.name == name), None)
    if slot is None:
        abort(404)
    with here().services.database() as session:
        store = the_shop(session, code, Right.OWN)
        seller = store.seller
    templates = {one: effective(store.texts, slot, one).strip("\n") for one in LANGUAGES}
    faults: dict[str, list[Text]] = {}
    if request.method == "POST":
        if request.form.get("action") == "default":
            return _save(store, slot, None)
        templates = {one: tidy(request.form.get(one, "")) for one in LANGUAGES}
        faults = slot_faults(slot, templates)
        if not faults and request.form.get("action") != "preview":
            return _save(store, slot, templates)
    return render_template(
        "stores/text.html",
        store=store,
        seller=seller,
        slot=slot,
        reader=READERS[slot.reader],
        occasion=OCCASIONS[slot.occasion],
        templates=templates,
        faults=faults,
        previews={one: fill(templates[one], INVENTED) for one in LANGUAGES if one not in faults},
        placeholders=[
            (one, PLACEHOLDERS[one], one in OPTIONAL) for one in PLACEHOLDERS if one in slot.placeholders
        ],
        is_own=_own(store, slot),
        is_line=slot.reader is Reader.MAIL_SUBJECT,
    )


def _own(store: Store, slot: Slot) -> bool:
    return slot.name in (store.texts or {})


def _save(store: Store, slot: Slot, templates: dict[str, str] | None) -> Response:
    """Keep a slot's texts; ``None`` goes back to the program's."""
    with here().services.database.begin() as session:
        row = session.get_one(Store, store.id)
        row.texts = with_templates(row.texts, slot, templates) if templates else without_slot(row.texts, slot)
        details = {"text": slot.name, "own": _own(row, slot)}
        audit(session, "store.texts", f"store:{row.code}", row.seller_id, details)
    flash(t("Tekst zapisano.", "The text is stored."), "success")
    return redirect(url_for("stores.texts", code=store.code))
