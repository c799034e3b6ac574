"""Workers on PostgreSQL and a broker do the same work, each order once, whoever dies on the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import services
from tests.running.farm import farm, wait_for


@pytest.mark.parametrize("broker", ["rabbitmq", "redis"])
def test_workers_do_the_work(tmp_path: Path, broker: str) -> None:
    """Two sellers, one worker with two processes that also gives out work; SIGTERM ends it quietly."""
    address = getattr(services, broker)()
    orders = [[11, 12], [21]]
    with farm(tmp_path, address, orders) as made:
        worker = made.start("worker", "--processes", 2, "--every", 1, "--beat")
        wait_for(lambda: made.published() == 3, 60, "all documents published")
        made.assert_one_story(orders)
        worker.terminate()
        assert worker.wait(timeout=20) == 0
