"""Write the tables of docs/rulebook.md and docs/rulebook.pl.md: ``python -m tools.rulebook_reference``.

A test compares the pages with what this makes, so the tables cannot say anything that is not so.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

from core.findings import Text
from core.rulebook import RULES, Question, Route, Rule, changes_after

DOCS = Path(__file__).resolve().parent.parent / "docs"

PAGES = {"en": "rulebook.md", "pl": "rulebook.pl.md"}
_BEGIN, _END = "<!-- rules -->", "<!-- /rules -->"
_TITLES = {
    Question.WHERE: Text("Dokąd idzie faktura", "Where an invoice goes"),
    Question.WHEN: Text("Kiedy najpóźniej", "By when"),
    Question.CORRECTION: Text("Korekty", "Corrections"),
}
_COLUMNS = Text(
    "| reguła | dokąd | co mówi | podstawa | od | do | wybór sprzedawcy |",
    "| rule | where | what it says | basis | from | until | merchant's choice |",
)
_ROUTES = {
    Route.KSEF: Text("KSeF", "KSeF"),
    Route.OUTSIDE: Text("poza KSeF", "outside KSeF"),
    Route.NOTHING: Text("bez faktury", "no invoice"),
}
_CHANGES = Text("Co się zmienia i kiedy", "What changes, and when")
_BEGINS = Text("zaczyna obowiązywać", "begins to hold")
_ENDED = Text("już nie obowiązuje", "no longer holds")


def reference(language: str) -> str:
    """The page with its tables made anew; the rest of it is written by hand.

    Args:
        language: ``pl`` or ``en``.
    """
    page = DOCS.joinpath(PAGES[language]).read_text("utf-8")
    head, _, rest = page.partition(_BEGIN)
    _, _, tail = rest.partition(_END)
    parts = []
    for question, title in _TITLES.items():
        rows = [_row(rule, language) for rule in RULES if rule.question is question]
        table = "\n".join(
            [_COLUMNS.in_language(language), "| --- | --- | --- | --- | --- | --- | --- |", *rows]
        )
        parts.append(f"## {title.in_language(language)}\n\n{table}\n")
    parts.append(f"## {_CHANGES.in_language(language)}\n\n{_changes(language)}\n")
    made = "\n".join(parts)
    return f"{head}{_BEGIN}\n\n{made}\n{_END}{tail}"


def _row(rule: Rule, language: str) -> str:
    cells = (
        f"`{rule.code}`",
        _ROUTES[rule.route].in_language(language),
        rule.sentence.in_language(language),
        rule.basis.in_language(language),
        rule.begins.isoformat() if rule.begins else "",
        rule.ends.isoformat() if rule.ends else "",
        f"`--{rule.setting}`" if rule.setting else "",
    )
    return f"| {' | '.join(cells)} |"


def _changes(language: str) -> str:
    lines = []
    for day in changes_after(date.min):
        begin = [f"`{rule.code}`" for rule in RULES if rule.begins == day]
        end = [f"`{rule.code}`" for rule in RULES if rule.ends and (day - rule.ends).days == 1]
        said = [
            f"{what.in_language(language)}: {', '.join(codes)}"
            for what, codes in ((_BEGINS, begin), (_ENDED, end))
            if codes
        ]
        lines.append(f"- **{day}**: {'; '.join(said)}")
    return "\n".join(lines)


def main() -> None:
    """Write both files."""
    for language, name in PAGES.items():
        DOCS.joinpath(name).write_text(reference(language), "utf-8")


if __name__ == "__main__":
    main()
