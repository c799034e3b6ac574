"""The invariants of an installation at rest: KSeF, shops, mailbox and database tell the same story.

:func:`check` takes the stories of all sides (:mod:`tests.faults.stories`) and gives a sentence for every
difference, with the order that it is about; :func:`report` shows those orders as each side tells them.
Whoever runs an installation in another way (workers on a broker, say) can use both.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from email.message import EmailMessage
from typing import Any

from tests.faults.stories import (
    Accepted,
    Books,
    Row,
    Sale,
    confirmation_of,
    letters_with,
    sha256,
    text_of,
)

UNDECIDABLE = frozenset(
    {
        "refunded-before-invoice",
        "refund-without-lines",
        "correction-needed",
    }
)
"""Codes of what only a person can decide in what the runs do to orders."""

_CORRECTION = ("refund:", "withdrawn:", "cancellation", "refunded", "change:")


@dataclass(frozen=True, slots=True)
class Stories:
    """What all sides say.

    Attributes:
        sales: orders of all shops. ksef: accepted documents. books: the database.
        letters: the mailbox; ``None`` when no store sends e-mails.
        doubtful_letters: so many e-mails may be of unknown fate at the most, because a process was killed
            or an answer of the mail server was lost.
        undecidable: codes of what may wait for a person, see :data:`UNDECIDABLE`.
        now: the time of the installation, aware UTC.
    """

    sales: Sequence[Sale]
    ksef: Sequence[Accepted]
    books: Books
    now: datetime
    letters: Sequence[EmailMessage] | None = None
    doubtful_letters: int = 0
    undecidable: frozenset[str] = UNDECIDABLE


@dataclass(frozen=True, slots=True)
class Broken:
    """An invariant that does not hold.

    Attributes:
        rule: short name of the invariant. said: what is wrong. order: store and number; empty for none.
    """

    rule: str
    said: str
    order: tuple[str, str] = ("", "")

    def __str__(self) -> str:
        where = "/".join(self.order)
        return f"{self.rule}: {where + ': ' if where.strip('/') else ''}{self.said}"


def check(stories: Stories) -> list[Broken]:
    """Every difference between the stories; none when all is well."""
    return [
        broken
        for rule in (
            each_order_once,
            same_documents,
            series_whole,
            proofs_whole,
            told_once,
            letters_once,
            nothing_waits,
            attention_is_named,
        )
        for broken in rule(stories)
    ]


def each_order_once(stories: Stories) -> Iterator[Broken]:
    """A due order has exactly one invoice in KSeF and each refund one correction, to the grosz."""
    invoices: dict[tuple[str, str], list[Accepted]] = defaultdict(list)
    corrections: dict[str, list[Accepted]] = defaultdict(list)
    for one in stories.ksef:
        if one.corrects:
            corrections[one.corrects].append(one)
        else:
            for number in one.orders:
                invoices[one.nip, number].append(one)
    rows: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in stories.books.documents:
        rows[row["store"], row["remote_id"]].append(row)
    known = {(sale.nip, sale.number) for sale in stories.sales}
    for nip, number in invoices.keys() - known:
        yield Broken(
            "each order once", f"KSeF has an invoice of order {number}, which no shop has", (nip, number)
        )
    for sale in stories.sales:
        of_order = rows[sale.store, sale.remote_id]
        found = invoices[sale.nip, sale.number]
        corrected = [one for invoice in found for one in corrections[invoice.ksef_number]]
        for said in _order_once(sale, found, corrected, of_order):
            yield Broken("each order once", said, (sale.store, sale.number))


def _order_once(
    sale: Sale, invoices: Sequence[Accepted], corrections: Sequence[Accepted], rows: Sequence[Row]
) -> Iterator[str]:
    asks = {row["purpose"].partition(":")[0]: row for row in rows if row["state"] == "attention"}
    if len(invoices) > 1:
        yield f"{len(invoices)} invoices: {', '.join(one.number for one in invoices)}"
        return
    if not invoices:
        state = next((row["state"] for row in rows if row["purpose"] == "invoice"), "unknown")
        allowed = {
            "paid": {"attention"} if sale.refunds else set(),
            "cancelled": {"cancelled", "unknown"},
            "waiting": {"waiting", "unknown"},
        }[sale.state]
        if state not in allowed:
            yield f"{sale.state} in the shop, no invoice in KSeF, and the database says {state}"
        return
    (invoice,) = invoices
    if invoice.total != sale.total and "change" not in asks:
        yield f"the invoice says {invoice.total}, the shop {sale.total}"
    if sale.state == "cancelled":
        left = invoice.total + sum((one.total for one in corrections), Decimal(0))
        if left and "cancellation" not in asks:
            yield f"cancelled in the shop after its invoice, of which {left} is left, and nobody is asked"
        return
    by_lines = Counter(-one.amount for one in sale.refunds if not one.by_amount)
    corrected = Counter(one.total for one in corrections)
    if by_lines != corrected:
        yield f"refunds {_amounts(by_lines)} and corrections {_amounts(corrected)} differ"
    for refund in (one for one in sale.refunds if one.by_amount):
        asking = [row for row in rows if row["purpose"] == f"refund:{refund.id}"]
        if [row["state"] for row in asking] != ["attention"]:
            yield f"refund {refund.id} by amount asks nobody"


def _amounts(counted: Counter[Decimal]) -> str:
    return "[" + ", ".join(str(one) for one in sorted(counted.elements())) + "]"


def same_documents(stories: Stories) -> Iterator[Broken]:
    """KSeF and the database have the same documents: number, KSeF number, bytes, hash."""
    ours = {row["ksef_number"]: row for row in stories.books.documents if row["ksef_number"]}
    theirs = {one.ksef_number: one for one in stories.ksef}
    for number in theirs.keys() - ours.keys():
        yield Broken("same documents", f"KSeF has {theirs[number].number} ({number}), the database has not")
    for number in ours.keys() - theirs.keys():
        yield Broken(
            "same documents",
            f"the database has {ours[number]['number']} ({number}), KSeF has not",
            _of(ours[number]),
        )
    for number in ours.keys() & theirs.keys():
        row, one = ours[number], theirs[number]
        if row["number"] != one.number or row["nip"] != one.nip:
            yield Broken(
                "same documents", f"{number} is {row['number']} here and {one.number} there", _of(row)
            )
        if row["xml"] != one.xml or row["xml_sha256"] != one.sha256 or sha256(one.xml) != one.sha256:
            yield Broken("same documents", f"the bytes of {number} differ", _of(row))
        if Decimal(str(row["total"])) != one.total:
            yield Broken(
                "same documents", f"{number}: total {row['total']} here, P_15 {one.total} there", _of(row)
            )
    for row in stories.books.documents:
        if row["xml"] is not None and sha256(row["xml"]) != row["xml_sha256"]:
            yield Broken("same documents", "the stored XML differs from its hash", _of(row))
        if row["corrected_sha256"] is None and (row["xml"] is None) != (row["issued_at"] is None):
            yield Broken("same documents", "issued and no XML, or XML and not issued", _of(row))


_COUNTER = re.compile(r"(.*?)(\d+)")


def series_whole(stories: Stories) -> Iterator[Broken]:
    """The numbers of a series run from 1 without gap and double, and its counter is at the last one."""
    series: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row in stories.books.documents:
        match = _COUNTER.fullmatch(row["number"] or "")
        if match:
            series[row["nip"], match[1]].append(int(match[2]))
    for (nip, name), taken in series.items():
        if sorted(taken) != list(range(1, len(taken) + 1)):
            gaps = sorted(set(range(1, max(taken) + 1)) - set(taken))
            doubles = sorted(number for number, times in Counter(taken).items() if times > 1)
            yield Broken("series whole", f"{nip} {name}: gaps {gaps}, doubles {doubles}")
    counted = sum(row["last"] for row in stories.books.counters)
    if counted != sum(len(taken) for taken in series.values()):
        yield Broken("series whole", f"counters stand at {counted} numbers in all")


def proofs_whole(stories: Stories) -> Iterator[Broken]:
    """Each document in KSeF has its UPO here, about its very bytes and number."""
    for row in stories.books.documents:
        if row["ksef_number"] is None:
            continue
        if row["upo"] is None:
            yield Broken("proofs whole", "accepted, and no UPO", _of(row))
        elif (row["ksef_number"], row["xml_sha256"]) not in confirmation_of(row["upo"]).documents:
            yield Broken("proofs whole", "the UPO is of another document", _of(row))
    for row in stories.books.session_upos:
        if row["ended_at"] is None:
            said = f"{_why(row['waits_for'])}, next look {row['next_at']}"
            yield Broken("proofs whole", f"the collective UPO of {row['reference']} is still awaited: {said}")


def told_once(stories: Stories) -> Iterator[Broken]:
    """Each accepted document is told of once in each way that its shop has; metadata has one value."""
    documents = defaultdict(list)
    for row in stories.books.documents:
        if row["ksef_number"]:
            documents[row["store"], row["remote_id"]].append(row)
    for sale in stories.sales:
        rows = documents[sale.store, sale.remote_id]
        for row in rows:
            for kind, texts in (("private", sale.told.private), ("public", sale.told.public)):
                seen = sum(row["ksef_number"] in text for text in texts)
                if kind in sale.told.kinds and seen != 1:
                    yield Broken(
                        "told once", f"{kind} note of {row['number']} is there {seen} times", _of(row)
                    )
        numbers = [row["ksef_number"] for row in rows if row["purpose"] == "invoice"]
        values = list(sale.told.fields.get("number", ()))
        if sale.store and rows and sale.told.fields and values != numbers:
            yield Broken(
                "told once", f"metadata says {values}, the invoice is {numbers}", (sale.store, sale.number)
            )
        if sale.told.tags is not None and sale.told.tags != len(numbers):
            yield Broken("told once", f"the tag is there {sale.told.tags} times", (sale.store, sale.number))
    for (document, channel), times in Counter(
        (row["document_id"], row["channel"]) for row in stories.books.publications
    ).items():
        if times > 1:
            yield Broken("told once", f"document {document} has {times} rows for {channel}")


def letters_once(stories: Stories) -> Iterator[Broken]:
    """Each e-mail is in the box once; where the database does not know, a fault may have hidden it."""
    if stories.letters is None:
        return
    rows = {row["id"]: row for row in stories.books.documents}
    sends = {row["id"] for row in rows.values() if (row["policy"] or {}).get("mail") and row["ksef_number"]}
    told = {row["document_id"] for row in stories.books.mails if not row["occasion"].startswith("offline")}
    for missing in sends - told:
        yield Broken("letters once", "no e-mail was ever due", _of(rows[missing]))
    unknown = 0
    for mail in stories.books.mails:
        of = _of(rows[mail["document_id"]])
        seen = letters_with(stories.letters, mail["message_id"]) if mail["message_id"] else 0
        unknown += mail["state"] == "unknown"
        allowed = {"sent": {1}, "unknown": {0, 1}, "dropped": {0}}.get(mail["state"], set())
        if seen not in allowed:
            yield Broken(
                "letters once",
                f"{mail['occasion']} is {mail['state']} ({mail['failure']}) and in the box {seen} times",
                of,
            )
    if unknown > stories.doubtful_letters:
        yield Broken("letters once", f"{unknown} of unknown fate, where {stories.doubtful_letters} may be")
    for row in rows.values():
        if row["ksef_number"] and sum(row["ksef_number"] in text_of(one) for one in stories.letters) > 1:
            yield Broken("letters once", "the buyer was told more than once", _of(row))


def nothing_waits(stories: Stories) -> Iterator[Broken]:
    """At rest documents are at an end or wait for a person; no lane is held, no batch under way."""
    by_order = defaultdict(list)
    for row in stories.books.documents:
        by_order[row["order_id"]].append(row)
    states = {(sale.store, sale.remote_id): sale.state for sale in stories.sales}
    for row in stories.books.documents:
        if row["state"] in {"published", "attention", "cancelled"}:
            continue
        if row["state"] == "waiting":
            is_invoice = row["purpose"] == "invoice"
            others = {one["state"] for one in by_order[row["order_id"]] if one is not row}
            if is_invoice and states.get((row["store"], row["remote_id"])) != "paid":
                continue
            if not is_invoice and others & {"attention", "rejected"}:
                continue
        yield Broken(
            "nothing waits", f"{row['purpose']} is {row['state']}: {_why(row['waiting_for'])}", _of(row)
        )
    for seller in stories.books.sellers:
        hold = seller["hold"]
        if hold and datetime.fromisoformat(hold["until"]).astimezone(UTC) > stories.now:
            yield Broken("nothing waits", f"the lane of {seller['nip']} is held: {_why(hold['why'])}")
    for batch in stories.books.batches:
        if batch["state"] not in {"done", "failed"}:
            yield Broken(
                "nothing waits", f"batch {batch['id']} is {batch['state']}: {_why(batch['waiting_for'])}"
            )
    undone = [row for row in stories.books.events if row["done_at"] is None]
    if undone:
        yield Broken(
            "nothing waits", f"{len(undone)} webhooks are not done, of order {undone[0]['order_id']}"
        )


def attention_is_named(stories: Stories) -> Iterator[Broken]:
    """What waits for a person is something that only a person can decide, and says it in both languages."""
    for row in stories.books.documents:
        if row["state"] != "attention":
            continue
        findings: list[Any] = row["attention"] or []
        if not findings:
            yield Broken("attention is named", "asks a person and does not say what", _of(row))
        for one in findings:
            if one.get("code") not in stories.undecidable:
                yield Broken(
                    "attention is named",
                    f"{row['purpose']}: {one.get('code')} ({one.get('message')})",
                    _of(row),
                )
        if row["ksef_number"] is None and row["number"] is not None:
            yield Broken("attention is named", f"{row['number']} was issued and stands still", _of(row))


def _of(row: Row) -> tuple[str, str]:
    return str(row["store"]), str(row["order_number"])


def _why(said: Any) -> str:
    return str(said.get("en", said)) if isinstance(said, dict) else str(said)


def report(stories: Stories, broken: Iterable[Broken]) -> str:
    """The differences, and behind them each order that they are about as every side tells it."""
    found = list(broken)
    lines = [f"{len(found)} differences:", *(f"  {one}" for one in found[:40])]
    for order in dict.fromkeys(one.order for one in found if one.order[1]):
        lines += _order_told(stories, *order)
        if len(lines) > 200:
            break
    return "\n".join(lines)


def _order_told(stories: Stories, store: str, number: str) -> Iterator[str]:
    yield f"order {store}/{number}"
    sale = next((one for one in stories.sales if (one.store, one.number) == (store, number)), None)
    if sale is None:
        yield "  shop      has no such order"
    else:
        refunds = ", ".join(
            f"{one.id}: {one.amount}{' by amount' if one.by_amount else ''}" for one in sale.refunds
        )
        yield f"  shop      {sale.state}, {sale.total}, refunds: {refunds or 'none'}"
        for kind in ("private", "public"):
            for text in getattr(sale.told, kind):
                yield f"            {kind} note: {text[:150]!r}"
        yield f"            metadata: {dict(sale.told.fields)}"
    rows = [row for row in stories.books.documents if _of(row) == (store, number)]
    for row in rows:
        why = [one.get("code") for one in row["attention"] or []] or _why(row["waiting_for"])
        upo = "yes" if row["upo"] else "no"
        yield (
            f"  database  {row['id']} {row['purpose']} {row['state']} {row['number']} {row['total']} "
            f"KSeF {row['ksef_number']} sha {(row['xml_sha256'] or '')[:8]} UPO {upo} {why}"
        )
        for mail in stories.books.mails:
            if mail["document_id"] == row["id"]:
                yield f"            e-mail {mail['occasion']} {mail['state']} {mail['failure'] or ''}"
    ours = {row["ksef_number"] for row in rows if row["ksef_number"]}
    for one in stories.ksef:
        if number in one.orders or one.ksef_number in ours or one.corrects in ours:
            corrects = f" corrects {one.corrects}" if one.corrects else ""
            yield f"  KSeF      {one.kind} {one.number} {one.total} {one.ksef_number}{corrects}"
