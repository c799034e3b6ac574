"""The pages of documents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask_login import login_required
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from connector_app.documents import actions, archive, files, naming, queries, sheet
from connector_app.documents.actions import NotPossible
from connector_app.documents.files import FileKind, NoFile
from connector_app.documents.wording import WORDS, ActionName
from connector_app.keeping import damage
from connector_app.keeping.reading import ArchiveDamaged
from connector_app.pictures import page_images
from connector_app.store.models import Document, DocumentState
from connector_app.web import access
from connector_app.web.access import Right
from connector_app.web.documents import acting
from connector_app.web.documents.asked import Asked, asked, stores
from connector_app.web.here import here
from connector_app.web.language import language, say, t
from connector_app.web.safety import frame_by_itself, safe_next
from core.findings import Text
from core.visual.errors import VisualError

documents = Blueprint("documents", __name__, template_folder="templates")

_PICTURE = "picture"
_PAGES = 3
"""Pages of the picture that a document's page shows."""
_MOST_IN_ZIP = 20_000
"""Documents in one archive; its directory is kept in memory until the end."""
_COMMANDS = re.compile(r"\s*\((?:ksef-connector )?documents \w+\)")


@documents.app_template_filter("by_hand")
def _without_commands(said: str) -> str:
    """A stored sentence without the commands that it names for a terminal: the page has buttons."""
    return _COMMANDS.sub("", said)


@documents.context_processor
def _words() -> dict[str, object]:
    names = {
        "purpose_text": naming.purpose_text,
        "channel_text": naming.channel_text,
        "occasion_text": naming.occasion_text,
        "mail_state_text": naming.mail_state_text,
        "mode_text": naming.mode_text,
    }
    return dict(names)


@documents.get("/documents")
@login_required  # type: ignore[untyped-decorator]
def index() -> str:
    """The list: search, filters, counts by state, pages; the address says everything."""
    with here().services.database() as session:
        wanted = asked(session, request.args)
        counted = queries.counts(session, wanted.chosen)
        found = _page(session, wanted, counted)
        return render_template(
            "documents/index.html",
            page=found,
            asked=wanted,
            counts=[(state.value, counted.get(state.value, 0)) for state in DocumentState],
            total=sum(counted.values()),
            stores=stores(session),
            may_act=access.may_anywhere(session, Right.OPERATE),
            may_export=access.may_anywhere(session, Right.EXPORT),
            bulk=[(name.value, WORDS[name][0]) for name in actions.IN_BULK],
            sorts=_SORTS,
            here_path=request.full_path,
        )


def _page(session: Session, wanted: Asked, counted: dict[str, int]) -> queries.Page:
    """The page that is asked for; the first one where its place moved away."""
    states = wanted.chosen.states or counted.keys()
    if not any(counted.get(state) for state in states):
        return queries.Page([], "", "")  # known already, so nothing is looked through once more
    found = queries.find(session, wanted.chosen, wanted.sort, ascending=wanted.ascending, place=wanted.place)
    if found.rows or not wanted.place:
        return found
    return queries.find(session, wanted.chosen, wanted.sort, ascending=wanted.ascending, place="")


@documents.post("/documents/do")
@login_required  # type: ignore[untyped-decorator]
def do_many() -> AnyResponse | str:
    """Say what an action would do to the marked documents, and do it once that is confirmed."""
    back = safe_next(request.form.get("next"), url_for("documents.index"))
    name = _action_name()
    if name not in actions.IN_BULK:
        abort(400)
    ids = [int(one) for one in request.form.getlist("ids")[:500] if one.isdigit() and len(one) < 19]
    with here().services.database() as session:
        if not access.may_anywhere(session, Right.OPERATE):
            abort(403)
    if not ids:
        flash(t("Zaznacz dokumenty na liście.", "Mark documents in the list."), "warning")
        return redirect(back)
    if request.form.get("confirmed") != "yes":
        label, says = WORDS[name]
        planned = acting.plan(name, ids)
        return render_template(
            "documents/confirm.html", plan=planned, name=name.value, label=label, says=says, back=back
        )
    done, left_out = acting.act_on_many(name, ids)
    flash(t(f"Zrobiono: {done}. Pominięto: {left_out}.", f"Done: {done}. Left out: {left_out}."), "success")
    return redirect(back)


@documents.route("/documents/export.<form>", methods=["GET", "POST"])
@login_required  # type: ignore[untyped-decorator]
def export(form: str) -> AnyResponse:
    """The marked documents, or all of the filter, as a table or as an archive of their files."""
    if form not in {"csv", "zip"}:
        abort(404)
    services = here().services
    with services.database() as session:
        if not access.may_anywhere(session, Right.EXPORT):
            abort(403)
        wanted = asked(session, request.values, Right.EXPORT)
        too_many = (
            form == "zip"
            and len(queries.ids_of(session, wanted.chosen, most=_MOST_IN_ZIP + 1)) > _MOST_IN_ZIP
        )
    if too_many:
        said = f"{_MOST_IN_ZIP:,}".replace(",", "\N{NO-BREAK SPACE}")
        flash(
            t(
                f"To więcej niż {said} dokumentów. Wybierz miesiąc albo sklep.",
                f"These are more than {said} documents. Choose a month or a store.",
            ),
            "warning",
        )
        return redirect(f"{url_for('documents.index')}?{urlencode(wanted.values)}")
    what = archive.Wanted(wanted.chosen, language(), pdf=request.values.get("pdf") != "no")
    made = archive.as_csv if form == "csv" else archive.as_zip
    mimetype = "text/csv; charset=utf-8" if form == "csv" else "application/zip"
    name = f"{t('dokumenty', 'documents')}.{form}"
    return _download(made(services, what), mimetype, name)


@documents.get("/documents/<int:document_id>")
@login_required  # type: ignore[untyped-decorator]
def page(document_id: int) -> str:
    """One document with everything that is known of it."""
    with here().services.database() as session:
        access.the_document(session, document_id, Right.READ)
        found = sheet.read(session, document_id)
        if found is None:
            abort(404)
        seller_id = found.row.seller_id
        return render_template(
            "documents/page.html",
            one=found,
            row=found.row,
            picture=_pictured(found),
            may_act=access.may(session, seller_id, Right.OPERATE),
            may_export=access.may(session, seller_id, Right.EXPORT),
            wanted=[one for one in found.actions if one.allowed and one.name != ActionName.LINK],
            barred=[one for one in found.actions if not one.allowed and one.name in _WORTH_SAYING],
            qr=_qr(found.link),
        )


@documents.post("/documents/<int:document_id>/do")
@login_required  # type: ignore[untyped-decorator]
def do_one(document_id: int) -> AnyResponse:
    """Do something with one document."""
    name = _action_name()
    recovered = request.form.get("recovered", "")
    try:
        acting.act(name, document_id, int(recovered) if recovered.isdigit() and len(recovered) < 19 else 0)
    except NotPossible as error:
        flash(say(error.text), "danger")
    else:
        label, says = WORDS[name]
        flash(f"{say(label)}: {t('przyjęto.', 'noted.')} {say(says)}", "success")
    if name is ActionName.LINK and not _exists(document_id):
        # the order's own document made room for the recovered one
        return redirect(url_for("documents.page", document_id=int(recovered)))
    own = url_for("documents.page", document_id=document_id)
    return redirect(safe_next(request.form.get("next"), own))


@documents.get("/documents/<int:document_id>/<kind>")
@login_required  # type: ignore[untyped-decorator]
def file(document_id: int, kind: str) -> AnyResponse:
    """One file of a document, or a page of its picture; damaged files are told of, not given."""
    if kind != _PICTURE and kind not in set(FileKind):
        abort(404)
    right = Right.READ if kind == _PICTURE else Right.EXPORT
    with here().services.database() as session:
        access.the_document(session, document_id, right)
        row = files.load(session, document_id)
    if row is None:
        abort(404)
    try:
        if kind == _PICTURE:
            return _picture_page(row)
        found = files.file_of(row, FileKind(kind), language())
    except NoFile as error:
        said = say(error.text).rstrip(".")
        return Response(render_template("error.html", said=said), 404)
    if kind == FileKind.PDF and request.args.get("show") == "1":
        frame_by_itself()
        return Response(found.content, mimetype=found.mimetype)
    return _download(iter([found.content]), found.mimetype, found.name)


def _picture_page(row: Document) -> Response:
    number = request.args.get("page", "1")
    wanted = int(number) if number.isdigit() and len(number) < 4 else 0
    images = _images(row)
    if not 1 <= wanted <= len(images):
        abort(404)
    answer = Response(images[wanted - 1], mimetype="image/png")
    answer.headers["Cache-Control"] = "private, max-age=300"
    return answer


def _images(row: Document) -> tuple[bytes, ...]:
    """The pages of a document's picture.

    Raises:
        NoFile: there is nothing that could be drawn.
        ArchiveDamaged: it is not what was stored.
    """
    if row.xml_sha256 is None:
        raise NoFile(Text("Dokumentu jeszcze nie wystawiono.", "The document is not issued yet."))
    try:
        return page_images(row, language())
    except VisualError as error:
        raise NoFile(
            Text(f"Wizualizacji nie da się narysować: {error}", f"The picture cannot be drawn: {error}")
        ) from None


def _pictured(found: sheet.Sheet) -> dict[str, Any]:
    """Numbers of the pages to show, how many more there are, and why there is no picture."""
    if found.row.xml_sha256 is None:
        return {"pages": [], "more": 0, "trouble": ""}
    try:
        count = len(_images(found.row))
    except ArchiveDamaged as error:
        damage.note(here().services, error)
        return {"pages": [], "more": 0, "trouble": say(error.said)}
    except NoFile as error:
        return {"pages": [], "more": 0, "trouble": say(error.text)}
    return {"pages": list(range(1, min(count, _PAGES) + 1)), "more": max(0, count - _PAGES), "trouble": ""}


def _qr(link: str) -> str:
    """QR code I as an address of its own, so that no file is asked for."""
    if not link:
        return ""
    import base64  # noqa: PLC0415

    from core.visual.qr import svg  # noqa: PLC0415

    return "data:image/svg+xml;base64," + base64.b64encode(svg(link).encode()).decode()


def _exists(document_id: int) -> bool:
    with here().services.database() as session:
        return session.get(Document, document_id) is not None


def _action_name() -> ActionName:
    try:
        return ActionName(request.form.get("action", ""))
    except ValueError:
        abort(400)


def _download(content: Iterator[bytes], mimetype: str, name: str) -> Response:
    answer = Response(content, content_type=mimetype)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


_WORTH_SAYING = frozenset({ActionName.ISSUE, ActionName.WITHDRAW, ActionName.CLOSE, ActionName.PUBLISH_AGAIN})
_SORTS = (
    ("newest", Text("Najnowsze", "Newest")),
    ("day", Text("Data", "Date")),
    ("number", Text("Numer", "Number")),
    ("total", Text("Kwota", "Total")),
    ("buyer", Text("Nabywca", "Buyer")),
    ("state", Text("Stan", "State")),
)
