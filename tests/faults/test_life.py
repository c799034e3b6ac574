"""Documents live as the design says, whatever shop, person, KSeF and restarts do."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.faults.life_machine import DocumentLife

_PATIENT = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def test_a_short_life() -> None:
    """A few sequences, the same every time."""
    run_state_machine_as_test(
        DocumentLife,
        settings=settings(
            max_examples=4,
            stateful_step_count=12,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=_PATIENT,
        ),
    )


@pytest.mark.faults
def test_many_long_lives() -> None:
    """Others each time; ``EXAMPLES`` says how many."""
    run_state_machine_as_test(
        DocumentLife,
        settings=settings(
            max_examples=int(os.environ.get("EXAMPLES", "120")),
            stateful_step_count=40,
            deadline=None,
            print_blob=True,
            database=None,
            suppress_health_check=_PATIENT,
        ),
    )
