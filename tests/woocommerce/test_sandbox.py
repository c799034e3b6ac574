"""The sandbox shop behaves as the recorded one did."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from woocommerce import API
from woocommerce.oauth import OAuth

from sandbox.woocommerce import DEMO_CONSUMER_KEY, DEMO_CONSUMER_SECRET, WooSandbox, demo_orders
from sandbox.woocommerce.notes import filtered
from sandbox.woocommerce.recordings import recorded
from tests.woocommerce.servers import Clock


def signed(shop: WooSandbox, clock: Clock, method: str = "GET", path: str = "orders", query: str = "") -> str:
    signer = OAuth(
        url=f"{shop.url}/wp-json/wc/v3/{path}?{query}",
        consumer_key=shop.consumer_key,
        consumer_secret=shop.consumer_secret,
        version="wc/v3",
        method=method,
        oauth_timestamp=int(clock.now.timestamp()),
    )
    return str(signer.get_oauth_url())


def test_the_packages_own_signatures_pass(shop: WooSandbox, clock: Clock) -> None:
    """An address signed by the package is accepted once; used again it is a replay."""
    url = signed(shop, clock, query="per_page=2&status=processing")
    assert requests.get(url, timeout=5).status_code == 200
    again = requests.get(url, timeout=5)
    assert again.status_code == 401
    assert "nonce" in again.json()["message"]


def test_changed_after_signing(shop: WooSandbox, clock: Clock) -> None:
    """A parameter added after signing, or another method, breaks the signature."""
    url = signed(shop, clock)
    assert requests.get(f"{url}&page=2", timeout=5).status_code == 401
    assert requests.delete(signed(shop, clock, path="orders/15"), timeout=5).status_code == 401


def test_list_parameters_break_the_packages_signature(clock: Clock) -> None:
    """The package's trap is real here too: a list-valued parameter is refused, a comma text is not."""
    with WooSandbox(demo_orders()) as shop:
        client = API(shop.url, shop.consumer_key, shop.consumer_secret)
        assert client.get("orders", params={"include": [15, 23]}).status_code == 401
        assert client.get("orders", params={"include": "15,23"}).status_code == 200


def test_basic_over_http_is_refused(shop: WooSandbox) -> None:
    """Basic authentication does not count without TLS."""
    answer = requests.get(
        f"{shop.url}/wp-json/wc/v3/orders", auth=(shop.consumer_key, shop.consumer_secret), timeout=5
    )
    assert answer.status_code == 401
    assert answer.json()["code"] == "woocommerce_rest_cannot_view"


def test_recorded_errors(clock: Clock, recording: Callable[[str], Any]) -> None:
    """Wrong key, read-only key and a missing order answer with the recorded bodies."""
    with WooSandbox(demo_orders()) as shop:
        wrong = API(shop.url, "ck_wrong", "cs_wrong")
        reader = API(shop.url, shop.read_only_key, shop.read_only_secret)
        assert wrong.get("orders").json() == recording("error_bad_key")
        assert reader.post("orders/15/notes", {"note": "x"}).json() == recording("error_read_only")
        assert reader.get("orders/4711").json() == recording("error_not_found")


def test_page_headers_as_recorded(clock: Clock) -> None:
    """Totals are in the headers, and the Link header repeats the credentials, as the real shop does."""
    with WooSandbox(demo_orders()) as shop:
        client = API(shop.url, shop.consumer_key, shop.consumer_secret)
        answer = client.get("orders", params={"per_page": 2, "orderby": "modified", "order": "asc"})
    assert [order["id"] for order in answer.json()] == [15, 23]
    assert (answer.headers["X-WP-Total"], answer.headers["X-WP-TotalPages"]) == ("5", "3")
    query = parse_qs(urlsplit(answer.headers["Link"].split(">")[0].lstrip("<")).query)
    assert query["page"] == ["2"]
    assert query["oauth_consumer_key"] == [shop.consumer_key]


def test_recorded_orders_come_unchanged(clock: Clock, recording: Callable[[str], Any]) -> None:
    """An order is served as it was recorded, and the demo's copies are the recordings."""
    with WooSandbox(demo_orders()) as shop:
        client = API(shop.url, shop.consumer_key, shop.consumer_secret)
        assert client.get("orders/15").json() == recording("order_full")
        assert client.get("settings/tax").json() == recording("settings_tax")
        assert client.get("taxes/classes").json() == recording("tax_classes")


def test_html_of_notes_as_recorded(recording: Callable[[str], Any]) -> None:
    """Links stay, script tags go, ampersands are encoded: the recorded note comes out."""
    sent = 'Faktura <a href="https://example.test/fv.pdf">FV/2/2026</a><script>alert(1)</script> KSeF: X & Y'
    assert filtered(sent) == recording("note_customer_html")["note"]


def test_bad_parameters(clock: Clock) -> None:
    """Page sizes and sort orders that the shop does not know are refused with 400."""
    with WooSandbox(demo_orders()) as shop:
        client = API(shop.url, shop.consumer_key, shop.consumer_secret)
        for params in ({"per_page": 101}, {"page": 0}, {"orderby": "colour"}, {"modified_after": "x"}):
            answer = client.get("orders", params=params)
            assert (answer.status_code, answer.json()["code"]) == (400, "rest_invalid_param")
        assert client.get("colours").json()["code"] == "rest_no_route"


def test_completing_an_order(shop: WooSandbox, clock: Clock) -> None:
    """Completing sets the times of completion and payment, as for cash on delivery."""
    url = signed(shop, clock, "PUT", "orders/23")
    order = requests.put(url, json={"status": "completed"}, timeout=5).json()
    now = clock.now.replace(tzinfo=None).isoformat()
    assert (order["status"], order["date_completed_gmt"], order["date_paid_gmt"]) == ("completed", now, now)


def test_state_survives_a_restart(tmp_path: Path, clock: Clock) -> None:
    """Notes, metadata and e-mails outlive the process; the recordings do not come back over them."""
    path = tmp_path / "shop.json"
    with WooSandbox(demo_orders(), clock=clock, state_path=path) as shop:
        requests.post(
            signed(shop, clock, "POST", "orders/15/notes"),
            json={"note": "a", "customer_note": True},
            timeout=5,
        )
        body = {"meta_data": [{"key": "_ksef_number", "value": "1"}]}
        requests.put(signed(shop, clock, "PUT", "orders/15"), json=body, timeout=5)
    assert json.loads(path.read_text(encoding="utf-8"))["notes"]["15"]
    with WooSandbox(demo_orders(), clock=clock, state_path=path) as shop:
        stored = requests.get(f"{shop.url}/sandbox/orders/15", timeout=5).json()
    assert len(stored["notes"]) == len(stored["emails"]) == 1
    assert stored["meta_data"][-1]["key"] == "_ksef_number"
    assert list(tmp_path.iterdir()) == [path]


def test_faults_by_http(shop: WooSandbox, clock: Clock) -> None:
    """Faults are planned over HTTP, used up, and an unknown kind is refused."""
    plan = f"{shop.url}/sandbox/faults"
    fault = {"kind": "http_500", "method": "GET", "path": "orders", "times": 1}
    assert requests.post(plan, json=fault, timeout=5).status_code == 204
    assert requests.get(signed(shop, clock), timeout=5).status_code == 500
    assert requests.get(signed(shop, clock), timeout=5).status_code == 200
    for wrong in (
        {"kind": "earthquake"},
        {"kind": "slow", "times": 0},
        {"kind": "slow", "path": "("},
        {"x": 1},
    ):
        assert requests.post(plan, json=wrong, timeout=5).status_code == 400


def test_refund_in_the_shop(shop: WooSandbox, clock: Clock, recording: Callable[[str], Any]) -> None:
    """A refund is listed by the order, and changes the order's modification time."""
    clock.forward(60)
    shop.state.add_refund(15, recording("refund_partial_line_created"))
    order = requests.get(signed(shop, clock, path="orders/15"), timeout=5).json()
    assert order["refunds"] == [{"id": 16, "reason": "Zwrot 1 szt.", "total": "-43.62", "total_tax": "-8.16"}]
    assert order["date_modified_gmt"] == clock.now.replace(tzinfo=None).isoformat()
    assert len(requests.get(signed(shop, clock, path="orders/15/refunds"), timeout=5).json()) == 1


def test_package_data_is_the_recording(recording: Callable[[str], Any]) -> None:
    """What ships with the sandbox is byte for byte the same data as the recordings of the tests."""
    names = [file.name for file in files("sandbox.woocommerce.data").iterdir() if file.name.endswith(".json")]
    assert len(names) == 10
    for name in names:
        assert recorded(name.removesuffix(".json")) == recording(name.removesuffix(".json"))


def test_killed_shop_keeps_its_notes(tmp_path: Path) -> None:
    """``serve`` in a process of its own, killed in the middle, comes back with what it had answered for."""
    path = tmp_path / "shop.json"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = f"from sandbox.woocommerce import serve; serve({port}, {str(path)!r})"
    client = API(f"http://127.0.0.1:{port}", DEMO_CONSUMER_KEY, DEMO_CONSUMER_SECRET)
    for expected in (1, 2):
        process = subprocess.Popen([sys.executable, "-c", program])
        try:
            _wait_for(port)
            answer = client.post("orders/15/notes", {"note": "Faktura", "customer_note": False})
            assert answer.status_code == 201
            assert len(client.get("orders/15/notes").json()) == expected
        finally:
            process.kill()
            process.wait()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise AssertionError("the shop did not start")
