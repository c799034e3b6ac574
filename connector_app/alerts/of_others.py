"""Rules about shops, mail servers and receivers of hooks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import func, select

from connector_app import measures
from connector_app.alerts.condition import Condition, Look, moment
from connector_app.alerts.kinds import Kind
from connector_app.hooks.keeping import BY_PERSON
from connector_app.pipeline.services import dump_text
from connector_app.store.machines import Hook, HookDelivery
from connector_app.store.models import Document, Mail, MailState, ShopOrder, Store
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
    working = [one.id for one in look.at_work()]
    rows = look.session.execute(
        select(Store.id, Store.seller_id, Store.code, func.coalesce(Store.looked_at, Store.created_at))
        .where(
            IS_OPEN, Store.seller_id.in_(working), func.coalesce(Store.looked_at, Store.created_at) <= limit
        )
        .order_by(Store.id)
    )
    return [
        Condition(
            f"{Kind.STORE_SILENT}:{store_id}",
            Kind.STORE_SILENT,
            Severity.ERROR,
            Text(
                f"Sklep {code}: zamówień nie udało się odczytać od {moment(since)}.",
                f"Store {code}: its orders could not be read since {moment(since)}.",
            ),
            _TO_STORE,
            since,
            seller_id=seller_id,
            store_id=store_id,
        )
        for store_id, seller_id, code, since in rows
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
    rows = look.session.execute(
        select(Store.id, Store.seller_id, Store.code, Store.webhook_checked_at)
        .where(IS_OPEN, Store.webhook_trouble.is_not(None))
        .order_by(Store.id)
    )
    return [
        Condition(
            f"{Kind.WEBHOOKS}:{store_id}",
            Kind.WEBHOOKS,
            Severity.WARNING,
            Text(f"Sklep {code}: webhooki nie przychodzą.", f"Store {code}: its webhooks do not come."),
            _TO_WEBHOOKS,
            checked or look.now,
            seller_id=seller_id,
            store_id=store_id,
        )
        for store_id, seller_id, code, checked in rows
    ]


def mails(look: Look) -> Sequence[Condition]:
    """E-mails to buyers, and letters about alerts, that do not go out for longer than is set."""
    limit = look.before(hours=look.options.number("mail_hours"))
    rows = look.session.execute(
        select(Document.seller_id, Document.store_id, func.count(), func.min(Mail.created_at))
        .join(Document, Document.id == Mail.document_id)
        .where(Mail.state == MailState.DUE.value, Mail.created_at <= limit)
        .group_by(Document.seller_id, Document.store_id)
        .order_by(Document.seller_id, Document.store_id)
    )
    found = [
        Condition(
            f"{Kind.MAIL}:{store_id}",
            Kind.MAIL,
            Severity.WARNING,
            Text(
                f"E-maile do nabywców nie wychodzą od {moment(since)}; czeka: {count}.",
                f"E-mails to buyers do not go out since {moment(since)}; waiting: {count}.",
            ),
            _TO_MAIL,
            since,
            seller_id=seller_id,
            store_id=store_id,
        )
        for seller_id, store_id, count, since in rows
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
    waiting = select(func.min(HookDelivery.created_at)).where(
        HookDelivery.hook_id == Hook.id, HookDelivery.done_at.is_(None), HookDelivery.attempts > 0
    )
    rows = look.session.execute(
        select(Hook.id, Hook.seller_id, Hook.disabled_at, Hook.failure, waiting.scalar_subquery()).order_by(
            Hook.id
        )
    )
    found = []
    for hook_id, seller_id, disabled_at, failure, oldest in rows:
        if disabled_at is not None:
            if failure == dump_text(BY_PERSON):
                continue
            since, step = disabled_at, 1
            said = Text(
                f"Webhook nr {hook_id} wyłączono {moment(since)}: odbiorca nie przyjmował wiadomości.",
                f"Hook no. {hook_id} was switched off {moment(since)}: its receiver took no messages.",
            )
        elif oldest is not None and oldest <= limit:
            since, step = oldest, 0
            said = Text(
                f"Webhook nr {hook_id}: wiadomości nie dochodzą od {moment(since)}.",
                f"Hook no. {hook_id}: messages do not arrive since {moment(since)}.",
            )
        else:
            continue
        found.append(
            Condition(
                f"{Kind.HOOKS}:{hook_id}",
                Kind.HOOKS,
                Severity.WARNING,
                said,
                _TO_HOOKS,
                since,
                seller_id=seller_id,
                step=step,
            )
        )
    return found
