"""The rule book applied: one order, one policy, one day, one answer with its reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from connector_app.decisions import decide
from connector_app.policies import Place, Recipients, StorePolicy, Trigger
from core.orders import (
    Buyer,
    LineKind,
    Order,
    OrderLine,
    OrderState,
    PostalAddress,
    TaxIdCandidate,
    TaxShare,
)

TODAY = date(2026, 11, 24)
NEW_YEAR = date(2027, 1, 1)
PLACED = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
NIP = TaxIdCandidate("5265877635", "meta _billing_nip")


def order(total: str = "246.00", *, country: str = "PL", **changes: Any) -> Order:
    """A paid order of a firm with a NIP."""
    gross = Decimal(total)
    share = TaxShare(Decimal(23), gross, Decimal(0), country=country)
    plain = Order(
        platform="woocommerce",
        id="1",
        number="1",
        status="processing",
        state=OrderState.PAID,
        currency="PLN",
        prices_include_tax=True,
        lines=(OrderLine("1", LineKind.PRODUCT, "Kubek", Decimal(1), (share,)),),
        total=gross,
        buyer=Buyer(company="Firma", tax_ids=(NIP,), address=PostalAddress(country=country)),
        created_at=PLACED,
        modified_at=PLACED,
        paid_at=PLACED,
    )
    return replace(plain, **changes)


CONSUMER = Buyer(first_name="Jan", last_name="Przykładowy")
EVERYONE = StorePolicy(recipients=Recipients.EVERYONE)


@pytest.mark.parametrize(
    ("given", "policy", "day", "rule", "state"),
    [
        (order(), StorePolicy(), TODAY, "business", "ready"),
        (order(), StorePolicy(), date(2026, 3, 31), "before-duty", "ready"),
        (order(state=OrderState.CANCELLED), StorePolicy(), TODAY, "called-off", "cancelled"),
        (order("0.00"), StorePolicy(), TODAY, "free", "cancelled"),
        (order(), StorePolicy(start_day=date(2026, 11, 21)), TODAY, "before-start", "cancelled"),
        (order(), StorePolicy(start_day=date(2026, 11, 20)), TODAY, "business", "ready"),
        (order(buyer=CONSUMER), StorePolicy(), TODAY, "not-asked", "waiting"),
        (
            order(buyer=CONSUMER, wants_invoice=True),
            StorePolicy(recipients=Recipients.ASKED),
            TODAY,
            "consumer-ksef",
            "ready",
        ),
        (order(buyer=CONSUMER), EVERYONE, TODAY, "consumer-ksef", "ready"),
        (
            order(buyer=CONSUMER),
            replace(EVERYONE, consumers=Place.OUTSIDE),
            TODAY,
            "consumer-outside",
            "waiting",
        ),
        (order(buyer=CONSUMER, country="DE"), EVERYONE, TODAY, "oss-outside", "waiting"),
        (
            order(buyer=CONSUMER, country="DE"),
            replace(EVERYONE, oss=Place.KSEF),
            TODAY,
            "oss-ksef",
            "ready",
        ),
        (order(country="DE"), EVERYONE, TODAY, "business", "ready"),
        (
            order(buyer=Buyer(tax_ids=(TaxIdCandidate("brak", "meta nip"),))),
            StorePolicy(),
            TODAY,
            "not-asked",
            "waiting",
        ),
        # mistyped: a person has to see it
        (
            order(buyer=Buyer(tax_ids=(TaxIdCandidate("5265877636", "meta nip"),))),
            StorePolicy(),
            TODAY,
            "business",
            "ready",
        ),
        (order("450.00"), StorePolicy(receipts=True), TODAY, "receipt-with-nip", "waiting"),
        (order("450.01"), StorePolicy(receipts=True), TODAY, "business", "ready"),
        (order("100.00", currency="EUR"), StorePolicy(receipts=True), TODAY, "receipt-with-nip", "waiting"),
        (order("100.01", currency="EUR"), StorePolicy(receipts=True), TODAY, "business", "ready"),
        # the receipt was handed out under the old law
        (order("450.00"), StorePolicy(receipts=True), NEW_YEAR, "receipt-with-nip", "waiting"),
        (order(), StorePolicy(relief=True), TODAY, "relief-10000", "waiting"),
        (order(), StorePolicy(relief=True), NEW_YEAR, "business", "ready"),
        (order("10000.01"), StorePolicy(relief=True), TODAY, "relief-used-up", "ready"),
        (order("100.00", currency="EUR"), StorePolicy(relief=True), TODAY, "business", "ready"),
        (order(buyer=CONSUMER), replace(EVERYONE, relief=True), TODAY, "consumer-ksef", "ready"),
    ],
)
def test_an_order_follows_the_first_rule_that_applies(
    given: Order, policy: StorePolicy, day: date, rule: str, state: str
) -> None:
    """Whom, where and whether: each answer names its rule, its basis and the day."""
    found = decide(given, policy, day)
    assert (found.rule.code, found.state.value) == (rule, state)
    kept = found.as_json()
    assert kept["day"] == day.isoformat()
    assert kept["basis"]["pl"]
    assert found.rule.basis.pl in kept["reason"]["pl"]


def test_the_relief_ends_with_the_invoice_that_crosses_it() -> None:
    """10 000 PLN to the grosz is inside, a grosz more is not (art. 145m)."""
    policy = StorePolicy(relief=True)
    inside = decide(order("246.00"), policy, TODAY, relief_used=Decimal("9754.00"))
    over = decide(order("246.00"), policy, TODAY, relief_used=Decimal("9754.01"))
    assert (inside.rule.code, over.rule.code) == ("relief-10000", "relief-used-up")
    assert inside.is_handed_over
    assert not over.is_handed_over


def test_a_receipt_of_next_year_is_no_invoice() -> None:
    """As if the order were placed in 2027."""
    found = decide(order("450.00"), StorePolicy(receipts=True), NEW_YEAR, sold_on=NEW_YEAR)
    assert found.rule.code == "business"


@pytest.mark.parametrize(
    ("given", "policy", "is_due"),
    [
        (order(state=OrderState.PENDING), StorePolicy(), False),
        (order(paid_at=None), StorePolicy(), True),
        (order(paid_at=None), StorePolicy(trigger=Trigger.MONEY), False),
        (order(), StorePolicy(trigger=Trigger.MONEY), True),
        (order(), StorePolicy(trigger=Trigger.COMPLETED), False),
        (order(state=OrderState.COMPLETED), StorePolicy(trigger=Trigger.COMPLETED), True),
        (order(), StorePolicy(after_days=4), True),
        (order(), StorePolicy(after_days=5), False),
    ],
)
def test_an_order_is_due_when_its_trigger_and_its_days_have_passed(
    given: Order, policy: StorePolicy, is_due: bool
) -> None:
    """Paid or accepted, money confirmed, completed, and so many days after."""
    found = decide(given, policy, TODAY)
    assert (found.state.value, found.is_due) == (("ready", True) if is_due else ("waiting", False))


def test_waiting_for_days_names_the_moment_in_warsaw() -> None:
    """Five days after 20 November begin at midnight in Poland, which is 23:00 UTC."""
    found = decide(order(), StorePolicy(after_days=5), TODAY)
    assert found.due_at == datetime(2026, 11, 24, 23, 0, tzinfo=UTC)


def test_no_setting_waits_beyond_the_fifteenth_of_the_next_month() -> None:
    """Art. 106i ust. 1: 45 days after 20 November would be 4 January."""
    found = decide(order(), StorePolicy(after_days=45), TODAY)
    assert found.due_at == datetime(2026, 12, 14, 23, 0, tzinfo=UTC)


def test_what_waits_for_its_time_is_not_handed_over() -> None:
    """Another program is told of the invoice when it is due, and no earlier."""
    policy = StorePolicy(relief=True, trigger=Trigger.COMPLETED)
    found = decide(order(), policy, TODAY)
    assert (found.rule.code, found.is_handed_over) == ("relief-10000", False)


def test_a_policy_survives_being_stored() -> None:
    """Every choice comes back; what an older program stored takes the defaults."""
    policy = StorePolicy(
        after_days=3,
        corrections_limit=Decimal("500.00"),
        consumers=Place.OUTSIDE,
        oss=Place.KSEF,
        receipts=True,
        relief=True,
        mail=True,
        trigger=Trigger.MONEY,
    )
    assert StorePolicy.from_json(policy.as_json()) == policy
    assert StorePolicy.from_json({"recipients": "nip", "trigger": "paid"}) == StorePolicy()
