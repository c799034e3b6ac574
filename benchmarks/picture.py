"""The PDF of a document with a warm renderer: QR code, PDF/A, tags.

No document is drawn twice, as far as the pool goes: the compiler remembers what it has laid out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks import documents
from benchmarks.timing import Effort, Row, Work, rounds_of, take_turns
from core.fa import registry
from core.fa.write import write
from core.visual import Renderer

NAME = "pdf"
_DIFFERENT = 200
_GOAL = 0.020
_QR = "https://qr-test.ksef.mf.gov.pl"
_KSEF_NUMBER = "5265877635-20250826-0100001AF629-AF"


def measure(effort: Effort) -> Iterator[Row]:
    """The rows of this bench."""
    renderer = Renderer()
    fa3 = registry.schema_for("FA3")
    for lines in documents.SIZES:
        made = documents.invoices(lines, max(1, min(_DIFFERENT, effort.most_calls)))
        row = Row(NAME, f"PDF with QR, warm: {lines} lines", "core")
        work = _draw(renderer, [write(one, fa3) for one in made])
        take_turns([(row, rounds_of(work, effort))], effort)
        if lines == documents.SIZES[0]:
            row.goal = "<= 20 ms"
            row.met = (row.median or 0) <= _GOAL
        yield row


def _draw(renderer: Renderer, made: Sequence[bytes]) -> Work:
    return lambda number: renderer.render(made[number % len(made)], qr_base_url=_QR, ksef_number=_KSEF_NUMBER)
