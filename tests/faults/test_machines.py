"""Celery workers killed at random keep the same promises as one process, see :mod:`tests.faults.machines`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import services
from tests.faults import machines
from tests.faults.harness import Size


@pytest.mark.faults
@pytest.mark.parametrize(("broker", "seed"), [("rabbitmq", 1), ("rabbitmq", 2), ("redis", 1), ("redis", 3)])
def test_workers_killed_at_random_keep_every_promise(tmp_path: Path, broker: str, seed: int) -> None:
    """50 orders and 20 refunds of three shops, KSeF, shops, mail and the database with faults."""
    services.postgres()
    address = services.rabbitmq() if broker == "rabbitmq" else services.redis()
    chaos = machines.run(tmp_path / f"machines-{tmp_path.name}", address, seed, Size(), seconds=60)
    print(f"{broker}, seed {seed}: {dict(chaos.done)}, at rest after {chaos.rested:.0f} s")
    assert chaos.kills
