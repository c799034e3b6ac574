"""The life of documents as a state machine: a shop, a person, KSeF and restarts in any order.

Everything is real but the clock: the pipeline, the sandboxes over HTTP, the database. After each step the
documents are compared with what a document's life may be, written out here from the design.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import select

from connector_app.documents import actions
from connector_app.documents.wording import ActionName
from connector_app.store.models import Document, Event
from tests.faults.invariants import (
    Broken,
    Stories,
    nothing_waits,
    proofs_whole,
    report,
    same_documents,
    series_whole,
    told_once,
)
from tests.faults.stories import books_of, ksef_of, woo_sales
from tests.pipeline.world import NIP, World, recorded, world

SOON = timedelta(minutes=3)
PERSON = (
    ActionName.ISSUE,
    ActionName.SEND_AGAIN,
    ActionName.PUBLISH_AGAIN,
    ActionName.WITHDRAW,
    ActionName.RESTORE,
    ActionName.CLOSE,
)

_UNDECIDED = frozenset({"waiting", "ready", "attention", "cancelled"})
LIFE: dict[str, frozenset[str]] = {
    # nothing is numbered yet: rules, the shop and a person decide, as often as they like
    "waiting": _UNDECIDED,
    "ready": _UNDECIDED | {"issued"},
    "cancelled": _UNDECIDED,
    # numbered and frozen; only KSeF's word, or a damaged file, changes anything
    "issued": frozenset({"issued", "sent", "rejected", "attention"}),
    "sent": frozenset({"sent", "accepted", "rejected", "attention", "issued"}),
    # in KSeF for good; what is left is telling of it
    "accepted": frozenset({"accepted", "published", "attention"}),
    "published": frozenset({"published", "accepted"}),
    # a person decides: what was issued goes again as it is, what KSeF has is told of again
    "attention": _UNDECIDED | {"issued", "accepted"},
    # KSeF refused it: the same number again, or the end of a correction
    "rejected": frozenset({"rejected", "issued", "ready", "cancelled", "attention"}),
}
"""Which states may follow a state in a document's life line."""


@dataclass(frozen=True, slots=True)
class Frozen:
    """What must not change of a document."""

    number: str
    sha256: str | None
    ksef_number: str | None
    was_refused: bool


class DocumentLife(RuleBasedStateMachine):
    """See the module."""

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        self._frozen: dict[int, Frozen] = {}
        self._seen_events = 0
        self._last_state: dict[int, str] = {}
        self._orders: list[int] = []
        self._is_down = False
        self._refunds = 0

    @initialize()
    def open(self) -> None:
        """A shop, KSeF and an installation."""
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        self.made: World = self._stack.enter_context(world(folder, []))
        self.made.prepare()
        self.made.run(SOON)

    def teardown(self) -> None:
        """KSeF works, all faults are over, time passes: everything ends or waits for a person."""
        try:
            if hasattr(self, "made"):
                self._end()
        finally:
            self._stack.close()

    # the shop

    @rule(paid=st.booleans())
    def order(self, paid: bool) -> None:
        """An order comes in."""
        number = 100 + len(self._orders)
        order = recorded("order_full", id=number, number=str(number))
        order["status"] = "processing" if paid else "pending"
        times = self.made.shop.state.times("at")
        for key in ("date_created", "date_modified", "date_paid"):
            order[key], order[f"{key}_gmt"] = times["at"], times["at_gmt"]
        self.made.shop.state.add_orders([order], {})
        self._orders.append(number)

    @precondition(lambda self: self._orders)
    @rule(data=st.data(), status=st.sampled_from(("processing", "processing", "cancelled", "pending")))
    def change_status(self, data: st.DataObject, status: str) -> None:
        """Paid, cancelled, or back to waiting."""
        self.made.shop.state.change(self._pick(data), status=status)

    @precondition(lambda self: self._orders)
    @rule(data=st.data())
    def edit(self, data: st.DataObject) -> None:
        """The shop drops or adds a fee, so that the total is another one."""
        number = self._pick(data)
        order = self.made.shop.state.order(number)
        whole = recorded("order_full")
        has_fee = any(fee["id"] == whole["fee_lines"][0]["id"] for fee in order["fee_lines"])
        fees = whole["fee_lines"][1:] if has_fee else whole["fee_lines"]
        total, tax, taxed = ("240.40", "33.70", "23.93") if has_fee else ("246.55", "34.85", "25.08")
        taxes = whole["tax_lines"]
        taxes[0]["tax_total"] = taxed
        self.made.shop.state.change(number, fee_lines=fees, total=total, total_tax=tax, tax_lines=taxes)

    @precondition(lambda self: self._orders)
    @rule(data=st.data(), kind=st.sampled_from(("refund_partial_line_created", "refund_amount_only")))
    def give_back(self, data: st.DataObject, kind: str) -> None:
        """A mug, or an amount of nothing in particular."""
        number = self._pick(data)
        self._refunds += 1
        refund = recorded(kind, id=900_000 + self._refunds)
        refund |= self.made.shop.state.times("date_created")
        self.made.shop.state.add_refund(number, refund)

    @precondition(lambda self: any(self.made.shop.state.refunds.values()))
    @rule(data=st.data())
    def delete_refund(self, data: st.DataObject) -> None:
        """A refund is taken back in the shop."""
        pairs = [(order, one["id"]) for order, items in self.made.shop.state.refunds.items() for one in items]
        self.made.shop.state.delete_refund(*data.draw(st.sampled_from(sorted(pairs))))

    # the person

    @rule(data=st.data())
    def decide(self, data: st.DataObject) -> None:
        """A person does something that the document's page offers."""
        services = self.made.services()
        with services.database.begin() as session:
            ids = list(session.scalars(select(Document.id).order_by(Document.id)))
            offered = [
                (row.id, one.name)
                for row in actions.load(session, ids)
                for one in actions.possible(row)
                if one.allowed and one.name in PERSON
            ]
            if not offered:
                return
            chosen, name = data.draw(st.sampled_from(offered))
            (row,) = actions.load(session, [chosen])
            actions.perform(row, name, self.made.clock())

    # KSeF

    @rule(code=st.sampled_from((450, 430, 550)))
    def refuse(self, code: int) -> None:
        """KSeF ends the next document with a status."""
        self.made.ksef.state.faults.add("refuse_code", "POST .*/invoices$", value=code)

    @rule(kind=st.sampled_from(("drop_before", "drop_after", "http_500", "http_429")))
    def stumble(self, kind: str) -> None:
        """One sending does not go as it should."""
        self.made.ksef.state.faults.add(kind, "POST .*/invoices$")

    @rule()
    def turn_ksef(self) -> None:
        """KSeF goes down, or comes back."""
        self._is_down = not self._is_down
        if self._is_down:
            self.made.ksef.state.faults.add("http_503", "/v2/", times=100_000)
        else:
            self.made.ksef.state.faults.clear()

    # time

    @rule(minutes=st.sampled_from((1, 10, 120, 1500)))
    def work(self, minutes: int) -> None:
        """The program works for some minutes after some time has passed."""
        self.made.clock.sleep(minutes * 60)
        self.made.run(SOON)

    @rule()
    def restart(self) -> None:
        """The process is another one: nothing but the files is left."""
        self.made._opened = None

    # what holds after every step

    @invariant()
    def lives_are_legal(self) -> None:
        """Only what the life's table allows has happened since the last look."""
        if not hasattr(self, "made"):
            return
        with self.made.services().database() as session:
            lines = session.execute(
                select(Event.id, Event.document_id, Event.state)
                .where(Event.id > self._seen_events)
                .order_by(Event.id)
            ).all()
        for event_id, document_id, state in lines:
            before = self._last_state.get(document_id)
            if before is not None:
                assert state in LIFE[before], f"document {document_id}: {before} -> {state}"
            self._last_state[document_id] = state
            self._seen_events = event_id

    @invariant()
    def issued_is_frozen(self) -> None:
        """Number, bytes and KSeF number stay; only bytes that KSeF refused are made anew."""
        if not hasattr(self, "made"):
            return
        numbers: set[str] = set()
        for row in self.made.documents():
            assert row.number not in numbers, f"{row.number} twice"
            if row.number is None:
                continue
            numbers.add(row.number)
            before = self._frozen.get(row.id)
            refused = row.state == "rejected" or any(one.state == "rejected" for one in row.events)
            if before is not None:
                assert row.number == before.number
                assert before.ksef_number in {None, row.ksef_number}
                if before.sha256 != row.xml_sha256:
                    assert before.ksef_number is None
                    assert refused, f"{row.number}: other bytes, and KSeF never refused the first"
            self._frozen[row.id] = Frozen(row.number, row.xml_sha256, row.ksef_number, refused)

    @invariant()
    def ksef_agrees(self) -> None:
        """KSeF has each number once, no correction before its invoice, and never more than was sold."""
        if not hasattr(self, "made"):
            return
        left: dict[str, tuple[str, object]] = {}
        seen: set[tuple[str, str]] = set()
        sums: dict[str, float] = {}
        for one in ksef_of(self.made.ksef.state):
            assert (one.kind, one.number) not in seen, f"{one.number} twice in KSeF"
            seen.add((one.kind, one.number))
            if one.corrects:
                assert one.corrects in left, f"{one.number} corrects what is not there yet"
                sums[one.corrects] += float(one.total)
            else:
                left[one.ksef_number] = (one.number, one.orders)
                sums[one.ksef_number] = float(one.total)
        for number, total in sums.items():
            assert total > -0.005, f"{number} is corrected below zero: {total}"
        orders = [orders for _, orders in left.values()]
        assert len(orders) == len(set(map(str, orders))), "an order has two invoices"

    def _end(self) -> None:
        self.made.ksef.state.faults.clear()
        self.made._opened = None
        for _ in range(3):
            self.made.clock.sleep(26 * 3600)
            self.made.run()
        self.lives_are_legal()
        self.issued_is_frozen()
        self.ksef_agrees()
        told = Stories(
            sales=woo_sales(self.made.shop.state, store="test", nip=NIP),
            ksef=ksef_of(self.made.ksef.state),
            books=books_of(f"sqlite:///{self.made.home / 'connector.sqlite3'}"),
            now=self.made.clock(),
        )
        broken = list(self._differences(told))
        assert not broken, report(told, broken)

    def _differences(self, told: Stories) -> Iterator[Broken]:
        """The rules that hold whatever shop and person have done."""
        yield from same_documents(told)
        yield from series_whole(told)
        yield from proofs_whole(told)
        yield from told_once(told)
        # what KSeF refused, and what a person withdrew, waits for that person and says so
        for one in nothing_waits(told):
            if " is rejected" not in one.said:
                yield one

    def _pick(self, data: st.DataObject) -> int:
        return data.draw(st.sampled_from(self._orders))
