"""The sandbox shop answers as the recorded one did, asked by a client that is not ours."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest
import requests
from lxml import etree

from sandbox.prestashop import INVOICE_STATE, PrestaSandbox, demo_data
from sandbox.prestashop.entities import one_xml, read_entities
from sandbox.prestashop.recordings import recorded
from tests.prestashop.bundles import DATA
from tests.woocommerce.servers import Clock


def ask(shop: PrestaSandbox, path: str, *, method: str = "GET", body: str = "") -> requests.Response:
    """One request with the key as the user of Basic authentication."""
    return requests.request(
        method, f"{shop.url}/api/{path}", auth=(shop.key, ""), data=body.encode(), timeout=5
    )


def codes(answer: requests.Response) -> list[str]:
    """Codes of the errors in an answer."""
    found = etree.fromstring(answer.content).iterfind("errors/error/code")
    return [code.text or "" for code in found]


def ids(answer: requests.Response) -> list[int]:
    return [one.id for one in read_entities(answer.content)]


def test_keys(shop: PrestaSandbox) -> None:
    """Header and query let in; no key is plain text, a wrong one the recorded errors."""
    assert requests.get(f"{shop.url}/api/orders/10?ws_key={shop.key}", timeout=5).status_code == 200
    assert ask(shop, "orders/10").headers["PSWS-Version"] == "9.1.4"
    nobody = requests.get(f"{shop.url}/api/orders", timeout=5)
    assert (nobody.status_code, nobody.text) == (401, "401 Unauthorized")
    assert "PSWS-Version" not in nobody.headers
    wrong = requests.get(f"{shop.url}/api/orders", auth=("x" * 32, ""), timeout=5)
    recorded_errors = etree.fromstring((DATA / "error_bad_key.xml").read_bytes())
    assert codes(wrong) == [one.text for one in recorded_errors.iterfind("errors/error/code")]


def test_the_list_of_permissions(shop: PrestaSandbox) -> None:
    """GET /api/ says what the key may do with each resource."""
    answer = requests.get(f"{shop.url}/api/", auth=(shop.read_only_key, ""), timeout=5)
    orders = etree.fromstring(answer.content).find("api/orders")
    assert orders is not None
    assert (orders.get("get"), orders.get("patch")) == ("true", "false")
    refused = requests.post(f"{shop.url}/api/order_histories", auth=(shop.read_only_key, ""), timeout=5)
    assert (refused.status_code, codes(refused)) == (405, ["25"])


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("orders?filter[id]=[10|12]", [10, 12]),
        ("orders?filter[id]=[11,13]", [11, 12, 13]),
        ("orders?filter[id]=>[11]", [12, 13]),
        ("orders?filter[id]=![11|12]", [10, 13]),
        ("orders?filter[reference]=[VBX]%", [10]),
        ("orders?filter[current_state]=7", [12]),
        ("orders?sort=[id_DESC]&limit=2", [13, 12]),
        ("orders?sort=[id_ASC]&limit=1,2", [11, 12]),
        ("orders?filter[date_upd]=[2026-11-24 04:41:14,2026-11-24 04:41:15]&date=1", [11, 13]),
        ("orders?filter[date_upd]=>[2026-11-24 04:41:15]&date=1&sort=[date_upd_ASC]", [12]),
        ("orders?filter[id]=[99]", []),
        ("order_slip?filter[date_upd]=[2026-11-24,2026-11-25]&date=1", [6, 7, 8, 9, 10]),
        ("order_details?filter[id_order]=[10|11]", [16, 17, 18, 19, 20]),
    ],
)
def test_lists(shop: PrestaSandbox, path: str, found: list[int]) -> None:
    """Lists, intervals with their ends, comparisons, beginnings, order and pieces."""
    answer = ask(shop, f"{path}&display=full")
    assert answer.status_code == 200
    assert sorted(ids(answer)) == sorted(found)
    if "sort" in path:
        assert ids(answer) == found


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("orders?filter[date_upd]=[2026-11-24,2026-11-25]", 500, "32"),
        ("orders?sort=[date_upd_ASC]", 500, "38"),
        ("orders?filter[colour]=red", 500, "32"),
        ("orders?display=[id,nope]", 500, "35"),
        ("orders?display=some", 500, "36"),
        ("orders?limit=1,2,3", 500, "39"),
        ("nonexist", 400, "27"),
    ],
)
def test_refused_lists(shop: PrestaSandbox, path: str, status: int, code: str) -> None:
    """Without date=1 a filter of a date does not exist, and PHP's warnings make a 500 of it."""
    answer = ask(shop, path)
    assert (answer.status_code, codes(answer)[0]) == (status, code)


def test_what_a_list_shows(shop: PrestaSandbox) -> None:
    """Ids alone by default, chosen fields, or everything; an empty list is a list."""
    assert ask(shop, "orders?limit=1").text.count("<id>") == 0
    chosen = read_entities(ask(shop, "orders?display=[id,date_upd]&limit=1").content)
    assert list(chosen[0].fields) == ["id", "date_upd"]
    assert "<order_slips>" in ask(shop, "order_slip?filter[id]=[99]&display=full").text


def test_what_is_not_there(shop: PrestaSandbox) -> None:
    """404 has an empty body."""
    answer = ask(shop, "orders/99")
    assert (answer.status_code, answer.content) == (404, b"")


def test_a_put_needs_the_whole_order(shop: PrestaSandbox) -> None:
    """A part is refused with the recorded error; a PATCH of the note changes it and the time."""
    part = "<prestashop><order><id>10</id><note>x</note></order></prestashop>"
    refused = ask(shop, "orders/10", method="PUT", body=part)
    assert (refused.status_code, codes(refused)) == (400, ["41"])
    assert ask(shop, "orders/10", method="PATCH", body=part).status_code == 200
    order = shop.state.entity("orders", 10)
    assert (order.text("note"), order.text("date_upd")) == ("x", "2026-11-24 13:00:00")
    order.fields["note"] = "whole"
    whole = ask(shop, "orders/10", method="PUT", body=one_xml("orders", order))
    assert whole.status_code == 200
    assert shop.state.entity("orders", 10).text("note") == "whole"


def test_an_old_shop_knows_no_patch(clock: Clock) -> None:
    """Before version 8 the method is not valid."""
    with PrestaSandbox(demo_data(), clock=clock, version="1.7.8.11") as shop:
        answer = ask(shop, "orders/10", method="PATCH", body="<prestashop/>")
        assert (answer.status_code, codes(answer)) == (405, ["23"])


def history(state: int) -> str:
    fields = f"<id_order>10</id_order><id_order_state>{state}</id_order_state><id_employee>1</id_employee>"
    return f"<prestashop><order_history>{fields}</order_history></prestashop>"


def test_every_repeat_is_one_more(shop: PrestaSandbox) -> None:
    """States and messages are appended each time, and each state with sendemail=1 mails again."""
    for _ in range(2):
        body = history(INVOICE_STATE)
        assert ask(shop, "order_histories?sendemail=1", method="POST", body=body).status_code == 201
    ask(shop, "order_histories", method="POST", body=history(4))
    assert [mail["template"] for mail in shop.state.emails] == ["faktura_ksef"] * 2
    assert shop.state.entity("orders", 10).text("current_state") == "4"
    thread = (
        "<id_lang>1</id_lang><id_contact>0</id_contact><token>abcdef123456</token><id_order>10</id_order>"
    )
    body = f"<prestashop><customer_thread>{thread}</customer_thread></prestashop>"
    assert ids(ask(shop, "customer_threads", method="POST", body=body)) != ids(
        ask(shop, "customer_threads", method="POST", body=body)
    )


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("order_histories", "<prestashop><order>", 500, "127"),
        ("order_histories", "<prestashop/>", 400, "41"),
        ("order_histories", history(4711), 500, "46"),
        (
            "customer_messages",
            "<prestashop><customer_message><id>1</id></customer_message></prestashop>",
            400,
            "91",
        ),
        (
            "customer_threads",
            "<prestashop><customer_thread><id_lang>1</id_lang><id_contact>0</id_contact>"
            "<token>1234567890123</token></customer_thread></prestashop>",
            400,
            "85",
        ),
    ],
)
def test_refused_writes(shop: PrestaSandbox, path: str, body: str, status: int, code: str) -> None:
    """Broken XML, missing fields, unknown states, own ids and long tokens are refused with their codes."""
    answer = ask(shop, path, method="POST", body=body)
    assert (answer.status_code, codes(answer)[-1]) == (status, code)


def test_a_slip_leaves_its_orders_time(shop: PrestaSandbox, clock: Clock) -> None:
    """Only the slip's own time is now."""
    before = shop.state.entity("orders", 10).text("date_upd")
    clock.forward(60)
    slip = recorded("order_slip_o1")[0]
    slip.fields["id"] = "50"
    shop.state.add_slip(slip)
    assert shop.state.entity("orders", 10).text("date_upd") == before
    assert shop.state.entity("order_slip", 50).text("date_upd") == "2026-11-24 13:01:00"


def test_state_survives_a_restart(tmp_path: Path, clock: Clock) -> None:
    """Notes and e-mails outlive the process; the recordings do not come back over them."""
    path = tmp_path / "shop.json"
    with PrestaSandbox(demo_data(), clock=clock, state_path=path) as shop:
        shop.state.change(10, note="zmiana")
        shop.state.set_state(10, INVOICE_STATE, mail=True)
    with PrestaSandbox(demo_data(), clock=clock, state_path=path) as shop:
        seen = requests.get(f"{shop.url}/sandbox/orders/10", timeout=5).json()
    assert (seen["note"], len(seen["emails"])) == ("zmiana", 1)
    assert list(tmp_path.iterdir()) == [path]


def test_faults_by_http(shop: PrestaSandbox) -> None:
    """Faults are planned over HTTP, used up or forgotten, and an unknown kind is refused."""
    plan = f"{shop.url}/sandbox/faults"
    fault = {"kind": "http_500", "method": "GET", "path": "orders", "times": 2}
    assert requests.post(plan, json=fault, timeout=5).status_code == 204
    assert ask(shop, "orders").status_code == 500
    assert requests.delete(plan, timeout=5).status_code == 204
    assert ask(shop, "orders").status_code == 200
    assert requests.post(plan, json={"kind": "earthquake"}, timeout=5).status_code == 400


def test_package_data_is_the_recording() -> None:
    """What ships with the sandbox is byte for byte the same data as the recordings of the tests."""
    shipped = [one for one in files("sandbox.prestashop.data").iterdir() if one.name.endswith(".xml")]
    shared = [one for one in shipped if (DATA / one.name).exists()]
    assert len(shared) > 20
    for one in shared:
        assert one.read_bytes() == (DATA / one.name).read_bytes()
