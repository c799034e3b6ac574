"""What tests share is really shared: it depends on places inside the program and would be lost in silence."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command

from connector_app.store.database import open_database
from tests.migrated_once import new_database


def test_a_new_database_is_not_migrated_again_and_shares_its_compiler(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """See :mod:`tests.migrated_once` and :mod:`tests.one_compiler`."""
    new_database()

    def fail(*_: object) -> None:
        raise AssertionError("migrated again")

    monkeypatch.setattr(command, "upgrade", fail)
    engines = [open_database(f"sqlite:///{tmp_path / name}").kw["bind"] for name in ("a", "b")]
    assert engines[0]._compiled_cache is engines[1]._compiled_cache
