"""What the owner of an installation decides about keeping: how long, and where backups go."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from connector_app.store.desk import InstallationSetting

LEGAL_YEARS = 10
"""Years for which KSeF itself keeps an invoice (art. 112aa VAT act); a tax's limitation is half of it."""
PERSONAL_DAYS = 130
"""Days after which personal data of an order that needs no invoice are deleted.

A buyer may ask for an invoice within three months from the end of the month of the sale (art. 106b ust. 3 VAT
act), which is 123 days at the most, and a week more for a request on its way. Up to then the data serve a
purpose (RODO art. 5 ust. 1 lit. e), and not longer.
"""


@dataclass(frozen=True, slots=True)
class KeepingOptions:
    """How long what is kept.

    Attributes:
        legal_years: years after the end of the year of the tax point, before a person may delete a document.
        personal_days: days after which personal data of orders that need no invoice are deleted; ``None``:
            never.
    """

    legal_years: int = LEGAL_YEARS
    personal_days: int | None = PERSONAL_DAYS


@dataclass(frozen=True, slots=True)
class BackupOptions:
    """Backups that the running program makes by itself.

    Attributes:
        folder: where they go; empty: none are made.
        hour: of the Warsaw day, 0 to 23, from which on the day's backup is made.
        daily, weekly, monthly: how many of each are kept.
        since: when the folder was named (aware UTC, ISO); empty: it was not.
    """

    folder: str = ""
    hour: int = 3
    daily: int = 7
    weekly: int = 4
    monthly: int = 12
    since: str = ""


def keeping_options(session: Session) -> KeepingOptions:
    """How long what is kept, as it is set."""
    values = state(session, "keeping")
    return KeepingOptions(
        int(values.get("legal_years", LEGAL_YEARS)), values.get("personal_days", PERSONAL_DAYS)
    )


def keep_by(session: Session, wanted: KeepingOptions) -> None:
    """Set how long what is kept, inside the caller's transaction."""
    put_state(session, "keeping", asdict(wanted))


def backup_options(session: Session) -> BackupOptions:
    """The backups that are made by themselves, as it is set."""
    known = BackupOptions()
    values = state(session, "backup")
    return BackupOptions(**{name: values.get(name, default) for name, default in asdict(known).items()})


def back_up_by(session: Session, wanted: BackupOptions, now: datetime) -> None:
    """Set the backups that are made by themselves, inside the caller's transaction.

    Args:
        session: of the transaction.
        wanted: what is set.
        now: aware UTC.
    """
    before = backup_options(session)
    same = wanted.folder and wanted.folder == before.folder
    since = before.since if same else now.isoformat() if wanted.folder else ""
    put_state(session, "backup", asdict(replace(wanted, since=since)))


def state(session: Session, name: str) -> dict[str, Any]:
    """What is kept under a name among the installation's settings; empty when there is nothing."""
    row = session.get(InstallationSetting, name)
    return dict(row.value) if row else {}


def put_state(session: Session, name: str, value: dict[str, Any]) -> None:
    """Keep a value under a name, inside the caller's transaction."""
    row = session.get(InstallationSetting, name)
    if row is None:
        session.add(InstallationSetting(name=name, value=value))
    else:
        row.value = value
