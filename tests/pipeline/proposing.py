"""What tests do as a buyer who proposes other data, and as the merchant who decides."""

from __future__ import annotations

from dataclasses import replace

from connector_app import proposals
from connector_app.pipeline import life
from connector_app.store.desk import BuyerProposal
from connector_app.store.models import Document
from tests.pipeline.world import World

RIGHT_NIP = "7010353442"
WRONG_NIP = "5260250274"
SAID = proposals.Said(
    nip=RIGHT_NIP,
    name="Dobra Firma S.A.",
    line1="ul. Nowa 5",
    line2="00-950 Warszawa",
    country="PL",
    contact="ksiegowosc@firma.example",
    remark="Pomyliłem numer.",
)


def propose(made: World, said: proposals.Said = SAID, number: str = "15") -> int:
    """Propose other data on an order's invoice; the proposal's id."""
    services = made.services()
    invoice = made.by_order()[number].id
    with services.database.begin() as session:
        return proposals.propose(session, session.get_one(Document, invoice), said, made.clock()).id


def approve(made: World, proposal_id: int) -> int:
    """Approve a proposal; the id of the document that carries it out."""
    services = made.services()
    with services.database.begin() as session:
        row = session.get_one(BuyerProposal, proposal_id)
        return proposals.approve(services, session, row, None).id


def only(**changes: str) -> proposals.Said:
    """The data of the recorded invoice with some of them changed."""
    stated = replace(
        SAID, nip=WRONG_NIP, name="Firma Sp. z o.o.", line1="ul. Prosta 1/2", line2="00-838 Warszawa"
    )
    return replace(stated, **changes)


def close(made: World, document_id: int) -> None:
    """``documents close``."""
    services = made.services()
    life.change(services, document_id, lambda row: life.close(row, services.clock()))
