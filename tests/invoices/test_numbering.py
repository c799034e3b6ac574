"""Numbers of invoices: what a pattern may be, when counting starts anew, and that numbers stay apart."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.invoices.model import InvoiceKind
from core.invoices.number_collisions import common_number
from core.invoices.numbering import (
    DEFAULT_PATTERNS,
    BadPattern,
    BadStart,
    Numbering,
    NumberPattern,
    Series,
    SeriesKind,
    StartNumber,
    check_patterns,
)

DAY = date(2026, 11, 24)
PATTERNS = (
    "FV/{yyyy}/{mm}/{n:04}",
    "{n}/{mm}/{yy}",
    "{store}-{yyyy}-{n:6}",
    "F{n}",
    "{store}/{n}/{yyyy}{mm}",
)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("FV/{yyyy}/{mm}/{n:04}", "FV/2026/11/0007"),
        ("FV/{yyyy}/{mm}/{n:4}", "FV/2026/11/0007"),
        ("{n}/{mm}/{yy}", "7/11/26"),
        ("{store}-{yyyy}-{n:06}", "S1-2026-000007"),
        ("F{n}", "F7"),
        ("ŻÓŁĆ {n} ž", "ŻÓŁĆ 7 ž"),
    ],
)
def test_fields_are_filled(pattern: str, expected: str) -> None:
    """Each field by its name; the counter with leading zeros where the pattern asks for a width."""
    assert NumberPattern(pattern).format(7, DAY, "S1") == expected


@given(
    st.sampled_from(PATTERNS),
    st.integers(1, 10**7),
    st.dates(date(2016, 7, 1), date(2049, 12, 31)),
    st.sampled_from(["S1", "a-2", "7_x"]),
)
def test_a_number_is_read_as_it_was_made(pattern: str, n: int, day: date, store: str) -> None:
    """Counter and store come out again; another day's number of a dated pattern is not of this day."""
    made = NumberPattern(pattern)
    assert made.read(made.format(n, day, store), day) == (n, store if made.is_per_store else "")
    other = day.replace(year=day.year - 1)
    if made.period(day):
        assert made.read(made.format(n, other, store), day) is None


@pytest.mark.parametrize(
    "number",
    ["FV/2026/11/7", "FV/2026/11/0000", "FV/2026/12/0007", "FV/2026/11/0007/A", "XFV/2026/11/0007", ""],
)
def test_a_number_of_another_form_is_not_read(number: str) -> None:
    """Without leading zeros, of another month, or with more around it."""
    assert NumberPattern("FV/{yyyy}/{mm}/{n:04}").read(number, DAY) is None


def test_a_counter_outgrows_its_width() -> None:
    """Invoice 10 000 of a month with four digits keeps all of its digits."""
    assert NumberPattern("{n:04}/{yyyy}").format(10_000, DAY) == "10000/2026"


@pytest.mark.parametrize(
    ("pattern", "period"),
    [
        ("{n}/{mm}/{yyyy}", "2026-11"),
        ("{n}/{mm}/{yy}", "2026-11"),
        ("{n}/{yyyy}", "2026"),
        ("{n}/{yy}", "2026"),
        ("F{n}", ""),
        ("{store}/{n}", ""),
    ],
)
def test_the_period_follows_from_the_fields(pattern: str, period: str) -> None:
    """With a month monthly, with a year yearly, otherwise never anew."""
    assert NumberPattern(pattern).period(DAY) == period


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("FV/{yyyy}/{mm}", "exactly one counter"),
        ("", "exactly one counter"),
        ("{n}/{n}", "exactly one counter"),
        ("{n}/{mm}", "month without a year"),
        ("{n}/{day}", "known fields"),
        ("{n}/{N}", "known fields"),
        ("{n:123}", "known fields"),
        ("{n:x}", "known fields"),
        ("{ n }", "known fields"),
        ("{n}}", "known fields"),
        ("{{n}}", "known fields"),
        (" {n}", "do not fit"),
        ("{n}\n", "do not fit"),
        ("F  {n}", "do not fit"),
        ("F\x00{n}", "do not fit"),
        ("x" * 300 + "{n}", "do not fit"),
        ("{store}{n}", "no digit must stand between"),
        ("{n:06}{store}", "no digit must stand between"),
        ("{store}{yyyy}{n}", "no digit must stand between"),
        ("{store}20{n}", "no digit must stand between"),
        ("{n}{yy}{store}/{store}", "no digit must stand between"),
    ],
)
def test_a_bad_pattern_is_refused_with_its_reason(pattern: str, why: str) -> None:
    """The message shows the pattern and says what is wrong with it."""
    with pytest.raises(BadPattern, match=why) as caught:
        NumberPattern(pattern)
    assert str(caught.value) == caught.value.text.en != caught.value.text.pl


def test_a_number_longer_than_p_2_is_refused() -> None:
    """P_2 takes 256 characters; a cut number would not be unique."""
    pattern = NumberPattern("{store}/{n}")
    assert len(pattern.format(1, DAY, "S" * 254)) == 256
    with pytest.raises(BadPattern, match="more than 256"):
        pattern.format(1, DAY, "S" * 255)
    assert len(NumberPattern("x" * 253 + "{n}").format(100, DAY)) == 256
    with pytest.raises(BadPattern, match="more than 256"):
        NumberPattern("x" * 253 + "{n}").format(1000, DAY)


@pytest.mark.parametrize("store", ["", "SKLEP-1"])
def test_the_store_code_is_optional(store: str) -> None:
    """A seller with one store needs no code."""
    assert NumberPattern("{store}/{n}").format(1, DAY, store) == f"{store}/1"


@pytest.mark.parametrize("store", ["", " S", "S\n", "S\x00"])
def test_a_code_that_spoils_the_number_is_refused(store: str) -> None:
    """A number with a space at its end or a control character would come back from KSeF as another."""
    with pytest.raises(BadPattern, match="do not fit"):
        NumberPattern("{store} {n}").format(1, DAY, store)


def test_each_store_has_a_series_of_its_own_where_the_number_names_it() -> None:
    """Otherwise the numbers of one store would have gaps; without a code all stores share one series."""
    own, shared = NumberPattern("{store}/{yyyy}/{n}"), NumberPattern("FV/{yyyy}/{n}")
    assert own.series("A") != own.series("B")
    assert own.series("A") == "A/{yyyy}/{n}"
    assert shared.series("A") == shared.series("B") == shared.text


days = st.dates(date(2026, 2, 1), date(2049, 12, 31))


@settings(deadline=None, derandomize=True)
@given(st.sampled_from(PATTERNS), st.lists(st.tuples(st.integers(1, 99_999), days), max_size=30))
def test_within_a_store_different_counts_or_periods_give_different_numbers(
    text: str, taken: list[tuple[int, date]]
) -> None:
    """KSeF refuses a number twice in ten years, so (period, counter) must decide the number."""
    pattern = NumberPattern(text)
    keys = {(pattern.period(day), n) for n, day in taken}
    numbers = {pattern.format(n, day, "S1") for n, day in taken}
    assert len(numbers) == len(keys)


@settings(deadline=None, derandomize=True)
@given(st.sampled_from(PATTERNS), days)
def test_the_period_changes_only_at_a_border(text: str, day: date) -> None:
    """Inside a month no pattern starts counting anew."""
    pattern = NumberPattern(text)
    after = day + timedelta(days=1)
    if after.month == day.month:
        assert pattern.period(day) == pattern.period(after)


@settings(deadline=None, derandomize=True)
@given(st.text(alphabet="{}nymstore:0123456789/ -\n\x00ż", max_size=20), st.integers(1, 10**6))
def test_any_text_is_refused_or_makes_numbers(text: str, n: int) -> None:
    """No other exception, and a number is never empty."""
    try:
        pattern = NumberPattern(text)
    except BadPattern:
        return
    assert str(n) in pattern.format(n, DAY, "S")


codes = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,6}", fullmatch=True)
pieces = st.sampled_from(
    ["{yyyy}", "{yy}", "{mm}", "{store}", "/", "-", "FV", "K", "0", "1", "20", "2026", "_"]
)
texts = st.builds(
    lambda before, counter, after: "".join([*before, counter, *after]),
    st.lists(pieces, max_size=4),
    st.sampled_from(["{n}", "{n:2}", "{n:04}"]),
    st.lists(pieces, max_size=4),
)
texts_with_store = st.tuples(
    st.lists(pieces, max_size=3), texts, st.sampled_from(["/", "-", "K", "x0", ""])
).flatmap(
    lambda parts: st.sampled_from(
        [
            "".join(["{store}", *parts[0], parts[2], parts[1]]),
            "".join([parts[1], parts[2], *parts[0], "{store}"]),
        ]
    )
)
INVOICE, CORRECTION, ADVANCE, SETTLEMENT = SeriesKind


def _pattern(text: str) -> NumberPattern | None:
    try:
        return NumberPattern(text)
    except BadPattern:
        return None


@settings(deadline=None, derandomize=True, max_examples=500)
@given(
    texts_with_store,
    codes,
    codes,
    st.integers(1, 2_000_000),
    st.integers(1, 2_000_000),
    days,
)
def test_two_stores_never_get_the_same_number(
    text: str, code: str, other: str, n: int, m: int, day: date
) -> None:
    """Whatever their codes are, numbers of different stores or counters in a period differ."""
    pattern = _pattern(text)
    if pattern is None:
        return
    same = pattern.format(n, day, code) == pattern.format(m, day, other)
    assert same == (code == other and n == m)


@settings(deadline=None, derandomize=True, max_examples=500)
@given(texts, texts, codes, codes, st.integers(1, 30_000), st.integers(1, 30_000), days, days)
def test_patterns_that_pass_never_make_the_same_number(
    text: str, other: str, code: str, other_code: str, n: int, m: int, day: date, other_day: date
) -> None:
    """The check may only err on the safe side: no number of the one is a number of the other."""
    one, two = _pattern(text), _pattern(other)
    if one is not None and two is not None and common_number([text], [other]) is None:
        assert one.format(n, day, code) != two.format(m, other_day, other_code)


@settings(deadline=None, derandomize=True, max_examples=300)
@given(texts, st.integers(1, 30_000), codes, days)
def test_a_number_of_a_pattern_is_found_in_it(text: str, n: int, code: str, day: date) -> None:
    """The walk knows every number that a pattern really makes: against itself as plain text it meets."""
    pattern = _pattern(text)
    if pattern is not None:
        number = pattern.format(n, day, code)
        assert common_number([text], [number]) == number


@pytest.mark.parametrize(
    ("invoice", "correction", "number"),
    [
        ("FV/{yyyy}/{n}", "FV/{yyyy}/{n}", "FV/2000/1"),
        ("FV/{yyyy}/{n}", "FV/{yyyy}/{n:04}", "FV/2000/1000"),
        ("FV/{yyyy}/{n}", "FV/{n}/{yyyy}", "FV/2000/2000"),
        ("{store}/{n}", "KOR/{n}", "KOR/1"),
        ("{store}-{n}", "KOR-{store}-{n}", "KOR-0-1"),
        ("{n}", "1{n}", "11"),
        ("{n:02}/{yy}", "{yy}/{n:02}", "00/00"),
        ("A{n}", "A1", None),
    ],
)
def test_patterns_that_could_meet_are_refused_with_the_number(
    invoice: str, correction: str, number: str | None
) -> None:
    """The message names both patterns and a number that both can make."""
    if number is None:
        assert common_number([invoice], [correction]) == correction
        return
    patterns = {INVOICE: NumberPattern(invoice), CORRECTION: NumberPattern(correction)}
    with pytest.raises(BadPattern) as caught:
        check_patterns(patterns)
    for words in (caught.value.text.pl, caught.value.text.en):
        assert repr(number) in words
        assert repr(correction) in words


@pytest.mark.parametrize(
    ("invoice", "correction"),
    [
        ("FV/{yyyy}/{n}", "KOR/{yyyy}/{n}"),
        ("{store}/{yyyy}/{n}", "KOR/{store}/{yyyy}/{n}"),
        ("{n}/{yyyy}", "{n}/{mm}/{yyyy}"),
        ("FV{n:04}", "FV0{n:04}"),
        ("{n}/{yy}", "{n}/{yyyy}"),
    ],
)
def test_patterns_that_never_meet_pass(invoice: str, correction: str) -> None:
    """A different word, another number of parts, or a width that cannot be reached is enough."""
    check_patterns({INVOICE: NumberPattern(invoice), CORRECTION: NumberPattern(correction)})


def test_known_store_codes_free_a_pattern() -> None:
    """What only a store called KOR would spoil is fine while there is none."""
    patterns = {INVOICE: NumberPattern("{store}/{n}"), CORRECTION: NumberPattern("KOR/{n}")}
    check_patterns(patterns, ["S1", "S2"])
    with pytest.raises(BadPattern, match="KOR/1"):
        check_patterns(patterns, ["S1", "KOR"])


def test_sales_may_share_a_series_but_not_with_corrections() -> None:
    """One pattern is one counter, so an invoice and an advance never get one number."""
    one = "F/{yyyy}/{n}"
    numbering = Numbering.of({INVOICE: one, ADVANCE: one, SETTLEMENT: one})
    keys = {numbering.series(kind, DAY).key for kind in (InvoiceKind.VAT, InvoiceKind.ADVANCE)}
    assert keys == {one}
    with pytest.raises(BadPattern, match="correction"):
        Numbering.of({INVOICE: one, CORRECTION: one})


@pytest.mark.parametrize(
    ("kind", "prefix"),
    [
        (InvoiceKind.VAT, "FV"),
        (InvoiceKind.SIMPLIFIED, "FV"),
        (InvoiceKind.CORRECTION, "KOR"),
        (InvoiceKind.ADVANCE_CORRECTION, "KOR"),
        (InvoiceKind.SETTLEMENT_CORRECTION, "KOR"),
        (InvoiceKind.ADVANCE, "ZAL"),
        (InvoiceKind.SETTLEMENT, "ROZ"),
    ],
)
def test_every_kind_of_document_has_a_series(kind: InvoiceKind, prefix: str) -> None:
    """Without any setting each kind counts under a prefix of its own."""
    assert Numbering().series(kind, DAY).number(7) == f"{prefix}/2026/11/0007"


def test_left_out_kinds_get_defaults_that_are_checked_too() -> None:
    """A pattern for invoices that meets the default of corrections is refused."""
    assert Numbering.of({INVOICE: "{n}/{yyyy}"}).patterns[CORRECTION] == DEFAULT_PATTERNS[CORRECTION]
    with pytest.raises(BadPattern, match="KOR/2000"):
        Numbering.of({INVOICE: "KOR/{yyyy}/{mm}/{n}"})


def test_a_start_number_holds_in_its_period_only() -> None:
    """A merchant who moves in in November goes on with 118, and begins December with 1."""
    numbering = Numbering.of({}, [StartNumber(INVOICE, "2026-11", 118)])
    november = numbering.series(InvoiceKind.VAT, DAY)
    assert november.number(november.following(0)) == "FV/2026/11/0118"
    assert november.following(118) == 119
    assert numbering.series(InvoiceKind.VAT, date(2026, 12, 1)).following(0) == 1
    assert numbering.series(InvoiceKind.VAT, date(2026, 10, 31)).following(0) == 1
    assert numbering.series(InvoiceKind.CORRECTION, DAY).following(0) == 1


def test_a_start_entered_late_skips_what_the_old_program_used() -> None:
    """After two numbers were taken by mistake, counting jumps to the start and never back."""
    series = Series(NumberPattern("F/{n}"), DAY, first=118)
    assert series.following(2) == 118
    assert series.following(500) == 501


def test_start_numbers_of_stores_and_years() -> None:
    """Yearly and endless patterns, and one start per store where stores count on their own."""
    numbering = Numbering.of(
        {INVOICE: "{store}/{n}/{yyyy}", CORRECTION: "K{n}"},
        [
            StartNumber(INVOICE, "2026", 10, "A"),
            StartNumber(INVOICE, "2026", 20, "B"),
            StartNumber(INVOICE, "2027", 5, "A"),
            StartNumber(CORRECTION, "", 30),
        ],
    )
    first = [numbering.series(InvoiceKind.VAT, DAY, store).following(0) for store in "ABC"]
    assert first == [10, 20, 1]
    assert numbering.series(InvoiceKind.VAT, date(2027, 1, 1), "A").following(0) == 5
    assert numbering.series(InvoiceKind.CORRECTION, DAY, "A").following(0) == 30


def test_a_start_counts_for_all_kinds_that_share_its_series() -> None:
    """An advance that shares the invoices' counter goes on from the invoices' start."""
    one = "F/{yyyy}/{n}"
    numbering = Numbering.of({INVOICE: one, ADVANCE: one}, [StartNumber(INVOICE, "2026", 40)])
    assert numbering.series(InvoiceKind.ADVANCE, DAY).following(0) == 40


@pytest.mark.parametrize(
    ("text", "start", "why"),
    [
        ("F/{n}/{mm}/{yyyy}", StartNumber(INVOICE, "2026", 5), "2026-11"),
        ("F/{n}/{mm}/{yyyy}", StartNumber(INVOICE, "2026-13", 5), "2026-11"),
        ("F/{n}/{yyyy}", StartNumber(INVOICE, "2026-11", 5), "looks like '2026'"),
        ("F/{n}/{yyyy}", StartNumber(INVOICE, "", 5), "looks like '2026'"),
        ("F/{n}", StartNumber(INVOICE, "2026", 5), "looks like ''"),
        ("F/{n}", StartNumber(INVOICE, "", 0), "begin at 1"),
        ("F/{n}", StartNumber(INVOICE, "", 5, "A"), "no {store}"),
        ("{store}/{n}/F", StartNumber(INVOICE, "", 5), "name its code"),
    ],
)
def test_a_start_that_fits_no_series_is_refused(text: str, start: StartNumber, why: str) -> None:
    """It would be forgotten in silence, and the old program's numbers be used twice."""
    with pytest.raises(BadStart) as caught:
        Numbering.of({INVOICE: text}, [start])
    assert why in str(caught.value)
    assert caught.value.text.pl != caught.value.text.en


def test_two_starts_of_one_series_are_refused() -> None:
    """Nobody could tell which one holds."""
    one = "F/{yyyy}/{n}"
    starts = [StartNumber(INVOICE, "2026", 40), StartNumber(ADVANCE, "2026", 50)]
    with pytest.raises(BadStart, match="start already"):
        Numbering.of({INVOICE: one, ADVANCE: one}, starts)


@settings(deadline=None, derandomize=True)
@given(st.lists(days, min_size=1, max_size=60), st.integers(1, 500))
def test_numbers_taken_one_after_another_have_no_gap(taken: list[date], start: int) -> None:
    """In each period the counters are consecutive from 1, or from the start in its own period."""
    numbering = Numbering.of({}, [StartNumber(INVOICE, "2026-11", start)])
    counters: dict[tuple[str, str], list[int]] = {}
    for day in sorted(taken):
        series = numbering.series(InvoiceKind.VAT, day)
        counted = counters.setdefault((series.key, series.period), [])
        counted.append(series.following(counted[-1] if counted else 0))
    for (_, period), counted in counters.items():
        first = start if period == "2026-11" else 1
        assert counted == list(range(first, first + len(counted)))
