"""The buyer's page: only behind its link, in every state, and with nothing of anybody else."""

from __future__ import annotations

import base64
import html
import io
import re
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
import zxingcpp

from connector_app import buyer_links
from connector_app.pipeline.publish import verification_link
from connector_app.store.desk import BuyerProposal
from connector_app.store.models import Document, DocumentState, Store
from connector_app.web.app import WebOptions
from core.ksef.offline import OfflinePolicy
from tests.pipeline.proposing import SAID, approve, only, propose
from tests.pipeline.refunds import ONE_MUG, refund
from tests.pipeline.test_offline import SHORT, add_certificate, begin, end
from tests.pipeline.world import World, recorded, world
from tests.web.site import Browser, Site, site

_SMALL = 100_000
_KEY = re.compile(r"/f/([A-Za-z0-9_-]{32})")


@pytest.fixture
def invoiced(made: World) -> World:
    """The order's invoice is accepted."""
    made.run()
    made.clock.sleep(60)
    return made


def _key(made: World, document: Document | None = None) -> str:
    return buyer_links.key_of(made.services().vault, document or made.by_order()["15"])


def _page(pages: Site, made: World, document: Document | None = None, query: str = "") -> str:
    return html.unescape(pages.browser().get(f"/f/{_key(made, document)}{query}"))


def _set(made: World, **values: object) -> None:
    with made.services().database.begin() as session:
        row = session.get_one(Document, made.by_order()["15"].id)
        for name, value in values.items():
            setattr(row, name, value)


def test_the_page_says_what_the_invoice_says(invoiced: World, pages: Site) -> None:
    invoice = invoiced.by_order()["15"]
    text = _page(pages, invoiced)
    for said in (
        "Faktura wystawiona w KSeF",
        "Sklep Testowy",
        str(invoice.number),
        "24.11.2026",
        "246,55 PLN",
        str(invoice.ksef_number),
        verification_link(invoice),
    ):
        assert said in text
    assert "Invoice issued in KSeF" in _page(pages, invoiced, query="?lang=en")


def test_the_page_needs_no_cookie_and_stays_out_of_search_engines(invoiced: World, pages: Site) -> None:
    answer = pages.app.test_client().get(f"/f/{_key(invoiced)}")
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert "noindex" in answer.headers["X-Robots-Tag"]
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    with pages.app.test_client().get("/static/buyer.css") as style:
        assert len(answer.data) + len(style.data) < _SMALL


def test_a_browsers_language_is_spoken_without_a_choice(invoiced: World, pages: Site) -> None:
    client = pages.app.test_client()
    english = client.get(f"/f/{_key(invoiced)}", headers={"Accept-Language": "en-GB,en;q=0.8"}).text
    assert "Invoice issued in KSeF" in english
    assert "Faktura wystawiona" in client.get(f"/f/{_key(invoiced)}").text


def test_no_altered_key_opens_anything(invoiced: World, pages: Site) -> None:
    """Each character changed, keys of other lengths and alphabets: all alike, and none tells a thing."""
    key, client = _key(invoiced), pages.app.test_client()
    flipped = [
        f"{key[:place]}{other}{key[place + 1 :]}"
        for place in range(len(key))
        for other in ("A", "b", "-", "+", "=")
        if key[place] != other
    ]
    strange = [key[:-1], f"{key}A", f"{key}=", key.swapcase(), "1", "A" * 32, "ą" * 32, "%00" * 8]
    seen = {client.get(f"/f/{one}").text for one in strange}
    seen |= {client.get(f"/f/{one}").text for one in flipped}
    assert len(seen) == 1
    (nothing,) = seen
    assert "Tu nie ma" in nothing
    for one in (*flipped[:3], *flipped[-3:]):
        for path in ("", "/pdf", "/xml", "/upo", "/correct"):
            assert client.get(f"/f/{one}{path}").status_code == 404


def test_a_key_belongs_to_its_number_and_installation(invoiced: World, pages: Site) -> None:
    key = _key(invoiced)
    _set(invoiced, number="FV/2026/11/0099")
    assert pages.app.test_client().get(f"/f/{key}").status_code == 404
    assert pages.app.test_client().get(f"/f/{_key(invoiced)}").status_code == 200


def test_what_has_no_ksef_number_is_not_shown(invoiced: World, pages: Site) -> None:
    """Whatever became of a document that KSeF does not have, the page is the same as for no document."""
    nothing = pages.app.test_client().get("/f/unknown").text
    _set(invoiced, ksef_number=None, refusal_text="Błąd semantyki", refusal_code=450)
    states = [(state, None) for state in DocumentState]
    # refused after it was issued offline, or for a person to decide about
    offline = [(state, "https://qr.example/c") for state in ("rejected", "attention", "ready", "cancelled")]
    for state, link in (*states, *offline):
        _set(invoiced, state=str(state), certificate_link=link)
        answer = pages.app.test_client().get(f"/f/{_key(invoiced)}")
        assert (answer.status_code, answer.text) == (404, nothing), state


def test_files_are_the_stored_bytes(invoiced: World, pages: Site) -> None:
    invoice, client = invoiced.by_order()["15"], pages.app.test_client()
    xml = client.get(f"/f/{_key(invoiced)}/xml")
    assert (xml.data, xml.mimetype) == (invoice.xml, "application/xml")
    assert 'filename="FV-2026-11-0001.xml"' in xml.headers["Content-Disposition"]
    for language, word in (("pl", "Nabywca"), ("en", "Buyer")):
        pdf = client.get(f"/f/{_key(invoiced)}/pdf?lang={language}")
        document = pypdfium2.PdfDocument(io.BytesIO(pdf.data))
        text = "".join(page.get_textpage().get_text_range() for page in document).replace("\u200b", "")
        assert str(invoice.ksef_number) in text
        assert word in text


def test_the_upo_is_given_where_the_store_allows_it(invoiced: World, pages: Site) -> None:
    client, address = pages.app.test_client(), f"/f/{_key(invoiced)}/upo"
    assert client.get(address).status_code == 404
    assert "/upo" not in _page(pages, invoiced)
    with invoiced.services().database.begin() as session:
        store = session.get_one(Store, 1)
        store.policy = {**store.policy, "buyer_upo": True}
    assert "/upo" in _page(pages, invoiced)
    assert client.get(address).data == invoiced.by_order()["15"].upo


def test_the_code_on_the_page_is_code_one(invoiced: World, pages: Site) -> None:
    pictures = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', _page(pages, invoiced))
    assert len(pictures) == 1
    shown = zxingcpp.create_barcode(
        verification_link(invoiced.by_order()["15"]), zxingcpp.BarcodeFormat.QRCode, ec_level="M"
    ).to_svg(add_quiet_zones=True)
    assert base64.b64decode(pictures[0]).decode() == str(shown)


def test_hostile_names_are_text(invoiced: World, pages: Site) -> None:
    """A name that is markup, on the page, in the form and on the merchant's page."""
    evil = "<script>alert(1)</script> & <b>S.A.</b>"
    proposal = propose(invoiced, only(name=evil, remark="<img src=x onerror=alert(2)>"))
    merchant = pages.user().get("/proposals")
    approve(invoiced, proposal)
    invoiced.run()
    browser = pages.browser()
    for text in (merchant, browser.get(f"/f/{_key(invoiced)}"), browser.get(f"/f/{_key(invoiced)}/correct")):
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "&lt;script&gt;alert(1)" in text


def test_a_correction_and_its_invoice_lead_to_each_other(invoiced: World, pages: Site) -> None:
    refund(invoiced, ONE_MUG)
    invoiced.run()
    invoice, correction = invoiced.documents()
    on_invoice, on_correction = _page(pages, invoiced, invoice), _page(pages, invoiced, correction)
    assert set(_KEY.findall(on_invoice)) == {_key(invoiced, invoice), _key(invoiced, correction)}
    assert "-43,62 PLN" in on_invoice
    assert "Faktura korygująca" in on_correction
    assert f"/f/{_key(invoiced, invoice)}" in on_correction
    assert "/correct" not in on_correction


def test_a_replaced_invoice_leads_to_the_new_one(invoiced: World, pages: Site) -> None:
    old_key = _key(invoiced)
    approve(invoiced, propose(invoiced))
    assert "Korekta w przygotowaniu" in _page(pages, invoiced)
    invoiced.run()
    text = html.unescape(pages.browser().get(f"/f/{old_key}"))
    assert "Tę fakturę zastępuje nowa" in text
    assert f"/f/{_key(invoiced)}" in text
    assert "do zera" in text
    assert "/correct" not in text
    assert SAID.name in _page(pages, invoiced)


def test_an_offline_invoice_shows_both_codes_and_later_the_number(tmp_path: Path) -> None:
    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare(offline=OfflinePolicy.AUTOMATIC)
        add_certificate(made)
        outage = begin(made)
        made.run(SHORT)
        pages, invoice = site(made.services()), made.by_order()["15"]
        text = _page(pages, made)
        assert "Wystawiona w trybie offline" in text
        assert "Faktura wystawiona w KSeF" not in text
        assert text.count("data:image/svg+xml") == 2
        assert str(invoice.certificate_link) in text
        assert "/correct" not in text
        key = _key(made)
        end(made, outage)
        made.run()
        assert "Faktura wystawiona w KSeF" in pages.browser().get(f"/f/{key}")


def test_no_page_names_another_buyers_document(made: World) -> None:
    other = recorded("order_full", id=16, number="16")
    other["billing"] = {**other["billing"], "company": "Ktoś Zupełnie Inny S.A."}
    made.shop.state.add_orders([other], {})
    made.shop.state.touch(16)
    made.run()
    pages = site(made.services())
    text = _page(pages, made)
    stranger = made.by_order()["16"]
    assert "Zupełnie Inny" in _page(pages, made, stranger)
    for secret in (str(stranger.number), str(stranger.ksef_number), "Zupełnie Inny", _key(made, stranger)):
        assert secret not in text


def test_requests_are_limited(invoiced: World) -> None:
    pages = site(invoiced.services(), WebOptions(limits=True))
    client, address = pages.app.test_client(), f"/f/{_key(invoiced)}/upo"
    answers = [client.get(address).status_code for _ in range(61)]
    assert answers == [404] * 60 + [429]
    browser = Browser(client)
    token = browser.token(f"/f/{_key(invoiced)}/correct")
    sent = [
        client.post(f"/f/{_key(invoiced)}/correct", data={"csrf_token": token}).status_code for _ in range(11)
    ]
    assert sent == [200] * 10 + [429]


def _propose_by_form(pages: Site, key: str, **changes: str) -> str:
    said: dict[str, Any] = {
        "nip": SAID.nip,
        "name": SAID.name,
        "line1": SAID.line1,
        "line2": SAID.line2,
        "country": "PL",
        "contact": SAID.contact,
        "remark": "",
    }
    return html.unescape(pages.browser().post(f"/f/{key}/correct", **(said | changes)))


def _proposed(made: World) -> list[tuple[str, str]]:
    with made.services().database() as session:
        return [(one.nip, one.state) for one in session.query(BuyerProposal)]


def test_a_proposal_by_the_form_waits_for_the_merchant(invoiced: World, pages: Site) -> None:
    said = _propose_by_form(pages, _key(invoiced), nip="PL 701-035-34-42")
    assert "Sprzedawca dostał Twoje zgłoszenie" in said
    assert _proposed(invoiced) == [("7010353442", "new")]
    # a second one takes the place of the first
    _propose_by_form(pages, _key(invoiced), nip="5252344078")
    assert _proposed(invoiced) == [("5252344078", "new")]
    assert len(invoiced.documents()) == 1


_SAME = {
    "nip": "5260250274",
    "name": "Firma Sp. z o.o.",
    "line1": "ul. Prosta 1/2",
    "line2": "00-838 Warszawa",
}


def test_what_cannot_be_right_is_said_beside_the_field(invoiced: World, pages: Site) -> None:
    for changes, fault in (
        ({"nip": "7010353443"}, "To nie jest poprawny NIP"),
        ({"nip": ""}, "To nie jest poprawny NIP"),
        ({"contact": "x@"}, "To nie jest adres e-mail"),
        ({"country": "QQ"}, "Podaj dwie litery"),
        ({"name": ""}, "Wypełnij to pole"),
        ({"name": "x" * 600}, "To jest za długie"),
        (_SAME, "Te dane są już na fakturze"),
    ):
        assert fault in _propose_by_form(pages, _key(invoiced), **changes)
        assert _proposed(invoiced) == []


def test_a_machine_that_fills_in_everything_is_thanked_and_forgotten(invoiced: World, pages: Site) -> None:
    _propose_by_form(pages, _key(invoiced), website="https://spam.example")
    assert _proposed(invoiced) == []


def test_a_form_without_its_token_is_refused(invoiced: World, pages: Site) -> None:
    answer = pages.app.test_client().post(f"/f/{_key(invoiced)}/correct", data={"nip": SAID.nip})
    assert answer.status_code == 400
    assert "Formularz stracił ważność" in answer.text
    assert _proposed(invoiced) == []
