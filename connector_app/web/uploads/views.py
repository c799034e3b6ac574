"""The page on which ready FA XML of another program is checked and handed to the pipeline."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, render_template, request
from flask_login import login_required
from sqlalchemy import select
from sqlalchemy.orm import Session

from connector_app.store.models import Document, Seller
from connector_app.uploads import BadArchive, Outcome, UploadResult, files_of, take
from connector_app.uploads.archive import MOST_FILES
from connector_app.web import access
from connector_app.web.access import Right
from connector_app.web.here import here
from connector_app.web.language import say, t
from connector_app.web.safety import LARGEST_UPLOAD

uploads = Blueprint("uploads", __name__, template_folder="templates")


@uploads.url_value_preprocessor
def _files_may_be_large(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
    # before the form's token is looked for, which reads the whole body
    request.max_content_length = LARGEST_UPLOAD


@uploads.get("/upload")
@login_required  # type: ignore[untyped-decorator]
def page() -> str:
    """Choose a seller and files."""
    return _page([], "", _sellers()[0])


@uploads.post("/upload")
@login_required  # type: ignore[untyped-decorator]
def send() -> str:
    """Check the files; those without an error are stored when that was asked for."""
    place = here()
    allowed, raw = _sellers(), request.form.get("seller", "")
    chosen = next((one for one in allowed if str(one.id) == raw), None)
    if chosen is None:
        abort(404)
    files, trouble = _files()
    is_stored = request.form.get("do") == "store"

    def note(session: Session, document: Document) -> None:
        access.audit(
            session,
            "document.upload",
            f"document:{document.id}",
            chosen.id,
            {"number": document.number, "sha256": document.xml_sha256},
        )

    results = [
        take(place.services, chosen.id, data, name, store=is_stored, note=note) for name, data in files
    ]
    if any(one.outcome is Outcome.STORED for one in results):
        place.wake(chosen.id)
    return _page(results, trouble, chosen)


def _sellers() -> list[Seller]:
    """Whom the person may upload for; 403 when there is nobody."""
    with here().services.database() as session:
        ids = access.visible(session, Right.OPERATE)
        found = list(session.scalars(select(Seller).where(Seller.id.in_(ids)).order_by(Seller.name)))
    if not found:
        abort(403)
    return found


def _files() -> tuple[list[tuple[str, bytes]], str]:
    """All files of the form, those of archives one by one; or none and why."""
    found: list[tuple[str, bytes]] = []
    for one in request.files.getlist("files"):
        data = one.stream.read()
        if not data and not one.filename:
            continue
        try:
            found += files_of(data, one.filename or "")
        except BadArchive as error:
            return [], f"{one.filename}: {say(error.text)}"
        if len(found) > MOST_FILES:
            return [], t(f"Najwyżej {MOST_FILES} plików naraz.", f"At most {MOST_FILES} files at once.")
    return found, "" if found else t("Wybierz co najmniej jeden plik.", "Choose at least one file.")


def _page(results: list[UploadResult], trouble: str, chosen: Seller) -> str:
    counts = {one: sum(result.outcome is one for result in results) for one in Outcome}
    return render_template(
        "uploads/page.html",
        allowed=_sellers(),
        chosen=chosen,
        results=results,
        counts=counts,
        trouble=trouble,
        Outcome=Outcome,
        most_files=MOST_FILES,
    )
