"""docs/rules.md from the rules themselves: ``python -m tests.invoices.rules.documentation`` writes it."""

from __future__ import annotations

from collections import Counter

from core.fa import number_rules
from core.findings import Severity
from core.invoices import rules
from tests.conftest import ROOT

PAGE = ROOT / "docs" / "rules.md"
_INTRODUCTION = """# Rules

What `ksef-connector invoice validate` checks after the bytes and the schema: {all} semantic rules,
{errors} of them errors, {warnings} warnings and {infos} notes. Codes are stable. An error means that the
document must not be sent, a warning that a person should look, info that something is worth knowing.
An ellipsis stands for a value of the document.

| code | severity | sentence | po polsku | source |
| --- | --- | --- | --- | --- |
"""


def page() -> str:
    """The whole page."""
    entries = rules.entries_of((*rules.RULES, *number_rules.RULES))
    counts = Counter(entry.severity for entry in entries)
    introduction = _INTRODUCTION.format(
        all=len(entries),
        errors=counts[Severity.ERROR],
        warnings=counts[Severity.WARNING],
        infos=counts[Severity.INFO],
    )
    rows = [
        f"| `{one.code}` | {one.severity.value} | {one.sentence.en} | {one.sentence.pl} | {one.source} |\n"
        for one in entries
    ]
    return introduction + "".join(rows)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
