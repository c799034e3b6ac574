"""A whole numbers check of a seller, part by part."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version

from sqlalchemy import text

from connector_app.checks import documents, refunds, stored_files
from connector_app.checks.against_ksef import KsefCheck
from connector_app.checks.numbers import Foreign, SeriesCheck, new_foreign
from connector_app.checks.orders import OrdersCheck
from connector_app.checks.period import Period
from connector_app.checks.report import Part, Report
from connector_app.checks.rows import snapshot
from connector_app.ksef_access import environment_of
from connector_app.pipeline.services import Services
from connector_app.store.models import Seller
from core.calendar import warsaw_day
from core.findings import Text

NOT_ASKED = Text("Porównania z KSeF nie zamówiono.", "A comparison with KSeF was not asked for.")


@dataclass(frozen=True, slots=True)
class Watch:
    """Whom to tell how it goes.

    Attributes:
        progress: which part, how many were looked at, of how many (``None``: not known).
        waiting: before a pause that KSeF's limits ask for, with its seconds.
    """

    progress: Callable[[Part, int, int | None], None] = lambda _part, _done, _total: None
    waiting: Callable[[float], None] = field(default=lambda _seconds: None)


def check_numbers(
    services: Services, seller_id: int, period: Period, *, with_ksef: bool = True, watch: Watch = Watch()
) -> Report:
    """Look at everything that proves a seller's numbers; changes nothing.

    KSeF is asked first: what is issued meanwhile is then too fresh to be missed there.

    Args:
        services: the outside world.
        seller_id: the seller.
        period: Warsaw days.
        with_ksef: compare with KSeF; without it nothing is proved.
        watch: whom to tell.

    Raises:
        SQLAlchemyError: the database cannot be used.
    """
    began = time.monotonic()
    with services.database() as session:
        seller = session.get_one(Seller, seller_id)
        form = session.scalar(text("SELECT version_num FROM alembic_version"))
    report = Report(
        nip=seller.nip,
        name=seller.name,
        environment=environment_of(seller).name,
        period=period,
        made_at=services.clock(),
        program=version("ksef-shop-connector"),
        database_form=str(form or ""),
    )
    foreign: Foreign = new_foreign()
    if with_ksef:
        check = KsefCheck(services, seller, period, report)
        foreign = check.look(lambda done: watch.progress(Part.KSEF, done, None), watch.waiting)
    else:
        report.parts[Part.KSEF].why_not = NOT_ASKED
    _look_here(services, seller, period, report, foreign, watch)
    stored_files.look(
        services.database,
        seller_id,
        period,
        report,
        lambda done, total: watch.progress(Part.FILES, done, total),
    )
    report.seconds = time.monotonic() - began
    return report


def _look_here(
    services: Services, seller: Seller, period: Period, report: Report, foreign: Foreign, watch: Watch
) -> None:
    """What the database alone tells, all of it as it was at one moment."""
    numbering = services.profile(seller).numbering
    today = warsaw_day(services.clock())
    with snapshot(services.database) as session:
        SeriesCheck(session, seller.id, numbering, period, report).look(
            foreign, lambda done: watch.progress(Part.SERIES, done, None)
        )
        documents.look(session, seller.id, period, report)
        OrdersCheck(session, seller.id, period, today, report).look(
            lambda done: watch.progress(Part.ORDERS, done, None)
        )
        refunds.look(
            session, seller.id, period, report, lambda done: watch.progress(Part.REFUNDS, done, None)
        )
