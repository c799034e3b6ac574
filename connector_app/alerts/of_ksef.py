"""Rules about the way to KSeF: what ends, sellers that it does not let in, outages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from connector_app import outages
from connector_app.alerts.condition import Condition, Look, moment
from connector_app.alerts.kinds import Kind
from connector_app.pipeline.holds import hold_of
from connector_app.renewals import Held, HeldKind, held_by, notices
from connector_app.vault import VaultLocked
from core.calendar import warsaw_day
from core.findings import Finding, Severity, Text
from core.ksef.latarnia import Category, active
from core.signing.keys import KeyMaterialError

STAGES = (30, 14, 7, 1)
"""Days ahead on which an end is told, each once; the last one again when it is over."""
_A_WEEK_LONG = frozenset({HeldKind.SIGN_IN})
"""What lasts a week from the beginning is told one day ahead."""
_TO_SIGN_IN = Text(
    "Otwórz Ustawienia, Logowanie do KSeF: stoi tam powód. Sprawdź certyfikat, uprawnienia i ustawienia.",
    "Open Settings, Sign-in to KSeF: the reason is there. Check certificate, permissions and settings.",
)
_TO_WAIT = Text(
    "Program próbuje dalej sam. Powód stoi na stronie głównej; sprawdź też połączenie z internetem.",
    "The program goes on trying. The reason is on the first page; check the internet connection too.",
)
_IN_OUTAGE = Text(
    "Dokumenty czekają albo powstają w trybie offline, jak każą zasady sklepu; wyjdą same.",
    "Documents wait or are issued offline, as the store's policy says; they go out by themselves.",
)
_CATEGORIES = {
    Category.MAINTENANCE: Text("KSeF jest niedostępny: prace planowane", "KSeF is unavailable: maintenance"),
    Category.FAILURE: Text("Awaria KSeF", "KSeF has failed"),
    Category.TOTAL_FAILURE: Text("Awaria całkowita KSeF", "KSeF has failed totally"),
}


def credentials(look: Look) -> Sequence[Condition]:
    """Certificates, tokens and sign-ins that end within 30, 14, 7 and 1 days, or have ended."""
    found = []
    for seller in look.at_work():
        try:
            held = held_by(look.session, look.services.vault, seller)
        except (VaultLocked, KeyMaterialError):
            continue  # the lane is held for it, which is told
        for one in held:
            told = notices([one], look.today, look.services.tokens_end)
            step = _step(one, look)
            if told and step:
                found.append(_ending(seller.id, one, told[0], step, look.now))
    return found


def _step(one: Held, look: Look) -> int:
    """How many stages have passed; 0: the end is far, or nobody knows it."""
    end = look.services.tokens_end if one.kind is HeldKind.TOKEN else one.until and warsaw_day(one.until)
    if end is None:
        return len(STAGES) + 1
    days = (end - look.today).days
    stages = STAGES[-1:] if one.kind in _A_WEEK_LONG else STAGES
    passed = sum(days <= stage for stage in stages)
    return passed + (1 if days < 0 else 0)


def _ending(seller_id: int, one: Held, told: Finding, step: int, now: datetime) -> Condition:
    said = Text(
        _without(told.message.pl, f"Sprzedawca {one.seller}"),
        _without(told.message.en, f"Seller {one.seller}"),
    )
    key = f"{Kind.CREDENTIAL}:{seller_id}:{one.kind}"
    return Condition(
        key, Kind.CREDENTIAL, told.severity, said, told.hint, now, seller_id=seller_id, step=step
    )


def _without(sentence: str, seller: str) -> str:
    """A sentence without the seller, who is named above it."""
    rest = sentence.removeprefix(seller).removeprefix(":").strip()
    return rest[:1].upper() + rest[1:]


def held(look: Look) -> Sequence[Condition]:
    """Sellers whose documents KSeF keeps waiting: at once when it refuses them, else after some hours."""
    hours = look.options.number("held_hours")
    found = []
    for seller in look.at_work():
        hold = hold_of(seller, look.now)
        if hold is None or hold.since is None:
            continue
        since = moment(hold.since)
        if hold.refused:
            said = Text(
                f"KSeF nie wpuszcza sprzedawcy od {since}; dokumenty czekają.",
                f"KSeF does not let the seller in since {since}; documents wait.",
            )
            condition = (Kind.SIGN_IN, said, _TO_SIGN_IN)
        elif hold.since <= look.before(hours=hours):
            said = Text(
                f"Wysyłanie do KSeF stoi od {since}; dokumenty czekają.",
                f"Sending to KSeF stands still since {since}; documents wait.",
            )
            condition = (Kind.HELD, said, _TO_WAIT)
        else:
            continue
        kind, said, hint = condition
        key = f"{kind}:{seller.id}"
        found.append(Condition(key, kind, Severity.ERROR, said, hint, hold.since, seller_id=seller.id))
    return found


def outage(look: Look) -> Sequence[Condition]:
    """What Latarnia announces now; its end is told when it is over."""
    found = []
    for url, seen in outages.boards_in_use(look.session).items():
        now = active(seen.in_force, look.now)
        if now is None:
            continue
        words = _CATEGORIES[now.category]
        until = Text(
            f", koniec zapowiedziano na {moment(now.end)}" if now.end else "",
            f", its end is announced for {moment(now.end)}" if now.end else "",
        )
        said = Text(
            f"{words.pl} od {moment(now.start)}{until.pl}.",
            f"{words.en} since {moment(now.start)}{until.en}.",
        )
        severity = Severity.WARNING if now.category is Category.MAINTENANCE else Severity.ERROR
        key = f"{Kind.OUTAGE}:{url}:{now.event_id}"[:128]
        found.append(Condition(key, Kind.OUTAGE, severity, said, _IN_OUTAGE, now.start))
    return found
