"""Files of orders: what is read, what is refused, and that broken input never surfaces as anything else."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.contract import UnreadableFile, UnreadableOrder
from adapters.prestashop import map_order, map_refunds, read_bundle
from adapters.prestashop.mapping.documents import LARGEST
from adapters.registry import PLATFORMS, config_keys, order_file, order_reader
from core.orders import Order
from tests.prestashop import bundles
from tests.prestashop.bundles import answer, recorded

END = "</prestashop>"
FILE = bundles.order_file("o1", slips=True).decode()


def test_registry() -> None:
    """The platform is known by name, and its files are read with a store's options."""
    assert "prestashop" in PLATFORMS
    assert "time_zone" in config_keys("prestashop")
    assert "docs/prestashop.md" in order_file("prestashop").en
    reader = order_reader("prestashop", {"time_zone": "Europe/London"})
    assert reader(FILE.encode()).created_at.hour == 4


def test_answers_and_their_contents_are_the_same() -> None:
    """Whole answers one after the other, and one element around their contents, give the same bundle."""
    bare = re.sub(r"</?prestashop[^>]*>", "", FILE).replace("xlink:href", "href")
    lists = ("order_details", "order_states", "order_histories", "order_slips", "order_payments")
    bare = re.sub(rf"</?({'|'.join(lists)})>", "", bare)
    assert read_bundle(f"<prestashop>{bare}</prestashop>".encode()) == recorded("o1", slips=True)


def test_resources_of_other_orders_stay_unused() -> None:
    """Payments of other references, details and slips of other orders change nothing."""
    more = FILE.removesuffix("</prestashop>")
    more += answer("order_details_o2") + answer("order_slip_o4") + answer("order_histories_o3")
    bundle = read_bundle(f"{more}</prestashop>".encode())
    order = map_order(bundle)
    assert order == map_order(recorded("o1", slips=True))
    assert map_refunds(bundle, order) == map_refunds(recorded("o1", slips=True), order)


NO_XML = [
    b"",
    b"\xff\xfe\x00noise",
    b'{"orders": []}',
    b"<prestashop>",
    b"401 Unauthorized",
    b"<!DOCTYPE prestashop [<!ENTITY a 'b'>]><prestashop>&a;</prestashop>",
    b"<!DOCTYPE prestashop SYSTEM 'http://127.0.0.1/x.dtd'><prestashop/>",
    b"<prestashop>" + b"<a>" * 100_000,
    b" " * (LARGEST + 1),
]


@pytest.mark.parametrize("data", NO_XML, ids=range(len(NO_XML)))
def test_no_xml(data: bytes) -> None:
    """Bytes that are no XML, and XML with a DOCTYPE, are refused as a form."""
    with pytest.raises(UnreadableFile) as caught:
        read_bundle(data)
    assert caught.value.form == "XML"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("error_bad_key", "Authentification key is not active"),
        ("error_bad_field", 'Unable to display this field "nope"'),
        ("orders_empty", "exactly one order was expected, not 0"),
        ("orders_list_modified", "exactly one order was expected, not"),
        ("order_o1", "order_details of the order are missing"),
        ("order_slip_o1", "exactly one order was expected, not 0"),
        ("post_order_history_sendemail0", "exactly one order was expected, not 0"),
    ],
)
def test_other_answers_of_the_shop(name: str, sentence: str) -> None:
    """Errors, lists and other resources are no order, and the message says what they are."""
    with pytest.raises(UnreadableOrder) as caught:
        map_order(read_bundle(answer(name).encode()))
    assert sentence in caught.value.message


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("<html><body>Zapora</body></html>", "<prestashop> was expected, not <html>"),
        ('<prestashop><orders><order id="10"/></orders></prestashop>', "without its fields"),
        ("<prestashop><order><id>1</id><id>2</id></order></prestashop>", "stands there twice"),
        ("<prestashop><order><id>x</id></order></prestashop>", "an id was expected"),
        ("<prestashop><order><note>1</note></order></prestashop>", "it has no id"),
        (FILE.removesuffix(END) + "<tax><id>1</id><rate>8</rate></tax>" + END, "different contents"),
        (FILE.removesuffix(END) + "<order><id>7</id></order>" + END, "not 2"),
    ],
)
def test_no_order(text: str, sentence: str) -> None:
    """What is XML but not one order says why."""
    with pytest.raises(UnreadableOrder) as caught:
        map_order(read_bundle(text.encode()))
    assert sentence in caught.value.message


VALUES = [found.span(1) for found in re.finditer(r"<!\[CDATA\[([^\]]*)\]\]>", FILE)]
CHARACTERS = st.characters(exclude_characters="]", min_codepoint=32, max_codepoint=0x2FFF)
HOSTILE = [
    *("", "0", "-1", "NaN", "1e9", "1E-9", "999999999999999", "0.000001", "٣", "10", "16", "7", "Infinity"),
    *("0.005", "-0.000000", "0000-00-00 00:00:00", "9999-12-31 23:59:59", "0001-01-01 00:00:00"),
]
JUNK = st.one_of(st.text(CHARACTERS, max_size=12), st.sampled_from(HOSTILE))


def _sane(order: Order) -> None:
    amounts = [order.total, *(line.net for line in order.lines), *(line.tax for line in order.lines)]
    assert all(amount.is_finite() and amount == amount.quantize(Decimal("0.01")) for amount in amounts)
    assert all(amount >= 0 for amount in amounts)
    assert all(line.quantity > 0 for line in order.lines)
    assert order.modified_at.tzinfo is not None


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(VALUES), JUNK), min_size=1, max_size=3))
def test_broken_values(changes: list[tuple[tuple[int, int], str]]) -> None:
    """A file with one to three broken values maps to sane ones or is unreadable, whatever was done to it."""
    text = FILE
    for (start, end), junk in sorted(changes, reverse=True):
        text = text[:start] + junk + text[end:]
    try:
        bundle = read_bundle(text.encode())
        order = map_order(bundle)
        found = map_refunds(bundle, order)
    except UnreadableOrder:
        return
    _sane(order)
    assert all(refund.amount >= 0 for refund in found)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(FILE)), st.integers(1, 400))
def test_cut_out(start: int, length: int) -> None:
    """A file with a piece missing maps or is unreadable."""
    try:
        _sane(map_order(read_bundle((FILE[:start] + FILE[start + length :]).encode())))
    except UnreadableOrder:
        return
