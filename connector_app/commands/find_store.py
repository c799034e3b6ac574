"""Finding a store by its code."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from connector_app.commands.app import App, BadInput
from connector_app.store.models import Store
from connector_app.store.recovered import IS_SHOP


def find_store(session: Session, app: App, code: str) -> Store:
    """The store with a code.

    Raises:
        BadInput: there is none; the hint names those that there are.
    """
    row = session.scalar(select(Store).where(Store.code == code, IS_SHOP))
    if row is None:
        codes = ", ".join(session.scalars(select(Store.code).where(IS_SHOP).order_by(Store.code)))
        raise BadInput(
            app.text(f"Nie ma sklepu {code}.", f"There is no store {code}."),
            app.text(f"Są: {codes}", f"There are: {codes}")
            if codes
            else f"ksef-connector store add {code} ...",
        )
    return row
