"""The buyer of an order's invoice as a person entered it: kept with the order, used when it is built.

The shop's own data stay what they are. When the shop's buyer changes later, before the invoice, a person says
which of the two is right; after it the change asks like any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from connector_app.store.models import ShopOrder
from connector_app.store.snapshots import buyer_fingerprint, from_json
from core.findings import Finding, Severity, Text
from core.orders import Buyer, Order, PostalAddress, TaxIdCandidate

SOURCE = "by hand"
"""Where the tax number of an entered buyer comes from, as a finding names it."""


@dataclass(frozen=True, slots=True)
class EnteredBuyer:
    """A buyer as a person enters it.

    Attributes:
        name: of the company or person.
        tax_id: NIP, VAT number of the EU with its country, or another number; empty for a consumer.
        line1: street and number. postcode, city: as written. country: ISO 3166-1 alpha-2.
    """

    name: str
    tax_id: str
    line1: str
    postcode: str
    city: str
    country: str = "PL"

    def as_json(self) -> dict[str, str]:
        """As it is kept."""
        return {key: str(value) for key, value in asdict(self).items()}

    def apply(self, order: Order) -> Order:
        """The order with this buyer; contact, customer number and language stay the shop's."""
        shop = order.buyer
        buyer = Buyer(
            first_name="" if self.tax_id else self.name,
            company=self.name if self.tax_id else "",
            address=PostalAddress(
                self.line1, postcode=self.postcode, city=self.city, country=self.country.upper()
            ),
            email=shop.email,
            phone=shop.phone,
            tax_ids=(TaxIdCandidate(self.tax_id, SOURCE),) if self.tax_id else (),
            customer_id=shop.customer_id,
            tax_exempt=shop.tax_exempt,
            language=shop.language,
        )
        return replace(order, buyer=buyer)


def entered(override: Mapping[str, Any] | None) -> EnteredBuyer | None:
    """The buyer in an order's ``buyer_override``."""
    return EnteredBuyer(**override["buyer"]) if override else None


def kept(buyer: EnteredBuyer, order: Order) -> dict[str, Any]:
    """What is kept with an order.

    Args:
        buyer: as entered.
        order: as the shop says it now; a later change of its buyer asks.
    """
    return {"buyer": buyer.as_json(), "instead_of": buyer_fingerprint(order)}


def with_buyer(order: Order, override: Mapping[str, Any] | None) -> Order:
    """An order as its invoice is made from it."""
    buyer = entered(override)
    return order if buyer is None else buyer.apply(order)


def invoice_order(row: ShopOrder) -> Order:
    """A stored order as its invoice is made from it.

    Args:
        row: with a snapshot.
    """
    return with_buyer(from_json(row.snapshot or {}), row.buyer_override)


def buyer_conflict(row: ShopOrder) -> Finding | None:
    """The shop's buyer changed after a person entered one, to something else than was entered."""
    if row.buyer_override is None or row.snapshot is None:
        return None
    order = from_json(row.snapshot)
    now = buyer_fingerprint(order)
    if now == row.buyer_override["instead_of"] or now == buyer_fingerprint(invoice_order(row)):
        return None
    return Finding(
        "buyer-entered-and-changed",
        Severity.ERROR,
        "buyer",
        Text(
            "Dane nabywcy wpisano ręcznie, a potem zmieniono je w sklepie: nie wiadomo, które są właściwe.",
            "The buyer's data were entered by hand, and changed in the shop later: it is not known which are "
            "right.",
        ),
        Text(
            "Na stronie zamówienia zapisz właściwe dane nabywcy albo wróć do danych ze sklepu.",
            "On the order's page save the right buyer, or go back to the shop's data.",
        ),
    )
