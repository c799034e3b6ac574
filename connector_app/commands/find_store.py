"""Finding a store by its code, and saying which there are when it is not there."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from connector_app.commands.app import App, BadInput
from connector_app.store.models import Store
from connector_app.store.recovered import IS_OPEN


def find_store(session: Session, app: App, code: str) -> Store:
    """A connected store.

    Args:
        session: to read with.
        app: screen language.
        code: of the store.

    Raises:
        BadInput: there is none, or it was removed.
    """
    row = session.scalar(select(Store).where(Store.code == code, IS_OPEN))
    if row is None:
        codes = ", ".join(session.scalars(select(Store.code).where(IS_OPEN).order_by(Store.code)))
        raise BadInput(
            app.text(f"Nie ma sklepu {code}.", f"There is no store {code}."),
            app.text(f"Są: {codes}", f"There are: {codes}")
            if codes
            else f"ksef-connector store add {code} ...",
        )
    return row
