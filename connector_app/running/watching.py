"""What pages and metrics tell of a scaled installation's work, read from the database."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from connector_app.pipeline.services import Services
from connector_app.running import turns, workers
from connector_app.store.database import trouble
from connector_app.store.running import Kind, Turn
from connector_app.web.here import Pulse
from core.findings import Text

LATE: Final = timedelta(minutes=5)
"""A turn that waits so long means that the workers do not keep up."""

_NO_WORKER = Text(
    "Nie pracuje żaden proces roboczy. Uruchom: ksef-connector worker.",
    "No worker is at work. Start: ksef-connector worker.",
)
_NO_BEAT = Text(
    "Nikt nie rozdziela pracy. Uruchom: ksef-connector beat.",
    "Nobody gives out work. Start: ksef-connector beat.",
)
_LATE = Text(
    "Praca czeka w kolejce ponad 5 minut: uruchom więcej procesów (ksef-connector worker --processes N) "
    "i sprawdź brokera wiadomości.",
    "Work waits in the queue for more than 5 minutes: start more processes (ksef-connector worker "
    "--processes N) and look at the message broker.",
)


def pulse(services: Services) -> Pulse:
    """What the workers last said about themselves."""
    now = services.clock()
    found = Pulse(started=now, elsewhere=True)
    try:
        found.problems = [one.pl for one in _missing(services)]
        with services.database() as session:
            rows = session.scalars(select(Turn).order_by(Turn.kind, Turn.subject)).all()
    except SQLAlchemyError as error:
        found.problems = [trouble(error).pl]
        return found
    for row in rows:
        found.problems += [one.pl for one in turns.texts(row.said.get("problems"))]
        found.notices += [one.pl for one in turns.texts(row.said.get("notices"))]
        found.passes += row.runs
    found.problems = list(dict.fromkeys(found.problems))
    found.at = max((row.ended_at for row in rows if row.ended_at is not None), default=None)
    lanes = [row for row in rows if row.kind == Kind.LANE and row.ended_at is not None]
    found.pass_seconds = max((row.seconds for row in lanes), default=0.0)
    return found


def _missing(services: Services) -> list[Text]:
    """What has to run and does not, and whether work waits too long."""
    roles = {one.role for one in workers.alive(services)}
    found = [
        said
        for role, said in ((workers.WORKER, _NO_WORKER), (workers.DISPATCHER, _NO_BEAT))
        if role not in roles
    ]
    if not found:
        with services.database() as session:
            late = session.scalar(select(func.min(Turn.next_at)).where(Turn.begun_at.is_(None)))
        if late is not None and services.clock() - late > LATE:
            found.append(_LATE)
    return found
