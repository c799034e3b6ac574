"""Shared fixtures: where the official reference files are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(__file__).resolve().parent / "data"


@pytest.fixture(scope="session")
def official_ksef() -> Path:
    """The folder with the official schemas and contract; absent ones skip by name, but fail in CI."""
    folder = Path(os.environ.get("KSEF_SHARED_DIR", ROOT.parent / "shared" / "ksef"))
    if not (folder / "open-api.json").is_file():
        message = f"official KSeF files are not at {folder}"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return folder
