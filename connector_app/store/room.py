"""How much room the database takes, and how much its disk has left."""

from __future__ import annotations

import shutil
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session


def of_database(session: Session) -> tuple[int | None, float | None]:
    """The database's size in bytes, and the free part of its disk, 0 to 1; what cannot be known is ``None``.

    A database on another machine keeps its disk to itself.
    """
    engine = session.get_bind().engine
    if engine.dialect.name == "postgresql":
        return session.scalar(text("SELECT pg_database_size(current_database())")), None
    name = engine.url.database
    if not name or name == ":memory:":
        return None, None
    file = Path(name)
    try:
        disk = shutil.disk_usage(file.parent)
        size = sum(one.stat().st_size for one in (file, Path(f"{name}-wal")) if one.exists())
    except OSError:
        return None, None
    return size, disk.free / disk.total
