"""The list of VAT payers and VIES: what they say, what is kept, and that their silence blocks nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from connector_app.pipeline.services import Services
from connector_app.registers import Company, RegisterDown, Registers, VatList, Vies, cache, checks, vat_list
from connector_app.registers.options import BuyerChecks, want_checks
from connector_app.settings import BadSetting, Settings
from connector_app.store.models import Document, DocumentState
from tests.pipeline.world import Clock, World, recorded, world
from tests.registers.office import ACTIVE, GERMAN, GONE, Office, office, subject

DAY = date(2026, 11, 24)


@pytest.fixture
def desk() -> Iterator[Office]:
    with office() as one:
        yield one


@pytest.fixture
def made(tmp_path: Path) -> Iterator[World]:
    """A store with one order, whose buyer has a NIP."""
    with world(tmp_path, [recorded("order_full")]) as one:
        one.prepare()
        yield one


def installed(made: World, desk: Office, *, wanted: bool = True) -> Services:
    services = made.services()
    with services.database.begin() as session:
        want_checks(session, BuyerChecks(wanted, wanted))
    return replace(
        services,
        registers=Registers(
            VatList(desk.url, services.database, made.clock), Vies(desk.url, services.database, made.clock)
        ),
    )


def test_a_company_by_its_nip(desk: Office) -> None:
    """Name and address are tidied; the number may be written with separators."""
    found = VatList(desk.url).lookup("PL 526-025-02-74", DAY)
    assert found == Company(
        ACTIVE, "HURTOWNIA WZOROWA SP. Z O.O.", "UL. PRZYKŁADOWA 7/2", "00-950 WARSZAWA", "Czynny"
    )
    assert desk.asked == [f"/api/search/nip/{ACTIVE}?date=2026-11-24"]


def test_unknown_and_impossible_numbers(desk: Office) -> None:
    """The list does not have the first; the second is never asked about."""
    register = VatList(desk.url)
    assert register.lookup(GONE, DAY) is None
    assert register.lookup("1234567890", DAY) is None
    assert len(desk.asked) == 1


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b"<html>"),
        (200, b"{}"),
        (200, b"[1]"),
        (200, b'{"result": {"subject": {"nip": "1111111111", "name": "x"}}}'),
        (302, b"{}"),
        (200, b'"' + b"x" * 600_000 + b'"'),
    ],
)
def test_a_broken_answer_is_no_answer(desk: Office, status: int, body: bytes) -> None:
    """Nothing of it is used, and the register is left alone for some minutes."""
    desk.status, desk.broken = status, body
    clock = Clock()
    register = VatList(desk.url, clock=clock)
    for _ in range(3):
        with pytest.raises(RegisterDown) as said:
            register.lookup(ACTIVE, DAY)
    assert "Wykaz podatników VAT" in said.value.text.pl
    assert len(desk.asked) == 1
    desk.status, desk.broken = 200, None
    clock.sleep(601)
    assert register.lookup(ACTIVE, DAY) is not None


def test_a_used_up_limit_rests_until_midnight(desk: Office) -> None:
    """The list says so with a code; asking goes on the next Warsaw day."""
    desk.status, desk.broken = 429, b'{"code": "WL-191", "message": "limit"}'
    clock = Clock()
    register = VatList(desk.url, clock=clock)
    with pytest.raises(RegisterDown) as said:
        register.lookup(ACTIVE, DAY)
    assert said.value.is_limit
    desk.status, desk.broken = 200, None
    clock.sleep(12 * 3600)
    with pytest.raises(RegisterDown):
        register.lookup(ACTIVE, DAY)
    clock.sleep(3600)
    assert register.lookup(ACTIVE, DAY + timedelta(days=1)) is not None


def test_nobody_there_is_said_at_once() -> None:
    """A closed port is an error in words, without the library's own."""
    with pytest.raises(RegisterDown) as said:
        VatList("http://127.0.0.1:9").lookup(ACTIVE, DAY)
    assert said.value.text.pl == "Wykaz podatników VAT: nie odpowiada."
    with pytest.raises(ValueError, match="https"):
        VatList("http://register.example")


def test_answers_are_kept_for_the_day(desk: Office, made: World) -> None:
    """In the database, unknown numbers too; 30 go in one request."""
    services = installed(made, desk)
    register = services.registers.vat_list
    assert register is not None
    for _ in range(2):
        assert register.lookup(ACTIVE, DAY) is not None
        assert register.lookup(GONE, DAY) is None
    assert len(desk.asked) == 2
    many = ["5265877635", "7010001454", ACTIVE, GONE]
    found = register.lookup_many(many, DAY)
    assert [one for one, company in found.items() if company] == [ACTIVE]
    assert set(found) == set(many)
    assert len(desk.asked) == 3
    assert register.lookup(ACTIVE, DAY + timedelta(days=1)) is not None
    assert len(desk.asked) == 4


def test_vies(desk: Office, made: World) -> None:
    """Valid, invalid, impossible, and a country whose register is down."""
    register = installed(made, desk).registers.vies
    assert register is not None
    desk.vies[GERMAN] = {"valid": True, "vatNumber": GERMAN[2:], "name": "Muster GmbH", "address": "---"}
    found = register.lookup("DE 136 695 976")
    assert found is not None
    assert (found.is_valid, found.name, found.address) == (True, "Muster GmbH", "")
    assert register.lookup(GERMAN) == found
    assert len(desk.asked) == 1
    french, spanish = "FR40303265045", "ES54362315K"
    desk.vies[french] = {"actionSucceed": False, "errorWrappers": [{"error": "INVALID_INPUT"}]}
    invalid = register.lookup(french)
    assert invalid is not None
    assert not invalid.is_valid
    desk.vies[spanish] = {"actionSucceed": False, "errorWrappers": [{"error": "MS_UNAVAILABLE"}]}
    with pytest.raises(RegisterDown, match="MS_UNAVAILABLE"):
        register.lookup(spanish)
    assert register.lookup("PL5260250274") is None


def first_document(services: Services) -> Document:
    with services.database() as session:
        document = session.scalars(select(Document)).first()
        assert document is not None
        return document


def finding_code(services: Services) -> str | None:
    with services.database() as session:
        document = session.scalars(select(Document)).first()
        assert document is not None
        found = checks.buyer_check(session, document)
        return found.code if found else None


def test_new_buyers_are_asked_about_once(desk: Office, made: World) -> None:
    """Only when the owner wants it; the invoice goes its way whatever the register says."""
    services = installed(made, desk, wanted=False)
    made.run()
    assert checks.ask_new(services) == 0
    assert desk.asked == []
    with services.database.begin() as session:
        want_checks(session, BuyerChecks(vat_list=True))
    desk.companies[ACTIVE] = subject(ACTIVE, "Niezarejestrowany")
    assert checks.ask_new(services) == 1
    assert checks.ask_new(services) == 0
    assert len(desk.asked) == 1
    assert finding_code(services) == "buyer-not-on-vat-list"
    assert first_document(services).state == DocumentState.PUBLISHED


def test_an_active_buyer_gives_no_warning(desk: Office, made: World) -> None:
    """Nor does one that was never asked about."""
    services = installed(made, desk)
    made.run()
    assert finding_code(services) is None
    checks.ask_new(services)
    assert len(desk.asked) == 1
    assert finding_code(services) is None


def test_a_register_that_is_down_is_asked_again_later(desk: Office, made: World) -> None:
    """Nothing is raised and nothing is forgotten."""
    services = installed(made, desk)
    made.run()
    desk.companies.clear()
    desk.status = 503
    assert checks.ask_new(services) == 0
    assert finding_code(services) is None
    desk.status = 200
    assert checks.ask_new(services) == 0
    made.clock.sleep(601)
    assert checks.ask_new(services) == 1
    assert finding_code(services) == "buyer-not-on-vat-list"


def test_answers_are_of_a_registers_own(desk: Office, made: World) -> None:
    """The day's count that spares the limit counts the list's numbers only."""
    services = installed(made, desk)
    assert services.registers.vies is not None
    services.registers.vies.lookup(GERMAN)
    with services.database() as session:
        assert cache.asked_on(session, vat_list.REGISTER, DAY) == 0
        assert cache.asked_on(session, "vies", DAY) == 1


def test_settings_name_the_registers() -> None:
    """``off`` asks nobody; what is no address is refused in words."""
    read = Settings.from_environment
    assert read({"KSEF_CONNECTOR_VIES_URL": "off"}).vies_url == "off"
    assert read({}).vat_list_url == "https://wl-api.mf.gov.pl"
    with pytest.raises(BadSetting, match="KSEF_CONNECTOR_VAT_LIST_URL"):
        read({"KSEF_CONNECTOR_VAT_LIST_URL": "http://register.example"})


def test_asking_holds_nothing_up(desk: Office, made: World) -> None:
    """It happens in a thread of its own, one at a time; without registers there is none."""
    services = installed(made, desk)
    made.run()
    checks.Asking(made.services()).begin()
    assert desk.asked == []
    asking = checks.Asking(services)
    asking.begin()
    asking.begin()
    for _ in range(200):
        if asking.is_over():
            break
        time.sleep(0.02)
    assert len(desk.asked) == 1
