"""A seller's settings in the browser: the parser of seller files checks, faults stand beside their fields."""

from __future__ import annotations

import io
import tomllib
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import select

from connector_app.profiles import parse, read
from connector_app.profiles.writing import to_toml
from connector_app.store.models import Document, NumberCounter, Seller, ShopOrder
from connector_app.store.people import AuditEntry, Role
from sandbox.ksef.server import KsefSandbox
from tests.conftest import ROOT
from tests.pipeline.world import NIP, START, Clock, Installation, install
from tests.web.setup_world import send
from tests.web.site import WORK, Browser, Site, site

HOME = f"/sellers/{NIP}"
PAGES = (
    "company",
    "invoices",
    "bank",
    "corrections",
    "sending",
    "numbering",
    "products",
    "buyers",
    "payment-forms",
    "exchange-rates",
    "environment",
    "file",
)


@pytest.fixture
def pages(tmp_path: Path) -> Site:
    """An installation with a seller and a store; KSeF and the shop are nowhere, and never asked."""
    nowhere = "http://127.0.0.1:9"
    made = Installation(tmp_path, cast(KsefSandbox, None), Clock(), cast(Any, None))
    install(made.services(), api_url=nowhere, qr_url=nowhere, shop_url=nowhere)
    return site(made.services())


@pytest.fixture
def owner(pages: Site) -> Browser:
    """The owner's browser."""
    return pages.user()


def seller(pages: Site) -> Seller:
    """As it is stored."""
    with pages.services.database() as session:
        return session.scalars(select(Seller)).one()


def profile(pages: Site) -> dict[str, Any]:
    """The stored settings."""
    return seller(pages).profile


def issue_something(pages: Site) -> None:
    """The seller has issued FV/2026/11/0007."""
    with pages.services.database.begin() as session:
        order = ShopOrder(
            store_id=1, remote_id="1", number="1", modified_at=START, content_hash="", seen_at=START
        )
        session.add(order)
        session.flush()
        session.add(
            Document(
                seller_id=1,
                order_id=order.id,
                purpose="invoice",
                kind="VAT",
                state="published",
                number="FV/2026/11/0007",
                xml_sha256="0" * 64,
                attempts=0,
                created_at=START,
                updated_at=START,
            )
        )
        session.add(NumberCounter(seller_id=1, series="FV/{yyyy}/{mm}/{n:04}", period="2026-11", last=7))


@pytest.mark.parametrize("name", PAGES)
def test_every_page_shows_and_saves_without_change(pages: Site, owner: Browser, name: str) -> None:
    """Saving what is shown changes nothing; the pages are there in both languages."""
    before = profile(pages)
    assert "Sklep Testowy" in owner.get(f"{HOME}/{name}")
    assert "Zapisz" not in owner.get(f"{HOME}/{name}?lang=en")
    if name == "company":
        send(
            owner,
            f"{HOME}/{name}",
            {"seller-name": "Sklep Testowy", "seller-address-line1": "ul. Przykładowa 1"},
        )
    elif name not in {"environment", "file"}:
        owner.post(f"{HOME}/{name}")
    assert profile(pages) == before


def test_entries_are_kept_as_a_seller_file_would_have_them(pages: Site, owner: Browser) -> None:
    """Texts, choices, flags, lists and numbers; what is cleared is gone, and names of changes are noted."""
    send(
        owner,
        f"{HOME}/company",
        {"seller-name": "Nowa Nazwa", "seller-address-line1": "ul. Inna 2", "seller-place": "Łódź"},
    )
    send(
        owner,
        f"{HOME}/invoices",
        {
            "invoices-company_without_nip": "consumer",
            "invoices-receipts": "y",
            "invoices-paid_on_delivery": "cod, pobranie ,",
            "treatments-eu_goods": "0 WDT",
        },
    )
    send(owner, f"{HOME}/sending", {"sending-batch_from": "10"})
    stored = profile(pages)
    assert stored["seller"]["place"] == "Łódź"
    assert seller(pages).name == "Nowa Nazwa"
    assert stored["invoices"] == {
        "company_without_nip": "consumer",
        "receipts": True,
        "paid_on_delivery": ["cod", "pobranie"],
    }
    assert stored["treatments"] == {"eu_goods": "0 WDT"}
    assert stored["sending"] == {"batch_from": 10}
    send(owner, f"{HOME}/sending", {"sending-batch_from": ""})
    assert "sending" not in profile(pages)
    with pages.services.database() as session:
        notes = session.scalars(WORK.with_only_columns(AuditEntry.details).order_by(AuditEntry.id)).all()
    assert notes[0] == {
        "section": "company",
        "changed": ["seller.address.line1", "seller.name", "seller.place"],
    }
    assert pages.woken


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("company", {"seller-name": " ", "seller-address-line1": "ul. A 1"}, "Brakuje tego wpisu."),
        ("sending", {"sending-batch_from": "dużo"}, "Musi być liczbą całkowitą od 1 do 180."),
        ("sending", {"sending-gather_minutes": "61"}, "Musi być liczbą całkowitą od 1 do 60."),
        ("bank", {"bank_account-bank": "Bank"}, "Brakuje tego wpisu."),
        ("numbering", {"invoices-number_pattern": "FV/{yyyy}"}, "potrzebny jest dokładnie jeden licznik"),
        ("numbering", {"invoices-number_pattern": "FV/{mm}/{n}"}, "miesiąc bez roku"),
        ("numbering", {"invoices-number_pattern": "KOR/{yyyy}/{mm}/{n:04}"}, "KOR/{yyyy}/{mm}/{n:04}"),
        (
            "numbering",
            {"start-0-kind": "invoice", "start-0-next": "5", "start-0-period": "2026"},
            "2026-11",
        ),
        ("numbering", {"start-0-kind": "invoice", "start-0-next": "pięć"}, "musi być liczbą całkowitą"),
    ],
)
def test_faults_are_told_and_nothing_is_kept(
    pages: Site, owner: Browser, name: str, values: dict[str, str], said: str
) -> None:
    """In the parser's words, beside the field where it has one; what was typed stays."""
    before = profile(pages)
    page = owner.post(f"{HOME}/{name}", **cast(Any, values))
    assert said in page
    assert profile(pages) == before
    for typed in values.values():
        assert typed in page


def test_numbers_go_on_from_another_program(pages: Site, owner: Browser) -> None:
    """A start without a period holds for this month; examples show what would come next, before saving."""
    form: dict[str, Any] = {
        "invoices-number_pattern": "FV/{store}/{n:03}/{mm}/{yyyy}",
        "start-0-kind": "invoice",
        "start-0-next": "148",
        "start-0-store": "test",
    }
    page = owner.post(f"{HOME}/numbering", **form, preview="1")
    assert "FV/test/148/11/2026" in page
    assert "jeszcze nie zapisany" in page
    assert "numbering" not in profile(pages)
    owner.post(f"{HOME}/numbering", **form)
    assert profile(pages)["numbering"] == {
        "start": [{"kind": "invoice", "next": 148, "period": "2026-11", "store": "test"}]
    }
    assert "FV/test/148/11/2026" in owner.get(f"{HOME}/numbering")


def test_numbers_that_were_issued_are_warned_of(pages: Site, owner: Browser) -> None:
    """A start that counting has passed says so; another pattern is another series."""
    issue_something(pages)
    page = send(owner, f"{HOME}/numbering", {"start-0-kind": "invoice", "start-0-next": "5"})
    assert "FV/2026/11/0008" in page
    assert "jest już za nami: ostatni to 7" in page
    page = send(owner, f"{HOME}/numbering", {"invoices-number_pattern": "F/{n}"})
    assert "to nowa seria" in page


def test_products_are_edited_row_by_row_and_pasted(pages: Site, owner: Browser) -> None:
    """Rows are added, changed, renamed and taken out; pasted columns change only themselves."""
    path = f"{HOME}/products"
    send(owner, path, {"row-0-key": "A-1", "row-0-gtu": "GTU_06", "row-0-annex_15": "1"})
    owner.post(path, csv="sku;unit;category\nA-1;kpl.;\n<b>;;zw\n")
    assert profile(pages)["products"] == {
        "A-1": {"gtu": "GTU_06", "annex_15": True, "unit": "kpl."},
        "<b>": {"category": "zw"},
    }
    assert "<b>" not in owner.get(path)
    send(
        owner,
        path,
        {
            "row-0-old": "<b>",
            "row-0-key": "",
            "row-1-old": "A-1",
            "row-1-key": "A-2",
            "row-1-unit": "szt.",
        },
    )
    assert profile(pages)["products"] == {"A-2": {"unit": "szt."}}
    assert parse(profile(pages)).policy.products["A-2"].unit == "szt."


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"csv": "sku;kolor\nA;czerwony"}, "Nieznane kolumny: kolor"),
        ({"csv": "sku;gtu\nA;GTU_99"}, "Wiersz 2: gtu: nie ma wartości „GTU_99”"),
        ({"csv": "sku;gtu\n;GTU_01"}, "Wiersz 2: brakuje klucza"),
        ({"csv": "sku;unit\nA;szt.\nA;kg"}, "A: Taki wiersz już jest."),
        ({"row-0-key": "A", "row-0-margin": "moja"}, "jednym z: tourism"),
        ({"row-0-key": "", "row-0-unit": "szt."}, "wypełnij to pole"),
        ({"row-0-key": "A", "row-1-key": "A"}, "Taki wiersz już jest."),
    ],
)
def test_wrong_rows_are_told(pages: Site, owner: Browser, form: dict[str, str], said: str) -> None:
    """Nothing of the table is kept then."""
    assert said in owner.post(f"{HOME}/products", **cast(Any, form))
    assert "products" not in profile(pages)


def test_buyers_payments_and_rates_have_tables(pages: Site, owner: Browser) -> None:
    """What each row means in a seller file; several third parties of a file outlive the page."""
    send(
        owner,
        f"{HOME}/buyers",
        {
            "row-0-key": "PL 526-025-02-74",
            "row-0-local_government": "1",
            "row-0-party_name": "Szkoła",
            "row-0-party_role": "local_government_recipient",
            "row-0-party_line1": "ul. Szkolna 1",
        },
    )
    assert "to nie jest NIP" in send(owner, f"{HOME}/buyers", {"row-0-key": "123"})
    send(owner, f"{HOME}/payment-forms", {"row-0-key": "cod", "row-0-value": "cash"})
    send(
        owner,
        f"{HOME}/exchange-rates",
        {"row-0-key": "eur", "row-0-rate": "4,2617", "row-0-day": "2026-11-20"},
    )
    stored = profile(pages)
    party = {
        "name": "Szkoła",
        "role": "local_government_recipient",
        "address": {"line1": "ul. Szkolna 1"},
    }
    assert stored["buyers"] == {"5260250274": {"local_government": True, "third_parties": [party]}}
    assert stored["payment_forms"] == {"cod": "cash"}
    assert stored["exchange_rates"] == {"EUR": {"rate": "4.2617", "day": "2026-11-20"}}
    two = stored | {"buyers": {"5260250274": {"third_parties": [party, party | {"name": "Druga"}]}}}
    with pages.services.database.begin() as session:
        session.scalars(select(Seller)).one().profile = two
    send(
        owner,
        f"{HOME}/buyers",
        {"row-0-old": "5260250274", "row-0-key": "5260250274", "row-0-vat_group": "1"},
    )
    marks = profile(pages)["buyers"]["5260250274"]
    assert [one["name"] for one in marks["third_parties"]] == ["Szkoła", "Druga"]
    assert marks["vat_group"] is True


def test_what_a_file_chose_beyond_a_pages_choices_outlives_the_page(pages: Site, owner: Browser) -> None:
    """Saving the page keeps it."""
    with pages.services.database.begin() as session:
        row = session.scalars(select(Seller)).one()
        row.profile = row.profile | {"treatments": {"export": "oo"}}
    assert '<option selected value="oo">' in owner.get(f"{HOME}/invoices")
    send(owner, f"{HOME}/invoices", {"treatments-export": "oo"})
    assert profile(pages)["treatments"] == {"export": "oo"}


def test_the_whole_file_goes_out_and_comes_back(
    pages: Site, owner: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is downloaded reads back to the same values; every fault of an upload is listed."""
    example = (ROOT / "docs" / "examples" / "seller.toml").read_bytes()
    owner.post(f"{HOME}/file", file=(io.BytesIO(example), "seller.toml"))
    assert profile(pages) == read(example, "").values
    given = owner.client.get(f"{HOME}/seller.toml")
    assert read(given.data, "").values == profile(pages)
    broken = b'[seller]\nnip = "5265877635"\ncolour = "red"\n[sending]\nbatch_from = 0\n'
    page = owner.post(f"{HOME}/file", file=(io.BytesIO(broken), "seller.toml"))
    for said in ("seller.colour", "seller.name", "seller.address.line1", "sending.batch_from"):
        assert said in page
    other = example.replace(b"5265877635", b"5260250274")
    assert "inną firmę (NIP 5260250274)" in owner.post(f"{HOME}/file", file=(io.BytesIO(other), "a.toml"))
    assert "nie jest plikiem TOML" in owner.post(f"{HOME}/file", file=(io.BytesIO(b"="), "a.toml"))
    monkeypatch.setattr("connector_app.web.settings.views._LARGEST_FILE", len(example) - 1)
    large = io.BytesIO(example)
    assert "za duży" in owner.post(f"{HOME}/file", file=(large, "a.toml"))
    assert profile(pages) == read(example, "").values


def test_toml_reads_back_whatever_the_texts_are() -> None:
    """Quotes, line ends, control characters, odd keys, empty lists and tables."""
    values = {
        "seller": {"name": 'a "b" \\ \n\t\x01\x7fż', "address": {"line1": "x"}},
        "products": {'odd "key".x': {"annex_15": True, "unit": ""}, "": {"n": -3}, "empty": {}},
        "numbering": {"start": [{"kind": "invoice", "next": 5}, {"next": 6, "deep": {"a": ["x", "y"]}}]},
        "list": {"none": [], "some": ["ł", '"']},
    }
    assert tomllib.loads(to_toml(values)) == values


def test_the_environment_stays_once_something_was_issued(pages: Site, owner: Browser) -> None:
    """Before, it may be changed and ends the sign-in; FA(2) goes to TEST only; production needs a yes."""
    path = f"{HOME}/environment"
    with pages.services.database.begin() as session:
        session.scalars(select(Seller)).one().tokens = "something"
    owner.post(path, environment="TEST", schema="FA2")
    kept = seller(pages)
    assert (kept.environment, kept.schema_version, kept.tokens) == ({"name": "TEST"}, "FA2", None)
    assert "nie przyjmuje już FA(2)" in owner.post(path, environment="DEMO", schema="FA2")
    assert "Potwierdź" in owner.post(path, environment="PRODUCTION", schema="FA3")
    assert seller(pages).environment == {"name": "TEST"}
    issue_something(pages)
    page = owner.post(path, environment="DEMO", schema="FA3")
    assert "wystawił już dokumenty w środowisku TEST" in page
    assert seller(pages).environment == {"name": "TEST"}


def test_an_environment_of_another_address_is_kept(pages: Site, owner: Browser) -> None:
    """A seller that a command added with its own addresses changes its structure without losing them."""
    before = seller(pages).environment
    owner.post(f"{HOME}/environment", environment="OTHER", schema="FA2")
    assert (seller(pages).environment, seller(pages).schema_version) == (before, "FA2")


def test_only_owners_see_and_change_settings(pages: Site, owner: Browser) -> None:
    """Operators of the seller are told no, strangers find nothing; a forged form does nothing."""
    before = profile(pages)
    operator = pages.user("b@sklep.example", is_admin=False, seller_1=Role.OPERATOR)
    stranger = pages.user("c@sklep.example", is_admin=False)
    for path in (HOME, f"{HOME}/seller.toml", *(f"{HOME}/{name}" for name in PAGES)):
        operator.get(path, 403)
        stranger.get(path, 404)
    for name in PAGES:
        operator.post(f"{HOME}/{name}", 403, page="/", **{"seller-name": "X"})
        stranger.post(f"{HOME}/{name}", 404, page="/", **{"seller-name": "X"})
        assert owner.client.post(f"{HOME}/{name}", data={"seller-name": "X"}).status_code == 400
    assert "nic do ustawiania" in stranger.get("/settings")
    assert "Sklep Testowy" not in stranger.get("/settings")
    assert "Sklep Testowy" in owner.get("/settings")
    assert profile(pages) == before
