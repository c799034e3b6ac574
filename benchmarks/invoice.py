"""From an invoice to what goes to KSeF: write, check bytes, schema and rules, hash, encrypt.

The floor is what nobody can leave out, on the same bytes: libxml2 parses and validates them, SHA-256, AES.
Peers get the same invoices as plain values, build their own documents, check them by the schema, hash and
encrypt; they also count totals, so the second row of ours begins with the shop's order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from lxml import etree

from benchmarks import documents
from benchmarks.peers import Peer, from_environment
from benchmarks.timing import Effort, Row, Work, rounds_of, take_turns
from core.fa import registry, schema
from core.fa.validate import check_built
from core.fa.write import write
from core.invoices.model import Invoice
from core.ksef.encryption import SessionKey
from core.orders import Order

NAME = "invoice"
FA3 = registry.schema_for("FA3")
_DIFFERENT = 50
_TIMES_FLOOR = 3
_TIMES_FASTER = {5: 30, 100: 20}


def measure(effort: Effort) -> Iterator[Row]:
    """The rows of this bench."""
    for lines in documents.SIZES:
        with ExitStack() as running:
            peers = [running.enter_context(peer) for peer in from_environment()]
            yield from _measure_size(lines, effort, peers)


def _measure_size(lines: int, effort: Effort, peers: Sequence[Peer]) -> Iterator[Row]:
    made = documents.invoices(lines, max(1, min(_DIFFERENT, effort.most_calls)))
    what = f"write, check, hash, encrypt: {lines} lines"
    key = SessionKey.generate()
    floor_work = floor([write(one, FA3) for one in made], key)
    floor_row = Row(NAME, what, "floor")
    core_row = Row(NAME, what, "core", goal=f"<= {_TIMES_FLOOR}x floor")
    order_row = Row(NAME, f"the same from an Order: {lines} lines", "core")
    peer_rows = [Row(NAME, what, peer.name, note=peer.missing) for peer in peers]
    orders = [documents.order_of(documents.order_text(lines, n)) for n in range(1, len(made) + 1)]
    works = [
        (row, rounds_of(work, effort))
        for row, work in (
            (floor_row, floor_work),
            (core_row, core(made, key)),
            (order_row, from_orders(orders, key)),
        )
    ]
    values = documents.for_peers(made)
    for row, peer in zip(peer_rows, peers, strict=True):
        if not peer.missing and peer.ready(values, effort):
            works.append((row, peer.round))
        row.who, row.note = peer.label, peer.missing
    take_turns(works, effort)
    for row in (core_row, order_row, *peer_rows):
        row.floor = floor_row.best
    for row in peer_rows:
        row.core = core_row.best
        if row.times_core is not None:
            row.goal = f">= {_TIMES_FASTER[lines]}x core"
            row.met = row.times_core >= _TIMES_FASTER[lines]
            row.note = (
                f"{_verdict(row)}; {(row.best or 0) / (order_row.best or 1):.0f}x the row from an Order"
            )
    core_row.met = (core_row.times_floor or 0) <= _TIMES_FLOOR
    return iter((floor_row, core_row, order_row, *peer_rows))


def _verdict(row: Row) -> str:
    return "met" if row.met else "NOT met"


def floor(made: Sequence[bytes], key: SessionKey) -> Work:
    """Parse, validate, hash and encrypt ready bytes, with nothing around the libraries' own calls."""
    compiled = schema.compiled(FA3)
    parser = schema.safe_parser()

    def work(number: int) -> None:
        data = made[number % len(made)]
        assert compiled(etree.fromstring(data, parser))
        hashlib.sha256(data).digest()
        padder = PKCS7(128).padder()
        cipher = Cipher(algorithms.AES256(key.key), modes.CBC(key.iv)).encryptor()
        cipher.update(padder.update(data) + padder.finalize())
        cipher.finalize()

    return work


def core(made: Sequence[Invoice], key: SessionKey) -> Work:
    """The product's own way from a model to the encrypted document."""

    def work(number: int) -> None:
        _send_ready(made[number % len(made)], key)

    return work


def from_orders(orders: Sequence[Order], key: SessionKey) -> Work:
    """The same from a neutral order: VAT table, lines, buyer, then as above."""

    def work(number: int) -> None:
        _send_ready(documents.issue(orders[number % len(orders)], number), key)

    return work


def _send_ready(invoice: Invoice, key: SessionKey) -> None:
    data = write(invoice, FA3)
    findings = check_built(invoice, data, FA3, documents.DAY)
    assert not findings, findings
    key.encrypt(data)
