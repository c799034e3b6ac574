"""The invariants see what they are for: the story of each side is changed on purpose, one thing at a time."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.faults import invariants
from tests.faults.invariants import Stories
from tests.faults.stories import GivenBack, books_of, ksef_of, woo_sales
from tests.mail.server import Postbox
from tests.mail.test_mail import posting_world
from tests.pipeline.refunds import ONE_MUG, refund
from tests.pipeline.world import NIP

Break = Callable[[Stories], Stories | None]


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stories]:
    """All sides after an invoice and a correction, both told of in the shop and by e-mail."""
    home, box = Path(tmp_path_factory.mktemp("quiet")), Postbox()
    with posting_world(home, box) as world:
        world.run()
        world.clock.sleep(60)
        refund(world, ONE_MUG)
        world.run()
        # nothing waits for the collective UPO of the session, so it comes with a later look
        world.clock.sleep(3600)
        world.run()
        yield Stories(
            sales=woo_sales(world.shop.state, store="test", nip=NIP),
            ksef=ksef_of(world.ksef.state),
            books=books_of(f"sqlite:///{world.home / 'connector.sqlite3'}"),
            now=world.clock(),
            letters=box.messages,
        )


def row(place: int, **changes: Any) -> Break:
    """Change a document in the database; a function is given what stands there."""

    def change(told: Stories) -> None:
        found: Any = told.books.documents[place]
        found.update({key: one(found[key]) if callable(one) else one for key, one in changes.items()})

    return change


def other(table: str, **changes: Any) -> Break:
    """Change the first row of another table."""
    return lambda told: getattr(told.books, table)[0].update(changes)


def sold(**changes: Any) -> Break:
    """Change what the shop says of its order."""
    return lambda told: replace(told, sales=[replace(told.sales[0], **changes)])


def shown(**changes: Any) -> Break:
    """Change what the shop shows of its documents."""

    def change(told: Stories) -> Stories:
        (sale,) = told.sales
        values = {key: one(getattr(sale.told, key)) if callable(one) else one for key, one in changes.items()}
        return replace(told, sales=[replace(sale, told=replace(sale.told, **values))])

    return change


def in_ksef(change: Callable[[list[Any]], list[Any]]) -> Break:
    """Change what KSeF has."""
    return lambda told: replace(told, ksef=change(list(told.ksef)))


def in_box(change: Callable[[list[Any]], list[Any]]) -> Break:
    """Change what the mailbox has."""
    return lambda told: replace(told, letters=change(list(told.letters or [])))


def changed_byte(content: bytes) -> bytes:
    """One bit is another one."""
    return content[:200] + bytes([content[200] ^ 1]) + content[201:]


def test_a_quiet_world_is_one_story(quiet: Stories) -> None:
    """Nothing is broken, and the report says so."""
    assert len(quiet.ksef) == 2
    assert invariants.report(quiet, invariants.check(quiet)) == "0 differences:"


@pytest.mark.parametrize(
    ("rule", "broken"),
    [
        ("same documents", row(0, xml=changed_byte)),
        ("same documents", row(1, ksef_number=None)),
        ("same documents", row(0, number="FV/2026/11/0002")),
        ("same documents", row(0, total="1.00")),
        ("same documents", row(1, issued_at=None)),
        ("same documents", in_ksef(lambda found: found[:1])),
        ("same documents", in_ksef(lambda found: [*found, replace(found[1], ksef_number="x")])),
        ("each order once", in_ksef(lambda found: found[1:])),
        ("each order once", in_ksef(lambda found: found[:1])),
        ("each order once", in_ksef(lambda found: [*found, replace(found[0], ksef_number="x")])),
        ("each order once", in_ksef(lambda found: [replace(found[0], orders=("7",)), found[1]])),
        ("each order once", sold(total=Decimal("300.00"))),
        ("each order once", sold(refunds=())),
        ("each order once", sold(refunds=(GivenBack("1", Decimal("9.00"), by_amount=True),))),
        (
            "each order once",
            sold(state="cancelled", refunds=()),
        ),
        ("series whole", row(0, number="FV/2026/11/0003")),
        ("series whole", other("counters", last=7)),
        ("proofs whole", row(0, upo=None)),
        ("proofs whole", row(0, xml_sha256="0" * 64)),
        ("proofs whole", other("session_upos", ended_at=None)),
        ("told once", shown(private=lambda notes: notes * 2)),
        ("told once", shown(public=lambda notes: notes[1:])),
        ("told once", shown(fields={"number": ("another",)})),
        ("told once", shown(tags=2)),
        ("told once", lambda told: told.books.publications.append(told.books.publications[0])),
        ("letters once", in_box(lambda found: [*found, found[0]])),
        ("letters once", in_box(lambda found: found[1:])),
        ("letters once", other("mails", state="unknown")),
        ("letters once", other("mails", state="due")),
        ("letters once", lambda told: told.books.mails.pop() and None),
        ("nothing waits", row(1, state="sent")),
        ("nothing waits", row(0, state="waiting")),
        (
            "nothing waits",
            lambda told: told.books.batches.append({"id": 1, "state": "open", "waiting_for": ""}),
        ),
        ("nothing waits", lambda told: told.books.events.append({"done_at": None, "order_id": "15"})),
        ("attention is named", row(0, state="attention", attention=[])),
        ("attention is named", row(0, state="attention", attention=[{"code": "odd"}])),
        ("attention is named", row(0, state="attention", ksef_number=None)),
    ],
)
def test_what_is_broken_is_noticed(quiet: Stories, rule: str, broken: Break) -> None:
    """The rule that is broken says so."""
    told = replace(quiet, books=copy.deepcopy(quiet.books))
    told = broken(told) or told
    found = invariants.check(told)
    assert rule in {one.rule for one in found}, invariants.report(told, found)


def test_a_held_lane_is_noticed(quiet: Stories) -> None:
    """A hold that is in force at rest."""
    until = (quiet.now + timedelta(days=1)).isoformat()
    told = replace(quiet, books=copy.deepcopy(quiet.books))
    other("sellers", hold={"until": until, "why": {"en": "x"}})(told)
    assert [one.rule for one in invariants.check(told)] == ["nothing waits"]


def test_the_report_shows_the_order_as_each_side_tells_it(quiet: Stories) -> None:
    """Shop, database and KSeF stand below one another."""
    told = replace(quiet, ksef=quiet.ksef[:1])
    text = invariants.report(told, invariants.check(told))
    for said in (
        "order test/15",
        "shop      paid, 246.55",
        "database  2 refund:16 published",
        "KSeF      VAT FV",
    ):
        assert said in text
