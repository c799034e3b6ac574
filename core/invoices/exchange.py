"""Exchange rates of invoices in foreign currencies: which day's rate counts, and who can be asked for it.

VAT is stated in PLN on every invoice (art. 106e ust. 11 of the VAT act, P_14_xW). Art. 31a takes the mid
rate that the NBP announced on the last working day before the tax point or, for an invoice issued before
it, before the day of issue. A correction keeps the rate of the invoice that it corrects (art. 31b ust. 1).

Where rates come from is decided outside: this module asks through :class:`Rates`.

Errors::

    RateError               no rate; carries a sentence for the merchant and makes the finding
    ├── RateUnavailable     none can be had now, or none that is certain
    └── UnknownCurrency     the source announces no rate of this currency at all
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import ClassVar, Protocol

from core.calendar import previous_working_day
from core.findings import Finding, Severity, Text
from core.invoices.attention import CURRENCY_WITHOUT_RATE, NeedsAttention
from core.invoices.from_order import Draft, draft, tax_point_of
from core.invoices.model import Issuer
from core.invoices.policy import ExchangeRate, InvoicePolicy
from core.orders import Order

_SOURCE = "art. 31a and art. 106e ust. 11 VAT act, P_14_xW"


class RateError(Exception):
    """No exchange rate can be given.

    Attributes:
        currency: ISO 4217 code that was asked for.
        day: Warsaw day whose rate was asked for.
        reason: why there is none, for a person.
        temporary: the same question may get an answer later without anybody doing anything.
    """

    code: ClassVar[str] = "currency-rate-unavailable"
    hint: ClassVar[Text] = Text(
        "Spróbuj później albo wpisz w ustawieniach sprzedawcy średni kurs NBP z tego dnia wraz z datą.",
        "Try again later, or enter the NBP mid rate of that day with its date in the seller's settings.",
    )

    def __init__(self, currency: str, day: date, reason: Text, *, temporary: bool) -> None:
        super().__init__(f"no rate of {currency} for {day}: {reason.en}")
        self.currency = currency
        self.day = day
        self.reason = reason
        self.temporary = temporary

    def finding(self) -> Finding:
        """The reason for Attention."""
        message = Text(
            f"Nie ma kursu {self.currency} z dnia {self.day:%d.%m.%Y} do przeliczenia VAT na złote: "
            f"{self.reason.pl}",
            f"There is no rate of {self.currency} of {self.day} to state the VAT in PLN: {self.reason.en}",
        )
        return Finding(self.code, Severity.ERROR, "currency", message, self.hint, _SOURCE)


class RateUnavailable(RateError):
    """No rate can be had now, or none that is certain to be the right one.

    Args:
        currency: ISO 4217 code.
        day: Warsaw day whose rate was asked for.
        reason: why, for a person.
        temporary: whether asking again later may help without anybody doing anything.
    """

    def __init__(self, currency: str, day: date, reason: Text, *, temporary: bool = True) -> None:
        super().__init__(currency, day, reason, temporary=temporary)


class UnknownCurrency(RateError):
    """The source announces no rate of this currency."""

    code: ClassVar[str] = "currency-unknown"
    hint: ClassVar[Text] = Text(
        "Sprawdź walutę zamówienia. Jeśli jest prawidłowa, wpisz jej kurs z datą w ustawieniach sprzedawcy.",
        "Check the order's currency. If it is right, enter its rate with its date in the seller's settings.",
    )

    def __init__(self, currency: str, day: date) -> None:
        reason = Text(
            f"tabela A kursów średnich NBP nie zawiera waluty {currency}.",
            f"table A of NBP mid rates does not have the currency {currency}.",
        )
        super().__init__(currency, day, reason, temporary=False)


class Rates(Protocol):
    """Gives mid rates of the NBP."""

    def rate(self, currency: str, day: date) -> ExchangeRate:
        """The mid rate announced on a day.

        Args:
            currency: ISO 4217 code, not PLN.
            day: Warsaw day as :func:`rate_day` gives it.

        Raises:
            RateUnavailable: it cannot be had, or no rate is certain to be the right one.
            UnknownCurrency: no rate of this currency is announced.
        """
        ...


@dataclass(frozen=True, slots=True)
class EnteredRates:
    """Rates that the seller entered, each good for its own day only; other questions go on.

    An entry without a day is never used: nobody could tell whether it is stale.

    Attributes:
        entries: by currency code, as :attr:`~core.invoices.policy.InvoicePolicy.exchange_rates`.
        others: asked where no entry is of the wanted day; ``None`` when there is nobody to ask.
    """

    entries: Mapping[str, ExchangeRate] = field(default_factory=dict)
    others: Rates | None = None

    def rate(self, currency: str, day: date) -> ExchangeRate:
        """See :meth:`Rates.rate`."""
        entry = self.entries.get(currency)
        if entry is not None and entry.day == day:
            return entry
        if self.others is not None:
            return self.others.rate(currency, day)
        reason = Text(
            "w ustawieniach sprzedawcy nie ma kursu z tą datą.",
            "the seller's settings have no rate with that date.",
        )
        raise RateUnavailable(currency, day, reason, temporary=False)


def rate_day(tax_point: date, issued_on: date) -> date:
    """The day whose rate counts.

    The last working day before the tax point (art. 31a ust. 1 of the VAT act); before the day of issue when
    the invoice is issued before the tax point (ust. 2).

    Args:
        tax_point: Warsaw day on which the tax becomes due (art. 19a): delivery, or an earlier payment.
        issued_on: P_1.
    """
    return previous_working_day(min(tax_point, issued_on))


def draft_at_rate(
    order: Order, issuer: Issuer, policy: InvoicePolicy, issued_on: date, rates: Rates | None
) -> Draft:
    """:func:`~core.invoices.from_order.draft` with the exchange rate of the right day.

    Args:
        order: a snapshot.
        issuer: who sells.
        policy: the seller's choices; rates in it count for their own day only.
        issued_on: P_1, Warsaw day.
        rates: asked where the seller entered none of the day; ``None`` when there is nobody to ask.

    Raises:
        NeedsAttention: with every reason, the missing rate among them.
        RateError: only one that is ``temporary``: ask again later, no person is needed.
    """
    if order.currency == "PLN":
        return draft(order, issuer, policy)
    try:
        day = rate_day(tax_point_of(order) or issued_on, issued_on)
        found = EnteredRates(policy.exchange_rates, rates).rate(order.currency, day)
    except RateError as error:
        if error.temporary:
            raise
        missing = error.finding()
    else:
        return draft(order, issuer, replace(policy, exchange_rates={order.currency: found}))
    try:
        return draft(order, issuer, replace(policy, exchange_rates={}))
    except NeedsAttention as attention:
        rest = [one for one in attention.reasons if one.code != CURRENCY_WITHOUT_RATE]
        raise NeedsAttention([missing, *rest]) from None
