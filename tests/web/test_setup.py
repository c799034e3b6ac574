"""The guided setup: from nothing to a seller that sends, and nothing goes out before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask_login import login_user
from sqlalchemy import select

from connector_app import guided
from connector_app.store.models import DocumentState, Seller
from connector_app.store.people import AuditEntry, Role
from connector_app.web.accounts.people import by_email
from connector_app.web.accounts.signing_in import SignedIn
from connector_app.web.setup.companies import Company, RegisterSilent, add_register
from connector_app.web.setup.steps import flow_needed
from tests.pipeline.world import NIP, World, recorded, world
from tests.web.setup_world import (
    CERTIFICATES,
    COMPANY,
    SETUP,
    add_store,
    empty_site,
    finished_jobs,
    is_signed_in,
    make_company,
    send,
    sign_in_by_test_certificate,
    the_seller,
)
from tests.web.site import EMAIL, WORK, Browser, Site


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[World]:
    """Sandboxes with one order; no seller, no store."""
    with world(tmp_path, [recorded("order_full")]) as one:
        yield one


@pytest.fixture
def empty(fresh: World) -> Site:
    """The application over it."""
    return empty_site(fresh)


@pytest.fixture
def owner(empty: Site) -> Browser:
    """Its owner's browser."""
    return empty.user()


def test_from_nothing_to_the_first_accepted_invoice(fresh: World, empty: Site, owner: Browser) -> None:
    """Company, sign-in, store, start: before the start nothing is issued, after it the order's invoice is."""
    page = make_company(owner)
    assert "Następny krok: Logowanie do KSeF" in page
    assert "Najpierw dokończ" in page
    page = sign_in_by_test_certificate(empty, owner)
    assert "Logowanie działa" in page
    assert "wystawianie faktur" in page, "permissions are told in words"
    add_store(fresh, empty)
    fresh.run()
    assert [one.state for one in fresh.documents()] == [DocumentState.READY]
    assert fresh.in_ksef() == []
    assert "Na start czeka dokumentów: <strong>1" in owner.get(SETUP)
    owner.post(f"{SETUP}/start", page=SETUP)
    assert empty.woken
    fresh.run()
    assert [one.state for one in fresh.documents()] == [DocumentState.PUBLISHED]
    assert len(fresh.in_ksef()) == 1
    assert "Wysyłanie jest włączone" in owner.get(SETUP)


def test_nothing_is_issued_offline_before_the_start(fresh: World, empty: Site, owner: Browser) -> None:
    """A document that a person asked to issue offline waits for the start, too, and goes out after it."""
    make_company(owner)
    sign_in_by_test_certificate(empty, owner)
    owner.post(f"{CERTIFICATES}/enrol", page=CERTIFICATES, kind="offline")
    finished_jobs(empty)
    add_store(fresh, empty)
    fresh.run()
    with empty.services.database.begin() as session:
        session.merge(fresh.documents()[0]).offline_asked = True
    done = fresh.run()
    (document,) = fresh.documents()
    assert (document.state, document.number) == (DocumentState.READY, None)
    assert any("Konfiguracja nie jest skończona" in one.pl for one in done.problems)
    owner.post(f"{SETUP}/start", page=SETUP)
    fresh.run()
    (document,) = fresh.documents()
    assert document.offline_mode is not None
    assert document.state == DocumentState.PUBLISHED


def test_the_start_needs_a_sign_in_and_a_store(empty: Site, owner: Browser) -> None:
    """Without them the button is not there, and the address does nothing."""
    make_company(owner)
    assert "Włącz wysyłanie</button>" not in owner.get(SETUP)
    said = owner.post(f"{SETUP}/start", page=SETUP)
    assert "Najpierw: Logowanie do KSeF, Połączenie ze sklepem" in said
    assert the_seller(empty).setup is not None


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("5265877636", "Cyfra kontrolna się nie zgadza"),
        ("52658776", "NIP ma dziesięć cyfr"),
        ("sklep", "NIP ma dziesięć cyfr"),
        ("", "Wypełnij to pole"),
        ("<script>alert(1)</script>", "NIP ma dziesięć cyfr"),
    ],
)
def test_a_wrong_nip_is_told_in_words(owner: Browser, typed: str, said: str) -> None:
    """Both when it is looked up and when a forged form saves it."""
    page = owner.post("/setup", nip=typed)
    assert said in page
    assert "<script>alert" not in page
    assert said in make_company(owner, nip=typed) or "Kto wystawia" in make_company(owner, nip=typed)


def test_the_register_proposes_and_the_person_decides(empty: Site, owner: Browser) -> None:
    """What the list of VAT payers says stands in the form; when it is silent or knows nothing, one types."""
    page = owner.post("/setup", nip="PL 526-587-76-35")
    assert "nie odpowiada" in page
    add_register(empty.app, lambda _nip: Company.at("MINISTERSTWO <b>", "UL. PROSTA 1, 00-001 WARSZAWA"))
    page = owner.post("/setup", nip=NIP)
    for value in ("MINISTERSTWO &lt;b&gt;", "UL. PROSTA 1", "00-001 WARSZAWA"):
        assert f'value="{value}"' in page
    add_register(empty.app, lambda _nip: None)
    assert "nie zna tego NIP" in owner.post("/setup", nip=NIP)

    def silent(_nip: str) -> Company:
        raise RegisterSilent

    add_register(empty.app, silent)
    assert "nie odpowiada" in owner.post("/setup", nip=NIP)


def test_production_needs_an_explicit_yes(empty: Site, owner: Browser) -> None:
    """Without it nothing is saved, and what was typed stays."""
    page = make_company(owner, environment="PRODUCTION")
    assert "Potwierdź, że faktury mają trafić do prawdziwego KSeF" in page
    assert 'value="Sklep Testowy"' in page
    make_company(owner, environment="PRODUCTION", confirmed="y")
    assert the_seller(empty).environment == {"name": "PRODUCTION"}
    page = owner.post(f"/sellers/{NIP}/sign-in/test-certificate", page=f"/sellers/{NIP}/sign-in")
    assert "nie przyjmuje certyfikatów testowych" in page
    assert not the_seller(empty).credential


def test_an_unknown_environment_is_refused(empty: Site, owner: Browser) -> None:
    """A forged choice saves nothing."""
    make_company(owner, environment="MARS")
    with empty.services.database() as session:
        assert session.scalars(select(Seller)).all() == []


def test_making_the_company_twice_makes_it_once(empty: Site, owner: Browser) -> None:
    """The second time leads to the setup of the first; so does its NIP."""
    make_company(owner)
    assert "Konfiguracja" in make_company(owner, name="Inna")
    assert the_seller(empty).name == "Sklep Testowy"
    assert "Ten sprzedawca już tu jest" in owner.post("/setup", nip=NIP)


def test_steps_that_are_fine_as_they_are_count_as_done(empty: Site, owner: Browser) -> None:
    """Only those that may be left out; each is written down."""
    make_company(owner)
    owner.post(f"{SETUP}/seen/numbering", page=SETUP)
    assert guided.seen(the_seller(empty)) == {"numbering"}
    owner.post(f"{SETUP}/seen/sign-in", 404, page=SETUP)
    with empty.services.database() as session:
        assert session.scalars(WORK.order_by(AuditEntry.id)).all() == ["seller.add", "setup.step"]


def test_settings_that_are_saved_in_the_setup_lead_back_to_it(empty: Site, owner: Browser) -> None:
    """The page says which step it is; saved there it is done, with a fault or outside the setup it is not."""
    make_company(owner)
    path = f"/sellers/{NIP}/numbering"
    assert "Krok 6 z 9" in owner.get(f"{path}?setup=1")
    assert "Krok 6" not in owner.get(path)
    send(owner, f"{path}?setup=1", {"invoices-number_pattern": "FV"})
    send(owner, path, {"invoices-number_pattern": "FV/{yyyy}/{n}"})
    assert guided.seen(the_seller(empty)) == frozenset()
    page = send(owner, f"{path}?setup=1", {"invoices-number_pattern": "F/{yyyy}/{n}"})
    assert "Pierwsza faktura: F/2026/1." in page
    assert "Włączenie wysyłania" in page
    assert guided.seen(the_seller(empty)) == {"numbering"}


def test_who_is_led_to_the_setup(empty: Site, owner: Browser) -> None:
    """The owner of an installation without sellers; nobody else, and nobody when there is one."""
    with empty.app.test_request_context(), empty.services.database() as session:
        login_user(SignedIn(by_email(session, EMAIL), "", 0))
        assert flow_needed(session)
    make_company(owner)
    with empty.app.test_request_context(), empty.services.database() as session:
        login_user(SignedIn(by_email(session, EMAIL), "", 0))
        assert not flow_needed(session)


def test_only_owners_set_up(empty: Site, owner: Browser) -> None:
    """Others see neither the first page nor a seller's; a form without its token does nothing."""
    make_company(owner)
    operator = empty.user("b@sklep.example", is_admin=False, seller_1=Role.OPERATOR)
    stranger = empty.user("c@sklep.example", is_admin=False)
    for path in ("/setup", SETUP, f"/sellers/{NIP}/sign-in", f"/sellers/{NIP}/certificates"):
        operator.get(path, 404 if path == "/setup" else 403)
        stranger.get(path, 404)
    for path in (f"{SETUP}/start", f"{SETUP}/seen/numbering", f"/sellers/{NIP}/sign-in/check"):
        operator.post(path, 403, page="/")
        stranger.post(path, 404, page="/")
        assert owner.client.post(path).status_code == 400
    operator.post("/setup/company", 404, page="/", **COMPANY)
    assert the_seller(empty).setup is not None
    assert not is_signed_in(empty)


def test_the_setup_speaks_english(empty: Site) -> None:
    """Every sentence of the list of steps."""
    browser = empty.user(language="en")
    page = make_company(browser)
    assert "Next step: Signing in to KSeF" in page
    assert "Konfiguracja" not in page
    assert "do zrobienia" not in page
