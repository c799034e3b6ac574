"""Kinds of alerts, and what of them an installation sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from connector_app.store.desk import InstallationSetting
from connector_app.store.people import Role
from core.findings import Text

_NAME = "alerts"


class Kind(StrEnum):
    """What can be wrong; the names are part of the interface (hooks, metrics)."""

    ATTENTION = "attention"
    DEADLINE = "deadline"
    CREDENTIAL = "credential"
    SIGN_IN = "sign-in"
    HELD = "held"
    LIMIT = "limit"
    STUCK = "stuck"
    OUTAGE = "outage"
    STORE_SILENT = "store-silent"
    NO_ORDERS = "no-orders"
    WEBHOOKS = "webhooks"
    MAIL = "mail"
    HOOKS = "hooks"
    DISK = "disk"
    RUNNER = "runner"
    ARCHIVE = "archive"
    BACKUP = "backup"


WORDS: Mapping[Kind, Text] = {
    Kind.ATTENTION: Text("Dokument za długo czeka na decyzję", "A document waits too long for a decision"),
    Kind.DEADLINE: Text("Zbliża się albo minął termin przesłania", "A deadline of sending is near or passed"),
    Kind.CREDENTIAL: Text("Kończy się certyfikat, token albo logowanie", "A certificate or sign-in ends"),
    Kind.SIGN_IN: Text("KSeF nie wpuszcza sprzedawcy", "KSeF does not let a seller in"),
    Kind.HELD: Text("Wysyłanie do KSeF stoi", "Sending to KSeF stands still"),
    Kind.LIMIT: Text("Limit KSeF długo jest wyczerpany", "The limit of KSeF is used up for long"),
    Kind.STUCK: Text("Dokument długo nie rusza się z miejsca", "A document does not move for long"),
    Kind.OUTAGE: Text("Awaria albo przerwa KSeF", "An outage of KSeF"),
    Kind.STORE_SILENT: Text("Sklep nie odpowiada", "A shop does not answer"),
    Kind.NO_ORDERS: Text("Sklep dawno nie miał zamówień", "A shop had no orders for long"),
    Kind.WEBHOOKS: Text("Webhooki sklepu nie przychodzą", "A shop's webhooks do not come"),
    Kind.MAIL: Text("E-maile długo nie wychodzą", "E-mails do not go out for long"),
    Kind.HOOKS: Text("Powiadomienia dla programów nie dochodzą", "Messages to programs do not arrive"),
    Kind.DISK: Text("Kończy się miejsce na dysku", "The disk is nearly full"),
    Kind.RUNNER: Text("Praca w tle stoi", "The background work stands still"),
    Kind.ARCHIVE: Text("Archiwum jest uszkodzone", "The archive is damaged"),
    Kind.BACKUP: Text("Kopia zapasowa jest za stara", "The backup is too old"),
}

PUBLIC = frozenset({Kind.OUTAGE})
"""Of the whole installation, and everybody's business."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """A number that decides from when on something is an alert.

    Attributes:
        name: of the setting. kind: whose. label: with its unit. default, least, most: in that unit.
    """

    name: str
    kind: Kind
    label: Text
    default: int
    least: int
    most: int


def _hours(name: str, kind: Kind, default: int, least: int = 1) -> Threshold:
    return Threshold(name, kind, Text("po godzinach", "after hours"), default, least, 720)


THRESHOLDS = (
    _hours("attention_hours", Kind.ATTENTION, 24),
    Threshold(
        "deadline_days",
        Kind.DEADLINE,
        Text("na tyle dni roboczych przed terminem", "so many working days before it"),
        1,
        0,
        7,
    ),
    _hours("held_hours", Kind.HELD, 2),
    _hours("limit_hours", Kind.LIMIT, 3),
    _hours("stuck_hours", Kind.STUCK, 6),
    Threshold("silent_minutes", Kind.STORE_SILENT, Text("po minutach", "after minutes"), 90, 5, 10_080),
    _hours("orders_hours", Kind.NO_ORDERS, 72),
    _hours("mail_hours", Kind.MAIL, 4),
    _hours("hooks_hours", Kind.HOOKS, 4),
    Threshold("disk_percent", Kind.DISK, Text("gdy wolne mniej procent", "below so many % free"), 10, 1, 50),
    Threshold("runner_minutes", Kind.RUNNER, Text("po minutach", "after minutes"), 15, 2, 1_440),
    Threshold("backup_days", Kind.BACKUP, Text("po dniach", "after days"), 2, 1, 60),
)
REMIND = Threshold(
    "remind_hours",
    Kind.ATTENTION,
    Text("Przypominaj co tyle godzin", "Remind every so many hours"),
    24,
    1,
    720,
)

OFF_BY_DEFAULT = frozenset({Kind.NO_ORDERS})
"""A shop may have few orders; only who knows it can say what is unusual."""


def _defaults() -> dict[str, int]:
    return {one.name: one.default for one in (*THRESHOLDS, REMIND)}


@dataclass(frozen=True, slots=True)
class Options:
    """What an installation sets.

    Attributes:
        off: kinds that are not looked for.
        numbers: thresholds by name.
        roles: people with one of these roles for a seller get letters about it.
        admins: owners of the installation get letters about all sellers, not only about the installation.
        muted: ids of people who get no letters.
    """

    off: frozenset[Kind] = OFF_BY_DEFAULT
    numbers: Mapping[str, int] = field(default_factory=_defaults)
    roles: frozenset[Role] = frozenset({Role.OWNER, Role.OPERATOR})
    admins: bool = True
    muted: frozenset[int] = frozenset()

    def number(self, name: str) -> int:
        """A threshold in its unit."""
        return self.numbers[name]


def options_of(session: Session) -> Options:
    """What is set; what is missing or unknown has its default."""
    row = session.get(InstallationSetting, _NAME)
    values: dict[str, Any] = row.value if row else {}
    known = Options()
    if not values:
        return known
    numbers = {
        name: int(values.get("numbers", {}).get(name, default)) for name, default in _defaults().items()
    }
    return Options(
        frozenset(Kind(one) for one in values.get("off", []) if one in set(Kind)),
        numbers,
        frozenset(Role(one) for one in values.get("roles", []) if one in set(Role)),
        bool(values.get("admins", True)),
        frozenset(int(one) for one in values.get("muted", [])),
    )


def set_options(session: Session, wanted: Options) -> None:
    """Set them, inside the caller's transaction."""
    values = asdict(wanted) | {
        "off": sorted(wanted.off),
        "roles": sorted(wanted.roles),
        "muted": sorted(wanted.muted),
        "numbers": dict(wanted.numbers),
    }
    row = session.get(InstallationSetting, _NAME)
    if row is None:
        session.add(InstallationSetting(name=_NAME, value=values))
    else:
        row.value = values
