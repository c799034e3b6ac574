"""Looking at a store's connection from the browser, as a job."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from connector_app.pipeline.services import Services
from connector_app.store.desk import Job
from connector_app.store.models import Store
from connector_app.store_check import as_json, check_store
from connector_app.vault import VaultLocked
from connector_app.web import jobs
from connector_app.web.here import here
from connector_app.web.jobs import JobFailed, Progress
from core.findings import Text

KIND = "store-check"


def begin(code: str) -> int:
    """Look at a store; the job's id."""
    with here().services.database() as session:
        store = session.scalars(select(Store).where(Store.code == code)).one()
    store_id = store.id

    def work(services: Services, _progress: Progress) -> dict[str, Any]:
        with services.database() as session:
            row = session.get_one(Store, store_id)
        try:
            return {"lines": as_json(check_store(services, row))}
        except VaultLocked as error:
            raise JobFailed(Text(str(error), str(error))) from None

    return jobs.start(KIND, subject(code), store.seller_id, work)


def subject(code: str) -> str:
    """What jobs about a store are about."""
    return f"store:{code}"


def last(session: Session, kind: str, code: str) -> Job | None:
    """The newest job of a kind about a store."""
    return session.scalar(
        select(Job).where(Job.kind == kind, Job.subject == subject(code)).order_by(Job.id.desc()).limit(1)
    )
