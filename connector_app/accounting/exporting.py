"""Making an export: either a whole file comes of the register, or a list of what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from connector_app.accounting.exports import order_map
from connector_app.accounting.register.markers import Marker
from connector_app.accounting.register.reading import Progress, Trouble, read_month
from connector_app.accounting.register.rows import RegisterDocument, Scope
from connector_app.checks.period import Period
from connector_app.pipeline.services import Services
from connector_app.whole_file import whole_file
from core.findings import Finding


class Kind(StrEnum):
    """The files there are; the words are those of the command and of addresses."""

    MAP = "map"


_MAKERS: dict[Kind, Callable[[Iterable[RegisterDocument]], Iterator[bytes]]] = {Kind.MAP: order_map.lines}


@dataclass(slots=True)
class Made:
    """What an export came to.

    Attributes:
        documents: rows of the file. by_marker: how many have each mark of JPK_V7M.
        troubles: why there is no file; empty when there is one.
    """

    documents: int = 0
    by_marker: dict[Marker, int] = field(default_factory=dict)
    troubles: list[Finding] = field(default_factory=list)


class NotMade(Exception):
    """Some documents cannot be exported, so there is no file.

    Attributes:
        made: with all its troubles.
    """

    def __init__(self, made: Made) -> None:
        super().__init__(f"{len(made.troubles)} documents cannot be exported")
        self.made = made


def export(
    services: Services,
    kind: Kind,
    seller_id: int,
    period: Period,
    path: Path,
    *,
    scope: Scope = Scope.EVERYTHING,
    progress: Progress = lambda _done, _total: None,
) -> Made:
    """Write a file of a seller's documents of a period.

    Args:
        services: the installation.
        kind: which file.
        seller_id: the seller.
        period: Warsaw days.
        path: of the file; it is replaced when all is well, else left as it is.
        scope: which documents.
        progress: told how far it is.

    Raises:
        NotMade: a document is damaged, has no rate, or its mark cannot be decided; all such are named.
        OSError: the file cannot be written.
    """
    made = Made()
    with whole_file(path) as out:
        _write(out, _MAKERS[kind](_good(read_month(services, seller_id, period, scope, progress), made)))
        if made.troubles:
            raise NotMade(made)
    return made


def _write(out: BinaryIO, lines: Iterator[bytes]) -> None:
    for line in lines:
        out.write(line)


def _good(found: Iterable[RegisterDocument | Trouble], made: Made) -> Iterator[RegisterDocument]:
    """Those that can be exported; the others are kept as troubles."""
    for one in found:
        if isinstance(one, Trouble):
            made.troubles.append(one.finding)
            continue
        made.documents += 1
        if one.marker is not None:
            made.by_marker[one.marker] = made.by_marker.get(one.marker, 0) + 1
        yield one
