"""Hooks for machines: added, changed, tried and removed as on their page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from connector_app.hooks import keeping
from connector_app.hooks.happenings import Happening
from connector_app.outbound import LONGEST_URL, ForbiddenAddress
from connector_app.pipeline.services import load_text
from connector_app.store.machines import Hook, HookDelivery
from connector_app.web.access import audit
from connector_app.web.api.operation import Caller, operation
from connector_app.web.api.paging import MOST, after, cursor
from connector_app.web.api.problems import Code, Refusal
from connector_app.web.api.typed import Fault, told
from connector_app.web.here import here
from core.findings import Text


@dataclass(frozen=True, slots=True)
class HookItem:
    """An address that is told of what happens."""

    id: int = told("Identyfikator.", "Id.")
    url: str = told("Adres.", "Address.")
    events: list[Happening] = told("O czym jest powiadamiany.", "What it is told of.")
    enabled: bool = told("Czy jest włączony.", "Whether it is on.")
    failure: Text | None = told("Dlaczego jest wyłączony.", "Why it is off.")
    created_at: datetime = told("Kiedy powstał.", "When it was added.")

    @classmethod
    def of(cls, row: Hook) -> HookItem:
        """From its row."""
        return cls(
            row.id,
            row.url,
            [Happening(one) for one in row.events],
            row.disabled_at is None,
            load_text(row.failure) if row.failure else None,
            row.created_at,
        )


@dataclass(frozen=True, slots=True)
class HookList:
    """All hooks of the seller."""

    items: list[HookItem] = told("Webhooki.", "Hooks.")


@dataclass(frozen=True, slots=True)
class HookMade:
    """A hook with its secret."""

    hook: HookItem = told("Webhook.", "The hook.")
    secret: str = told(
        "Sekret podpisów (whsec_…); nie da się go pokazać ponownie.",
        "Secret of the signatures (whsec_…); it cannot be shown again.",
    )


@dataclass(frozen=True, slots=True)
class NewHook:
    """A hook to add."""

    url: str = told(
        "Adres https.", "An https address.", longest=LONGEST_URL, example="https://erp.example/ksef"
    )
    events: list[Happening] = told("O czym powiadamiać.", "What to tell it of.", fewest=1)


@dataclass(frozen=True, slots=True)
class HookChange:
    """What to change of a hook; what is left out stays."""

    url: str | None = told("Nowy adres.", "New address.", default=None, longest=LONGEST_URL)
    events: list[Happening] | None = told(
        "O czym powiadamiać.", "What to tell it of.", default=None, fewest=1
    )
    enabled: bool | None = told(
        "Włącz albo wyłącz; włączony rusza od miejsca, w którym stanął.",
        "Switch it on or off; switched on, it goes on from where it stopped.",
        default=None,
    )


@dataclass(frozen=True, slots=True)
class DeliveryItem:
    """One message on its way to a hook, or there."""

    id: int = told("Identyfikator.", "Id.")
    message_id: str = told("webhook-id, ten sam przy każdej próbie.", "webhook-id, the same at every try.")
    event: str = told("Zdarzenie.", "Event.")
    attempts: int = told("Liczba prób.", "Number of tries.")
    status: int | None = told("Status ostatniej odpowiedzi.", "Status of the last answer.")
    failure: Text | None = told("Dlaczego nie doszła.", "Why it did not arrive.")
    next_attempt_at: datetime | None = told("Następna próba.", "Next try.")
    delivered_at: datetime | None = told("Kiedy doszła.", "When it arrived.")
    created_at: datetime = told("Kiedy powstała.", "When it came about.")

    @classmethod
    def of(cls, row: HookDelivery) -> DeliveryItem:
        """From its row."""
        return cls(
            row.id,
            str(row.body["id"]),
            row.event,
            row.attempts,
            row.status,
            load_text(row.failure) if row.failure else None,
            row.next_attempt_at,
            None if row.failure else row.done_at,
            row.created_at,
        )


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    """Some messages and where the next begin."""

    items: list[DeliveryItem] = told("Wiadomości, od najnowszych.", "Messages, the newest first.")
    next: str | None = told(
        "Kursor następnej strony; null na ostatniej.", "Cursor of the next page; null on the last."
    )


@dataclass(frozen=True, slots=True)
class DeliveryQuery:
    """What to list."""

    cursor: str | None = told("Kursor z pola next.", "Cursor from the field next.", default=None, longest=300)
    limit: int = told("Ile najwyżej.", "How many at most.", default=50, least=1, most=MOST)


@operation("GET", "/hooks", Text("Webhooki sprzedawcy.", "The seller's hooks."), tag="hooks", answer=HookList)
def list_hooks(caller: Caller) -> HookList:
    """All of them, switched off ones too."""
    with caller.services.database() as session:
        rows = session.scalars(select(Hook).where(Hook.seller_id == caller.seller_id).order_by(Hook.id)).all()
    return HookList([HookItem.of(row) for row in rows])


@operation(
    "POST",
    "/hooks",
    Text(
        "Dodaje webhook; sekret jest tylko w tej odpowiedzi.",
        "Add a hook; its secret is in this answer only.",
    ),
    tag="hooks",
    body=NewHook,
    answer=HookMade,
    status=201,
    writes=True,
    codes=(Code.ADDRESS, Code.TOO_MANY_HOOKS),
)
def add_hook(caller: Caller, body: NewHook) -> HookMade:
    """It is told of what happens from now on."""
    url = _checked(body.url)
    services = caller.services
    with services.database.begin() as session:
        try:
            row, secret = keeping.add(
                session, services.vault, caller.seller_id, url, body.events, services.clock()
            )
        except keeping.TooManyHooks:
            raise Refusal(Code.TOO_MANY_HOOKS) from None
        _audit(session, caller, "hook.add", row)
    return HookMade(HookItem.of(row), secret)


@operation("GET", "/hooks/{hook_id}", Text("Jeden webhook.", "One hook."), tag="hooks", answer=HookItem)
def get_hook(caller: Caller, hook_id: int) -> HookItem:
    """A hook of the caller's seller."""
    with caller.services.database() as session:
        return HookItem.of(_mine(session, caller, hook_id))


@operation(
    "PATCH",
    "/hooks/{hook_id}",
    Text("Zmienia, włącza albo wyłącza webhook.", "Change a hook, or switch it on or off."),
    tag="hooks",
    body=HookChange,
    answer=HookItem,
    writes=True,
    codes=(Code.ADDRESS,),
)
def change_hook(caller: Caller, hook_id: int, body: HookChange) -> HookItem:
    """What is left out, or null, stays."""
    url = _checked(body.url) if body.url is not None else None
    now = caller.services.clock()
    with caller.services.database.begin() as session:
        row = _mine(session, caller, hook_id)
        if url is not None:
            row.url = url
        if body.events is not None:
            row.events = keeping.names(body.events)
        if body.enabled is True and row.disabled_at is not None:
            keeping.switch_on(session, row, now)
        if body.enabled is False and row.disabled_at is None:
            keeping.switch_off(row, keeping.BY_PERSON, now)
        _audit(session, caller, "hook.change", row)
    here().wake(caller.seller_id)
    return HookItem.of(row)


@operation(
    "DELETE",
    "/hooks/{hook_id}",
    Text("Usuwa webhook.", "Remove a hook."),
    tag="hooks",
    status=204,
    writes=True,
)
def remove_hook(caller: Caller, hook_id: int) -> None:
    """With everything that was on its way to it."""
    with caller.services.database.begin() as session:
        row = _mine(session, caller, hook_id)
        _audit(session, caller, "hook.remove", row)
        keeping.remove(session, row)


@operation(
    "POST",
    "/hooks/{hook_id}/secret",
    Text(
        "Nowy sekret; przez dobę wiadomości mają też podpis poprzednim.",
        "A new secret; for a day messages are signed with the old one too.",
    ),
    tag="hooks",
    answer=HookMade,
    writes=True,
)
def renew_hook_secret(caller: Caller, hook_id: int) -> HookMade:
    """The new one is in this answer only."""
    services = caller.services
    with services.database.begin() as session:
        row = _mine(session, caller, hook_id)
        secret = keeping.renew_secret(row, services.vault, services.clock())
        _audit(session, caller, "hook.secret", row)
    return HookMade(HookItem.of(row), secret)


@operation(
    "POST",
    "/hooks/{hook_id}/test",
    Text("Wysyła wiadomość próbną.", "Send a trial message."),
    tag="hooks",
    answer=DeliveryItem,
    status=202,
    writes=True,
    codes=(Code.HOOK_OFF,),
)
def try_hook(caller: Caller, hook_id: int) -> DeliveryItem:
    """It goes out in the background; see the hook's messages."""
    with caller.services.database.begin() as session:
        row = _mine(session, caller, hook_id)
        try:
            made = keeping.try_out(session, row, caller.services.clock())
        except keeping.HookIsOff:
            raise Refusal(Code.HOOK_OFF) from None
        _audit(session, caller, "hook.test", row)
    here().wake(caller.seller_id)
    return DeliveryItem.of(made)


@operation(
    "GET",
    "/hooks/{hook_id}/deliveries",
    Text("Wiadomości do webhooka z ostatnich 30 dni.", "A hook's messages of the last 30 days."),
    tag="hooks",
    query=DeliveryQuery,
    answer=DeliveryPage,
    codes=(Code.INVALID_CURSOR,),
)
def list_deliveries(caller: Caller, hook_id: int, query: DeliveryQuery) -> DeliveryPage:
    """The newest first."""
    with caller.services.database() as session:
        hook = _mine(session, caller, hook_id)
        asked = select(HookDelivery).where(HookDelivery.hook_id == hook.id)
        if query.cursor is not None:
            asked = asked.where(HookDelivery.id < after(query.cursor, "deliveries", (int,))[0])
        found = session.scalars(asked.order_by(HookDelivery.id.desc()).limit(query.limit + 1)).all()
    shown = found[: query.limit]
    following = cursor("deliveries", shown[-1].id) if len(found) > query.limit else None
    return DeliveryPage([DeliveryItem.of(row) for row in shown], following)


def _mine(session: Session, caller: Caller, hook_id: int) -> Hook:
    row = session.get(Hook, hook_id)
    if row is None or row.seller_id != caller.seller_id:
        raise Refusal(Code.NOT_FOUND)
    return row


def _checked(url: str) -> str:
    try:
        return keeping.checked_url(url, allow_private=here().options.private_addresses)
    except ForbiddenAddress as error:
        raise Refusal(Code.ADDRESS, [Fault("url", error.text)]) from None


def _audit(session: Session, caller: Caller, action: str, row: Hook) -> None:
    # the address may hold a key of the receiver's, so it is not written down
    audit(
        session, action, f"hook:{row.id}", row.seller_id, {"events": row.events}, actor=f"api:{caller.name}"
    )
