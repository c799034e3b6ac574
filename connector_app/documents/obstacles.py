"""Why something cannot be done with a document: each function gives the sentence, or ``None`` when it can."""

from __future__ import annotations

from connector_app.pipeline import life
from connector_app.pipeline.purposes import BY_HAND, HAND, WRONG_BUYER, chapter, plain
from connector_app.store.models import INVOICE, Document, DocumentState, MailState
from connector_app.store.recovered import NEVER, NO_SHOPS
from connector_app.store.uploaded import is_uploaded
from connector_app.words import state_text
from core.findings import Text
from core.rulebook import Route

MAIL_ENDS = (MailState.UNKNOWN, MailState.REFUSED, MailState.DROPPED)
"""E-mails that may be sent again."""


def cannot_issue(document: Document) -> Text | None:
    """Of issuing it now, or deciding it again after its cause was removed."""
    state = DocumentState(document.state)
    if state is DocumentState.WAITING and document.purpose == INVOICE:
        return _cannot_hurry(document)
    if state is DocumentState.CANCELLED and document.purpose != INVOICE:
        return _cannot_retry(document)
    if document.xml_sha256 is not None or state in _AFTER_ISSUE:
        return Text("Ten dokument jest już wystawiony.", "This document is issued already.")
    if state is DocumentState.WAITING:
        return Text(
            "Korekta powstanie sama, gdy to, co koryguje, dostanie numer KSeF.",
            "The correction is issued by itself when what it corrects has its KSeF number.",
        )
    if life.is_withdrawn(document):
        return Text(
            "Faktura jest wycofana; najpierw cofnij wycofanie.",
            "The invoice is withdrawn; take the withdrawal back first.",
        )
    return _cannot_retry(document)


def _cannot_hurry(document: Document) -> Text | None:
    decision = document.decision
    if document.order.snapshot is None or decision is None:
        return Text("Danych zamówienia jeszcze nie ma.", "The order's data is not there yet.")
    if decision["handed_over"] or decision["route"] != Route.KSEF.value:
        return Text(
            "Według zasad sklepu ta faktura nie idzie do KSeF. Wyjątek zrobisz na stronie zamówienia.",
            "By the store's rules this invoice does not go to KSeF. The order's page makes an exception.",
        )
    return None


def _cannot_retry(document: Document) -> Text | None:
    if document.next_attempt_at == NEVER:
        return _NO_ORDER
    if life.is_final_upload(document):
        return UPLOADED
    if document.purpose.startswith((*BY_HAND, HAND)) and document.plan is None:
        return NOT_BY_ITSELF
    if document.state == DocumentState.CANCELLED:
        if is_of_replaced(document):
            return Text(
                "Należy do faktury, którą zastąpiła nowa.", "It belongs to an invoice that was replaced."
            )
        if document.purpose == INVOICE:
            return Text(
                "Według danych sklepu nie ma tu czego fakturować.",
                "By the shop's data there is nothing to invoice here.",
            )
    return None


def cannot_issue_offline(document: Document) -> Text | None:
    """Of issuing it offline."""
    if document.state == DocumentState.READY and document.xml_sha256 is None:
        if document.offline_asked:
            return Text("Już polecono wystawić offline.", "It was already asked for.")
        return None
    return Text(
        "Offline wystawia się tylko dokument, który jest do wystawienia.",
        "Only a document that is ready is issued offline.",
    )


def cannot_send(document: Document) -> Text | None:
    """Of sending its file to KSeF again."""
    if document.next_attempt_at == NEVER:
        return _NO_ORDER
    if document.ksef_number is not None:
        return Text("KSeF ma już ten dokument.", "KSeF has this document already.")
    if life.is_final_upload(document):
        return UPLOADED
    if document.xml_sha256 is None or document.state == DocumentState.CANCELLED:
        return Text("Tego dokumentu jeszcze nie wystawiono.", "This document is not issued yet.")
    return None


def cannot_publish(document: Document) -> Text | None:
    """Of writing it to the shop again."""
    if document.next_attempt_at == NEVER or document.order.store.platform in NO_SHOPS:
        return _NO_ORDER
    if document.ksef_number is None:
        return Text("Dokument nie ma jeszcze numeru KSeF.", "The document has no KSeF number yet.")
    if document.order.store.closed_at is not None:
        return Text("Sklep odłączono od łącznika.", "The store was removed from the connector.")
    published = {DocumentState.ACCEPTED, DocumentState.PUBLISHED, DocumentState.ATTENTION}
    return None if document.state in published else in_state(document)


def cannot_mail(document: Document) -> Text | None:
    """Of sending its e-mail again."""
    if any(one.state in MAIL_ENDS for one in document.mails):
        return None
    if any(one.state == MailState.SENT for one in document.mails):
        return Text("E-mail do nabywcy już wyszedł.", "The e-mail to the buyer went out already.")
    if document.mails:
        return Text("E-mail czeka w kolejce.", "The e-mail is in the queue.")
    return Text("Ten dokument nie ma e-maila do nabywcy.", "This document has no e-mail to the buyer.")


def cannot_withdraw(document: Document) -> Text | None:
    """Of letting no invoice come of an order."""
    if document.purpose != INVOICE:
        return Text(
            "Wycofuje się tylko fakturę; zbędną korektę się zamyka.",
            "Only an invoice is withdrawn; a needless correction is closed.",
        )
    if life.is_withdrawn(document):
        return Text("Faktura jest już wycofana.", "The invoice is withdrawn already.")
    if document.xml_sha256 is not None or document.state in _AFTER_ISSUE:
        return Text(
            "Faktura jest wystawiona: cofa ją tylko korekta.",
            "The invoice is issued: only a correction takes it back.",
        )
    return _cannot_take_back(document)


def _cannot_take_back(document: Document) -> Text | None:
    """What else stands against withdrawing an invoice that is not issued."""
    if document.number is not None or document.corrected_sha256 is not None:
        return Text(
            "Faktura ma już numer, a nabywca mógł ją dostać; wycofanie zostawiłoby lukę w numeracji.",
            "The invoice has its number, and the buyer may have it; withdrawing would leave a gap.",
        )
    if document.state not in life.UNDECIDED or document.batch_id is not None:
        return in_state(document)
    if document.decision is not None and document.decision["handed_over"]:
        return Text(
            "Tę fakturę wystawia inny program, poza KSeF; łącznik jej nie wystawi.",
            "Another program issues this invoice, outside KSeF; the connector will not.",
        )
    return None


def cannot_restore(document: Document) -> Text | None:
    """Of taking a withdrawal back."""
    if life.is_withdrawn(document):
        return None
    return Text("Ta faktura nie jest wycofana.", "This invoice is not withdrawn.")


def cannot_close(document: Document) -> Text | None:
    """Of ending a correction without issuing it."""
    if document.purpose == INVOICE and not is_uploaded(document):
        return Text(
            "Faktury się nie zamyka: jej zamówienie mogłoby zostać zafakturowane dwa razy.",
            "An invoice is not closed: its order could be invoiced twice.",
        )
    asks = document.state == DocumentState.ATTENTION and document.xml_sha256 is None
    if asks or document.state == DocumentState.REJECTED:
        return None
    return Text(
        "Zamyka się tylko korektę, która wymaga decyzji albo którą KSeF odrzucił.",
        "Only a correction that needs a person or was refused by KSeF is closed.",
    )


def cannot_link(document: Document) -> Text | None:
    """Of naming a recovered invoice as the order's."""
    asks = any(one["code"] == "order-perhaps-invoiced" for one in document.attention or [])
    if document.purpose == INVOICE and document.state == DocumentState.ATTENTION and asks:
        return None
    return Text(
        "Łączy się tylko zamówienie, którego faktura mogła wrócić z KSeF.",
        "Only an order is linked whose invoice may have come back from KSeF.",
    )


def in_state(document: Document) -> Text:
    """That its state allows no such thing."""
    name = state_text(document.state)
    return Text(f"Dokument jest w stanie „{name.pl}”.", f'The document is "{name.en}".')


def is_of_replaced(document: Document) -> bool:
    """Whether it belongs to an invoice that another has replaced."""
    return bool(chapter(document.purpose)) and plain(document.purpose) != WRONG_BUYER


UPLOADED = Text(
    "Ten dokument to wgrany plik, którego KSeF nie przyjął: ponowienie niczego nie zmieni. Wgraj "
    "poprawiony plik.",
    "This document is an uploaded file that KSeF refused: a retry changes nothing. Upload a corrected file.",
)
NOT_BY_ITSELF = Text(
    "Tej zmiany łącznik nie skoryguje sam: nie zgaduje, co się zmieniło. Wystaw korektę ręcznie, a potem "
    "zamknij ten dokument.",
    "The connector does not correct this change by itself: it does not guess what changed. Issue the "
    "correction by hand, then close this document.",
)
_NO_ORDER = Text(
    "Dokument wrócił z KSeF i nie ma jeszcze swojego zamówienia.",
    "The document came back from KSeF and has no order yet.",
)
_AFTER_ISSUE = frozenset(
    {
        DocumentState.ISSUED,
        DocumentState.SENT,
        DocumentState.ACCEPTED,
        DocumentState.PUBLISHED,
        DocumentState.REJECTED,
    }
)
