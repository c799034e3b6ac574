"""How a charged share is taxed on the invoice, and how sure that is.

A positive Polish rate speaks for itself. Everything else is decided by what the merchant said: about the
product, about the shop's tax class, or about sales to EU businesses, outside the EU and to consumers in
other EU countries. What nobody said is not guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from core.countries import EU
from core.invoices.model import Buyer, MarginScheme, RateRow, TaxIdKind, VatCategory
from core.invoices.policy import InvoicePolicy
from core.orders import LineKind, Order, OrderLine, TaxShare

HOME = "PL"
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Treatment:
    """One way of being taxed.

    Attributes:
        row: row of the VAT table. rate: percentage of tax inside the charged amount.
        category: P_12; ``None`` for OSS and margin lines, which have none.
        margin: margin scheme, when it is one.
    """

    row: RateRow
    rate: Decimal
    category: VatCategory | None = None
    margin: MarginScheme | None = None

    @property
    def is_oss(self) -> bool:
        """Taxed in the consumer's country."""
        return self.row is RateRow.OSS

    @property
    def name(self) -> str:
        """The treatment in the schema's words, for messages."""
        if self.category is not None:
            return self.category.value
        return f"OSS {self.rate.normalize():f}" if self.is_oss else "marża"


def of_category(category: VatCategory) -> Treatment:
    """The treatment of a P_12 code."""
    return Treatment(category.row, category.rate, category)


@dataclass(frozen=True, slots=True)
class Situation:
    """What an order as a whole says about taxation.

    Attributes:
        eu_business: the buyer has a checked VAT number of another EU country.
        polish_business: the buyer has a NIP. export: the goods leave the EU.
        eu_consumer: a consumer in another EU country.
        exempt_buyer: the shop took the buyer for exempt from tax.
    """

    eu_business: bool = False
    polish_business: bool = False
    export: bool = False
    eu_consumer: bool = False
    exempt_buyer: bool = False


def situation_of(order: Order, buyer: Buyer) -> Situation:
    """Look at the buyer's number and at where the goods go (delivery, else billing address)."""
    address = order.recipient.address if order.recipient else order.buyer.address
    country = (address.country or order.buyer.address.country).upper()
    abroad_in_eu = country in EU and country != HOME
    return Situation(
        eu_business=buyer.tax_id.kind is TaxIdKind.EU_VAT,
        polish_business=buyer.tax_id.kind is TaxIdKind.NIP,
        exempt_buyer=order.buyer.tax_exempt,
        export=bool(country) and country != HOME and not abroad_in_eu,
        eu_consumer=abroad_in_eu and buyer.tax_id.kind is TaxIdKind.NONE,
    )


def tax_class_key(share: TaxShare) -> str:
    """The key under which the merchant says what a share without tax means.

    ``none`` is a line of the standard class to which the shop applied no rate at all; it is told apart from
    a standard rate of zero, because shops use it for anything that they do not tax.
    """
    return share.tax_class or ("standard" if share.rate is not None else "none")


def treatment_of(
    line: OrderLine, share: TaxShare, situation: Situation, policy: InvoicePolicy
) -> Treatment | None:
    """How a share of a line is taxed, or ``None`` when nobody said it.

    Args:
        line: the line; its article number finds the merchant's marks.
        share: rate and tax as the shop charged them.
        situation: what the whole order says.
        policy: what the merchant said.
    """
    marks = policy.products.get(line.sku) if line.sku else None
    if marks is not None and marks.margin is not None:
        # tax shown to the buyer contradicts a margin scheme, where none may be shown
        return None if share.tax else Treatment(RateRow.MARGIN, _ZERO, margin=marks.margin)
    if marks is not None and marks.category is not None:
        return of_category(marks.category) if marks.category.rate == (share.rate or _ZERO) else None
    if share.rate:
        return _taxed(share, situation, policy)
    return None if share.tax else _untaxed(line, share, situation, policy)


def _taxed(share: TaxShare, situation: Situation, policy: InvoicePolicy) -> Treatment | None:
    """A positive rate: Poland's, or with the merchant's word the consumer's country's."""
    rate = share.rate or _ZERO
    foreign = share.country not in {"", HOME} or (not share.country and situation.eu_consumer)
    if foreign:
        return Treatment(RateRow.OSS, rate) if policy.oss and situation.eu_consumer else None
    category = _RATES_IN_FORCE.get(rate)
    return of_category(category) if category is not None else None


def _untaxed(
    line: OrderLine, share: TaxShare, situation: Situation, policy: InvoicePolicy
) -> Treatment | None:
    """A rate of zero or none: what the merchant said, as far as the buyer does not contradict it."""
    category = policy.tax_classes.get(tax_class_key(share))
    if category in {None, VatCategory.ZERO} and situation.eu_business:
        category = policy.eu_goods
    elif category in {None, VatCategory.ZERO} and situation.export:
        category = policy.export
    if category is None or not _fits(category, situation):
        return None
    return None if line.kind is LineKind.GIFT_CARD_SOLD else of_category(category)


def _fits(category: VatCategory, situation: Situation) -> bool:
    match category:
        case VatCategory.ZERO_WDT | VatCategory.OUTSIDE_SERVICES:
            return situation.eu_business
        case VatCategory.ZERO_EXPORT:
            return situation.export
        case VatCategory.REVERSE_CHARGE:
            return situation.polish_business
        case VatCategory.ZERO:
            return not (situation.eu_business or situation.export or situation.exempt_buyer)
        case _:
            return True


# what the VAT act applies today: 22 % and 7 % are history, 4 % and 3 % are a flat rate of taxi drivers
_RATES_IN_FORCE = {one.rate: one for one in (VatCategory.R23, VatCategory.R8, VatCategory.R5)}


def is_foreign_rate(share: TaxShare) -> bool:
    """Whether a positive rate is not, or not surely, one of Poland's, so that the sale may be one of OSS."""
    return bool(share.rate) and (share.country != HOME)
