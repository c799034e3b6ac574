"""One SQL compiler for all databases of a test run: compiling statements takes longer than many a test.

An engine keeps compiled statements by its dialect, so engines that have the dialect in common can share them.
Everything else of an engine (file, connections, settings, transactions) stays its own.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy
from sqlalchemy import Engine

from connector_app.store import database

_first: dict[str, Engine] = {}


def share() -> None:
    """Let all engines that the program makes from now on share what they compile."""
    vars(database)["create_engine"] = _create


def _create(url: str, **settings: Any) -> Engine:
    made = sqlalchemy.create_engine(url, **settings)
    first = _first.setdefault(made.dialect.name, made)
    made.dialect = first.dialect
    made.pool._dialect = first.dialect
    made._compiled_cache = first._compiled_cache
    return made
