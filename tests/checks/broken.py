"""Breaking an installation on purpose, past the program, and checking it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from connector_app.checks.period import Period
from connector_app.checks.report import Report
from connector_app.checks.run import Watch, check_numbers
from connector_app.store.models import Document, Seller
from tests.pipeline.world import NIP, World

MONTH = "2026-11"


@dataclass
class Shelf:
    """An installation to break.

    Attributes:
        made: the installation with its KSeF and shop.
    """

    made: World
    _ids: dict[str, int] = field(default_factory=dict)

    def sql(self, statement: str, *values: Any) -> None:
        """Change the database's file past the program, which runs already, without keys and checks."""
        self.made.services()  # opening looks at foreign keys
        with closing(sqlite3.connect(self.made.home / "connector.sqlite3", timeout=10)) as plain, plain:
            plain.execute("PRAGMA foreign_keys = OFF")
            assert plain.execute(statement, values).rowcount != 0, "the test broke nothing"

    def document(self, number: str) -> Document:
        """A document by its invoice number."""
        with self.made.services().database() as session:
            return session.scalars(select(Document).where(Document.number == number)).one()

    def check(
        self,
        month: str = MONTH,
        *,
        with_ksef: bool = True,
        nip: str = NIP,
        end: str = "",
        waiting: Callable[[float], None] = lambda _seconds: None,
    ) -> Report:
        """The numbers check of a month."""
        services = self.made.services()
        with services.database() as session:
            seller = session.scalars(select(Seller.id).where(Seller.nip == nip)).one()
        period = Period.between(month, end or month)
        return check_numbers(services, seller, period, with_ksef=with_ksef, watch=Watch(waiting=waiting))

    def codes(self, month: str = MONTH, **how: Any) -> dict[str, int]:
        """What the check finds, by code."""
        return dict(self.check(month, **how).totals)
