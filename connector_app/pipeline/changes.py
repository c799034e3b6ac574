"""What an order asks for after its invoice: refunds, a cancellation, a change, each as a reason in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from connector_app.pipeline.proposed import says_the_same, still_holds
from connector_app.pipeline.purposes import (
    BUYER,
    CANCELLATION,
    CANCELLED_AGAIN,
    CHANGE,
    HAND,
    PROPOSAL,
    RECOVERED,
    REFUND,
    REFUNDED,
    REFUNDED_AGAIN,
    REINSTATED,
    TO_ZERO,
    UNREADABLE,
    UPLOADED,
    WITHDRAWN,
    plain,
)
from connector_app.store.desk import BuyerProposal
from connector_app.store.models import INVOICE, Document, DocumentState
from connector_app.store.snapshots import buyer_fingerprint
from core.findings import Finding, Severity, Text
from core.money import ZERO
from core.orders import CALLED_OFF, Order, OrderState

_NOWHERE = frozenset({DocumentState.REJECTED, DocumentState.CANCELLED})

_BY_RETRY = Text(
    "Ponów dokument (documents retry), a korekta powstanie; zbędny zamknij (documents close).",
    "Retry the document (documents retry) to issue the correction; close it (documents close) if none is "
    "needed.",
)
_BY_HAND = Text(
    "Wystaw korektę ręcznie: na stronie dokumentu („Wystaw korektę”) albo poza łącznikiem, np. w Aplikacji "
    "Podatnika KSeF, i wtedy zamknij dokument (documents close). Łącznik nie zgaduje, co się zmieniło.",
    "Issue the correction by hand: on the document's page (Issue correction), or outside the connector, e.g. "
    "in the KSeF Taxpayer's Application, and then close the document (documents close). The connector does "
    "not guess what changed.",
)


_BUYER_CHANGED = Text(
    "Po wystawieniu faktury zmieniono w sklepie numer podatkowy, nazwę lub adres nabywcy.",
    "The buyer's tax number, name or address was changed in the shop after the invoice.",
)
_BUYER_BY_RETRY = Text(
    "Jeśli faktura ma zły numer podatkowy, ponowienie (documents retry) wystawi korektę do zera i nową "
    "fakturę; jeśli złą nazwę lub adres, korektę danych nabywcy. Zbędny dokument zamknij (documents close).",
    "If the invoice has a wrong tax number, a retry (documents retry) issues a correction to zero and a new "
    "invoice; if a wrong name or address, a correction of the buyer's data. Close it (documents close) if "
    "none is needed.",
)


_PROPOSED = Text(
    "Zatwierdzono dane zgłoszone przez nabywcę; w międzyczasie zamówienie zmieniło się w sklepie i wróciło "
    "do poprzedniego stanu.",
    "The data that the buyer proposed were approved; meanwhile the order changed in the shop and came back.",
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One thing that happened to an order after its invoice.

    Attributes:
        purpose: of its document.
        amount: what it changes in the total, in the order's currency.
        finding: why, for a person.
    """

    purpose: str
    amount: Decimal
    finding: Finding


def is_in_ksef_or_under_way(row: Document) -> bool:
    """Whether a correction counts: it was issued, and KSeF did not refuse it."""
    return row.xml_sha256 is not None and row.state not in _NOWHERE


def is_hand_made(row: Document) -> bool:
    """Whether a row says that the order was, or is to be, corrected in a way the connector does not know."""
    purpose = plain(row.purpose)
    if purpose.startswith(RECOVERED):
        return True
    if purpose.startswith(UPLOADED):
        return row.state != DocumentState.CANCELLED
    if purpose.startswith(HAND):
        return False  # it is part of the chain, or nothing came of it
    is_change = purpose.startswith(CHANGE) and row.state == DocumentState.ATTENTION
    closed = row.closed_at is not None and purpose not in {*TO_ZERO, UNREADABLE}
    return is_change or closed


def wanted(
    invoice: Document, order: Order, rows: Mapping[str, Document], proposal: BuyerProposal | None = None
) -> list[Wanted]:
    """Everything that a changed order asks for.

    Args:
        invoice: issued.
        order: as it is now.
        rows: the order's documents by purpose, oldest first.
        proposal: what the buyer proposed and a person approved last.
    """
    found = [_refund(order, refund.id, refund.amount, refund.reason) for refund in order.refunds]
    found += [_withdrawn(row) for row in _deleted_after_correction(order, rows)]
    found += _again(order, rows)
    if order.state not in CALLED_OFF:
        found += _buyer(invoice, order, rows, proposal) + _proposed(order, rows, proposal)
    left = (invoice.total or ZERO) + sum(
        (
            row.total or ZERO
            for row in rows.values()
            if row.purpose != INVOICE and is_in_ksef_or_under_way(row)
        ),
        ZERO,
    )
    if order.state in CALLED_OFF:
        found += _to_zero(CANCELLATION, left, order, rows)
        return found
    if order.state is OrderState.REFUNDED and sum((one.amount for one in order.refunds), ZERO) < order.total:
        found += _to_zero(REFUNDED, left, order, rows)
    elif order.state is not OrderState.REFUNDED and any(
        is_in_ksef_or_under_way(rows[one]) for one in TO_ZERO & rows.keys()
    ):
        found.append(Wanted(REINSTATED, order.total, _reinstated(order)))
    return found + _change(invoice, order, rows)


def _deleted_after_correction(order: Order, rows: Mapping[str, Document]) -> list[Document]:
    kept = {f"{REFUND}{refund.id}" for refund in order.refunds}
    return [
        row
        for purpose, row in rows.items()
        if purpose.startswith(REFUND) and purpose not in kept and is_in_ksef_or_under_way(row)
    ]


def _to_zero(purpose: str, left: Decimal, order: Order, rows: Mapping[str, Document]) -> list[Wanted]:
    """Wanted while something is left; a correction to zero that was issued stays what it is."""
    known = rows.get(purpose)
    if left == 0 or (known is not None and is_in_ksef_or_under_way(known)):
        return []
    why = _cancelled if purpose == CANCELLATION else _called_refunded
    return [Wanted(purpose, -left, why(order, left))]


def _change(invoice: Document, order: Order, rows: Mapping[str, Document]) -> list[Wanted]:
    """Another total than the invoice's, or than a person has corrected to by hand last."""
    done = [row for purpose, row in rows.items() if purpose.startswith(CHANGE) and _is_settled(row)]
    total, currency = invoice.total or ZERO, invoice.currency or ""
    place = f"{CHANGE}{order.total:f}{order.currency}"
    if done:
        last = max(done, key=lambda row: (row.closed_at or row.issued_at or row.updated_at, row.id))
        target = last.purpose.removeprefix(CHANGE).partition("#")[0]
        total, currency = Decimal(target[:-3]), target[-3:]
        # the same total may come back after another one was corrected by hand
        place = f"{place}#{len(done)}"
    # a correction that a person wrote may have come before the shop's own change
    by_hand = sum(
        (
            row.total or ZERO
            for name, row in rows.items()
            if name.startswith(HAND) and is_in_ksef_or_under_way(row)
        ),
        ZERO,
    )
    if order.currency == currency and order.total in {total, total + by_hand}:
        return []
    return [Wanted(place, order.total - total, _changed(total, currency, order))]


def _is_settled(row: Document) -> bool:
    """Whether a person corrected a change: here, by a plan, or elsewhere."""
    return row.closed_at is not None or is_in_ksef_or_under_way(row)


def _buyer(
    invoice: Document, order: Order, rows: Mapping[str, Document], proposal: BuyerProposal | None
) -> list[Wanted]:
    """Another buyer than the invoice's, or than a correction or a person has settled last."""
    stated, settled = invoice.buyer_fingerprint, 0
    for purpose, row in rows.items():
        if purpose.startswith(PROPOSAL) and is_in_ksef_or_under_way(row):
            stated, settled = row.buyer_fingerprint, settled + 1
        elif purpose.startswith(BUYER) and (is_in_ksef_or_under_way(row) or row.closed_at is not None):
            stated, settled = purpose.removeprefix(BUYER).partition("#")[0], settled + 1
    now = buyer_fingerprint(order)
    if stated in {None, now}:
        return []
    if proposal is not None and stated == proposal.instead_of and says_the_same(order.buyer, proposal):
        return []
    # the same data may come back after others were settled
    place = f"{BUYER}{now}#{settled}" if settled else f"{BUYER}{now}"
    return [Wanted(place, ZERO, _correction_needed(_BUYER_CHANGED, _BUYER_BY_RETRY, "buyer"))]


def _proposed(order: Order, rows: Mapping[str, Document], proposal: BuyerProposal | None) -> list[Wanted]:
    """The correction that a person approved, as long as the shop says nothing new of the buyer."""
    purpose = f"{PROPOSAL}{proposal.id}" if proposal is not None else ""
    if proposal is None or purpose not in rows or not still_holds(order, proposal):
        return []
    return [Wanted(purpose, ZERO, _correction_needed(_PROPOSED, _BUYER_BY_RETRY, "buyer"))]


def _again(order: Order, rows: Mapping[str, Document]) -> list[Wanted]:
    """What happens once more after it was taken back: only a person knows how it stands."""
    found = []
    for refund in order.refunds:
        undone = rows.get(f"{WITHDRAWN}{refund.id}")
        if undone is not None and is_in_ksef_or_under_way(undone):
            finding = _correction_needed(
                _refund(order, refund.id, refund.amount, "").finding.message, _BY_HAND
            )
            found.append(Wanted(f"{REFUNDED_AGAIN}{refund.id}", -refund.amount, finding))
    reinstated = rows.get(REINSTATED)
    if order.state in CALLED_OFF and reinstated is not None and _is_settled(reinstated):
        finding = _correction_needed(_cancelled(order, order.total).message, _BY_HAND)
        found.append(Wanted(CANCELLED_AGAIN, -order.total, finding))
    return found


def zero_by_hand() -> Finding:
    """To zero, but part of the invoice was corrected outside the connector."""
    message = Text(
        "Zamówienie korygowano też poza łącznikiem, więc łącznik nie wie, ile zostaje do zera.",
        "The order was also corrected outside the connector, so it does not know what is left to zero.",
    )
    return _correction_needed(message, _BY_HAND)


def after_hand_made(finding: Finding) -> Finding:
    """A refund of an order that was corrected outside the connector: a person decides."""
    more = Text(
        "To zamówienie korygowano też poza łącznikiem, którego korekta by tego nie uwzględniła.",
        "This order was also corrected outside the connector, whose correction would not know of it.",
    )
    message = Text(f"{finding.message.pl} {more.pl}", f"{finding.message.en} {more.en}")
    return _correction_needed(message, _BY_RETRY)


def perhaps_by_hand(finding: Finding) -> Finding:
    """A refund of just the amount that a person has corrected by hand before."""
    more = Text(
        "Na tę samą kwotę wystawiono już ręcznie korektę: jeśli dotyczy tego zwrotu, zamknij ten dokument.",
        "A correction of the same amount was issued by hand before: if it is of this refund, close this "
        "document.",
    )
    message = Text(f"{finding.message.pl} {more.pl}", f"{finding.message.en} {more.en}")
    return _correction_needed(message, _BY_RETRY)


def unreadable(path: str, message: str) -> Finding:
    """An issued order that cannot be read any more."""
    return Finding(
        "order-unreadable",
        Severity.ERROR,
        path,
        Text(
            f"Zamówienia z wystawioną fakturą nie da się już odczytać ze sklepu ({path}): {message}. Zwrotów "
            "i zmian łącznik nie zobaczy.",
            f"An invoiced order can no longer be read from the shop ({path}): {message}. Refunds and changes "
            "will not be seen.",
        ),
        Text(
            "Otwórz zamówienie w sklepie i zapisz je ponownie; gdy da się odczytać, ten wpis zniknie.",
            "Open the order in the shop and save it again; once it can be read, this entry goes away.",
        ),
    )


def _correction_needed(message: Text, hint: Text, path: str = "refunds") -> Finding:
    return Finding("correction-needed", Severity.ERROR, path, message, hint, "art. 106j VAT act")


def _refund(order: Order, refund_id: str, amount: Decimal, reason: str) -> Wanted:
    why_pl = f" (powód: {reason})" if reason else ""
    why_en = f" (reason: {reason})" if reason else ""
    message = Text(
        f"Po wystawieniu faktury zwrócono {amount} {order.currency}{why_pl}: potrzebna jest korekta.",
        f"{amount} {order.currency} was given back after the invoice{why_en}: a correction is needed.",
    )
    return Wanted(f"{REFUND}{refund_id}", -amount, _correction_needed(message, _BY_RETRY))


def _withdrawn(correction: Document) -> Wanted:
    amount = -(correction.total or ZERO)
    message = Text(
        f"Zwrot {amount} {correction.currency} usunięto w sklepie po wystawieniu korekty "
        f"{correction.number}: potrzebna jest korekta z powrotem, jeśli nabywca nie dostał pieniędzy.",
        f"The refund of {amount} {correction.currency} was deleted in the shop after its correction "
        f"{correction.number}: a correction back is needed if the buyer did not get the money.",
    )
    purpose = f"{WITHDRAWN}{correction.purpose.removeprefix(REFUND)}"
    return Wanted(purpose, amount, _correction_needed(message, _BY_RETRY))


def _cancelled(order: Order, left: Decimal) -> Finding:
    message = Text(
        f"Po wystawieniu faktury anulowano zamówienie, a z faktury zostaje {left} {order.currency}: "
        "potrzebna jest korekta do zera, jeśli sprzedaż nie doszła do skutku.",
        f"The order was cancelled after its invoice, of which {left} {order.currency} is left: a "
        "correction to zero is needed if the sale did not take place.",
    )
    return _correction_needed(message, _BY_RETRY)


def _called_refunded(order: Order, left: Decimal) -> Finding:
    message = Text(
        f"Sklep uważa zamówienie za zwrócone, ale nie podaje zwrotów na całość: z faktury zostaje {left} "
        f"{order.currency}. Potrzebna jest korekta do zera, jeśli pieniądze wróciły do nabywcy.",
        f"The shop calls the order refunded but names no refunds of all of it: {left} {order.currency} of "
        "the invoice is left. A correction to zero is needed if the buyer got the money back.",
    )
    return _correction_needed(message, _BY_RETRY)


def _reinstated(order: Order) -> Finding:
    message = Text(
        f"Fakturę skorygowano do zera, a zamówienie na {order.total} {order.currency} znów trwa.",
        f"The invoice was corrected to zero, and the order of {order.total} {order.currency} goes on again.",
    )
    return _correction_needed(message, _BY_HAND)


def _changed(total: Decimal, currency: str, order: Order) -> Finding:
    message = Text(
        f"Po wystawieniu faktury na {total} {currency} zamówienie zmieniono na {order.total} "
        f"{order.currency}: potrzebna jest korekta.",
        f"After the invoice of {total} {currency} the order was changed to {order.total} "
        f"{order.currency}: a correction is needed.",
    )
    return _correction_needed(message, _BY_HAND)
