"""What a shop says: orders and refunds in one neutral, immutable form.

Every adapter maps its platform's answers to these classes and nothing else leaves an adapter.
All amounts are :class:`~decimal.Decimal` in units of the order's currency, all times are aware UTC.

The form keeps the shop's own split of money: each line carries what it cost before discounts and,
per tax rate, the net amount and the tax that were really charged. Whether the shop thinks in gross
or in net prices is a flag (:attr:`Order.prices_include_tax`), because a Polish invoice is counted
differently for each (art. 106e ust. 1 and ust. 7 of the VAT act).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from core.money import ZERO


class LineKind(StrEnum):
    """What a charged line of an order stands for."""

    PRODUCT = "product"
    SHIPPING = "shipping"
    FEE = "fee"
    TIP = "tip"
    DUTY = "duty"
    WRAPPING = "wrapping"
    GIFT_CARD_SOLD = "gift_card_sold"
    """A multi-purpose voucher that was sold: outside VAT until it is used (art. 8b of the VAT act)."""


class OrderState(StrEnum):
    """The neutral state of an order; each adapter maps its platform's own statuses to these."""

    PENDING = "pending"
    """Placed, money not confirmed."""
    PAID = "paid"
    """Paid or accepted for fulfilment (also cash on delivery)."""
    COMPLETED = "completed"
    """Sent or handed over."""
    REFUNDED = "refunded"
    """The shop calls the whole order refunded."""
    CANCELLED = "cancelled"
    FAILED = "failed"


CALLED_OFF = frozenset({OrderState.CANCELLED, OrderState.FAILED})
"""States of an order whose sale does not take place."""


@dataclass(frozen=True, slots=True)
class TaxShare:
    """The part of a line that one tax rate bears.

    Attributes:
        rate: percentage that the shop applied, e.g. ``Decimal("23")``; ``None`` when the shop applied no
            rate at all, which may mean 0 %, exempt, outside VAT or reverse charge.
        net: amount without tax.
        tax: tax amount as charged.
        tax_class: the shop's own key for the tax treatment (tax class, tax rule); the merchant's mapping
            from this key decides what a missing rate or a rate of zero means. Empty is the standard class.
        country: country whose rate it is (ISO 3166-1 alpha-2); empty when the shop does not tell.
    """

    rate: Decimal | None
    net: Decimal
    tax: Decimal
    tax_class: str = ""
    country: str = ""

    @property
    def gross(self) -> Decimal:
        """Amount with tax."""
        return self.net + self.tax


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One charged line: a product, delivery, a fee.

    Attributes:
        id: the shop's id of the line, stable over the life of the order; refunds refer to it.
        kind: what the line stands for.
        name: text for the invoice (P_7).
        quantity: number of units, may be fractional; negative only in a :class:`Refund`.
        shares: what was charged after line discounts, one entry per rate. Usually one.
        net_before, tax_before: the same line before line discounts, ``None`` when the shop does not tell.
        sku, gtin: merchant's and global article numbers; empty when absent.
        unit: unit of measure as the shop names it; empty when the shop knows none.
    """

    id: str
    kind: LineKind
    name: str
    quantity: Decimal
    shares: tuple[TaxShare, ...]
    net_before: Decimal | None = None
    tax_before: Decimal | None = None
    sku: str = ""
    gtin: str = ""
    unit: str = ""

    @property
    def net(self) -> Decimal:
        """Amount without tax after line discounts."""
        return sum((share.net for share in self.shares), ZERO)

    @property
    def tax(self) -> Decimal:
        """Tax after line discounts."""
        return sum((share.tax for share in self.shares), ZERO)

    @property
    def gross(self) -> Decimal:
        """Amount with tax after line discounts."""
        return self.net + self.tax


@dataclass(frozen=True, slots=True)
class OrderDiscount:
    """A discount on the whole order that is not yet inside the lines.

    WooCommerce's negative fees and PrestaShop's cart rules are such discounts; coupons that a platform
    has already taken off its lines are not (they are :class:`Coupon`).

    Attributes:
        id: the shop's id of the discount.
        name: text that the buyer saw.
        shares: positive amounts to take off, per rate.
    """

    id: str
    name: str
    shares: tuple[TaxShare, ...]

    @property
    def gross(self) -> Decimal:
        """Amount with tax that is taken off, positive."""
        return sum((share.gross for share in self.shares), ZERO)


@dataclass(frozen=True, slots=True)
class Coupon:
    """Information only: a coupon whose effect is already inside the lines.

    Attributes:
        code: what the buyer typed.
        amount: its whole effect with tax, positive; ``None`` when the shop does not tell.
    """

    code: str
    amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class RateTotal:
    """The tax that the shop charged for one rate over the whole order, by the shop's own rounding.

    Attributes:
        rate: percentage.
        tax: tax of lines, fees and delivery together.
    """

    rate: Decimal
    tax: Decimal


class PaymentKind(StrEnum):
    """How money, or its substitute, came in."""

    GATEWAY = "gateway"
    GIFT_CARD = "gift_card"
    STORE_CREDIT = "store_credit"


class PaymentForm(StrEnum):
    """The forms of payment that an invoice can name (TFormaPlatnosci); adapters map gateways to them."""

    CASH = "cash"
    CARD = "card"
    VOUCHER = "voucher"
    CHEQUE = "cheque"
    CREDIT = "credit"
    TRANSFER = "transfer"
    MOBILE = "mobile"


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment for the order.

    Attributes:
        kind: gift cards and store credit are payments, never discounts.
        method: the shop's key of the method, e.g. ``bacs`` or ``cod``; empty when the shop names none.
        title: what the buyer saw.
        amount: amount in the order's currency; ``None`` when the shop does not tell (whole order assumed).
        paid_at: when the money was confirmed, UTC; ``None`` while unpaid (cash on delivery).
        transaction_id: the gateway's id; empty when absent.
        form: the form that the adapter knows the method to be; ``None`` when it cannot tell.
    """

    kind: PaymentKind
    method: str
    title: str = ""
    amount: Decimal | None = None
    paid_at: datetime | None = None
    transaction_id: str = ""
    form: PaymentForm | None = None


@dataclass(frozen=True, slots=True)
class PostalAddress:
    """A postal address as the shop keeps it.

    Attributes:
        line1, line2: street and number, further details.
        postcode, city, state: as typed by the buyer.
        country: ISO 3166-1 alpha-2, upper case; empty when the shop does not tell.
    """

    line1: str = ""
    line2: str = ""
    postcode: str = ""
    city: str = ""
    state: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class TaxIdCandidate:
    """A text that may be the buyer's tax number, and where it was found.

    Attributes:
        value: as typed by the buyer.
        source: the shop's field, e.g. ``meta _billing_nip``; shown to the merchant.
        free_text: found by a pattern in a field meant for something else, so it needs more distrust.
    """

    value: str
    source: str
    free_text: bool = False


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who pays.

    Attributes:
        first_name, last_name, company: as typed; any of them may be empty.
        address: billing address.
        email, phone: contact for messages about the invoice; empty when absent.
        tax_ids: candidates in the order of trust, the most trusted first.
        customer_id: the shop's customer number; empty for guests.
        tax_exempt: the shop took the buyer for exempt from tax (EU business with a checked number).
        language: ISO 639-1 code of the language the buyer shopped in; empty when unknown.
    """

    first_name: str = ""
    last_name: str = ""
    company: str = ""
    address: PostalAddress = field(default_factory=PostalAddress)
    email: str = ""
    phone: str = ""
    tax_ids: tuple[TaxIdCandidate, ...] = ()
    customer_id: str = ""
    tax_exempt: bool = False
    language: str = ""

    @property
    def person_name(self) -> str:
        """First and last name joined, empty when neither is known."""
        return " ".join(part for part in (self.first_name.strip(), self.last_name.strip()) if part)


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who receives the goods, when the shop tells."""

    name: str = ""
    company: str = ""
    address: PostalAddress = field(default_factory=PostalAddress)


@dataclass(frozen=True, slots=True)
class StatusChange:
    """One entry of an order's status history."""

    status: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RefundRef:
    """A refund that the order itself names, without its lines.

    Attributes:
        id: the shop's id of the refund.
        amount: money given back, positive.
        reason: the merchant's text; empty when absent.
    """

    id: str
    amount: Decimal
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """An immutable snapshot of an order.

    Attributes:
        platform: key of the adapter that read it.
        id: the shop's stable key; number: what the buyer sees.
        status: the platform's own word; state: the neutral one.
        currency: ISO 4217 code of every amount here (what the buyer saw and paid).
        prices_include_tax: the shop's prices are gross.
        lines: charged lines, never empty in a valid order.
        discounts: order-level discounts still to be spread over the lines.
        total: what the buyer was charged, with tax, before payments by gift card.
        total_tax: the shop's own sum of tax.
        rate_totals: the shop's own tax per rate; empty when the shop does not tell.
        payments: payments known, in time order.
        shop_currency, shop_total: the shop's accounting currency and the total in it, when it differs.
        wants_invoice: the buyer's tick in a checkbox; ``None`` when the shop has no such field.
        created_at, modified_at, paid_at, completed_at: aware UTC.
        refunds: refunds named by the order; their details are read apart.
        customer_note: what the buyer wrote.
        status_history, notes: when the platform gives them.
        extra: further platform data worth showing, text to text.
    """

    platform: str
    id: str
    number: str
    status: str
    state: OrderState
    currency: str
    prices_include_tax: bool
    lines: tuple[OrderLine, ...]
    total: Decimal
    buyer: Buyer
    created_at: datetime
    modified_at: datetime
    total_tax: Decimal | None = None
    rate_totals: tuple[RateTotal, ...] = ()
    discounts: tuple[OrderDiscount, ...] = ()
    coupons: tuple[Coupon, ...] = ()
    payments: tuple[Payment, ...] = ()
    recipient: Recipient | None = None
    wants_invoice: bool | None = None
    paid_at: datetime | None = None
    completed_at: datetime | None = None
    refunds: tuple[RefundRef, ...] = ()
    shop_currency: str = ""
    shop_total: Decimal | None = None
    customer_note: str = ""
    status_history: tuple[StatusChange, ...] = ()
    notes: tuple[str, ...] = ()
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_paid(self) -> bool:
        """Whether the shop confirmed the money."""
        return self.paid_at is not None


@dataclass(frozen=True, slots=True)
class Refund:
    """An immutable snapshot of a refund.

    Attributes:
        platform, id, order_id: keys as in :class:`Order`.
        amount: money given back, positive, with tax, in the order's currency.
        lines: what it was given back for; ``OrderLine.id`` is the id of the *order's* line, quantities and
            amounts are positive. Empty for an amount-only refund, which carries no split by rate.
        reason: the merchant's text; empty when absent.
        created_at: aware UTC.
    """

    platform: str
    id: str
    order_id: str
    amount: Decimal
    created_at: datetime
    currency: str
    lines: tuple[OrderLine, ...] = ()
    reason: str = ""
    modified_at: datetime | None = None

    @property
    def is_amount_only(self) -> bool:
        """Whether the shop tells no lines, so that the split by rate cannot be known."""
        return not self.lines


__all__ = [
    "Buyer",
    "Coupon",
    "LineKind",
    "Order",
    "OrderDiscount",
    "OrderLine",
    "OrderState",
    "Payment",
    "PaymentForm",
    "PaymentKind",
    "PostalAddress",
    "RateTotal",
    "Recipient",
    "Refund",
    "RefundRef",
    "StatusChange",
    "TaxIdCandidate",
    "TaxShare",
]
