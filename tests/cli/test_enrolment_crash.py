"""A process killed at any commit of an enrolment: there is one certificate of one key in the end."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from sandbox.ksef import KsefSandbox
from tests.cli import warm
from tests.cli.conftest import Run, environment
from tests.cli.ksef_sellers import add_seller, answer, key_files, seal, stored

DRIVER = """
import os, signal, sys
from datetime import timedelta
from sqlalchemy.engine.default import DefaultDialect
from connector_app import certificates
from connector_app.cli import main

left = int(sys.argv[1])
real = DefaultDialect.do_commit
certificates._UNDER_WAY = timedelta(0)  # the sandbox decides at once

def commit(dialect, connection):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    real(dialect, connection)

DefaultDialect.do_commit = commit
sys.argv[1:] = sys.argv[2:]
main()
"""
WORDS = ("certificates", "enroll", "--kind", "authentication", "--use")


def attempt(home: Path, number: int) -> int:
    """One run that dies before its n-th commit; its exit code."""
    return warm.start(
        (number, *WORDS), cwd=home.parent, variables=environment(home), instead=DRIVER
    ).returncode


@pytest.mark.parametrize("step", [2, pytest.param(1, marks=pytest.mark.faults)])
def test_killed_before_commits_in_turn(run: Run, home: Path, tmp_path: Path, step: int) -> None:
    """Each run dies later than the last one, its work at KSeF done; what it left is taken up."""
    with KsefSandbox(processing_seconds=0.0) as sandbox:
        add_seller(run, sandbox, *key_files(tmp_path, seal()))
        number, killed = 2, 0  # the first commit is that of opening the database
        while (code := attempt(home, number)) == -signal.SIGKILL:
            killed += 1
            number += step
            assert number < 30
        assert code == 0
        assert killed >= 2
        seller, (certificate,), _ = stored(home)
        assert certificate.stage == "issued"
        assert seller.credential == certificate.secret
        (listed,) = answer(run, "certificates", "list")
        assert listed["used"] is True
