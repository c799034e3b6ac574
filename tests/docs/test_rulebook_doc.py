"""The pages about the rule book show the rules as the program has them."""

from __future__ import annotations

import pytest

from core.rulebook import RULES
from tools.rulebook_reference import DOCS, PAGES, reference


@pytest.mark.parametrize("language", PAGES)
def test_the_tables_are_the_rules(language: str) -> None:
    """Each page is what ``make docs`` makes, with every rule in it."""
    page = (DOCS / PAGES[language]).read_text("utf-8")
    assert page == reference(language)
    assert all(f"| `{rule.code}` |" in page for rule in RULES)
