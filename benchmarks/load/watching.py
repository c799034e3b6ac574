"""How far a load run is: documents by what was done with them, and what each process used."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from benchmarks.load.installation import Installation
from benchmarks.load.processes import Usage, Watched
from connector_app.store.models import Document

Progress = Callable[[int, int, str], None]
"""Told how many of how many are done, and what is going on."""

_LOOK = 1.0

MILESTONES = {
    "taken in": func.count(),
    "issued": func.count(Document.xml_sha256),
    "accepted": func.count(Document.ksef_number),
    "in the shop": func.count().filter(Document.state == "published"),
    "with UPO": func.count().filter(Document.upo.is_not(None)),
}
"""What documents come to, one after the other, and how those that did are counted."""


@dataclass(slots=True)
class Watch:
    """What was seen of a run.

    Attributes:
        seconds: from the start until all documents had come to a milestone.
        usage: of each process or group of them.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    usage: dict[str, Usage] = field(default_factory=dict)


def watch(
    made: Installation,
    documents: int,
    watched: Mapping[str, Watched],
    progress: Progress,
    *,
    until: str = "with UPO",
    patience: float = 3600.0,
) -> Watch:
    """Look once a second until every document has come to a milestone.

    Args:
        made: the installation.
        documents: that there will be.
        watched: processes by their names in the report.
        progress: told how it goes.
        until: the milestone to wait for, and ``in the shop``.
        patience: seconds after which it is given up.

    Raises:
        RuntimeError: it did not end in time.
    """
    began = time.monotonic()
    seen = Watch(usage={name: one.usage for name, one in watched.items()})
    while True:
        time.sleep(_LOOK)
        spent = time.monotonic() - began
        counts = _counts(made)
        for name, count in counts.items():
            if count >= documents:
                seen.seconds.setdefault(name, spent)
        for one in watched.values():
            one.look()
        said = ", ".join(f"{name} {count}" for name, count in counts.items())
        progress(counts.get("in the shop", 0), documents, said)
        if {"in the shop", until} <= set(seen.seconds):
            return seen
        if spent > patience:
            raise RuntimeError(f"given up after {spent:.0f} s: {said}")


def _counts(made: Installation) -> dict[str, int]:
    try:
        with made.services.database() as session:
            row = session.execute(select(*MILESTONES.values()).select_from(Document)).one()
    except SQLAlchemyError:
        # busy: the next look tells
        return {}
    return dict(zip(MILESTONES, row, strict=True))
