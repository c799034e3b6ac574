"""The numbers check after documents were deleted: their numbers stay used, and are told."""

from __future__ import annotations

from datetime import date

from connector_app.checks.output import as_html
from connector_app.checks.report import Part, Result
from connector_app.keeping.expired import delete_expired, expired
from tests.checks.broken import Shelf


def test_what_was_deleted_after_the_legal_time_is_no_gap(shelf: Shelf) -> None:
    """A person deleted it, and its number and KSeF number were written down."""
    shelf.sql(
        "INSERT INTO deleted_documents (id, seller_id, kind, number, issued_on, ksef_number, xml_sha256, "
        "deleted_at) SELECT id, seller_id, kind, number, issued_on, ksef_number, xml_sha256, updated_at "
        "FROM documents WHERE number = 'FV/2026/11/0002'"
    )
    shelf.sql("DELETE FROM orders WHERE number = '16'")
    shelf.sql("DELETE FROM documents WHERE number = 'FV/2026/11/0002'")
    report = shelf.check()
    assert (report.totals, report.result) == ({"number-explained": 1}, Result.PROVED)
    assert report.parts[Part.KSEF].counts["deleted_here"] == 1
    assert report.parts[Part.SERIES].counts["deleted"] == 1
    assert [(one.count, one.deleted, one.missing, one.explained) for one in report.series] == [
        (3, 1, 0, 1), (1, 0, 0, 0),
    ]  # fmt: skip
    assert "usunięte po ustawowym czasie: 1" in as_html(report.as_json(), "pl")


def test_a_whole_deleted_month_is_proved(shelf: Shelf) -> None:
    """As the program deletes it: nothing is left but the numbers, and all of them are told."""
    services = shelf.made.services()
    with services.database() as session:
        gone = expired(session, date(2040, 1, 1))
    assert delete_expired(services, gone, "kto@sklep.example") == 5
    report = shelf.check()
    assert (report.totals, report.result) == ({"number-explained": 2}, Result.PROVED), report.as_json()
    assert report.parts[Part.SERIES].counts == {"deleted": 5, "series": 2}
    assert [(one.first, one.last, one.count, one.deleted) for one in report.series] == [
        ("FV/2026/11/0001", "FV/2026/11/0004", 0, 4),
        ("KOR/2026/11/0001", "KOR/2026/11/0001", 0, 1),
    ]


_TRACE = (
    "INSERT INTO deleted_documents (id, seller_id, kind, number, issued_on, xml_sha256, deleted_at) "
    "VALUES (?, 1, 'VAT', ?, ?, '', '2038-01-05 10:00:00')"
)


def test_hundreds_of_deleted_documents_are_no_gap(shelf: Shelf) -> None:
    """However many there are in a row; what nobody deleted is missed among them."""
    for n in range(5, 605):
        if n != 300:
            shelf.sql(_TRACE, 1000 + n, f"FV/2026/11/{n:04}", "2026-11-28")
    shelf.sql("UPDATE number_counters SET last = 604 WHERE series LIKE 'FV%'")
    report = shelf.check(with_ksef=False)
    assert report.totals == {"number-missing": 1, "number-explained": 1}
    assert (report.series[0].count, report.series[0].deleted, report.series[0].missing) == (4, 599, 1)
    (gap,) = [one for one in report.findings if one.code == "number-missing"]
    assert "FV/2026/11/0300" in gap.message.pl


def test_the_number_of_a_deleted_document_given_again_is_said(shelf: Shelf) -> None:
    """It is used for good."""
    shelf.sql(_TRACE, 1000, "FV/2026/11/0002", "2026-11-20")
    assert shelf.codes(with_ksef=False) == {"number-double": 1, "number-explained": 1}
