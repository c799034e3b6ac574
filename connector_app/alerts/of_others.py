"""Rules about shops, mail servers and receivers of hooks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select

from connector_app import measures
from connector_app.alerts.condition import Condition, Look, moment
from connector_app.alerts.kinds import Kind
from connector_app.overview import delays
from connector_app.store.machines import Hook
from connector_app.store.models import Document, ShopOrder, Store
from connector_app.store.recovered import IS_OPEN
from connector_app.store.watching import AlertLetter, LetterState
from core.findings import Severity, Text

_TO_STORE = Text(
    "Otwórz stronę sklepu i „Sprawdź połączenie”: powie, co jest nie tak (adres, klucz, uprawnienia).",
    'Open the store\'s page and "Check the connection": it says what is wrong (address, key, permissions).',
)
_TO_WEBHOOKS = Text(
    "Zamówienia i tak są odczytywane co chwilę. Powód stoi na stronie sklepu.",
    "Orders are read every now and then all the same. The reason is on the store's page.",
)
_TO_MAIL = Text(
    "Otwórz serwer poczty sklepu i wyślij próbę; e-maile wyjdą same, gdy zadziała.",
    "Open the store's mail server and send a trial; e-mails go out by themselves once it works.",
)
_TO_LETTERS = Text(
    "Otwórz Ustawienia, Alarmy i wyślij próbę: serwer poczty nie przyjmuje wiadomości o alarmach.",
    "Open Settings, Alerts and send a trial: the mail server does not take messages about alerts.",
)
_TO_HOOKS = Text(
    "Otwórz Ustawienia, Dla programów: przy webhooku stoi, co odpowiada odbiorca.",
    "Open Settings, For machines: the hook says what its receiver answers.",
)


def silent_stores(look: Look) -> Sequence[Condition]:
    """Shops whose orders could not be read for longer than is set, while the program does ask."""
    minutes = look.options.number("silent_minutes")
    limit = look.now - timedelta(minutes=minutes)
    asked = measures.last_done(look.session, "look")
    if asked is None or asked < limit.timestamp():
        return []  # nobody asks: the background work stands still, which is another alert
    working = {one.id for one in look.at_work()}
    return [
        Condition(
            f"{Kind.STORE_SILENT}:{store.id}",
            Kind.STORE_SILENT,
            Severity.ERROR,
            Text(
                f"Sklep {store.code}: zamówień nie udało się odczytać od {moment(since)}.",
                f"Store {store.code}: its orders could not be read since {moment(since)}.",
            ),
            _TO_STORE,
            since,
            seller_id=store.seller_id,
            store_id=store.id,
        )
        for store, since in delays.silent_stores(look.session, limit)
        if store.seller_id in working
    ]


def no_orders(look: Look) -> Sequence[Condition]:
    """Shops that had no new order for longer than is set; looked for only where somebody wants it."""
    hours = look.options.number("orders_hours")
    newest = select(func.max(ShopOrder.id)).where(ShopOrder.store_id == Store.id).scalar_subquery()
    rows = look.session.execute(
        select(Store.id, Store.seller_id, Store.code, func.max(Document.created_at))
        .join(Document, Document.order_id == newest)
        .where(IS_OPEN)
        .group_by(Store.id, Store.seller_id, Store.code)
        .having(func.max(Document.created_at) <= look.before(hours=hours))
        .order_by(Store.id)
    )
    return [
        Condition(
            f"{Kind.NO_ORDERS}:{store_id}",
            Kind.NO_ORDERS,
            Severity.WARNING,
            Text(
                f"Sklep {code}: ostatnie nowe zamówienie przyszło {moment(since)}.",
                f"Store {code}: its last new order came {moment(since)}.",
            ),
            _TO_STORE,
            since,
            seller_id=seller_id,
            store_id=store_id,
        )
        for store_id, seller_id, code, since in rows
    ]


def webhooks(look: Look) -> Sequence[Condition]:
    """Shops whose webhooks do not come."""
    return [
        Condition(
            f"{Kind.WEBHOOKS}:{one.id}",
            Kind.WEBHOOKS,
            Severity.WARNING,
            Text(
                f"Sklep {one.code}: webhooki nie przychodzą.", f"Store {one.code}: its webhooks do not come."
            ),
            _TO_WEBHOOKS,
            one.webhook_checked_at or look.now,
            seller_id=one.seller_id,
            store_id=one.id,
        )
        for one in delays.without_webhooks(look.session)
    ]


def mails(look: Look) -> Sequence[Condition]:
    """E-mails to buyers, and letters about alerts, that do not go out for longer than is set."""
    limit = look.before(hours=look.options.number("mail_hours"))
    found = [
        Condition(
            f"{Kind.MAIL}:{one.store_id}",
            Kind.MAIL,
            Severity.WARNING,
            Text(
                f"E-maile do nabywców nie wychodzą od {moment(one.since)}; czeka: {one.count}.",
                f"E-mails to buyers do not go out since {moment(one.since)}; waiting: {one.count}.",
            ),
            _TO_MAIL,
            one.since,
            seller_id=one.seller_id,
            store_id=one.store_id,
        )
        for one in delays.unsent_mails(look.session, limit)
    ]
    oldest = look.session.scalar(
        select(func.min(AlertLetter.created_at)).where(
            AlertLetter.state == LetterState.DUE.value, AlertLetter.created_at <= limit
        )
    )
    if oldest is not None:
        said = Text(
            f"Wiadomości o alarmach nie wychodzą od {moment(oldest)}.",
            f"Messages about alerts do not go out since {moment(oldest)}.",
        )
        found.append(Condition(f"{Kind.MAIL}:letters", Kind.MAIL, Severity.ERROR, said, _TO_LETTERS, oldest))
    return found


def hooks(look: Look) -> Sequence[Condition]:
    """Receivers that take no messages for longer than is set, or were switched off for it."""
    limit = look.before(hours=look.options.number("hooks_hours"))
    found = []
    for hook in delays.given_up_hooks(look.session):
        since = hook.disabled_at or look.now
        said = Text(
            f"Webhook nr {hook.id} wyłączono {moment(since)}: odbiorca nie przyjmował wiadomości.",
            f"Hook no. {hook.id} was switched off {moment(since)}: its receiver took no messages.",
        )
        found.append(_of_hook(hook, said, since, step=1))
    for hook, _, since in delays.undelivered(look.session, limit):
        said = Text(
            f"Webhook nr {hook.id}: wiadomości nie dochodzą od {moment(since)}.",
            f"Hook no. {hook.id}: messages do not arrive since {moment(since)}.",
        )
        found.append(_of_hook(hook, said, since, step=0))
    return found


def _of_hook(hook: Hook, said: Text, since: datetime, *, step: int) -> Condition:
    key = f"{Kind.HOOKS}:{hook.id}"
    return Condition(
        key, Kind.HOOKS, Severity.WARNING, said, _TO_HOOKS, since, seller_id=hook.seller_id, step=step
    )
