"""What registers say of the buyers of documents: asked in the background, shown beside the document.

Asking never raises, never holds anything up, and stops at the first register that does not answer.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from connector_app.log_events import Said
from connector_app.logs import Log
from connector_app.registers import cache, vat_list, vies
from connector_app.registers.errors import RegisterDown
from connector_app.registers.options import checks_wanted
from connector_app.store.desk import InstallationSetting
from connector_app.store.models import INVOICE, Document
from connector_app.store.snapshots import from_json
from core.calendar import warsaw_day
from core.findings import Finding, Severity, Text
from core.invoices.tax_ids import as_eu_vat, as_nip
from core.orders import Order

if TYPE_CHECKING:  # services hold the registers
    from connector_app.pipeline.services import Services

_log = Log(__name__)

_MARK = "buyer-checks-mark"
_NEW = timedelta(days=3)
"""Older documents are not asked about: they are issued, and the limit is for the new ones."""
_GOOD_FOR = timedelta(days=7)
"""So long an answer about a number serves other documents of the same buyer."""
_A_PASS = 200
_NUMBERS_A_DAY = 1500
"""Half of what 100 requests of 30 numbers could ask; the rest is for people at the screen."""
_VIES_A_PASS = 10


@dataclass(frozen=True, slots=True)
class BuyerNumber:
    """The number by which a buyer is looked for.

    Attributes:
        register: which register knows it. number: as the register has it.
    """

    register: str
    number: str


def number_of(order: Order) -> BuyerNumber | None:
    """The first right tax number of an order's buyer, in the order of trust."""
    for candidate in order.buyer.tax_ids:
        nip = as_nip(candidate.value)
        if nip is not None:
            return BuyerNumber(vat_list.REGISTER, nip)
        foreign = as_eu_vat(candidate.value)
        if foreign is not None:
            return BuyerNumber(vies.REGISTER, "".join(foreign))
    return None


def buyer_check(session: Session, document: Document) -> Finding | None:
    """What a register says against the buyer of a document, from what was asked before.

    Args:
        session: for reading.
        document: with its order.

    Returns:
        A warning; ``None`` when the register knows the buyer, or was not asked.
    """
    snapshot = document.order.snapshot
    number = number_of(from_json(snapshot)) if snapshot else None
    if number is None:
        return None
    kept = cache.known(session, number.register, number.number)
    if kept is None:
        return None
    day = warsaw_day(kept.asked_at)
    if number.register == vies.REGISTER:
        return None if kept.status == vies.VALID else _not_in_vies(number.number, day)
    if kept.status in {vat_list.ACTIVE, vat_list.EXEMPT}:
        return None
    return _not_on_list(number.number, day)


def ask_new(services: Services) -> int:
    """Ask the registers that are switched on about the buyers of new documents.

    Args:
        services: the installation.

    Returns:
        How many documents were looked at; 0 also when a register does not answer.
    """
    try:
        return _ask_new(services)
    except RegisterDown as error:
        _log.info(Said.REGISTER_SILENT, error=type(error).__name__)
    except Exception as error:
        _log.failed(Said.WORK_FAILED, error, task="registers")
    return 0


class Asking:
    """Asks in a thread of its own, one at a time, so that a slow register holds nothing up.

    Args:
        services: the installation.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._thread: threading.Thread | None = None

    def is_over(self) -> bool:
        """Whether no asking is under way."""
        return self._thread is None or not self._thread.is_alive()

    def begin(self) -> None:
        """Ask now, unless an earlier asking is still under way."""
        if not self.is_over():
            return
        registers = self._services.registers
        if registers.vat_list is None and registers.vies is None:
            return
        self._thread = threading.Thread(
            target=ask_new, args=(self._services,), name="buyer-checks", daemon=True
        )
        self._thread.start()


def _ask_new(services: Services) -> int:
    registers, now = services.registers, services.clock()
    with services.database.settled() as session:
        wanted = checks_wanted(session)
        asks_list = registers.vat_list is not None and wanted.vat_list
        asks_vies = registers.vies is not None and wanted.vies
        if not (asks_list or asks_vies):
            return 0
        mark = session.get(InstallationSetting, _MARK)
        rows = _new_documents(session, mark.value["document"] if mark else 0, now)
        numbers = {row_id: number_of(from_json(snapshot)) for row_id, snapshot in rows if snapshot}
        asked = {one for one in numbers.values() if one and not _is_fresh(session, one, now)}
        left = _NUMBERS_A_DAY - cache.asked_on(session, vat_list.REGISTER, warsaw_day(now))
    nips = sorted(one.number for one in asked if one.register == vat_list.REGISTER)
    foreign = sorted(one.number for one in asked if one.register == vies.REGISTER)
    if registers.vat_list is not None and asks_list and nips:
        if len(nips) > left:
            return 0
        registers.vat_list.lookup_many(nips, warsaw_day(now))
    if registers.vies is not None and asks_vies:
        _ask_vies(registers.vies, foreign)
    if rows:
        _move_mark(services, rows[-1][0])
    return len(rows)


def _ask_vies(register: vies.Vies, numbers: list[str]) -> None:
    """Ask one by one; a country whose own register is down keeps no other from being asked."""
    for number in numbers[:_VIES_A_PASS]:
        try:
            register.lookup(number)
        except RegisterDown as error:
            _log.info(Said.REGISTER_SILENT, error=type(error).__name__)


def _move_mark(services: Services, document_id: int) -> None:
    with services.database.begin() as session:
        row = session.get(InstallationSetting, _MARK)
        if row is None:
            session.add(InstallationSetting(name=_MARK, value={"document": document_id}))
        else:
            row.value = {"document": document_id}


def _new_documents(session: Session, after: int, now: datetime) -> list[tuple[int, dict[str, object] | None]]:
    rows = session.scalars(
        select(Document)
        .where(Document.id > after, Document.created_at > now - _NEW, Document.purpose == INVOICE)
        .options(joinedload(Document.order))
        .order_by(Document.id)
        .limit(_A_PASS)
    )
    return [(row.id, row.order.snapshot) for row in rows]


def _is_fresh(session: Session, number: BuyerNumber, now: datetime) -> bool:
    kept = cache.known(session, number.register, number.number)
    return kept is not None and now - kept.asked_at < _GOOD_FOR


def _not_on_list(nip: str, day: date) -> Finding:
    return Finding(
        "buyer-not-on-vat-list",
        Severity.WARNING,
        "buyer.tax_ids",
        Text(
            f"NIP nabywcy {nip}: według wykazu podatników VAT z {day:%d.%m.%Y} to nie jest zarejestrowany "
            "podatnik VAT.",
            f"The buyer's NIP {nip}: by the list of VAT payers of {day} this is no registered VAT payer.",
        ),
        Text(
            "Sprawdź, czy numer nie jest pomylony. Mała firma zwolniona z VAT może nie być w wykazie, więc "
            "faktura i tak powstanie.",
            "See whether the number was mistyped. A small exempt company may not be on the list, so the "
            "invoice is issued anyway.",
        ),
        "art. 96b VAT act",
    )


def _not_in_vies(number: str, day: date) -> Finding:
    return Finding(
        "buyer-not-in-vies",
        Severity.WARNING,
        "buyer.tax_ids",
        Text(
            f"Numer VAT UE nabywcy {number} był {day:%d.%m.%Y} nieaktywny w VIES.",
            f"The buyer's EU VAT number {number} was not active in VIES on {day}.",
        ),
        Text(
            "Stawka 0% dla dostawy do UE wymaga aktywnego numeru: zapytaj kupującego o właściwy.",
            "The rate of 0 % for a delivery inside the EU needs an active number: ask the buyer for it.",
        ),
        "art. 42 ust. 1 pkt 1 VAT act",
    )
