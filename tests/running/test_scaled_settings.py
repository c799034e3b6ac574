"""Settings of an installation with many processes: what cannot work is refused in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector_app.settings import BadSetting, Settings
from tests.cli.conftest import Run, home, run  # noqa: F401  fixtures

POSTGRES = "postgresql+psycopg://ksef@db/ksef"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"BROKER_URL": "amqp://mq//"}, "DATABASE_URL"),
        ({"BROKER_URL": "amqp://mq//", "DATABASE_URL": "sqlite:///x"}, "PostgreSQL"),
        ({"BROKER_URL": "kafka://mq", "DATABASE_URL": POSTGRES}, "amqp://"),
        ({"KSEF_CONNECTOR_REDIS_URL": "http://cache"}, "redis://"),
        ({"KSEF_CONNECTOR_QUEUE": "two words"}, "64"),
        ({"DATABASE_URL": POSTGRES, "DATABASE_URL_FILE": "/x"}, "only one"),
        ({"BROKER_URL_FILE": "/nowhere/at/all"}, "cannot be read"),
    ],
)
def test_what_cannot_work_is_refused(values: dict[str, str], said: str) -> None:
    with pytest.raises(BadSetting, match=said):
        Settings.from_environment(values)


def test_a_redis_broker_counts_requests_too(tmp_path: Path) -> None:
    """Addresses with passwords are never shown."""
    (tmp_path / "broker").write_text("redis://:hunter2@cache/0\n")
    found = Settings.from_environment({"BROKER_URL_FILE": str(tmp_path / "broker"), "DATABASE_URL": POSTGRES})
    assert found.is_scaled
    assert found.redis_url == "redis://:hunter2@cache/0"
    assert "hunter2" not in repr(found)


def test_commands_of_many_processes_say_what_is_missing(run: Run) -> None:  # noqa: F811
    """An embedded installation needs neither."""
    for command in ("worker", "beat"):
        refused = run(command, lang="en")
        assert refused.exit_code == 2
        assert "serve is enough" in refused.output
        assert "BROKER_URL" in refused.output
