"""One order as the documents it would become, by the same steps as the pipeline, without storing anything."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

from connector_app.decisions import Decision, decide, due_day, is_business
from connector_app.dry_run.outcomes import Built, OrderOutcome, Outcome
from connector_app.numbering import bad_pattern
from connector_app.pipeline.purposes import REASONS, REFUNDED
from connector_app.policies import StorePolicy
from connector_app.profiles import Profile
from connector_app.store.documents import buyer_name
from connector_app.store.models import DocumentState
from core import rulebook
from core.calendar import WARSAW, warsaw_day
from core.fa import registry
from core.fa.validate import check_built
from core.fa.write import write
from core.findings import Finding, Severity, Text, has_errors
from core.invoices.attention import NeedsAttention
from core.invoices.corrections.build import CorrectionDraft
from core.invoices.corrections.others import to_zero
from core.invoices.corrections.refunds import correct
from core.invoices.corrections.state import state_of
from core.invoices.exchange import RateError, Rates, draft_at_rate
from core.invoices.model import Invoice, InvoiceKind
from core.invoices.numbering import BadPattern
from core.invoices.treatment import tax_class_key
from core.ksef import number as ksef_number
from core.orders import CALLED_OFF, Order, OrderState, Refund
from core.rulebook import Route, Rule

MARK = "PRÓBA"
"""In front of every number, so that nobody takes a picture for an invoice."""


@dataclass(slots=True)
class Rules:
    """By what a dry run decides: settings as they are now.

    Attributes:
        profile: the seller's. policy: the store's. store: its code.
        schema: version in which documents are written.
        today: Warsaw day of the run.
        schema_dir: official XSD files to check with.
        rates: exchange rates.
    """

    profile: Profile
    policy: StorePolicy
    store: str
    schema: registry.FaSchema
    today: date
    schema_dir: Path | None = None
    rates: Rates | None = None


@dataclass(slots=True)
class Builder:
    """Builds orders one after another; numbers and the month's relief are counted in memory only.

    Attributes:
        rules: see :class:`Rules`.
    """

    rules: Rules
    _counters: dict[tuple[str, str], int] = field(default_factory=dict)
    _relief: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def build(self, order: Order, refunds: Callable[[], tuple[Refund, ...]]) -> OrderOutcome:
        """Say what would become of an order.

        Args:
            order: as the shop says it now.
            refunds: reads its refunds; called only when they matter.

        Raises:
            ShopError: the refunds cannot be read now.
        """
        sale = _before_refunds(order)
        day = self._day(sale)
        # the start day keeps old orders from being invoiced, and they are what a dry run is about
        policy = replace(self.rules.policy, start_day=None)
        decision = decide(sale, policy, day, relief_used=self._relief[f"{day:%Y-%m}"])
        if decision.rule is rulebook.RELIEF and decision.is_handed_over:
            self._relief[f"{day:%Y-%m}"] += sale.total
        said = self._said(order, decision, policy, sale)
        if decision.state is not DocumentState.READY:
            return said
        try:
            return self._documents(said, sale, order, refunds, day)
        except NeedsAttention as attention:
            return replace(said, outcome=Outcome.ATTENTION, findings=attention.reasons)
        except RateError as error:
            return replace(said, outcome=Outcome.ATTENTION, findings=(error.finding(),))
        except BadPattern as error:
            return replace(said, outcome=Outcome.ATTENTION, findings=(bad_pattern(error),))

    def _day(self, sale: Order) -> date:
        """The day on which the invoice would have been issued."""
        if sale.state in CALLED_OFF or sale.state is OrderState.PENDING:
            return min(warsaw_day(sale.created_at), self.rules.today)
        return min(due_day(sale, self.rules.policy), self.rules.today)

    def _said(self, order: Order, decision: Decision, policy: StorePolicy, sale: Order) -> OrderOutcome:
        outcome = Outcome.INVOICE
        if decision.state is not DocumentState.READY:
            outcome = _NOT_DUE[decision.rule.route] if decision.is_due else Outcome.WAITING
            outcome = Outcome.NOTHING if decision.rule.route is Route.NOTHING else outcome
        return OrderOutcome(
            outcome,
            order.id,
            order.number,
            warsaw_day(order.created_at),
            buyer_name(order),
            is_business(order),
            order.total,
            order.currency,
            decision.reason,
            _rule(decision.rule),
            untaxed=_untaxed(order),
            later=self._later(sale, decision, policy),
        )

    def _later(self, sale: Order, decision: Decision, policy: StorePolicy) -> dict[str, Any]:
        """The rule that will decide about such an order when the rule book changes next."""
        changes = rulebook.changes_after(self.rules.today)
        if not changes:
            return {}
        then = decide(sale, policy, changes[0], sold_on=changes[0]).rule
        return _rule(then) if then is not decision.rule else {}

    def _documents(
        self,
        said: OrderOutcome,
        sale: Order,
        order: Order,
        refunds: Callable[[], tuple[Refund, ...]],
        day: date,
    ) -> OrderOutcome:
        rules = self.rules
        profile = rules.profile
        prepared = draft_at_rate(sale, profile.issuer, profile.policy, day, rules.rates)
        invoice, built, findings = self._write(InvoiceKind.VAT, day, prepared.issue)
        if has_errors(findings):
            return replace(said, outcome=Outcome.REFUSED, findings=tuple(findings), documents=(built,))
        documents = [built]
        if order.refunds or order.state is OrderState.REFUNDED:
            # a whole order that is called refunded, with no refund that says so, goes to zero
            given = refunds() if order.refunds else (None,)
            more, found = self._corrections(invoice, order, given, day)
            documents += more
            findings += found
        outcome = Outcome.INVOICE
        if has_errors(findings):
            outcome = Outcome.ATTENTION
        return replace(said, outcome=outcome, findings=tuple(findings), documents=tuple(documents))

    def _corrections(
        self, invoice: Invoice, order: Order, refunds: Sequence[Refund | None], day: date
    ) -> tuple[list[Built], list[Finding]]:
        """Corrections of all refunds, each on the state that the one before leaves."""
        seller = self.rules.profile.seller.nip
        accepted = ksef_number.make(seller, day, f"{sum(self._counters.values()):012X}").value
        done: list[Invoice] = []
        documents: list[Built] = []
        findings: list[Finding] = []
        for refund in refunds:
            amount = refund.amount if refund else order.total
            if not self.rules.policy.corrects_by_itself(amount):
                findings.append(_asked(amount, order.currency))
                break
            state = state_of(invoice, accepted, done)
            policy = self.rules.profile.corrections
            try:
                made: CorrectionDraft
                made = (
                    correct(state, refund, policy)[0] if refund else to_zero(state, REASONS[REFUNDED], policy)
                )
            except NeedsAttention as attention:
                findings += attention.reasons
                break
            when = min(max(day, warsaw_day(refund.created_at)), self.rules.today) if refund else day
            correction, built, found = self._write(InvoiceKind.CORRECTION, when, made.issue)
            documents.append(built)
            done.append(correction)
            findings += found
            if has_errors(found):
                break
        return documents, findings

    def _write(
        self, kind: InvoiceKind, day: date, complete: Callable[[str, date, datetime], Invoice]
    ) -> tuple[Invoice, Built, list[Finding]]:
        series = self.rules.profile.numbering.series(kind, day, self.rules.store)
        place = (series.key, series.period)
        self._counters[place] = series.following(self._counters.get(place, 0))
        moment = datetime.combine(day, time(12), WARSAW).astimezone(UTC)
        invoice = complete(f"{MARK} {series.number(self._counters[place])}", day, moment)
        data = write(invoice, self.rules.schema)
        findings = check_built(invoice, data, self.rules.schema, day, self.rules.schema_dir)
        # that an invoice of a past day is old is no news here
        return invoice, Built(invoice, data), [one for one in findings if one.severity is not Severity.INFO]


_NOT_DUE = {
    Route.KSEF: Outcome.WAITING,
    Route.OUTSIDE: Outcome.OUTSIDE,
    Route.NOTHING: Outcome.NOTHING,
}


def _before_refunds(order: Order) -> Order:
    """The order as it was when its invoice would have been issued: refunds came later."""
    state = order.state
    if state is OrderState.REFUNDED:
        state = OrderState.COMPLETED if order.completed_at else OrderState.PAID
    return replace(order, refunds=(), state=state)


def _untaxed(order: Order) -> frozenset[str]:
    shares = (share for line in order.lines for share in line.shares)
    return frozenset(tax_class_key(one) for one in shares if not one.rate and not one.tax and one.net)


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "code": rule.code,
        "route": rule.route.value,
        "sentence": {"pl": rule.sentence.pl, "en": rule.sentence.en},
        "basis": {"pl": rule.basis.pl, "en": rule.basis.en},
    }


def _asked(amount: Decimal, currency: str) -> Finding:
    return Finding(
        rulebook.CORRECTION_ASKED.code,
        Severity.ERROR,
        "refunds",
        Text(
            f"Zwrot {amount} {currency}: o korektę zapyta najpierw człowieka.",
            f"Refund of {amount} {currency}: a person is asked about the correction first.",
        ),
        Text(
            "Tak mówią zasady sklepu (korekty: pytaj, albo limit kwoty).",
            "The store's rules say so (corrections: ask, or a limit of the amount).",
        ),
        rulebook.CORRECTION_ASKED.basis.pl,
    )
