"""The rule book is complete: each rule has a sentence, a basis and dates that make sense."""

from __future__ import annotations

from datetime import date

import pytest

from core.rulebook import BUSINESS, RECEIPT, RELIEF, RULES, Rule, changes_after


def test_every_rule_says_what_it_is_and_by_what_right() -> None:
    """Codes are stored with documents, so each is there once; sentences and bases are in both languages."""
    assert len({rule.code for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert len(rule.code) <= 32
        for text in (rule.sentence, rule.basis):
            assert text.pl
            assert text.en
        assert rule.begins is None or rule.ends is None or rule.begins <= rule.ends


@pytest.mark.parametrize(
    ("rule", "first", "last"),
    [
        (RELIEF, date(2026, 4, 1), date(2026, 12, 31)),
        (RECEIPT, None, date(2026, 12, 31)),
        (BUSINESS, date(2026, 4, 1), None),
    ],
)
def test_a_rule_holds_on_both_its_ends_and_not_beyond(
    rule: Rule, first: date | None, last: date | None
) -> None:
    """Dates of the VAT act: art. 145m, art. 145n, and the general duty."""
    assert (rule.begins, rule.ends) == (first, last)
    if first:
        assert rule.holds_on(first)
        assert not rule.holds_on(first.replace(month=3, day=31))
    if last:
        assert rule.holds_on(last)
        assert not rule.holds_on(date(2027, 1, 1))
    else:
        assert rule.holds_on(date(2099, 1, 1))


def test_the_days_on_which_something_changes_come_from_the_table() -> None:
    """The first day after an end counts, not the last day of it."""
    assert changes_after(date(2026, 11, 24)) == (date(2027, 1, 1),)
    assert changes_after(date(2026, 3, 31)) == (date(2026, 4, 1), date(2027, 1, 1))
    assert changes_after(date(2027, 1, 1)) == ()
