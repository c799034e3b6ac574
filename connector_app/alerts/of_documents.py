"""Rules about documents: decisions that nobody makes, deadlines, and what does not move."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select

from connector_app.alerts.condition import Condition, Look, moment
from connector_app.alerts.kinds import Kind
from connector_app.ksef_access import SEND, environment_of
from connector_app.overview import delays, work
from connector_app.store.models import Document, DocumentState, KsefRequest, Seller
from core.findings import Severity, Text
from core.ksef.limits import PUBLISHED, group_of, windows

_MOST = 1_000
_TO_DECIDE = Text(
    "Otwórz „Dokumenty”, stan „wymaga decyzji” albo „odrzucony”: przy każdym stoi, co zrobić.",
    'Open "Documents", states "needs a decision" or "rejected": each says what to do.',
)
_TO_SEND = Text(
    "Otwórz dokument: stoi przy nim, na co czeka. Po terminie wyślij go i tak, od razu.",
    "Open the document: it says what it waits for. After the deadline send it all the same, at once.",
)
_TO_LOOK = Text(
    "Otwórz dokument: stoi przy nim, na co czeka. Można go ponowić.",
    "Open the document: it says what it waits for. It can be tried again.",
)
_TO_BATCH = Text(
    "Włącz wysyłanie paczkami (Ustawienia, Wysyłanie) albo odczekaj: KSeF przyjmuje 180 na godzinę.",
    "Switch batches on (Settings, Sending) or wait: KSeF takes 180 an hour.",
)


def attention(look: Look) -> Sequence[Condition]:
    """Documents that wait for a decision longer than is set, one condition for each seller."""
    hours = look.options.number("attention_hours")
    found = []
    for one in delays.undecided(look.session, look.before(hours=hours)):
        said = Text(
            f"Dokumenty czekające na decyzję dłużej niż {hours} godz.: {one.count}, najdłużej od "
            f"{moment(one.since)}.",
            f"Documents that wait for a decision for more than {hours} h: {one.count}, the longest since "
            f"{moment(one.since)}.",
        )
        key = f"{Kind.ATTENTION}:{one.seller_id}"
        found.append(
            Condition(
                key, Kind.ATTENTION, Severity.WARNING, said, _TO_DECIDE, one.since, seller_id=one.seller_id
            )
        )
    return found


def stuck(look: Look) -> Sequence[Condition]:
    """Documents on their way to which nothing happened for longer than is set."""
    hours = look.options.number("stuck_hours")
    working = {one.id for one in look.at_work()}
    found = []
    for one in delays.unmoved(look.session, look.before(hours=hours)):
        if one.seller_id not in working:
            continue
        said = Text(
            f"Dokumenty w drodze, które nie ruszyły się od {hours} godz.: {one.count}, najdłużej od "
            f"{moment(one.since)}.",
            f"Documents on their way that did not move for {hours} h: {one.count}, the longest since "
            f"{moment(one.since)}.",
        )
        key = f"{Kind.STUCK}:{one.seller_id}"
        found.append(
            Condition(key, Kind.STUCK, Severity.ERROR, said, _TO_LOOK, one.since, seller_id=one.seller_id)
        )
    return found


def deadlines(look: Look) -> Sequence[Condition]:
    """Offline documents that must be sent soon, or should have been: working days by the Polish calendar."""
    days = look.options.number("deadline_days")
    found = []
    for seller_id in look.session.scalars(select(Seller.id).order_by(Seller.id)):
        near = work.deadlines(look.session, [seller_id], look.today, _MOST, within=days)
        if not near:
            continue
        late = sum(one.day < look.today for one in near)
        first = near[0].day
        said = Text(
            f"Dokumenty offline do przesłania: {len(near)}, pierwszy do {first:%d.%m.%Y}"
            + (f"; po terminie: {late}." if late else "."),
            f"Offline documents to be sent: {len(near)}, the first by {first:%d.%m.%Y}"
            + (f"; overdue: {late}." if late else "."),
        )
        found.append(
            Condition(
                f"{Kind.DEADLINE}:{seller_id}",
                Kind.DEADLINE,
                Severity.ERROR if late or first == look.today else Severity.WARNING,
                said,
                _TO_SEND,
                look.now,
                seller_id=seller_id,
                step=2 if late else 1 if first == look.today else 0,
            )
        )
    return found


def limits(look: Look) -> Sequence[Condition]:
    """Sellers whose hour is used up while documents wait for longer than is set."""
    hours = look.options.number("limit_hours")
    group = group_of(SEND)
    allowed = PUBLISHED[group].per_hour or 0
    length = windows(PUBLISHED[group])[-1][1]
    found = []
    for seller in look.at_work():
        used = look.session.scalar(
            select(func.count())
            .select_from(KsefRequest)
            .where(
                KsefRequest.environment == environment_of(seller).api_url,
                KsefRequest.context == seller.nip,
                KsefRequest.group == group.value,
                KsefRequest.at > look.now - length,
            )
        )
        if (used or 0) < allowed:
            continue
        oldest = look.session.scalar(
            select(func.min(Document.created_at)).where(
                Document.seller_id == seller.id,
                Document.state.in_((DocumentState.READY, DocumentState.ISSUED)),
            )
        )
        if oldest is None or oldest > look.before(hours=hours):
            continue
        said = Text(
            f"Limit KSeF ({allowed} dokumentów na godzinę) jest wyczerpany, a dokumenty czekają od "
            f"{moment(oldest)}.",
            f"The limit of KSeF ({allowed} documents an hour) is used up, and documents wait since "
            f"{moment(oldest)}.",
        )
        key = f"{Kind.LIMIT}:{seller.id}"
        found.append(
            Condition(key, Kind.LIMIT, Severity.WARNING, said, _TO_BATCH, oldest, seller_id=seller.id)
        )
    return found
