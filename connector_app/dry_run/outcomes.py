"""What a dry run says of an order."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from core.findings import Finding, Severity, Text
from core.invoices.model import Invoice

_NOTHING_SAID = Text("", "")


class Outcome(StrEnum):
    """What would become of an order."""

    INVOICE = "invoice"
    """Its documents would go to KSeF by themselves."""
    ATTENTION = "attention"
    """A person would be asked first."""
    REFUSED = "refused"
    """A built document fails the schema or the rules, so it would not be sent."""
    WAITING = "waiting"
    """Unpaid, not completed, or not due yet."""
    OUTSIDE = "outside"
    """Another program issues the invoice."""
    NOTHING = "nothing"
    """No invoice is issued."""
    UNREADABLE = "unreadable"
    """The shop's data cannot be read."""


OUTCOME_WORDS = {
    Outcome.INVOICE: Text("do KSeF", "to KSeF"),
    Outcome.ATTENTION: Text("wymaga decyzji", "needs a decision"),
    Outcome.REFUSED: Text("byłaby odrzucona", "would be refused"),
    Outcome.WAITING: Text("czeka", "waits"),
    Outcome.OUTSIDE: Text("poza KSeF", "outside KSeF"),
    Outcome.NOTHING: Text("bez faktury", "no invoice"),
    Outcome.UNREADABLE: Text("nieczytelne", "cannot be read"),
}
"""The outcomes in words."""


@dataclass(frozen=True, slots=True)
class Built:
    """A document as it would be sent.

    Attributes:
        invoice: the model. data: its XML.
    """

    invoice: Invoice
    data: bytes


@dataclass(frozen=True, slots=True)
class OrderOutcome:
    """What a dry run says of one order.

    Attributes:
        outcome: see :class:`Outcome`.
        order_id, number: the shop's id, and what the buyer sees.
        placed: Warsaw day; ``None`` for an order that cannot be read.
        buyer, is_business: name, and whether a number or company name was given.
        total, currency: as charged.
        reason: why, for a person.
        rule: code, sentence and basis of the rule that decided; empty without one.
        findings: what is wrong or worth knowing.
        documents: that were built: the invoice, and corrections of its refunds.
        untaxed: keys of the tax classes that came without tax.
        later: the rule that would decide once the law changes; empty when it is the same.
    """

    outcome: Outcome
    order_id: str
    number: str
    placed: date | None
    buyer: str = ""
    is_business: bool = False
    total: Decimal | None = None
    currency: str = ""
    reason: Text = _NOTHING_SAID
    rule: dict[str, Any] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    documents: tuple[Built, ...] = ()
    untaxed: frozenset[str] = frozenset()
    later: dict[str, Any] = field(default_factory=dict)

    @property
    def errors(self) -> tuple[Finding, ...]:
        """What forbids sending."""
        return tuple(one for one in self.findings if one.severity is Severity.ERROR)


class Cause(StrEnum):
    """Groups of findings by what has to be put right."""

    NIP = "nip"
    TAX = "tax"
    SCHEMA = "schema"
    OTHER = "other"


_TAX = frozenset(
    {
        "tax-treatment-unknown",
        "oss-sale",
        "exemption-basis-missing",
        "line-tax-differs",
        "rate-tax-differs",
        "margin-schemes-differ",
        "voucher-sold",
    }
)
_NIP = frozenset(
    {
        "buyer-tax-id-invalid",
        "buyer-tax-ids-differ",
        "buyer-company-without-tax-id",
        "buyer-is-seller",
    }
)


def cause_of(finding: Finding) -> Cause:
    """What has to be put right: the buyer's number, the taxes, the document's form, or something else."""
    if finding.code in _NIP:
        return Cause.NIP
    if finding.code in _TAX:
        return Cause.TAX
    return Cause.SCHEMA if finding.path.startswith("Faktura") else Cause.OTHER
