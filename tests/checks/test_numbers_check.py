"""The numbers check: a clean month is proved, and whatever is broken on purpose is said."""

from __future__ import annotations

import re

import click
import pytest

from connector_app.checks.output import as_csv, as_html
from connector_app.checks.report import Part, Result
from connector_app.checks.wording import KINDS, found
from connector_app.commands.root import root
from core.findings import Text
from core.ksef.number import make as make_number
from tests.checks.broken import Shelf
from tests.pipeline.world import NIP, START


def test_a_clean_month_is_proved(shelf: Shelf) -> None:
    """Invoices, a refund with its correction, KSeF compared, files read: nothing is found."""
    report = shelf.check()
    assert (report.totals, report.result) == ({}, Result.PROVED), report.as_json()
    assert report.parts[Part.KSEF].counts["compared"] == 5
    assert report.parts[Part.FILES].counts["xml"] == report.parts[Part.FILES].counts["upo"] == 5
    assert [(one.first, one.last, one.count, one.missing) for one in report.series] == [
        ("FV/2026/11/0001", "FV/2026/11/0004", 4, 0),
        ("KOR/2026/11/0001", "KOR/2026/11/0001", 1, 0),
    ]


def test_a_deleted_document_is_missed_by_number_order_and_ksef(shelf: Shelf) -> None:
    """The row is gone: a gap, an order without a document, and a document that only KSeF has."""
    shelf.sql("DELETE FROM documents WHERE number = 'FV/2026/11/0002'")
    report = shelf.check()
    assert report.totals == {"number-missing": 1, "ksef-only": 1, "order-without-document": 1}
    assert report.result is Result.FINDINGS
    assert [(one.missing, one.explained) for one in report.series] == [(1, 0), (0, 0)]
    (gap,) = [one for one in report.findings if one.code == "number-missing"]
    assert "w KSeF ma go dokument, którego tu nie ma" in gap.message.pl
    assert shelf.codes(with_ksef=False) == {"number-missing": 1, "order-without-document": 1}


def test_the_last_numbers_are_missed_by_the_counter(shelf: Shelf) -> None:
    """Also when nothing comes after the gap; neighbours are one finding, and its words name the counter."""
    shelf.sql("DELETE FROM documents WHERE number IN ('FV/2026/11/0003', 'FV/2026/11/0004')")
    report = shelf.check(with_ksef=False)
    (gap,) = [one for one in report.findings if one.code == "number-missing"]
    assert "FV/2026/11/0003 – FV/2026/11/0004 (2)" in gap.message.pl
    assert "licznik serii (dziś 4) już go wydał" in gap.message.pl
    assert report.series[0].missing == 2


def test_a_number_changed_by_hand_is_said(shelf: Shelf) -> None:
    """A gap, a number of no series, and a row that says something else than its file and than KSeF."""
    shelf.sql("UPDATE documents SET number = 'FV/2026/11/0002X' WHERE number = 'FV/2026/11/0002'")
    assert shelf.codes() == {
        "number-missing": 1,
        "number-without-series": 1,
        "file-says-otherwise": 1,
        "ksef-differs": 1,
    }


def test_the_same_counter_twice_is_said(shelf: Shelf) -> None:
    """FV/2026/11/00003 is FV/2026/11/0003 with a zero more, which the pattern does not make."""
    shelf.sql("UPDATE documents SET number = 'FV/2026/11/00003' WHERE number = 'FV/2026/11/0002'")
    assert shelf.codes(with_ksef=False) == {
        "number-missing": 1,
        "number-double": 1,
        "number-without-series": 1,
        "file-says-otherwise": 1,
    }


def test_a_changed_byte_is_said(shelf: Shelf) -> None:
    """Of the XML, and of the UPO, whose signature no longer holds."""
    shelf.sql(
        "UPDATE documents SET xml = CAST(replace(CAST(xml AS TEXT), '<P_2>', '<P_2> ') AS BLOB) "
        "WHERE number = 'FV/2026/11/0001'"
    )
    shelf.sql("UPDATE documents SET upo = substr(upo, 1, length(upo) - 60) WHERE number = 'FV/2026/11/0003'")
    shelf.sql("UPDATE documents SET xml = NULL WHERE number = 'FV/2026/11/0004'")
    shelf.sql("UPDATE documents SET upo = NULL WHERE number = 'FV/2026/11/0002'")
    report = shelf.check()
    assert report.totals == {"file-damaged": 1, "upo-damaged": 2, "file-missing": 1}
    assert report.parts[Part.FILES].counts["damaged"] == 3


def test_a_total_changed_in_the_database_is_said(shelf: Shelf) -> None:
    """By the file, and by KSeF."""
    shelf.sql("UPDATE documents SET total = '1.00' WHERE number = 'FV/2026/11/0003'")
    assert shelf.codes() == {"file-says-otherwise": 1, "ksef-differs": 1}


def test_a_document_that_ksef_lost_is_said(shelf: Shelf) -> None:
    """Accepted here, and KSeF does not show it."""
    number = shelf.document("FV/2026/11/0002").ksef_number
    with shelf.made.ksef.state.transaction():
        shelf.made.ksef.state.run("DELETE FROM invoices WHERE ksef_number = ?", (number,))
    report = shelf.check()
    assert report.totals == {"ksef-missing": 1}
    assert str(number) in report.findings[0].message.en


def test_other_bytes_in_ksef_are_said(shelf: Shelf) -> None:
    """The same KSeF number with another hash."""
    number = shelf.document("FV/2026/11/0002").ksef_number
    with shelf.made.ksef.state.transaction():
        shelf.made.ksef.state.run(
            "UPDATE invoices SET hash = ? WHERE ksef_number = ?", ("A" * 43 + "=", number)
        )
    assert shelf.codes() == {"ksef-other-bytes": 1}


def put_into_ksef(shelf: Shelf, number: str, kind: str = "VAT") -> str:
    """Another program's document of the seller in KSeF; gives its KSeF number."""
    made = make_number(NIP, START.date(), f"ABCDEF{len(number):06X}").value
    state = shelf.made.ksef.state
    row = state.one("SELECT * FROM invoices WHERE code = 200 LIMIT 1")
    assert row is not None
    values = dict(row) | {"ksef_number": made, "reference": made, "number": number, "kind": kind}
    values |= {"hash": "B" * 43 + "="}
    del values["sequence"]
    with state.transaction():
        state.insert("invoices", **values)
    return made


@pytest.mark.parametrize("number", ["FV/2026/11/0005", "FV/2026/11/0044"])
def test_a_document_of_ours_that_only_ksef_has_is_said(shelf: Shelf, number: str) -> None:
    """Its number is of our series: this program lost it, or another one uses the series."""
    made = put_into_ksef(shelf, number)
    report = shelf.check()
    assert report.totals == {"ksef-only": 1}
    assert made in report.findings[0].message.pl


def test_another_programs_numbers_are_told_and_prove(shelf: Shelf) -> None:
    """They are none of our series, so they are only named."""
    put_into_ksef(shelf, "ERP/7/2026")
    report = shelf.check()
    assert (report.totals, report.result) == ({"ksef-other-program": 1}, Result.PROVED)
    assert report.parts[Part.KSEF].counts["other_programs"] == 1


def test_the_same_number_twice_in_ksef_is_said(shelf: Shelf) -> None:
    """KSeF takes it when RodzajFaktury differs."""
    put_into_ksef(shelf, "FV/2026/11/0002", "UPR")
    assert shelf.codes() == {"ksef-number-twice": 1}


def test_what_ksef_accepted_and_we_do_not_know_is_said(shelf: Shelf) -> None:
    """By its hash it is ours; by its number alone it is not."""
    shelf.sql(
        "UPDATE documents SET state = 'sent', ksef_number = NULL, upo = NULL, upo_sha256 = NULL "
        "WHERE number LIKE 'FV/%/0003'"
    )
    assert shelf.codes() == {"ksef-not-noticed": 1, "document-not-accepted": 1}
    with shelf.made.ksef.state.transaction():
        shelf.made.ksef.state.run(
            "UPDATE invoices SET hash = ? WHERE number = 'FV/2026/11/0003'", ("C" * 43 + "=",)
        )
    assert shelf.codes() == {"ksef-other-bytes": 1, "document-not-accepted": 1}


def test_what_is_too_fresh_for_ksef_is_not_missed(shelf: Shelf) -> None:
    """It is not compared yet, so nothing is proved and nothing is wrong."""
    now = f"{shelf.made.clock():%Y-%m-%d %H:%M:%S.%f}"
    row = shelf.document("FV/2026/11/0004")
    shelf.sql("UPDATE documents SET accepted_at = ? WHERE id = ?", now, row.id)
    with shelf.made.ksef.state.transaction():
        shelf.made.ksef.state.run("DELETE FROM invoices WHERE ksef_number = ?", (row.ksef_number,))
    report = shelf.check()
    assert (report.totals, report.result) == ({}, Result.INCOMPLETE)
    assert report.parts[Part.KSEF].counts["too_fresh"] == 1


@pytest.mark.parametrize("most", [2, 3])
def test_pages_and_cut_answers_lose_nothing(shelf: Shelf, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """However KSeF cuts its answers, each document is compared once."""
    monkeypatch.setattr(shelf.made.ksef.state.settings, "max_query_records", most)
    report = shelf.check()
    assert (report.totals, report.result) == ({}, Result.PROVED)
    assert report.parts[Part.KSEF].counts["in_ksef"] == 5


def test_many_windows_stay_within_the_hours_limit(shelf: Shelf) -> None:
    """Years take more requests than an hour has: the check waits, says so, and earns no refusal."""
    shelf.made.counts_requests = True
    shelf.made.ksef.state.settings.rate_limits = True
    pauses: list[float] = []
    before = shelf.made.clock.now
    try:
        twice = [shelf.check("2020", end="2026", waiting=pauses.append) for _ in range(2)]
    finally:
        shelf.made.clock.now = before
        shelf.made.ksef.state.settings.rate_limits = False
    assert [one.result for one in twice] == [Result.PROVED, Result.PROVED], twice[0].as_json()
    assert sum(pauses) > 1800


def test_every_hint_names_commands_that_exist() -> None:
    """And every finding has a title in both languages."""
    context = click.Context(root)
    for kind in KINDS.values():
        assert kind.title.pl
        assert kind.title.en
        for text in (kind.hint.pl, kind.hint.en):
            for name in re.findall(r"ksef-connector ([a-z-]+)", text):
                assert root.get_command(context, name) is not None, name


def test_a_report_is_safe_to_open(shelf: Shelf) -> None:
    """What comes from outside is no HTML and no formula; English is English."""
    report = shelf.check(with_ksef=False)
    report.name = "<script>alert(1)</script>"
    report.add(found("number-missing", "=1+1", Text("=2+2", "=2+2")))
    shown = as_html(report.as_json(), "en")
    assert "<script>" not in shown
    assert "Gaps in the numbering" in shown
    assert "'=2+2" in as_csv(report.as_json(), "pl").decode("utf-8-sig")


def test_orders_are_compared_by_their_day(shelf: Shelf) -> None:
    """A month in which nothing happened is proved; so is a year."""
    empty = shelf.check("2026-10")
    assert (empty.totals, empty.result, empty.series) == ({}, Result.PROVED, [])
    year = shelf.check("2026")
    assert (year.totals, year.result) == ({}, Result.PROVED)
    assert year.parts[Part.DOCUMENTS].counts["documents"] == 5


def test_without_ksef_nothing_is_proved(shelf: Shelf) -> None:
    """What was not compared is said as such."""
    report = shelf.check(with_ksef=False)
    assert (report.totals, report.result) == ({}, Result.INCOMPLETE)
    why = report.parts[Part.KSEF].why_not
    assert why is not None
    assert "nie zamówiono" in why.pl


def test_ksef_out_of_reach_is_no_proof(shelf: Shelf) -> None:
    """Nor is a KSeF that does not answer."""
    shelf.made.ksef.state.faults.add("http_503", ".*", times=50)
    try:
        report = shelf.check()
    finally:
        shelf.made.ksef.state.faults.clear()
    assert report.result is Result.INCOMPLETE
    assert report.parts[Part.KSEF].why_not is not None


def test_a_refund_without_its_correction_is_said(shelf: Shelf) -> None:
    """The correction's row is gone."""
    shelf.sql("DELETE FROM documents WHERE kind = 'KOR'")
    assert shelf.codes(with_ksef=False) == {"number-missing": 1, "refund-without-correction": 1}


def test_a_correction_without_its_refund_is_said(shelf: Shelf) -> None:
    """The shop names no refund any more."""
    shelf.sql("UPDATE orders SET snapshot = json_set(snapshot, '$.refunds', json('[]')) WHERE number = '15'")
    assert shelf.codes() == {"correction-without-refund": 1}


def test_a_correction_of_another_amount_is_said(shelf: Shelf) -> None:
    """The shop's refund is ten złoty more than its correction."""
    shelf.sql(
        "UPDATE orders SET snapshot = json_set(snapshot, '$.refunds[0].amount', '999.00') WHERE number = '15'"
    )
    assert shelf.codes() == {"refund-amount-differs": 1}


def test_an_order_with_two_invoices_is_said(shelf: Shelf) -> None:
    """A second invoice stands under the order, and the first was not corrected to zero."""
    first, second = shelf.document("FV/2026/11/0001"), shelf.document("FV/2026/11/0002")
    shelf.sql(
        "UPDATE documents SET order_id = ?, purpose = 'replaced-1/invoice' WHERE id = ?",
        first.order_id, second.id,
    )  # fmt: skip
    assert shelf.codes() == {"order-invoiced-twice": 1, "order-without-document": 1}


def test_a_document_without_an_order_is_said(shelf: Shelf) -> None:
    """The order's row is gone."""
    shelf.sql("DELETE FROM orders WHERE number = '17'")
    assert shelf.codes() == {"document-without-order": 1}


def test_what_is_under_way_is_said_with_its_reason(shelf: Shelf) -> None:
    """An order that is due and waits for a person; a document that KSeF refused."""
    shelf.sql(
        "UPDATE documents SET state = 'attention', xml = NULL, xml_sha256 = NULL, number = NULL, "
        "issued_on = NULL, ksef_number = NULL, upo = NULL, upo_sha256 = NULL, "
        """attention = '[{"message": {"pl": "Zły NIP.", "en": "A wrong NIP."}}]' """
        "WHERE number = 'FV/2026/11/0004'"
    )
    shelf.sql(
        "UPDATE documents SET state = 'rejected', ksef_number = NULL, upo = NULL, upo_sha256 = NULL, "
        "refusal_code = 450 "
        "WHERE number = 'FV/2026/11/0003'"
    )
    report = shelf.check(with_ksef=False)
    assert report.totals == {"number-missing": 1, "order-due-not-issued": 1, "document-refused": 1}
    said = {one.code: one.message.pl for one in report.findings}
    assert "wymaga decyzji: Zły NIP." in said["order-due-not-issued"]
    assert "450" in said["document-refused"]


def test_a_withdrawn_invoice_is_told_and_proves(shelf: Shelf) -> None:
    """A person's decision is an explanation, no fault."""
    shelf.sql(
        "UPDATE documents SET state = 'cancelled', closed_at = updated_at, xml = NULL, xml_sha256 = NULL, "
        "number = NULL, issued_on = NULL, ksef_number = NULL, upo = NULL, upo_sha256 = NULL "
        "WHERE number = 'FV/2026/11/0004'"
    )
    shelf.sql("UPDATE number_counters SET last = 3 WHERE series LIKE 'FV%'")
    report = shelf.check(with_ksef=False)
    assert report.totals == {"order-withdrawn": 1}
    assert report.result is Result.INCOMPLETE  # KSeF was not asked


def test_a_document_closed_after_refusal_explains_its_number(shelf: Shelf) -> None:
    """It keeps the number that no invoice has."""
    shelf.sql(
        "UPDATE documents SET state = 'cancelled', closed_at = updated_at, ksef_number = NULL, "
        "upo = NULL, upo_sha256 = NULL WHERE kind = 'KOR'"
    )
    report = shelf.check(with_ksef=False)
    assert report.totals == {"number-explained": 1, "refund-closed": 1}


def test_numbers_out_of_order_are_said_unless_they_were_made_anew(shelf: Shelf) -> None:
    """Issued after a higher number: a fault of the clock, or a refusal whose number was kept."""
    late = shelf.document("FV/2026/11/0001")
    shelf.sql("UPDATE documents SET issued_at = '2026-11-24 23:00:00.000000' WHERE id = ?", late.id)
    assert shelf.codes() == {"number-out-of-order": 1}
    shelf.sql(
        "INSERT INTO events (document_id, at, state, text) "
        "VALUES (?, '2026-11-24 22:00:00', 'rejected', '{}')",
        late.id,
    )
    report = shelf.check()
    assert (report.totals, report.result) == ({"number-made-anew": 1}, Result.PROVED)


def test_an_order_without_its_personal_data_is_no_order_that_cannot_be_read(shelf: Shelf) -> None:
    """It was not due; one that a person is asked about is said."""
    nothing = "xml = NULL, xml_sha256 = NULL, ksef_number = NULL, upo = NULL, upo_sha256 = NULL"
    for state, codes in (("cancelled", {}), ("attention", {"order-unreadable": 1})):
        shelf.sql(
            f"UPDATE documents SET state = ?, {nothing}, number = NULL, issued_on = NULL "
            "WHERE order_id = (SELECT id FROM orders WHERE number = '18')",
            state,
        )
        shelf.sql("UPDATE orders SET snapshot = NULL WHERE number = '18'")
        shelf.sql("UPDATE number_counters SET last = 3 WHERE series LIKE 'FV%'")
        assert shelf.codes(with_ksef=False) == codes


def test_a_counter_that_went_back_is_said(shelf: Shelf) -> None:
    """As after a restored backup."""
    shelf.sql("UPDATE number_counters SET last = 2 WHERE series LIKE 'FV%'")
    assert shelf.codes() == {"counter-behind": 1}
