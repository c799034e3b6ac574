"""A report of a numbers check as a page to keep, and as a table; made from its JSON form."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from jinja2 import Environment, PackageLoader

from connector_app.checks.labels import PARTS, RESULTS, SEVERITIES, count_text
from connector_app.checks.report import Result
from connector_app.checks.wording import KINDS
from connector_app.spreadsheets import plain
from core.calendar import WARSAW
from core.findings import Severity, Text

_TITLES = (
    Text("Ustalenie", "Finding"),
    Text("Waga", "Weight"),
    Text("Czego dotyczy", "About"),
    Text("Opis", "Description"),
    Text("Co zrobić", "What to do"),
)


def groups_of(report: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The listed findings by code, the heaviest first.

    Args:
        report: :meth:`~connector_app.checks.report.Report.as_json`.
    """
    order = list(Severity)
    codes = sorted(report["totals"], key=lambda code: order.index(KINDS[code].severity))
    return {code: [one for one in report["findings"] if one["code"] == code] for code in codes}


def words_of(report: Mapping[str, Any]) -> dict[str, Any]:
    """What a template needs beside the report itself."""
    return {
        "groups": groups_of(report),
        "kinds": KINDS,
        "parts": {part.value: name for part, name in PARTS.items()},
        "results": {one.value: name for one, name in RESULTS.items()},
        "severities": SEVERITIES,
        "count_text": count_text,
    }


def as_html(report: Mapping[str, Any], language: str) -> str:
    """A page of its own, to be kept or printed: it needs no other file.

    Args:
        report: see :func:`groups_of`.
        language: ``pl`` or ``en``.
    """
    made = Environment(loader=PackageLoader("connector_app.checks"), autoescape=True)
    at = datetime.fromisoformat(report["made_at"]).astimezone(WARSAW)
    return made.get_template("report.html").render(
        one=report,
        language=language,
        moment=f"{at:%Y-%m-%d %H:%M:%S %Z}",
        say=lambda text: text.in_language(language),
        say_json=lambda text: (text or {}).get(language, ""),
        t=lambda pl, en: en if language == "en" else pl,
        **words_of(report),
    )


def as_csv(report: Mapping[str, Any], language: str) -> bytes:
    """The series and findings as a table; Polish with semicolons, as Polish spreadsheets expect.

    Args:
        report: see :func:`groups_of`.
        language: ``pl`` or ``en``.
    """
    out = io.StringIO(newline="")
    table = csv.writer(out, delimiter="," if language == "en" else ";")
    table.writerow([one.in_language(language) for one in _TITLES])
    result = RESULTS[Result(report["result"])]
    about = f"{report['seller']['nip']} {report['period']['from']} – {report['period']['to']}"
    table.writerow(["result", report["result"], about, result.in_language(language), report["made_at"]])
    for line in report["series"]:
        said = Text(
            f"od {line['first']} do {line['last']}: {line['count']}, brak {line['missing']}, wyjaśnione "
            f"{line['explained']}",
            f"from {line['first']} to {line['last']}: {line['count']}, missing {line['missing']}, explained "
            f"{line['explained']}",
        )
        about = plain(f"{line['series']} {line['period']}".strip())
        table.writerow(["series", "", about, said.in_language(language), ""])
    for one in report["findings"]:
        weight = SEVERITIES[Severity(one["severity"])].in_language(language)
        texts = [plain(one["path"]), plain(one["message"][language]), plain(one["hint"][language])]
        table.writerow([one["code"], weight, *texts])
    return b"\xef\xbb\xbf" + out.getvalue().encode()
