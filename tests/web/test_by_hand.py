"""Pages of orders and corrections: what they show, who may do what, and that nothing happens twice."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from connector_app.policies import Recipients, StorePolicy
from connector_app.store.models import ShopOrder, Store
from connector_app.store.people import AuditEntry, Role
from tests.pipeline.refunds import corrections, parsed, states
from tests.pipeline.world import World
from tests.web.site import WORK, Browser, Site

ZUS: dict[str, Any] = {
    "kind": "company",
    "tax_id": "521-301-72-28",
    "name": "Zakład Ubezpieczeń",
    "line1": "ul. Szamocka 3",
    "postcode": "01-748",
    "city": "Warszawa",
    "country": "PL",
}


def hold_back(made: World) -> None:
    """The store waits some days before it invoices; the order is taken in."""
    with made.services().database.begin() as session:
        store = session.scalars(select(Store)).one()
        store.policy = StorePolicy(recipients=Recipients.EVERYONE, after_days=9).as_json()
    made.run()
    assert states(made) == {"invoice": "waiting"}


def actions(pages: Site) -> list[str]:
    """What the audit log says was done."""
    with pages.services.database() as session:
        return list(session.scalars(WORK.order_by(AuditEntry.id)))


def test_an_order_is_found_read_and_invoiced_by_hand(made: World, pages: Site) -> None:
    """The list, the reason, the order of a person, taken back, and given again."""
    hold_back(made)
    someone = pages.user()
    page = someone.get("/orders?show=left-out")
    assert 'href="/orders/1"' in page
    page = someone.get("/orders/1")
    assert "Wystaw fakturę w KSeF" in page
    assert "Razem" in page
    page = someone.post("/orders/1/invoice", page="/orders/1", confirm=["unpaid"])
    assert "Polecono wystawić tę fakturę" in page
    page = someone.post("/orders/1/withdraw", page="/orders/1")
    assert "znów decydują reguły" in page
    assert states(made) == {"invoice": "waiting"}
    someone.post("/orders/1/invoice", page="/orders/1", confirm=["unpaid"])
    made.run()
    assert states(made) == {"invoice": "published"}
    someone.post("/orders/1/invoice", 422, page="/orders/1", confirm=["unpaid"])
    assert actions(pages) == ["order.invoice", "order.withdraw", "order.invoice"]


def test_filters_of_the_list(made: World, pages: Site) -> None:
    """Number, buyer in any case, month of the last change, and what became of it."""
    made.run()
    someone = pages.user()
    (row,) = made.documents()
    month = f"{row.order.modified_at:%Y-%m}"
    hit = 'href="/orders/1"'
    for good in (
        "q=15",
        f"q={(row.buyer_name or '')[:5].lower()}",
        f"month={month}",
        "store=test",
        "month=x",
    ):
        assert hit in someone.get(f"/orders?{good}"), good
    for bad in ("q=16", "q=%25", "month=1999-01", "store=other", "show=asking", "show=left-out", "before=1"):
        assert hit not in someone.get(f"/orders?{bad}"), bad


def test_a_buyer_is_entered_with_faults_beside_the_fields(made: World, pages: Site) -> None:
    """A NIP with a wrong digit is refused; the right one is on the invoice."""
    hold_back(made)
    someone = pages.user()
    page = someone.post("/orders/1/buyer", 422, page="/orders/1", **(ZUS | {"tax_id": "521-301-72-29"}))
    assert "To nie jest poprawny NIP" in page
    page = someone.post("/orders/1/buyer", 422, page="/orders/1", **(ZUS | {"country": "XX"}))
    assert "Nie ma takiego kraju" in page
    page = someone.post("/orders/1/buyer", page="/orders/1", **ZUS)
    assert "Na fakturze, wpisany ręcznie" in page
    someone.post("/orders/1/invoice", page="/orders/1", confirm=["unpaid"])
    made.run()
    assert parsed(made.documents()[0]).buyer.tax_id.value == "5213017228"
    someone.post("/orders/1/buyer", 422, page="/orders/1", **ZUS)
    assert "order.buyer" in actions(pages)


def form(page: str) -> dict[str, Any]:
    """The values of a correction's form as it stands."""
    found = dict(re.findall(r'name="((?:quantity|amount)-\d+|n|seen|what)"[^>]*value="([^"]*)"', page))
    return found | {"reason": "Rabat", "type": "2"}


def lower(someone: Browser, path: str) -> tuple[dict[str, Any], str]:
    """Fill in a correction of a grosz more than nothing, and look at it."""
    values = form(someone.get(path))
    values["amount-0"] = f"{Decimal(values['amount-0'].replace(',', '.')) - 1:.2f}".replace(".", ",")
    page = someone.post(path, **values, do="preview")
    return form(page) | {"amount-0": values["amount-0"]}, page


def test_a_correction_is_looked_at_and_issued_once(made: World, pages: Site) -> None:
    """Sent twice, or changed after the preview, no second one and none unseen is issued."""
    made.run()
    someone = pages.user()
    path = "/documents/1/correct"
    unseen = form(someone.get(path)) | {"amount-0": "1,00"}
    assert "Wystaw korektę" in someone.post(path, **unseen, do="issue")
    assert corrections(made) == []
    values, page = lower(someone, path)
    assert "Zmiana razem" in page
    assert "-1,00" in page.replace("\u2212", "-")
    pdf = someone.client.post(f"{path}/preview.pdf", data=values | {"csrf_token": someone.token(path)})
    assert pdf.data.startswith(b"%PDF")
    token = someone.token(path)
    for _ in range(2):
        someone.client.post(path, data=values | {"do": "issue", "csrf_token": token})
    made.run()
    (done,) = corrections(made)
    assert (done.state, str(done.total)) == ("published", "-1.00")
    assert "document.correct" in actions(pages)


def test_a_line_is_added_by_the_form(made: World, pages: Site) -> None:
    """Goods added to the order after its invoice; without an amount the fault is said."""
    made.run()
    someone = pages.user()
    path = "/documents/1/correct"
    new = {"new-name": "Drugi kubek", "new-quantity": "1", "new-amount": "", "new-rate": "23"}
    assert "wymaga nazwy" in someone.post(path, 422, **form(someone.get(path)) | new, do="preview")
    page = someone.post(path, **form(someone.get(path)) | new | {"new-amount": "12,30"}, do="preview")
    assert "Zmiana razem" in page
    someone.post(path, **form(page) | new | {"new-amount": "12,30"}, do="issue")
    made.run()
    (done,) = corrections(made)
    assert (done.state, str(done.total)) == ("published", "12.30")


@pytest.mark.parametrize("amount", ["abc", "-5", "1,234", "NaN", "1e9"])
def test_a_wrong_amount_is_said_beside_its_line(made: World, pages: Site, amount: str) -> None:
    """And nothing is made."""
    made.run()
    someone = pages.user()
    values = form(someone.get("/documents/1/correct")) | {"amount-0": amount, "quantity-0": "0"}
    page = someone.post("/documents/1/correct", 422, **values, do="preview")
    assert "is-invalid" in page
    assert corrections(made) == []


def test_a_correction_is_withdrawn(made: World, pages: Site) -> None:
    """Before it is issued; the page of a waiting correction offers it."""
    made.run()
    someone = pages.user()
    values, _ = lower(someone, "/documents/1/correct")
    someone.post("/documents/1/correct", **values, do="issue")
    assert "Inna korekta" in someone.get("/documents/1/correct")
    assert "Wycofaj" in someone.get("/documents/2/correct")
    someone.post("/documents/2/correct/withdraw", page="/documents/2/correct")
    made.run()
    assert states(made) == {"invoice": "published", "hand:1": "cancelled"}


def test_the_buyers_tab_and_to_zero(made: World, pages: Site) -> None:
    """Another NIP says that two documents come; to zero shows what is taken back."""
    made.run()
    someone = pages.user(language="en")
    path = "/documents/1/correct"
    values = form(someone.get(f"{path}?what=buyer")) | ZUS | {"what": "buyer"}
    assert "a correction to zero and a new invoice" in someone.post(path, **values, do="preview")
    page = someone.post(path, **(form(someone.get(f"{path}?what=zero")) | {"what": "zero"}), do="preview")
    assert "Change in total" in page
    assert "Enter numbers" not in page


def test_nobody_reaches_what_is_not_theirs(made: World, pages: Site) -> None:
    """Another seller's person sees nothing; who may only read changes nothing."""
    hold_back(made)
    stranger = pages.user("obcy@biuro.example", is_admin=False)
    viewer = pages.user("podglad@biuro.example", is_admin=False, seller_1=Role.VIEWER)
    assert 'href="/orders/1"' not in stranger.get("/orders")
    for path in ("/orders/1", "/documents/1/correct", "/orders/99", "/orders/99999999999999999999"):
        stranger.get(path, 404)
    assert "Wystaw fakturę w KSeF" not in viewer.get("/orders/1")
    viewer.get("/documents/1/correct", 403)
    posts = ("/orders/1/invoice", "/orders/1/withdraw", "/orders/1/buyer", "/documents/1/correct")
    for path in (*posts, "/documents/1/correct/withdraw", "/documents/1/correct/preview.pdf"):
        viewer.post(path, 403, page="/")
        stranger.post(path, 404, page="/")
    with pages.services.database() as session:
        assert session.scalars(select(ShopOrder)).one().ordered is None
    assert states(made) == {"invoice": "waiting"}
