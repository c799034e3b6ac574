"""E-mails to buyers: what goes out, at most once, and never at the cost of an invoice."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from connector_app import buyer_links
from connector_app.mail.compose import as_html, compose, message_id, usable_address
from connector_app.mail.settings import MailSettings, Security
from connector_app.mail.transport import MailUnavailable, Transport
from connector_app.policies import Recipients, StorePolicy
from connector_app.store.models import Mail, MailState, Store
from core.ksef.offline import OfflinePolicy
from core.signing.keys import self_signed
from tests.mail.server import Postbox, mail_server
from tests.pipeline.proposing import approve, propose
from tests.pipeline.refunds import ONE_MUG, refund
from tests.pipeline.test_offline import SHORT, add_certificate, begin, end
from tests.pipeline.world import START, World, recorded, world

BUYER = "kupujacy@klient.example"


def paid_order(**changes: Any) -> dict[str, Any]:
    """A recorded order whose buyer has a known address."""
    order = recorded("order_full")
    return order | {"billing": order["billing"] | {"email": BUYER}} | changes


def set_mail(made: World, port: int, **policy: Any) -> None:
    """``mail set`` and ``store set --mail yes``."""
    services = made.services()
    settings = MailSettings(
        "127.0.0.1",
        port,
        Security.NONE,
        "Sklep Testowy <faktury@sklep.example>",
        reply_to="biuro@sklep.example",
    )
    wanted = StorePolicy(recipients=Recipients.EVERYONE, mail=True, **policy)
    with services.database.begin() as session:
        store = session.get_one(Store, 1)
        store.mail = services.vault.seal(settings.as_json())
        store.policy = wanted.as_json()


@contextmanager
def posting_world(home: Path, box: Postbox, **policy: Any) -> Iterator[World]:
    """One order, a store that sends e-mails, and its mail server."""
    with world(home, [paid_order()]) as made, mail_server(box):
        offline = policy.get("offline")
        made.prepare(offline=offline)
        set_mail(made, box.port, **policy)
        yield made


@pytest.fixture
def box() -> Postbox:
    """A mail server's handler."""
    return Postbox()


@pytest.fixture
def posting(tmp_path: Path, box: Postbox) -> Iterator[World]:
    """See :func:`posting_world`."""
    with posting_world(tmp_path, box) as made:
        yield made


def mails(made: World) -> list[Mail]:
    """All e-mails on the list."""
    with made.services().database() as session:
        return list(session.scalars(select(Mail).order_by(Mail.id)))


def plain(message: EmailMessage) -> str:
    """The message as plain text."""
    part: Any = message.get_body(("plain",))
    return str(part.get_content())


def test_the_buyer_gets_one_message_with_the_picture_of_the_stored_xml(posting: World, box: Postbox) -> None:
    """Plain text, HTML and PDF, with both numbers and the link; nothing more is sent later."""
    posting.run()
    (document,) = posting.documents()
    assert document.state == "published"
    (message,) = box.messages
    assert box.recipients == [[BUYER]]
    assert message["To"] == BUYER
    assert message["Reply-To"] == "biuro@sklep.example"
    assert message["From"].addresses[0].display_name == "Sklep Testowy"
    assert document.number in message["Subject"]
    simple, rich, attached = (part for part in message.walk() if not part.is_multipart())
    for part in (simple, rich):
        text = part.get_content()
        assert str(document.ksef_number) in text
        assert "/invoice/" in text
        assert "w załączniku jest faktura" in text
    assert attached.get_content_type() == "application/pdf"
    assert attached.get_filename() == "FV-2026-11-0001.pdf"
    assert attached.get_content().startswith(b"%PDF")
    (row,) = mails(posting)
    assert (row.state, row.message_id) == (MailState.SENT, message["Message-ID"])
    posting.clock.sleep(3600)
    assert posting.run().worked == 0
    assert len(box.messages) == 1


def test_a_message_leads_to_the_page_of_its_document(posting: World, box: Postbox) -> None:
    """The page of the document that it tells of, plain and as a link; each document has its own."""
    posting.public_url = "https://faktury.sklep.example"
    posting.run()
    posting.clock.sleep(60)
    approve(posting, propose(posting))
    posting.run()
    services = posting.services()
    pages = {buyer_links.link(services, one) for one in posting.documents()}
    told = set()
    for message in box.messages:
        (page,) = {one for one in pages if one in plain(message)}
        assert f"{page}/pdf" in plain(message)
        formatted: Any = message.get_body(("html",))
        assert f'<a href="{page}">{page}</a>' in formatted.get_content()
        assert [part.get_content_type() for part in message.iter_attachments()] == ["application/pdf"]
        told.add(page)
    assert told == pages
    assert len(box.messages) == len(pages) == 3


def test_a_store_that_does_not_say_so_sends_nothing(posting: World, box: Postbox) -> None:
    """The default policy, with a mail server that is set all the same."""
    with posting.services().database.begin() as session:
        session.get_one(Store, 1).policy = StorePolicy(recipients=Recipients.EVERYONE).as_json()
    posting.run()
    assert [one.state for one in posting.documents()] == ["published"]
    assert box.messages == []
    assert mails(posting) == []


def test_a_lost_answer_leads_to_no_second_message(posting: World, box: Postbox) -> None:
    """The server took the text and hung up: not known, not repeated, and the document says so."""
    box.hang_up = True
    posting.run()
    (row,) = mails(posting)
    assert row.state == MailState.UNKNOWN
    assert row.message_id == box.messages[0]["Message-ID"]
    posting.clock.sleep(86_400)
    posting.run()
    assert len(box.messages) == 1
    (document,) = posting.documents()
    assert document.state == "published"
    assert any("Nie wiadomo, czy e-mail" in event.text for event in document.events)


def test_a_process_that_died_while_sending_is_not_repeated(posting: World, box: Postbox) -> None:
    """The row says ``sending``: the next process does not know either."""
    box.answers["RCPT"] = ["450 later"] * 20
    posting.run(SHORT)
    box.answers["RCPT"].clear()
    with posting.services().database.begin() as session:
        session.scalars(select(Mail)).one().state = MailState.SENDING.value
    posting.run()
    assert [row.state for row in mails(posting)] == [MailState.UNKNOWN]
    assert box.messages == []


def test_what_a_person_sends_again_has_the_same_message_id(posting: World, box: Postbox) -> None:
    """A repeat can be recognised by the receiving side."""
    box.hang_up = True
    posting.run()
    with posting.services().database.begin() as session:
        session.scalars(select(Mail)).one().state = MailState.DUE.value
    posting.run()
    first, second = box.messages
    assert first["Message-ID"] == second["Message-ID"]


@pytest.mark.parametrize("command", ["RCPT", "DATA"])
def test_a_server_that_says_later_is_asked_again(posting: World, box: Postbox, command: str) -> None:
    """Greylisting: nothing was sent, so it may go again, after a pause."""
    box.answers[command] = ["450 try later", "450 try later"]
    posting.run()
    assert len(box.messages) == 1
    assert [(row.state, row.attempts) for row in mails(posting)] == [(MailState.SENT, 2)]


@pytest.mark.parametrize("command", ["RCPT", "DATA"])
def test_a_server_that_says_never_is_not_asked_again(posting: World, box: Postbox, command: str) -> None:
    """The invoice is where it belongs all the same."""
    box.answers[command] = ["550 no such user"]
    posting.run()
    posting.clock.sleep(86_400)
    posting.run()
    (row,) = mails(posting)
    assert row.state == MailState.REFUSED
    assert row.failure is not None
    assert "no such user" in row.failure
    assert box.asked.count("RCPT") == 1
    assert [one.state for one in posting.documents()] == ["published"]


def test_a_dead_mail_server_holds_up_no_invoice(tmp_path: Path, box: Postbox) -> None:
    """Nobody listens: the order is invoiced and noted; the message goes when the server is back."""
    with world(tmp_path, [paid_order()]) as made:
        made.prepare()
        with mail_server(Postbox()) as gone:
            port = gone.port
        set_mail(made, port)
        result = made.run(SHORT)
        assert [one.state for one in made.documents()] == ["published"]
        assert any("Poczta sklepu test" in one.pl for one in result.problems)
        with mail_server(box):
            set_mail(made, box.port)
            made.run()
        assert len(box.messages) == 1


def test_an_order_without_a_usable_address_gets_none(tmp_path: Path, box: Postbox) -> None:
    """What the buyer typed is no address: said on the document, and that is all."""
    order = recorded("order_full")
    order["billing"]["email"] = "jan kowalski"
    with world(tmp_path, [order]) as made, mail_server(box):
        made.prepare()
        set_mail(made, box.port)
        made.run()
        assert [row.state for row in mails(made)] == [MailState.DROPPED]
        assert [one.state for one in made.documents()] == ["published"]
    assert box.asked == []


def test_a_correction_and_its_invoice_have_their_own_texts(posting: World, box: Postbox) -> None:
    """One message each."""
    posting.run()
    posting.clock.sleep(60)
    refund(posting, ONE_MUG)
    posting.run()
    invoice, correction = box.messages
    assert invoice["Subject"].startswith("Faktura FV/")
    assert correction["Subject"].startswith("Faktura korygująca KOR/")


def test_an_offline_invoice_reaches_the_buyer_at_once_and_its_number_later(
    tmp_path: Path, box: Postbox
) -> None:
    """Two messages, two occasions: offline with both links, and the number when KSeF gave it."""
    with posting_world(tmp_path, box, offline=OfflinePolicy.AUTOMATIC) as made:
        add_certificate(made)
        event = begin(made)
        made.run(SHORT)
        (first,) = box.messages
        text = plain(first)
        assert "w trybie offline" in text
        assert "/certificate/" in text
        end(made, event)
        made.run()
        assert [row.state for row in mails(made)] == [MailState.SENT, MailState.SENT]
    (document,) = made.documents()
    assert str(document.ksef_number) in plain(box.messages[1])
    assert len(box.messages) == 2


def test_a_refused_document_is_told_to_no_buyer(posting: World, box: Postbox) -> None:
    """The merchant has a private note; no e-mail and no customer note went out."""
    posting.ksef.state.faults.add("refuse_code", "POST .*/invoices$", value=450)
    posting.run()
    (document,) = posting.documents()
    assert document.state == "rejected"
    assert box.messages == []
    seen = posting.in_shop(15)
    told = [note for note in seen["notes"] if "KSeF nie przyjął" in note["note"]]
    assert [note["customer_note"] for note in told] == [False]
    assert seen["emails"] == []


SETTINGS = MailSettings("127.0.0.1", 1, Security.STARTTLS, "Sklep <faktury@sklep.example>", "u", "sesame")


def test_a_password_is_in_no_repr() -> None:
    """Settings are shown in errors and logs."""
    assert "sesame" not in repr(SETTINGS)


def test_a_server_without_encryption_gets_neither_password_nor_invoice(box: Postbox) -> None:
    """STARTTLS was asked for and is not offered: nothing goes out."""
    with mail_server(box):
        settings = MailSettings("127.0.0.1", box.port, Security.STARTTLS, "faktury@sklep.example")
        transport = Transport(settings, timeout=5)
        message = compose(settings, BUYER, "Temat", "Treść", "<1@sklep.example>", START)
        with pytest.raises(MailUnavailable):
            transport.send(message, BUYER, before_text=lambda: None)
        transport.close()
    assert box.asked == []


def test_a_server_with_a_certificate_of_nobody_gets_nothing(tmp_path: Path, box: Postbox) -> None:
    """Whoever stands in between could show one of their own."""
    key = self_signed("5265877635", now=datetime.now(UTC))
    (tmp_path / "cert.pem").write_bytes(key.certificate_pem())
    (tmp_path / "key.pem").write_bytes(key.private_key_pem("secret"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem", "secret")
    with mail_server(box, context):
        settings = MailSettings("127.0.0.1", box.port, Security.STARTTLS, "faktury@sklep.example")
        transport = Transport(settings, timeout=5)
        message = compose(settings, BUYER, "Temat", "Treść", "<1@sklep.example>", START)
        with pytest.raises(MailUnavailable, match="certificate verify failed"):
            transport.send(message, BUYER, before_text=lambda: None)
        transport.close()
    assert box.asked == []


@pytest.mark.parametrize(
    "address",
    [
        "",
        "jan",
        "jan@klient",
        "jan kowalski@klient.example",
        "jan@klient.example, ela@klient.example",
        "jan@klient.example\nBcc: x@klient.example",
        "Jan <jan@klient.example>",
        f"{'j' * 65}@klient.example",
    ],
)
def test_only_one_plain_address_is_taken_from_an_order(address: str) -> None:
    """What a buyer types becomes no header and no second recipient."""
    assert usable_address(address) == ""


def test_a_plain_address_is_taken() -> None:
    """Spaces around it are the buyer's."""
    assert usable_address(" Jan.K+sklep@poczta.klient.example ") == "Jan.K+sklep@poczta.klient.example"


def test_html_escapes_everything_and_links_addresses_only() -> None:
    """A product's or firm's name is no markup."""
    made = as_html('<b>"A & B"</b> https://x.example/?a=1&b=2\n\ndrugi')
    assert "<b>" not in made
    assert '<a href="https://x.example/?a=1&amp;b=2">' in made
    assert made.count("<p>") == 2


def test_message_ids_differ_by_what_is_told() -> None:
    """The same document and occasion give the same, everything else another."""
    assert message_id(SETTINGS, "abc:accepted") == message_id(SETTINGS, "abc:accepted")
    assert message_id(SETTINGS, "abc:accepted") != message_id(SETTINGS, "abc:offline")
    assert message_id(SETTINGS, "abc:accepted").endswith("@sklep.example>")


def test_a_text_of_dots_arrives_as_it_was_written(box: Postbox) -> None:
    """A line of one dot ends no message (RFC 5321, 4.5.2)."""
    with mail_server(box):
        settings = MailSettings("127.0.0.1", box.port, Security.NONE, "faktury@sklep.example")
        transport = Transport(settings, timeout=5)
        body = "raz\n.\n..dwa\nkoniec\n"
        transport.send(
            compose(settings, BUYER, "Temat", body, "<1@sklep.example>", START), BUYER, lambda: None
        )
        transport.close()
    (message,) = box.messages
    assert plain(message).splitlines() == body.splitlines()
