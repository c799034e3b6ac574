"""Findings on a terminal and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from connector_app.commands.app import App
from core.findings import Finding, Severity

_MARKS = {Severity.ERROR: "✗", Severity.WARNING: "!", Severity.INFO: "i"}


def print_findings(app: App, findings: Sequence[Finding]) -> None:
    """A table of findings in the screen language."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column()
    table.add_column(overflow="fold")
    for finding in findings:
        where = f" [{finding.path}]" if finding.path else ""
        line = app.text(f", wiersz {finding.line}", f", line {finding.line}") if finding.line else ""
        text = f"{finding.message.in_language(app.language)}\n{finding.code}{where}{line}"
        hint = finding.hint.in_language(app.language)
        table.add_row(_MARKS[finding.severity], f"{text}\n→ {hint}" if hint else text)
    app.out.print(table, markup=False)


def findings_json(reports: Sequence[tuple[Path, Sequence[Finding]]]) -> str:
    """Reports of several files as one JSON document."""
    return json.dumps(
        [
            {
                "file": str(path),
                "ok": not any(finding.severity is Severity.ERROR for finding in findings),
                "findings": [finding.as_json() for finding in findings],
            }
            for path, findings in reports
        ],
        ensure_ascii=False,
        indent=2,
    )
