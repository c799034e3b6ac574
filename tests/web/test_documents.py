"""Documents in the browser: the list, a document's page, its files, what may be done and by whom, exports."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from connector_app.pipeline.runner import Runner
from connector_app.store.models import Document, DocumentState, Mail, MailState, Seller, ShopOrder, Store
from connector_app.store.people import AuditEntry, Role
from tests.pipeline.kept_world import invoiced_world
from tests.pipeline.refunds import refund, refuse
from tests.pipeline.world import DEMO, World, recorded, world
from tests.web.site import Browser, Site, site

_IDS = re.compile(r'name="ids" value="(\d+)"')
HOSTILE = '<script>alert("x")</script>'


@pytest.fixture
def made(tmp_path: Path) -> Iterator[World]:
    """Five orders: three are invoiced and two ask a person."""
    with invoiced_world(tmp_path, *DEMO) as one:
        yield one


@pytest.fixture
def pages(made: World) -> Site:
    """The application of :func:`made`."""
    return site(made.services())


def ids(page: str) -> list[int]:
    return [int(one) for one in _IDS.findall(page)]


def put(made: World, document_id: int, **changes: object) -> None:
    """Change a stored document, as the pipeline would have left it."""
    with made.services().database.begin() as session:
        row = session.get_one(Document, document_id)
        for name, value in changes.items():
            setattr(row, name, value)


def act(browser: Browser, document_id: int, action: str, status: int = 200, **values: object) -> str:
    place = f"/documents/{document_id}"
    return browser.post(f"{place}/do", status, page="/", action=action, **values)


def published(made: World) -> Document:
    return made.by_order()["15"]


def asking(made: World) -> Document:
    return next(one for one in made.documents() if one.state == "attention")


def test_the_list_searches_and_filters_by_its_address(made: World, pages: Site) -> None:
    """Each filter alone; the address is all there is to share."""
    browser = pages.user()
    one = published(made)
    assert len(ids(browser.get("/documents"))) == 5
    for query in ("q=FV/2026/11/0001", f"q={one.ksef_number}", "q=firma+sp", "q=526-025-02-74"):
        assert ids(browser.get(f"/documents?{query}")) == [one.id], query
    # a KSeF number may hold the same two digits
    assert one.id in ids(browser.get("/documents?q=15"))
    assert ids(browser.get("/documents?state=attention")) == [
        row.id for row in reversed(made.documents()) if row.state == "attention"
    ]
    assert len(ids(browser.get("/documents?month=2026-11&kind=invoice&store=test&sort=total"))) == 5
    for nothing in ("month=2026-10", "kind=correction", "store=inny", "q=nie+ma"):
        assert "Nic nie pasuje" in browser.get(f"/documents?{nothing}")
    assert len(ids(browser.get("/documents?state=x&month=9&sort=y&page=%00&kind=z"))) == 5


def test_an_empty_list_says_what_will_fill_it(tmp_path: Path) -> None:
    """Before the first order."""
    with world(tmp_path, []) as one:
        one.prepare()
        assert "Nie ma jeszcze dokumentów" in site(one.services()).user().get("/documents")


def test_pages_of_the_list_lead_on_and_back(made: World, pages: Site) -> None:
    """By links, with the filter kept, while documents come in."""
    with made.services().database.begin() as session:
        now = made.clock()
        for number in range(1, 121):
            name = f"x{number}"
            order = ShopOrder(
                store_id=1, remote_id=name, number=name, modified_at=now, content_hash="", seen_at=now
            )
            session.add(
                Document(
                    seller_id=1, order=order, purpose="invoice", kind="VAT", state="cancelled",
                    attempts=0, created_at=now, updated_at=now,
                )
            )  # fmt: skip
    browser = pages.user()
    seen, page = [], browser.get("/documents?state=cancelled")
    while True:
        seen.append(ids(page))
        found = re.search(r'rel="next" href="([^"]+)"', page)
        if found is None:
            break
        page = browser.get(found[1].replace("&amp;", "&"))
    assert [len(one) for one in seen] == [50, 50, 20]
    assert len({one for some in seen for one in some}) == 120
    back = re.search(r'rel="prev" href="([^"]+)"', page)
    assert back is not None
    assert ids(browser.get(back[1].replace("&amp;", "&"))) == seen[1]


def test_a_documents_page_tells_everything_of_it(made: World, pages: Site) -> None:
    """Numbers, buyer, order, life, reason, proofs, notes, QR code and links to its files."""
    one = published(made)
    page = pages.user().get(f"/documents/{one.id}")
    assert one.ksef_number is not None
    assert one.xml_sha256 is not None
    for said in (
        "FV/2026/11/0001", one.ksef_number, one.xml_sha256, "Firma Sp. z o.o.", "246,55", "Kubek żółty",
        "art. 106ga ust. 1", "Wystawiono dokument", "podpis nienaruszony", "Notatka dla sklepu",
        "data:image/svg+xml;base64,", f"/documents/{one.id}/xml", "Zapisz w sklepie ponownie",
    ):  # fmt: skip
        assert said in page, said
    assert "Czego teraz nie można zrobić" in page


def test_files_are_what_is_stored(made: World, pages: Site) -> None:
    """XML and UPO byte for byte, the PDF drawn from them, the picture as PNG; none before issue."""
    one, browser = published(made), pages.user()
    place = f"/documents/{one.id}"
    xml = browser.client.get(f"{place}/xml")
    assert xml.data == one.xml
    assert xml.headers["Content-Disposition"] == 'attachment; filename="FV-2026-11-0001.xml"'
    assert browser.client.get(f"{place}/upo").data == one.upo
    assert browser.client.get(f"{place}/pdf").data.startswith(b"%PDF")
    assert "attachment" not in str(browser.client.get(f"{place}/pdf?show=1").headers)
    assert browser.client.get(f"{place}/picture").data.startswith(b"\x89PNG")
    browser.get(f"{place}/picture?page=9", 404)
    browser.get(f"{place}/exe", 404)
    browser.get(f"/documents/{asking(made).id}/xml", 404)
    browser.get("/documents/99999999999999999999", 404)


def test_damage_is_told_in_words_and_never_handed_on(made: World, pages: Site) -> None:
    """On the page, for each file, and in an archive."""
    one, browser = published(made), pages.user()
    put(made, one.id, xml=(one.xml or b"") + b" ", upo=(one.upo or b"").replace(b"5265877635", b"5265877636"))
    page = browser.get(f"/documents/{one.id}")
    assert "różni się od swojego skrótu" in page
    assert "UPO dokumentu" in page
    assert "Przywróć bazę z kopii zapasowej" in page
    for kind in ("xml", "pdf", "picture", "upo"):
        browser.get(f"/documents/{one.id}/{kind}", 409)
    made_zip = zipfile.ZipFile(io.BytesIO(browser.client.get("/documents/export.zip?q=0001").data))
    assert made_zip.namelist() == ["BRAKI.txt"]
    assert "różni się od swojego skrótu" in made_zip.read("BRAKI.txt").decode()


def test_hostile_names_stay_text(made: World, pages: Site) -> None:
    """In the list, on the page, in a confirmation and in a table for spreadsheets."""
    one, browser = asking(made), pages.user()
    with made.services().database.begin() as session:
        row = session.get_one(Document, one.id)
        row.buyer_name, row.order.number = HOSTILE, "=1+1"
    form = browser.post("/documents/do", page="/documents", action="withdraw", ids=[one.id])
    for page in (browser.get("/documents"), browser.get(f"/documents/{one.id}"), form):
        assert HOSTILE not in page
        assert "&lt;script&gt;" in page
    table = browser.client.get("/documents/export.csv").text
    assert "'=1+1" in table


def test_the_table_and_the_archive_hold_the_filter_or_the_marked(made: World, pages: Site) -> None:
    """UTF-8 with semicolons and decimal commas; XML, UPO and PDF of each, and a list of what is missing."""
    browser = pages.user()
    answer = browser.client.get("/documents/export.csv")
    assert answer.data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig")), delimiter=";"))
    assert [row["Zamówienie"] for row in rows] == ["15", "23", "26", "27", "28"]
    assert (rows[0]["Brutto"], rows[0]["NIP nabywcy"]) == ("246,55", "5260250274")
    one = published(made)
    token = browser.token("/documents")
    marked = browser.client.post("/documents/export.zip", data={"csrf_token": token, "ids": [str(one.id)]})
    archive = zipfile.ZipFile(io.BytesIO(marked.data))
    stem = f"5265877635/2026-11/{one.id}_FV-2026-11-0001"
    assert archive.namelist() == [f"{stem}.xml", f"{stem}-upo.xml", f"{stem}.pdf"]
    assert archive.read(f"{stem}.xml") == one.xml
    whole = zipfile.ZipFile(io.BytesIO(browser.client.get("/documents/export.zip?pdf=no").data))
    assert len(whole.namelist()) == 2 * 3 + 1
    assert "nie wystawiono" in whole.read("BRAKI.txt").decode()
    browser.get("/documents/export.exe", 404)
    assert "ids" not in browser.client.get("/documents/export.csv?ids=").text
    assert len(browser.client.get("/documents/export.csv?ids=").text.splitlines()) == 1


def test_english(made: World, pages: Site) -> None:
    """The list, the page, a refusal and the table."""
    browser = pages.user(language="en")
    assert "Documents" in browser.get("/documents")
    one = published(made)
    page = browser.get(f"/documents/{one.id}")
    assert "Life of the document" in page
    assert "Nabywca" not in page
    assert "only a correction takes it back" in act(browser, one.id, "withdraw")
    assert "Buyer NIP" in browser.client.get("/documents/export.csv").text


def test_who_may_do_what(made: World, pages: Site) -> None:
    """A viewer looks, an accountant exports, an operator acts; another seller's people see nothing."""
    with made.services().database.begin() as session:
        session.add(
            Seller(
                nip="7010002137", name="Inny", profile={}, environment={"name": "TEST"}, schema_version="FA3",
                credential="", created_at=made.clock(),
            )
        )  # fmt: skip
    one, ask = published(made), asking(made)
    place = f"/documents/{one.id}"
    viewer = pages.user("v@x.example", is_admin=False, seller_1=Role.VIEWER)
    accountant = pages.user("a@x.example", is_admin=False, seller_1=Role.ACCOUNTANT)
    stranger = pages.user("s@x.example", is_admin=False, seller_2=Role.OWNER)
    assert len(ids(viewer.get("/documents"))) == 5
    assert "Pobierz PDF" not in viewer.get(place)
    assert viewer.client.get(f"{place}/picture").status_code == 200
    for kind in ("xml", "pdf", "upo"):
        viewer.get(f"{place}/{kind}", 403)
        assert accountant.client.get(f"{place}/{kind}").status_code == 200
        stranger.get(f"{place}/{kind}", 404)
    viewer.get("/documents/export.csv", 403)
    assert len(accountant.client.get("/documents/export.csv").text.splitlines()) == 6
    assert len(stranger.client.get("/documents/export.csv").text.splitlines()) == 1
    assert len(stranger.client.get(f"/documents/export.csv?ids={one.id}").text.splitlines()) == 1
    assert ids(stranger.get("/documents?store=test")) == []
    stranger.get(place, 404)
    for browser, status in ((viewer, 403), (accountant, 403), (stranger, 404)):
        act(browser, ask.id, "withdraw", status)
    for browser in (viewer, accountant):
        browser.post("/documents/do", 403, page="/", action="withdraw", ids=[ask.id], confirmed="yes")
        assert "Wycofaj przed wystawieniem" not in browser.get(f"/documents/{ask.id}")
    stranger.post("/documents/do", page="/", action="withdraw", ids=[ask.id], confirmed="yes")
    assert made.documents()[ask.id - 1].state == "attention"
    assert pages.woken == []
    anonymous = pages.browser()
    assert anonymous.client.get(place).status_code == 302
    assert anonymous.client.get("/documents/export.zip").status_code == 302


def test_an_action_is_done_once_written_down_and_wakes_the_work(made: World, pages: Site) -> None:
    """Withdrawn, taken back, and refused in words where it cannot be."""
    browser, ask = pages.user(), asking(made)
    assert "przyjęto" in act(browser, ask.id, "withdraw")
    assert "jest już wycofana" in act(browser, ask.id, "withdraw")
    assert "Cofnij wycofanie" in browser.get(f"/documents/{ask.id}")
    act(browser, ask.id, "restore")
    made.run()
    assert made.documents()[ask.id - 1].state == "attention"
    assert pages.woken == [True, True]
    with made.services().database() as session:
        written = session.execute(select(AuditEntry.action, AuditEntry.subject, AuditEntry.seller_id)).all()
    assert [tuple(one) for one in written if one.action.startswith("document.")] == [
        ("document.withdraw", f"document:{ask.id}", 1),
        ("document.restore", f"document:{ask.id}", 1),
    ]
    act(browser, ask.id, "delete", 400)
    assert browser.client.post(f"/documents/{ask.id}/do", data={"action": "withdraw"}).status_code == 400


_STATES = {state.value for state in DocumentState}
REFUSED: dict[str, set[str]] = {
    "issue": {"issued", "sent", "accepted", "published", "rejected", "cancelled"},
    "issue-offline": _STATES - {"ready"},
    "send-again": {"waiting", "ready", "attention", "cancelled", "accepted", "published"},
    "publish-again": _STATES - {"accepted", "published"},
    "mail-again": _STATES,
    "withdraw": {"issued", "sent", "accepted", "published", "rejected", "cancelled"},
    "restore": _STATES,
    "close": _STATES,
    "link": _STATES,
}


def in_state(made: World, one: Document, state: str) -> None:
    """Put a document into a state as the pipeline would have left it."""
    put(
        made, one.id, state=state, refusal_code=450 if state == "rejected" else None,
        ksef_number=one.ksef_number if state in {"accepted", "published"} else None, xml=one.xml,
        xml_sha256=one.xml_sha256, issued_on=one.issued_on, attention=None, closed_at=None,
        next_attempt_at=None, issue_asked=False,
    )  # fmt: skip


def test_each_action_in_each_state_of_an_invoice(made: World, pages: Site) -> None:
    """What is refused changes nothing and says why; what is allowed is noted."""
    browser = pages.user()
    one, ask = published(made), asking(made)
    put(made, ask.id, decision=one.decision)
    for action, refused in REFUSED.items():
        for state in DocumentState:
            is_issued = state in {"issued", "sent", "accepted", "published", "rejected"}
            chosen = one if is_issued else ask
            in_state(made, chosen, state.value)
            said = act(browser, chosen.id, action)
            assert ("przyjęto." in said, 'alert-danger" role="status"' in said) == (
                state not in refused,
                state in refused,
            ), (state, action)
            if state in refused:
                assert made.documents()[chosen.id - 1].state == state, (state, action)


def test_many_at_once_are_confirmed_first(made: World, pages: Site) -> None:
    """What happens to how many, which are left out and why; nothing happens before the yes."""
    browser = pages.user()
    everything = [one.id for one in made.documents()]
    page = browser.post("/documents/do", page="/documents", action="withdraw", ids=everything)
    assert "Dokumenty: 2" in page
    assert "Pominięte: 3" in page
    assert "cofa ją tylko korekta" in page
    assert {one.state for one in made.documents()} == {"published", "attention"}
    assert sorted(ids(page)) == [one.id for one in made.documents() if one.state == "attention"]
    done = browser.post(
        "/documents/do", page="/documents", action="withdraw", ids=everything, confirmed="yes",
        next="/documents?state=cancelled",
    )  # fmt: skip
    assert "Zrobiono: 2. Pominięto: 3." in done
    assert len(ids(done)) == 2
    assert "Zaznacz dokumenty" in browser.post("/documents/do", page="/documents", action="issue")
    browser.post("/documents/do", 400, page="/documents", action="link", ids=everything)


def test_what_ksef_refused_is_explained_with_its_own_words_behind_a_fold(tmp_path: Path) -> None:
    """And sent again from the page it takes the same number."""
    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare()
        refuse(made)
        made.run()
        pages = site(made.services())
        browser, one = pages.user(), made.documents()[0]
        page = browser.get(f"/documents/{one.id}")
        assert one.refusal_text is not None
        fold = page[page.index("Co dokładnie napisał KSeF") :]
        assert one.refusal_text[:20] in fold
        assert (
            one.refusal_text[:20] not in page[: page.index("Co dokładnie napisał KSeF")].split("</header>")[1]
        )
        assert "Wyślij ponownie" in page
        act(browser, one.id, "send-again")
        made.run()
        (again,) = made.documents()
        assert (again.state, again.number) == ("published", one.number)
        assert len(made.in_ksef()) == 1


def test_a_correction_stands_beside_its_invoice_with_its_proof(made: World, pages: Site) -> None:
    """Chain and refund proof sheet, per rate."""
    refund(made, "refund_partial_line_created")
    made.clock.sleep(60)
    made.run()
    correction = next(one for one in made.documents() if one.purpose == "refund:16")
    browser = pages.user()
    page = browser.get(f"/documents/{correction.id}")
    assert correction.refund_proof is not None
    assert "Dowód zwrotu" in page
    assert correction.refund_proof["refunded"] in page
    assert f'href="/documents/{published(made).id}"' in page
    assert f'href="/documents/{correction.id}"' in browser.get(f"/documents/{published(made).id}")
    assert ids(browser.get("/documents?kind=correction")) == [correction.id]


def test_an_email_of_unknown_fate_is_sent_again_by_a_person(made: World, pages: Site) -> None:
    """Its state is shown in words, and the button puts it on the list."""
    one = published(made)
    with made.services().database.begin() as session:
        session.add(
            Mail(
                document_id=one.id, occasion="accepted", state=MailState.UNKNOWN.value, attempts=1,
                failure="connection lost", created_at=made.clock(),
            )
        )  # fmt: skip
    browser = pages.user()
    page = browser.get(f"/documents/{one.id}")
    assert "nie wiadomo, czy wyszedł" in page
    assert "connection lost" in page
    act(browser, one.id, "mail-again")
    with made.services().database() as session:
        assert session.scalars(select(Mail.state)).all() == ["due"]


def test_a_removed_store_is_not_written_to_again(made: World, pages: Site) -> None:
    """The reason stands on the page."""
    with made.services().database.begin() as session:
        session.get_one(Store, 1).closed_at = made.clock()
    assert "Sklep odłączono" in act(pages.user(), published(made).id, "publish-again")
    assert published(made).state == "published"


def test_an_order_taken_in_but_not_sent_is_issued_from_the_page(tmp_path: Path) -> None:
    """Waiting by a hold of the lane, it goes at once."""
    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare()
        Runner(made.services(), sleep=made.clock.sleep).take_in()
        put(made, 1, waiting_for=json.dumps({"pl": "Czeka <b>na</b> KSeF.", "en": "Waits."}))
        browser = site(made.services()).user()
        assert "Czeka &lt;b&gt;na&lt;/b&gt; KSeF." in browser.get("/documents/1")
        act(browser, 1, "issue")
        made.run()
        assert made.documents()[0].state == "published"
