"""Exporting everything since a day, window after window.

Source: the descriptions of ``POST /invoices/exports`` and ``InvoicePackage`` in the API contract.

To fetch everything since a day, windows of at most 100 days are exported one after another by the date of
permanent storage and never beyond the moment up to which KSeF's data is complete. Where a package was cut,
the next window begins at the date of its last invoice; otherwise at the high-water mark. Both ends of a
window belong to it, so that nothing is lost, and what comes twice is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from core.ksef.client import KsefClient
from core.ksef.errors import OutsideData, UnreadableAnswer
from core.ksef.exports import Compression, Export, PackageInfo, download, start, wait
from core.ksef.invoices import Ask, InvoiceQuery
from core.ksef.package import ExportedInvoice, Package
from core.ksef.public_keys import PublicKeys

WINDOW = timedelta(days=90)
"""Length of one window; KSeF takes up to 100 days, counted in UTC."""

_OPERATION = "GET /invoices/exports/{referenceNumber}"


@dataclass(frozen=True, slots=True)
class Window:
    """One exported window.

    Attributes:
        start: where it began.
        next_start: where the next one begins; everything before it was passed on.
        is_last: nothing is left.
        invoice_count: in the package.
        invoices: what it holds and no window before, to be read once, in the order of the package.
    """

    start: datetime
    next_start: datetime
    is_last: bool
    invoice_count: int
    invoices: Iterator[ExportedInvoice]


def windows(
    client: KsefClient,
    ask: Ask,
    keys: PublicKeys,
    query: InvoiceQuery,
    folder: Path,
    *,
    compression: Compression = Compression.TAR_GZ,
) -> Iterator[Window]:
    """Export everything from the begin of a query up to where KSeF's data is complete now.

    Args:
        client: the client, of the context's NIP.
        ask: gives an access token, and waits where a limit asks for it.
        keys: the Ministry's keys.
        query: by the date of permanent storage; its end, if any, is kept.
        folder: for the package that is at work; the file is removed after its window.
        compression: of the packages.

    Yields:
        Windows; each has to be read to its end before the next is asked for.

    Raises:
        UnreadableAnswer: more invoices share one moment than a package holds, or a package differs from what
            was announced.
        KsefError: whatever else went wrong; beginning again at ``next_start`` of the last window loses
            nothing.
    """
    end = query.dates.end or client.clock()
    begin, passed = query.dates.start, _Passed()
    while begin < end:
        until = min(begin + WINDOW, end)
        dates = replace(query.dates, start=begin, end=until, only_complete=True)
        try:
            export = ask(_starting(client, keys, replace(query, dates=dates), compression))
            info = wait(client, ask, export)
        except OutsideData:
            return  # nothing is complete there yet: the window before was the last one
        following = _following(info, begin, until)
        is_last = not info.is_truncated and (following < until or until >= end)
        file = folder / f"export-{export.reference}"
        try:
            download(client, export, info, file)
            package = Package(file, info.compression is Compression.ZIP, info.invoice_count)
            yield Window(begin, following, is_last, info.invoice_count, passed.new_of(package, following))
        finally:
            file.unlink(missing_ok=True)
        if is_last:
            return
        begin = following


def _starting(
    client: KsefClient, keys: PublicKeys, query: InvoiceQuery, compression: Compression
) -> Callable[[str], Export]:
    return lambda access: start(client, access, keys, query, compression=compression)


def _following(info: PackageInfo, begin: datetime, until: datetime) -> datetime:
    """Where the next window begins."""
    if not info.is_truncated:
        return max(begin, min(info.complete_until or until, until))
    if info.last_date is None or info.last_date <= begin:
        raise UnreadableAnswer("a cut package does not say from where to go on", operation=_OPERATION)
    return info.last_date


class _Passed:
    """Remembers what was passed on at the end of a window, where the next one begins."""

    def __init__(self) -> None:
        self._numbers: set[str] = set()

    def new_of(self, package: Package, following: datetime) -> Iterator[ExportedInvoice]:
        """The invoices of a package that the window before did not have."""
        before, self._numbers = self._numbers, set()
        for one in package:
            if one.metadata.permanent_storage_date >= following:
                self._numbers.add(one.metadata.ksef_number)
            if one.metadata.ksef_number not in before:
                yield one
