"""The page of public registers: off by default, for owners of the installation, never the real ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import render_template_string

from connector_app.registers import Registers, VatList, Vies, checks
from connector_app.registers.options import BuyerChecks, checks_wanted, want_checks
from connector_app.store.people import AuditEntry, Role
from tests.pipeline.world import World
from tests.registers.office import ACTIVE, GONE, Office, office
from tests.web.site import Site, site

PAGE = "/settings/registers"


@pytest.fixture
def desk() -> Iterator[Office]:
    with office() as one:
        yield one


@pytest.fixture
def pages(made: World, desk: Office) -> Site:
    services = made.services()
    known = Registers(VatList(desk.url, services.database, made.clock), Vies(desk.url))
    return site(replace(services, registers=known))


def wanted(pages: Site) -> BuyerChecks:
    with pages.services.database() as session:
        return checks_wanted(session)


def test_switched_on_and_off(pages: Site, desk: Office) -> None:
    """Nothing is asked by opening or saving the page; each change is in the audit log."""
    browser = pages.user()
    assert "checked" not in browser.get(PAGE)
    assert wanted(pages) == BuyerChecks()
    browser.post(PAGE, vat_list="y")
    assert wanted(pages) == BuyerChecks(vat_list=True)
    assert "checked" in browser.get(PAGE)
    browser.post(PAGE)
    assert wanted(pages) == BuyerChecks()
    with pages.services.database() as session:
        assert [one.action for one in session.query(AuditEntry)].count("registers.checks") == 2
    assert desk.asked == []


def test_one_number(pages: Site, desk: Office) -> None:
    """A company's data, an unknown number, a mistyped one, and a register that is down."""
    browser = pages.user()
    look = f"{PAGE}/look"
    assert "HURTOWNIA WZOROWA" in browser.post(look, page=PAGE, number=ACTIVE)
    assert "nie zna tego numeru" in browser.post(look, page=PAGE, number=GONE)
    assert "nie jest poprawny" in browser.post(look, page=PAGE, number="<b>1234567890</b>")
    desk.status = 500
    assert "Wykaz podatników VAT" in browser.post(look, page=PAGE, number="5265877635")
    assert len(desk.asked) == 3


def test_owners_of_the_installation_only(pages: Site) -> None:
    """For anybody else the page does not exist."""
    owner = pages.user("o@sklep.example", is_admin=False, seller_1=Role.OWNER)
    owner.get(PAGE, 404)
    owner.post(PAGE, 404, page="/", vat_list="y")
    owner.post(f"{PAGE}/look", 404, page="/", number=ACTIVE)
    assert wanted(pages) == BuyerChecks()


def test_advice_beside_a_document(pages: Site, made: World, desk: Office) -> None:
    """The part that pages of documents include: a warning once the list has said so, else nothing."""

    def shown() -> str:
        with pages.app.test_request_context():
            return render_template_string(
                '{% with document_id = 1 %}{% include "registers/_advice.html" %}{% endwith %}'
            )

    made.run()
    assert "NIP" not in shown()
    desk.companies.clear()
    with pages.services.database.begin() as session:
        want_checks(session, BuyerChecks(vat_list=True))
    checks.ask_new(pages.services)
    assert f"NIP nabywcy {ACTIVE}" in shown()
