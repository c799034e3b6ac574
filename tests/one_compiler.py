"""One SQL compiler for all databases of a test run: compiling statements takes longer than many a test.

An engine keeps compiled statements by its dialect, so engines that have the dialect in common can share them.
Everything else of an engine (file, connections, settings, transactions) stays its own.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, Engine

from connector_app.store import engines

_first: dict[str, Engine] = {}
# where it has moved away, say so, or everything is compiled anew
_make = vars(engines)["create_engine"]


def share() -> None:
    """Let all engines that the program makes from now on share what they compile."""
    vars(engines)["create_engine"] = _create


def _create(url: URL, **settings: Any) -> Engine:
    made: Engine = _make(url, **settings)
    # PostgreSQL's dialect keeps what it learned of the one server that it first met
    if made.dialect.name != "sqlite":
        return made
    first = _first.setdefault(made.dialect.name, made)
    made.dialect = first.dialect
    made.pool._dialect = first.dialect
    made._compiled_cache = first._compiled_cache
    return made
