"""``sandbox``: both servers as processes."""

from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import requests

from adapters import registry
from adapters.contract import Channel, Message
from core.calendar import WARSAW
from core.orders import Order
from sandbox.ksef import KsefSandbox
from sandbox.shopify import ShopifySandbox
from tests.cli.conftest import Run, environment, program


@pytest.mark.parametrize(
    ("name", "first", "path"),
    [
        (("ksef",), "KSeF API", "/security/public-key-certificates"),
        (("shops",), "WooCommerce", "/sandbox/orders/15"),
        (("shops", "--platform", "prestashop"), "PrestaShop", "/sandbox/orders/10"),
        (
            ("shops", "--platform", "shopify"),
            "Shopify",
            f"/admin/oauth/authorize?client_id={ShopifySandbox.client_id}&redirect_uri=http://127.0.0.1/x",
        ),
    ],
)
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_a_sandbox_says_where_it_is_and_ends_when_asked(
    tmp_path: Path, name: tuple[str, ...], first: str, path: str, end: signal.Signals
) -> None:
    """The first line names the address, which answers; Ctrl-C and SIGTERM end it without a complaint."""
    made = subprocess.Popen(
        program("sandbox", *name, "--port", "0"),
        cwd=tmp_path,
        env=environment(tmp_path / "home") | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert made.stdout
    line = made.stdout.readline()
    assert line.startswith(first)
    assert requests.get(line.split()[-1] + path, timeout=10).status_code == 200
    made.send_signal(end)
    _, complaint = made.communicate(timeout=20)
    assert made.returncode == 0
    assert complaint == ""


def test_all_shops_run_side_by_side(tmp_path: Path) -> None:
    """Each shop prints its address and keys, and has a memory of its own."""
    made = subprocess.Popen(
        program("sandbox", "shops", "--port", "0", "--state", "shop.json"),
        cwd=tmp_path,
        env=environment(tmp_path / "home") | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert made.stdout
    told = dict(made.stdout.readline().split() for _ in range(8))
    assert list(told) == [
        "WooCommerce",
        "consumer_key",
        "consumer_secret",
        "PrestaShop",
        "key",
        "Shopify",
        "client_id",
        "client_secret",
    ]
    assert requests.get(f"{told['WooCommerce']}/sandbox/orders/15", timeout=10).status_code == 200
    orders = requests.get(f"{told['PrestaShop']}/api/orders", auth=(told["key"], ""), timeout=10)
    assert orders.status_code == 200
    app = {"client_id": told["client_id"], "client_secret": told["client_secret"]}
    shopify = registry.connect("shopify", {"url": told["Shopify"], **app})
    assert [one.id for one in shopify.changed_orders(None) if isinstance(one, Order)] == [
        "1001",
        "1002",
        "1003",
        "1004",
    ]
    shopify.publish("1001", Channel.TAG, Message(text="KSeF", marker="KSeF"))
    shopify.close()
    made.send_signal(signal.SIGTERM)
    assert made.wait(timeout=20) == 0
    made.stdout.close()
    assert (tmp_path / "shop.json").exists()
    assert (tmp_path / "shop.prestashop.json").exists()
    kept = ShopifySandbox(state_path=tmp_path / "shop.shopify.json").state
    assert kept.orders["gid://shopify/Order/1001"]["tags"] == ["KSeF"]


@pytest.mark.parametrize("name", ["ksef", "shops"])
def test_a_taken_port_is_named(run: Run, name: str) -> None:
    """A port in use ends in a sentence with the way out."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = run("sandbox", name, "--port", port)
    assert result.exit_code == 1
    assert f"Port {port} jest zajęty." in result.output
    assert "--port 0" in result.output


@pytest.mark.parametrize("name", ["ksef", "shops"])
def test_a_memory_that_is_none(run: Run, tmp_path: Path, name: str) -> None:
    """A --state file that holds something else ends in a sentence."""
    (tmp_path / "noise").write_bytes(b"\xff noise" * 200)
    result = run("sandbox", name, "--port", "0", "--state", "noise")
    assert result.exit_code == 1
    assert "Pamięci piaskownicy nie da się odczytać" in result.output


@pytest.fixture(scope="module")
def running() -> Iterator[KsefSandbox]:
    """One running sandbox: its keys take long to make."""
    with KsefSandbox(processing_seconds=0) as made:
        yield made


@pytest.fixture
def ksef(running: KsefSandbox) -> Iterator[KsefSandbox]:
    """The sandbox without faults and outages."""
    yield running
    running.state.faults.clear()
    running.state.run("DELETE FROM outages")


def test_faults_are_planned_listed_and_forgotten(run: Run, ksef: KsefSandbox) -> None:
    """Each word of the command line spoils a call as the sandbox's own operation does."""
    port = ("--port", ksef.port)
    assert "Nie czeka żadna usterka" in run("sandbox", "faults", "list", *port).output
    run("sandbox", "faults", "add", "503", "--operation", "GET /v2/", "--value", "7", *port)
    run("sandbox", "faults", "add", "refuse", "--value", "440", "--times", "2", *port)
    assert run("sandbox", "faults", "list", *port).output.splitlines() == [
        "503  1×  GET /v2/  7",
        "refuse  2×  .*  440",
    ]
    spoiled = requests.get(f"{ksef.api_url}/security/public-key-certificates", timeout=10)
    assert (spoiled.status_code, spoiled.headers["Retry-After"]) == (503, "7")
    assert run("sandbox", "faults", "clear", *port).exit_code == 0
    assert "No fault waits" in run("sandbox", "faults", "list", *port, lang="en").output


@pytest.mark.parametrize("word", ["slow", "drop-before", "drop-after", "429", "500", "550", "expired-token"])
def test_every_kind_of_fault_can_be_planned(run: Run, ksef: KsefSandbox, word: str) -> None:
    """The words are understood by the sandbox."""
    assert run("sandbox", "faults", "add", word, "--port", ksef.port).exit_code == 0
    assert word in run("sandbox", "faults", "list", "--port", ksef.port).output


def test_what_the_sandbox_refuses_is_said(run: Run, ksef: KsefSandbox) -> None:
    """refuse without a code is no fault."""
    result = run("sandbox", "faults", "add", "refuse", "--port", ksef.port)
    assert result.exit_code == 1
    assert "refuse_code needs a value" in result.output


def test_outages_begin_and_end_on_demand(run: Run, ksef: KsefSandbox) -> None:
    """Failure, total failure and maintenance reach the board and the API; end ends all that go on."""
    port = ("--port", ksef.port)
    url = f"{ksef.api_url}/security/public-key-certificates"
    for word, status in (("failure", "FAILURE"), ("total-failure", "TOTAL_FAILURE")):
        assert run("sandbox", "outage", word, *port).exit_code == 0
        assert requests.get(f"{ksef.latarnia_url}/status", timeout=10).json() == {"status": status}
    assert requests.get(url, timeout=10).status_code == 503
    assert run("sandbox", "outage", "end", *port).output.count("✓ Zakończono") == 2
    assert requests.get(url, timeout=10).status_code == 200
    assert "Nothing goes on" in run("sandbox", "outage", "end", *port, lang="en").output
    planned = run("sandbox", "outage", "maintenance", "--until", "2099-01-01T04:00", *port)
    assert "2099-01-01 04:00" in planned.output
    assert requests.get(f"{ksef.latarnia_url}/status", timeout=10).json() == {"status": "MAINTENANCE"}
    assert run("sandbox", "outage", "list", *port).output.count("●") == 1


def test_the_clock_moves_and_keys_are_withdrawn(run: Run, ksef: KsefSandbox) -> None:
    """Both change what a client sees at once."""
    before = ksef.state.now()
    moved = run("sandbox", "clock", "--days", "1", "--hours", "1", "--port", ksef.port)
    assert f"{(before + timedelta(hours=25)).astimezone(WARSAW):%Y-%m-%d}" in moved.output
    assert ksef.state.now() - before >= timedelta(hours=25)
    url = f"{ksef.api_url}/security/public-key-certificates"
    known = {one["publicKeyId"] for one in requests.get(url, timeout=10).json()}
    assert run("sandbox", "revoke-keys", "--port", ksef.port).exit_code == 0
    assert known.isdisjoint(one["publicKeyId"] for one in requests.get(url, timeout=10).json())


def test_nothing_on_the_port_is_said_with_the_way_out(run: Run) -> None:
    """A sandbox that does not run ends in a sentence."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        result = run("sandbox", "faults", "list", "--port", taken.getsockname()[1])
    assert result.exit_code == 1
    assert "nie odpowiada żadna piaskownica" in result.output
    assert "ksef-connector sandbox ksef --port" in result.output
