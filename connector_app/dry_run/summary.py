"""A dry run in numbers: what would be sent, what would be asked, and what it would take."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from connector_app.dry_run.outcomes import OrderOutcome, Outcome, cause_of
from core import rulebook
from core.findings import Finding, Severity
from core.invoices.model import InvoiceKind, TaxIdKind
from core.ksef.forecast import Forecast, forecast
from core.ksef.planning import SendingPolicy
from core.money import ZERO

_EXAMPLES = 5


@dataclass(slots=True)
class _Group:
    """Findings with one cause and one fix."""

    example: Finding
    orders: list[str] = field(default_factory=list)
    count: int = 0
    amounts: dict[str, Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))


@dataclass(slots=True)
class Summary:
    """Counts orders one after another.

    Attributes:
        sending: the seller's choice between single documents and batches.
    """

    sending: SendingPolicy
    _outcomes: Counter[str] = field(default_factory=Counter)
    _rules: dict[str, tuple[dict[str, Any], int]] = field(default_factory=dict)
    _groups: dict[tuple[str, str], _Group] = field(default_factory=dict)
    _rates: dict[tuple[str, str], list[Decimal]] = field(default_factory=dict)
    _gross: dict[str, Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))
    _days: Counter[date] = field(default_factory=Counter)
    _causes: Counter[str] = field(default_factory=Counter)
    _kinds: Counter[str] = field(default_factory=Counter)
    _untaxed: Counter[str] = field(default_factory=Counter)
    _later: dict[tuple[str, str], list[Any]] = field(default_factory=dict)

    def add(self, one: OrderOutcome) -> list[int]:
        """Count one order.

        Returns:
            The places of its groups of findings in :meth:`as_json`.
        """
        self._outcomes[one.outcome.value] += 1
        if one.rule:
            self._rules[one.rule["code"]] = (one.rule, self._rules.get(one.rule["code"], ({}, 0))[1] + 1)
        self._untaxed.update(one.untaxed)
        self._causes.update({cause_of(finding).value for finding in one.findings})
        if one.later:
            key = (one.rule["code"], one.later["code"])
            row = self._later.setdefault(key, [one.rule, one.later, 0, defaultdict(lambda: ZERO)])
            row[2] += 1
            row[3][one.currency] += one.total or ZERO
        if one.outcome is not Outcome.REFUSED:
            self._count_documents(one)
        return sorted({self._group(finding, one) for finding in one.findings})

    def _count_documents(self, one: OrderOutcome) -> None:
        for built in one.documents:
            invoice = built.invoice
            is_correction = invoice.kind is not InvoiceKind.VAT and invoice.kind is not InvoiceKind.SIMPLIFIED
            self._kinds["corrections" if is_correction else "invoices"] += 1
            if not is_correction:
                consumer = invoice.buyer.tax_id.kind is TaxIdKind.NONE
                self._kinds["consumers" if consumer else "business"] += 1
            self._days[invoice.issued_on] += 1
            self._gross[invoice.currency] += invoice.total
            for rate in invoice.rates:
                sums = self._rates.setdefault((rate.row.value, invoice.currency), [ZERO, ZERO])
                sums[0] += rate.net
                sums[1] += rate.vat or ZERO

    def _group(self, finding: Finding, one: OrderOutcome) -> int:
        key = (finding.code, finding.hint.pl)
        group = self._groups.setdefault(key, _Group(finding))
        group.count += 1
        if one.number not in group.orders:
            group.amounts[one.currency] += one.total or ZERO
            if len(group.orders) < _EXAMPLES:
                group.orders.append(one.number)
        return list(self._groups).index(key)

    def as_json(self) -> dict[str, Any]:
        """All counts as JSON-ready values; amounts are texts."""
        return {
            "orders": self._outcomes.total(),
            "outcomes": {one.value: self._outcomes[one.value] for one in Outcome},
            "documents": {
                name: self._kinds[name] for name in ("invoices", "corrections", "business", "consumers")
            },
            "rules": [
                rule | {"count": count}
                for rule, count in sorted(self._rules.values(), key=lambda row: -row[1])
            ],
            "causes": dict(self._causes),
            "groups": [_group_json(group) for group in self._groups.values()],
            "untaxed": dict(sorted(self._untaxed.items())),
            "rates": [
                {"row": row, "currency": currency, "net": f"{net:f}", "vat": f"{vat:f}"}
                for (row, currency), (net, vat) in sorted(self._rates.items())
            ],
            "gross": {currency: f"{amount:f}" for currency, amount in sorted(self._gross.items())},
            "sending": self._sending_json(),
            "changes": self._changes_json(),
        }

    def _sending_json(self) -> dict[str, Any]:
        at_once = forecast(self._days.total(), self.sending)
        days = [forecast(count, self.sending) for count in self._days.values()]
        day, most = max(self._days.items(), key=lambda row: (row[1], row[0]), default=(None, 0))
        return {
            "at_once": _forecast_json(at_once),
            "days": len(days),
            "sessions": sum(one.sessions for one in days),
            "requests": sum(one.requests for one in days),
            "busiest": None
            if day is None
            else {"day": day.isoformat(), **_forecast_json(forecast(most, self.sending))},
        }

    def _changes_json(self) -> list[dict[str, Any]]:
        return [
            {"before": before, "after": after, "count": count, "amounts": _amounts(amounts)}
            for before, after, count, amounts in self._later.values()
        ]


def next_change(today: date) -> date | None:
    """The Warsaw day on which the rule book changes next."""
    return next(iter(rulebook.changes_after(today)), None)


def _group_json(group: _Group) -> dict[str, Any]:
    values = group.example.as_json()
    return values | {
        "cause": cause_of(group.example).value,
        "blocks": group.example.severity is Severity.ERROR,
        "count": group.count,
        "orders": group.orders,
        "amounts": _amounts(group.amounts),
    }


def _amounts(sums: dict[str, Decimal]) -> dict[str, str]:
    return {currency: f"{amount:f}" for currency, amount in sorted(sums.items()) if currency}


def _forecast_json(one: Forecast) -> dict[str, Any]:
    return {
        "documents": one.documents,
        "way": one.way.value,
        "sessions": one.sessions,
        "requests": one.requests,
        "seconds": round(one.at_least.total_seconds()),
    }
