"""Work: who does it, what stands still, what must be done by a day."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from connector_app.alerts.kinds import options_of
from connector_app.checks.installation.said import Looked
from connector_app.ksef_notices import noticed
from connector_app.overview import delays
from connector_app.overview.work import UNDER_WAY, deadlines
from connector_app.pipeline.holds import hold_of
from connector_app.pipeline.services import Services, load_text
from connector_app.running import workers
from connector_app.running.alone import RUNNER
from connector_app.store.locks import LockHeld, lock
from connector_app.store.models import (
    Batch,
    BatchState,
    Document,
    Mail,
    MailState,
    Publication,
    Seller,
    ShopOrder,
    Store,
    WebhookEvent,
)  # fmt: skip
from core.calendar import warsaw_day
from core.findings import Severity, Text

_LATE = timedelta(hours=1)
"""Longer than any pause of the program's own between two tries of a document."""
_LONG = timedelta(hours=12)
"""A batch that is open for longer does not go on by itself."""
PATIENCE = timedelta(days=3)
"""Documents that need a person for longer are told."""
_MOST = 20


def look_at_work(looked: Looked, services: Services) -> None:
    """Say what stands still, and why.

    Args:
        looked: gets what is found.
        services: the installation.
    """
    now = services.clock()
    works = is_somebody_at_work(services)
    looked.facts.append(
        Text("Ktoś pracuje.", "Somebody works.") if works else Text("Nikt nie pracuje.", "Nobody works.")
    )
    if not works:
        looked.warn(
            "nobody-works",
            Text("Żaden proces nie pracuje na tej instalacji.", "No process works on this installation."),
            Text(
                "Zamówienia nie są pobierane, a faktury wysyłane.", "No orders are read and no invoices sent."
            ),
            Text(
                "Uruchom ksef-connector serve, a przy wielu procesach worker i beat.",
                "Start ksef-connector serve; with many processes, worker and beat.",
            ),
        )
    with services.database() as session:
        _documents(looked, session, now)
        _sellers(looked, session, now)
        _deadlines(looked, session, now)
        _shops(looked, session, now)
        _going_out(looked, session, now)
        _machines(looked, session, now)
        for one in noticed(session, now).findings():
            say = looked.error if one.severity is Severity.ERROR else looked.warn
            say(one.code, one.message, Text("Mówi to KSeF.", "KSeF says so."), one.hint)


def is_somebody_at_work(services: Services) -> bool:
    """Whether a process works: one with a heartbeat, or one that holds the installation alone."""
    if workers.alive(services, {workers.SERVE, workers.WORKER}):
        return True
    try:
        with lock(services.database, RUNNER, wait=False):
            return False
    except LockHeld:
        return True


def _count(session: Session, *conditions: object) -> int:
    return session.scalar(select(func.count()).where(*conditions)) or 0  # type: ignore[arg-type]  # conditions


def _documents(looked: Looked, session: Session, now: datetime) -> None:
    late = func.coalesce(Document.next_attempt_at, Document.updated_at) < now - _LATE
    rows = session.execute(
        select(Document.id, Document.number, Document.state, Document.waiting_for, ShopOrder.number)
        .join(ShopOrder, Document.order_id == ShopOrder.id)
        .where(Document.state.in_(UNDER_WAY), Document.batch_id.is_(None), late)
        .order_by(Document.id)
        .limit(_MOST)
    ).all()
    count = len(rows) if len(rows) < _MOST else _count(session, Document.state.in_(UNDER_WAY), late)
    if rows:
        named = ", ".join(number or f"#{order}" for _, number, _, _, order in rows[:5])
        waits = next((load_text(one) for _, _, _, one, _ in rows if one), Text("", ""))
        looked.error(
            "documents-stuck",
            Text(
                f"Dokumenty, których czas minął ponad godzinę temu: {count} ({named}…). {waits.pl}".strip(),
                f"Documents whose time was more than an hour ago: {count} ({named}…). {waits.en}".strip(),
            ),
            Text("Same już nie ruszą.", "They do not go on by themselves."),
            Text(
                "Uruchom program (serve); jeśli pracuje, zob. dziennik i documents show.",
                "Start the program (serve); if it works, see its log and documents show.",
            ),
        )
    old = sum(one.count for one in delays.undecided(session, now - PATIENCE))
    if old:
        looked.warn(
            "waiting-for-a-person",
            Text(
                f"Dokumenty czekające na człowieka dłużej niż {PATIENCE.days} dni: {old}.",
                f"Documents that wait for a person for more than {PATIENCE.days} days: {old}.",
            ),
            Text("Ich faktur nie ma.", "Their invoices do not exist."),
            Text(
                "Pulpit pokazuje, o co chodzi; albo documents list --state attention.",
                "The home page shows what is the matter; or documents list --state attention.",
            ),
        )


def _sellers(looked: Looked, session: Session, now: datetime) -> None:
    for seller in session.scalars(select(Seller).order_by(Seller.id)):
        held = hold_of(seller, now)
        if held is not None:
            say = looked.warn if seller.setup is not None and seller.recovery is None else looked.error
            say(
                "lane-held",
                Text(f"Sprzedawca {seller.nip}: {held.why.pl}", f"Seller {seller.nip}: {held.why.en}"),
                Text("Wszystkie jego dokumenty czekają.", "All its documents wait."),
                Text(
                    "Usuń przyczynę; potem ponów dokument albo poczekaj.",
                    "Mend the cause; then retry a document, or wait.",
                ),
            )
    rows = session.scalars(
        select(Batch)
        .where(Batch.state.not_in((BatchState.DONE, BatchState.FAILED)), Batch.created_at < now - _LONG)
        .order_by(Batch.id)
        .limit(_MOST)
    )
    for batch in rows:
        waits = load_text(batch.waiting_for) if batch.waiting_for else Text("", "")
        looked.error(
            "batch-open-long",
            Text(
                f"Paczka {batch.id} ({batch.reference or 'bez sesji'}) trwa ponad 12 godzin. {waits.pl}",
                f"Batch {batch.id} ({batch.reference or 'no session'}) goes on for over 12 hours. {waits.en}",
            ),
            Text("Jej dokumenty czekają.", "Its documents wait."),
            Text("Zob. dziennik programu.", "See the program's log."),
        )


def _deadlines(looked: Looked, session: Session, now: datetime) -> None:
    sellers = list(session.scalars(select(Seller.id)))
    within = options_of(session).number("deadline_days")
    for one in deadlines(session, sellers, warsaw_day(now), _MOST, within=within):
        waits = load_text(one.waits_for) if one.waits_for else Text("", "")
        say = looked.error if one.days <= 0 else looked.warn
        say(
            "deadline-over" if one.days < 0 else "deadline-near",
            Text(
                f"Dokument {one.number} trzeba przesłać do KSeF do {one.day}. {waits.pl}".strip(),
                f"Document {one.number} must reach KSeF by {one.day}. {waits.en}".strip(),
            ),
            Text("Termin wynika z ustawy.", "The deadline is the law's."),
            Text("Usuń to, na co czeka, i ponów go.", "Mend what it waits for, and retry it."),
        )


def _shops(looked: Looked, session: Session, now: datetime) -> None:
    for store, _ in delays.silent_stores(session, now - _LATE):
        when = f"{store.looked_at:%Y-%m-%d %H:%M} UTC" if store.looked_at else "–"
        looked.warn(
            "store-silent",
            Text(
                f"Sklepu {store.code} nie odczytano od ponad godziny (ostatnio {when}).",
                f"Store {store.code} was not read for more than an hour (last {when}).",
            ),
            Text("Jego nowych zamówień nikt nie widzi.", "Nobody sees its new orders."),
            Text(f"ksef-connector store check {store.code}", f"ksef-connector store check {store.code}"),
        )
    for store in delays.without_webhooks(session):
        why = load_text(store.webhook_trouble or "")
        looked.warn(
            "webhooks-asleep",
            Text(f"Webhooki sklepu {store.code}: {why.pl}", f"Webhooks of store {store.code}: {why.en}"),
            Text("Zmiany są znajdowane później.", "Changes are found later."),
            Text(
                f"ksef-connector store webhooks {store.code} --register",
                f"ksef-connector store webhooks {store.code} --register",
            ),
        )
    events = _count(session, WebhookEvent.done_at.is_(None), WebhookEvent.received_at < now - _LATE)
    if events:
        looked.warn(
            "events-waiting",
            Text(
                f"Zdarzenia ze sklepów nieopracowane od ponad godziny: {events}.",
                f"Events of shops not worked on for more than an hour: {events}.",
            ),
            Text("Sklep nie odpowiada albo nikt nie pracuje.", "A shop does not answer, or nobody works."),
            Text("ksef-connector store check", "ksef-connector store check"),
        )


def _going_out(looked: Looked, session: Session, now: datetime) -> None:
    rows = session.execute(
        select(Store.code, func.count(), func.max(Publication.failure))
        .join(Document, Publication.document_id == Document.id)
        .join(ShopOrder, Document.order_id == ShopOrder.id)
        .join(Store, ShopOrder.store_id == Store.id)
        .where(Publication.done_at.is_(None), Publication.failure.is_not(None))
        .group_by(Store.code)
        .order_by(Store.code)
    )
    for code, count, failure in rows:
        looked.warn(
            "publications-failing",
            Text(
                f"Sklep {code}: zapisy, które się nie udają: {count} ({_plain(failure)})",
                f"Store {code}: what cannot be written to it: {count} ({_plain(failure)})",
            ),
            Text("Kupujący nie widzi numeru KSeF.", "The buyer does not see the KSeF number."),
            Text(f"ksef-connector store check {code}", f"ksef-connector store check {code}"),
        )
    mails = _count(session, Mail.state.in_((MailState.UNKNOWN, MailState.REFUSED)))
    late = sum(one.count for one in delays.unsent_mails(session, now - _LONG))
    if mails or late:
        looked.warn(
            "mails-not-sent",
            Text(
                f"E-maile odrzucone lub niepewne: {mails}; czekające ponad 12 godzin: {late}.",
                f"E-mails refused or in doubt: {mails}; waiting for over 12 hours: {late}.",
            ),
            Text("Kupujący nie dostał wiadomości.", "The buyer got no message."),
            Text("ksef-connector mail list", "ksef-connector mail list"),
        )


def _machines(looked: Looked, session: Session, now: datetime) -> None:
    for hook in delays.given_up_hooks(session):
        why = load_text(hook.failure) if hook.failure else Text("", "")
        looked.warn(
            "hook-off",
            Text(f"Powiadomienie {hook.url} wyłączono: {why.pl}", f"Hook {hook.url} is off: {why.en}"),
            Text("Tamten program nic nie dostaje.", "That program gets nothing."),
            Text("Włącz je na stronie API i powiadomień.", "Switch it on on the page API and hooks."),
        )
    late = sum(count for _, count, _ in delays.undelivered(session, now - _LONG))
    if late:
        looked.warn(
            "deliveries-late",
            Text(
                f"Powiadomienia niedostarczone od ponad 12 godzin: {late}.",
                f"Messages to hooks not delivered for over 12 hours: {late}.",
            ),
            Text("Tamten program nie wie o dokumentach.", "That program does not know of documents."),
            Text("Zob. stronę API i powiadomień.", "See the page API and hooks."),
        )


def _plain(failure: str | None) -> str:
    """A stored failure, which may be a sentence in both languages, in one line."""
    with suppress(ValueError, KeyError, TypeError):
        return load_text(failure or "").en[:200]
    return (failure or "")[:200]
