"""The merchant's page of what buyers proposed: both versions, one decision, by whoever may decide."""

from __future__ import annotations

import html

import pytest
from sqlalchemy import select

from connector_app.store.desk import RegisterAnswer
from connector_app.store.people import AuditEntry, Role
from core.invoices.model import TaxId
from tests.pipeline.proposing import RIGHT_NIP, SAID, WRONG_NIP, only, propose
from tests.pipeline.refunds import parsed, states
from tests.pipeline.world import NIP, World
from tests.web.site import Site


@pytest.fixture
def proposed(made: World) -> World:
    """The buyer of an accepted invoice proposed another NIP, name and address: proposal 1."""
    made.run()
    made.clock.sleep(60)
    assert propose(made) == 1
    return made


def _actions(made: World) -> list[tuple[str, str]]:
    with made.services().database() as session:
        rows = session.execute(select(AuditEntry.action, AuditEntry.subject).order_by(AuditEntry.id))
        return [(row[0], row[1]) for row in rows if row[0].startswith("proposal.")]


def test_both_versions_stand_side_by_side(proposed: World, pages: Site) -> None:
    with proposed.services().database.begin() as session:
        session.add(
            RegisterAnswer(
                register="vat-list", number=RIGHT_NIP, status="Czynny", answer=None, asked_at=proposed.clock()
            )
        )
    text = html.unescape(pages.user().get("/proposals"))
    for said in (WRONG_NIP, "Firma Sp. z o.o.", "ul. Prosta 1/2", RIGHT_NIP, SAID.name, SAID.line1):
        assert said in text
    assert SAID.remark in text
    assert "Czynny" in text
    assert "korekta do zera i nowa faktura" in text


def test_an_approval_issues_the_new_invoice_and_is_written_down(proposed: World, pages: Site) -> None:
    owner = pages.user()
    text = owner.post("/proposals/1/approve", page="/proposals")
    assert "Zatwierdzono" in text
    assert pages.woken == [True]
    assert "O tym zgłoszeniu już zdecydowano" in owner.post("/proposals/1/approve", page="/proposals")
    assert "O tym zgłoszeniu już zdecydowano" in owner.post("/proposals/1/decline", page="/proposals")
    proposed.run()
    assert parsed(proposed.by_order()["15"]).buyer.tax_id == TaxId.nip(RIGHT_NIP)
    assert len(proposed.in_ksef()) == 3
    assert _actions(proposed) == [("proposal.approved", "proposal:1")]
    assert "KOR/2026/11/0001" in owner.get("/proposals")


def test_a_declined_proposal_changes_nothing(proposed: World, pages: Site) -> None:
    pages.user().post("/proposals/1/decline", page="/proposals")
    proposed.run()
    assert states(proposed) == {"invoice": "published"}
    assert _actions(proposed) == [("proposal.declined", "proposal:1")]


def test_what_cannot_be_carried_out_offers_no_approval_and_says_why(proposed: World, pages: Site) -> None:
    """The seller's own NIP cannot be the buyer's: nothing is corrected to zero for it."""
    propose(proposed, only(nip=NIP))
    before = states(proposed)
    owner = pages.user()
    text = owner.get("/proposals")
    assert "/proposals/1/approve" not in text
    assert "NIP-em sprzedawcy" in text
    assert "NIP-em sprzedawcy" in owner.post("/proposals/1/approve", page="/proposals")
    proposed.run()
    assert states(proposed) == before
    # a name alone needs no new invoice
    propose(proposed, only(name="Inna Nazwa sp. z o.o."))
    assert "korekta danych nabywcy" in owner.get("/proposals")


def test_only_who_may_decide_sees_and_decides(proposed: World, pages: Site) -> None:
    viewer = pages.user("v@sklep.example", is_admin=False, seller_1=Role.VIEWER)
    accountant = pages.user("k@sklep.example", is_admin=False, seller_1=Role.ACCOUNTANT)
    stranger = pages.user("x@sklep.example", is_admin=False)
    for one, answer in ((viewer, 403), (accountant, 403), (stranger, 404)):
        one.get("/proposals", 403)
        for action in ("approve", "decline"):
            one.post(f"/proposals/1/{action}", answer, page="/")
    assert states(proposed) == {"invoice": "published"}
    operator = pages.user("o@sklep.example", is_admin=False, seller_1=Role.OPERATOR)
    assert SAID.name in operator.get("/proposals")
    assert pages.app.test_client().get("/proposals").status_code == 302
