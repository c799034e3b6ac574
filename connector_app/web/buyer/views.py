"""Pages for buyers: open to whoever has the link, without an account or a session, in no search engine."""

from __future__ import annotations

import re
from typing import Any

from flask import (
    Blueprint,
    Response,
    abort,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response as AnyResponse

from connector_app import proposals
from connector_app.keeping import damage
from connector_app.keeping.reading import ArchiveDamaged, upo_of, xml_of
from connector_app.log_events import Said
from connector_app.logs import Log
from connector_app.pictures import picture
from connector_app.policies import StorePolicy
from connector_app.store.lanes import of_document
from connector_app.store.models import Document
from connector_app.web import access
from connector_app.web.buyer import sheet
from connector_app.web.buyer.forms import ProposalForm, stated
from connector_app.web.here import here
from connector_app.web.language import LANGUAGES, language, t
from connector_app.web.safety import limiter
from core.visual.errors import NotRenderable

buyer = Blueprint("buyer", __name__, template_folder="templates", url_prefix="/f")

_log = Log(__name__)

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_ACTOR = "buyer"


@buyer.get("/<key>")
@limiter.limit("120/minute")
def page(key: str) -> str:
    """A document as its buyer sees it."""
    services = here().services
    with services.database() as session:
        found = sheet.with_files(session, _the_document(session, key))
        shown = sheet.read(services, session, found, language())
    return render_template("buyer/page.html", key=key, sheet=shown)


@buyer.get("/<key>/pdf")
@limiter.limit("20/minute")
def pdf(key: str) -> Response:
    """The picture of the document, drawn from its stored bytes, in the language of the page."""
    with here().services.database() as session:
        found = sheet.with_files(session, _the_document(session, key))
        _ = found.seller
    try:
        return _file(found, picture(found, language()), "application/pdf", "pdf")
    except NotRenderable:
        abort(404)


@buyer.get("/<key>/xml")
@limiter.limit("60/minute")
def xml(key: str) -> Response:
    """The document itself: the stored bytes."""
    with here().services.database() as session:
        found = sheet.with_files(session, _the_document(session, key))
    return _file(found, xml_of(found), "application/xml", "xml")


@buyer.get("/<key>/upo")
@limiter.limit("60/minute")
def upo(key: str) -> Response:
    """The receipt of KSeF, where the store gives it to buyers."""
    with here().services.database() as session:
        found = sheet.with_files(session, _the_document(session, key))
        allowed = StorePolicy.from_json(found.order.store.policy).buyer_upo
    proof = upo_of(found) if allowed else None
    if proof is None:
        abort(404)
    return _file(found, proof, "application/xml", "upo.xml")


@buyer.route("/<key>/correct", methods=["GET", "POST"])
@limiter.limit("60/minute", methods=["GET"])
@limiter.limit("10/hour", methods=["POST"])
def correct(key: str) -> str | AnyResponse:
    """The buyer says what is wrong about the buyer's data."""
    services = here().services
    with services.database() as session:
        found = sheet.with_files(session, _the_document(session, key))
        shown = sheet.read(services, session, found, language())
    if not shown.can_propose or shown.buyer is None:
        return redirect(_address(key))
    form = ProposalForm(shown.buyer, data=stated(shown.buyer))
    if not form.validate_on_submit():
        return render_template("buyer/correct.html", key=key, sheet=shown, form=form)
    if not form.website.data:
        _keep(found.id, form.said())
    return redirect(_address(key, sent="1"))


def _keep(document_id: int, said: proposals.Said) -> None:
    services = here().services
    with services.database.begin(of_document(document_id)) as session:
        document = session.get_one(Document, document_id)
        if not proposals.is_open_to_proposals(session, document):
            return  # replaced while the buyer was writing; the page says so
        try:
            proposals.propose(session, document, said, services.clock())
        except proposals.AlreadyDecided:
            return
        subject = f"document:{document_id}"
        access.audit(session, "proposal.made", subject, document.seller_id, actor=_ACTOR)


def _the_document(session: Any, key: str) -> Document:
    found = sheet.find(here().services, session, key)
    if found is None:
        abort(404)
    return found


def _file(document: Document, data: bytes, kind: str, ending: str) -> Response:
    name = _UNSAFE.sub("-", document.number or "").strip("-.") or "faktura"
    answer = Response(data, content_type=kind)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.{ending}"'
    return answer


def _chosen_language() -> dict[str, str]:
    """The language in the address, which goes on from page to page without a session."""
    chosen = request.args.get("lang")
    return {"lang": chosen} if chosen in LANGUAGES else {}


def _address(key: str, *, sent: str | None = None) -> str:
    return url_for("buyer.page", key=key, lang=_chosen_language().get("lang"), sent=sent)


@buyer.context_processor
def _frame() -> dict[str, object]:
    return {"lang": _chosen_language()}


@buyer.after_request
def _unlisted(answer: Response) -> Response:
    answer.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


@buyer.errorhandler(404)
def _nothing(_error: object) -> Response:
    said = t("Tu nie ma (już) żadnej faktury", "There is no invoice here (any more)")
    hint = t(
        "Sprawdź, czy adres jest cały, albo zapytaj sprzedawcę o fakturę.",
        "Check that the address is complete, or ask the seller for the invoice.",
    )
    return make_response(render_template("buyer/none.html", said=said, hint=hint), 404)


@buyer.errorhandler(429)
def _too_many(_error: object) -> Response:
    said = t("Za dużo wejść w krótkim czasie", "Too many requests in a short time")
    hint = t("Odczekaj chwilę i otwórz stronę ponownie.", "Wait a moment and open the page again.")
    return make_response(render_template("buyer/none.html", said=said, hint=hint), 429)


@buyer.errorhandler(500)
def _failed(_error: object) -> Response:
    said = t("Strona jest chwilowo niedostępna", "The page is unavailable for the moment")
    hint = t("Odczekaj chwilę i otwórz ją ponownie.", "Wait a moment and open it again.")
    return make_response(render_template("buyer/none.html", said=said, hint=hint), 503)


@buyer.errorhandler(ArchiveDamaged)
def _damaged(error: ArchiveDamaged) -> Response:
    """What is damaged is no invoice: the buyer is not shown it, the merchant is told."""
    damage.note(here().services, error)
    return _failed(error)


@buyer.errorhandler(SQLAlchemyError)
def _database(error: SQLAlchemyError) -> Response:
    _log.warning(Said.DATABASE_FAILED, error)
    return _failed(error)


@buyer.errorhandler(CSRFError)
def _stale(_error: object) -> Response:
    said = t("Formularz stracił ważność", "The form is stale")
    hint = t("Otwórz stronę faktury ponownie.", "Open the invoice's page again.")
    return make_response(render_template("buyer/none.html", said=said, hint=hint), 400)
