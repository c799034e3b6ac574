"""Settings of an installation with many processes: what cannot work is refused in words."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from connector_app.settings import BadSetting, Settings
from connector_app.vault import Vault
from connector_app.web.here import WebOptions
from tests import databases, services
from tests.cli.conftest import Run, home, run  # noqa: F401  fixtures
from tests.pipeline.world import world
from tests.web.site import Site, site

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


def test_a_machine_with_another_key_is_told_so(
    run: Run,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It neither makes a key of its own nor works with another one; the first machine's is noted."""
    with databases.migrated() as url:
        monkeypatch.setenv("DATABASE_URL", url)
        monkeypatch.setenv("BROKER_URL", "amqp://127.0.0.1:9//")
        monkeypatch.setenv("KSEF_CONNECTOR_KEY_FILE", str(tmp_path / "first.key"))
        assert run("seller", "list").exit_code == 0
        monkeypatch.setenv("KSEF_CONNECTOR_KEY_FILE", str(tmp_path / "missing.key"))
        refused = run("worker", lang="en")
        assert (refused.exit_code, (tmp_path / "missing.key").exists()) == (2, False)
        assert "KSEF_CONNECTOR_KEY_FILE" in refused.output
        Vault.open(tmp_path / "other.key")
        monkeypatch.setenv("KSEF_CONNECTOR_KEY_FILE", str(tmp_path / "other.key"))
        refused = run("worker", lang="en")
        assert refused.exit_code == 2
        assert "other machines have another" in refused.output
        monkeypatch.setenv("KSEF_CONNECTOR_KEY_FILE", str(tmp_path / "first.key"))
        nobody = run("worker", "--alive", lang="en")
        assert (nobody.exit_code, "Nothing is at work" in nobody.output) == (1, True)


def test_requests_are_counted_for_all_processes_where_there_is_redis(tmp_path: Path) -> None:
    """Another process of the same installation has the same count; a Redis that is down closes no door."""
    name = f"test-{tmp_path.name}-{os.getpid()}"
    with world(tmp_path, []) as made:
        made.prepare()
        counts = WebOptions(counts_in=services.redis(), counts_as=name)
        tries = [knock(site(made.services(), counts)) for _one in range(2)]
        assert tries[1] == tries[0] - 1
        counts = WebOptions(counts_in="redis://127.0.0.1:9")
        assert knock(site(made.services(), counts)) > 0


def knock(pages: Site) -> int:
    """Try a link of a first account; how many tries are left."""
    answer = pages.browser().client.get("/start/not-a-token")
    return int(answer.headers["X-RateLimit-Remaining"])


def test_commands_of_many_processes_say_what_is_missing(run: Run) -> None:  # noqa: F811
    """An embedded installation needs neither."""
    for command in ("worker", "beat"):
        refused = run(command, lang="en")
        assert refused.exit_code == 2
        assert "serve is enough" in refused.output
        assert "BROKER_URL" in refused.output
