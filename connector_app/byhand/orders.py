"""Invoicing an order because a person says so, and its buyer as a person enters it.

A person's decision is kept with the order (``ordered``), so it outlives changes of the order and of the
store's rules; it becomes a document only through the pipeline, once, like any other invoice.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from connector_app.decisions import Decision
from connector_app.pipeline import claims, deciding, life
from connector_app.pipeline.intake import decide_order
from connector_app.profiles import Profile
from connector_app.store.documents import buyer_name, document_for
from connector_app.store.models import INVOICE, Document, DocumentState, ShopOrder
from connector_app.store.overrides import EnteredBuyer, invoice_order, kept
from connector_app.store.recovered import NO_SHOPS
from connector_app.store.snapshots import from_json
from core.calendar import warsaw_day
from core.findings import Finding, Text
from core.invoices.attention import NeedsAttention
from core.invoices.buyers import buyer_of
from core.invoices.model import InvoiceKind
from core.orders import OrderState
from core.rulebook import BEFORE_START, BY_PERSON, CALLED_OFF, FREE, RECEIPT

_OPEN = (*life.UNDECIDED, DocumentState.CANCELLED)


class NotPossible(Exception):
    """What was asked for cannot be done with this order.

    Attributes:
        text: why, for a person.
    """

    def __init__(self, pl: str, en: str) -> None:
        super().__init__(en)
        self.text = Text(pl, en)


@dataclass(frozen=True, slots=True)
class Caution:
    """Something that a person has to confirm before an order is invoiced all the same.

    Attributes:
        code: stable. text: what is confirmed, in the first person.
    """

    code: str
    text: Text


@dataclass(frozen=True, slots=True)
class Standing:
    """How an order stands towards its invoice.

    Attributes:
        document: its invoice; ``None`` when the order was never decided.
        by_rules: what the rule book says today; ``None`` when the order cannot be read.
        is_ordered: a person ordered its invoice.
        refusal: why it cannot be ordered; ``None`` when it can.
        cautions: what has to be confirmed for that.
        perhaps: recovered or uploaded invoices that may be this order's.
    """

    document: Document | None
    by_rules: Decision | None
    is_ordered: bool
    refusal: Text | None
    cautions: tuple[Caution, ...] = ()
    perhaps: tuple[Document, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether nothing was issued, so that a person may still decide."""
        return is_open(self.document)


def is_open(document: Document | None) -> bool:
    """Whether an order's invoice was not issued yet."""
    if document is None:
        return True
    frozen = document.xml_sha256 or document.corrected_sha256
    return frozen is None and document.state in _OPEN


def invoice_of(session: Session, row: ShopOrder) -> Document | None:
    """The order's invoice that counts."""
    return session.scalar(select(Document).where(Document.order_id == row.id, Document.purpose == INVOICE))


def standing(session: Session, row: ShopOrder, now: datetime) -> Standing:
    """How an order stands; changes nothing.

    Args:
        session: for reading.
        row: the order.
        now: aware UTC.
    """
    document = invoice_of(session, row)
    ordered = row.ordered is not None
    if row.snapshot is None:
        return Standing(document, None, ordered, _UNREADABLE)
    order = invoice_order(row)
    stand_in = document or Document(id=0, seller_id=row.store.seller_id, order=row, purpose=INVOICE)
    with session.no_autoflush:
        decision = deciding.by_rules(session, stand_in, order, warsaw_day(now))
        perhaps = tuple(claims.candidates(session, row.store.seller_id, order.number))
    refusal = _refusal(row, document, decision)
    cautions = () if refusal else tuple(_cautions(row, document, decision, perhaps))
    return Standing(document, decision, ordered, refusal, cautions, perhaps)


_UNREADABLE = Text(
    "Danych tego zamówienia nie da się odczytać ze sklepu.", "This order cannot be read from the shop."
)


def _refusal(row: ShopOrder, document: Document | None, decision: Decision) -> Text | None:
    if row.store.platform in NO_SHOPS:
        return Text("To nie jest zamówienie ze sklepu.", "This is no order of a shop.")
    if row.store.closed_at is not None:
        return Text("Sklep odłączono.", "The store was removed.")
    if not is_open(document):
        return Text("Faktura już powstała.", "The invoice was issued already.")
    if decision.rule in {CALLED_OFF, FREE}:
        return decision.rule.sentence
    if document is not None and document.state == DocumentState.READY:
        return Text("Faktura już czeka na wystawienie.", "The invoice is about to be issued already.")
    return None


def _cautions(
    row: ShopOrder, document: Document | None, decision: Decision, perhaps: Collection[Document]
) -> list[Caution]:
    order = from_json(row.snapshot or {})
    found = []
    if order.state is OrderState.PENDING or order.paid_at is None:
        found.append(_UNPAID)
    handed_over = document is not None and bool(document.decision and document.decision["handed_over"])
    if handed_over or decision.is_handed_over or decision.rule is BEFORE_START:
        found.append(_ELSEWHERE)
    if decision.rule is RECEIPT:
        found.append(_RECEIPT)
    if perhaps:
        names = ", ".join(one.number or str(one.id) for one in perhaps)
        found.append(
            Caution(
                "perhaps",
                Text(
                    f"Sprawdziłem: {names} to faktury innych zamówień.",
                    f"I have checked: {names} are invoices of other orders.",
                ),
            )
        )
    return found


_UNPAID = Caution(
    "unpaid",
    Text(
        "Wiem, że sklep nie potwierdził zapłaty, i chcę wystawić fakturę przed nią.",
        "I know that the shop has not confirmed the payment, and want the invoice before it.",
    ),
)
_ELSEWHERE = Caution(
    "elsewhere",
    Text(
        "Sprawdziłem: do tego zamówienia nie ma faktury z innego programu.",
        "I have checked: no other program has issued an invoice for this order.",
    ),
)
_RECEIPT = Caution(
    "receipt",
    Text(
        "Sprawdziłem: nabywca nie ma paragonu z NIP do tego zamówienia, bo paragon taki jest już fakturą.",
        "I have checked: the buyer has no receipt with a NIP for this order, which would be an invoice.",
    ),
)


def order_invoice(
    session: Session, row: ShopOrder, confirmed: Collection[str], by: str, now: datetime
) -> Document:
    """Let an order be invoiced in KSeF although the rules say waiting, outside or nothing.

    Args:
        session: inside a transaction.
        row: the order.
        confirmed: codes of the cautions that the person confirmed.
        by: who.
        now: aware UTC.

    Returns:
        The order's document, ready.

    Raises:
        NotPossible: nothing may be ordered, or a caution is not confirmed.
    """
    found = standing(session, row, now)
    if found.refusal is not None:
        raise NotPossible(found.refusal.pl, found.refusal.en)
    if any(one.code not in confirmed for one in found.cautions):
        raise NotPossible("Potwierdź każde z ostrzeżeń.", "Confirm each of the warnings.")
    document = found.document or document_for(session, row.store, row, INVOICE, InvoiceKind.VAT, now)
    order = invoice_order(row)
    document.total, document.currency, document.buyer_name = order.total, order.currency, buyer_name(order)
    document.closed_at = None  # it is no longer withdrawn, whatever becomes of the order
    row.ordered = {
        "by": by,
        "at": now.isoformat(),
        "others": [one.id for one in found.perhaps],
        "decision": document.decision,
        "relief_month": document.relief_month,
    }
    deciding.settle(document, deciding.look(session, document, order, warsaw_day(now)), now)
    return document


def withdraw_order(session: Session, row: ShopOrder, now: datetime) -> Document | None:
    """Take a person's decision back before anything was issued; the rules decide again.

    What was confirmed for its sake is asked again, and an invoice that was withdrawn since stays so.

    Returns:
        The order's document as the rules have it; ``None`` when nothing was ordered.

    Raises:
        NotPossible: the invoice was issued meanwhile.
    """
    before = row.ordered
    document = invoice_of(session, row)
    if before is None or document is None:
        return None
    if not is_open(document):
        raise NotPossible("Faktura już powstała.", "The invoice was issued already.")
    row.ordered = None
    handed_over = before["decision"]
    if document.decision is not None and document.decision["rule"] != BY_PERSON.code:
        pass  # called off meanwhile, and decided so
    elif handed_over is not None and handed_over["handed_over"]:
        # the other program has it: its month and rule stay what they were
        document.decision, document.relief_month = handed_over, before["relief_month"]
    else:
        document.decision = None
    life.note(document, Text("Cofnięto polecenie człowieka.", "A person's order was taken back."), now)
    if row.snapshot is None or life.is_withdrawn(document):
        return document
    return decide_order(session, row.store, row, from_json(row.snapshot), now)[0]


def check_buyer(buyer: EnteredBuyer, row: ShopOrder, profile: Profile) -> list[Finding]:
    """What keeps an entered buyer off an invoice; empty when nothing does."""
    found: list[Finding] = []
    try:
        buyer_of(buyer.apply(from_json(row.snapshot or {})), profile.seller, profile.policy, found)
    except NeedsAttention as attention:
        found += attention.reasons
    return found


def enter_buyer(
    session: Session, row: ShopOrder, buyer: EnteredBuyer | None, now: datetime
) -> Document | None:
    """Keep a buyer for the order's invoice, or go back to the shop's; an open document is decided anew.

    Args:
        session: inside a transaction.
        row: the order, readable.
        buyer: checked by :func:`check_buyer`; ``None`` is the shop's.
        now: aware UTC.

    Returns:
        The order's document; ``None`` when there is none yet.

    Raises:
        NotPossible: the invoice was issued, so that its buyer is corrected.
    """
    document = invoice_of(session, row)
    if not is_open(document):
        raise NotPossible(
            "Faktura już powstała: popraw nabywcę korektą.",
            "The invoice was issued already: correct the buyer by a correction.",
        )
    shop = from_json(row.snapshot or {})
    row.buyer_override = None if buyer is None else kept(buyer, shop)
    if document is None:
        return None
    order = invoice_order(row)
    document.buyer_name = buyer_name(order)
    text = (
        Text("Wrócono do danych nabywcy ze sklepu.", "The shop's buyer is used again.")
        if buyer is None
        else Text("Dane nabywcy wpisał człowiek.", "A person entered the buyer's data.")
    )
    life.note(document, text, now)
    codes = {one["code"] for one in document.attention or ()}
    asks_else = document.state == DocumentState.ATTENTION and codes & _NOT_OF_THE_BUYER
    if not asks_else and not life.is_withdrawn(document):
        deciding.settle(document, deciding.look(session, document, order, warsaw_day(now)), now)
    return document


_NOT_OF_THE_BUYER = frozenset({"order-perhaps-invoiced", "was-outside-ksef", "number-belongs-to-recovered"})
"""Reasons for Attention that another buyer does not settle."""
