"""The upload page: results in words, rights, archives, bounds."""

from __future__ import annotations

import io
import zipfile

from sqlalchemy import select
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from connector_app.store.people import AuditEntry, Role
from connector_app.web.safety import LARGEST_UPLOAD
from tests.pipeline.world import World
from tests.uploads import erp
from tests.web.site import Site


def file(data: bytes, name: str = "faktura.xml") -> tuple[io.BytesIO, str]:
    """A file of a form."""
    return io.BytesIO(data), name


def test_a_file_is_checked_stored_and_sent(made: World, pages: Site) -> None:
    """The check stores nothing; the upload is in the audit log, wakes the work and ends in KSeF."""
    someone = pages.user()
    page = someone.post("/upload", seller=1, do="check", files=[file(erp.xml())])
    assert "w porządku" in page
    assert "123,00" in page
    assert made.documents() == []
    page = someone.post("/upload", seller=1, do="store", files=[file(erp.xml())])
    assert "przyjęty do wysłania" in page
    assert pages.woken == [True]
    assert "już tu jest" in someone.post("/upload", seller=1, do="store", files=[file(erp.xml())])
    made.run()
    with pages.services.database() as session:
        entry = session.scalar(select(AuditEntry).where(AuditEntry.action == "document.upload"))
    assert entry is not None
    assert entry.details is not None
    assert entry.details["number"] == "ERP/7/2026"
    assert [one.state for one in made.documents() if one.number == "ERP/7/2026"] == ["published"]


def test_an_archive_gives_each_file_its_verdict(made: World, pages: Site) -> None:
    """The good one is taken although another one is refused."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("a.xml", erp.xml())
        archive.writestr("<script>.xml", b"<nothing/>")
    page = pages.user(language="en").post(
        "/upload", seller=1, do="store", files=[file(whole.getvalue(), "all.zip")]
    )
    assert "taken, to be sent" in page
    assert "refused" in page
    assert "<script>.xml" not in page
    assert "no invoice of the structure FA(3)" in page
    assert len(made.documents()) == 1


def test_a_bad_archive_or_nothing_at_all_is_said_beside_the_field(made: World, pages: Site) -> None:
    """And nothing is stored."""
    someone = pages.user()
    assert "uszkodzone" in someone.post("/upload", seller=1, files=[file(b"PK\x03\x04...", "a.zip")])
    assert "Wybierz co najmniej jeden plik" in someone.post("/upload", seller=1, files=[])
    assert made.documents() == []


def test_only_who_may_operate_uploads(made: World, pages: Site) -> None:
    """Not an accountant, not for another seller; not more than the bound."""
    accountant = pages.user("ksiegowa@biuro.example", is_admin=False, seller_1=Role.ACCOUNTANT)
    accountant.get("/upload", 403)
    accountant.post("/upload", 403, page="/", seller=1, do="store", files=[file(erp.xml())])
    operator = pages.user("operator@biuro.example", is_admin=False, seller_1=Role.OPERATOR)
    operator.post("/upload", 404, seller=2, do="store", files=[file(erp.xml())])
    assert made.documents() == []


def test_files_may_be_larger_than_other_forms_up_to_the_bound(pages: Site) -> None:
    """Three megabytes are read and judged; more than the bound is not read at all."""
    someone = pages.user()
    large = FileStorage(io.BytesIO(bytes(3 * 1024 * 1024)), "duza.xml")
    boundary, whole = encode_multipart(
        {"csrf_token": someone.token(), "seller": "1", "do": "store", "files": large}
    )
    kind = f"multipart/form-data; boundary={boundary}"
    answer = someone.client.post(
        "/upload", input_stream=io.BytesIO(whole), content_type=kind, content_length=len(whole)
    )
    assert answer.status_code == 200
    assert "odrzucony" in answer.text
    too_large = someone.client.post(
        "/upload",
        input_stream=io.BytesIO(whole),
        content_type=kind,
        environ_overrides={"CONTENT_LENGTH": str(LARGEST_UPLOAD + 1)},
    )
    assert too_large.status_code == 413


def test_nobody_uploads_without_signing_in(pages: Site) -> None:
    """The page leads to the sign-in."""
    answer = pages.app.test_client().get("/upload")
    assert answer.status_code == 302
    assert "/sign-in" in answer.headers["Location"]
