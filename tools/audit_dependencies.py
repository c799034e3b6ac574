"""Look the pinned dependencies up among known faults: ``python -m tools.audit_dependencies``.

Runs pip-audit over constraints.txt. A known fault fails. Where the service cannot be reached (no network, a
mirror without that data) it says so and passes: that is no fault of the code. What was looked up today and
has not changed since is not looked up again.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / "constraints.txt"
STAMP = Path(sys.prefix) / ".dependencies-audited"
_PATIENCE = 120
"""Seconds for all of them."""
_UNREACHABLE = "dependencies: the service of known faults cannot be reached; nothing was looked up"

Run = Callable[[Path], "dict[str, Any] | None"]
"""Audits a requirements file: pip-audit's report, ``None`` when it gave none."""


def pip_audit(requirements: Path) -> dict[str, Any] | None:
    """Run pip-audit over exact versions, without installing or resolving anything."""
    words = ["-r", str(requirements), "--no-deps", "--disable-pip", "--timeout", "5"]
    try:
        done = subprocess.run(  # noqa: S603  fixed words
            [sys.executable, "-m", "pip_audit", *words, "--format", "json", "--progress-spinner", "off"],
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
        report: dict[str, Any] = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        return None
    return report


def main(constraints: Path = CONSTRAINTS, stamp: Path = STAMP, run: Run = pip_audit) -> int:
    """Audit, and say what was found.

    Args:
        constraints: file of exact versions.
        stamp: remembers what was looked up today.
        run: the audit.

    Returns:
        The exit code: 1 for a known fault.
    """
    text = constraints.read_text("utf-8")
    lines = [line for line in text.splitlines() if "==" in line and not line.startswith("#")]
    today = f"{datetime.now(UTC):%Y-%m-%d} {hashlib.sha256(text.encode()).hexdigest()}"
    if stamp.is_file() and stamp.read_text("utf-8") == today:
        print("dependencies: looked up today already, no known faults")
        return 0
    # one question first: over a hundred of them to a service that does not answer would take minutes
    probe = [one for one in lines if one.lower().startswith("cryptography==")] or lines[:1]
    if not _known(_audit(probe, run)):
        print(_UNREACHABLE)
        return 0
    found = _audit(lines, run)
    faults = [one for one in found if one.get("vulns")]
    for one in faults:
        for fault in one["vulns"]:
            better = ", ".join(fault.get("fix_versions") or ()) or "no fixed version yet"
            print(f"✗ {one['name']} {one['version']}: {fault['id']} ({better})")
    unknown = len(found) - len(_known(found))
    if not found:
        print(_UNREACHABLE)
        return 0
    print(
        f"dependencies: {len(found) - unknown} looked up, {len(faults)} with known faults"
        + (f"; {unknown} the service does not know" if unknown else "")
    )
    if not faults and not unknown:
        stamp.write_text(today, "utf-8")
    return 1 if faults else 0


def _audit(lines: Sequence[str], run: Run) -> list[dict[str, Any]]:
    """What pip-audit says of each dependency; nothing when it gave no report."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.write("\n".join(lines))
        file.flush()
        report = run(Path(file.name)) or {}
    found: list[dict[str, Any]] = report.get("dependencies", [])
    return found


def _known(found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in found if "skip_reason" not in one]


if __name__ == "__main__":
    sys.exit(main())
