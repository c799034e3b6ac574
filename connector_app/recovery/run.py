"""The whole recovery of a seller: window after window, continued after a kill, twice without effect."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from connector_app.ksef_access import SellerAccess
from connector_app.pipeline.life import PAUSES
from connector_app.pipeline.services import Services
from connector_app.recovery.keeping import Keeper
from connector_app.recovery.linking import link_known_orders
from connector_app.recovery.report import Report
from connector_app.store.models import Seller
from connector_app.store.recovered import store_of
from core.calendar import WARSAW
from core.ksef.errors import KsefBusy, KsefUnavailable, TooManyExports
from core.ksef.export_windows import Window, windows
from core.ksef.invoices import DateRange, InvoiceQuery, SubjectType
from core.ksef.package import ExportedInvoice

Value = TypeVar("Value")

_BATCH = 100
"""Invoices of one transaction."""

_EXPORTS_PAUSE = 30.0
"""Seconds before another export is tried while ten are running."""

_TRIES = 5


@dataclass(frozen=True, slots=True)
class Watch:
    """Whom to tell how it goes.

    Attributes:
        progress: after every transaction, with the report so far and how many invoices there are at least.
        waiting: before a pause that KSeF's limits ask for, with its seconds.
    """

    progress: Callable[[Report, int], None] = lambda _report, _known: None
    waiting: Callable[[float], None] = lambda _seconds: None


class Patient:
    """Asks KSeF as a seller and waits where a limit asks for it, however long.

    Args:
        access: the seller's sign-in.
        waiting: told before each pause.
    """

    def __init__(self, access: SellerAccess, waiting: Callable[[float], None]) -> None:
        self._access, self._waiting = access, waiting
        self._is_proven = False

    def __call__(self, operation: Callable[[str], Value], /) -> Value:
        """Call an operation with an access token; see :class:`core.ksef.invoices.Ask`.

        Raises:
            KsefUnavailable: KSeF did not answer several times in a row.
            KsefRefused: KSeF said no.
        """
        failures = 0
        while True:
            try:
                answer = self._access.call(operation)
                self._is_proven = True
                return answer
            except KsefBusy as busy:
                pause = busy.retry_after
            except TooManyExports:
                pause = _EXPORTS_PAUSE
            except KsefUnavailable:
                failures += 1
                if failures == _TRIES or not self._is_proven:
                    # an address that never answered is told at once
                    raise
                pause = PAUSES[failures - 1]
            self._waiting(pause)
            self._access.client.sleep(pause)


def recover(services: Services, seller_id: int, since: date, watch: Watch = Watch()) -> Report:
    """Bring a seller's own sales back from KSeF, and link them with orders that are here.

    While it is not finished, nothing is issued for the seller. A recovery that was interrupted goes on from
    its last whole window when it is asked for with the same day again.

    Args:
        services: the outside world; the caller holds the runner's lock.
        seller_id: the seller.
        since: Warsaw day; what KSeF stored before it is left out.
        watch: whom to tell.

    Returns:
        The report.

    Raises:
        KsefError: KSeF does not answer, or refuses (InvoiceRead is needed); the next call goes on.
    """
    with services.database.begin(seller_id) as session:
        seller = session.get_one(Seller, seller_id)
        store = store_of(session, seller, services.clock())
        begin, report = _where_to_begin(seller, since)
    keeper = Keeper(seller, services.profile(seller).numbering, store)
    access = services.access(seller)
    query = InvoiceQuery(DateRange(begin), SubjectType.SELLER)
    with TemporaryDirectory(prefix="ksef-recover-") as folder:
        ask = Patient(access, watch.waiting)
        keys = services.connections.keys(seller)
        for window in windows(access.client, ask, keys, query, Path(folder)):
            # only now: a recovery that KSeF refuses at once must hold nothing up
            _mark(services, seller_id, since, window.start, report)
            _keep_window(services, keeper, window, report, watch)
            _mark(services, seller_id, since, window.next_start, report)
    report.linked += link_known_orders(services, seller_id)
    with services.database.begin(seller_id) as session:
        session.get_one(Seller, seller_id).recovery = None
    return report


def _where_to_begin(seller: Seller, since: date) -> tuple[datetime, Report]:
    stored = seller.recovery
    if stored is not None and stored["since"] == since.isoformat():
        return datetime.fromisoformat(stored["next"]), Report.from_json(stored["report"])
    return beginning(since), Report()


def beginning(since: date) -> datetime:
    """From when on KSeF is asked (aware UTC) when a recovery begins at a Warsaw day."""
    return datetime.combine(since, time(), WARSAW).astimezone(UTC)


def _mark(services: Services, seller_id: int, since: date, begin: datetime, report: Report) -> None:
    """Write down how far it came; from now on nothing is issued until it has ended."""
    with services.database.begin(seller_id) as session:
        session.get_one(Seller, seller_id).recovery = {
            "since": since.isoformat(),
            "next": begin.isoformat(),
            "report": report.as_json(),
        }


def _keep_window(services: Services, keeper: Keeper, window: Window, report: Report, watch: Watch) -> None:
    known = report.found + window.invoice_count
    watch.progress(report, known)
    for some in _batches(window.invoices):
        _keep_some(services, keeper, some, report)
        watch.progress(report, known)


def _batches(invoices: Iterator[ExportedInvoice]) -> Iterator[list[ExportedInvoice]]:
    while some := list(islice(invoices, _BATCH)):
        yield some


def _keep_some(services: Services, keeper: Keeper, some: Iterable[ExportedInvoice], report: Report) -> None:
    now = services.clock()
    with services.database.begin(keeper.seller.id) as session:
        kept = [(one.metadata, keeper.keep(session, one, now)) for one in some]
    for metadata, what in kept:
        report.count(what.outcome, metadata.ksef_number, metadata.number, what.reason)
