"""Shared fixtures: where the official reference files are."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import compiled_once, databases, migrated_once, one_compiler, proxies_at_a_glance

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(__file__).resolve().parent / "data"


def pytest_configure() -> None:
    """Hear the Ctrl-C that tests send, also when started in the background; share what is made once."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    one_compiler.share()
    compiled_once.share()
    migrated_once.share()
    proxies_at_a_glance.share()


def pytest_collection_finish() -> None:
    """Thousands of collected tests live to the end: the garbage collector need not look at them again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests marked ``both_databases`` run once on each."""
    if metafunc.definition.get_closest_marker("both_databases") is not None:
        metafunc.parametrize("kind_of_database", [databases.SQLITE, databases.POSTGRESQL], indirect=True)


@pytest.fixture(autouse=True)
def kind_of_database(request: pytest.FixtureRequest) -> Iterator[str]:
    """The kind that :func:`tests.databases.url_of` gives addresses of; the usual one is SQLite."""
    chosen = getattr(request, "param", databases.usual())
    if chosen == databases.usual() == databases.SQLITE:
        yield chosen
        return
    with databases.kind(chosen, request.getfixturevalue("tmp_path")):
        yield chosen


@pytest.fixture(scope="session", autouse=True)
def no_template_is_left() -> Iterator[None]:
    """What clones of PostgreSQL databases are made from is dropped."""
    yield
    databases.drop_all()


@pytest.fixture(autouse=True)
def nothing_beyond_localhost(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test asks the NBP for rates, or a public register; those that need one name a stand-in."""
    for name in ("KSEF_CONNECTOR_NBP_URL", "KSEF_CONNECTOR_VAT_LIST_URL", "KSEF_CONNECTOR_VIES_URL"):
        monkeypatch.setenv(name, "off")


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
