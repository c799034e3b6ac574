"""How long a numbers check takes, and how much memory: ``python -m benchmarks.numbers_check FILE [COUNT]``.

A database of many documents (see :mod:`benchmarks.many_documents`) is made where there is none; its first
seller, who has most of them, is checked for a year without KSeF, whose limits would decide alone.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

from sqlalchemy import text

from benchmarks.many_documents import fill
from connector_app.checks.period import Period
from connector_app.checks.report import Part
from connector_app.checks.run import Watch, check_numbers
from connector_app.pipeline.services import Services
from connector_app.store.database import open_database
from connector_app.vault import Vault

_NUMBERED = (
    "UPDATE documents SET number = 'X' || id WHERE number IS NOT NULL",
    "UPDATE documents SET number = 'FV/' || strftime('%Y/%m', issued_on) || '/' || printf('%04d', place.n) "
    "FROM (SELECT id, row_number() OVER (PARTITION BY seller_id, strftime('%Y-%m', issued_on) "
    "ORDER BY coalesce(issued_at, created_at), id) AS n FROM documents WHERE issued_on IS NOT NULL) AS place "
    "WHERE place.id = documents.id",
    "INSERT INTO number_counters (seller_id, series, period, last) "
    "SELECT seller_id, 'FV/{yyyy}/{mm}/{n:04}', strftime('%Y-%m', issued_on), count(*) FROM documents "
    "WHERE issued_on IS NOT NULL GROUP BY 1, 3",
)
"""Numbers without gaps, in the order of issue, with their counters."""


def main(file: Path, count: int) -> None:
    """Make the database unless it is there, check, and say how it went.

    Args:
        file: of the database. count: documents.
    """
    is_new = not file.exists()
    database = open_database(f"sqlite:///{file}")
    if is_new:
        fill(database, count)
        with database.begin() as session:
            for statement in _NUMBERED:
                session.execute(text(statement))
    services = Services(database, Vault.open(file.with_suffix(".key")))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seen: set[Part] = set()

    def tell(part: Part, _done: int, _total: int | None) -> None:
        if part not in seen:
            seen.add(part)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            sys.stdout.write(f"{part.value}: {peak // 1024} MB\n")

    began = time.process_time()
    report = check_numbers(services, 1, Period.between("2026", "2026"), with_ksef=False, watch=Watch(tell))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    documents = report.parts[Part.DOCUMENTS].counts["documents"]
    cpu = time.process_time() - began
    sys.stdout.write(f"series {len(report.series)}, found {dict(report.totals)}\n")
    sys.stdout.write(
        f"{documents} documents in {report.seconds:.1f} s ({cpu:.1f} s of one core, "
        f"{cpu / max(documents, 1) * 1000:.2f} ms each); "
        f"memory {before // 1024} MB before, {peak // 1024} MB at most\n"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 100_000)
